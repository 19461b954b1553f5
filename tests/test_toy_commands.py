"""The toys on the command line: one JSON line of what the page shows; what is wrong is one line and exit status 2."""

import json

import pytest

from explorer.__main__ import main


def _call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(["measure", *arguments, "--json"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_deep_linear(capsys) -> None:
    status, out, _ = _call(capsys, "deep-linear", "--target", "mirror", "--steps", "5")
    found = json.loads(out)
    assert status == 0
    assert [fit["depth"] for fit in found["fits"]] == [1, 2, 4, 8, 16, 32, 64]
    assert {fit["constructed_norm"] for fit in found["fits"]} == {None}


def test_shattering(capsys) -> None:
    status, out, _ = _call(capsys, "shattering", "--depth", "3", "--networks", "2", "--scale", "0.1")
    found = json.loads(out)
    assert status == 0
    assert len(found["plain"]["neighbours"]) == len(found["resnet"]["correlations"]) == 3
    assert found["plain"]["neighbours"][2] < found["resnet"]["neighbours"][2]


def test_propagation(capsys) -> None:
    networks = ("plain-8:width=4", "resnet-8:width=4,bn=off")
    status, out, _ = _call(capsys, "propagation", *networks, "--data", "shapes", "--images", "4")
    plain, residual = json.loads(out)["networks"]
    assert status == 0
    assert [plain["network"], residual["network"]] == list(networks)
    assert [block["trunk"] for block in plain["blocks"]] == [None] * 3
    assert all(0 < block["share"] < 1 for block in residual["blocks"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("deep-linear", "--steps", "-1"),
        ("deep-linear", "--target", "knot"),
        ("shattering", "--depth", "0"),
        ("propagation", "resnet-20-bottleneck", "--data", "shapes"),
        ("propagation", "resnet-20", "--data", "shapes", "--images", "0"),
    ],
)
def test_what_is_wrong_is_one_line(capsys, arguments: tuple[str, ...]) -> None:
    status, out, error = _call(capsys, *arguments)
    assert (status, out) == (2, "")
    assert error.count("\n") == 1


def test_initialisation_tells_signal_and_gradient_of_each_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "measure",
                "initialisation",
                "plain-8",
                "plain-8:bn=off,init=small",
                "--data",
                "shapes",
                "--images",
                "8",
                "--json",
            ]
        )
        == 0
    )
    with_bn, without = json.loads(capsys.readouterr().out)["networks"]
    assert [len(network["layers"]) for network in (with_bn, without)] == [7, 7]
    assert all(layer["signal"] == pytest.approx(1, abs=0.01) for layer in with_bn["layers"])
    assert without["layers"][-1]["signal"] < 0.1
    assert all(layer["gradient"] > 0 for layer in with_bn["layers"])
