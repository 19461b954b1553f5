"""Notes to take home: what a reader kept and guessed, as one page that needs nothing else, or as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from explorer.language import tr

PAPER = (
    "K. He, X. Zhang, S. Ren, J. Sun: Deep Residual Learning for Image Recognition. CVPR 2016, pages 770–778. "
    "arXiv:1512.03385."
)
_STYLE = """
body { max-width: 960px; word-break: keep-all; overflow-wrap: break-word;
  font: 16px/1.5 'Source Sans 3', 'Noto Sans KR', 'Nanum Gothic', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif;
  margin: 2rem auto; padding: 0 1rem; color: #16202b; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.basis, .made, footer { color: #5a6675; font-size: 0.88rem; }
.remark { white-space: pre-wrap; border-left: 3px solid #0f766e; padding-left: 0.8rem; }
.figure { height: 420px; }
table { border-collapse: collapse; } td, th { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; }
tr { border-top: 1px solid #dde3ea; } section { break-inside: avoid; }
"""


@dataclass(frozen=True)
class Note:
    """One thing that was kept."""

    page: str
    """Where it stood, and under which address it opens again."""
    address: str
    said: tuple[str, ...] = ()
    """What the figures said; **bold** allowed."""
    basis: str = ""
    made: str = ""
    """Origin, device, day, data."""
    figure: str = ""
    """As JSON for plotly.js; empty where there is none."""
    alt: str = ""
    remark: str = ""
    """The reader's own."""


@dataclass(frozen=True)
class Guess:
    """A prediction, and what was measured."""

    asked: str
    answered: str
    measured: str
    """Empty where nothing was measured."""


def markdown(title: str, notes: Sequence[Note], guesses: Sequence[Guess], remarks: str) -> str:
    """All of it as Markdown; a figure is what it shows in words."""
    parts = [f"# {title}"]
    if remarks:
        parts.append(remarks)
    for note in notes:
        parts.append(f"## {note.page}")
        parts += [part for part in (*note.said, note.basis and f"*{note.basis}*", note.alt, note.made) if part]
        if note.remark:
            parts.append("\n".join(f"> {line}" for line in note.remark.splitlines()))
        parts.append(f"<{note.address}>")
    if guesses:
        rows = [f"| {one.asked} | {one.answered} | {one.measured} |" for one in guesses]
        head = f"| {tr('question')} | {tr('my guess')} | {tr('measured')} |"
        parts += [f"## {tr('Guesses')}", "\n".join([head, "|--|--|--|", *rows])]
    parts += [f"## {tr('The paper')}", PAPER]
    return "\n\n".join(parts) + "\n"


def page(title: str, notes: Sequence[Note], guesses: Sequence[Guess], remarks: str, spoken: str, plotly: str) -> str:
    """All of it as one HTML page in the language `spoken`, with plotly.js (`plotly`) inside if there is a figure."""
    body = [f"<h1>{escape(title)}</h1>"]
    if remarks:
        body.append(f"<p class='remark'>{escape(remarks)}</p>")
    body += [_section(note, index) for index, note in enumerate(notes)]
    if guesses:
        head = "".join(f"<th>{escape(word)}</th>" for word in (tr("question"), tr("my guess"), tr("measured")))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in (one.asked, one.answered, one.measured)) + "</tr>"
            for one in guesses
        )
        body.append(f"<section><h2>{escape(tr('Guesses'))}</h2><table><tr>{head}</tr>{rows}</table></section>")
    body.append(f"<footer><h2>{escape(tr('The paper'))}</h2><p>{escape(PAPER)}</p></footer>")
    drawn = [_drawing(note.figure, index) for index, note in enumerate(notes) if note.figure]
    scripts = [f"<script>{plotly}</script>", f"<script>{''.join(drawn)}</script>"] if drawn else []
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
    return (
        f"<!doctype html><html lang='{spoken}'><head>{head}<style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}{''.join(scripts)}</body></html>"
    )


def _section(note: Note, index: int) -> str:
    said = "".join(f"<p>{_bold(sentence)}</p>" for sentence in note.said)
    figure = f"<div class='figure' id='figure-{index}' role='img' aria-label='{escape(note.alt, quote=True)}'></div>"
    remark = f"<p class='remark'>{escape(note.remark)}</p>" if note.remark else ""
    address = escape(note.address, quote=True)
    return (
        f"<section><h2>{escape(note.page)}</h2>{said}<p class='basis'>{escape(note.basis)}</p>"
        f"{figure if note.figure else ''}{remark}<p class='made'>{escape(note.made)} <a href='{address}'>{address}</a>"
        "</p></section>"
    )


def _bold(sentence: str) -> str:
    pieces = escape(sentence).split("**")
    return "".join(f"<b>{piece}</b>" if index % 2 else piece for index, piece in enumerate(pieces))


def _drawing(figure: str, index: int) -> str:
    inside = figure.replace("<", "\\u003c")  # JSON inside of a script: nothing in it may end the script
    return f"(f => Plotly.newPlot('figure-{index}', f.data, f.layout, {{responsive: true}}))({inside});"
