"""The lesson: the paper in its own order, each step a short text, a question to answer first, and a live panel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from explorer import paper
from explorer.engines.studies import DONE
from explorer.language import ENGLISH, language, later, told, tr
from explorer.measurement.verdict import verdict
from explorer.notes import Guess
from explorer.runs import Run
from explorer.ui import (
    architecture,
    constructed,
    depth,
    error_chart,
    frame,
    gradients,
    lesions,
    present,
    resources,
    responses,
    sentences,
    sitemap,
)  # fmt: skip
from explorer.ui.runs import deepest, final, most_trained

SAY, SHOW, TELL = "say", "show", "tell"
_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "lessons"


@dataclass(frozen=True)
class Question:
    """What is asked before a result is shown."""

    asked: str
    choices: Mapping[str, str]
    """By name, what is said; to be `told`."""
    measured: Callable[[], str | None]
    """The name of the choice that the numbers speak for; None where there are none."""


@dataclass(frozen=True)
class Step:
    """One step of the lesson; its text is assets/lessons/<language>/<name>.md."""

    name: str
    source: str
    """Where the paper speaks of it."""
    panel: Callable[[], None]
    question: Question | None = None
    links: tuple[str, ...] = field(default=())
    """Pages where it goes on."""
    slide: Callable[[], None] | None = None
    """What presenter mode shows of a panel that is larger than a screen."""

    @property
    def screens(self) -> tuple[str, ...]:
        """What is shown of it one after the other in presenter mode: the end of the text comes after the result."""
        return (SAY, SHOW, TELL) if self.question else (SAY, SHOW)


def text(name: str, of: str) -> tuple[str, str]:
    """Title and text of a step in a language; in English where it was not translated."""
    files = (_FOLDER / folder / f"{name}.md" for folder in (of, ENGLISH))
    written = next(file for file in files if file.exists()).read_text(encoding="utf-8")
    title, _, body = written.partition("\n")
    return title.removeprefix("# "), body.strip()


def panel() -> None:
    """The step that the address asks for; in presenter mode one screen of it."""
    names = [step.name for step in STEPS]
    asked = st.query_params.get("step", names[0])
    at = names.index(asked) if asked in names else 0
    step = STEPS[at]
    if present.presenting():
        _screen(step)
        return
    title, body = text(step.name, language())
    st.html(f'<p class="rx-eyebrow">{at + 1} / {len(STEPS)} · {told(step.source)}</p>')
    st.title(title, anchor=False)
    words, ask = st.columns([3, 2], gap="large") if step.question else (st.container(), None)
    shown = True
    if ask and step.question:
        with ask:
            shown = _answered(step.name, step.question)
    words.markdown(body if shown else body.partition("\n\n")[0])  # the rest of the text says what comes out
    _turn(at)
    if shown:
        with frame.errors_in_place():
            step.panel()
        for name in step.links:
            sitemap.link(name)


def step(name: str) -> Step | None:
    """The step of this name."""
    return next((step for step in STEPS if step.name == name), None)


def _turn(at: int) -> None:
    """Back, how far, on; the arrow keys do the same."""
    back, middle, on = st.columns([1, 3, 1], vertical_alignment="center")
    if at and back.button(tr("Back"), shortcut="Left", width="stretch", key="lesson-back"):
        _go(at - 1)
    middle.progress((at + 1) / len(STEPS))
    if at + 1 < len(STEPS) and on.button(
        tr("Next"),
        shortcut="Right",
        width="stretch",
        key="lesson-next",
        type="primary",
    ):
        _go(at + 1)


def _go(to: int) -> None:
    st.query_params["step"] = STEPS[to].name
    st.rerun()


def screens() -> list[tuple[str, str]]:
    """All screens of the lesson in presenter mode, each by its step's name and what is shown of it."""
    return [(step.name, what) for step in STEPS for what in step.screens]


def _screen(step: Step) -> None:
    """One thing: what is said or asked, what is shown, or what that means; as the address says."""
    asked = st.query_params.get("screen", step.screens[0])
    what = asked if asked in step.screens else step.screens[0]
    draw(step, what, _chosen(step.name))
    _turn_screen(screens(), screens().index((step.name, what)))


def draw(step: Step, what: str, answer: str | None) -> None:
    """One screen of a step; `answer` is what was guessed before the result."""
    title, body = text(step.name, language())
    begins, _, goes_on = body.partition("\n\n")
    with st.container(key="screen" if what == SHOW else "words"):
        if what == SHOW:
            st.html(f'<h1 class="rx-eyebrow">{title}</h1>')
            if step.question and answer:
                _judged(step.question, answer)
            with frame.errors_in_place():
                (step.slide or step.panel)()
        else:
            st.html(f'<p class="rx-eyebrow">{told(step.source)}</p>')
            st.title(title, anchor=False)
            st.markdown(goes_on if what == TELL else begins if step.question else body)
            if step.question and what == SAY:
                _asked(step.name, step.question)


def _turn_screen(screens: Sequence[tuple[str, str]], at: int) -> None:
    with st.container(key="turning"):
        if at and st.button("‹", shortcut="Left", key="lesson-back"):
            _go_to(*screens[at - 1])
        st.html(f"{at + 1} / {len(screens)}")
        if at + 1 < len(screens) and st.button("›", shortcut="Right", key="lesson-next"):
            _go_to(*screens[at + 1])


def _go_to(name: str, what: str) -> None:
    st.query_params["step"], st.query_params["screen"] = name, what
    st.rerun()


def _answered(name: str, question: Question) -> bool:
    """Ask; whether the result may be shown. What was answered stays, with what was measured beside it."""
    answer = _asked(name, question)
    if answer is None:
        key = f"lesson-answer-{name}"
        skipped = bool(st.session_state.get(f"{key}-skipped"))
        if not skipped:
            words = tr("Show it without a guess")
            st.button(words, key=f"{key}-skip", type="tertiary", on_click=_skip, args=(f"{key}-skipped",))
        return skipped
    _judged(question, answer)
    return True


def _skip(key: str) -> None:
    st.session_state[key] = True


def _asked(name: str, question: Question) -> str | None:
    """The question with its choices; the answer so far, which stays."""
    st.markdown(f"**{told(question.asked)}**")
    key = f"lesson-answer-{name}"
    st.session_state.setdefault(key, st.session_state.get(f"{key}-kept"))
    answer = st.radio(
        told(question.asked),
        list(question.choices),
        format_func=lambda choice: told(question.choices[choice]),
        key=key,
        label_visibility="collapsed",
    )
    st.session_state[f"{key}-kept"] = answer
    return answer


def _chosen(name: str) -> str | None:
    """What was answered before, wherever it was asked."""
    kept: str | None = st.session_state.get(f"lesson-answer-{name}-kept")
    return kept


def guesses() -> list[Guess]:
    """What this reader answered so far, beside what was measured."""
    found = []
    for step in STEPS:
        answer = _chosen(step.name)
        if step.question and answer:
            measured = step.question.measured()
            said = told(step.question.choices[measured]) if measured else ""
            found.append(Guess(told(step.question.asked), told(step.question.choices[answer]), said))
    return found


def _judged(question: Question, answer: str | None) -> None:
    """The answer beside what was measured."""
    measured = question.measured()
    if measured is None:
        st.caption(tr("Nothing has been measured yet that could tell."))
    elif measured == answer:
        st.success(tr("So it was measured."), icon=":material/check:")
    else:
        st.info(tr("Measured: {answer}", answer=told(question.choices[measured])), icon=":material/straighten:")


def _best() -> list[Run]:
    """The recordings that most work went into, of the first seed."""
    library = [run for run in resources.library().runs() if resources.kind(run.config.data) == "cifar10"]
    return [run for run in most_trained(library) if run.config.seed == 0]


def _curves() -> None:
    runs = _best()
    gaps = verdict([(run.config, last) for run in runs if (last := final(run))])
    frame.finding(sentences.verdict_sentences(gaps), sentences.basis(gaps))
    error_chart.draw([], runs, key="lesson-curves")


def _degrades() -> str | None:
    gaps = verdict([(run.config, last) for run in _best() if (last := final(run))])
    if "plain" not in gaps:
        return None
    return "higher" if gaps["plain"].degrades else "lower" if gaps["plain"].improves else "same"


def _vanishes() -> str | None:
    deep = deepest(_best(), "plain")
    return "vanish" if gradients.vanishing(deep) else "healthy"


def _as_good() -> str | None:
    study = constructed.study(_best(), "plain")
    if study is None or study.state != DONE or study.result is None:
        return None
    shallow, deep = study.result["shallow"]["train_error"], study.result["deep"]["train_error"]
    return "same" if shallow == deep else "higher" if deep > shallow else "lower"


def _smaller() -> str | None:
    means = {}
    for family in ("plain", "resnet"):
        last = final(deepest(_best(), family))
        if last is None or not last.responses:
            return None
        means[family] = sum(response.std for response in last.responses) / len(last.responses)
    return "smaller" if means["resnet"] < means["plain"] else "larger"


def _overfits() -> str | None:
    small, large = paper.printed_errors("resnet", 110), paper.printed_errors("resnet", 1202)
    assert small
    assert large
    return "higher" if large.test > small.test else "lower"


def _bears() -> str | None:
    rises = {family: lesions.rise(deepest(_best(), family)) for family in ("plain", "resnet")}
    if rises["plain"] is None or rises["resnet"] is None:
        return None
    return "plain" if rises["plain"].median > rises["resnet"].median else "resnet"


def _thousand_layers() -> None:
    rows = []
    for layers in (20, 56, 110, 1202):
        errors = paper.printed_errors("resnet", layers)
        assert errors
        low = tr("below {error:.1%}", error=errors.training) if layers == 1202 else f"≈ {errors.training:.1%}"
        rows.append({
            tr("layers"): f"{layers:,}", tr("training error"): low, tr("test error"): f"{errors.test:.2%}",
            tr("source"): tr("Figure 6 and {source}", source=told(errors.source)),
        })  # fmt: skip
    st.table(rows)


def _detection() -> None:
    rows = [
        {
            tr("set"): name, tr("measure"): measure, "VGG-16": f"{vgg:.1f}", "ResNet-101": f"{resnet:.1f}",
            tr("source"): told(source),
        }
        for name, measure, vgg, resnet, source in paper.DETECTION
    ]  # fmt: skip
    st.table(rows)


def _train_and_compare() -> None:
    constructed.panel(_best())


_MORE_LESS = {"lower": later("lower"), "same": later("equal"), "higher": later("higher")}
STEPS = (
    Step("stacking", later("Section 1, Figure 1"), _curves,
         Question(later("36 more layers: the training error of the deeper plain network is …"), _MORE_LESS, _degrades),
         ("degradation",)),
    Step("gradients", later("Section 1"), gradients.before_training),
    Step("degradation", later("Sections 1 and 4.1"), gradients.over_training,
         Question(later("In the plain network of 56 layers, while it trains, the gradients of some layers …"),
                  {"vanish": later("vanish"), "healthy": later("do not vanish")}, _vanishes)),
    Step("constructed", later("Section 1"), _train_and_compare,
         Question(later("A deep network made of the trained shallow one by adding identity layers has a training error "
                        "that is …"), _MORE_LESS, _as_good)),
    Step("residual", later("Section 3.1"), responses.summands),
    Step("shortcuts", later("Sections 2, 3.2 and 4.1"), architecture.build, slide=architecture.shortcuts_counted),
    Step("architectures", later("Sections 3.3 and 4.1, Table 1, Figure 3"), architecture.table_1,
         slide=architecture.depths_counted),
    Step("cifar", later("Section 4.2, Table 6, Figure 6"), depth.panel),
    Step("responses", later("Section 4.2, Figure 7"), responses.panel,
         Question(later("The responses of residual layers are on average …"),
                  {"smaller": later("smaller than plain ones"), "larger": later("larger than plain ones")}, _smaller)),
    Step("overfitting", later("Section 4.2, Table 6"), _thousand_layers,
         Question(later("The test error of 1202 layers, against that of 110, is …"),
                  {"lower": later("lower"), "higher": later("higher")}, _overfits)),
    Step("detection", later("Section 4.3, Tables 7 and 8"), _detection),
    Step("after", later("After the paper"), lesions.panel,
         Question(later("One block is taken away. Which network suffers more?"),
                  {"plain": later("the plain one"), "resnet": later("the residual one")}, _bears),
         ("surface", "toys")),
)  # fmt: skip
