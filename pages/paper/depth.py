"""Does more depth pay off in the end? (Section 4.2, Table 6 and Figure 6)"""

import streamlit as st

from explorer.language import tr
from explorer.ui import depth, frame, sitemap

frame.begin(tr("Depth and error"), tr("Does more depth pay off at the end of training?"))
with frame.errors_in_place():
    depth.panel()
st.caption(
    tr(
        "Grey diamonds: the paper's values after 64,000 steps. It prints test errors of the residual networks "
        "(Table 6); those of the plain ones and all training errors are read from Figure 6. Its training error is "
        "probably of augmented images (it does not say), ours of clean ones."
    )
)
sitemap.link("degradation", tr("How they got there: Degradation"))
