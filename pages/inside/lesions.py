"""What happens if a block is taken away? (Veit, Wilber, Belongie 2016)"""

import streamlit as st

from explorer.language import tr
from explorer.ui import frame, lesions

frame.begin(tr("Lesions"), tr("What happens to a trained network if a block is taken away?"))
with frame.errors_in_place():
    lesions.panel()
st.caption(
    tr(
        "A residual block is taken away by leaving its shortcut alone: its input is passed on. A plain block has no "
        "shortcut, so that the blocks behind it get what they never learnt to use. In blocks that change the shape, "
        "option A's shortcut stands in for a plain one. After Veit, Wilber and Belongie, *Residual Networks Behave "
        "Like Ensembles of Relatively Shallow Networks* (2016); nothing is trained again."
    )
)
