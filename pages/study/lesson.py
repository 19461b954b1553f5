"""The paper, step by step: a short text, a guess, a measurement."""

from explorer.language import tr
from explorer.ui import frame, lesson

frame.dress(tr("Lesson"))
lesson.panel()
