"""Texts in two languages: none is missing, each says the same fields, and each visitor reads his own."""

import threading

import pytest
from babel.messages.pofile import read_po

from explorer import language
from explorer.language import LANGUAGES, later, retold, told, tr, using
from tests.said import ROOT, fields, said

OTHERS = [name for name in LANGUAGES if name != language.ENGLISH]


def _catalogue(name: str) -> dict[str, str]:
    with (ROOT / "assets" / "locale" / name / "LC_MESSAGES" / "explorer.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file, abort_invalid=True) if message.id}


def test_every_text_can_be_translated() -> None:
    assert [one.where for one in said() if one.text is None and "explorer/language.py" not in one.where] == []


@pytest.mark.parametrize("name", OTHERS)
def test_no_translation_is_missing_and_none_is_left_over(name: str) -> None:
    texts, catalogue = {one.text for one in said() if one.text}, _catalogue(name)
    assert sorted(texts - {text for text, translated in catalogue.items() if translated}) == []
    assert sorted(set(catalogue) - texts) == []


@pytest.mark.parametrize("name", OTHERS)
def test_each_translation_has_the_fields_of_its_text(name: str) -> None:
    wrong = [text for text, translated in _catalogue(name).items() if fields(text) != fields(translated)]
    assert wrong == []


def test_what_is_not_translated_is_said_in_english() -> None:
    with using("ko"):
        assert tr("no such text, {name}", name="you") == "no such text, you"
    assert told(later("{half:.0%} {braces}"), half=0.5, braces="{}") == "50% {}"
    assert tr("100% {}") == "100% {}", "without values nothing is filled in"


def test_what_was_filled_in_in_english_is_told_again() -> None:
    templates = ("{count} CPU cores ({processor})", "{left} by {right}")
    with using("ko"):
        assert retold("2 CPU cores (AMD EPYC)", templates) == "CPU 코어 2개(AMD EPYC)"
        assert retold("NVIDIA H200", templates) == "NVIDIA H200"
    assert retold("2 CPU cores (AMD EPYC)", templates) == "2 CPU cores (AMD EPYC)"


def test_each_thread_has_the_language_that_was_chosen_for_it() -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(language.language())

    with using("ko"):
        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    look()
    assert seen == ["ko", "en", "en"]
