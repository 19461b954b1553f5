from explorer.ui import frame

frame.begin("Degradation", None)
