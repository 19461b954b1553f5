"""Training as a generator of records: step, pause, stop, replay and test are callers of one function."""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.config import TrainingConfig
from explorer.data.augmentation import augment, epoch_order
from explorer.data.image_set import ImageSet
from explorer.data.prepared import PreparedData, prepared
from explorer.device import autocast
from explorer.evaluation import error, logits
from explorer.measurement.responses import layer_responses
from explorer.records import EvaluationRecord, Record, StepRecord

STEP_RECORDS = 100  # over a short run: a curve with a point every hundredth of the way
MOST_STEPS = 50  # between two records, so that the curve of a long run grows before one's eyes
RESPONSE_IMAGES = 512


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


def train(
    network: nn.Module,
    images: ImageSet,
    config: TrainingConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    precision: str = "fp32",
) -> Iterator[Record]:
    """Train `network` in place and yield what is seen on the way; the first record is the untrained network's.

    Nothing happens between two calls of `next`. The numbers (not the times) depend on the arguments alone, on one
    machine with one number of threads: the order of images and their augmentation are drawn from `seed`, alike for
    every network.
    """
    data = prepared(images, config, device)
    return _Run(network, data, config, seed, device, precision).records()


class _Run:
    """What the steps of one training share."""

    def __init__(
        self, network: nn.Module, data: PreparedData, config: TrainingConfig, seed: int, device: str, precision: str
    ) -> None:
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data, self.config, self.seed = data, config, seed
        self.device, self.precision = device, precision
        self.optimizer = torch.optim.SGD(
            network.parameters(),
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.seq = -1
        self.start = time.perf_counter()

    def records(self) -> Iterator[Record]:
        config = self.config
        warming_up = config.warm_up_until_error > 0
        seen = torch.zeros(2, device=self.device)  # sum of losses, number of wrong answers: read only at a record
        steps_seen, training_seconds = 0, 0.0
        every = max(1, min(config.steps // STEP_RECORDS, MOST_STEPS))
        yield self._evaluation(0)
        batches = self._batches()
        for step in range(config.steps):
            began = time.perf_counter()
            rate = learning_rate(config, step, warming_up)
            seen += self._step(*next(batches), rate)
            done = step + 1
            steps_seen += 1
            if done % every == 0 or done == config.steps:
                loss, wrong = (value / (steps_seen * config.batch_size) for value in seen.tolist())
                training_seconds += time.perf_counter() - began
                per_second = steps_seen * config.batch_size / training_seconds
                yield self._step_record(done, loss, wrong, rate, per_second)
                warming_up = warming_up and wrong >= config.warm_up_until_error
                seen, steps_seen, training_seconds = torch.zeros_like(seen), 0, 0.0
            else:
                training_seconds += time.perf_counter() - began
            if _due(done, config.steps, config.evaluations):
                yield self._evaluation(done)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented batches without end; what an epoch leaves over, the next begins with."""
        count, size = len(self.data.train_images), self.config.batch_size
        generator = torch.Generator().manual_seed(self.seed)
        epoch, order = 0, epoch_order(count, self.seed, 0)
        while True:
            while len(order) < size:
                epoch += 1
                order = torch.cat([order, epoch_order(count, self.seed, epoch)])
            chosen, order = order[:size].to(self.device), order[size:]
            images = self.data.normalization(self.data.train_images[chosen])
            yield augment(images, self.config.augmentation, generator), self.data.train_labels[chosen]

    def _step(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """One step of SGD; (2,) sum of losses and number of wrong answers, left on the device."""
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with autocast(self.device, self.precision):
            outputs = self.network(images)
        loss = functional.cross_entropy(outputs.float(), labels)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        wrong = (outputs.detach().argmax(dim=1) != labels).sum()
        return torch.stack([loss.detach() * len(labels), wrong.float()])

    def _step_record(self, done: int, loss: float, wrong: float, rate: float, per_second: float) -> StepRecord:
        return StepRecord(
            seq=self._next_seq(),
            step=done,
            epoch=self._epoch(done),
            loss=loss,
            training_error=wrong,
            learning_rate=rate,
            images_per_second=per_second,
            seconds=self._seconds(),
        )

    def _evaluation(self, done: int) -> EvaluationRecord:
        data, normalization = self.data, self.data.normalization
        test = logits(self.network, data.test_images, normalization, self.precision)
        clean = logits(self.network, data.train_images[: data.clean], normalization, self.precision)
        response_images = normalization(data.train_images[: min(RESPONSE_IMAGES, data.clean)])
        responses = layer_responses(self.network, response_images, own_statistics=done == 0)
        return EvaluationRecord(
            seq=self._next_seq(),
            step=done,
            epoch=self._epoch(done),
            training_error=error(clean, data.train_labels[: data.clean]),
            training_images=data.clean,
            test_error=error(test, data.test_labels),
            test_top5_error=error(test, data.test_labels, top=5),
            test_images=len(data.test_images),
            responses=responses,
            seconds=self._seconds(),
        )

    def _epoch(self, done: int) -> float:
        return done * self.config.batch_size / len(self.data.train_images)

    def _seconds(self) -> float:
        return time.perf_counter() - self.start

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq


def _due(done: int, steps: int, times: int) -> bool:
    """Whether one of `times` evenly spread moments, the last at the end, falls on this step."""
    return done * times // steps > (done - 1) * times // steps
