"""A button that hands out a file, which is made when it is asked for."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import streamlit as st

_KEPT = 16  # the largest have some 10 MB
_turns = count()


def download(label: str, make: Callable[[], bytes | str], name: str, mime: str, *, key: str, **look: Any) -> None:
    """A download button; `make` gives the content of the file called `name`, in a thread of the server's own.

    A press does not run the page: a run would take the file back, perhaps before the browser has asked for it.
    """
    st.download_button(
        label,
        partial(made, make, name, mime),
        name,
        mime,
        on_click="ignore",
        icon=":material/download:",
        key=key,
        **look,
    )


def made(make: Callable[[], bytes | str], name: str, mime: str) -> bytes:
    """The content, which the server also keeps until so many more files were made.

    Streamlit itself forgets such a file once two pages have run, of whichever visitors: where eight looked at a page
    that runs each second, a third of all downloads came too late (docs/performance.md).
    """
    content = make()
    file = content.encode() if isinstance(content, str) else content
    files = st.runtime.get_instance().media_file_mgr
    files.add(file, mime, f"made-{next(_turns) % _KEPT}", name, is_for_static_download=True)
    return file
