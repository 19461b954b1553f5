"""A page with drawings of networks, for the browser tests: `?networks=plain-20|resnet-20`."""

import streamlit as st

from explorer.config import network
from explorer.summary import summary
from explorer.ui import frame
from explorer.ui.drawing import drawing

frame.begin("Drawing", "What does a shortcut change in a network?")
names = st.query_params.get("networks", "resnet-20")
width = st.slider("Width of the stem", 8, 32, 16, step=8)
option = "" if width == 16 else f":width={width}"
unfolded = drawing([summary(network(name + option)) for name in names.split("|")], key="networks")
st.caption(f"unfolded: {', '.join(sorted(unfolded)) or 'none'}")
