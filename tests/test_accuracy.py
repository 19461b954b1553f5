"""What makes training fast costs no accuracy: the program's loop against a stock one, written out here."""

from dataclasses import replace
from statistics import mean, stdev

import pytest
import torch
from torch.nn import functional

from explorer.config import TrainingConfig, network
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.data.prepared import prepared
from explorer.networks.build import build
from explorer.records import EvaluationRecord
from explorer.training import learning_rate, train

SEEDS = range(4)
TRAINING = TrainingConfig(
    steps=150, batch_size=32, learning_rate=0.05, schedule="cosine", warm_up_steps=30, augmentation="flip",
    image_size=16, train_images=500, test_images=100, clean_images=500, evaluations=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def shapes() -> ImageSet:
    return sources.load("shapes")


def _ours(images: ImageSet, name: str, seed: int) -> float:
    last = list(train(build(network(name), seed), images, TRAINING, seed=seed, precision="bf16"))[-1]
    assert isinstance(last, EvaluationRecord)
    return last.training_error


def _stock(images: ImageSet, name: str, seed: int) -> float:
    """float32, contiguous, plain SGD, shuffled and flipped by torch's own chance."""
    model, data = build(network(name), seed), prepared(images, TRAINING)
    pixels = (data.train_images.float() / 255 - data.normalization.mean).contiguous()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4, foreach=False)
    chance, order = torch.Generator().manual_seed(100 + seed), torch.empty(0, dtype=torch.int64)
    for step in range(TRAINING.steps):
        if len(order) < TRAINING.batch_size:
            order = torch.cat([order, torch.randperm(len(pixels), generator=chance)])
        chosen, order = order[: TRAINING.batch_size], order[TRAINING.batch_size :]
        flipped = torch.rand(len(chosen), generator=chance) < 0.5
        batch = torch.where(flipped[:, None, None, None], pixels[chosen].flip(3), pixels[chosen])
        optimizer.param_groups[0]["lr"] = learning_rate(TRAINING, step)
        loss = functional.cross_entropy(model.train()(batch), data.train_labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float((model.eval()(pixels).argmax(dim=1) != data.train_labels).float().mean())


@pytest.mark.parametrize("name", ["resnet-14:width=8", "plain-14:width=8"])
def test_the_fast_loop_ends_with_the_error_of_a_stock_loop(name: str, shapes: ImageSet) -> None:
    ours, theirs = ([loop(shapes, name, seed) for seed in SEEDS] for loop in (_ours, _stock))
    spread = stdev(ours) + stdev(theirs)
    assert max(mean(ours), mean(theirs)) < 0.75, "neither learnt: nothing is compared"
    assert abs(mean(ours) - mean(theirs)) < 2 * spread / len(SEEDS) ** 0.5 + 0.02, (ours, theirs)


def test_the_comparison_would_notice_a_worse_loop(shapes: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the learning rate is a worse loop."""
    theirs = [_stock(shapes, "resnet-14:width=8", seed) for seed in SEEDS]
    slow = replace(TRAINING, learning_rate=TRAINING.learning_rate / 10)
    monkeypatch.setitem(globals(), "TRAINING", slow)
    ours = [_ours(shapes, "resnet-14:width=8", seed) for seed in SEEDS]
    assert mean(ours) - mean(theirs) > 2 * (stdev(ours) + stdev(theirs)) / len(SEEDS) ** 0.5 + 0.02
