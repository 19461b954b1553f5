"""What does the shortcut change, and what not? (Section 3, Figures 2, 3 and 5, Table 1)"""

import streamlit as st

from explorer.ui import architecture, frame

frame.begin("Architecture", "What does a shortcut change, and what does it leave alone?")
build, figure_3 = st.tabs(
    ["Build a network", "Figure 3 and Table 1"], key="view", on_change="rerun", bind="query-params"
)
with frame.errors_in_place():
    if build.open:
        with build:
            architecture.build()
    if figure_3.open:
        with figure_3:
            architecture.table_1()
