"""What is said of a sweep, by how many seeds there are."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from explorer.config import RunConfig
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
