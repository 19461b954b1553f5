"""A server of its own for each test of a page."""

from collections.abc import Iterator

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds another's store in the caches, and none starts a worker."""
    monkeypatch.setenv("EXPLORER_DATA", "shapes")
    monkeypatch.setattr("explorer.engines.local.LocalEngine.tend", lambda self: None)
    monkeypatch.setattr("explorer.ui.membership._browsers", lambda: (None, "10.0.0.1"))  # AppTest has no connection
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
