"""A page in the visitor's language, as the address asks for it."""

import pytest

from tests.ui.visits import visit, words


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
