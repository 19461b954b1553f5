import json
from dataclasses import replace

import pytest

from explorer.config import NetworkConfig, RunConfig, TrainingConfig, network, override
from explorer.errors import RequestError
from explorer.families import BLOCKS, FAMILIES, WHOLE
from explorer.networks.residual_blocks import BLOCK_TYPES


@pytest.mark.parametrize("depth", [8, 14, 20, 32, 44, 56, 110, 1202])
@pytest.mark.parametrize("family", ["plain", "resnet"])
def test_a_name_is_read_and_written_back(family: str, depth: int) -> None:
    config = network(f"{family}-{depth}")
    assert (config.family, config.depth, config.name) == (family, depth, f"{family}-{depth}")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_bare_name_is_of_that_family(family: str) -> None:
    config = network({"vgg": "vgg-19", "googlenet": "googlenet"}.get(family, f"{family}-20"))
    assert config.family == family
    assert network(config.name) == config


def test_every_kind_of_block_is_made_or_taken_whole() -> None:
    assert BLOCKS.keys() == BLOCK_TYPES.keys()
    assert {family.usual.get("block", "basic") for family in FAMILIES.values()} <= {*BLOCKS, *WHOLE}


def test_options_stand_after_a_colon() -> None:
    config = network("resnet-56:width=32,shortcut=B")
    assert config == NetworkConfig(depth=56, shortcut="B", width=32)
    assert network(config.name) == config


@pytest.mark.threat("A small file makes something large")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet-21", "20 and 26"),
        ("resnet-2", "nearest is 8"),
        ("plain-1208", "1202"),
        ("resnet", "no depth"),
        ("vgg-18", "16 and 19"),
        ("alexnet-8", "unknown network"),
        ("resnet-20:colour=red", "unknown option"),
        ("resnet-20:width=wide", "whole number"),
        ("resnet-20:width=0", "width is 0"),
        ("resnet-20:width=257", "width is 257"),
        ("resnet-20:shortcut=D", "choose one of"),
        ("plain-20:shortcut=A", "no shortcut"),
        ("resnet-20:shortcut=none", "plain-20"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(name: str, says: str) -> None:
    with pytest.raises(RequestError, match=says) as raised:
        network(name)
    assert "\n" not in str(raised.value)


def test_the_twin_differs_in_one_field() -> None:
    residual = network("resnet-56")
    assert residual.twin == replace(residual, shortcut="none") == network("plain-56")
    assert residual.twin.twin == residual


def test_a_config_survives_json() -> None:
    config = RunConfig(network("plain-20:width=8"), TrainingConfig(steps=7, milestones=(3, 5)), "shapes@1", 3)
    assert RunConfig.from_json(config.to_json()) == config
    assert RunConfig.from_json(config.to_json()).run == config.run


def test_what_equals_the_default_is_left_out_so_that_new_fields_keep_old_identities() -> None:
    assert RunConfig().to_json() == "{}"
    assert json.loads(RunConfig(seed=1).to_json()) == {"seed": 1}


def test_every_field_decides_the_identity() -> None:
    runs = {
        RunConfig().run,
        RunConfig(seed=1).run,
        RunConfig(data="shapes").run,
        RunConfig(network=network("plain-20")).run,
        RunConfig(training=TrainingConfig(steps=1, milestones=())).run,
    }
    assert len(runs) == 5


def test_a_field_of_a_newer_version_is_refused() -> None:
    with pytest.raises(RequestError, match="no field colour"):
        RunConfig.from_dict({"colour": 1})


def test_the_default_recipe_is_the_papers() -> None:
    paper = TrainingConfig()
    assert (paper.steps, paper.batch_size, paper.learning_rate, paper.milestones) == (
        64_000,
        128,
        0.1,
        (32_000, 48_000),
    )
    assert (paper.momentum, paper.weight_decay, paper.augmentation) == (0.9, 1e-4, "crop+flip")


def test_values_are_overridden_as_typed() -> None:
    changed = override(TrainingConfig(), ["steps=10", "milestones=4,8", "learning_rate=0.5", "schedule=step"])
    assert (changed.steps, changed.milestones, changed.learning_rate) == (10, (4, 8), 0.5)


@pytest.mark.parametrize(
    "assignment",
    ["steps", "colour=1", "steps=many", "steps=0", "schedule=linear", "learning_rate=-1", "momentum=1", "image_size=4",
     "learning_rate=nan", "steps=1.5"],
)  # fmt: skip
def test_a_wrong_value_is_refused(assignment: str) -> None:
    with pytest.raises(RequestError):
        override(TrainingConfig(), [assignment])


def test_options_that_clash_are_refused() -> None:
    with pytest.raises(RequestError, match="exclude each other"):
        TrainingConfig(warm_up_steps=10, warm_up_until_error=0.8)
    with pytest.raises(RequestError, match="fewer than steps"):
        TrainingConfig(steps=10, warm_up_steps=10)
