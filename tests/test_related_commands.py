"""Related work on the command line: JSON lines of what the page shows; what is wrong is one line and exit status 2."""

import json

import pytest

from explorer.__main__ import main


def _call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict], str]:
    try:
        status = main(["measure", *arguments, "--json"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    captured = capsys.readouterr()
    return status, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_multigrid(capsys) -> None:
    status, (found,), _ = _call(capsys, "multigrid", "--intervals", "64", "--smoother", "gauss-seidel")
    assert status == 0
    assert found["cycles"]["error_pair"] >= 10 > found["relaxation"]["error_pair"]
    assert len(found["cycles"]["residuals"]) == len(found["relaxation"]["work"]) == 9


def test_encodings_tell_each_dictionary_then_the_whole(capsys) -> None:
    asked = ("--data", "shapes", "--images", "20", "--draws", "2", "--words", "2,4")
    status, (*records, whole), _ = _call(capsys, "encodings", *asked)
    assert status == 0
    assert [(record["kind"], record["done"], record["words"]) for record in records] == [
        ("encodings", 1, 2), ("encodings", 2, 4), ("encodings", 3, 2), ("encodings", 4, 4),
    ]  # fmt: skip
    assert all(0 < score["average_precision"] <= 1 for record in records for score in record["scores"])
    assert whole["provenance"]["data"].startswith("Generated shapes")
    assert "scikit-learn" in whole["provenance"]["versions"]
    assert (whole["images"], whole["draws"], whole["words"]) == (20, 2, [2, 4])


@pytest.mark.parametrize(
    "arguments",
    [
        ("multigrid", "--intervals", "100"),
        ("multigrid", "--sweeps", "0"),
        ("multigrid", "--smoother", "magic"),
        ("encodings", "--data", "shapes", "--words", "four"),
        ("encodings", "--data", "shapes", "--words", "1,4"),
        ("encodings", "--data", "shapes", "--draws", "1000"),
    ],
)
def test_what_is_wrong_is_one_line(capsys, arguments: tuple[str, ...]) -> None:
    status, out, error = _call(capsys, *arguments)
    assert (status, out) == (2, [])
    assert error.count("\n") == 1
