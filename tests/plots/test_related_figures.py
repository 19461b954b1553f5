"""The figures of related work: what they draw, and what they say in words."""

import pytest

from explorer.measurement.multigrid import multigrid
from explorer.outline import part
from explorer.plots import encodings, gates, theme
from explorer.plots import multigrid as multigrid_plots
from explorer.plots.architecture import drawing
from explorer.plots.cards import alternative
from explorer.plots.gates import Moment
from explorer.records import EncodingScore, EncodingsRecord, GateOpenness
from tests.plots import outlines

FOUND = multigrid(16, cycles=3)


def test_norms_of_both_ways_stand_on_one_logarithmic_axis() -> None:
    figure = multigrid_plots.norms(FOUND, 2)
    drawn = {trace.name: trace for trace in figure.data}
    assert tuple(drawn["V-cycles, residual"].y) == FOUND.cycles.residuals
    assert tuple(drawn["V-cycles, residual"].x) == FOUND.cycles.work
    assert tuple(drawn["relaxation, error e"].y) == FOUND.relaxation.errors
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.shapes[0].x0 == FOUND.cycles.work[2]
    assert f"residual {FOUND.cycles.residuals[-1]:.2g}" in multigrid_plots.norms_text(FOUND)


def test_errors_are_drawn_with_the_ends_that_are_zero() -> None:
    start, alone, cycles = multigrid_plots.errors(FOUND, 1).data
    assert tuple(start.y) == (0, *FOUND.cycles.approximations[0], 0)
    assert tuple(alone.y) == (0, *FOUND.relaxation.approximations[1], 0)
    assert tuple(cycles.y) == (0, *FOUND.cycles.approximations[1], 0)
    assert list(start.x) == [index / 16 for index in range(17)]
    most = max(map(abs, FOUND.relaxation.approximations[1]))
    assert f"at most {most:.2g}." in multigrid_plots.errors_text(FOUND, 1)


def _records() -> list[EncodingsRecord]:
    values = {("bag", 4): 0.10, ("bag", 8): 0.11, ("vlad", 4): 0.12, ("vlad", 8): 0.13, ("fisher", 4): 0.14,
              ("fisher", 8): 0.15}  # fmt: skip
    longer = {"bag": 1, "vlad": 24, "fisher": 48}
    return [
        EncodingsRecord(0, 1, 4, draw, words, tuple(
            EncodingScore(method, words * longer[method], values[method, words] + 0.01 * draw,
                          2 * (values[method, words] + 0.01 * draw))
            for method in longer
        ))
        for draw in (0, 1)
        for words in (4, 8)
    ]  # fmt: skip


@pytest.mark.parametrize(("by_length", "x"), [(False, (4, 8)), (True, (96, 192))])
def test_precisions_have_their_interval_over_draws_and_chance_in_grey(by_length: bool, x: tuple[int, int]) -> None:
    figure = encodings.precisions(_records(), 8, by_length, 0.1)
    nearest, whole = (trace for trace in figure.data if trace.name == "VLAD")
    assert (nearest.xaxis, whole.xaxis) == ("x", "x2")
    assert tuple(whole.x) == x
    assert list(whole.y) == pytest.approx([0.125, 0.135])
    assert list(nearest.y) == pytest.approx([0.25, 0.27])
    assert list(whole.error_y.array) == pytest.approx([12.706 * 0.005] * 2)
    assert whole.marker.size[1] > whole.marker.size[0]
    assert {(shape.y0, shape.line.color) for shape in figure.layout.shapes} == {(0.1, theme.PAPER)}
    said = encodings.alternative_text(_records())
    assert "whole list: bag of words 10.5% with 4, 11.5% with 8; VLAD 12.5% with 4, 13.5% with 8" in said


MOMENTS = [
    Moment(0, [GateOpenness("stage1.0", 0.12, 0.1), GateOpenness("stage1.1", 0.12, 0.1)]),
    Moment(10, [GateOpenness("stage1.0", 0.2, 0.1, 0.05, 0.0), GateOpenness("stage1.1", 0.6, 0.3, 0.2, 0.1)]),
]


def test_gates_are_drawn_with_what_the_data_decide_and_over_the_training() -> None:
    band, start, now = gates.openness(MOMENTS[1], MOMENTS[0]).data
    assert list(now.y) == [0.2, 0.6]
    assert list(start.y) == [0.12, 0.12]
    assert list(band.y) == pytest.approx([0.25, 0.8, 0.4, 0.15])
    (heat,) = gates.course(MOMENTS, MOMENTS[1]).data
    assert [list(row) for row in heat.z] == [[0.12, 0.2], [0.12, 0.6]]
    assert (list(heat.x), heat.zmin, heat.zmax) == ([0, 10], 0, 0.6)
    assert "stage1.0 0.20, stage1.1 0.60" in gates.openness_text(MOMENTS[1], MOMENTS[0])
    assert "0.12 after 0 steps, 0.40 after 10 steps" in gates.course_text(MOMENTS)


def test_a_part_of_a_network_is_drawn_between_what_goes_in_and_what_comes_out() -> None:
    whole = outlines.two_stages("resnet-14")
    alone = part(whole, "stage2.2")
    (block,) = alone.stages[0].blocks
    assert (block.names, alone.parameters) == (("stage2.1",), block.parameters)
    assert alone.macs == block.macs == 2 * 9 * 32 * 32 * 16 * 16
    picture = drawing([alone], frozenset())
    assert "stage2.2" in picture
    assert picture.count(">32 channels<") == 2
    assert ">image<" not in picture
    assert alternative([alone]).startswith("stage2.2 of resnet-14, from 32×16×16 to 32×16×16: two 3×3 layers")
    with pytest.raises(KeyError):
        part(whole, "stage9.0")
