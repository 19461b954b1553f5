"""One scale for all networks of a row, its sign kept; near zero is said, not stretched."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.config import network
from explorer.plots import attributions as plot
from explorer.records import Attribution

CLASSES = ("cat", "dog", "frog")
ROWS = [plot.Row("saliency", "Saliency", "Slope."), plot.Row("grad_cam", "Grad-CAM")]
IMAGE = np.arange(3 * 8 * 8, dtype=np.uint8).reshape(3, 8, 8)


def _map(method: str, peak: float, target: int = 1, **more: Any) -> Attribution:
    """Zero but for the peak, in row 2 and column 5."""
    values = np.zeros((8, 8), dtype=np.float32)
    values[2, 5] = peak
    return Attribution(method, values, True, target, more.pop("completeness_error", None), 0.25, **more)


def _column(name: str, *maps: Attribution, **more: Any) -> plot.Column:
    return plot.Column(network(name), name, "dog", 0.625, maps, **more)


def _heatmaps(figure: go.Figure) -> dict[str, go.Heatmap]:
    return {
        trace.hovertemplate.partition("<extra>")[2]: trace for trace in figure.data if isinstance(trace, go.Heatmap)
    }


def _texts(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def _two(**more: Any) -> go.Figure:
    columns = [
        _column("plain-8", _map("saliency", 2.0), _map("grad_cam", 0.01)),
        _column("resnet-8", _map("saliency", -4.0), _map("grad_cam", 0.5)),
    ]
    return plot.side_by_side(IMAGE, columns, ROWS, CLASSES, **more)


def test_both_networks_share_one_scale_a_row_and_the_sign_is_kept() -> None:
    maps = _heatmaps(_two())
    assert maps["plain-8<br>Saliency</extra>"].z[2, 5] == pytest.approx(0.5)
    assert maps["resnet-8<br>Saliency</extra>"].z[2, 5] == -1
    assert maps["plain-8<br>Grad-CAM</extra>"].z[2, 5] == pytest.approx(0.02)
    assert maps["resnet-8<br>Grad-CAM</extra>"].z[2, 5] == 1


def test_all_cells_share_one_colour_bar_with_zero_in_the_middle() -> None:
    figure = _two()
    assert {trace.coloraxis for trace in _heatmaps(figure).values()} == {"coloraxis"}
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmid, axis.cmax) == (-1, 0, 1)
    assert axis.colorscale[len(axis.colorscale) // 2] == (0.5, plot.COLOURS[3])
    assert axis.colorbar.ticktext == ("against dog", "0", "for dog")


def test_hovering_tells_raw_values() -> None:
    trace = _heatmaps(_two())["resnet-8<br>Saliency</extra>"]
    assert trace.customdata[2, 5] == -4
    assert "%{customdata" in trace.hovertemplate


def test_a_map_near_zero_beside_the_other_is_flagged_and_not_stretched() -> None:
    flags = [text for text in _texts(_two()) if "≈ 0" in text]
    assert flags == ["<b>≈ 0</b><br>2.0 % of the<br>row's scale"]


@pytest.mark.parametrize(
    ("peak", "scale", "near"),
    [
        (0.049, 1.0, True),
        (0.051, 1.0, False),
        (-0.5, 1.0, False),
        (0.0, 0.0, True),
        (1e-9, 1e-9, True),
        (1e-5, 1e-5, False),
    ],
)
def test_near_zero_is_a_share_of_the_scale_and_rounding_is_never_a_map(peak: float, scale: float, near: bool) -> None:
    assert plot.is_near_zero(_map("saliency", peak).values, scale) is near


def test_a_row_of_zeros_is_drawn_blank() -> None:
    columns = [_column("plain-8", _map("saliency", 0.0)), _column("resnet-8", _map("saliency", 0.0))]
    figure = plot.side_by_side(IMAGE, columns, ROWS[:1], CLASSES)
    assert all(not trace.z.any() for trace in _heatmaps(figure).values())
    assert sum("≈ 0" in text for text in _texts(figure)) == 2


def test_the_heading_tells_how_alike_two_maps_are() -> None:
    assert any("rank correlation −1.00, top 10% shared 83%" in text for text in _texts(_two()))


def test_titles_tell_the_network_its_prediction_and_whether_it_is_right() -> None:
    figure = plot.side_by_side(IMAGE, [_column("plain-8", right=False), _column("resnet-8", right=True)], ROWS, CLASSES)
    titles = [text for text in _texts(figure) if "dog" in text]
    assert ["plain-8" in titles[0], "62 % ✗" in titles[0], "62 % ✓" in titles[1]] == [True] * 3


def test_titles_tell_the_class_only_where_the_networks_explain_different_ones() -> None:
    assert not any("explains" in text for text in _texts(_two()))
    columns = [_column("plain-8", _map("saliency", 1, 0)), _column("resnet-8", _map("saliency", 1, 2))]
    figure = plot.side_by_side(IMAGE, columns, ROWS, CLASSES)
    assert [text.rpartition("<br>")[2] for text in _texts(figure) if "explains" in text] == [
        "explains: cat",
        "explains: frog",
    ]
    assert figure.layout.coloraxis.colorbar.ticktext == ("against the class", "0", "for the class")


def test_a_cell_tells_its_time_and_how_complete_it_is() -> None:
    found = _map("saliency", 2.0, completeness_error=0.02, difference=-2.0)
    figure = plot.side_by_side(IMAGE, [_column("plain-8", found)], ROWS[:1], CLASSES)
    assert "0.25 s · sum off by 1.0 %" in _texts(figure)


def test_the_image_is_shown_in_colour_and_shines_through_in_grey() -> None:
    pictures = [trace for trace in _two().data if isinstance(trace, go.Image)]
    assert len(pictures) == len(ROWS)
    np.testing.assert_array_equal(pictures[0].z, IMAGE.transpose(1, 2, 0))
    overlaid = _two(opacity=0.6)
    grey = [trace.z for trace in overlaid.data if isinstance(trace, go.Image) and trace.xaxis != "x"]
    assert len([trace for trace in overlaid.data if isinstance(trace, go.Image)]) == 3 * len(ROWS)
    assert (grey[0][..., 0] == grey[0][..., 1]).all()


def test_the_coarse_grid_covers_the_image() -> None:
    grid = np.ones((2, 2), dtype=np.float32)
    columns = [_column("plain-8", _map("grad_cam", 1.0, grid=grid))]
    (trace,) = _heatmaps(plot.side_by_side(IMAGE, columns, ROWS[1:], CLASSES, grids=True)).values()
    assert (trace.x0, trace.dx, trace.z.shape) == (1.5, 4, (2, 2))  # two cells from -0.5 to 7.5


@pytest.mark.parametrize("width", [390, 900, 1280])
@pytest.mark.parametrize("networks", [1, 2, 4])
def test_cells_lie_within_the_figure_and_apart(width: int, networks: int) -> None:
    columns = [_column("plain-8", _map("saliency", 1.0))] * networks
    layout = plot.side_by_side(IMAGE, columns, ROWS, CLASSES, width=width).layout
    across = [layout[f"xaxis{i or ''}"].domain for i in (0, *range(2, networks + 2))]
    down = [layout["yaxis"].domain, layout[f"yaxis{networks + 2}"].domain]
    ends = [end for pair in across for end in pair]
    assert ends == sorted(ends)
    assert ends[0] >= 0
    assert ends[-1] <= 1
    assert 0 <= down[1][0] < down[1][1] < down[0][0] < down[0][1] <= 1


def test_a_map_not_computed_yet_leaves_its_cell_empty() -> None:
    columns = [_column("plain-8", _map("saliency", 1.0)), _column("resnet-8")]
    figure = plot.side_by_side(IMAGE, columns, ROWS[:1], CLASSES)
    assert len(_heatmaps(figure)) == 1
    assert _texts(figure).count("…") == 1
    assert "resnet-8 strongest" not in plot.alternative_text(columns, ROWS, CLASSES)


def test_the_alternative_text_tells_what_is_seen() -> None:
    columns = [
        _column("plain-8", _map("saliency", 2.0), _map("grad_cam", 0.01)),
        _column("resnet-8", _map("saliency", -4.0), _map("grad_cam", 0.5)),
    ]
    text = plot.alternative_text(columns, ROWS, CLASSES)
    assert "2 methods, 2 networks. plain-8 says dog with 62 %." in text
    assert "Saliency for dog: plain-8 strongest 2 at row 2, column 5, resnet-8 strongest -4" in text
    assert "Grad-CAM for dog: plain-8 near zero, 2.0 % of the row's scale" in text


def test_titles_of_three_networks_are_broken_on_a_phone() -> None:
    name = "plain-8:width=4"
    columns = [plot.Column(network(name), name, "blue disc", 0.6, [_map("saliency", 1.0)])] * 3
    figure = plot.side_by_side(IMAGE, columns, ROWS[:1], CLASSES, width=360)
    (title, *_) = [note for note in figure.layout.annotations if "plain-8" in note.text]
    assert "plain-8<br>width=4" in title.text
    assert "blue disc<br>60 %" in title.text
    assert title.font.size == 9
    wide = plot.side_by_side(IMAGE, columns, ROWS[:1], CLASSES, width=640)
    assert any(name in note.text for note in wide.layout.annotations)
