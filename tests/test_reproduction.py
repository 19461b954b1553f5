"""The paper's experiment in whatever time there is: the same recipe, its schedule scaled."""

from dataclasses import replace
from pathlib import Path

import pytest

from explorer import recordings, reproduction
from explorer.__main__ import main
from explorer.config import NetworkConfig, TrainingConfig, network
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.device import Device
from explorer.errors import RequestError
from explorer.home import home
from explorer.runs import DONE, Store

MACHINE = Device("cpu", "test", bf16=False, slots=2, threads=1)


def test_the_whole_experiment_is_the_papers_recipe_and_a_part_of_it_has_its_shape() -> None:
    whole = reproduction.training_for(network("resnet-56"), 64_000)
    assert whole == TrainingConfig()
    part = reproduction.training_for(network("resnet-110"), 6_400)
    assert (part.steps, part.milestones) == (6_400, (3_200, 4_800))
    assert part == replace(whole, steps=6_400, milestones=(3_200, 4_800), evaluations=12, warm_up_until_error=0.8)


def test_nine_networks_are_those_of_table_6_and_figure_6() -> None:
    names = set(reproduction.NETWORKS)
    assert names == {f"{family}-{depth}" for family in ("plain", "resnet") for depth in (20, 32, 44, 56)} | {
        "resnet-110"
    }


def test_twice_the_time_allows_twice_the_iterations(tiny_images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [NetworkConfig(depth=8, width=4), NetworkConfig(depth=14, width=4)]
    monkeypatch.setattr(reproduction, "_seconds_a_step", lambda config, *_: 0.01 * config.network.depth)
    whole = reproduction.configs(networks, (0, 1), tiny_images.name, 64_000)
    # 0.85 of the time, two at once: (8 + 14) x 0.01 s for two runs of each
    assert (
        reproduction.affordable_steps(whole, tiny_images, MACHINE, 1000.0) == int(0.85 * 1000 * 2 / 0.44) // 100 * 100
    )
    assert reproduction.affordable_steps(whole, tiny_images, MACHINE, 1e9) == 64_000
    with pytest.raises(RequestError, match="choose fewer networks"):
        reproduction.affordable_steps(whole, tiny_images, MACHINE, 10.0)


def test_what_was_begun_goes_on_as_it_began_and_ends_as_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = replace(TrainingConfig(), image_size=8, train_images=100, test_images=50, clean_images=50, batch_size=8)
    recipe = replace(reproduction.RECIPES["paper"], training=small)
    monkeypatch.setitem(reproduction.RECIPES, "paper", recipe)
    monkeypatch.setattr(reproduction, "affordable_steps", lambda *_: 120)
    command = ["reproduce", "cifar", "--networks", "plain-8:width=4,resnet-8:width=4", "--data", "shapes"]
    command += ["--budget-minutes", "1", "--out", str(tmp_path / "out"), "--json"]
    store = Store(home())
    networks = [network("plain-8:width=4"), network("resnet-8:width=4")]
    data = sources.resolve("shapes").name
    begun = reproduction.configs(networks, (0,), data, 140)
    store.submit(begun, "shapes")
    store.pause([config.run for config in begun])
    assert reproduction.begun(store.runs(), networks, (0,), data) == 140
    assert reproduction.begun(store.runs(), networks, (1,), data) is None

    assert main(command) == 0
    assert {run.run for run in store.runs()} == {config.run for config in begun}
    assert {run.state for run in store.runs()} == {DONE}
    for family in ("plain", "resnet"):
        name = f"shapes-paper-140-{family}-8-width=4-seed-0.recording"
        recording = recordings.unpack((tmp_path / "out" / name).read_bytes(), name)
        assert recording.final is not None
        assert recording.run.config.training.milestones == (70, 105)
    assert "140 iterations (the paper's: 64,000)" in capsys.readouterr().err
