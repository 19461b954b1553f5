"""Getting CIFAR-10 from the page: said when it is missing, one download for all, an error in its place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.data.fetch import Progress
from explorer.errors import ExplorerError
from explorer.ui import fetching

APP = str(Path(__file__).resolve().parents[2] / "explorer" / "ui" / "router.py")


@pytest.fixture(autouse=True)
def _no_cifar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.delenv("EXPLORER_DATA", raising=False)
    monkeypatch.chdir(tmp_path)  # ./data may hold CIFAR-10
    monkeypatch.setattr("explorer.engines.local.LocalEngine.tend", lambda self: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def test_where_cifar10_is_missing_the_page_says_so_and_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Progress]:
        yield Progress(1_000_000, 2_000_000, "somewhere", 1.0)
        raise ExplorerError("all addresses failed")

    monkeypatch.setattr(fetching, "fetch", broken)
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert any("generated shapes" in caption.value for caption in app.caption)
    app.button(key="fetch-start").click().run()
    thread = fetching._download().thread
    assert thread is not None
    thread.join()
    app.run()
    assert app.error[0].value == "all addresses failed"
    progress = fetching._download().progress
    assert progress is not None
    assert progress.bytes_done == 1_000_000
