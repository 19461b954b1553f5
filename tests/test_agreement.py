"""Two maps compared, by answers that can be counted."""

import numpy as np
import pytest

from explorer.measurement.agreement import rank_correlation, top_overlap


def test_any_map_agrees_with_what_keeps_its_order() -> None:
    values = np.array([[3.0, -1.0], [0.5, 2.0]], dtype=np.float32)
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)


def test_spearman_by_hand_with_ties() -> None:
    first, second = np.array([1, 2, 3, 4], np.float32), np.array([1, 1, 5, 0], np.float32)
    # ranks 0 1 2 3 and 1.5 1.5 3 0: deviations -1.5 -.5 .5 1.5 and 0 0 1.5 -1.5
    assert rank_correlation(first, second) == pytest.approx(-1.5 / (5 * 4.5) ** 0.5)


def test_a_flat_map_has_no_correlation() -> None:
    assert rank_correlation(np.zeros((2, 2), np.float32), np.eye(2, dtype=np.float32)) is None


def test_the_overlap_counts_shared_pixels_of_the_top() -> None:
    first, second = np.arange(20, dtype=np.float32), np.arange(20, dtype=np.float32)
    second[[18, 0]] = second[[0, 18]]  # one of the two largest is elsewhere
    assert top_overlap(first, second, 0.1) == 0.5
    assert top_overlap(first, first, 0.1) == 1
