"""Widgets that return configs; each keeps its value in the address."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.config import NetworkConfig, network
from explorer.errors import RequestError
from explorer.language import later, told, tr
from explorer.race import Race
from explorer.recipes import RECIPES
from explorer.runs import Run
from explorer.ui import address, resources
from explorer.ui.frame import ORIGINS
from explorer.ui.names import label as run_name

_PAIRS = ("8 | 32", "8 | 20", "14 | 44", "20 | 56")
_FURTHER = ("preresnet-32", "highway-32", "skipinit-32", "resnet-32:shortcut=B", "resnet-32:strength=0.5")
_PLAY_SECONDS, _PLAY_STEP = 1.0, 10
_DATA_LABELS = {"cifar10": later("CIFAR-10"), "shapes": later("Generated shapes")}


def race(columns: Sequence[DeltaGenerator]) -> Race:
    """Recipe, depths, images, one in each column: what is compared. Raises RequestError for depths that are none."""
    recipes, depths, data = columns
    with recipes:
        address.recall("recipe", "brief", RECIPES)
        name = st.segmented_control(
            tr("How long"),
            list(RECIPES),
            required=True,
            format_func=lambda name: told(RECIPES[name].label),
            help=recipes_help(),
            key="recipe",
        )
        address.remember("recipe", "brief")
    recipe = RECIPES[name or "brief"]
    with depths:
        address.recall("depths", "")
        own = " | ".join(map(str, recipe.depths))
        pair = st.selectbox(
            tr("Depths"),
            ["", *(pair for pair in _PAIRS if pair != own)],  # empty: the pair that the recipe was made for
            format_func=lambda pair: pair or own,
            accept_new_options=True,
            help=tr("Shallow | deep: weighted layers, 6n+2 each, 8, 14, 20 … 110. Type your own as 20 | 110."),
            key="depths",
        )
        address.remember("depths", "")
    with data:
        choices = resources.data_choices()
        address.recall("data", choices[0], choices)
        chosen = st.selectbox(
            tr("Images"),
            choices,
            format_func=data_label,
            help=images_help(),
            key="data",
        )
        address.remember("data", choices[0])
    found = resources.source(chosen)
    return Race(recipe, found.name, _depths(pair or own), also=_also(recipe.width))


def usual_race() -> Race:
    """The race of an address that asks for nothing else."""
    recipe = RECIPES["brief"]
    return Race(recipe, resources.source(resources.data_choices()[0]).name, recipe.depths)


def recipes_help() -> str:
    """What each length of training is."""
    return "  \n".join(f"**{told(recipe.label)}:** {told(recipe.explanation)}" for recipe in RECIPES.values())


def images_help() -> str:
    """Which images there are."""
    return tr("CIFAR-10 where it is on this machine; else coloured shapes, generated in seconds.")


def _also(width: int) -> tuple[NetworkConfig, ...]:
    """Further networks, as wide as the others unless their names say another width."""
    with st.expander(tr("More networks in this race"), expanded="also" in st.query_params):
        address.recall("also", [])
        names = st.multiselect(
            tr("Further networks"),
            _FURTHER,
            accept_new_options=True,
            max_selections=4,
            placeholder=tr("Choose, or type a name such as resnet-32:shortcut=B"),
            help=tr(
                "Trained under the same recipe, on the same images, and drawn beside the others. The page Architecture "
                "shows what each of them is."
            ),
            key="also",
        )
        address.remember("also", [])
    return tuple(network(name) if "width=" in name else replace(network(name), width=width) for name in names)


def location() -> str:
    """Where the images chosen in `race` lie, for the worker that will read them."""
    data: str = st.session_state.get("data") or resources.data_choices()[0]
    found = resources.source(data)
    return str(found.path) if found.path else found.kind


def runs(label: str, choices: Sequence[Run], default: Sequence[Run], key: str, most: int = 8) -> list[Run]:
    """Several runs chosen from a list, by name."""
    by_identity = {run.run: run for run in choices}
    usual = [run.run for run in default]
    address.recall(key, usual, by_identity)
    chosen = st.multiselect(
        label,
        list(by_identity),
        format_func=lambda run: run_label(by_identity[run]),
        max_selections=most,
        placeholder=tr("Choose options"),
        help=_runs_help(),
        key=key,
    )
    address.remember(key, usual)
    return [by_identity[run] for run in chosen]


def one_run(label: str, choices: Sequence[Run], default: Run, key: str) -> Run:
    """One run chosen from a list."""
    by_identity = {run.run: run for run in choices}
    address.recall(key, default.run, by_identity)
    chosen = st.selectbox(
        label, list(by_identity), format_func=lambda run: run_label(by_identity[run]), help=_runs_help(), key=key
    )
    address.remember(key, default.run)
    return by_identity[chosen]


def _runs_help() -> str:
    return tr(
        "Trained here, recorded or imported. Seed: what its first weights and the order of images were drawn with. "
        "Steps: the batches it learnt from."
    )


def run_label(run: Run) -> str:
    """What tells a run from the others in a list."""
    origin = run.provenance.origin if run.provenance else run.state
    trained = "" if run.config.weights else " · " + tr("{steps:,} steps", steps=run.config.training.steps)
    return f"{run_name(run)}{trained} · {told(ORIGINS.get(origin, origin))}"


def pick(
    label: str, options: Sequence[str], default: str, key: str, shown: Callable[[str], str] = str, *, means: str
) -> str:
    """One of a few options, side by side; `means` says what they are."""
    address.recall(key, default, options)
    chosen = st.segmented_control(label, options, required=True, format_func=shown, help=means, key=key)
    address.remember(key, default)
    return str(chosen or default)


def data_label(data: str) -> str:
    """What a choice of images is called."""
    kind = resources.kind(resources.source(data).name)
    return told(_DATA_LABELS[kind]) if kind in _DATA_LABELS else Path(data).name


def _depths(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in re.findall(r"\d+", text))
    if len(numbers) != 2 or numbers[0] >= numbers[1]:
        raise RequestError(tr("depths {text!r}: write a shallow and a deep one, as 20 | 56", text=text))
    return numbers


def playing(draw: Callable[[], None], key: str) -> None:
    """A part of a page that `moment` belongs to: while it plays, it is drawn again a step further."""
    active = bool(st.session_state.get(f"{key}-playing"))
    st.fragment(_play, run_every=_PLAY_SECONDS if active else None, key=f"{key}-play")(draw, key, active)


def _play(draw: Callable[[], None], key: str, active: bool) -> None:
    if active:
        st.session_state[key] = min(100, st.session_state.get(key, 100) + _PLAY_STEP)
        if st.session_state[key] == 100:
            st.session_state[f"{key}-playing"] = False
            st.rerun()
    draw()


def moment(key: str) -> float:
    """A share of the training, 0..1, chosen or played; inside of `playing`."""
    slider, button = st.columns([2, 1], vertical_alignment="bottom")
    address.recall(key, 100, range(0, 101, _PLAY_STEP))
    share: int = slider.slider(
        tr("Training done"), 0, 100, step=_PLAY_STEP, format="%d%%", key=key,
        help=tr("The moment shown, from before the first step (0%) to the end."),
    )  # fmt: skip
    active = bool(st.session_state.get(f"{key}-playing"))
    if not active:
        address.remember(key, 100)
    what, icon = (tr("Pause"), ":material/pause:") if active else (tr("Play"), ":material/play_arrow:")
    if button.button(what, icon=icon, key=f"{key}-button", on_click=_play_or_pause, args=(key,), width="stretch"):
        st.rerun()  # the clock is the page's
    return share / 100


def _play_or_pause(key: str) -> None:
    active = not st.session_state.get(f"{key}-playing")
    st.session_state[f"{key}-playing"] = active
    if active and st.session_state[key] == 100:
        st.session_state[key] = 0
