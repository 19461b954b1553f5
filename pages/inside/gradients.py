"""Is it the vanishing gradient? (Sections 1 and 4.1)"""

import streamlit as st

from explorer.ui import frame, gradients, sitemap

frame.begin("Gradients", "Is it the vanishing gradient?")
start, training = st.tabs(["Before training", "Over training"], key="view", on_change="rerun", bind="query-params")
with frame.errors_in_place():
    if start.open:
        with start:
            gradients.before_training()
    if training.open:
        with training:
            gradients.over_training()
st.caption(
    "Without BN, weights a little too small or too large make signal and gradient vanish or explode with depth: try "
    "half of He's. With BN the signal is 1 in every layer whatever the weights, and no gradient vanishes, in plain "
    "networks either: the paper verified that theirs have healthy norms (section 4.1). Before the first step those of "
    "a deep plain network even grow towards its input; after the first epochs that is gone (Over training), and yet "
    "it trains worse. So the vanishing gradient is not the cause. Each norm is of one layer's weights, for the mean "
    "cross-entropy of one batch of fixed images, BN with the batch's own statistics."
)
sitemap.link("degradation", "What it is then: Degradation")
