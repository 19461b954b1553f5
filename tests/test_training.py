"""The recipes step by step, and the generator's promises."""

import gc
import weakref
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch.nn import functional

from explorer.config import NetworkConfig, RunConfig, TrainingConfig, network
from explorer.data.image_set import ImageSet
from explorer.data.prepared import prepared
from explorer.errors import ExplorerError, RequestError
from explorer.networks.build import build
from explorer.recipes import RECIPES, recipe
from explorer.records import EvaluationRecord, Record, StepRecord
from explorer.training import Training, learning_rate, train
from tests.conftest import TINY_TRAINING


def _records(run: RunConfig, images: ImageSet, **more: object) -> list[Record]:
    return list(train(build(run.network, run.seed), images, run.training, seed=run.seed, **more))  # type: ignore[arg-type]


def numbers(records: list[Record]) -> list[tuple[object, ...]]:
    """All that must be the same twice: everything but the times."""
    return [
        (r.seq, r.step, r.loss, r.training_error) if isinstance(r, StepRecord)
        else (r.seq, r.step, r.training_error, r.test_error, r.responses, r.gradients)
        for r in records
    ]  # fmt: skip


def test_the_papers_schedule() -> None:
    paper = recipe("paper").training_for(network("resnet-56"))
    expected = {0: 0.1, 31_999: 0.1, 32_000: 0.01, 47_999: 0.01, 48_000: 0.001, 63_999: 0.001}
    assert {step: pytest.approx(learning_rate(paper, step)) for step in expected} == expected
    assert paper.warm_up_until_error == 0
    assert (paper.steps, paper.batch_size, paper.momentum, paper.weight_decay) == (64_000, 128, 0.9, 1e-4)
    assert (paper.augmentation, paper.normalization, paper.train_images) == ("crop+flip", "per-pixel mean", 0)


def test_110_layers_warm_up_at_a_tenth_until_the_error_is_below_80_percent() -> None:
    for name in ("plain-110", "resnet-110"):
        deep = recipe("paper").training_for(network(name))
        assert (deep.warm_up_until_error, deep.warm_up_rate) == (0.8, 0.01)
        assert learning_rate(deep, 0, warming_up=True) == 0.01
        assert learning_rate(deep, 0, warming_up=False) == pytest.approx(0.1)
    assert recipe("paper").training_for(network("resnet-1202")).warm_up_until_error == 0


def test_the_brief_schedule_rises_for_a_fifth_and_falls_to_zero() -> None:
    brief = RECIPES["brief"].training
    rates = [learning_rate(brief, step) for step in range(brief.steps)]
    peak = brief.warm_up_steps
    assert peak == brief.steps // 5
    assert rates[0] == pytest.approx(brief.learning_rate / peak)
    assert rates[peak - 1] == rates[peak] == max(rates) == pytest.approx(brief.learning_rate)
    assert rates[peak + (brief.steps - peak) // 2] == pytest.approx(brief.learning_rate / 2)
    assert rates[-1] < 1e-4 * brief.learning_rate
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_warm_up_ends_when_the_error_has_fallen(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    training = replace(
        tiny_run.training, steps=60, schedule="step", warm_up_steps=0, milestones=(), learning_rate=0.1,
        warm_up_until_error=0.7, warm_up_rate=0.02,
    )  # fmt: skip
    steps = [r for r in _records(replace(tiny_run, training=training), tiny_images) if isinstance(r, StepRecord)]
    below = next(index for index, record in enumerate(steps) if record.training_error < 0.7)
    assert [record.learning_rate for record in steps[: below + 1]] == [0.02] * (below + 1)
    assert all(record.learning_rate == pytest.approx(0.1) for record in steps[below + 1 :])
    assert 0 < below < len(steps) - 1


def test_the_first_record_is_the_untrained_network_and_the_last_the_trained_one(
    tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    records = _records(tiny_run, tiny_images)
    assert [record.seq for record in records] == list(range(len(records)))
    evaluations = [record for record in records if isinstance(record, EvaluationRecord)]
    assert [record.step for record in evaluations] == [0, 3, 6]
    assert [record.step for record in records if isinstance(record, StepRecord)] == [1, 2, 3, 4, 5, 6]
    assert records[0] == evaluations[0]
    assert records[-1] == evaluations[-1]
    assert all(response.std == pytest.approx(1, abs=0.01) for response in evaluations[0].responses)
    assert len(evaluations[0].responses) == 7


def test_nothing_happens_before_it_is_asked_for(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    model = build(tiny_run.network)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stream = train(model, tiny_images, tiny_run.training)
    first = list(islice(stream, 1))
    assert isinstance(first[0], EvaluationRecord)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    next(stream)
    assert not torch.equal(model.conv.weight, before["conv.weight"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_config_gives_the_same_numbers(tiny_images: ImageSet, tiny_run: RunConfig, precision: str) -> None:
    first, again = (numbers(_records(tiny_run, tiny_images, precision=precision)) for _ in range(2))
    assert first == again
    assert numbers(_records(replace(tiny_run, seed=1), tiny_images, precision=precision)) != first


def test_a_training_that_is_let_go_of_is_gone_at_once(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    """A worker's trainings take turns: what waited for Python's collector grew by 0.13 GB with each."""
    gc.disable()
    try:
        training = Training(build(tiny_run.network), tiny_images, tiny_run.training)
        for _ in range(1 + tiny_run.training.steps):
            training.advance()
        gone = [weakref.ref(part) for part in (training, training.network)]
        del training
        assert [part() for part in gone] == [None, None]
    finally:
        gc.enable()


def test_two_streams_step_by_step_do_not_disturb_each_other(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    alone = numbers(_records(tiny_run, tiny_images))
    streams = [train(build(tiny_run.network), tiny_images, tiny_run.training) for _ in range(2)]
    together = list(zip(*streams, strict=True))
    for column in zip(*together, strict=True):
        assert numbers(list(column)) == alone


def test_a_step_is_sgd_with_momentum_and_weight_decay(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    """Against the update written out: g = grad + decay * w, v = momentum * v + g, w = w - rate * v."""
    training = replace(tiny_run.training, augmentation="none", batch_size=40, steps=3, evaluations=1)
    data = prepared(tiny_images, training)
    images, labels = data.normalization(data.train_images), data.train_labels
    mine = build(tiny_run.network).train()
    weights = list(mine.parameters())
    velocities = [torch.zeros_like(weight) for weight in weights]
    for step in range(training.steps):
        loss = functional.cross_entropy(mine(images), labels)
        gradients = torch.autograd.grad(loss, weights)
        for weight, velocity, gradient in zip(weights, velocities, gradients, strict=True):
            velocity.mul_(0.9).add_(gradient + 1e-4 * weight.detach())
            weight.data -= learning_rate(training, step) * velocity
    theirs = build(tiny_run.network)
    list(train(theirs, tiny_images, training))
    for weight, expected in zip(theirs.parameters(), weights, strict=True):
        torch.testing.assert_close(weight, expected, rtol=1e-3, atol=1e-5)


def test_all_networks_see_the_same_images_in_the_same_order(
    tiny_images: ImageSet, tiny_run: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[torch.Tensor]] = {}
    for name in ("plain-8:width=4", "resnet-14:width=8"):
        model = build(network(name))
        model.register_forward_pre_hook(
            lambda module, inputs, name=name: (
                seen.setdefault(name, []).append(inputs[0].clone()) if module.training else None
            )
        )
        list(train(model, tiny_images, tiny_run.training))
    first, second = seen.values()
    assert len(first) == 6
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[1])


def test_an_epoch_uses_every_image_once(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    model, seen = build(tiny_run.network), []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()) if module.training else None)
    training = replace(tiny_run.training, augmentation="none", steps=5)
    list(train(model, tiny_images, training))
    data = prepared(tiny_images, training)
    used = torch.cat(seen).flatten(1).sort(dim=0).values
    torch.testing.assert_close(used, data.normalization(data.train_images).flatten(1).sort(dim=0).values)


def test_the_held_out_split_trains_on_45k_of_50k_and_tests_on_the_rest(
    tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    training = replace(tiny_run.training, held_out=15, train_images=0, test_images=0, image_size=8)
    data = prepared(tiny_images, training)
    assert (len(data.train_images), len(data.test_images)) == (45, 15)
    everything = torch.cat([data.train_images, data.test_images]).flatten(1).sort(dim=0).values
    assert torch.equal(everything, tiny_images.train_images.flatten(1).sort(dim=0).values)


def test_the_mean_of_every_pixel_is_subtracted(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    data = prepared(tiny_images, replace(tiny_run.training, train_images=0))
    normalised = data.normalization(data.train_images)
    torch.testing.assert_close(normalised.mean(dim=0), torch.zeros(3, 8, 8), atol=1e-6, rtol=0)
    torch.testing.assert_close(normalised[0], data.train_images[0] / 255 - (data.train_images / 255).mean(dim=0))


def test_channel_normalisation_has_mean_0_and_deviation_1(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    data = prepared(tiny_images, replace(tiny_run.training, train_images=0, normalization="channel"))
    normalised = data.normalization(data.train_images)
    torch.testing.assert_close(normalised.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_more_images_than_there_are_are_refused(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    for wish in ({"train_images": 61}, {"test_images": 31}, {"held_out": 60}):
        with pytest.raises(RequestError, match=r"training images|test images"):
            prepared(tiny_images, replace(tiny_run.training, **{"train_images": 0, **wish}))


def test_it_learns(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    training = replace(tiny_run.training, steps=150, warm_up_steps=30, batch_size=20)
    for config in (NetworkConfig(depth=8, width=8), NetworkConfig(depth=8, width=8, shortcut="none")):
        last = _records(replace(tiny_run, network=config, training=training), tiny_images)[-1]
        assert isinstance(last, EvaluationRecord)
        assert last.training_error <= 0.1


def test_recipes_from_a_file(tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('steps = 10\nschedule = "cosine"\ndepths = [8, 14]\n')
    mine = recipe(str(file))
    assert (mine.training, mine.depths) == (TrainingConfig(steps=10, schedule="cosine"), (8, 14))
    for text, says in (("steps = ", "not TOML"), ("colour = 1", "no field colour"), ("depths = 3", "two numbers")):
        file.write_text(text)
        with pytest.raises(RequestError, match=says):
            recipe(str(file))
    with pytest.raises(RequestError, match="cannot read"):
        recipe("nowhere.toml")
    with pytest.raises(RequestError, match="unknown recipe"):
        recipe("quick")


@pytest.mark.parametrize(
    "name",
    ["plain-8:width=8", "resnet-8:width=8,shortcut=C", "resnet-11-bottleneck:width=8", "preresnet-8:width=8",
     "preresnet-11-bottleneck:width=8", "highway-8:width=8", "skipinit-8:width=8",
     "resnet-8:width=8,bn=off,init=xavier",
     "resnet-8:width=8,strength=0.5", "resnet-8:width=8,survival=0.5", "resnet-14:width=8,survival=0.2",
     "plain-8:width=8,dropout=0.2", "preresnet-8:width=8,dropout=0.2"],
)  # fmt: skip
def test_every_cifar_family_learns_and_repeats_itself(name: str, tiny_images: ImageSet) -> None:
    training = replace(TINY_TRAINING, steps=60, batch_size=16, learning_rate=0.05, evaluations=1)
    run = RunConfig(network(name), training, tiny_images.name)
    records = _records(run, tiny_images)
    losses = [record.loss for record in records if isinstance(record, StepRecord)]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert numbers(records) == numbers(_records(run, tiny_images))


@pytest.mark.parametrize(
    ("written", "says"),
    [('learning_rate = "fast"', "learning_rate"), ('momentum = "1"', "momentum"), ("milestones = 5", "milestones"),
     ('milestones = ["x"]', "milestones"), ("learning_rate = nan", "learning_rate"), ("steps = 1.5", "steps"),
     ("steps = true", "steps"), ('depths = ["a", 2]', "depths"), ('width = "8"', "width")],
)  # fmt: skip
def test_a_recipe_whose_values_are_of_the_wrong_kind_is_refused(tmp_path, written: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(written)
    with pytest.raises(RequestError, match=says):
        recipe(str(file))


def test_images_of_more_classes_than_the_network_knows_are_refused_with_the_network_to_take(
    tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    many = replace(tiny_images, classes=(*tiny_images.classes, "one more"))
    with pytest.raises(RequestError, match="11 classes, .* tells 10 apart: take .*classes=11"):
        Training(build(tiny_run.network), many, tiny_run.training)
    able = replace(tiny_run, network=replace(tiny_run.network, classes=11))
    assert Training(build(able.network), many, able.training)


def test_an_imagenet_network_is_not_trained_here() -> None:
    with pytest.raises(RequestError, match="counted and drawn"):
        RunConfig(network("resnet-18@imagenet"))


def test_a_loss_that_is_no_number_ends_the_training_with_advice(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    wild = replace(tiny_run, training=replace(tiny_run.training, learning_rate=100.0, warm_up_steps=0, steps=200))
    with pytest.raises(ExplorerError, match="try a lower learning rate"):
        _records(replace(wild, network=network("plain-8:width=4,bn=off")), tiny_images)
