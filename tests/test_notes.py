"""Notes: everything that was kept is in the page and in the Markdown, and nothing of it runs as a script."""

import json

from explorer.notes import PAPER, Guess, Note, markdown, page

FIGURE = json.dumps({"data": [{"y": [1, 2], "name": "</script><b>"}], "layout": {}})
NOTES = [
    Note(
        "Degradation", "http://x/?depths=8", ("**Plain:** worse.",), "Three seeds.", "live · CPU", FIGURE, "Two lines."
    ),
    Note("Lesson", "http://x/lesson?a=1&b=2", remark="is <this>\nright?"),
]
GUESSES = [Guess("Higher?", "lower", "higher")]


def test_the_page_holds_figures_sentences_guesses_remarks_and_the_citation() -> None:
    made = page("My notes", NOTES, GUESSES, "an <evening>", "ko", "const Plotly = {}")
    for part in ("<b>Plain:</b> worse.", "Three seeds.", "live · CPU", "is &lt;this&gt;\nright?", "an &lt;evening&gt;",
                 "<td>Higher?</td><td>lower</td><td>higher</td>", "arXiv:1512.03385", "const Plotly = {}", "lang='ko'",
                 "href='http://x/lesson?a=1&amp;b=2'"):  # fmt: skip
        assert part in made
    assert made.count("Plotly.newPlot(") == 1
    assert made.count("</script>") == 2, "a trace's name does not end the script"
    assert "http" not in made.replace("http://x/", ""), "it asks the net for nothing"


def test_without_a_figure_no_script_is_in_it() -> None:
    assert "<script" not in page("My notes", NOTES[1:], [], "", "en", "const Plotly = {}")


def test_markdown_says_the_same() -> None:
    said = markdown("My notes", NOTES, GUESSES, "an evening")
    for part in ("# My notes", "an evening", "**Plain:** worse.", "*Three seeds.*", "Two lines.",
                 "> is <this>\n> right?", "| Higher? | lower | higher |", PAPER, "<http://x/?depths=8>"):  # fmt: skip
        assert part in said
