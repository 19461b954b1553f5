"""The container's files agree with the project and with each other; there is no Docker here to build them."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
IGNORE = (ROOT / ".dockerignore").read_text().splitlines()


def _lines(word: str) -> list[str]:
    return [line.removeprefix(word).strip() for line in DOCKERFILE.splitlines() if line.startswith(f"{word} ")]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    sources = [source for line in _lines("COPY") if "--from" not in line for source in line.split()[:-1]]
    assert {"app.py", "explorer", "pages", "assets", "requirements.txt"} <= set(sources)
    kept = {line.removeprefix("!").split("/")[0] for line in IGNORE if line.startswith("!")}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in kept, source
    assert "*" in IGNORE  # what nobody thought of stays outside: tokens, stores, the history


def test_all_that_the_app_reads_is_copied() -> None:
    """Folders beside the code that it names."""
    named = set(re.findall(r'parents\[\d\] / "(\w+)"', "".join(f.read_text() for f in ROOT.glob("explorer/**/*.py"))))
    assert named
    copied = {source for line in _lines("COPY") for source in line.split()}
    assert named <= copied


def test_it_runs_as_nobody_in_particular_and_says_whether_it_is_well() -> None:
    (user,) = _lines("USER")
    assert user not in ("root", "0")
    last = DOCKERFILE.splitlines()
    assert next(i for i, line in enumerate(last) if line.startswith("USER")) < next(
        i for i, line in enumerate(last) if line.startswith("CMD")
    )
    assert "/_stcore/health" in DOCKERFILE[DOCKERFILE.index("HEALTHCHECK") :]
    assert "8501" in _lines("EXPOSE")[0]
    assert not re.search("(?i)password|token|secret", DOCKERFILE)


def test_the_pins_are_the_projects() -> None:
    """The CPU's torch is asked for with the lines of requirements.txt, so that there is one place to change."""
    torch = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match("^torch(vision)?==", line)
    ]
    assert len(torch) == 2
    assert "grep -E '^torch(vision)?==' requirements.txt" in DOCKERFILE


@pytest.mark.parametrize("service", ["explorer", "cuda"])
def test_compose_gives_no_more_than_is_needed(service: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with requirements-dev.txt")
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    found = services[service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert found["tmpfs"] == ["/tmp"]
    assert found["volumes"] == ["store:/data"]
    assert "EXPLORER_HOME=/data" in DOCKERFILE
    assert all(port.startswith("127.0.0.1:") for port in found["ports"])
    assert found["build"]["args"]["DEVICE"] == {"explorer": "cpu", "cuda": "cuda"}[service]
    assert f"ARG DEVICE={services['explorer']['build']['args']['DEVICE']}" in DOCKERFILE


def test_the_documents_name_files_that_exist() -> None:
    for name in ("deploy", "security", "ray", "scaling"):
        text = (ROOT / "docs" / f"{name}.md").read_text()
        for path in re.findall(r"`((?:explorer|tests|docs|\.streamlit)/[\w/.]+\.(?:py|md))`", text):
            assert (ROOT / path).exists(), path
    table = (ROOT / "docs" / "security.md").read_text()
    for row in re.findall(r"^\|.*\| ([^|]+) \|$", table, re.MULTILINE)[1:]:
        for name in row.split(", "):
            if name != ".ci/run":
                assert (ROOT / "tests" / f"{name}.py").exists(), name
