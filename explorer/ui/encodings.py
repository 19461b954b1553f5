"""The panel of VLAD and Fisher vectors: recorded on CIFAR-10, and smaller ones measured here."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.data.source import told_description
from explorer.engines.studies import DONE, Study
from explorer.language import later, told, tr
from explorer.measurement.encodings import MEASURES, WORDS, Estimate, Vectors, estimate
from explorer.plots import encodings as plots
from explorer.plots import theme
from explorer.records import EncodingScore, EncodingsRecord
from explorer.ui import address, controls, frame, studies
from explorer.ui.live_plot import live_plot

_RECORDED, _HERE = "recorded", "here"
_SHOWN = {_RECORDED: later("2,000 images"), _HERE: later("300 images")}
_COMPARE = ["encodings", "--draws", "5", "--images"]
_ASKED = {
    _RECORDED: studies.Asked(None, [*_COMPARE, "2000", "--words", ",".join(map(str, WORDS))], 450.0),
    _HERE: studies.Asked(None, [*_COMPARE, "300", "--words", "8,32,128"], 90.0),
}
_AXES = {"words": later("words"), "length": later("length")}
_VERDICTS = {
    ("precision", "above"): later(
        "**Among the nearest ten VLAD beats the bag of words of the same dictionary:** with {words} words {vlad:.1%} "
        "of them are of the right class, with the bag {bag:.1%} ({more})."
    ),
    ("precision", "below"): later(
        "**Among the nearest ten VLAD does not beat the bag of words of the same dictionary, it is worse:** with "
        "{words} words {vlad:.1%} of them are of the right class, with the bag {bag:.1%} ({more})."
    ),
    ("precision", "open"): later(
        "**Among the nearest ten VLAD does not beat the bag of words of the same dictionary as far as this shows:** "
        "with {words} words {vlad:.1%} of them are of the right class, with the bag {bag:.1%} ({more})."
    ),
    ("average_precision", "above"): later(
        "**Over the whole list VLAD beats it:** its mean average precision is {vlad:.1%}, the bag's {bag:.1%} ({more})."
    ),
    ("average_precision", "below"): later(
        "**Over the whole list VLAD does not beat it, it is worse:** its mean average precision is {vlad:.1%}, the "
        "bag's {bag:.1%} ({more})."
    ),
    ("average_precision", "open"): later(
        "**Over the whole list VLAD does not beat it as far as this shows:** its mean average precision is {vlad:.1%}, "
        "the bag's {bag:.1%} ({more})."
    ),
}
_HEIGHT, _NARROW_HEIGHT = 340, 620
_ABOUT = later(
    "What you are looking at: each image is cut into patches of 6×6 pixels, and k-means learns a dictionary of patches"
    " from training images. A bag of words counts which word is nearest to each patch. VLAD adds up what each patch "
    "differs from its nearest word by, its residual; a Fisher vector does so with a mixture of Gaussians that begins "
    "at the same words, and keeps the spread too. Each test image asks for those of its class; average precision is 1 "
    "if all come first. Patches, dictionary and scaling are the same for all; ± is the 95 % interval over draws, which"
    " have no image in common; dotted is a list in no order. Section 2, *Residual Representations* (references 18, 30:"
    " Jégou et al. 2012, Perronnin and Dance 2007), calls both powerful shallow representations; that encoding "
    "residual vectors is more effective it says of vector quantisation (reference 17), which is not measured here. "
    "None of these is how images are found today, and with patches this small all of them find little."
)


def panel() -> None:
    """The recorded comparison or a smaller one made here; a number of words to look at."""
    st.header(tr("Does it help to keep the residual to the nearest word?"), anchor=False)
    left, middle, right = st.columns([4, 3, 5])
    with left:
        shown = controls.pick(
            tr("Comparison"), list(_SHOWN), _RECORDED, "encodings-shown", lambda name: told(_SHOWN[name]),
            means=tr("Test images in each draw: 2,000 are recorded, 300 can be measured here sooner."),
        )  # fmt: skip
    asked = _ASKED[shown]
    counts = [int(count) for count in asked.arguments[-1].split(",")]
    with middle:
        axis = controls.pick(
            tr("Against"), list(_AXES), "words", "encodings-axis", lambda name: told(_AXES[name]),
            means=tr("**words:** in the dictionary. **length:** numbers that an image becomes."),
        )  # fmt: skip
    key = f"encodings-words-{shown}"
    with address.kept(key, 32 if 32 in counts else counts[0], counts):
        words = right.select_slider(
            tr("Words"), counts, key=key, help=tr("Visual words: centres of the clusters of local descriptors.")
        )
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
    live_plot(
        figure,
        key="encodings",
        height=_HEIGHT,
        alt=plots.alternative_text(records),
        narrow=theme.stacked(figure, _NARROW_HEIGHT),
    )


def _sentences(records: Sequence[EncodingsRecord], words: int) -> list[str]:
    """VLAD against the bag of the same dictionary by both measures; Fisher vectors; VLAD no longer than a bag."""
    first, whole = (_against_the_bag(records, measure, words) for measure in MEASURES)
    return [first, whole, " ".join(filter(None, (_fisher(records, words), _same_length(records))))]


def _against_the_bag(records: Sequence[EncodingsRecord], measure: str, words: int) -> str:
    vlad, bag = (estimate(records, measure, (method, words)) for method in ("vlad", "bag"))
    more = estimate(records, measure, ("vlad", words), ("bag", words))
    if not (vlad and bag and more):
        return tr("Measuring …")
    verdict = "above" if more.above else "below" if more.below else "open"
    return told(_VERDICTS[measure, verdict], words=words, vlad=vlad.mean, bag=bag.mean, more=_points(more))


def _fisher(records: Sequence[EncodingsRecord], words: int) -> str:
    found = [estimate(records, measure, ("fisher", words)) for measure in MEASURES]
    mores = [estimate(records, measure, ("fisher", words), ("bag", words)) for measure in MEASURES]
    first, whole = found
    if not (first and whole):
        return ""
    return tr(
        "**Fisher vectors** reach {first:.1%} ({more_first}) and {whole:.1%} ({more_whole}).",
        first=first.mean, whole=whole.mean, more_first=_points(mores[0]), more_whole=_points(mores[1]),
    )  # fmt: skip


def _same_length(records: Sequence[EncodingsRecord]) -> str:
    """Whether VLAD is better for its length alone: of the nearest ten, the longest bag against VLAD not longer."""
    counts = sorted({record.words for record in records})
    shorter = [count for count in counts if plots.length(records, "vlad", count) <= counts[-1]]
    if not shorter:
        return ""
    bag: Vectors = ("bag", counts[-1])
    vlad: Vectors = ("vlad", shorter[-1])
    one, other = estimate(records, MEASURES[0], vlad), estimate(records, MEASURES[0], bag)
    more = estimate(records, MEASURES[0], vlad, bag)
    if not (one and other and more):
        return ""
    return tr(
        "At about one length, among the nearest ten: VLAD of {length} numbers {vlad:.1%}, a bag of {most} words "
        "{bag:.1%} ({more}).",
        length=plots.length(records, *vlad), most=counts[-1], vlad=one.mean, bag=other.mean, more=_points(more),
    )  # fmt: skip


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
