"""Every page inside the app's frame, through AppTest; the same pages on a real server are in tests/e2e."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import router, sitemap

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {"app.py": ROOT / "app.py", "router": Path(router.__file__)}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("row", sitemap.PAGES, ids=lambda row: row.name)
def test_page_runs_inside_the_frame(script: str, row: sitemap.Entry) -> None:
    app = AppTest.from_file(SCRIPTS[script], default_timeout=60).run()
    if row is not sitemap.HOME:
        app.switch_page(str(row.path)).run()

    assert not app.exception
    assert len(app.title) == 1


def test_what_the_first_page_waits_for_is_there_before_it() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; from explorer.ui import resources, server;"
        "server.warm_first_page();"
        "assert '_recordings' in vars(resources.library()), 'the page reads the recordings';"
        "before = set(sys.modules);"
        f"assert not AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=60).run().exception;"
        "late = [name for name in set(sys.modules) - before if 'emoji' in name];"
        "assert not late and 'streamlit.emojis' in before, 'Streamlit imports it elsewhere now'"
    )
    _run(code)


def test_first_page_is_drawn_without_torch_and_pandas() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=60).run();"
        "assert len(app.title) == 1 and not app.exception;"
        "assert not {'torch', 'pandas'} & set(sys.modules), 'imported by the first page'"
    )
    _run(code)


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr[-2000:]


def test_addresses_are_unique_and_their_scripts_exist() -> None:
    assert len({row.name for row in sitemap.PAGES}) == len(sitemap.PAGES)
    assert [row.path for row in sitemap.PAGES if not row.path.is_file()] == []
