"""README and docs tell the truth: links lead somewhere, commands exist, code runs, each page has its picture."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from explorer import commands
from explorer.config import TrainingConfig
from explorer.recipes import recipe
from explorer.ui import sitemap
from tests.conftest import ROOT
from tests.test_imports import ALLOWED, PAGES_MAY

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "pictures"
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _linked(document: Path) -> list[tuple[str, Path]]:
    """Texts and files of a document's relative links and pictures."""
    found = _LINK.findall(_FENCED.sub("", document.read_text(encoding="utf-8")))
    return [
        (text, document.parent / to.partition("#")[0]) for text, to in found if not re.match(r"https?:|#|mailto:", to)
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    assert [str(file) for _, file in _linked(document) if not file.exists()] == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        linked = {file.resolve() for document in new for _, file in _linked(document) if file.suffix == ".md"}
        new = linked - reached
    assert set(DOCUMENTS) - reached == set()


def test_every_page_has_a_picture_that_is_small_and_of_its_size() -> None:
    pictures = {file.stem: file for file in PICTURES.glob("*.webp")}
    assert pictures.keys() == {row.name for row in sitemap.PAGES}
    for name, file in pictures.items():
        assert f"docs/pictures/{name}.webp" in README, name
        assert file.stat().st_size <= 150_000, name
        with Image.open(file) as picture:
            assert picture.width == 1280, name
    assert sum(file.stat().st_size for file in pictures.values()) <= 2_500_000


def test_every_page_is_in_the_gallery_under_its_title() -> None:
    titles = re.findall(r"<br>\*\*(.+?)\.\*\*", README)
    assert titles == [row.title for row in sitemap.PAGES]


def _commands() -> list[str]:
    table = README.partition("## What is measured")[2].partition("\n## ")[0]
    cells = [row.rsplit("|", 2)[1] for row in table.splitlines() if row.startswith("| ")][1:]
    said = [command for cell in cells for command in re.findall(r"`(.+?)`", cell)]
    written = [line for document in DOCUMENTS for line in document.read_text(encoding="utf-8").splitlines()]
    return said + [
        line.partition("python -m explorer ")[2].partition("  ")[0]
        for line in written
        if line.startswith("python -m explorer ")
    ]


@pytest.mark.parametrize("command", dict.fromkeys(_commands()))
def test_every_command_is_one(command: str) -> None:
    parser = argparse.ArgumentParser()
    commands.add_to(parser.add_subparsers(required=True))
    assert callable(parser.parse_args(shlex.split(command)).command)


def test_the_five_lines_of_python_write_a_figure(tmp_path: Path) -> None:
    code = re.search(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert code
    lines = [line for line in code[1].splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) == 5
    run = [sys.executable, "-W", "error::UserWarning", "-c", code[1]]
    subprocess.run(run, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    figure = (tmp_path / "responses.html").read_text(encoding="utf-8")
    assert "plotly" in figure
    assert "resnet-8" in figure


def test_the_recipe_of_ones_own_is_one(tmp_path: Path) -> None:
    written = re.search(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "recipes.md").read_text(), re.MULTILINE | re.DOTALL)
    assert written
    (tmp_path / "mine.toml").write_text(written[1])
    mine = recipe(str(tmp_path / "mine.toml"))
    assert (mine.name, mine.depths, mine.training.milestones) == ("mine", (8, 32), (1000, 1500))
    assert mine.training.learning_rate == TrainingConfig().learning_rate


def test_what_the_walk_through_the_code_names_is_there() -> None:
    named = [
        (text.strip("`"), file) for text, file in _linked(ROOT / "docs" / "architecture.md") if text.startswith("`")
    ]
    assert len(named) > 15
    missing = [text for text, file in named if not re.search(rf"\b{text}\b", file.read_text(encoding="utf-8"))]
    assert missing == []


def test_the_diagram_shows_imports_that_are_allowed() -> None:
    arrows = re.findall(r"^    (\w+)(?:\[.*?\])? --> (\w+)", ARCHITECTURE, re.MULTILINE)
    assert len(arrows) > 12
    allowed = ALLOWED | {"pages": PAGES_MAY}
    assert [arrow for arrow in arrows if arrow[1] not in allowed[arrow[0]]] == []


def test_the_tree_has_every_part_of_the_program_and_no_other() -> None:
    tree = ARCHITECTURE.partition("## What lies where")[2].partition("explorer/\n")[2].partition("\nassets/")[0]
    told = {
        part for line in tree.splitlines() for part in re.findall(r"\w+(?:\.py|/)", line.rpartition("  ")[0] or line)
    }
    there = {file.name for file in (ROOT / "explorer").glob("[!_]*.py")}
    there |= {f"{folder.parent.name}/" for folder in (ROOT / "explorer").glob("*/__init__.py")}
    assert told == there


def test_the_citation_says_what_the_format_asks_for() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert cited["version"] == version[1]
    assert all(author.keys() & {"name", "family-names"} for author in cited["authors"])
    (paper,) = cited["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert paper["title"] == "Deep Residual Learning for Image Recognition"
    assert [author["family-names"] for author in paper["authors"]] == ["He", "Zhang", "Ren", "Sun"]
    assert (paper["year"], paper["doi"]) == (2016, "10.1109/CVPR.2016.90")


def test_the_changelog_has_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert re.search(rf"^## \[{re.escape(version[1])}\]", changes, re.MULTILINE)
    assert set(re.findall(r"^### (.+)$", changes, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
    }  # fmt: skip
