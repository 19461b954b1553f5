"""The drawing in a real browser: its cards, its folds, its files, on wide and narrow pages, light and dark."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.e2e.conftest import APPS, serving

BLOCK = '[data-network="resnet-20"] [data-block="stage2.0"]'
CARD = ".residual-drawing-card"
SCROLLER = ".residual-drawing-scroller"
PAIR = "plain-20|resnet-20"

# Pairs of texts that overlap, and texts that stick out of their box or of the drawing.
_COLLISIONS = """svg => {
  const words = [...svg.querySelectorAll('text')].map(text => [text, text.getBoundingClientRect()])
  const frame = svg.getBoundingClientRect(), found = []
  words.forEach(([text, a], index) => {
    if (a.left < frame.left || a.right > frame.right) found.push(`${text.textContent} leaves the drawing`)
    const box = text.previousElementSibling
    if (box?.matches('.rx-box, .rx-on-arc, .rx-end')) {
      const b = box.getBoundingClientRect()
      if (a.left < b.left + 1 || a.right > b.right - 1) found.push(`${text.textContent} leaves its box`)
    }
    for (const [other, b] of words.slice(index + 1)) {
      const inset = 0.2 * (a.height + b.height) // letters are lower than their lines
      const apart = a.right <= b.left || b.right <= a.left || a.bottom - inset <= b.top || b.bottom - inset <= a.top
      if (!apart) found.push(`${text.textContent} on ${other.textContent}`)
    }
  })
  return found
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that draws the networks named in it (apps/drawing_app.py)."""
    with serving(APPS / "drawing_app.py", tmp_path_factory.mktemp("drawing")) as address:
        yield address


def visit(page: Any, app: str, networks: str) -> None:
    """Open the page and wait for its drawing."""
    page.goto(f"{app}/?networks={networks}")
    page.wait_for_selector(".rx-block")


def mounts(page: Any) -> int:
    """How often the component began anew."""
    return int(page.evaluate("window.__residualMounts.networks"))


def test_pointing_at_a_block_shows_its_card(app: str, page: Any) -> None:
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    visit(page, app, PAIR)
    page.locator(f'{BLOCK} [data-layer="stage2.0.conv2"]').hover()
    words = page.locator(CARD).inner_text()

    assert words.startswith("stage2.0\ny = σ(F(x) + pad(x))\n16×32×32 → 32×16×16")
    assert "13,952 parameters · 3,538,944 multiply-adds" in words
    assert page.locator(f"{CARD} tr.is-pointed").inner_text().split("\t") == [
        "3×3 conv, 32",
        "32×16×16",
        "9,216",
        "2,359,296",
    ]
    page.mouse.move(5, 5)
    page.wait_for_selector(CARD, state="hidden")
    assert errors == []


def test_card_stays_within_the_window(app: str, page: Any) -> None:
    visit(page, app, PAIR)
    for block in ("conv", "stage3.1", "head"):
        page.locator(f'[data-network="resnet-20"] [data-block="{block}"] [data-layer]').first.hover()
        box = page.locator(CARD).bounding_box()

        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 720


def test_badge_unfolds_its_stage_in_place_and_folds_it_again(app: str, page: Any) -> None:
    visit(page, app, PAIR)
    badge = page.locator('[data-network="resnet-20"] .rx-badge[data-fold="stage2"]')
    badge.scroll_into_view_if_needed()
    before = badge.bounding_box()["y"]
    badge.click()
    page.get_by_text("unfolded: stage2").wait_for()
    page.wait_for_selector('[data-network="plain-20"] [data-block="stage2.2"]')

    assert badge.text_content() == "fold"
    assert abs(badge.bounding_box()["y"] - before) < 12  # what the reader looks at stays where it is
    badge.focus()
    page.keyboard.press("Enter")
    page.get_by_text("unfolded: none").wait_for()
    page.wait_for_selector('[data-block="stage2.2"]', state="detached")
    assert badge.text_content() == "× 2"
    assert mounts(page) == 1


def test_drawing_is_mounted_once_and_follows_its_network(app: str, page: Any) -> None:
    visit(page, app, PAIR)
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_text("3×3 conv, 48, /2").first.wait_for()

    assert mounts(page) == 1
    assert page.evaluate("window.__residualUpdates.networks") == 2


def test_keys_lead_from_block_to_block(app: str, page: Any) -> None:
    visit(page, app, PAIR)
    page.get_by_role("button", name="Download the drawing as PNG").focus()
    page.keyboard.press("Tab")
    path = [_focused(page)]
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "End", "ArrowUp", "Home"):
        page.keyboard.press(key)
        path.append(_focused(page))

    assert path == [
        "plain-20 conv",
        "plain-20 stage1.0",
        "plain-20 × 3",
        "resnet-20 stage1.0",
        "resnet-20 head",
        "resnet-20 pool",
        "resnet-20 conv",
    ]
    assert page.locator(CARD).inner_text().startswith("conv\n")
    page.keyboard.press("Escape")
    page.wait_for_selector(CARD, state="hidden")
    page.keyboard.press("Tab")  # one stop for the whole drawing
    assert page.evaluate("document.activeElement.shadowRoot?.activeElement ?? null") is None


def test_drawing_says_what_it_shows(app: str, page: Any) -> None:
    visit(page, app, PAIR)

    page.get_by_role("img", name=re.compile(r"^plain-20: image 3×32×32; .* resnet-20: .*identity shortcuts")).wait_for()
    page.get_by_role("img", name="stage2.0: two 3×3 layers, zero-padded shortcut").wait_for()
    page.get_by_role("button", name="Show the 2 equal blocks of stage2 one by one").first.wait_for()


def test_svg_file_needs_nothing_but_itself(app: str, page: Any, new_page: Callable[..., Any], tmp_path: Path) -> None:
    visit(page, app, PAIR)
    page.locator('[data-network="resnet-20"] .rx-badge[data-fold="stage2"]').click()
    page.wait_for_selector('[data-block="stage2.2"]')
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the drawing as SVG").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    alone = new_page(color_scheme="dark")
    alone.goto(file.as_uri())

    assert file.name == "plain-20_resnet-20.svg"
    assert not re.search(r"var\(|url\(|href|tabindex", text)
    assert [word.text for word in root.iter("{http://www.w3.org/2000/svg}text") if word.text == "fold"] == []
    assert alone.evaluate("getComputedStyle(document.querySelector('.rx-page')).fill") == "rgb(255, 255, 255)"
    assert alone.evaluate(f"({_COLLISIONS})(document.documentElement)") == []


def test_png_file_has_twice_the_size(app: str, page: Any) -> None:
    visit(page, app, "resnet-20")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the drawing as PNG").click()
    data = Path(download.value.path()).read_bytes()
    natural = page.locator(f"{SCROLLER} > svg").evaluate("svg => svg.viewBox.baseVal.width")

    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20], "big") == int(2 * natural)


@pytest.mark.parametrize("networks", [PAIR, "resnet-20|resnet-56", "resnet-50@imagenet|resnet-101@imagenet"])
def test_two_columns_fit_on_a_phone(app: str, new_page: Callable[..., Any], networks: str) -> None:
    page = new_page(width=390, height=844, has_touch=True)
    visit(page, app, networks)
    scroller = page.locator(SCROLLER)

    assert scroller.evaluate("element => element.scrollWidth <= element.clientWidth")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    smallest = scroller.evaluate("""element => Math.min(...[...element.querySelectorAll('text')].map(text =>
        parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))""")
    assert smallest >= 10


def test_wide_drawing_scrolls_in_its_own_frame(app: str, new_page: Callable[..., Any]) -> None:
    page = new_page(width=390, height=844)
    visit(page, app, "vgg-19@imagenet|plain-34@imagenet|resnet-34@imagenet")
    page.locator(SCROLLER).evaluate("element => { element.scrollLeft = 60 }")
    page.locator('[data-network="plain-34@imagenet"] .rx-badge').first.click()
    page.wait_for_selector('[data-block="stage1.2"]')

    assert page.locator(SCROLLER).evaluate("element => element.scrollLeft") == 60
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_tap_shows_a_card_and_a_tap_elsewhere_hides_it(app: str, new_page: Callable[..., Any]) -> None:
    page = new_page(width=390, height=844, has_touch=True)
    visit(page, app, PAIR)
    page.locator(f'{BLOCK} [data-layer="stage2.0.conv1"]').tap()
    box = page.locator(CARD).bounding_box()

    assert "13,952 parameters" in page.locator(CARD).inner_text()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.get_by_text("What does a shortcut change").tap(force=True)
    page.wait_for_selector(CARD, state="hidden")


def test_drawing_follows_the_theme(app: str, page: Any) -> None:
    visit(page, app, PAIR)
    box = page.locator('[data-network="plain-20"] .rx-s1').first
    arc = page.locator(".rx-identity").first
    light = box.evaluate("element => getComputedStyle(element).fill")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)

    assert box.evaluate("element => getComputedStyle(element).fill") != light
    assert arc.evaluate("element => getComputedStyle(element).stroke") == "rgb(0, 114, 178)"  # the family's, in both
    assert mounts(page) == 1


@pytest.mark.parametrize(
    "networks",
    [
        "resnet-20|resnet-56:shortcut=B,width=32",
        "highway-32|preresnet-110",
        "resnet-50@imagenet|resnet-152@imagenet",
        "vgg-19@imagenet|plain-34@imagenet|resnet-34@imagenet",
        "googlenet@imagenet",
        "resnet-20:strength=0.5",
    ],
)
def test_no_text_is_cut_or_covered(app: str, page: Any, networks: str) -> None:
    visit(page, app, networks)

    assert page.locator(f"{SCROLLER} > svg").evaluate(_COLLISIONS) == []


def _focused(page: Any) -> str:
    return str(
        page.locator(SCROLLER).evaluate("""scroller => {
          const item = scroller.getRootNode().activeElement
          return `${item.closest('.rx-column').dataset.network} ${item.dataset.block ?? item.textContent}`
        }""")
    )


def test_a_block_pressed_in_the_drawing_is_taken_away_and_given_back(server: str, page: Any) -> None:
    """On recorded networks that know the generated shapes, by mouse and by keyboard."""
    plain, residual = "abdb7f7bf9adebf6", "0b50700f90fab69c"  # plain-32 and resnet-32, brief, seed 0
    page.goto(f"{server}/lesions?lesions-what=choose&lesions-first={plain}&lesions-second={residual}")
    block = page.locator('[data-block="stage1.2"]').first
    block.wait_for(timeout=60_000)
    found = page.locator(".rx-finding")
    found.get_by_text("with all.").first.wait_for(timeout=60_000)
    block.click()
    found.get_by_text("without 1 of 15 blocks").first.wait_for(timeout=30_000)
    assert found.get_by_text("without 1 of 15 blocks").count() == 2
    assert block.get_attribute("aria-pressed") == "true"
    block.press("Enter")
    found.get_by_text("without 1 of 15 blocks").first.wait_for(state="detached", timeout=30_000)
    assert block.get_attribute("aria-pressed") == "false"
