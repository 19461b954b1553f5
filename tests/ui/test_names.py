"""What somebody typed, wherever it is drawn as Markdown."""

import pytest

from explorer.runs import FAILED, Store
from explorer.ui.frame import plain
from tests.ui.visits import visit


@pytest.mark.threat("A name, label or caption is a script, or fetches a picture")
def test_a_name_that_is_markdown_is_shown_as_text(store: Store) -> None:
    """A picture in it would be fetched from its server by everybody who looks."""
    app = visit("degradation")
    app.button(key="race-start").click().run()
    run = store.claim(0)
    assert run
    store.finish(run.run, FAILED, "![](https://evil.example/message.png)")
    store.rename(run.run, "**a** ![](https://evil.example/name.png)")
    for page in ("degradation", "runs"):
        app = visit(page)
        assert not app.exception
        drawn = [one.value for one in (*app.error, *app.markdown, *app.caption, *app.warning, *app.info)]
        assert not any("![" in words for words in drawn)
    app = visit("degradation")
    assert [one.value for one in app.error] == [
        r"\*\*a\*\* !\[\](https://evil.example/name.png): !\[\](https://evil.example/message.png)"
    ]


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [("plain-56 · seed 0, 3.5 %", "plain-56 · seed 0, 3.5 %"), ("a_b _c_", r"a_b \_c\_"),
     ("`runs list` shows", "`runs list` shows"), ("```![x](y)`", r"\`\`\`!\[x\](y)\`"), ("\\`[x](y)`", r"\\`[x](y)`"),
     (":red[x] :material/home:", r"\:red\[x\] \:material/home:"), ("# a\n- b", "\\# a\n\\- b"), ("<b>", r"\<b\>")],
)  # fmt: skip
def test_words_of_others_are_markdown_that_shows_them_as_they_are(typed: str, drawn: str) -> None:
    assert plain(typed) == drawn
