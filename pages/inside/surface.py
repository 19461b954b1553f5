"""What does the loss look like around the trained weights? (Li et al. 2018)"""

import streamlit as st

from explorer.language import tr
from explorer.ui import frame, surface

frame.begin(tr("Loss surface"), tr("What does the loss look like around the trained weights?"))
with frame.errors_in_place():
    surface.panel()
st.caption(
    tr(
        "The loss on a plane through the trained weights, both networks on one scale. After Li, Xu, Taylor, Studer and "
        "Goldstein, *Visualizing the Loss Landscape of Neural Nets* (2018), who found deep networks without shortcuts "
        "chaotic, with shortcuts smooth. A picture of two dimensions out of many thousands: it suggests, it does not "
        "prove."
    )
)
