from explorer.ui import frame

frame.begin("Runs", None)
