"""Where what a visitor starts will train: on this machine or, if the server was started with one, on a Ray cluster."""

import streamlit as st

from explorer.language import tr
from explorer.runs import LOCAL, RAY
from explorer.ui import frame, resources

_CHOSEN = "engine-chosen"  # beside the widget, whose own value is forgotten on pages that do not draw it


def chosen() -> str:
    """The engine of this visitor's runs."""
    return str(st.session_state.get(_CHOSEN, LOCAL)) if resources.server().engine.ray else LOCAL


def panel() -> None:
    """The choice, and why the cluster cannot be used if it cannot; nothing where there is none."""
    cluster = resources.server().engine.ray
    if cluster is None:
        return
    names = {LOCAL: tr("This machine"), RAY: tr("Ray cluster at {address}", address=cluster.cluster.address)}
    picked = st.segmented_control(
        tr("What you start trains on"),
        list(names),
        default=chosen(),
        required=True,
        format_func=lambda name: names[name],
        key="runs-engine",
        help=tr("For what you start from now on, on every page. What runs already stays where it is."),
    )
    st.session_state[_CHOSEN] = picked or LOCAL
    if picked == RAY and cluster.problem:
        st.warning(frame.plain(cluster.problem), icon=":material/cloud_off:")
