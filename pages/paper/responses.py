from explorer.ui import frame

frame.begin("Layer responses", None)
