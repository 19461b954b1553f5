"""The drawing as a file: valid, aligned, complete, small; its words and numbers."""

import sys
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from explorer.language import LANGUAGES, using
from explorer.outline import Outline, Path, Stage
from explorer.plots import theme
from explorer.plots.architecture import drawing
from explorer.plots.cards import alternative, cards
from tests.plots import outlines
from tests.plots.outlines import PLAIN, RESIDUAL

SVG = "{http://www.w3.org/2000/svg}"
SHAPE = (16, 32, 32)
ALL = frozenset({"stage1", "stage2"})
NONE: frozenset[str] = frozenset()
KINDS = {
    "plain": PLAIN,
    "residual": RESIDUAL,
    "projection": outlines.two_stages("resnet-14", changing="projection"),
    "many": outlines.two_stages("resnet-86", 20),
    "highway": outlines.outline("highway-8", Stage("stage1", "", (outlines.highway(("stage1.0",), SHAPE),))),
    "before": outlines.outline("preresnet-8", Stage("stage1", "", (outlines.preactivation(("stage1.0",), SHAPE),))),
    "branches": outlines.outline("googlenet@imagenet", Stage("stage1", "", (outlines.inception("stage1.0", SHAPE),))),
}
VGG = Outline(
    "vgg-19@imagenet",
    (3, 32, 32),
    (
        Stage("stage1", "", (outlines.single(outlines.conv("a", (64, 32, 32), inputs=3), (3, 32, 32)),)),
        Stage("stage2", "", (outlines.single(outlines.conv("b", (64, 16, 16), stride=2), (64, 32, 32)),)),
    ),
)


def drawn(*networks: Outline, unfolded: frozenset[str] = NONE) -> Element:
    """The parsed drawing."""
    return ElementTree.fromstring(drawing(networks, unfolded))


def blocks(svg: Element) -> dict[str, Element]:
    """The groups of blocks by name, of the last column that has it."""
    return {group.get("data-block", ""): group for group in svg.iter(f"{SVG}g") if group.get("data-block")}


def heights(column: Element) -> dict[str, float]:
    """Where the boxes of layers stand."""
    boxes = {group.get("data-layer"): group.find(f"{SVG}rect") for group in column.iter(f"{SVG}g")}
    return {name: float(box.get("y", "")) for name, box in boxes.items() if name and box is not None}


def classes(svg: Element, name: str) -> list[Element]:
    """All elements of a class."""
    return [element for element in svg.iter() if name in element.get("class", "").split()]


def texts(element: Element) -> list[str]:
    """All text that is drawn."""
    return [text.text or "" for text in element.iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unfolded", [NONE, ALL])
@pytest.mark.parametrize("network", KINDS.values(), ids=KINDS)
def test_drawing_is_valid_and_within_its_frame(network: Outline, unfolded: frozenset[str], language: str) -> None:
    with using(language):
        svg = drawn(network, unfolded=unfolded)
    _, _, width, height = (float(number) for number in svg.get("viewBox", "").split())

    for box in svg.iter(f"{SVG}rect"):
        x, y, across, down = (float(box.get(name, "0")) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + across <= width
        assert 0 <= y <= y + down <= height


def test_file_needs_nothing_but_itself() -> None:
    text = drawing([PLAIN, RESIDUAL], NONE)

    assert "var(" not in text
    assert "url(" not in text
    assert "href" not in text
    assert text.count("http") == 1  # its own name space


def test_plain_and_residual_layers_are_level() -> None:
    for unfolded in (NONE, ALL):
        plain, residual = classes(drawn(PLAIN, RESIDUAL, unfolded=unfolded), "rx-column")

        assert len(heights(plain)) == (15 if unfolded else 9)
        assert heights(plain) == heights(residual)


def test_layers_go_down_in_the_order_of_the_signal() -> None:
    (column,) = classes(drawn(RESIDUAL, unfolded=ALL), "rx-column")
    order = [layer.name for layer in RESIDUAL.layers() if layer.kind in ("convolution", "pooling", "linear")]

    assert sorted(order, key=heights(column).__getitem__) == order


def test_equal_output_sizes_are_level_across_other_stages() -> None:
    vgg, residual = classes(drawn(VGG, RESIDUAL), "rx-column")

    assert heights(vgg)["b"] >= heights(residual)["stage1.0.conv2"] + 22
    assert abs(heights(vgg)["b"] - heights(residual)["stage2.0.conv1"]) < 22


def test_output_sizes_stand_in_the_margin() -> None:
    words = texts(drawn(PLAIN, RESIDUAL))

    assert [word for word in words if "×" in word and "conv" not in word and not word.startswith("×")] == [
        "32×32",
        "32×32",
        "32×32",
        "16×16",
        "1×1",
    ]
    assert [word for word in words if word.startswith("stage ")] == ["stage 1", "stage 2"]


def test_networks_for_other_images_stand_side_by_side() -> None:
    large = outlines.outline(
        "resnet-8", Stage("stage1", "", (outlines.highway(("stage1.0",), (16, 64, 64)),)), image=(3, 64, 64)
    )
    words = texts(drawn(RESIDUAL, large))

    assert [word for word in words if word in ("32×32", "64×64")][:2] == ["32×32", "64×64"]


def test_shortcuts_are_solid_or_dotted() -> None:
    svg = drawn(RESIDUAL, unfolded=ALL)

    assert len(classes(svg, "rx-identity")) == 5
    assert classes(svg, "rx-dotted") == classes(svg, "rx-padded")
    assert len(classes(svg, "rx-padded")) == 1
    assert classes(drawn(PLAIN), "rx-arc") == []


def test_projection_has_its_layer_on_the_arc() -> None:
    (box,) = classes(drawn(KINDS["projection"]), "rx-on-arc")
    svg = drawn(KINDS["projection"])
    group = next(group for group in svg.iter(f"{SVG}g") if group.get("data-layer") == "stage2.0.shortcut.conv")

    assert texts(group) == ["1×1"]
    assert box.get("height") == "18"


def test_padding_is_said_beside_the_arc() -> None:
    assert " ".join(texts(blocks(drawn(RESIDUAL))["stage2.0"])).endswith(
        "zeros for 16 channels 3×3 conv, 32, /2 3×3 conv, 32"
    )


def test_factor_is_said_beside_the_arc() -> None:
    half = Path("identity", (), "× 0.5")
    block = outlines.basic(("stage1.0",), SHAPE, SHAPE, half)

    assert "× 0.5" in texts(drawn(outlines.outline("resnet-8", Stage("stage1", "", (block,)))))


def test_families_keep_their_colours() -> None:
    plain, residual = classes(drawn(PLAIN, RESIDUAL), "rx-column")

    assert (plain.get("color"), residual.get("color")) == (theme.PLAIN, theme.RESIDUAL)
    assert [title.text for title in classes(residual, "rx-title")] == ["resnet-14"]


def test_fold_has_a_button_that_unfolds_its_stage_and_back() -> None:
    folded = {badge.get("data-fold"): texts(badge) for badge in classes(drawn(RESIDUAL), "rx-badge")}
    unfolded = classes(drawn(RESIDUAL, unfolded=ALL), "rx-control")

    assert folded == {"stage1": ["× 3"], "stage2": ["× 2"]}
    assert [texts(control) for control in unfolded] == [["fold"], ["fold"]]


def test_every_block_is_one_group_with_its_card() -> None:
    known = cards([PLAIN, RESIDUAL])
    svg = drawn(PLAIN, RESIDUAL, unfolded=ALL)
    columns = [list(blocks(column)) for column in classes(svg, "rx-column")]

    assert columns[0] == columns[1] == ["conv", *(f"stage{s}.{b}" for s in (1, 2) for b in range(3)), "pool", "head"]
    assert {group.get("data-card") for group in svg.iter(f"{SVG}g")} - {None} == set(known)


def test_card_counts_as_the_outline_does() -> None:
    card = cards([PLAIN, RESIDUAL])["1/stage2.0"]

    assert card["formula"] == "y = σ(F(x) + x)"
    assert card["shape"] == "16×32×32 → 32×16×16"
    assert (card["parameters"], card["macs"]) == ("13,952", "3,538,944")
    assert card["layers"][0] == {
        "layer": ".conv1", "text": "3×3 conv, 32, /2", "shape": "32×16×16", "parameters": "4,608", "macs": "1,179,648",
    }  # fmt: skip
    assert {"path": "shortcut, padded: zeros for 16 channels"} in card["layers"]
    assert card["layers"][-1]["text"] == "ReLU"


def test_equal_blocks_share_a_card() -> None:
    svg = drawn(RESIDUAL, unfolded=ALL)

    assert {blocks(svg)[f"stage1.{index}"].get("data-card") for index in range(3)} == {"0/stage1.0"}


def test_all_text_is_escaped() -> None:
    evil = '<b a="1">&'
    layer = replace(outlines.conv("x<y", SHAPE), text=evil)
    svg = drawn(outlines.outline("resnet-8", Stage("stage1", evil, (outlines.single(layer, SHAPE),))))

    assert texts(svg).count(evil) == 2  # the label and the box
    assert blocks(svg)["x<y"].get("aria-label") == f"x<y: {evil}"
    assert svg.get("aria-label", "").count(evil) == 1


def test_drawing_is_told_in_words() -> None:
    words = (
        "resnet-14: image 3×32×32; stem 3×3 conv, 16; stage 1: 3 blocks of two 3×3 layers, identity shortcuts; "
        "stage 2: 3 blocks of two 3×3 layers, one zero-padded and two identity shortcuts; head avg pool, then fc 10; "
        f"{RESIDUAL.parameters:,} parameters."
    )

    assert alternative([RESIDUAL]) == words
    assert drawn(RESIDUAL).get("aria-label") == words
    assert "stage 1: 3 blocks of two 3×3 layers;" in alternative([PLAIN])
    assert "identity shortcut, gated" in alternative([KINDS["highway"]])
    assert "1 block of 3 branches side by side" in alternative([KINDS["branches"]])


def test_deepest_network_unfolded_is_still_small_and_costs_no_more_a_block() -> None:
    deepest = outlines.two_stages("resnet-1202", 300)
    svg = drawing([deepest], ALL)

    assert svg.count("data-block=") == 600 + 3
    assert len(svg) < 1_000_000
    assert calls(deepest, ALL) < 2.1 * calls(outlines.two_stages("resnet-602", 150), ALL)


def test_folded_drawing_costs_the_same_however_deep() -> None:
    assert calls(outlines.two_stages("resnet-1202", 300), NONE) < 1.1 * calls(RESIDUAL, NONE)


def calls(network: Outline, unfolded: frozenset[str]) -> int:
    """How many functions are called to draw it: what it costs, on every machine the same."""
    drawing([network], unfolded)  # what is kept from one drawing to the next is there
    found = Counter[str]()
    sys.setprofile(lambda _frame, event, _arg: found.update([event]))
    try:
        drawing([network], unfolded)
    finally:
        sys.setprofile(None)
    return found["call"] + found["c_call"]
