"""What is often said about degradation and shortcuts, each beside the measurement that speaks to it."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from explorer import paper
from explorer.config import network
from explorer.language import later, told, tr
from explorer.measurement.verdict import verdict
from explorer.runs import Run
from explorer.ui import architecture, constructed, counts, frame, gradients, lesions, resources, sentences, sitemap
from explorer.ui.runs import deepest, final, most_trained


@dataclass(frozen=True)
class Card:
    """One claim, to be `told`, what was measured about it, and the page where it goes on."""

    claim: str
    measured: Callable[[], str]
    page: str


def panel() -> None:
    """A card a claim."""
    for card in CARDS:
        with st.container(border=True):
            st.markdown(f"**“{told(card.claim)}”**")
            st.markdown(frame.together(card.measured() or tr("Nothing has been measured yet that could tell.")))
            sitemap.link(card.page)


def _best() -> list[Run]:
    library = [run for run in resources.library().runs() if resources.kind(run.config.data) == "cifar10"]
    return [run for run in most_trained(library) if run.config.seed == 0]


def _overfitting() -> str:
    gaps = verdict([(run.config, last) for run in _best() if (last := final(run))])
    if "plain" not in gaps:
        return ""
    said = sentences.verdict_sentences({"plain": gaps["plain"]})[0]
    if gaps["plain"].degrades:
        return f"{said} {tr('A network that overfits has a low training error: this is something else.')}"
    return said


def _other_images() -> str:
    library = [run for run in resources.library().runs() if resources.kind(run.config.data) == "shapes"]
    gaps = verdict([(run.config, last) for run in most_trained(library) if (last := final(run))])
    if "plain" not in gaps:
        return ""
    here = tr("A brief race on generated shapes, which are no photographs:")
    return " ".join([here, *sentences.verdict_sentences(gaps), sentences.basis(gaps)])


def _vanishing() -> str:
    deep = deepest(_best(), "plain")
    said = gradients.range_at_the_end(deep)
    if gradients.vanishing(deep):
        return f"{said} {tr('Some of them did vanish on the way.')}"
    return f"{said} {tr('At none of the moments measured was one less than a thousandth of the median.')}"


def _derivative() -> str:
    said = tr(
        "In the paper's blocks a ReLU follows the sum and lets the 1 pass only where it is active; and with BN plain "
        "networks have gradients of healthy norms without it (section 4.1). The argument is a later paper's (He et al. "
        "2016, *Identity Mappings in Deep Residual Networks*, equation 5), for blocks with nothing after the sum."
    )
    return f"{said} {gradients.range_at_the_end(deepest(_best(), 'plain'))}"


def _parameters() -> str:
    return counts.twins(*(architecture.outline(network(name)) for name in ("resnet-56", "plain-56")))


def _capacity() -> str:
    return constructed.sentence(_best(), "plain")


def _every_layer() -> str:
    rises = {family: lesions.rise(deepest(_best(), family)) for family in ("plain", "resnet")}
    if rises["plain"] is None or rises["resnet"] is None:
        return ""
    return tr(
        "Without one block the error of plain-56 rises by {plain:.1f} points (median), that of resnet-56 by "
        "{resnet:.1f}; but not every block can be spared: without {block} it rises by {most:.1f}.",
        plain=100 * rises["plain"].median, resnet=100 * rises["resnet"].median,
        most=100 * rises["resnet"].most, block=rises["resnet"].block.removeprefix("stage"),
    )  # fmt: skip


def _deeper() -> str:
    small, large = paper.printed_errors("resnet", 110), paper.printed_errors("resnet", 1202)
    assert small
    assert large
    return tr(
        "In the paper ResNet-1202 errs on {large:.2%} of the test images and ResNet-110 on {small:.2%}, both with a "
        "training error of about 0.1 % or less: the authors take it for overfitting (section 4.2); others trained 1202 "
        "layers to a lower error. Not measured here.",
        large=large.test, small=small.test,
    )  # fmt: skip


CARDS = (
    Card(later("Deep plain networks overfit."), _overfitting, "degradation"),
    Card(later("It is a matter of the data set."), _other_images, "degradation"),
    Card(later("It is the vanishing gradient."), _vanishing, "gradients"),
    Card(later("It works because the derivative of F(x) + x keeps a 1."), _derivative, "gradients"),
    Card(later("Shortcuts help because they add parameters."), _parameters, "architecture"),
    Card(later("The deep network just cannot represent a good solution."), _capacity, "depth"),
    Card(later("Every layer of a trained network is needed."), _every_layer, "lesions"),
    Card(later("With shortcuts deeper is always better."), _deeper, "depth"),
)
