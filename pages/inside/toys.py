"""Why does a shortcut help? Three small experiments that answer at once."""

import streamlit as st

from explorer.ui import frame, sitemap, toys

frame.begin("Toys", "Why does a shortcut help?")
linear, shattered, signal = st.tabs(
    ["Deep linear networks", "Shattered gradients", "Signal and shortcut"],
    key="view",
    on_change="rerun",
    bind="query-params",
)
with frame.errors_in_place():
    if linear.open:
        with linear:
            toys.deep_linear()
    if shattered.open:
        with shattered:
            toys.shattering()
    if signal.open:
        with signal:
            toys.propagation()
sitemap.link("responses", "What layers do in trained networks: Layer responses")
