"""What is often said, and what the recordings that ship say to it."""

import re

from explorer.ui import misconceptions
from tests.conftest import ROOT


def test_every_claim_is_answered_by_what_ships() -> None:
    assert all(card.measured() for card in misconceptions.CARDS)


def test_other_images_are_answered_with_the_numbers_of_the_documents() -> None:
    """docs/recipes.md has the means and gaps of the brief race on shapes, to a tenth; the card in whole points."""
    card = next(card for card in misconceptions.CARDS if "data set" in card.claim)
    row = re.search(r"\| brief, 8 and 32, shapes \|(.+)\|", (ROOT / "docs" / "recipes.md").read_text())
    assert row
    plain, gap, residual, _, _ = (cell.strip() for cell in row[1].split("|"))
    said = card.measured().replace("\u00a0", " ")
    for family, errors in (("Plain", plain), ("Residual", residual)):
        shallow, deep = (f"{float(number):.0f}" for number in re.findall(r"[\d.]+", errors))
        assert re.search(rf"\*\*{family}:\*\* [^*]*{shallow} % → {deep} %", said)
    assert f"{float(gap.split()[0]):+.0f} ±" in said
