"""Bags of words, VLAD and Fisher vectors against loops, derivatives, scikit-learn, and images that tell them apart."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.mixture import GaussianMixture

from explorer.errors import RequestError
from explorer.measurement.encodings import (
    METHODS,
    PATCH,
    STRIDE,
    Dictionary,
    Estimate,
    average_precisions,
    bag_of_words,
    chance,
    compare,
    encoded,
    estimate,
    fisher,
    patches,
    vlad,
)
from explorer.records import EncodingScore, EncodingsRecord

CHANCE = np.random.default_rng(0)


def test_patches_are_pieces_of_the_image_without_mean_and_contrast() -> None:
    images = CHANCE.integers(0, 256, (2, 3, 12, 10), dtype=np.uint8)
    found = patches(images)
    assert found.shape == (2, 4 * 3, 3 * PATCH**2)
    piece = images[1, :, STRIDE : STRIDE + PATCH, 2 * STRIDE : 2 * STRIDE + PATCH].astype(float).ravel()
    assert found[1, 3 + 2] == pytest.approx((piece - piece.mean()) / np.sqrt(piece.var() + 10), rel=1e-4)
    assert patches(np.full((1, 3, 6, 6), 200, np.uint8)) == pytest.approx(0)


def test_a_bag_counts_and_vlad_adds_up_residuals() -> None:
    words, seen = CHANCE.standard_normal((3, 4)), CHANCE.standard_normal((7, 4))
    nearest = np.array([min(range(3), key=lambda word: np.linalg.norm(one - words[word])) for one in seen])
    assert list(bag_of_words(nearest, 3)) == [sum(nearest == word) for word in range(3)]
    sums = [sum((one - words[word] for one, at in zip(seen, nearest, strict=True) if at == word), np.zeros(4))
            for word in range(3)]  # fmt: skip
    assert vlad(seen, nearest, words) == pytest.approx(np.concatenate(sums))


def test_a_fisher_vector_is_the_gradient_of_the_mean_log_likelihood() -> None:
    seen = CHANCE.standard_normal((40, 3))
    mixture = GaussianMixture(2, covariance_type="diag", random_state=0).fit(CHANCE.standard_normal((200, 3)))
    deviations, weights, step = np.sqrt(mixture.covariances_), mixture.weights_, 1e-5

    def likelihood(means: np.ndarray, spread: np.ndarray) -> float:
        apart = (seen[:, None] - means) / spread
        terms = np.exp(-0.5 * (apart**2).sum(2)) / spread.prod(1)
        return float(np.log(terms @ weights).mean())

    expected = np.zeros((2, 2, 3))
    for word, axis in np.ndindex(2, 3):
        nudge = np.zeros((2, 3))
        nudge[word, axis] = step
        mean, spread = mixture.means_, deviations
        by_mean = (likelihood(mean + nudge, spread) - likelihood(mean - nudge, spread)) / (2 * step)
        by_spread = (likelihood(mean, spread + nudge) - likelihood(mean, spread - nudge)) / (2 * step)
        unit = spread[word, axis] / np.sqrt(weights[word])  # one over the root of the Fisher information
        expected[:, word, axis] = by_mean * unit, by_spread * unit / np.sqrt(2)
    assert fisher(seen, mixture) == pytest.approx(expected.ravel(), abs=1e-6)


def test_encoded_vectors_have_length_one_and_signed_roots() -> None:
    words, seen = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[[1.0, -4.0], [10.0, 9.0]]])
    dictionary = Dictionary(None, words, GaussianMixture(2))
    assert encoded("vlad", seen, dictionary)[0] == pytest.approx(np.array([1, -2, 0, 3]) / np.sqrt(14))
    assert encoded("bag", seen, dictionary)[0] == pytest.approx(np.array([1, 1]) / np.sqrt(2))


def test_average_precision_is_scikit_learns() -> None:
    vectors = CHANCE.standard_normal((30, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = CHANCE.integers(0, 3, 30)
    average, first = average_precisions(vectors, labels)
    for query in range(30):
        others = np.arange(30) != query
        right, likeness = labels[others] == labels[query], vectors[others] @ vectors[query]
        assert average[query] == pytest.approx(average_precision_score(right, likeness))
        assert first[query] == pytest.approx(right[np.argsort(-likeness)[:10]].mean())


def test_chance_is_what_a_list_in_no_order_gives() -> None:
    assert chance(np.array([0, 0, 1, 1])) == pytest.approx(1 / 3)
    vectors, labels = CHANCE.standard_normal((400, 3)), np.arange(400) % 4
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert average_precisions(vectors, labels)[1].mean() == pytest.approx(chance(labels), abs=0.03)


def test_vlad_tells_images_apart_that_differ_only_by_their_residuals() -> None:
    """Every image has each word twice; what differs between the classes is on which side of the words it lies."""
    words = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    labels = np.arange(40) % 2
    side = np.where(labels, 1.0, -1.0)[:, None, None] * np.array([0.0, 0.5])
    seen = words[np.arange(6) % 3] + side + 0.1 * CHANCE.standard_normal((40, 6, 2))
    mixture = GaussianMixture(3, covariance_type="diag", means_init=words, random_state=0).fit(seen.reshape(-1, 2))
    dictionary = Dictionary(None, words, mixture)
    scores = {method: average_precisions(encoded(method, seen, dictionary), labels)[0].mean() for method in METHODS}
    assert min(scores["vlad"], scores["fisher"]) > 0.99
    assert scores["bag"] < 0.6


def test_a_comparison_has_a_record_for_each_dictionary_and_no_image_twice() -> None:
    train, test = CHANCE.integers(0, 256, (2, 60, 3, 12, 12), dtype=np.uint8)
    records = list(compare(train, test, np.arange(60) % 3, images=30, draws=2, words=(2, 4)))
    assert [(record.draw, record.words, record.done, record.of) for record in records] == [
        (0, 2, 1, 4), (0, 4, 2, 4), (1, 2, 3, 4), (1, 4, 4, 4),
    ]  # fmt: skip
    assert [[score.length for score in record.scores] for record in records[:2]] == [[2, 48, 96], [4, 96, 192]]
    again = list(compare(train, test, np.arange(60) % 3, images=30, draws=1, words=(2, 4)))
    assert [one.scores for one in again] == [one.scores for one in records[:2]]
    with pytest.raises(RequestError, match="more than the 60 test images"):
        next(compare(train, test, np.arange(60), images=31, draws=2))


def test_an_estimate_is_a_mean_with_students_interval() -> None:
    def record(draw: int, bag: float, better: float) -> EncodingsRecord:
        scores = (EncodingScore("bag", 4, bag, 2 * bag), EncodingScore("vlad", 96, better, 2 * better))
        return EncodingsRecord(draw, draw + 1, 3, draw, 4, scores)

    records = [record(0, 0.10, 0.12), record(1, 0.12, 0.15), record(2, 0.11, 0.15)]
    more = estimate(records, "average_precision", ("vlad", 4), ("bag", 4))
    assert more is not None
    assert more.mean == pytest.approx(0.03)
    assert more.half == pytest.approx(4.303 * 0.01 / 3**0.5)
    assert more.above
    assert not more.below
    assert estimate(records, "precision", ("vlad", 4), ("bag", 4)).mean == pytest.approx(0.06)
    assert estimate(records, "precision", ("vlad", 8)) is None
    assert not Estimate(0.5, float("inf")).above
    single = estimate(records[:1], "average_precision", ("bag", 4))
    assert single == Estimate(0.1, float("inf"))
