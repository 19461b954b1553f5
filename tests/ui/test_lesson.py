"""The lesson: every step in both languages, a guess before the result, and no number without a source."""

import re

import pytest

from explorer import paper
from explorer.language import LANGUAGES
from explorer.ui import lesson
from tests.ui.visits import visit, words

NAMES = [step.name for step in lesson.STEPS]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_a_short_text_in_every_language(name: str, language: str) -> None:
    title, body = lesson.text(name, language)
    assert title
    assert not title.startswith("#")
    if language == "en":
        assert len(body.split()) <= 120
    else:
        assert re.search("[가-힣]", body)
        assert not re.search(r"(?<!\*)\*(?!\*)\S", body), "slanted Hangul is hard to read: bold"


@pytest.mark.parametrize("name", NAMES)
def test_every_step_opens_by_its_address(name: str) -> None:
    app = visit("lesson", step=name, lang="ko")
    assert not app.exception
    assert app.title[0].value == lesson.text(name, "ko")[0]


def test_the_result_comes_after_the_guess_and_the_guess_stays() -> None:
    app = visit("lesson")
    assert not app.main.get("bidi_component")
    assert "learnt less" not in words(app), "the text does not say it before the guess"
    app.radio(key="lesson-answer-stacking").set_value("lower").run()
    assert app.main.get("bidi_component")
    assert "Measured: higher" in words(app)
    assert "learnt less" in words(app)
    app.button(key="lesson-next").click().run()
    assert app.query_params["step"] == "gradients"
    app.button(key="lesson-back").click().run()
    assert app.radio(key="lesson-answer-stacking").value == "lower"


def test_one_can_look_without_a_guess() -> None:
    app = visit("lesson", step="overfitting")
    assert not app.table
    app.button(key="lesson-answer-overfitting-skip").click().run()
    assert "7.93%" in app.table[0].value.to_string()


def test_guesses_are_judged_by_what_was_measured() -> None:
    measured = {step.name: step.question.measured() for step in lesson.STEPS if step.question}
    assert measured["stacking"] == "higher"
    assert measured["degradation"] == "healthy"
    assert measured["responses"] == "smaller"
    assert measured["overfitting"] == "higher"
    for step in lesson.STEPS:
        if step.question and measured[step.name] is not None:
            assert measured[step.name] in step.question.choices


def test_numbers_of_the_texts_are_the_papers() -> None:
    """Every number with a fraction or a per cent sign, and what it is in the one table of printed figures."""
    cited = {"0.1 %": paper.printed_errors("resnet", 1202).training, "28 %": 27.2 / 21.2 - 1}
    for name in NAMES:
        found = set(re.findall(r"\d+(?:\.\d+)? %", lesson.text(name, "en")[1]))
        assert found <= set(cited), name
        assert found == set(re.findall(r"\d+(?:\.\d+)? %", lesson.text(name, "ko")[1])), name
    assert cited["0.1 %"] == pytest.approx(0.001)
    assert cited["28 %"] == pytest.approx(0.28, abs=0.005)
    assert (paper.DETECTION[-1][2], paper.DETECTION[-1][3]) == (21.2, 27.2)
