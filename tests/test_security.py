"""What docs/security.md promises, tried: each test is an attack of its threat model that no other file tries.

Wherever a test tries one it carries the threat's name (`pytest.mark.threat`), and none is without a test.
"""

import ast
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_safetensors

from explorer import recordings
from explorer.checkpoints import from_safetensors
from explorer.config import NetworkConfig, RunConfig
from explorer.data.picture import LARGEST_AREA
from explorer.errors import RequestError
from explorer.recordings import Catalogue, Library, unpack
from explorer.runs import LOCAL, Store
from explorer.ui.limits import RATES, SECONDS, Buckets
from explorer.weights import read
from tests.test_runs import EVALUATION, PROVENANCE, STEP

ROOT = Path(__file__).resolve().parents[1]
THREAT = re.compile(r'pytest\.mark\.threat\("([^"]+)"\)')
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.threat("Another site's page acts for the visitor")
def test_the_server_protects_forms_and_tells_nothing_to_others() -> None:
    """Streamlit's defaults or stricter, and nothing in our code that loosens them."""
    assert CONFIG["server"]["enableCORS"] is True
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["server"]["maxUploadSize"] <= 20
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert "corsAllowedOrigins" not in CONFIG["server"]
    for file in [*ROOT.glob("explorer/ui/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]:
        code = file.read_text()
        assert not re.search("enableXsrf|enableCORS|unsafe_allow_javascript|unsafe_allow_html", code), file


@pytest.mark.threat("A file of weights runs code")
@pytest.mark.parametrize("file", sorted(ROOT.glob("explorer/**/*.py")), ids=lambda file: file.name)
def test_no_pickle_is_read_but_by_readers_that_run_none_of_it(file: Path) -> None:
    """torch.load with weights_only=True; CIFAR-10's own batches by an unpickler that knows NumPy's arrays alone."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            if called.endswith("torch.load"):
                assert options.get("weights_only") == "True"
            assert called not in ("pickle.load", "pickle.loads", "eval", "exec", "os.system", "torch.hub.load")
            assert options.get("shell") in (None, "False")
            assert options.get("allow_pickle") in (None, "False")
    if "import pickle" in file.read_text():
        assert file.name == "cifar.py"


@pytest.mark.threat("A file is too large, or unpacks to too much")
def test_a_zip_that_unpacks_to_more_than_weights_can_be_is_refused_unread() -> None:
    """4 GB of zeros fit into 4 MB; the reader of torch's files unpacks them without asking."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a/data/0", "w") as member:
        for _ in range(600):
            member.write(bytes(2**20))
    assert len(buffer.getvalue()) < 2**20
    with pytest.raises(RequestError, match="MB"):
        read(buffer.getvalue(), "bomb.pt")


@pytest.mark.threat("A small file makes something large")
def test_a_small_file_cannot_name_a_network_that_takes_all_memory() -> None:
    """resnet-1202 with 256 channels is 20 GB; nothing of it may be made for a file of one number."""
    largest = NetworkConfig(depth=1202, width=256)
    content = save_safetensors({"conv.weight": torch.zeros(1)}, {"network": largest.name})
    with pytest.raises(RequestError, match="a file of 1 numbers is none of it"):
        from_safetensors(content, largest, "bomb.safetensors")


def _recording(run: RunConfig, label: str = "", records: bytes | None = None) -> bytes:
    """A recording, with other records than it should have, if given; its checksums are right."""
    made = recordings.Run(run, "done", "", label, PROVENANCE, "", 0.0)
    content = recordings.pack(made, [EVALUATION, STEP], {})
    if records is None:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["format"] = 1  # without checksums
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("records.json", records)
    return buffer.getvalue()


@pytest.mark.threat("A file is too large, or unpacks to too much")
@pytest.mark.parametrize(
    "records",
    [b"[" * 200_000, b"[" + b" " * (2**26 + 1) + b"]", b"7", b'{"kind": 1}', b'[{"kind": "step"}]', b"\xff"],
    ids=["deep", "long", "number", "object", "empty", "bytes"],
)
def test_records_made_to_break_the_reader_are_one_line(tiny_run: RunConfig, records: bytes) -> None:
    with pytest.raises(RequestError) as told:
        unpack(_recording(tiny_run, records=records), "evil.recording")
    assert "\n" not in str(told.value)


@pytest.mark.threat("A path leads out of the store")
@pytest.mark.parametrize("path", ["../../../etc/passwd", "/etc/passwd", "..", "a" * 16, "0123456789abcde/"])
@pytest.mark.parametrize("field", ["start", "weights"])
def test_a_config_names_runs_and_no_paths(tiny_run: RunConfig, field: str, path: str) -> None:
    """`start` and `weights` come with recordings from others, and `start` names a file of the store."""
    values = tiny_run.to_dict() | {field: path}
    if re.fullmatch("[0-9a-f]{16}", path):
        assert getattr(RunConfig.from_dict(values), field) == path
    else:
        with pytest.raises(RequestError, match="16 hex digits"):
            RunConfig.from_dict(values)


@pytest.mark.threat("A path leads out of the store")
@pytest.mark.parametrize("asked", ["../runs", "..", "/etc/passwd", "", "*", "%2e%2e", "a/../../b"])
def test_no_address_leads_out_of_the_store(store: Store, tiny_run: RunConfig, asked: str) -> None:
    store.submit([tiny_run], "shapes")
    with pytest.raises(RequestError):
        Catalogue(store, Library()).run(asked)


@pytest.mark.threat("A path leads out of the store")
@pytest.mark.parametrize(
    "member", ["../evil.py", "/tmp/evil", "records.json/../../x", "weights-1.safetensors\x00.py", "weights-../x"]
)
def test_a_recordings_files_are_never_written_by_their_names(tmp_path: Path, member: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), b"x")
    store = Store(tmp_path / "home")
    with pytest.raises(RequestError):
        recordings.add(store, buffer.getvalue(), "evil.recording")
    assert not list(store.checkpoints.iterdir())
    assert not [file for file in tmp_path.rglob("*") if "evil" in file.name or file.name.startswith("weights")]


@pytest.mark.threat("A name, label or caption is a script, or fetches a picture")
def test_a_name_that_is_html_is_shown_as_text(store: Store, tiny_run: RunConfig) -> None:
    from tests.ui.visits import visit

    evil = "<img src=x onerror=alert(1)>"
    recordings.add(store, _recording(tiny_run, label=evil), "evil.recording")
    app = visit("runs")
    assert not app.exception
    shown = [html.proto.body for html in app.get("html")]
    assert not any(evil in body for body in shown)
    assert not any(element.allow_html for element in (*app.markdown, *app.caption))


@pytest.mark.threat("Somebody floods the queue")
def test_limits_hold_for_one_and_for_all_and_refill() -> None:
    now = 1000.0
    buckets = Buckets(clock=lambda: now)
    one, all_of_them = RATES["imports"]
    for _ in range(one):
        buckets.take("imports", "a")
    with pytest.raises(RequestError, match=f"try again in {SECONDS / one:.0f}"):
        buckets.take("imports", "a")
    buckets.take("imports", "b")  # is not held up by the first
    buckets.take("runs", "a")  # nor is something else
    for visitor in range(all_of_them - one - 1):
        buckets.take("imports", f"v{visitor}")
    with pytest.raises(RequestError, match="too much at once"):
        buckets.take("imports", "new")
    now += SECONDS / all_of_them
    buckets.take("imports", "new")
    now += SECONDS
    for _ in range(one):
        buckets.take("imports", "a")


def test_what_is_refused_takes_nothing() -> None:
    buckets = Buckets(clock=lambda: 0.0)
    one, _ = RATES["runs"]
    with pytest.raises(RequestError):
        buckets.take("runs", "a", one + 1)
    buckets.take("runs", "a", one)


@pytest.mark.threat("Somebody floods the queue")
def test_runs_asked_for_too_fast_are_not_queued(store: Store, tiny_run: RunConfig, monkeypatch) -> None:
    from explorer.ui import limits, runs

    buckets = Buckets(clock=lambda: 0.0)
    monkeypatch.setattr(limits, "_buckets", lambda: buckets)
    monkeypatch.setattr("explorer.ui.resources.server", lambda: _Server(store))
    monkeypatch.setattr("explorer.ui.engine.chosen", lambda: LOCAL)
    most, _ = RATES["runs"]
    runs.submit([replace(tiny_run, seed=seed) for seed in range(most)], "shapes")
    with pytest.raises(RequestError, match="too much at once"):
        runs.submit([replace(tiny_run, seed=most)], "shapes")
    assert len(store.runs()) == most


class _Server:
    def __init__(self, store: Store) -> None:
        self.store, self.engine = store, self

    def tend(self) -> None:
        """Nothing runs here."""


@pytest.mark.threat("A picture of a million megapixels")
def test_a_picture_is_bounded_before_it_is_decoded() -> None:
    assert LARGEST_AREA <= 64_000_000  # data/test_picture.py tries larger ones


def test_every_threat_is_tried_by_a_test_that_names_it() -> None:
    """And the table names the file of each of these tests, and no others."""
    table = (ROOT / "docs" / "security.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)[1:])
    tried: dict[str, set[str]] = {row: set() for row in rows}
    for file in ROOT.glob("tests/**/test_*.py"):
        for row in THREAT.findall(file.read_text()):
            tried[row].add(str(file.relative_to(ROOT / "tests").with_suffix("")))
    assert {row: set(named.split(", ")) - {".ci/run"} for row, named in rows.items()} == tried
    assert all(tried.values())


@pytest.mark.threat("Errors tell paths and code")
def test_an_error_that_nobody_foresaw_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from streamlit.testing.v1 import AppTest

    def page() -> None:
        from explorer.ui import server

        assert server.on_script_error(ValueError("/home/teacher/secret.py, line 7")) is True

    app = AppTest.from_function(page).run()
    assert [error.value for error in app.error] == [
        "This part of the page failed, and that is our mistake. The server's log says why; reload to try again."
    ]
    assert not app.exception


@pytest.mark.threat("A dependency has a known hole")
@pytest.mark.parametrize(
    ("vulnerabilities", "status", "said"),
    [('[{"id": "CVE-1"}]', 1, "torch 2: CVE-1"), ("[]", 0, "1 of 1 packages known"), (None, 0, "0 of 0")],
    ids=["known", "none", "no-answer"],
)
def test_a_known_hole_ends_the_gate_and_an_index_that_is_silent_does_not(
    vulnerabilities: str | None, status: int, said: str, tmp_path: Path
) -> None:
    """Run as CI runs it, with a program in the auditor's place."""
    auditor, answer = tmp_path / "pip-audit", '{"dependencies": [{"name": "torch", "version": "2", "vulns": %s}]}'
    told = "exit 1" if vulnerabilities is None else f"echo '{answer % vulnerabilities}'"
    auditor.write_text(f"#!/bin/sh\n{told}\n")
    auditor.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit", auditor, "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr


@pytest.mark.threat("A dependency has a known hole")
@pytest.mark.parametrize("file", sorted(ROOT.glob("requirements*.txt")), ids=lambda file: file.name)
def test_every_dependency_is_pinned_to_one_version(file: Path) -> None:
    for line in file.read_text().splitlines():
        pin, _, _system = line.partition("; sys_platform ")
        assert not pin or pin.startswith(("#", "-r ")) or re.fullmatch(r"[\w.-]+==[\w.]+", pin), line
