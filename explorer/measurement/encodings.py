"""Does it help to keep the residual to the nearest word? VLAD and Fisher vectors against a bag of words, in retrieval.

Small patches of an image are its descriptors, a dictionary of words is learnt from patches of other images, and each
image becomes one vector: how often each word is nearest (bag of words), what the patches differ from their nearest
words by (VLAD: Jegou et al. 2010), or the gradient of a mixture's likelihood (Fisher vector: Perronnin and Dance 2007).
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from explorer.errors import RequestError
from explorer.measurement.verdict import student_t
from explorer.records import EncodingScore, EncodingsRecord

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

Array: TypeAlias = NDArray[Any]

METHODS = ("bag", "vlad", "fisher")
MEASURES = ("precision", "average_precision")
"""Of the nearest ten, of the whole list; fields of EncodingScore."""
WORDS = (4, 8, 16, 32, 64, 128)
PATCH, STRIDE, COMPONENTS = 6, 2, 24
"""Side of a patch and from one to the next, in pixels; numbers that stay of a patch (principal components)."""
NEAREST = 10
"""Images of a list whose share of the right class is its precision."""
_LEARN_IMAGES, _LEARN_PATCHES = 2000, 20
_CONTRAST = 10.0  # grey levels: a patch with hardly any contrast is not blown up to noise (Coates and Ng 2011)
_ROUNDS, _EM_ROUNDS, _AT_ONCE = 100, 50, 100


@dataclass(frozen=True)
class Dictionary:
    """What is learnt from patches of training images: their components, the words, and a mixture begun at the words."""

    components: Any
    """sklearn's PCA, whitening."""
    words: Array
    """(K, COMPONENTS), centres of k-means."""
    mixture: "GaussianMixture"
    """K Gaussians with diagonal covariances, fitted by EM from the words."""


@dataclass(frozen=True)
class Estimate:
    """A mean over the draws with its 95 % interval, mean ± half."""

    mean: float
    half: float
    """Infinite with one draw."""

    @property
    def above(self) -> bool:
        """Whether all of the interval lies above zero."""
        return self.mean > self.half

    @property
    def below(self) -> bool:
        """Whether all of it lies below zero."""
        return self.mean < -self.half


Vectors = tuple[str, int]
"""A method and a number of words."""


def estimate(
    records: Sequence[EncodingsRecord], measure: str, of: Vectors, minus: Vectors | None = None
) -> Estimate | None:
    """One of MEASURES of one kind of vectors, or how far it is above another's on the same draws; None if unseen."""
    values = _by_draw(records, measure, of)
    if minus:
        others = _by_draw(records, measure, minus)
        values = {draw: value - others[draw] for draw, value in values.items() if draw in others}
    if not values:
        return None
    count = len(values)
    half = student_t(count - 1) * stdev(values.values()) / count**0.5 if count > 1 else float("inf")
    return Estimate(mean(values.values()), half)


def _by_draw(records: Sequence[EncodingsRecord], measure: str, of: Vectors) -> dict[int, float]:
    method, words = of
    return {
        record.draw: getattr(score, measure)
        for record in records
        if record.words == words
        for score in record.scores
        if score.method == method
    }


def compare(
    train: Array, test: Array, labels: Array, *, images: int, draws: int, words: Sequence[int] = WORDS
) -> Iterator[EncodingsRecord]:
    """Each draw takes `images` test images that no other draw has, and dictionaries of its own; a record a dictionary.

    `train` and `test` are uint8 (N, 3, H, W), `labels` (N,) of the test images. Every image of a draw asks for those of
    its class among the others. Raises RequestError for more images than there are.
    """
    if images * draws > len(test):
        raise RequestError(f"{draws} draws of {images} images are more than the {len(test)} test images there are")
    if min(test.shape[2:]) < PATCH:
        raise RequestError(f"images of {test.shape[2]}×{test.shape[3]} pixels are smaller than a patch of {PATCH}")
    order = np.random.default_rng(0).permutation(len(test))
    of = draws * len(words)
    for draw in range(draws):
        chosen = order[draw * images : (draw + 1) * images]
        samples = learning_patches(train, draw)
        pca = components(samples, draw)
        known, seen = pca.transform(samples), described(test[chosen], pca)
        for index, count in enumerate(words):
            dictionary = Dictionary(pca, *_learnt(known, count, draw))
            found = tuple(_score(method, seen, dictionary, labels[chosen]) for method in METHODS)
            done = draw * len(words) + index + 1
            yield EncodingsRecord(done - 1, done, of, draw, count, found)


def patches(images: Array) -> Array:
    """uint8 (N, 3, H, W) to (N, patches, 3 PATCH²) float32: each without its mean, divided by its contrast."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(2, 3))[:, :, ::STRIDE, ::STRIDE]
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(images), -1, images.shape[1] * PATCH**2).astype(np.float32)
    flat -= flat.mean(axis=2, keepdims=True)
    return np.asarray(flat / np.sqrt(np.square(flat).mean(axis=2, keepdims=True) + _CONTRAST))


def learning_patches(train: Array, seed: int) -> Array:
    """Some patches of some training images, (patches, 3 PATCH²)."""
    chance = np.random.default_rng(seed)
    chosen = chance.choice(len(train), min(_LEARN_IMAGES, len(train)), replace=False)
    found = patches(train[chosen])
    kept = chance.integers(0, found.shape[1], (len(chosen), _LEARN_PATCHES))
    return np.asarray(np.take_along_axis(found, kept[:, :, None], axis=1).reshape(-1, found.shape[2]))


def components(samples: Array, seed: int) -> Any:
    """The principal components of patches, whitened, fitted."""
    from sklearn.decomposition import PCA

    return PCA(COMPONENTS, whiten=True, random_state=seed).fit(samples)


def described(images: Array, pca: Any) -> Array:
    """(N, patches, COMPONENTS) float32."""
    parts = []
    for start in range(0, len(images), _AT_ONCE):  # all patches at once would take gigabytes
        found = patches(images[start : start + _AT_ONCE])
        parts.append(pca.transform(found.reshape(-1, found.shape[2])).reshape(*found.shape[:2], -1))
    return np.concatenate(parts).astype(np.float32)


def encoded(method: str, seen: Array, dictionary: Dictionary) -> Array:
    """Descriptors (N, P, D) as one vector an image: signed square roots, then length 1, for all methods alike."""
    if method == "fisher":
        vectors = np.stack([fisher(one, dictionary.mixture) for one in seen])
    else:
        vectors = np.stack([_by_words(method, one, dictionary.words) for one in seen])
    rooted = np.sign(vectors) * np.sqrt(np.abs(vectors))
    lengths = np.linalg.norm(rooted, axis=1, keepdims=True)
    return np.asarray(rooted / np.maximum(lengths, np.finfo(float).tiny))


def bag_of_words(nearest: Array, count: int) -> Array:
    """How many of one image's patches each word is nearest to, (count,)."""
    return np.bincount(nearest, minlength=count).astype(float)


def vlad(seen: Array, nearest: Array, words: Array) -> Array:
    """The residuals x - c of one image's descriptors (P, D) to their nearest words, summed by word, (K · D,)."""
    sums = np.zeros(words.shape)
    np.add.at(sums, nearest, seen - words[nearest])
    return sums.ravel()


def fisher(seen: Array, mixture: "GaussianMixture") -> Array:
    """The gradient of one image's mean log-likelihood by the mixture's means and deviations, (2 · K · D,).

    In units in which the Fisher information is about 1 (Sanchez et al. 2013, equations 16 to 18, without the weights').
    """
    weights, deviations = mixture.weights_[:, None], np.sqrt(mixture.covariances_)
    parts = mixture.predict_proba(seen)  # (P, K)
    total, first, second = parts.sum(0)[:, None], parts.T @ seen, parts.T @ np.square(seen)
    means = (first - total * mixture.means_) / deviations
    squares = (second - 2 * first * mixture.means_ + total * mixture.means_**2) / mixture.covariances_ - total
    both = np.stack([means / np.sqrt(weights), squares / np.sqrt(2 * weights)])
    return np.asarray(both.ravel() / len(seen))


def average_precisions(vectors: Array, labels: Array) -> tuple[Array, Array]:
    """Of each image's list of all others, the most alike first: average precision, and precision of the first NEAREST.

    Alike is the cosine: vectors have length 1. An image whose class no other has is left out.
    """
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    lists = np.argsort(-likeness, axis=1, kind="stable")[:, :-1]
    right = labels[lists] == labels[:, None]
    right = right[right.any(axis=1)]
    places = np.arange(1, right.shape[1] + 1)
    precision = right.cumsum(axis=1) / places
    return (precision * right).sum(axis=1) / right.sum(axis=1), precision[:, min(NEAREST, len(places)) - 1]


def chance(labels: Array) -> float:
    """The precision of a list in no order, on average: the part of the other images that has the same class."""
    _, counts = np.unique(labels, return_counts=True)
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))


def _score(method: str, seen: Array, dictionary: Dictionary, labels: Array) -> EncodingScore:
    vectors = encoded(method, seen, dictionary)
    average, first = average_precisions(vectors, labels)
    return EncodingScore(method, vectors.shape[1], float(average.mean()), float(first.mean()))


def _by_words(method: str, seen: Array, words: Array) -> Array:
    nearest = (np.square(words).sum(axis=1) - 2 * seen @ words.T).argmin(axis=1)
    return bag_of_words(nearest, len(words)) if method == "bag" else vlad(seen, nearest, words)


def _learnt(known: Array, count: int, seed: int) -> tuple[Array, "GaussianMixture"]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    words = KMeans(count, n_init=1, max_iter=_ROUNDS, random_state=seed).fit(known).cluster_centers_
    mixture = GaussianMixture(count, covariance_type="diag", means_init=words, max_iter=_EM_ROUNDS, random_state=seed)
    with warnings.catch_warnings():  # a mixture that would still move a little is as good a dictionary
        warnings.simplefilter("ignore", ConvergenceWarning)
        return words, mixture.fit(known)
