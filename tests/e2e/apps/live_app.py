"""Serves live.py with the routes of the real app, plotly.js among them."""

from pathlib import Path

import streamlit as st

from explorer.ui import server

app = st.App(Path(__file__).with_name("live.py"), routes=server.routes(), on_script_error=server.on_script_error)
