"""Bars of lesions: one a block, stage entries hatched, the whole network and chance as lines."""

import pytest

from explorer.plots.lesions import Lesioned, alternative_text, lesion_bars

SHOWN = [
    Lesioned("plain", "plain-8", ["stage1.0", "stage2.0"], [0.9, 0.8], 0.2, [False, True]),
    Lesioned("resnet", "resnet-8", ["stage1.0", "stage2.0"], [0.3, 0.4], 0.1, [False, True]),
]


@pytest.mark.parametrize("column", [0, 1])
def test_each_network_has_its_bars_its_own_error_and_chance(column: int) -> None:
    figure, one = lesion_bars(SHOWN, 0.9), SHOWN[column]
    bars, whole, chance = figure.data[3 * column : 3 * column + 3]
    assert (list(bars.x), list(bars.y)) == (one.blocks, one.errors)
    assert list(bars.marker.pattern.shape) == ["", "/"]
    assert (set(whole.y), set(chance.y)) == ({one.whole}, {0.9})
    assert {trace.xaxis for trace in (bars, whole, chance)} == {"x" if column == 0 else "x2"}
    assert whole.line.color == bars.marker.color != chance.line.color


def test_what_it_shows_is_told_in_words() -> None:
    assert "resnet-8: 10.0% whole, between 30.0% and 40.0% without a block" in alternative_text(SHOWN)
