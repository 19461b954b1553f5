"""Is learning better networks as easy as stacking more layers? (Section 1, Figures 1 and 6)"""

import streamlit as st

from explorer.ui import controls, frame, race, sitemap

frame.begin("Degradation", "Is learning better networks as easy as stacking more layers?")
result, choices = st.container(), st.container()
with choices, frame.errors_in_place():
    entered = controls.race()
    with result, frame.errors_in_place():
        race.panel(entered, controls.location())
st.caption(
    "It is not overfitting: the *training* error is higher too. With batch normalisation it is not vanishing gradients "
    "either (section 4.1). Plain and residual twins have the same parameters, start from the same weights and see the "
    "same images in the same order; only the shortcut differs."
)
sitemap.link("responses", "What do the layers of these networks do? Layer responses")
