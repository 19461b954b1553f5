"""The one folder that the product writes to."""

import os
import sys
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.language import tr


def home() -> Path:
    """EXPLORER_HOME, else `residual-explorer` in the platform's folder for user data; created if need be.

    Raises ExplorerError where it cannot be written to.
    """
    folder = _chosen()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExplorerError(_complaint(folder, error.strerror or str(error))) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExplorerError(_complaint(folder, tr("no permission to write")))
    return folder


def _chosen() -> Path:
    wished = os.environ.get("EXPLORER_HOME")
    try:
        return Path(wished).expanduser().absolute() if wished else _user_data() / "residual-explorer"
    except RuntimeError:  # a user without a home folder
        raise ExplorerError(tr("there is no home folder to write to: set EXPLORER_HOME to a folder of yours")) from None


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    wished = os.environ.get("XDG_DATA_HOME", "")
    # The XDG rules tell to pass over a path that is not absolute.
    return Path(wished) if wished.startswith("/") else Path.home() / ".local" / "share"


def _complaint(folder: Path, reason: str) -> str:
    return tr(
        "cannot write to {folder} ({reason}): set EXPLORER_HOME to a folder that you can write to",
        folder=folder, reason=reason,
    )  # fmt: skip
