"""Where does the idea come from? The paper's related work (section 2), measured and drawn."""

from explorer.language import tr
from explorer.ui import address, encodings, frame, gates, inception, multigrid, sitemap

frame.begin(tr("Related work"), tr("Who had worked with residuals and shortcuts before?"))
tabs = address.tabs(
    {
        "multigrid": tr("Multigrid"),
        "encodings": tr("VLAD and Fisher vectors"),
        "highway": tr("Highway gates"),
        "inception": tr("Inception"),
    }
)
panels = (multigrid.panel, encodings.panel, gates.panel, inception.panel)
for tab, panel in zip(tabs.values(), panels, strict=True):
    if tab.open:
        with tab, frame.errors_in_place():
            panel()
sitemap.link("lesson", tr("The paper, step by step: Lesson"))
