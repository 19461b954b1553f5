"""The first page while its browser still loads Streamlit: the recorded sentences and curves, before any script.

A browser that was never here takes seconds to load and start Streamlit and plotly.js. So at the root the server answers
with Streamlit's own page that has the picture in it already, as HTML where Streamlit will draw it; it goes as soon as
the chart is drawn (opening.js). Those who hear the page hear Streamlit's alone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import escape
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from explorer.errors import ExplorerError
from explorer.language import ENGLISH, LANGUAGES, told, using
from explorer.plots import still
from explorer.ui import frame, login, sitemap

log = logging.getLogger(__name__)

_HERE = Path(__file__)
_INDEX = Path(st.__file__).with_name("static") / "index.html"
_KNOWN = {"lang", "theme"}  # what else an address asks for may be another picture
_HEADERS = {"Cache-Control": "no-cache"}  # Streamlit's own for this page
_made: dict[str, str] = {}
"""By language, the page with the picture in it."""


def make() -> None:
    """Have the picture ready in every language; until it is, visitors get Streamlit's page as it is, at once."""
    with _kept_from_nobody():
        for language in LANGUAGES:
            _made[language] = with_opening(language)


async def answer(request: Request) -> Response:
    """Streamlit's page, with the picture in it where that is what this visitor will be shown."""
    made = _made.get(_language(request)) if request.query_params.keys() <= _KNOWN else None
    shown = bool(made) and await run_in_threadpool(_will_be_shown)
    return HTMLResponse(made if shown else _index(), headers=_HEADERS)


def with_opening(language: str) -> str:
    """Streamlit's page with the picture in it, in this language."""
    from explorer.ui import controls, race  # not at the top: they draw charts, for which they ask the server

    with using(language):
        title, question = told(sitemap.HOME.title), told(race.QUESTION)
        head = f'<p class="rx-eyebrow">{escape(title)}</p><p class="rx-question">{escape(question)}</p>'
        seen = head + race.opening(controls.usual_race())
    style = f"{_colours()}{frame.STYLE}{still.STYLE}{_HERE.with_suffix('.css').read_text()}"
    script = _HERE.with_suffix(".js").read_text()
    opening = f'<div id="rx-opening" aria-hidden="true"><style>{style}</style><div>{seen}</div></div>'
    named = _index().replace("<title>Streamlit</title>", f"<title>{escape(title)} · Residual Explorer</title>", 1)
    spoken = named.replace('<html lang="en">', f'<html lang="{language}">', 1)
    return spoken.replace('<div id="root"></div>', f'<div id="root"></div>{opening}<script>{script}</script>', 1)


def _will_be_shown() -> bool:
    """Whether the page shows the recordings to everybody: not where one must log in, or the usual race was begun."""
    from explorer.ui import controls, race

    with _kept_from_nobody():
        return not (login.is_required() or race.has_begun(controls.usual_race()))
    return False


@contextmanager
def _kept_from_nobody() -> Iterator[None]:
    """Whatever goes wrong with the picture, the page comes without it, and says itself what people should know."""
    try:
        yield
    except ExplorerError:
        pass
    except Exception:
        log.exception("the first page comes without its picture")


def _colours() -> str:
    """The theme's, as variables: of the light one where the reader's system or the visitor wants no dark one."""
    names = {"text": "textColor", "page": "backgroundColor", "grid": "borderColor"}
    both = {
        name: [st.get_option(f"theme.{theme}.{option}") for theme in ("light", "dark")]
        for name, option in names.items()
    }
    variables = "; ".join(f"--rx-{name}: light-dark({light}, {dark})" for name, (light, dark) in both.items())
    typeface = f"font-family: {st.get_option('theme.font')}"
    return f":root {{ color-scheme: light dark; {variables} }} #rx-opening {{ {typeface} }}\n"


def _language(request: Request) -> str:
    """As `languages.switch` finds it: the address's, else the browser's, else English."""
    asked = request.query_params.get("lang", "")
    browsers = request.headers.get("accept-language", "")[:2].lower()
    return next((wanted for wanted in (asked, browsers) if wanted in LANGUAGES), ENGLISH)


@cache
def _index() -> str:
    return _INDEX.read_text(encoding="utf-8")
