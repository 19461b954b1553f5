"""The readers' questions as experiments: what was recorded, what it allows to be said, and a run of one's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explorer.config import NetworkConfig, RunConfig, network
from explorer.data import sources
from explorer.language import later, told, tr
from explorer.measurement.sweep import Difference, changes, differences, points
from explorer.plots import theme
from explorer.plots.sweep import alternative_text, called, errors_by_factor, written
from explorer.recipes import RECIPES
from explorer.records import Provenance
from explorer.runs import ACTIVE, DONE, FAILED, Run
from explorer.sweep import FACTORS, Factor, Results, Sweep
from explorer.ui import address, error_chart, frame, queue, resources, sentences
from explorer.ui.live_plot import live_plot
from explorer.ui.names import message
from explorer.ui.runs import final, stop_runs, submit

_HEIGHT, _NARROW_HEIGHT = 380, 640
_TICK_SECONDS = 2.0
_BRIEF = RECIPES["brief"]
_MOST_RUNS = 60
_NEXT_TO_CHANCE, _FITTED = 0.88, 0.05  # test error among ten classes; training error


@dataclass(frozen=True)
class Question:
    """One that the paper's readers asked, with its recorded answer and a smaller experiment that answers it here."""

    name: str
    """Of the recorded sweep, and of the tab."""
    factor: Factor
    networks: tuple[str, ...]
    """Of the smaller experiment."""
    values: tuple[Any, ...]
    said: Callable[[Results], list[str]]
    """What the results allow to be said."""
    paper: str
    """What the paper says of it; to be `told`."""


def panel(question: Question) -> None:
    """The recorded answer, then a run of a smaller version."""
    recorded = resources.sweep(question.name)
    training = recorded.results[0][0].training
    alike = f"{how(recorded.results)} {_broken([config for config, _ in recorded.failed])}"
    _answer(question, recorded.results, recorded.provenance, f"{question.name}-recorded", alike)
    st.caption(told(question.paper))
    st.header(tr("A smaller version, here"), anchor=False)
    networks = tuple(replace(network(name), width=_BRIEF.width) for name in question.networks)
    small = Sweep(_BRIEF, resources.source(sources.usual()).name, networks, question.factor, question.values)
    st.caption(
        tr(
            "{steps:,} steps in place of {recorded:,}, narrower networks, fewer values: the same question.",
            steps=_BRIEF.training.steps, recorded=training.steps,
        )
    )  # fmt: skip
    _here(question, small)


def own() -> None:
    """Any factor, any networks: a sweep of one's own."""
    chosen = choices("sweep")
    if chosen is None:
        st.info(tr("Choose at least one network and one value."), icon=":material/info:")
        return
    factor, networks, values = chosen
    wanted = tuple(dict.fromkeys(map(factor.read, values)))
    sweep = Sweep(_BRIEF, resources.source(sources.usual()).name, networks, factor, wanted)
    names = tuple(one.name for one in networks)
    st.caption(
        tr(
            "{count} brief trainings, each network at each value. What comes of it: their errors at the end by value, "
            "and between which networks they differ.",
            count=len(sweep.runs),
        )
    )
    _here(Question("own", factor, names, wanted, lambda results: pairs(results, factor), ""), sweep)


def choices(
    key: str, factor_first: str = next(iter(FACTORS))
) -> tuple[Factor, tuple[NetworkConfig, ...], tuple[str, ...]] | None:
    """A factor, networks as wide as the brief recipe's, and values as typed; None while one of them is missing."""
    left, middle, right = st.columns([2, 4, 4])
    with address.kept(f"{key}-factor", factor_first, FACTORS):
        name = left.selectbox(
            tr("Factor"),
            list(FACTORS),
            format_func=lambda name: told(FACTORS[name].label),
            key=f"{key}-factor",
            help=tr("What is changed; all else stays as it is in the recipe."),
        )
    factor = FACTORS[name]
    with address.kept(f"{key}-networks", ["plain-20", "resnet-20"]):
        names = middle.multiselect(
            tr("Networks"),
            ["plain-20", "resnet-20", "plain-8", "resnet-8", "plain-32", "resnet-32", "preresnet-20", "highway-20"],
            accept_new_options=True,
            max_selections=6,
            key=f"{key}-networks",
            help=tr("Up to 6; others by name, as preresnet-32 or resnet-20:shortcut=B."),
        )
    usual, of_it = [_typed(value) for value in factor.values], f"{key}-values-{name}"
    with address.kept(of_it, usual[:4]):
        values = right.multiselect(
            tr("Values"), usual, accept_new_options=True, max_selections=8, key=of_it,
            help=tr("Up to 8 values of the factor; others can be typed."),
        )  # fmt: skip
    networks = tuple(replace(network(one), width=_BRIEF.width) if "width" not in one else network(one) for one in names)
    return (factor, networks, tuple(values)) if names and values else None


def _here(question: Question, sweep: Sweep) -> None:
    """What of a sweep was trained on this machine, while it grows; a button for what is missing."""
    active = any(run.state in ACTIVE for run in _live(sweep))
    st.fragment(_growing, run_every=_TICK_SECONDS if active else None, key=f"sweep-{question.name}")(
        question, sweep, active
    )


def _growing(question: Question, sweep: Sweep, was_active: bool) -> None:
    live = _live(sweep)
    active = [run for run in live if run.state in ACTIVE]
    if was_active and not active:
        st.rerun()  # once, to stop the clock
    finished = [(run.config, last) for run in live if run.state == DONE and (last := final(run))]
    if finished:
        made = next(run.provenance for run in live if run.provenance)
        _answer(question, finished, made, f"{question.name}-here", how(finished))
    for run in live:
        if run.state == FAILED:
            st.error(frame.plain(f"{run.config.network.name}: {message(run)}"))
    _button(question.name, sweep, live, active)


def _button(name: str, sweep: Sweep, live: Sequence[Run], active: Sequence[Run]) -> None:
    if active:
        done = sum(run.state == DONE for run in live)
        words = [tr("{done} of {all} trainings done", done=done, all=len(live)), queue.said(active)]
        st.progress(done / len(live), text=" · ".join(filter(None, words)))
        if st.button(tr("Stop"), icon=":material/stop:", key=f"sweep-{name}-stop"):
            stop_runs([run.run for run in active])
            st.rerun()
        return
    missing = _next(sweep, live)
    if len(missing) > _MOST_RUNS:
        st.info(tr("{count} trainings are too many at once: choose fewer.", count=len(missing)))
        return
    seconds = error_chart.estimate(missing)
    takes = " · " + tr("about {time}", time=sentences.duration(seconds)) if seconds else ""
    seed = missing[0].seed
    label = tr("Run seed {seed} too", seed=seed) if seed else tr("Run it here")
    if st.button(label + takes, icon=":material/play_arrow:", type="primary", key=f"sweep-{name}-start"):
        found = resources.source(sources.usual())
        submit(missing, str(found.path) if found.path else found.kind)
        st.rerun()


def _next(sweep: Sweep, live: Sequence[Run]) -> list[RunConfig]:
    """The runs of the first seed that are not done."""
    done = {run.run for run in live if run.state == DONE}
    for seed in range(len(live) + 1):
        missing = [config for config in replace(sweep, seeds=(seed,)).runs if config.run not in done]
        if missing:
            return missing
    return []


def _live(sweep: Sweep) -> list[Run]:
    """The store's runs of this sweep, whatever their seed."""
    wanted = {config.run for config in sweep.runs}
    found = [run for run in resources.server().store.runs() if replace(run.config, seed=0).run in wanted]
    return [run for run in found if run.state in (*ACTIVE, DONE, FAILED)]


def _answer(question: Question, results: Results, made: Provenance, key: str, how: str) -> None:
    """What results say, where they come from, and their picture."""
    judged(results, question.said, how)
    frame.provenance_badge(replace(made, seconds=0))
    label = told(question.factor.label)
    found = points(results, question.factor.name)
    field = question.factor.name
    figure = errors_by_factor(found, label, question.factor.scale, field=field)
    narrow = theme.stacked(figure, _NARROW_HEIGHT)
    live_plot(figure, key=key, height=_HEIGHT, alt=alternative_text(found, label, field), narrow=narrow)


def judged(results: Results, say: Callable[[Results], Sequence[str]], how: str) -> None:
    """Draw what `say` makes of the results; of a single seed only that it is one: a race's may be all there is."""
    if len({config.seed for config, _ in results}) > 1:
        frame.finding(say(results), f"{tr('± is the 95 % interval over seeds.')} {how}")
        return
    one = tr("**One seed so far:** whether a difference is more than chance, only a second one can tell.")
    frame.finding([one], f"{tr('The figure has what it came to.')} {how}")


def how(results: Results) -> str:
    """What these runs have in common."""
    training = results[0][0].training
    return tr(
        "Seeds: {seeds}; {steps:,} steps of {batch} images at {size}×{size} pixels, {width} channels in the first "
        "stage; tested on {images:,} images.",
        seeds=len({config.seed for config, _ in results}), steps=training.steps, batch=training.batch_size,
        size=training.image_size, width=results[0][0].network.width, images=results[0][1].test_images,
    )  # fmt: skip


def _broken(failed: Sequence[RunConfig]) -> str:
    """Which trainings did not reach their end."""
    if not failed:
        return ""
    names = ", ".join(f"{_name(config.network)} · {tr('seed {seed}', seed=config.seed)}" for config in failed)
    return tr("Broke off, their loss no number any more, and left out: {names}.", names=names)


def dropout_sentences(results: Results) -> list[str]:
    """Whether BN is enough; for each network what dropout changes; what BN does."""
    networks = sorted(points(results, "dropout"), key=lambda one: (not one.bn, one.family))
    helped = [
        _name(one) for one in networks if one.bn and any(c.sign < 0 for c in changes(results, "dropout", one, 0.0))
    ]
    if helped:
        first = tr("With BN, dropout still lowers the test error of {networks}.", networks=", ".join(helped))
    else:
        first = tr("With BN, these seeds cannot show that dropout lowers the test error.")
    said = [first, *(_dropped(results, one) for one in networks)]
    for one in networks:
        without = replace(one, bn=False)
        if one.bn and without in networks:
            gaps = [gap for gap in differences(results, "dropout", without, one) if gap.value == 0]
            said += [tr("**{network} without BN:** against that with BN the test error is {changes}.",
                        network=_name(one), changes=_told(gaps, False))] if gaps else []  # fmt: skip
    return [sentence for sentence in said if sentence]


def _dropped(results: Results, one: NetworkConfig) -> str:
    """What dropout changes in one network; nothing can be said where most of its trainings learnt nothing."""
    ended = [error for point in points(results, "dropout")[one] for error in point.test]
    lost = sum(error > _NEXT_TO_CHANCE for error in ended)
    if 2 * lost > len(ended):
        return tr("**{network}:** {lost} of {count} trainings stayed at chance; of dropout they say nothing.",
                  network=_name(one), lost=lost, count=len(ended))  # fmt: skip
    found = changes(results, "dropout", one, 0.0)
    if not found:
        return ""
    return tr(
        "**{network}:** against no dropout the test error is {changes}.", network=_name(one), changes=_told(found)
    )


def data_sentences(results: Results) -> list[str]:
    """Residual against plain, deep against shallow, at each number of images."""
    networks = list(points(results, "train_images"))
    deepest = max(one.depth for one in networks)
    residual = next(one for one in networks if (one.family, one.depth) == ("resnet", deepest))
    gaps = differences(results, "train_images", residual, residual.twin)
    better = [f"{gap.value:,}" for gap in gaps if gap.sign < 0]
    if better:
        first = tr("With {depth} layers shortcuts lower the test error with {numbers} images.",
                   depth=deepest, numbers=", ".join(better))  # fmt: skip
    else:
        first = tr("With {depth} layers these seeds cannot show that shortcuts lower the test error at any of these "
                   "numbers of images.", depth=deepest)  # fmt: skip
    said = [
        first,
        *pairs([result for result in results if result[0].network.depth == deepest], FACTORS["train_images"]),
    ]
    for family in ("plain", "resnet"):
        of_it = sorted((one for one in networks if one.family == family), key=lambda one: one.depth)
        if len(of_it) > 1:
            said.append(_compared(results, "train_images", of_it[-1], of_it[0]))
    said.append(_nothing_to_cure(results, residual.twin))
    return [sentence for sentence in said if sentence]


def _nothing_to_cure(results: Results, plain: NetworkConfig) -> str:
    """At how few images a plain network fits its training images too, so that there is no degradation."""
    fitted = [point for point in points(results, "train_images").get(plain, []) if max(point.training) < _FITTED]
    if not fitted:
        return ""
    most = fitted[-1]
    return tr("With {count:,} images {network} fits its training images too ({error:.1%} training error at most): "
              "there is hardly any degradation there.", count=most.value, network=_name(plain, "train_images"),
              error=max(most.training))  # fmt: skip


def pairs(results: Results, factor: Factor) -> list[str]:
    """What can be said of each residual network against the plain one that differs in nothing else, at each value."""
    networks = list(points(results, factor.name))
    pairs = [(one, one.twin) for one in networks if one.family == "resnet" and one.twin in networks]
    return [said for residual, plain in pairs if (said := _compared(results, factor.name, residual, plain))]


def _compared(results: Results, field: str, first: NetworkConfig, second: NetworkConfig) -> str:
    found = differences(results, field, first, second)
    if not found:
        return ""
    return tr("**{first}** against {second}: the test error is {changes}.",
              first=_name(first, field), second=_name(second, field), changes=_told(found))  # fmt: skip


def _told(found: Sequence[Difference], values: bool = True) -> str:
    """Lower, higher or neither, and at which values, in points."""
    groups = {
        -1: later("lower ({values})"),
        1: later("higher ({values})"),
        0: later("not different as far as these seeds can show ({values})"),
    }
    parts = []
    for sign, words in groups.items():
        chosen = [one for one in found if one.sign == sign]
        if chosen:
            parts.append(told(words, values=", ".join(_points(one, values) for one in chosen)))
    return ", ".join(parts)


def _points(one: Difference, value: bool) -> str:
    number = f"{100 * one.mean:+.1f}".replace("-", "−")
    half = f" ± {100 * (one.high - one.mean):.1f}" if one.seeds > 1 else ""
    shown = f"{number}{half}"
    return tr("{value}: {points}", value=written(one.value), points=shown).replace(" ", "\u00a0") if value else shown


def _name(config: NetworkConfig, field: str = "") -> str:
    return called(f"{config.family}-{config.depth}{'' if config.bn else ':bn=off'}", field)


def _typed(value: Any) -> str:
    """A value as one types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


QUESTIONS = (
    Question(
        "dropout",
        FACTORS["dropout"],
        ("plain-20", "resnet-20", "plain-20:bn=off", "resnet-20:bn=off"),
        (0.0, 0.5),
        dropout_sentences,
        later(
            "The paper uses no dropout, following the practice of the BN paper (section 3.4); on CIFAR-10 no maxout "
            "either: deep and thin networks regularise by design, so that nothing distracts from the difficulty of "
            "optimising, and stronger regularisation may improve results (section 4.2). Here dropout stands between "
            "the two layers of each block, as in wide residual networks (Zagoruyko and Komodakis 2016). The learning "
            "rate is the recipe's for all; without BN a lower one might serve better."
        ),
    ),
    Question(
        "train_images",
        FACTORS["train_images"],
        ("plain-32", "resnet-32", "plain-8", "resnet-8"),
        (250, 1000),
        data_sentences,
        later(
            "The paper trains on all 50,000 images of CIFAR-10, and on 1.28 million of ImageNet. Here every network "
            "takes the same number of steps, whatever the number of images: fewer images are seen more often."
        ),
    ),
)
