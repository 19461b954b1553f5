"""Is it the vanishing gradient? (Sections 1 and 4.1)"""

import streamlit as st

from explorer.language import later, told, tr
from explorer.ui import address, frame, gradients, paths, sitemap

NORMS = later(
    "Without BN, weights a little too small or too large make signal and gradient vanish or explode with depth: try "
    "half of He's. With BN the signal is 1 in every layer whatever the weights, and no gradient vanishes, in plain "
    "networks either: the paper verified that theirs have healthy norms (section 4.1). Before the first step those of "
    "a deep plain network even grow towards its input; after the first epochs that is gone (Over training), and yet "
    "it trains worse. So the vanishing gradient is not the cause. Each norm is of one layer's weights, for the mean "
    "cross-entropy of one batch of fixed images, BN with the batch's own statistics."
)
PATHS = later(
    "A residual network of n blocks is 2ⁿ paths, for each block may be gone through or around, and the gradient is the "
    "sum over all of them. Most paths go through about half of the blocks; what comes back along the long ones is next "
    "to nothing. After Veit, Wilber and Belongie, *Residual Networks Behave Like Ensembles of Relatively Shallow "
    "Networks* (2016); of the trained network, BN with the images' own statistics. A plain network is one path."
)
TABS = {
    "before": later("Before training"),
    "over": later("Over training"),
    "paths": later("Along which paths"),
}

frame.begin(tr("Gradients"), tr("Is it the vanishing gradient?"))
tabs = address.tabs({name: told(title) for name, title in TABS.items()})
panels = (gradients.before_training, gradients.over_training, paths.panel)
for tab, panel, caption in zip(tabs.values(), panels, (NORMS, NORMS, PATHS), strict=True):
    if tab.open:
        with tab, frame.errors_in_place():
            panel()
        st.caption(told(caption))
sitemap.link("degradation", tr("What it is then: Degradation"))
