"""Is learning better networks as easy as stacking more layers? (Section 1, Figures 1 and 6)"""

import streamlit as st

from explorer.language import told, tr
from explorer.ui import controls, fetching, frame, race, sitemap

frame.begin(tr("Degradation"), told(race.QUESTION))
result = st.container()
with frame.errors_in_place():
    button, *choices = st.columns([5.5, 6, 3, 4], vertical_alignment="bottom")
    entered = controls.race(choices)
    with button:
        race.start_or_stop(entered, controls.location())
    with result:
        race.panel(entered)
    fetching.panel()
    race.caution(entered)
st.caption(
    tr(
        "Thin lines: training error while training, on augmented images; bold lines: test error, as in the paper's "
        "Figure 6. The sentences above count clean images. It is not overfitting: the "
        "*training* error is higher too. With batch normalisation it is not vanishing gradients either (section 4.1). "
        "Plain and residual twins have the same parameters, start from the same weights and see the same images in the "
        "same order; only the shortcut differs."
    )
)
sitemap.link("gradients", tr("Is it the vanishing gradient?"))
sitemap.link("depth", tr("How does it end? Depth and error"))
sitemap.link("responses", tr("Next: what do the layers of these networks do?"))
