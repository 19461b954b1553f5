"""Networks as a visitor handles them: built by controls, kept in the address, taken home as a file, brought back."""

import re
import zipfile
from pathlib import Path
from typing import Any

DRAWING = ".residual-drawing-scroller svg"


def open_network(page: Any, server: str, name: str) -> None:
    """Open the page Architecture at a network and wait for its drawing."""
    page.goto(f"{server}/architecture?network={name}")
    page.wait_for_selector(f'{DRAWING} [data-network="{name}"]')


def test_address_holds_the_network_and_moves_the_drawing(server: str, page: Any) -> None:
    open_network(page, server, "resnet-32:shortcut=B")
    assert page.locator(f'{DRAWING} [data-network="plain-32"]').count() == 1  # its twin
    page.get_by_text("2,752 parameters more (+0.6\u00a0%) and 262,144 multiply-adds more").wait_for()
    page.evaluate("window.__before = document.querySelector('.residual-drawing-scroller')")

    page.get_by_role("combobox", name=re.compile("Shortcut")).click()
    page.get_by_role("option", name="C · all projected").click()
    page.wait_for_selector(f'{DRAWING} [data-network="resnet-32:shortcut=C"]')
    page.wait_for_url(re.compile("network=resnet-32(:|%3A)shortcut(=|%3D)C"))

    page.get_by_role("radio", name="Plain", exact=True).click()
    page.wait_for_selector(f'{DRAWING} [data-network="plain-32"]')
    page.wait_for_url(re.compile("network=plain-32($|&)"))
    assert page.evaluate("window.__before === document.querySelector('.residual-drawing-scroller')")


def test_wrong_network_in_the_address_is_one_line_and_the_controls_stay(server: str, page: Any) -> None:
    page.goto(f"{server}/architecture?network=resnet-21")
    page.get_by_text("the nearest are 20 and 26").wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_recorded_network_is_exported_and_taken_in_again(server: str, page: Any, tmp_path: Path) -> None:
    open_network(page, server, "resnet-8:width=8")
    page.get_by_role("button", name="Export as PyTorch code").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="PyTorch code and weights").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        assert [name for name in names if name.endswith(".py")]
        (weights,) = [name for name in names if name.endswith(".safetensors")]
        mine = Path(archive.extract(weights, tmp_path)).rename(tmp_path / "mine.safetensors")

    page.goto(f"{server}/runs")
    page.get_by_text("Import a recording, or weights").click()
    page.locator("input[type=file]").set_input_files(mine)
    page.get_by_role("textbox", name="Network").fill("resnet-14")
    page.get_by_role("button", name="Take it in").click()
    page.get_by_text("holds another network than resnet-14").wait_for()

    page.get_by_role("textbox", name="Network").fill("")
    page.get_by_role("button", name="Take it in").click()
    page.get_by_text(re.compile("resnet-8:width=8 · imported.*tensors matched by names")).wait_for(timeout=60_000)
