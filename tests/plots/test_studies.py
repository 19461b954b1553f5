"""Figures of studies: what they draw, and what they say in words."""

import pytest

from explorer.config import network
from explorer.plots import branches, lesions, paths, surface, theme
from explorer.records import BlockBranch, PathLength, PathPoint, PlaneRecord

AXIS = (-1.0, -0.5, 0.0, 0.5, 1.0)
PLANE = PlaneRecord(0, 0, 25, AXIS, AXIS, (PathPoint(0, 0.9, -0.4), PathPoint(100, 0.0, 0.0)), 0.8)


def _surface(family: str, losses: dict[tuple[int, int], float | None]) -> surface.Surface:
    return surface.Surface(family, f"{family}-8", PLANE, losses)


COARSE = {(row, column): 10.0 for row in (0, 4) for column in (0, 4)}
WHOLE = {(row, column): 10.0 ** abs(row - 2) for row in range(5) for column in range(5)}


def test_a_surface_is_drawn_as_fine_as_it_is_known() -> None:
    assert _surface("plain", {(0, 0): 1.0}).grid() == ([], [], [])
    assert _surface("plain", COARSE).grid() == ([-1, 1], [-1, 1], [[10, 10], [10, 10]])
    partly = COARSE | {(0, 2): 1.0}
    assert _surface("plain", partly).grid()[0] == [-1, 1]
    whole = _surface("plain", WHOLE)
    assert whole.grid()[0] == list(AXIS)
    assert whole.middle == 1
    assert _surface("plain", COARSE).middle is None


def test_valleys_are_places_lower_than_all_around_them() -> None:
    losses = {(row, column): float(10 + row + column) for row in range(5) for column in range(5)}
    assert _surface("plain", losses).valleys() == 0, "it falls to the corner, which has no surroundings"
    assert _surface("plain", losses | {(1, 1): 1.0, (3, 3): 2.0}).valleys() == 2
    assert _surface("plain", losses | {(1, 1): 1.0, (1, 2): 0.5}).valleys() == 1
    assert _surface("plain", COARSE).valleys() is None


def test_a_dip_of_less_than_a_tenth_is_no_valley() -> None:
    """Two lowest points with a rise between them of 5 %, then of 20 %, of the higher one."""
    losses = {(row, column): float(10 + row + column) for row in range(5) for column in range(5)}
    for between, count in ((2.1, 1), (2.4, 2)):
        ditch = {(1, 1): 1.0, (2, 2): between, (3, 3): 2.0}
        assert _surface("plain", losses | ditch).valleys() == count
    assert _surface("plain", losses | {(2, 2): 1.0, (2, 3): None, (1, 1): None}).valleys() == 1


def test_both_surfaces_have_one_scale_and_each_its_path() -> None:
    shown = [_surface("plain", WHOLE), _surface("resnet", dict.fromkeys(WHOLE, 1000.0) | {(2, 2): None})]
    figure = surface.contours(shown, "x")
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 3)
    assert list(figure.layout.coloraxis.colorbar.ticktext) == ["1", "10", "100", "1000"]
    first, path, second, _ = figure.data
    assert first.coloraxis == second.coloraxis == "coloraxis"
    assert first.z[0][0] == 2
    assert second.z[2][2] is None
    assert (list(path.x), list(path.y)) == ([0.9, 0.0], [-0.4, 0.0])
    mountains = surface.landscapes(shown)
    assert mountains.layout.scene.zaxis.range == mountains.layout.scene2.zaxis.range == (0, 3)
    narrow = surface.narrow_landscapes(mountains, 700)["layout"]
    assert narrow["scene"]["domain"]["y"][0] > narrow["scene2"]["domain"]["y"][1]
    assert "plain-8: loss 1 in the middle, 100 at most" in surface.alternative_text(shown)


def test_slices_go_through_the_middle() -> None:
    along_x, along_y = surface.slices([_surface("plain", WHOLE)]).data
    assert list(along_x.y) == [1] * 5
    assert list(along_y.y) == [100, 10, 1, 10, 100]
    assert along_x.line.color == along_y.line.color == theme.shade("plain", 0, 1)


def test_shares_of_the_gradient_stand_on_those_of_the_paths() -> None:
    lengths = [PathLength(0, 0.25, 4.0, 0.5), PathLength(1, 0.5, 2.0, 0.4), PathLength(2, 0.25, 1.0, 0.1)]
    shown = [paths.Paths("resnet", "resnet-14", 2, lengths)]
    bars, line = paths.path_shares(shown).data
    assert list(bars.y) == [0.5, 0.4, 0.1]
    assert list(line.y) == [0.25, 0.5, 0.25]
    assert line.line.color == theme.PAPER
    assert (paths.middle(lengths, "share"), paths.middle(lengths, "paths")) == (0, 1)
    assert "half of the gradient comes along paths of at most 0 blocks" in paths.alternative_text(shown)


def test_a_blocks_summands_are_drawn_as_their_ratio() -> None:
    blocks = [BlockBranch("stage1.0", 1.0, 2.0), BlockBranch("stage2.0", 3.0, 2.0)]
    one = branches.Branches(network("resnet-8"), "resnet-8", blocks)
    trained, untrained = branches.branch_ratios([one], [one]).data
    assert list(trained.y) == [0.5, 1.5]
    assert list(trained.marker.symbol) == ["circle", "diamond"]
    assert untrained.name == "resnet-8 untrained"
    assert untrained.line.width < trained.line.width
    assert "from 0.50 to 1.50" in branches.alternative_text([one])


def test_changes_are_evenly_apart_and_begin_with_none() -> None:
    shown = [lesions.Changed("resnet", "resnet-56", 0.1, {1: [0.2, 0.4, 0.3], 16: [0.9]})]
    medians, draws, chance = lesions.changes(shown, 0.9, "blocks").data
    assert list(medians.y) == pytest.approx([0.1, 0.3, 0.9])
    assert list(medians.x) == [0, 1, 2]
    assert sorted(draws.y) == [0.2, 0.3, 0.4, 0.9]
    assert set(chance.y) == {0.9}
    assert "30.0% with 1, 90.0% with 16" in lesions.changes_text(shown, "blocks")
