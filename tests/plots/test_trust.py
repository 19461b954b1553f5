"""Curves and cascades: what is drawn is what was measured."""

from explorer.measurement.deletion import Curves
from explorer.plots.trust import Cascade, Curved, deletion_insertion, deletion_insertion_text, sanity_lines, sanity_text

CURVES = Curves((0.0, 0.5, 1.0), (0.8, 0.2, 0.0), (0.0, 0.6, 0.8))


def test_each_network_has_a_line_in_both_panels() -> None:
    figure = deletion_insertion([Curved("plain", "plain-20", CURVES), Curved("resnet", "resnet-20", CURVES)])
    assert [trace.name for trace in figure.data] == ["plain-20", "plain-20", "resnet-20", "resnet-20"]
    assert list(figure.data[0].y) == [0.8, 0.2, 0.0]
    assert list(figure.data[1].y) == [0.0, 0.6, 0.8]
    assert "plain-20: area 0.30 as they go, 0.50 as they come" in deletion_insertion_text(
        [Curved("plain", "plain-20", CURVES)]
    )


def test_a_cascade_begins_with_the_trained_network() -> None:
    shown = [Cascade("resnet-20", ["", "head"], {"saliency": [1.0, 0.4]})]
    figure = sanity_lines(shown, {"saliency": "Saliency"})
    assert list(figure.data[0].x) == ["trained", "head"]
    assert list(figure.data[0].y) == [1.0, 0.4]
    assert "resnet-20, Saliency: 0.40" in sanity_text(shown, {"saliency": "Saliency"})
