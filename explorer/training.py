"""Training step by step: pause, stop, resume, replay and test are callers of one class."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.captured import Captured, captures
from explorer.config import DIVERGED, TrainingConfig
from explorer.data.augmentation import augment, epoch_order, sent
from explorer.data.image_set import ImageSet
from explorer.data.prepared import prepared
from explorer.descent import Descent
from explorer.device import autocast
from explorer.errors import ExplorerError, RequestError
from explorer.evaluation import error, logits
from explorer.language import told, tr
from explorer.measurement.borrowing import borrowed, has_gathered
from explorer.measurement.branches import branches_heard
from explorer.measurement.gates import gates_heard
from explorer.measurement.gradients import layer_gradients
from explorer.measurement.responses import responses_heard
from explorer.networks.blocks import Chance
from explorer.networks.fused import fused
from explorer.networks.residual import ResidualNetwork
from explorer.records import EvaluationRecord, Record, StepRecord

STEP_RECORDS = 100  # over a short run: a curve with a point every hundredth of the way
MOST_STEPS = 50  # between two records, so that the curve of a long run grows before one's eyes
GLANCE = 250  # images on the way, for errors and responses: evaluation must not hold the race up
TEST_SHARE = 20  # but as many test images as a twentieth of those trained on in between: they cost a fiftieth of it

State = dict[str, Any]
"""Tensors, numbers, and lists and dictionaries of them: what `torch.load(weights_only=True)` reads back."""


def learning_rate(config: TrainingConfig, step: int, warming_up: bool = False) -> float:
    """The rate of one step, counted from 0; `warming_up` while the paper's warm-up for 110 layers lasts."""
    if warming_up:
        return config.warm_up_rate
    if step < config.warm_up_steps:
        return config.learning_rate * (step + 1) / config.warm_up_steps
    if config.schedule == "cosine":
        done = (step - config.warm_up_steps) / (config.steps - config.warm_up_steps)
        return config.learning_rate * (1 + math.cos(math.pi * done)) / 2
    return config.learning_rate * 0.1 ** sum(step >= milestone for milestone in config.milestones)


def kept_steps(config: TrainingConfig) -> tuple[int, ...]:
    """After how many steps the weights are kept for good, besides the end: of the paper's schedule, while the rate is
    still 0.1, and just before its first drop."""
    return tuple(sorted({config.steps // 4, config.steps // 2} - {0, config.steps}))


def train(
    network: nn.Module,
    images: ImageSet,
    config: TrainingConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    precision: str = "fp32",
) -> Iterator[Record]:
    """Train `network` in place and yield what is seen on the way; nothing happens between two calls of `next`."""
    training = Training(network, images, config, seed=seed, device=device, precision=precision)
    while not training.finished:
        yield from training.advance()


class Training:
    """One training, a step at a time.

    The numbers (not the times) depend on the arguments alone, on one machine with one number of threads: the order of
    images and their augmentation are drawn from `seed`, alike for every network. `state` after any step is all that
    another process needs to go on to the same bits.
    """

    def __init__(
        self,
        network: nn.Module,
        images: ImageSet,
        config: TrainingConfig,
        *,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "fp32",
    ) -> None:
        _check_classes(network, images)
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data, self.config = prepared(images, config, device), config
        self.device, self.precision = device, precision
        self.done = 0
        """Steps done."""
        self.seq = -1
        """Of the last record."""
        self.seconds = 0.0
        """Spent so far, evaluations included."""
        count = len(self.data.train_images)  # no self below: whoever lets go of a training frees its memory at once
        self._order = lru_cache(maxsize=2)(lambda epoch: epoch_order(count, seed, epoch))
        self._augmenting = torch.Generator().manual_seed(seed)
        self._descent = Descent(self.network.parameters(), config.momentum, config.weight_decay)
        self._captures = captures(network, device)
        step = partial(_step, self.network, self._descent, device, precision)  # no self: see above
        changed = [*network.parameters(), *network.buffers(), *self._descent.momenta]
        self._step: Callable[..., Tensor] = Captured(step, changed) if self._captures else step
        self._warming_up = config.warm_up_until_error > 0
        self._every = max(1, min(config.steps // STEP_RECORDS, MOST_STEPS))
        self._seen = torch.zeros(2, device=device)  # sum of losses, number of wrong answers since the last record
        self._steps_seen, self._step_seconds = 0, 0.0

    @property
    def finished(self) -> bool:
        """Whether all steps are done and recorded."""
        return self.seq >= 0 and self.done >= self.config.steps

    def advance(self) -> list[Record]:
        """Take one step (the first call only looks at the untrained network); what there is to record of it, if any.

        Raises ExplorerError where the loss is no longer a number.
        """
        began = time.perf_counter()
        if self.seq < 0:
            return [self._evaluation(began)]
        records: list[Record] = []
        rate = learning_rate(self.config, self.done, self._warming_up)
        self.network.train()
        # A float32 of its own on a GPU: a captured step holds on to what it is told as a number
        rate_there = torch.full((), rate, device=self.device) if self._captures else rate
        self._seen += self._step(*self._batch(), rate_there)
        self.done += 1
        self._steps_seen += 1
        recorded = self.done % self._every == 0 or self.done == self.config.steps
        sums = self._seen.tolist() if recorded else []  # waits for the device: only where it must
        elapsed = time.perf_counter() - began
        self.seconds += elapsed
        self._step_seconds += elapsed
        if recorded:
            records.append(self._step_record(sums[0], sums[1], rate))
        if _due(self.done, self.config.steps, self.config.evaluations):
            records.append(self._evaluation(time.perf_counter()))
        return records

    def state(self) -> State:
        """All that changes as the training goes on, on the CPU; shares no memory with it on another device."""
        return {
            "network": self.network.state_dict(),
            "momenta": self._descent.momenta,
            "generators": [generator.get_state() for generator in self._generators()],
            "progress": [self.done, self.seq, self._steps_seen],
            "seconds": [self.seconds, self._step_seconds],
            "warming_up": self._warming_up,
            "seen": self._seen.cpu(),
        }

    def restore(self, state: State) -> None:
        """Go on from the state of a training with the same arguments."""
        self.network.load_state_dict(state["network"])
        self._descent.restore(state["momenta"])
        for generator, kept in zip(self._generators(), state["generators"], strict=True):
            generator.set_state(kept)
        self.done, self.seq, self._steps_seen = state["progress"]
        self.seconds, self._step_seconds = state["seconds"]
        self._warming_up = state["warming_up"]
        self._seen = state["seen"].to(self.device)

    def _generators(self) -> list[torch.Generator]:
        blocks = [module.generator for module in self.network.modules() if isinstance(module, Chance)]
        return [self._augmenting, *blocks]

    def _batch(self) -> tuple[Tensor, Tensor]:
        """The next batch, augmented; what an epoch leaves over, the next begins with."""
        count, size = len(self.data.train_images), self.config.batch_size
        first, skipped = divmod(self.done * size, count)
        last = (self.done * size + size - 1) // count
        order = torch.cat([self._order(epoch) for epoch in range(first, last + 1)])
        chosen = sent(order[skipped : skipped + size], self.device)
        images = self.data.normalization(self.data.train_images[chosen])
        return augment(images, self.config.augmentation, self._augmenting), self.data.train_labels[chosen]

    def _step_record(self, losses: float, mistakes: float, rate: float) -> StepRecord:
        images = self._steps_seen * self.config.batch_size
        loss, wrong = losses / images, mistakes / images
        if not math.isfinite(loss):
            raise ExplorerError(told(DIVERGED, step=self.done))
        record = StepRecord(
            seq=self._next_seq(),
            step=self.done,
            epoch=self._epoch(),
            loss=loss,
            training_error=wrong,
            learning_rate=rate,
            images_per_second=images / self._step_seconds,
            seconds=self.seconds,
        )
        self._warming_up = self._warming_up and wrong >= self.config.warm_up_until_error
        self._seen, self._steps_seen, self._step_seconds = torch.zeros_like(self._seen), 0, 0.0
        return record

    def _evaluation(self, began: float) -> EvaluationRecord:
        data, normalization = self.data, self.data.normalization
        seen, tested = self._looked_at()
        batch = slice(0, min(self.config.batch_size, seen))
        with fused():
            with borrowed(self.network, own_statistics=not has_gathered(self.network)):
                test = logits(self.network, data.test_images[:tested], normalization, self.precision)
                with (
                    responses_heard(self.network) as responses,
                    branches_heard(self.network) as branches,
                    gates_heard(self.network) as gates,
                ):
                    clean = logits(self.network, data.train_images[:seen], normalization, self.precision)
            labels = data.train_labels[batch]
            gradients = layer_gradients(self.network, normalization(data.train_images[batch]), labels)
        errors = (
            error(clean, data.train_labels[:seen]),
            error(test, data.test_labels[:tested]),
            error(test, data.test_labels[:tested], top=5),
        )
        self.seconds += time.perf_counter() - began
        return EvaluationRecord(
            seq=self._next_seq(),
            step=self.done,
            epoch=self._epoch(),
            training_error=errors[0],
            training_images=seen,
            test_error=errors[1],
            test_top5_error=errors[2],
            test_images=tested,
            responses=responses(),
            seconds=self.seconds,
            gradients=gradients,
            branches=branches(),
            gates=gates(),
        )

    def _looked_at(self) -> tuple[int, int]:
        """How many clean training images and test images an evaluation looks at: all at the end."""
        clean, test = self.data.clean, len(self.data.test_images)
        if self.done == self.config.steps:
            return clean, test
        trained = self.config.steps * self.config.batch_size // self.config.evaluations
        return min(GLANCE, clean), min(max(GLANCE, trained // TEST_SHARE), test)

    def _epoch(self) -> float:
        return self.done * self.config.batch_size / len(self.data.train_images)

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq


def _step(
    network: nn.Module,
    descent: Descent,
    device: str,
    precision: str,
    images: Tensor,
    labels: Tensor,
    rate: float | Tensor,
) -> Tensor:
    """One step of SGD; (2,) sum of losses and number of wrong answers, left on the device."""
    with fused():
        with autocast(device, precision):
            outputs = network(images)
        loss = functional.cross_entropy(outputs.float(), labels)
        descent.forget_gradients()
        torch.autograd.backward(loss)  # inside: blocks may be computed again on the way back
    descent.step(rate)
    wrong = (outputs.detach().argmax(dim=1) != labels).sum()
    return torch.stack([loss.detach() * len(labels), wrong.float()])


def _check_classes(network: nn.Module, images: ImageSet) -> None:
    """Refuse images of more classes than the network tells apart."""
    if isinstance(network, ResidualNetwork) and len(images.classes) > network.config.classes:
        able = replace(network.config, classes=len(images.classes))
        raise RequestError(
            tr(
                "{images} has {there} classes, {network} tells {able} apart: take {other}",
                images=images.name,
                there=len(images.classes),
                network=network.config.name,
                able=network.config.classes,
                other=able.name,
            )  # fmt: skip
        )


def _due(done: int, steps: int, times: int) -> bool:
    """Whether one of `times` evenly spread moments, the last at the end, falls on this step."""
    return done * times // steps > (done - 1) * times // steps
