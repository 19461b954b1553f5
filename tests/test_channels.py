"""How much the channels of a layer differ."""

import json

import pytest
import torch

from explorer.__main__ import main
from explorer.config import network
from explorer.measurement.channels import channel_spreads
from explorer.networks.build import build
from explorer.networks.residual import response_layers
from explorer.recordings import Library


def test_a_channels_spread_is_that_of_its_response() -> None:
    model = build(network("resnet-8:width=20"))
    generator = torch.Generator().manual_seed(1)
    for bn in response_layers(model).values():
        torch.nn.init.normal_(bn.weight, generator=generator)
    images = torch.randn(32, 3, 16, 16, generator=generator)
    with torch.no_grad():
        stds = model.train().bn(model.conv(images)).std(dim=(0, 2, 3), correction=0).sort().values
    spread = channel_spreads(model)[0]
    assert spread.layer == "conv"
    assert spread.middle == pytest.approx(float(stds.quantile(0.5)), rel=1e-3)
    assert stds[1] < spread.low < stds[3]  # a tenth of twenty
    assert stds[16] < spread.high < stds[18]
    assert len(channel_spreads(model)) == 7


def test_without_bn_there_is_none() -> None:
    assert channel_spreads(build(network("plain-8:bn=off"))) == ()


def test_the_command_tells_a_recorded_networks_channels(capsys: pytest.CaptureFixture[str]) -> None:
    run = next(run for run in Library().runs() if run.config.network.name == "plain-20")
    assert main(["measure", "channels", run.run, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    assert len(told["channels"]) == 19
    assert all(0 <= one["low"] <= one["middle"] <= one["high"] for one in told["channels"])
