"""The pages Inside and Runs as a Korean reader sees them: no exception, and no English sentence."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.config import RunConfig
from explorer.language import using
from explorer.runs import Store
from tests.ui.visits import finished, keep_weights, visit

VIEWS = {
    "gradients": ("before", "over", "paths"),
    "lesions": ("",),
    "surface": ("",),
    "toys": ("linear", "shattered", "signal"),
    "related_work": ("multigrid", "encodings", "highway", "inception"),
    "runs": ("",),
}
TITLES = {
    "gradients": "기울기 소실 때문일까요?",
    "lesions": "학습된 네트워크에서 블록을 빼면 어떻게 될까요?",
    "surface": "학습된 가중치 둘레에서 손실은 어떤 모양일까요?",
    "toys": "숏컷은 왜 도움이 될까요?",
    "related_work": "잔차와 숏컷을 먼저 쓴 연구는 무엇일까요?",
    "runs": "무엇을 학습했나요?",
}
ENGLISH = (  # papers and their authors
    "Residual Networks Behave Like Ensembles of Relatively Shallow Networks",
    "Visualizing the Loss Landscape of Neural Nets",
    "Identity Matters in Deep Learning",
    "The Shattered Gradients Problem",
    "Batch Normalization Biases Residual Blocks Towards the Identity Function",
    "Veit, Wilber and Belongie",
    "Li, Xu, Taylor, Studer and Goldstein",
    "Hardt and Ma",
    "Balduzzi et al.",
    "De and Smith",
    "Residual Representations",
    "A Multigrid Tutorial",
    "Jégou et al. 2012, Perronnin and Dance 2007",
)
_NO_WORDS = re.compile(
    r"<style>.*?</style>|<div class=\"rx-provenance\".*?</div>|<[^>]*>|`[^`]*`|%\{[^}]*\}"
    r"|\b(?:plain|resnet|preresnet|highway|skipinit)-\d\S*",
    re.S,
)
_SENTENCE = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[\s,;:.()]+[A-Za-z][A-Za-z'’-]*){3,}")


@pytest.mark.parametrize(("page", "view"), [(page, view) for page, views in VIEWS.items() for view in views])
def test_the_page_is_in_korean(store: Store, monkeypatch: pytest.MonkeyPatch, page: str, view: str) -> None:
    _runs(store)
    app = visit(page, lang="ko", **({"view": view} if view else {}))
    assert not app.exception
    assert app.title[0].value == TITLES[page]
    assert _english(app) == []


@pytest.mark.parametrize("page", ["gradients", "lesions", "surface", "runs"])
def test_an_empty_store_says_so_in_korean(
    store: Store, monkeypatch: pytest.MonkeyPatch, page: str, tmp_path: Any
) -> None:
    from explorer.recordings import Library

    monkeypatch.setattr("explorer.ui.resources.library", lambda: Library(tmp_path))
    for view in VIEWS[page]:
        app = visit(page, lang="ko", **({"view": view} if view else {}))
        assert not app.exception
        assert _english(app) == []
    assert any("아직" in info.value for info in app.info)


@pytest.mark.parametrize("what", ["remove", "swap", "choose"])
def test_what_is_done_to_blocks_is_said_in_korean(store: Store, what: str) -> None:
    plain, residual = _runs(store)
    app = visit("lesions", lang="ko")
    with using("ko"):  # the test, too, says what it presses
        app.selectbox(key="lesions-first").select(plain.run)
        app.selectbox(key="lesions-second").select(residual.run)
        app.segmented_control(key="lesions-what").select(what).run()
    assert not app.exception
    assert _english(app) == []
    if what == "choose":
        with using("ko"):
            app.pills(key=f"lesions-blocks-{plain.run}").select("stage1.0").run()
        assert "블록 3개 중 1개를 빼면" in " ".join(_words(app))
        assert _english(app) == []


@pytest.mark.parametrize(("key", "value"), [("view", "slices"), ("view", "landscape"), ("plane", "path")])
def test_surfaces_in_every_view(store: Store, key: str, value: str) -> None:
    app = visit("surface", lang="ko")
    with using("ko"):
        app.segmented_control(key=f"surface-{key}").select(value).run()
    assert not app.exception
    assert _english(app) == []


def test_chosen_runs_can_be_renamed_exported_and_deleted_in_korean(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.ui import run_table

    _runs(store)
    monkeypatch.setattr(run_table, "_table", lambda active: run_table._chosen(store.runs()[:1]))
    app = visit("runs", lang="ko")
    assert not app.exception
    assert _english(app) == []
    assert {"이름", "실행 1개 삭제", "내보내기"} <= set(_words(app))


def _runs(store: Store) -> list[RunConfig]:
    configs = [finished(store, family, 8) for family in ("plain", "resnet")]
    for config in configs:
        keep_weights(store, config)
    return configs


def _english(app: AppTest) -> list[str]:
    found = []
    for text in _words(app):
        text = _NO_WORDS.sub(" … ", text)
        for allowed in ENGLISH:
            text = text.replace(allowed, "…")
        found += _SENTENCE.findall(text)
    return found


def _words(app: AppTest) -> Iterator[str]:
    """All texts of the messages that the browser is sent, and what the figures say."""
    for block in (app.main, app.sidebar):
        for element in _elements(block):
            proto = element.proto
            if element.type == "bidi_component":
                [sent] = json.loads(proto.json)
                yield sent.get("alt") or ""
                figure = json.loads(sent["figure"]) if isinstance(sent.get("figure"), str) else sent.get("figure") or {}
                yield from _of_figure(figure)
                continue
            yield from _of_proto(proto)


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if getattr(child, "children", None):
            if child.proto is not None:
                yield from _Shell.of(child)
            yield from _elements(child)
        else:
            yield child


class _Shell:
    """A block's own words: the label of a tab or of an expander."""

    def __init__(self, proto: Any) -> None:
        self.type, self.proto = "block", proto

    @classmethod
    def of(cls, child: Any) -> Iterator["_Shell"]:
        for kind in ("tab", "expandable", "popover"):
            if getattr(child.proto, kind, None) is not None:
                yield cls(getattr(child.proto, kind))


_TEXTS = ("label", "body", "help", "options", "placeholder", "content", "caption")


def _of_proto(proto: Any) -> Iterator[str]:
    for name in _TEXTS:
        value = getattr(proto, name, "")
        if isinstance(value, str):
            yield value
            continue
        for one in value:
            yield one if isinstance(one, str) else str(getattr(one, "content", ""))


def _of_figure(part: Any, key: str = "") -> Iterator[str]:
    if isinstance(part, str):
        if key in ("name", "text", "hovertemplate", "ticktext"):
            yield part
        return
    items = part.items() if isinstance(part, dict) else ((key, one) for one in part) if isinstance(part, list) else ()
    for name, value in items:
        yield from _of_figure(value, name)
