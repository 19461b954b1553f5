"""The panel of depth against error: Table 6 and Figure 6 of the paper beside what was trained or recorded here."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from explorer import jobs, paper
from explorer.config import RunConfig
from explorer.language import later, told, tr
from explorer.measurement.depth import Experiment, FinalErrors, Spread, experiments
from explorer.measurement.verdict import verdict
from explorer.plots import theme
from explorer.plots.depth import alternative_text, depth_chart
from explorer.recipes import RECIPES, is_papers
from explorer.runs import DONE
from explorer.ui import constructed, frame, resources, sentences
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import final

_HEIGHT, _NARROW_HEIGHT = 360, 620
_PAPER = RECIPES["paper"].training
_HEADS = (
    later("network"), later("test error"), later("the paper's"), later("differs"), later("training error"),
    later("the paper's"), later("seeds"),
)  # fmt: skip
_DATA = {"cifar10": later("CIFAR-10"), "shapes": later("generated shapes")}
_OWN = later("own images")


def panel() -> None:
    """The experiment with the most work in it, or another; then what it says, drawn and in figures."""
    runs = [run for run in resources.catalogue().runs() if run.state == DONE and final(run)]
    results = [(run.config, last) for run in runs if (last := final(run))]
    found = experiments(results)
    ordered = sorted(found, key=lambda experiment: -_work(experiment, found[experiment]))
    chosen = st.selectbox(
        tr("Trained with"), ordered, format_func=_label, key="depth-experiment",
        help=tr("Networks of several depths that were trained alike; the one with the most work in it comes first."),
    )  # fmt: skip
    if chosen is None:
        st.info(tr("Nothing with two depths has been trained yet."), icon=":material/info:")
        return
    errors, of_it = found[chosen], [run for run in runs if _belongs(run.config, chosen, found[chosen])]
    gaps = verdict([(run.config, last) for run in of_it if (last := final(run))])
    frame.finding(sentences.verdict_sentences(gaps), f"{sentences.basis(gaps)} {_compares(chosen)}")
    if provenance := of_it[0].provenance:
        frame.provenance_badge(replace(provenance, seconds=0))
    figure = depth_chart(errors)
    narrow = theme.stacked(figure, _NARROW_HEIGHT)
    live_plot(figure, key="depth-chart", height=_HEIGHT, alt=alternative_text(errors), narrow=narrow)
    st.html(_table(errors, _is_papers(chosen)))
    _two_ways(errors)
    constructed.panel(of_it)


def _work(experiment: Experiment, errors: Sequence[FinalErrors]) -> float:
    deepest = max(errors, key=lambda found: found.network.depth).network
    return jobs.cost(RunConfig(deepest, experiment.training, experiment.data))


def _belongs(config: RunConfig, experiment: Experiment, errors: Sequence[FinalErrors]) -> bool:
    training = replace(config.training, warm_up_until_error=0.0)
    networks = {found.network for found in errors}
    return (training, config.data) == (experiment.training, experiment.data) and config.network in networks


def _label(experiment: Experiment) -> str:
    training = experiment.training
    asked = {
        "steps": training.steps,
        "batch": training.batch_size,
        "data": told(_DATA.get(resources.kind(experiment.data), _OWN)),
        "images": tr("{count:,} images", count=training.train_images) if training.train_images else tr("all images"),
        "size": f"{training.image_size}×{training.image_size}",
    }
    if experiment.width == 16:
        return tr("{steps:,} steps of {batch} · {data}, {images} at {size}", **asked)
    return tr(
        "{steps:,} steps of {batch} · {data}, {images} at {size}, {width} channels wide",
        **asked, width=experiment.width,
    )  # fmt: skip


def _is_papers(experiment: Experiment) -> bool:
    """Whether it is the paper's, but for the number of steps and the encoding of the images."""
    return is_papers(experiment.training) and resources.kind(experiment.data) == "cifar10" and experiment.width == 16


def _compares(experiment: Experiment) -> str:
    """How far the paper's values can be held against these."""
    training = experiment.training
    if not _is_papers(experiment):
        return tr("The paper's values (grey) are of another recipe: compare the shape, not the heights.")
    data = " " + tr("The images here are CIFAR-10 re-encoded as JPEG.") if "jpeg" in experiment.data else ""
    if training.steps == _PAPER.steps:
        return tr("The paper's recipe, whole.") + data
    share = training.steps / _PAPER.steps
    fewer = tr("The paper's recipe in {share:.1%} of its steps, its values in grey: the differences show that, too.",
               share=share)  # fmt: skip
    return fewer + data


def _table(errors: Sequence[FinalErrors], comparable: bool) -> str:
    rows = "".join(_row(found, comparable) for found in errors)
    head = "".join(f"<th scope='col'>{escape(told(name))}</th>" for name in _HEADS)
    table = f"<table class='rx-counts'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div class='rx-wide'>{table}</div>"


def _row(found: FinalErrors, comparable: bool) -> str:
    printed = paper.printed_errors(found.network.family, found.network.depth)
    test = trained = differs = source = ""
    if printed:
        test = f"≈ {100 * printed.test:.1f} %" if printed.read else f"{100 * printed.mean_test:.2f} %"
        trained, source = f"≈ {100 * printed.training:.1f} %", escape(told(printed.source), quote=True)
        differs = sentences.difference(found.test.mean - printed.mean_test) if comparable else ""
    cells = [_spread(found.test), test, differs, _spread(found.training), trained, str(found.seeds)]
    name = f"{found.network.family}-{found.network.depth}"
    columns = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr title='{source}'><th scope='row'>{name}</th>{columns}</tr>"


def _spread(spread: Spread) -> str:
    return f"{100 * spread.mean:.1f} %" + (f" ± {100 * spread.std:.1f}" if spread.std is not None else "")


def _two_ways(errors: Sequence[FinalErrors]) -> None:
    """Degradation and overfitting, told apart by the training error."""
    plain = [found for found in errors if found.network.family == "plain"]
    shallow, deep = plain[0], plain[-1]
    left, right = st.columns(2, gap="medium")
    degradation, overfitting = (
        tr(
            "**Worse by degradation: the training error rises.** In the paper plain-56 trains to about 5.7 % and "
            "plain-20 to about 1.4 % (read from Figure 6). Here plain-{deep} to {deep_error} and plain-{shallow} to "
            "{shallow_error}.",
            deep=deep.network.depth, deep_error=_spread(deep.training),
            shallow=shallow.network.depth, shallow_error=_spread(shallow.training),
        ),
        tr(
            "**Worse by overfitting: the training error does not.** In the paper ResNet-1202 and ResNet-110 both train "
            "to about 0.1 % or less, and err on 7.93 % and 6.43 % of the test images. The authors argue that 19.4 "
            "million parameters may be too many for so small a data set (section 4.2). Not measured here."
        ),
    )  # fmt: skip
    left.markdown(frame.together(degradation))
    right.markdown(frame.together(overfitting))
