"""Lines that refuse something, in the language of who asked; English for the command line and for workers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.config import RunConfig, TrainingConfig, network
from explorer.data import sources
from explorer.data.picture import read_picture
from explorer.errors import ExplorerError, RequestError
from explorer.language import using
from explorer.recordings import SUFFIX, Library, unpack
from explorer.weights import read

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: network("plane-20"), "모르는 네트워크"),
    (lambda: network("resnet-21"), "가장 가까운 것은 20, 26"),
    (lambda: network("resnet-34"), "표 1의 네트워크는 resnet-34@imagenet"),
    (lambda: network("plain-20:strength=0.5"), "plain-20: strength에는 숏컷"),
    (lambda: network("resnet-20:bn=maybe"), "on 또는 off"),
    (lambda: TrainingConfig(steps=0), "정수여야 합니다"),
    (lambda: RunConfig(network("resnet-50@imagenet")), "CIFAR-10용 네트워크"),
    (lambda: sources.resolve("no/such/folder"), "데이터셋이 아닙니다"),
    (lambda: read_picture(b"no picture", 32), "이 파일: 읽을 수 있는 이미지가 아닙니다"),
    (lambda: unpack(b"no zip", "mine.zip"), "온전한 기록 파일이 아닙니다"),
    (lambda: read(b"no weights", "mine.pth"), "안전하게 읽을 수 있는 가중치 파일이 아닙니다"),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_refusal_is_said_in_the_readers_language(asked: Callable[[], object], said: str) -> None:
    with using("ko"), pytest.raises(ExplorerError) as korean:
        asked()
    assert said in str(korean.value)
    with pytest.raises(ExplorerError) as english:
        asked()
    assert str(english.value).isascii()


def test_only_a_wrong_depth_is_answered_with_table_1() -> None:
    with pytest.raises(RequestError, match=r"^depth 34 is not 6n\+2 .*; the one of Table 1 is resnet-34@imagenet$"):
        network("resnet-34")
    with pytest.raises(RequestError) as wide:
        network("resnet-34:width=0")
    assert "Table 1" not in str(wide.value)


def test_broken_recordings_are_told_to_each_reader_in_his_language(tmp_path: Path) -> None:
    library = Library(tmp_path)
    (tmp_path / f"broken{SUFFIX}").write_bytes(b"no zip")
    with using("ko"):
        assert "온전한 기록 파일이 아닙니다" in library.problems[0]
    assert "is not a whole recording" in library.problems[0]


def test_what_a_worker_or_the_download_said_in_english_is_retold() -> None:
    from explorer.config import DIVERGED
    from explorer.data.fetch import MESSAGES
    from explorer.language import retold, told, using

    with using("ko"):
        said = retold("the loss was no number any more by step 450: try a lower learning rate", (DIVERGED,))
        assert said.startswith("450스텝")
        for template in MESSAGES:
            values = dict.fromkeys(("reasons", "reason", "files", "folder"), "x")
            with using("en"):
                english = told(template, **values)
            assert retold(english, MESSAGES) == told(template, **values) != english
