"""A page in the visitor's language, as the address asks for it."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attribution.methods import METHODS
from explorer.language import using
from explorer.runs import Store
from explorer.ui.names import label
from tests.ui.visits import ROUTER, everything, finished, keep_weights, visit, words

TITLES = {
    "degradation": "더 좋은 네트워크를 배우는 일은 층을 더 쌓는 것만큼 쉬울까요?",
    "architecture": "숏컷은 무엇을 바꾸고 무엇을 그대로 둘까요?",
    "depth": "학습이 끝나면 깊이를 늘린 보람이 있을까요?",
    "responses": "잔차 네트워크의 층은 플레인보다 신호를 덜 바꿀까요?",
    "attributions": "네트워크마다 이미지의 어디가 중요했을까요?",
}
_NO_WORDS = re.compile(
    r"<style>.*?</style>|<[^>]*>|`[^`]*`|https?://\S+|\([^()]*et al\.[^()]*\)|\([^()]*and Smith 2020\)", re.DOTALL
)
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z'’]*(?:[ ,;:.]+[A-Za-z][A-Za-z'’]*){3,}")
_ALLOWED = re.compile("|".join([*(re.escape(method.label) for method in METHODS.values()), r"\b(?:BN|ReLU|conv|fc)\b"]))
_IN_TAGS = re.compile(r"(?:aria-label|title)=(?:\"([^\"]*)\"|'([^']*)')")


def test_the_address_says_the_language() -> None:
    app = visit("degradation", lang="ko")
    assert app.title[0].value == "더 좋은 네트워크를 배우는 일은 층을 더 쌓는 것만큼 쉬울까요?"
    assert "학습 오류율이 올라갑니다" in words(app)
    assert app.selectbox(key="data").options == ["생성한 도형"]


@pytest.mark.parametrize("address", [{}, {"lang": "en"}, {"lang": "xx"}])
def test_english_otherwise(address: dict[str, str]) -> None:
    app = visit("degradation", **address)
    assert not app.exception
    assert app.title[0].value.startswith("Is learning better networks")


def test_the_address_keeps_names_in_every_language() -> None:
    app = visit("degradation", lang="ko", recipe="longer", depths="14 | 44")
    assert app.segmented_control(key="recipe").value == "longer"
    assert app.query_params["recipe"] == "longer"
    app = visit("degradation", recipe="길게")
    assert app.segmented_control(key="recipe").value == "brief", "what the address asks for and is not there"
    assert "recipe" not in app.query_params


def test_runs_are_called_by_their_usual_names_in_every_language_and_by_given_ones_as_they_are(store: Store) -> None:
    run = store.get(finished(store, "plain", 8).run)
    assert run
    assert label(run) == run.label == "plain-8:width=8 · seed 0"
    with using("ko"):
        assert label(run) == "plain-8:width=8 · 시드 0"
        assert label(replace(run, label="mine · seed of all")) == "mine · seed of all"


def _english(app: AppTest) -> list[str]:
    """Runs of four English words or more, code and names apart."""
    texts = [part for text in everything(app) for part in (text, *("".join(one) for one in _IN_TAGS.findall(text)))]
    said = [_ALLOWED.sub("·", _NO_WORDS.sub(" · ", text)) for text in texts]
    return [found for text in said for found in _ENGLISH.findall(text)]


@pytest.mark.parametrize("name", TITLES)
def test_a_page_says_nothing_in_english_before_anything_was_trained(name: str) -> None:
    app = visit(name, lang="ko")
    assert not app.exception
    assert app.title[0].value == TITLES[name]
    assert _english(app) == []


@pytest.mark.parametrize("name", TITLES)
def test_a_page_says_nothing_in_english_of_what_was_trained_here(store: Store, name: str) -> None:
    for family, depth in (("plain", 8), ("plain", 32), ("resnet", 8), ("resnet", 32)):
        config = finished(store, family, depth)
        if depth == 8:
            keep_weights(store, config)
    app = visit(name, lang="ko")
    assert not app.exception
    assert not app.error
    assert _english(app) == []


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("architecture", {"view": "table-1"}),
        ("architecture", {"network": "googlenet"}),
        ("architecture", {"network": "highway-32", "beside": "vgg-16"}),
        ("architecture", {"network": "resnet-44:zeros=around,survival=0.5", "beside": "preresnet-164"}),
    ],
)
def test_no_drawing_and_no_table_says_anything_in_english(name: str, address: dict[str, str]) -> None:
    app = visit(name, lang="ko", **address)
    assert not app.exception
    assert _english(app) == []


def test_the_check_finds_what_is_english() -> None:
    assert _english(visit("architecture"))
    assert _english(visit("depth"))


def test_a_browser_that_sends_no_language_keeps_that_of_the_address() -> None:
    app = AppTest.from_file(ROUTER, default_timeout=60)
    app.query_params["lang"] = "ko"
    app.session_state["lang"] = None  # what a browser sends that has missed the run which set the switch
    app.run()

    assert not app.exception
    assert app.session_state["lang"] == "ko"
    assert app.query_params["lang"] == "ko"
