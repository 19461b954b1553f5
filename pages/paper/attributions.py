from explorer.ui import frame

frame.begin("Attributions", None)
