"""The README's second command on a machine without data and without a network: a picture, and no question asked."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, serving, settle

NOWHERE = "http://127.0.0.1:9"  # nothing listens there, and all that Python fetches goes by it
ALONE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), NOWHERE)
ALONE |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "EXPLORER_DATA": ""}


@pytest.fixture
def alone(tmp_path: Path, new_page: Callable[..., Any]) -> Any:
    """A browser that reaches nothing but a server that reaches nothing."""
    if (ROOT / "data").exists():
        pytest.skip("this working folder has images in ./data")
    page = new_page(1280, 900)
    page.context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
    with serving(ROOT / "app.py", tmp_path, **ALONE) as address:
        page.goto(address)
        yield page


def test_the_degradation_picture_is_there_at_once_and_nothing_is_asked(alone: Any) -> None:
    alone.get_by_role("heading", name="as easy as stacking more layers").wait_for(timeout=60_000)
    settle(alone)
    drawn = "() => document.querySelectorAll('.residual-plot.is-drawn .scatterlayer .trace .lines path').length"
    assert alone.evaluate(drawn) >= 8, "training and test error of two depths, plain and residual"
    assert alone.get_by_text("more layers raise the training error").is_visible()
    for question in ("[role=dialog], dialog[open]", "[data-testid=stException]", "[data-testid=stAlertContentError]"):
        assert alone.locator(question).count() == 0
    assert alone.get_by_text("CIFAR-10 is not on this machine").is_visible()


def test_without_a_network_a_race_runs_and_getting_cifar_10_says_why_it_failed(alone: Any) -> None:
    alone.get_by_role("button", name="Get CIFAR-10").click(timeout=60_000)
    alone.locator("[data-testid=stAlert]").get_by_text("CIFAR-10 could not be fetched").wait_for(timeout=90_000)
    alone.get_by_role("button", name="Run it here").click()
    alone.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    alone.locator(".residual-plot-words").get_by_text("images/s").wait_for(timeout=120_000)
    alone.get_by_role("button", name="Stop").click()
    alone.get_by_role("button", name="Run it here").wait_for(timeout=60_000)
    assert alone.locator("[data-testid=stException]").count() == 0


def test_doctor_explains_the_machine(tmp_path: Path) -> None:
    environment = {**os.environ, **ALONE, "EXPLORER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "explorer", "doctor"]
    told, counted = (
        subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
        for asked in (command, [*command, "--json"])
    )
    machine = json.loads(counted)
    assert machine["missing"] == ["CIFAR-10: python -m explorer data fetch"], "and how to get it"
    for value in ("device", "data", "store", "python"):
        assert machine[value] in told
    assert machine["store"] == str(tmp_path)
    assert f"torch {machine['versions']['torch']}" in told
