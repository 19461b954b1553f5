"""Blocks taken away and exchanged: against a network that was really built without them."""

import itertools

import pytest
import torch
from torch import nn

from explorer.config import network
from explorer.data.prepared import Normalization
from explorer.evaluation import error, logits
from explorer.measurement import lesions
from explorer.measurement.subject import Subject
from explorer.network_config import is_entry
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork

NAMES = ["resnet-20:width=4", "plain-20:width=4", "resnet-14:width=4,shortcut=B", "preresnet-20:width=4",
         "highway-14:width=4", "resnet-29-bottleneck:width=4"]  # fmt: skip


def _subject(name: str, images: int = 600) -> Subject:
    """An untrained network whose BN has gathered statistics, so that evaluation mode says something."""
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (images, 3, 16, 16), generator=generator, dtype=torch.uint8)
    model = build(network(name), seed=4)
    normalization = Normalization(torch.full((3, 1, 1), 0.5), torch.ones(3, 1, 1))
    with torch.no_grad():
        for _ in range(3):
            model.train()(normalization(pixels[:100]))
    labels = logits(model, pixels, normalization).argmax(dim=1)  # right by construction, but for every seventh
    labels[::7] = (labels[::7] + 1) % 10
    return Subject(model, pixels, labels, normalization)


class _Without(nn.Module):
    """The independent way: a copy of the network, walked through with one block replaced by its shortcut."""

    def __init__(self, model: ResidualNetwork, removed: str) -> None:
        super().__init__()
        self.model, self.removed = model, removed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        model = self.model
        x = model.conv(x)
        x = x if model.config.preactivation else torch.relu(model.bn(x))
        for stage, blocks in model.stages.items():
            for index, block in enumerate(blocks):
                x = self._shortcut(block, x) if f"{stage}.{index}" == self.removed else block(x)
        x = torch.relu(model.bn(x)) if model.config.preactivation else x
        return model.head(x.mean(dim=(2, 3)))

    def _shortcut(self, block: nn.Module, x: torch.Tensor) -> torch.Tensor:
        pre = self.model.config.preactivation
        first = pre and block.shares_activation
        start = torch.relu(block.bn1(x)) if first else x
        if block.shortcut is not None:
            carried = block.shortcut(start)
        else:
            stride = block.conv1.stride[0]
            carried = start[:, :, ::stride, ::stride]
            more = block.conv2.out_channels - carried.shape[1]
            carried = torch.cat([carried, carried.new_zeros(len(x), more, *carried.shape[2:])], dim=1)
        return carried if pre or self.model.config.shortcut == "gate" else torch.relu(carried)


@pytest.mark.parametrize("name", NAMES)
def test_each_lesion_is_what_brute_force_gives_to_the_last_image(name: str) -> None:
    subject = _subject(name)
    *_, last = lesions.single(subject)
    assert last.whole == error(logits(subject.network, subject.images, subject.normalization), subject.labels)
    assert last.whole == pytest.approx(1 / 7, abs=0.002)
    assert [lesion.blocks for lesion in last.lesions] == [(name,) for name in list(subject.network.config.block_names)]
    for lesion in last.lesions:
        alone = _Without(subject.network, *lesion.blocks).eval()
        assert lesion.error == error(logits(alone, subject.images, subject.normalization), subject.labels), lesion
        assert lesion.error == lesions.error_without(subject, lesion.blocks)
    assert max(lesion.error for lesion in last.lesions) > last.whole


def test_records_come_batch_by_batch_and_end_with_all_images() -> None:
    subject = _subject("resnet-8:width=4")
    seen = [(record.seq, record.done, record.of) for record in lesions.single(subject)]
    assert seen == [(0, 250, 600), (1, 500, 600), (2, 600, 600)]
    modes = {module.training for module in subject.network.modules()}
    assert modes == {True}, "the network is left as it was found"


def test_an_identity_block_can_be_taken_away_unseen() -> None:
    subject = _subject("resnet-20:width=4")
    block = subject.network.stages["stage2"][1]
    nn.init.zeros_(block.bn2.weight)  # F(x) = 0 with the zero bias of BN
    nn.init.zeros_(block.bn2.bias)
    *_, last = lesions.single(subject)
    assert last.lesions[4].error == last.whole
    assert last.lesions[4].blocks == ("stage2.1",)


def test_stage_entries_are_told_and_never_drawn() -> None:
    subject = _subject("resnet-20:width=4", images=50)
    entries = [name for name in list(subject.network.config.block_names) if is_entry(name)]
    assert entries == ["stage2.0", "stage3.0"]
    *_, last = lesions.several(subject, [1, 2, 7, 8], draws=3, seed=1)
    assert [len(lesion.blocks) for lesion in last.lesions] == [1] * 3 + [2] * 3 + [7] * 3  # 8 are not there
    assert not {"stage2.0", "stage3.0"} & set(itertools.chain(*(lesion.blocks for lesion in last.lesions)))
    for lesion in last.lesions:
        assert lesion.error == lesions.error_without(subject, lesion.blocks)
    *_, again = lesions.several(subject, [1, 2, 7], draws=3, seed=1)
    assert again.lesions == last.lesions


def test_an_exchange_is_the_network_with_those_blocks_exchanged() -> None:
    subject = _subject("resnet-20:width=4", images=300)
    found = [record.lesions[-1] for record in lesions.swapped(subject, [0, 1], draws=2, seed=3)]
    assert found[0].blocks == subject.network.config.block_names
    *_, last = lesions.single(subject)
    assert found[0].error == found[1].error == last.whole
    order, before = found[2].blocks, list(subject.network.config.block_names)
    moved = [name for name, there in zip(before, order, strict=True) if name != there]
    assert len(moved) == 2
    assert moved[0].split(".")[0] == moved[1].split(".")[0]
    stage = subject.network.stages[moved[0].split(".")[0]]
    one, other = (int(name.split(".")[1]) for name in moved)
    blocks = list(stage)
    blocks[one], blocks[other] = blocks[other], blocks[one]
    subject.network.add_module(moved[0].split(".")[0], nn.Sequential(*blocks))
    assert found[2].error == error(logits(subject.network, subject.images, subject.normalization), subject.labels)
