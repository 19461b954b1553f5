"""Which classes does a network take for which?"""

import numpy as np
from numpy.typing import NDArray


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(classes, classes): how many images of each class, a row, were taken for each, a column."""
    places = labels * classes + predicted
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)
