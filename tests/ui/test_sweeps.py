"""What is said of a sweep, by how many seeds there are."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from explorer.config import RunConfig, network
from explorer.records import EvaluationRecord
from explorer.ui import frame, sweeps
from tests.test_runs import EVALUATION


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_of_one_seed_nothing_is_said_but_that_it_is_one(
    seeds: tuple[int, ...], tiny_run: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def finding(sentences: Sequence[str], basis: str) -> None:
        said.extend([*sentences, basis])

    monkeypatch.setattr(frame, "finding", finding)
    results = [(replace(tiny_run, seed=seed), EVALUATION) for seed in seeds]
    sweeps.judged(results, lambda found: [f"a verdict on {len(found)}"], "how")
    if len(seeds) == 1:
        assert said[0].startswith("**One seed so far:**")
        assert not any("verdict" in words or "±" in words for words in said)
    else:
        assert said[0] == "a verdict on 2"
        assert "±" in said[1]


def _ended(run: RunConfig, training: float, test: float) -> tuple[RunConfig, EvaluationRecord]:
    return run, replace(EVALUATION, training_error=training, test_error=test)


@pytest.mark.parametrize(("lost", "says_nothing"), [(4, True), (3, False)])
def test_of_what_mostly_stayed_at_chance_no_effect_is_told(lost: int, says_nothing: bool, tiny_run: RunConfig) -> None:
    """Six trainings of one network, without dropout and with, of which some learnt nothing."""
    errors = iter([0.9] * lost + [0.5] * (6 - lost))
    results = [
        _ended(replace(tiny_run, network=replace(tiny_run.network, dropout=dropout), seed=seed), 0.5, next(errors))
        for dropout in (0.0, 0.5)
        for seed in range(3)
    ]
    said = " ".join(sweeps.dropout_sentences(results))
    assert (f"{lost} of 6 trainings stayed at chance" in said) == says_nothing
    assert ("against no dropout" in said) != says_nothing


def test_where_the_deep_plain_network_fits_its_images_too_there_is_nothing_to_cure(tiny_run: RunConfig) -> None:
    deep = [network("plain-20"), network("resnet-20")]
    training = {250: 0.0, 1000: 0.04, 5000: 0.5}  # of the plain one
    results = [
        _ended(
            replace(tiny_run, network=one, training=replace(tiny_run.training, train_images=count), seed=seed),
            training[count] if one.family == "plain" else 0.0,
            0.5 + seed / 100,
        )
        for one in deep
        for count in training
        for seed in (0, 1)
    ]
    said = " ".join(sweeps.data_sentences(results))
    assert "With 1,000 images plain-20 fits its training images too (4.0% training error at most)" in said
    unfit = [(config, replace(last, training_error=0.5)) for config, last in results]
    assert "fits its training images" not in " ".join(sweeps.data_sentences(unfit))
