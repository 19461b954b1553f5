"""A class together: one presents, the others follow, vote and train a part of one experiment each."""

from explorer.language import tr
from explorer.ui import frame, room

frame.dress(tr("Room"))
with frame.errors_in_place():
    room.panel()
