"""What a reader kept, guessed and remarked, to take home."""

from explorer.language import tr
from explorer.ui import frame, lesson, notes

frame.begin(tr("Notes"), tr("What do I take home?"))
with frame.errors_in_place():
    notes.panel(lesson.guesses())
