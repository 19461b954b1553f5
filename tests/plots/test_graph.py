"""What is drawn of a network: nodes and arcs with known numbers, whatever is folded."""

import pytest

from explorer.outline import Outline, Stage
from explorer.plots.graph import Arc, Graph, graph
from tests.plots import outlines
from tests.plots.outlines import PLAIN, RESIDUAL

ALL = frozenset({"stage1", "stage2"})
NONE: frozenset[str] = frozenset()
SHAPE = (16, 32, 32)


def kinds(drawn: Graph) -> list[str]:
    """The kinds of all nodes but the layers."""
    return [node.kind for node in drawn.nodes if node.kind not in ("layer", "pooling")]


def one_stage(*blocks: outlines.Block) -> Outline:
    """A network of one stage."""
    return outlines.outline("resnet-8", Stage("stage1", "", blocks))


def arc(drawn: Graph, source: str, target: str) -> Arc:
    """The arrow between two nodes."""
    return next(found for found in drawn.arcs if (found.source, found.target) == (source, target))


def test_plain_network_is_a_chain() -> None:
    drawn = graph(PLAIN, ALL)

    assert [node.id for node in drawn.nodes[:5]] == [
        "image",
        "conv",
        "stage1.0.conv1",
        "stage1.0.conv2",
        "stage1.1.conv1",
    ]
    assert kinds(drawn) == ["image", "output"]
    assert len(drawn.nodes) == 2 + 1 + 12 + 2
    assert [(found.source, found.target) for found in drawn.arcs] == [
        (one.id, other.id) for one, other in zip(drawn.nodes, drawn.nodes[1:], strict=False)
    ]


def test_residual_network_parts_and_joins_in_every_block() -> None:
    drawn = graph(RESIDUAL, ALL)
    shortcuts = [found for found in drawn.arcs if found.kind != "flow"]

    assert kinds(drawn) == ["image", *["split", "add"] * 6, "output"]
    assert len(drawn.nodes) == 2 + 1 + 6 * 4 + 2
    assert len(drawn.arcs) == 4 + 6 * 4 + 6
    assert [(found.source, found.target) for found in shortcuts[:2]] == [
        ("stage1.0.split", "stage1.0.join"),
        ("stage1.1.split", "stage1.1.join"),
    ]


@pytest.mark.parametrize("changing", ["padded", "projection"])
def test_shortcut_is_dotted_where_the_shape_changes(changing: str) -> None:
    drawn = graph(outlines.two_stages("resnet-14", changing=changing), ALL)
    dotted = {found.source: found.kind for found in drawn.arcs if found.dotted}

    assert dotted == {"stage2.0.split": changing}


def test_padded_shortcut_says_so_and_a_projection_has_its_layers() -> None:
    padded = arc(graph(RESIDUAL, NONE), "stage2.0.split", "stage2.0.join")
    projected = arc(
        graph(outlines.two_stages("resnet-14", changing="projection"), NONE), "stage2.0.split", "stage2.0.join"
    )

    assert padded.text == "zeros for 16 channels"
    assert [layer.text for layer in projected.layers] == ["1×1 conv, 32, /2", "BN"]


def test_equal_blocks_are_folded_even_if_the_outline_holds_the_first_apart() -> None:
    drawn = graph(RESIDUAL, NONE)

    assert [(node.id, node.text) for node in drawn.nodes if node.kind == "fold"] == [
        ("stage1.0", "× 3"),
        ("stage2.1", "× 2"),
    ]
    assert [part.names for part in drawn.parts if part.stage == "stage1"] == [("stage1.0", "stage1.1", "stage1.2")]


def test_each_stage_unfolds_by_itself() -> None:
    drawn = graph(RESIDUAL, frozenset({"stage2"}))

    assert [part.id for part in drawn.parts if part.folded] == ["stage1.0"]
    assert [part.id for part in drawn.parts if part.stage == "stage2"] == ["stage2.0", "stage2.1", "stage2.2"]


@pytest.mark.parametrize("outline", [PLAIN, RESIDUAL, outlines.two_stages("resnet-86", 20)])
def test_folded_and_unfolded_stand_for_the_same_blocks(outline: Outline) -> None:
    named = [[name for part in graph(outline, unfolded).parts for name in part.names] for unfolded in (NONE, ALL)]

    assert named[0] == named[1] == [name for s in outline.stages for block in s.blocks for name in block.names]


def test_a_fold_is_drawn_as_its_first_block_is() -> None:
    folded, unfolded = (
        [node for node in graph(RESIDUAL, which).of_block["stage2.1"] if node.kind != "fold"] for which in (NONE, ALL)
    )

    assert folded == unfolded


@pytest.mark.parametrize("unfolded", [NONE, ALL])
@pytest.mark.parametrize("outline", [PLAIN, RESIDUAL, outlines.two_stages("resnet-86", 20)])
def test_ids_are_unique_and_layers_have_their_names(outline: Outline, unfolded: frozenset[str]) -> None:
    ids = [node.id for node in graph(outline, unfolded).nodes]
    layers = {layer.name for layer in outline.layers()}

    assert len(set(ids)) == len(ids)
    assert {node.id for node in graph(outline, unfolded).nodes if node.kind in ("layer", "pooling")} <= layers


def test_unfolded_layers_have_the_names_of_their_own_block() -> None:
    drawn = graph(outlines.two_stages("resnet-14", changing="projection"), ALL)

    assert [node.id for node in drawn.of_block["stage2.2"] if node.kind == "layer"] == [
        "stage2.2.conv1",
        "stage2.2.conv2",
    ]


def test_many_blocks_are_a_row_each() -> None:
    drawn = graph(outlines.two_stages("resnet-80", 13), ALL)
    rows = [node for node in drawn.nodes if node.kind == "row"]

    assert len([part for part in drawn.parts if part.compact]) == len(rows) == 13  # those of stage 1: 12 in stage 2
    assert (rows[4].id, rows[4].text) == ("stage1.4", "2 × 3×3, 16")
    assert [node.kind for node in drawn.of_block["stage1.4"]] == ["split", "row", "add"]
    assert [node.kind for node in drawn.of_block["stage2.1"]] == ["split", "layer", "layer", "add"]


def test_activations_stand_on_the_arrows_in_their_order() -> None:
    after = graph(RESIDUAL, NONE)
    before = graph(one_stage(outlines.preactivation(("stage1.0",), SHAPE)), NONE)

    assert arc(after, "image", "conv").text == ""
    assert arc(after, "conv", "stage1.0.split").text == "BN, ReLU"
    assert arc(after, "stage1.0.conv1", "stage1.0.conv2").text == "BN, ReLU"
    assert arc(after, "stage1.0.conv2", "stage1.0.join").text == "BN"
    assert arc(after, "stage1.0.join", "stage2.0.split").text == "ReLU"
    assert arc(before, "stage1.0.split", "stage1.0.conv1").text == "BN, ReLU"
    assert arc(before, "stage1.0.conv2", "stage1.0.join").text == ""
    assert arc(before, "stage1.0.join", "pool").text == ""


def test_gate_weighs_both_ways() -> None:
    drawn = graph(one_stage(outlines.highway(("stage1.0",), SHAPE)), NONE)
    gate, carried = drawn.shortcuts["stage1.0.join"]

    assert arc(drawn, "stage1.0.conv2", "stage1.0.join").factor == "T"
    assert (gate.kind, gate.text, gate.factor) == ("gate", "T = σ(W x + b)", "")
    assert (carried.kind, carried.factor) == ("identity", "1 − T")
    assert "gate" in kinds(drawn)


def test_branches_stand_side_by_side_and_meet() -> None:
    drawn = graph(one_stage(outlines.inception("stage1.0", SHAPE)), NONE)

    assert [node.lane for node in drawn.of_block["stage1.0"]] == [0, 0, 1, 1, 2, 0]
    assert [found.source for found in drawn.arriving["stage1.0.join"]] == [
        "stage1.0.branch1.conv",
        "stage1.0.branch2.1.conv",
        "stage1.0.branch3.0",
    ]
    assert arc(drawn, "stage1.0.branch1.conv", "stage1.0.join").text == "BN"
    assert arc(drawn, "stage1.0.split", "stage1.0.branch2.0.conv").text == ""


def test_single_layers_are_never_folded() -> None:
    layers = [outlines.conv(f"features.{index}", SHAPE) for index in range(4)]
    drawn = graph(one_stage(*(outlines.single(layer, SHAPE) for layer in layers)), NONE)

    assert "fold" not in kinds(drawn)
    assert [node.id for node in drawn.nodes if node.stage == "stage1"] == [layer.name for layer in layers]
