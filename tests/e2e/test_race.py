"""The main job, as a visitor does it: from a deep link to a race, its live curves, and into its networks."""

import re
from typing import Any

DRAWN = ".residual-plot.is-drawn"
_PLOT = f"document.querySelector('{DRAWN} .js-plotly-plot')"
_POINTS = f"({_PLOT}.data.find((trace) => /^plain-(14|20) training$/.test(trace.name))?.x.length ?? 0)"


def _choose(page: Any, label: str, text: str) -> None:
    box = page.get_by_role("combobox", name=re.compile(label))
    box.click()
    box.fill(text)
    page.get_by_role("option").first.wait_for(timeout=5_000)  # the list comes a moment later when it is first opened
    box.press("Enter")


def test_a_visitor_races_four_networks_and_looks_into_them(server: str, page: Any) -> None:
    page.goto(f"{server}/responses")
    page.wait_for_selector(DRAWN)  # a recording, before anything was trained here
    page.get_by_role("link", name="Degradation", exact=True).click()
    page.wait_for_selector(f"{DRAWN} .scatterlayer .trace")
    _choose(page, "Depths", "8 | 14")
    _choose(page, "Images", "Generated")
    page.get_by_role("button", name=re.compile("Run it here")).click()
    page.wait_for_function(f"{_POINTS} > 0", timeout=60_000)

    page.evaluate("window.__mountsBefore = window.__residualMounts['race-curves']")
    _zoom(page)
    zoomed = page.evaluate(f"{_PLOT}._fullLayout.xaxis.range")
    before = page.evaluate(_POINTS)
    page.wait_for_function(f"{_POINTS} > {before + 20}", timeout=60_000)
    assert page.evaluate(f"{_PLOT}._fullLayout.xaxis.range") == zoomed
    assert page.evaluate("window.__residualMounts['race-curves'] === window.__mountsBefore")

    page.get_by_role("link", name="Runs", exact=True).click()  # the race goes on while the page is left
    page.get_by_text("What has been trained?").wait_for()
    page.get_by_role("link", name="Degradation", exact=True).click()
    page.wait_for_url("**/?depths=8*14")
    page.reload()
    page.get_by_text(re.compile(r"Plain: .*6 more layers")).wait_for(timeout=120_000)
    page.get_by_text(re.compile(r"Residual: .*6 more layers")).wait_for()
    page.get_by_text("Generated shapes").first.wait_for()
    page.get_by_role("button", name=re.compile("Run seed 1 too")).wait_for()

    page.get_by_role("link", name="Layer responses", exact=True).click()
    page.wait_for_function(f"{_PLOT} && {_PLOT}.data.some((trace) => trace.name === 'plain-14 · seed 0')")
    page.get_by_text(re.compile("residual responses are")).first.wait_for()
    page.get_by_role("link", name="Attributions", exact=True).click()
    page.wait_for_function(
        f"{_PLOT} && {_PLOT}.data.filter((trace) => trace.type === 'heatmap').length === 8", timeout=60_000
    )
    page.get_by_text(re.compile("plain-14 says")).wait_for()


def test_a_stop_ends_a_race_at_once(server: str, page: Any) -> None:
    page.goto(server)
    page.wait_for_selector(DRAWN)
    _choose(page, "Depths", "8 | 20")
    _choose(page, "Images", "Generated")
    page.get_by_role("button", name=re.compile("Run it here")).click()
    page.wait_for_function(f"{_POINTS} > 0", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name=re.compile("Run it here")).wait_for()


def test_a_recording_is_played_paused_and_scrubbed(server: str, page: Any) -> None:
    page.goto(server)
    page.wait_for_selector(f"{DRAWN} .scatterlayer .trace")
    last = f"Math.max(...{_PLOT}.data.filter((trace) => trace.mode === 'lines').flatMap((trace) => trace.x))"
    end = page.evaluate(last)
    page.get_by_role("button", name="Play the training again").click()
    page.wait_for_function(f"{last} > {end / 20} && {last} < {end / 2}")
    page.get_by_role("button", name="Pause the replay").click()
    moment = page.evaluate(last)
    scrubber = page.get_by_role("slider", name=re.compile("Moment of the training"))
    scrubber.press("Home")
    page.wait_for_function(f"{last} === 0 || !isFinite({last})")
    scrubber.press("End")
    page.wait_for_function(f"{last} === {end}")
    assert 0 < moment < end
    assert page.evaluate("window.__residualMounts['race-curves']") == 1


def test_depths_that_do_not_exist_are_refused_in_place(server: str, page: Any) -> None:
    page.goto(server)
    page.wait_for_selector(DRAWN)
    _choose(page, "Depths", "8 | 21")
    page.get_by_text("the nearest are 20 and 26").wait_for()
    assert page.get_by_text("Traceback").count() == 0
    page.get_by_text("Is learning better networks").wait_for()


def _zoom(page: Any) -> None:
    box = page.locator(f"{DRAWN} .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{_PLOT}._fullLayout.xaxis.range[0] > 0")
