"""The panel that gets CIFAR-10 where it is missing: one download for all visitors, with its progress."""

import threading
from dataclasses import dataclass

import streamlit as st

from explorer.data.fetch import MESSAGES, Progress, fetch
from explorer.errors import ExplorerError
from explorer.language import retold, tr
from explorer.ui import frame, resources

_TICK_SECONDS = 1.0
_MEGABYTE = 1_000_000


@dataclass
class Download:
    """The download of this server, if one was asked for; written by its thread, read by pages."""

    progress: Progress | None = None
    error: str = ""
    thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether it is under way."""
        return self.thread is not None and self.thread.is_alive()

    def start(self) -> None:
        """Begin, or go on where it broke off."""
        if not self.active:
            self.error = ""
            self.thread = threading.Thread(target=self._run, name="fetch-cifar10", daemon=True)
            self.thread.start()

    def _run(self) -> None:
        try:
            for self.progress in fetch():
                pass
        except ExplorerError as error:
            self.error = str(error)


@st.cache_resource
def _download() -> Download:
    return Download()


def panel() -> None:
    """Nothing where CIFAR-10 is at hand; else what is used instead, and the button that gets it."""
    if resources.data_choices()[0] != "auto" or resources.source("auto").kind != "shapes":
        return
    active = _download().active
    st.fragment(_panel, run_every=_TICK_SECONDS if active else None, key="fetching")(active)


def _panel(was_active: bool) -> None:
    download = _download()
    if was_active and not download.active:
        resources.source.clear()
        st.rerun()
    if download.active:
        now = download.progress
        share = now.bytes_done / now.bytes_total if now and now.bytes_total else 0.0
        got = f"{now.bytes_done / _MEGABYTE:.0f} MB" if now else "…"
        st.progress(min(share, 1.0), text=tr("Getting CIFAR-10: {got}", got=got))
        return
    if download.error:
        st.error(frame.plain(retold(download.error, MESSAGES)))
    words, button = st.columns([5, 2], vertical_alignment="center")
    words.caption(tr("CIFAR-10 is not on this machine: runs use **generated shapes** instead, not photographs."))
    if button.button(tr("Get CIFAR-10 · 170 MB"), icon=":material/download:", key="fetch-start", width="stretch"):
        download.start()
        st.rerun()
