"""The import rule of docs/architecture.md: downwards only, and heavy packages have their one home."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Which parts of explorer a part may import. A folder is one part; what is not named here may not exist.
_LOW = {"config", "network_config", "families", "records", "outline", "kinds", "errors", "language"}
_BELOW_TRAINING = _LOW | {"data", "networks", "device", "home", "evaluation"}
_MIDDLE = _BELOW_TRAINING | {
    "measurement",
    "training",
    "race",
    "sweep",
    "recipes",
    "checkpoints",
    "summary",
    "paper",
    "memory",
    "weights",
    "provenance",
}
_FOR_PEOPLE = _MIDDLE | {"attribution", "plots", "runs", "recordings", "imported", "export", "jobs", "engines"}
ALLOWED = {
    "errors": set(),
    "kinds": set(),
    "language": set(),
    "canonical": {"errors", "kinds", "language"},
    "families": {"language"},
    "network_config": {"canonical", "families", "errors", "language"},
    "config": {"canonical", "network_config", "errors", "language"},
    "outline": set(),
    "paper": {"config", "language"},
    "weights": _LOW | {"data", "networks"},
    "export": _BELOW_TRAINING | {"checkpoints", "summary"},
    "imported": _BELOW_TRAINING | {"measurement", "checkpoints", "weights", "runs", "provenance"},
    "memory": {"config", "device", "errors", "language", "networks", "summary"},
    "records": {"kinds"},
    "provenance": {"device", "records"},
    "home": {"errors", "language"},
    "files": {"errors", "language"},
    "states": {"files", "training"},
    "device": {"errors", "language"},
    "data": _LOW | {"home", "data"},
    "networks": _LOW | {"device", "networks"},
    "evaluation": {"data", "device"},
    "summary": {"config", "families", "networks", "outline"},
    "recipes": {"config", "errors", "language"},
    "race": {"config", "errors", "language", "recipes"},
    "notes": {"language"},
    "sweep": _LOW | {"canonical", "recipes"},
    "measurement": _BELOW_TRAINING | {"measurement"},
    "descent": set(),
    "captured": {"networks"},
    "training": _BELOW_TRAINING | {"measurement", "descent", "captured"},
    "checkpoints": _BELOW_TRAINING | {"files", "weights"},
    "attribution": _MIDDLE | {"attribution"},
    "plots": _LOW | {"plots", "measurement", "paper"},
    "database": set(),
    "runs": _LOW | {"database"},
    "recordings": _LOW | {"runs", "checkpoints"},
    "passes": {"errors", "language"},
    "presence": {"errors", "language"},
    "shown": _LOW | {"recipes", "sweep"},
    "room": _LOW | {"database", "passes", "presence", "runs", "shown"},
    "jobs": _LOW | {"runs"},
    "reproduction": _MIDDLE | {"jobs", "runs"},
    "engines": _MIDDLE | {"engines", "runs", "recordings", "jobs", "states", "files"},
    "ui": _FOR_PEOPLE | {"ui", "notes", "passes", "shown", "room"},
    "commands": _FOR_PEOPLE | {"commands", "files", "reproduction"},
    "__main__": {"commands", "errors"},
}
PAGES_MAY = {"config", "errors", "language", "records", "ui", "plots", "recipes", "race", "runs", "measurement"}
HOMES = {
    "captum": ("explorer/attribution/",),
    "plotly": ("explorer/plots/", "explorer/ui/"),
    "streamlit": ("explorer/ui/", "pages/", "app.py"),
    "numba": ("explorer/networks/kernels.py",),
    "sklearn": ("explorer/measurement/",),
    "scipy": ("explorer/measurement/",),
    "sqlite3": ("explorer/database.py", "explorer/runs.py", "explorer/room.py"),
}


def _files() -> list[Path]:
    return sorted([*ROOT.glob("explorer/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"])


def _imported(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _part(file: Path) -> str:
    return file.relative_to(ROOT / "explorer").parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", _files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_downwards(file: Path) -> None:
    path = str(file.relative_to(ROOT))
    if path == "explorer/__init__.py":
        assert _imported(file) == []
        return
    allowed = ALLOWED[_part(file)] if path.startswith("explorer/") else PAGES_MAY
    for name in _imported(file):
        package, *rest = name.split(".")
        if package == "explorer":
            assert rest[0] in allowed, f"{path} may not import {name}"
        assert package not in ("pages", "app", "tests", "benchmarks"), f"{path} may not import {name}"
        assert path.startswith(HOMES.get(package, ("",))), f"{package} has another home than {path}"


def test_pages_change_runs_only_where_it_is_asked_whose_they_are() -> None:
    """A room's runs are guarded in explorer/ui/runs.py; nothing else of the pages may reach past it."""
    change = re.compile(r"store\.(stop|pause|resume|rename|delete)\(")
    found = [
        file for file in _files() if "ui" in file.parts or "pages" in file.parts if change.search(file.read_text())
    ]
    assert [file.name for file in found] == ["runs.py"]


def test_what_pages_need_before_they_paint_and_commands_before_they_work_does_not_import_torch() -> None:
    light = [
        "explorer.config",
        "explorer.records",
        "explorer.runs",
        "explorer.recordings",
        "explorer.jobs",
        "explorer.race",
        "explorer.data.sources",
        "explorer.measurement.verdict",
        "explorer.engines.local",
        "explorer.device",
        "explorer.commands",
    ]
    code = f"import sys, {', '.join(light)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
