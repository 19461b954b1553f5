"""What does the loss look like around the trained weights? (Li et al. 2018)"""

import streamlit as st

from explorer.ui import frame, surface

frame.begin("Loss surface", "What does the loss look like around the trained weights?")
with frame.errors_in_place():
    surface.panel()
st.caption(
    "The loss on a plane through the trained weights, both networks on one scale. After Li, Xu, Taylor, Studer and "
    "Goldstein, *Visualizing the Loss Landscape of Neural Nets* (2018), who found deep networks without shortcuts "
    "chaotic, with shortcuts smooth. A picture of two dimensions out of many thousands: it suggests, it does not prove."
)
