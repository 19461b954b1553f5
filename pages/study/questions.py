"""The readers' own questions, as experiments."""

from explorer.language import tr
from explorer.ui import address, frame, misconceptions, sitemap, sweeps

frame.begin(tr("Questions"), tr("What did readers of the paper ask?"))
titles = {
    "dropout": tr("Why no dropout?"),
    "train_images": tr("With little data?"),
    "own": tr("Your own"),
    "heard": tr("Heard often"),
}
opened = address.tabs(titles)
for question in sweeps.QUESTIONS:
    if opened[question.name].open:
        with opened[question.name], frame.errors_in_place():
            sweeps.panel(question)
for name, panel in (("own", sweeps.own), ("heard", misconceptions.panel)):
    if opened[name].open:
        with opened[name], frame.errors_in_place():
            panel()
sitemap.link("runs", tr("Every training of these: Runs"))
