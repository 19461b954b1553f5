"""The panel of VLAD and Fisher vectors: recorded on CIFAR-10, and smaller ones measured here."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.data.source import told_description
from explorer.engines.studies import DONE, Study
from explorer.language import later, told, tr
from explorer.measurement.encodings import WORDS, Estimate, Vectors, estimate
from explorer.plots import encodings as plots
from explorer.records import EncodingScore, EncodingsRecord
from explorer.ui import controls, frame, studies
from explorer.ui.live_plot import live_plot

_RECORDED, _HERE = "recorded", "here"
_SHOWN = {_RECORDED: later("2,000 images, five times"), _HERE: later("300 images, five times")}
_ASKED = {
    _RECORDED: studies.Asked(None, ["encodings", "--images", "2000", "--draws", "5"], 600.0),
    _HERE: studies.Asked(None, ["encodings", "--images", "300", "--draws", "5", "--words", "8,32,128"], 90.0),
}
_AXES = {"words": later("words"), "length": later("length of the vector")}
_HEIGHT = 350
_ABOUT = later(
    "What you are looking at: each image is cut into patches of 6×6 pixels, and k-means learns a dictionary of patches "
    "from training images. A bag of words counts which word is nearest to each patch. VLAD adds up what each patch "
    "differs from its nearest word by, its residual; a Fisher vector does so with a mixture of Gaussians that begins "
    "at the same words, and keeps the spread too. Each test image asks for those of its class; average precision is 1 "
    "if all come first. Patches, dictionary and scaling are the same for all; ± is the 95 % interval over draws, which "
    "have no image in common. Section 2, *Residual Representations* (references 18, 30: Jégou et al. 2012, Perronnin "
    "and Dance 2007): encoding residual vectors is more effective than encoding the vectors themselves. None of these "
    "is how images are found today, and with patches this small all of them find little."
)


def panel() -> None:
    """The recorded comparison or a smaller one made here; a number of words to look at."""
    st.subheader(tr("Does it help to keep the residual to the nearest word?"), anchor=False)
    left, middle, right = st.columns([3, 2, 3])
    with left:
        shown = controls.pick(
            tr("Comparison"), list(_SHOWN), _RECORDED, "encodings-shown", lambda name: told(_SHOWN[name])
        )
    asked = _ASKED[shown]
    counts = [int(count) for count in asked.arguments[-1].split(",")] if "--words" in asked.arguments else list(WORDS)
    with middle:
        axis = controls.pick(tr("Against"), list(_AXES), "words", "encodings-axis", lambda name: told(_AXES[name]))
    words = right.select_slider(tr("Words"), counts, value=32, key=f"encodings-words-{shown}")
    studies.follow([asked], partial(_draw, words, axis == "length"), f"encodings-{shown}")
    with st.columns([1, 2])[0], frame.errors_in_place():
        studies.press([asked], tr("Measure it here"), ":material/image_search:", f"encodings-{shown}")
    st.caption(told(_ABOUT))


def _draw(words: int, by_length: bool, found: studies.Found) -> None:
    (study,) = found
    records = _records(study)
    if not records:
        frame.finding(
            [tr("Not measured yet.")], tr("How well images of one class are found, by three kinds of vectors.")
        )
        return
    frame.finding(_sentences(records, words), _basis(study))
    studies.badge(found)
    result: dict[str, Any] = (study.result if study else None) or {}
    figure = plots.precisions(records, words, by_length, result.get("chance", 0.1))
    live_plot(figure, key="encodings", height=_HEIGHT, alt=plots.alternative_text(records))


def _sentences(records: Sequence[EncodingsRecord], words: int) -> list[str]:
    """VLAD against the bag of the same dictionary, Fisher vectors against VLAD, and both at one length."""
    vlad, bag, fisher = (estimate(records, (method, words)) for method in ("vlad", "bag", "fisher"))
    more = estimate(records, ("vlad", words), ("bag", words))
    if not (vlad and bag and fisher and more):
        return [tr("Measuring …")]
    values: dict[str, Any] = {"words": words, "vlad": vlad.mean, "bag": bag.mean, "more": _points(more)}
    if more.above:
        said = tr(
            "**VLAD beats the bag of words of the same dictionary:** with {words} words its mean average precision is "
            "{vlad:.1%}, the bag's {bag:.1%} ({more}).",
            **values,
        )
    elif more.below:
        said = tr(
            "**VLAD does not beat the bag of words of the same dictionary, it is worse:** with {words} words its mean "
            "average precision is {vlad:.1%}, the bag's {bag:.1%} ({more}).",
            **values,
        )
    else:
        said = tr(
            "**VLAD does not beat the bag of words of the same dictionary as far as this shows:** with {words} words "
            "its mean average precision is {vlad:.1%}, the bag's {bag:.1%} ({more}).",
            **values,
        )
    against = estimate(records, ("fisher", words), ("bag", words))
    fishers = tr("Fisher vectors reach {fisher:.1%} ({more}).", fisher=fisher.mean, more=_points(against))
    return [f"{said} {fishers}", _same_length(records)]


def _same_length(records: Sequence[EncodingsRecord]) -> str:
    """Whether it is only that VLAD's vectors are longer: the longest bag against VLAD that is not longer."""
    counts = sorted({record.words for record in records})
    bag: Vectors = ("bag", counts[-1])
    shorter = [count for count in counts if plots.length(records, "vlad", count) <= counts[-1]]
    if not shorter:
        return ""
    vlad: Vectors = ("vlad", shorter[-1])
    more, one, other = estimate(records, vlad, bag), estimate(records, vlad), estimate(records, bag)
    if not (more and one and other):
        return ""
    values = {
        "length": plots.length(records, *vlad), "most": counts[-1], "vlad": one.mean, "bag": other.mean,
        "more": _points(more),
    }  # fmt: skip
    if more.above:
        return tr(
            "**Not for its length alone:** VLAD of {length} numbers reaches {vlad:.1%}, a bag of {most} words "
            "{bag:.1%} ({more}).",
            **values,
        )
    if more.below:
        return tr(
            "**At one length it does not:** VLAD of {length} numbers reaches {vlad:.1%}, a bag of {most} words "
            "{bag:.1%} ({more}).",
            **values,
        )
    return tr(
        "**At one length they cannot be told apart here:** VLAD of {length} numbers reaches {vlad:.1%}, a bag of "
        "{most} words {bag:.1%} ({more}).",
        **values,
    )


def _points(more: Estimate | None) -> str:
    if more is None:
        return ""
    if more.half == float("inf"):
        return tr("{difference} points", difference=_signed(f"{100 * more.mean:+.1f}"))
    return tr("{difference} points", difference=f"{_signed(f'{100 * more.mean:+.1f}')} ± {100 * more.half:.1f}")


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _basis(study: Study | None) -> str:
    result: dict[str, Any] = (study.result if study else None) or {}
    if not result:
        return tr("Measuring …")
    return tr(
        "{draws} draws of {images:,} test images, none of them twice; each image against all others of its draw. "
        "{data}.",
        draws=result["draws"], images=result["images"], data=told_description(result["provenance"]["data"]),
    )  # fmt: skip


def _records(study: Study | None) -> list[EncodingsRecord]:
    if study is None or (study.state != DONE and not study.records):
        return []
    return [_record(**values) for values in study.records]


def _record(scores: Sequence[dict[str, Any]], kind: str, **values: Any) -> EncodingsRecord:
    return EncodingsRecord(**values, scores=tuple(EncodingScore(**score) for score in scores))
