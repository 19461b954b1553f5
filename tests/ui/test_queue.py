"""Whose runs wait is told where they stand, on every page that shows them."""

from dataclasses import replace

import pytest

from explorer.config import RunConfig
from explorer.errors import RequestError
from explorer.race import Race
from explorer.recipes import RECIPES
from explorer.runs import ACTIVE, DONE, RUNNING, Store
from explorer.ui import limits
from tests.ui.visits import finished, sent, visit


@pytest.fixture
def busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """One slot. Of a race of 8 and 32 layers the first network took 3 s, so those of 32 take 12; Ben's is under way,
    Eve's waits: whoever comes now is second, and waits for both."""
    monkeypatch.setattr("explorer.ui.queue.slots", lambda: 1)
    first = finished(store, "plain", 8)
    recipe = RECIPES["brief"]
    deep = Race(recipe, first.data, (32,), ("plain",)).runs[0]
    for asker, seed in (("ben", 1), ("eve", 2)):
        store.submit([replace(deep, seed=seed, data="others@000000000000")], "shapes", asker=asker)
        store.claim(0) if asker == "ben" else None
    return first


def test_the_page_of_a_race_says_its_place_and_when_it_begins(store: Store, busy: RunConfig) -> None:
    app = visit("degradation")
    app.button(key="race-start").click().run()
    assert not app.exception
    (status,) = [chart["status"]["text"] for chart in sent(app) if chart.get("status")]
    assert status == "number 2 in the queue, begins in about 25 s"
    mine = [run for run in store.runs() if run.state in ACTIVE and run.asker not in ("ben", "eve")]
    assert len({run.asker for run in mine}) == 1
    assert len(mine) == 3, "the fourth network is there already"
    assert b"test session id" not in (store.folder / "runs.sqlite").read_bytes()


def test_the_table_of_runs_says_it_of_each(store: Store, busy: RunConfig) -> None:
    (mine,) = store.submit([replace(busy, seed=3)], "shapes", asker="ada")
    app = visit("runs")
    assert not app.exception
    states = dict(zip(app.dataframe[0].value["run"], app.dataframe[0].value["state"], strict=True))
    assert states[mine] == "queued: no. 2, in 25 s"
    assert states[busy.run] == "live"
    told = {run.config.seed: states[run.run] for run in store.runs() if run.asker in ("ben", "eve")}
    assert told == {1: "running", 2: "queued: no. 1, in 10 s"}
    assert "대기 2번째, 25초 뒤" in set(visit("runs", lang="ko").dataframe[0].value["state"])


@pytest.mark.threat("Somebody floods the queue")
def test_one_visitor_may_fill_the_queue_only_so_far(store: Store, busy: RunConfig) -> None:
    most = limits.MOST_UNDER_WAY
    store.submit([replace(busy, seed=seed) for seed in range(10, 10 + most - 1)], "shapes", asker="ada")
    limits.check_under_way(store, "ada", 1)
    with pytest.raises(RequestError, match=f"you have {most - 1} trainings under way"):
        limits.check_under_way(store, "ada", 2)
    limits.check_under_way(store, "ben", most - 1)
    while (run := store.claim(0)) and run.asker != "ada":
        store.finish(run.run, DONE)
    assert run
    assert store.run(run.run).state == RUNNING
    store.finish(run.run, DONE)
    limits.check_under_way(store, "ada", 2)
