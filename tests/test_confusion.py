"""Counted by hand."""

import numpy as np

from explorer.measurement.confusion import confusion


def test_rows_are_true_classes_and_columns_what_they_were_taken_for() -> None:
    labels, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 2, 1, 2, 2, 0])
    np.testing.assert_array_equal(confusion(labels, predicted, 3), [[1, 0, 1], [0, 1, 0], [1, 0, 2]])
