"""The panel of the architecture page: a network built by controls, drawn and counted beside another."""

import streamlit as st

from explorer.config import NetworkConfig, RunConfig, network
from explorer.language import told, tr
from explorer.outline import Outline
from explorer.paper import printed
from explorer.recipes import RECIPES
from explorer.ui import address, controls, counts, exchange, frame, network_controls, resources, sitemap
from explorer.ui.drawing import drawing
from explorer.ui.runs import submit

_TWIN, _ALONE = "its twin", "nothing"  # names, as they stand in the address
_FIGURE_3 = ("vgg-19@imagenet", "plain-34@imagenet", "resnet-34@imagenet")
_SHORTCUTS = ("plain-56", "resnet-56", "resnet-56:shortcut=B", "resnet-56:shortcut=C", "highway-56")
_DEPTHS = tuple(f"{name}@imagenet" for name in ("vgg-19", "plain-34", "resnet-34", "resnet-50", "resnet-152"))
_TABLE_1 = (
    "plain-18@imagenet", "resnet-18@imagenet", "plain-34@imagenet", "resnet-34@imagenet", "resnet-50@imagenet",
    "resnet-101@imagenet", "resnet-152@imagenet", "vgg-16@imagenet", "vgg-19@imagenet", "googlenet@imagenet",
)  # fmt: skip


@st.fragment
def build() -> None:
    """Controls, drawing and counts; only this part of the page runs again when a control moves."""
    with frame.errors_in_place():
        config = network_controls.chosen("network", "resnet-20")
        drawn, counted = st.columns([6, 5], gap="medium")
        with counted:
            beside = _beside(config)
            outlines = [outline(one) for one in (config, *beside)]
            st.html(counts.table(outlines, printed(config)))
            if beside:
                st.markdown(counts.twins(*outlines))
        with drawn:
            drawing(outlines, key="architecture")
        with counted:
            _actions(config)
        st.html(counts.stages(outlines[0]))


def table_1() -> None:
    """Figure 3 in one view, and every network of Table 1 counted beside what it prints."""
    drawn, counted = st.columns([6, 5], gap="medium")
    with drawn:
        stages = (f"stage{index}" for index in range(1, 6))
        drawing([outline(network(name)) for name in _FIGURE_3], key="figure-3", unfolded=stages)
    with counted:
        st.html(counts.printed_table([(outline(one), printed(one)) for one in map(network, _TABLE_1)]))
        st.caption(
            tr(
                "Multiply-adds of one 224×224 image, convolutions and linear layers, as the paper counts its FLOPs. "
                "GoogLeNet is torchvision's, with 3×3 layers where the original has 5×5."
            )
        )


def shortcuts_counted() -> None:
    """What each kind of shortcut costs."""
    outlines = [outline(network(name)) for name in _SHORTCUTS]
    frame.finding([counts.twins(outlines[1], outlines[0])], tr("Counted on the networks themselves."))
    st.html(counts.printed_table([(one, None) for one in outlines]))


def depths_counted() -> None:
    """What depth costs on ImageNet, beside VGG."""
    st.html(counts.printed_table([(outline(one), printed(one)) for one in map(network, _DEPTHS)]))


def outline(config: NetworkConfig) -> Outline:
    """The outline of a network; torch is imported when first needed."""
    from explorer.summary import summary

    return summary(config)


def _beside(config: NetworkConfig) -> list[NetworkConfig]:
    """What stands beside the network: its twin, nothing, or what was typed."""
    choices = [_TWIN, _ALONE] if config.twin != config else [_ALONE]
    address.recall("beside", choices[0])
    words = {_TWIN: tr("its twin"), _ALONE: tr("nothing")}
    picked = st.selectbox(
        tr("Beside it"),
        choices,
        format_func=lambda name: words.get(name, name),
        accept_new_options=True,
        help=tr("Its twin has the same layers without shortcuts (or with them). Or type a name: highway-32."),
        key="beside",
    )
    address.remember("beside", choices[0])
    if picked == _ALONE:
        return []
    other = config.twin if picked == _TWIN else network(picked)
    return [] if other == config else [other]


def _actions(config: NetworkConfig) -> None:
    train, race = st.columns(2)
    can_train = config.design == "cifar"
    with train.popover(tr("Train this"), icon=":material/play_arrow:", width="stretch", disabled=not can_train):
        if can_train:
            with frame.errors_in_place():
                _train(config)
    if race.button(tr("Add to the race"), icon=":material/add:", width="stretch", disabled=not can_train):
        st.switch_page(str(sitemap.entry("degradation").path), query_params={"also": config.name})
    with st.popover(tr("Export as PyTorch code"), icon=":material/download:", width="stretch"), frame.errors_in_place():
        exchange.export(config)
    if not can_train:
        st.caption(tr("Networks for ImageNet are here to be counted and drawn; those for CIFAR-10 train."))


def _recipe(name: str) -> str:
    return told(RECIPES[name].label)


def _train(config: NetworkConfig) -> None:
    """Recipe and images, then the button: it leads to the page that shows the run."""
    name = st.selectbox(
        tr("How long"), list(RECIPES), format_func=_recipe, help=controls.recipes_help(), key="train-recipe"
    )
    data = st.selectbox(
        tr("Images"), resources.data_choices(), format_func=controls.data_label, help=controls.images_help(),
        key="train-data",
    )  # fmt: skip
    source = resources.source(data)
    recipe = RECIPES[name]
    seeds = [run.config.seed for run in resources.server().store.runs() if run.config.network == config]
    seed = next(seed for seed in range(len(seeds) + 1) if seed not in seeds)
    run = RunConfig(config, recipe.training_for(config), source.name, seed)
    if st.button(tr("Train {network}, seed {seed}", network=config.name, seed=seed), type="primary", key="train-start"):
        submit([run], str(source.path) if source.path else source.kind)
        st.switch_page(str(sitemap.entry("runs").path))
