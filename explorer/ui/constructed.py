"""The panel of the constructed solution: what a deep network could have been, beside what training made of it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explorer import jobs
from explorer.config import RunConfig
from explorer.engines.studies import DONE as MADE
from explorer.engines.studies import Study
from explorer.language import tr
from explorer.runs import ACTIVE, Run
from explorer.ui import error_chart, resources, sentences, studies
from explorer.ui.runs import final, stop_runs, submit

_IMAGES = 1000
Pair = tuple[Run, Run]
"""A shallow network and a deep one of its family, trained alike."""


def panel(runs: Sequence[Run]) -> None:
    """Of each family of one experiment: the shallow network, the deep one made of it, the deep one as trained."""
    pairs = [pair for family in ("plain", "resnet") if (pair := _pair(runs, family))]
    if not pairs:
        return
    st.header(tr("Could the deep network have been as good as the shallow one?"), anchor=False)
    asked = [_asked(*pair) for pair in pairs]
    studies.follow(asked, partial(_told, pairs), "constructed")
    with st.columns([1, 2])[0]:
        studies.press(asked, tr("Construct it"), ":material/construction:", "constructed")
    if studies.done(asked):
        _trained_on(pairs)


def _told(pairs: Sequence[Pair], found: studies.Found) -> None:
    said = [_sentence(*pair, study) for pair, study in zip(pairs, found, strict=True) if study and study.state == MADE]
    if said:
        st.markdown("  \n".join(said))
        studies.badge(found)
    else:
        st.caption(
            tr(
                "Copy the layers of the trained shallow network, and let all others pass on what they get (section 1). "
                "That deep network cannot be worse than the shallow one, and nobody has to train it."
            )
        )


def _trained_on(pairs: Sequence[Pair]) -> None:
    """The deep networks trained by the same recipe, from the constructed solution and from scratch."""
    wanted = [_from_there(*pair) for pair in pairs]
    live = [run for run in map(resources.server().store.get, [config.run for config in wanted]) if run]
    active = any(run.state in ACTIVE for run in live)
    st.fragment(_chart, key="constructed-race")(pairs, live, active)
    if active:
        if st.button(tr("Stop"), icon=":material/stop:", key="constructed-race-stop"):
            stop_runs([run.run for run in live if run.state in ACTIVE])
            st.rerun()
        return
    missing = [config for config in wanted if config.run not in {run.run for run in live if final(run)}]
    if missing:
        seconds = error_chart.estimate(missing)
        takes = " · " + tr("about {time}", time=sentences.duration(seconds)) if seconds else ""
        if st.button(tr("Train on from there") + takes, icon=":material/play_arrow:", key="constructed-race-start"):
            submit(missing, studies.location(pairs[0][0]))
            st.rerun()


def _chart(pairs: Sequence[Pair], live: Sequence[Run], was_active: bool) -> None:
    now = [run for run in (resources.server().store.get(run.run) for run in live) if run]
    if was_active and not any(run.state in ACTIVE for run in now):
        st.rerun()  # once: the button below changes too
    if not now:
        return
    scratch = [deep for _, deep in pairs]
    for (shallow, deep), run in zip(pairs, now, strict=False):
        last, from_scratch, start = final(run), final(deep), final(shallow)
        if last and from_scratch and start and last.step == run.config.training.steps:
            st.markdown(
                tr(
                    "**{name}, trained on from there:** training error {error:.1%}; from random weights {scratch:.1%}; "
                    "{shallow:.1%} with {depth} layers.",
                    name=f"{deep.config.network.family}-{deep.config.network.depth}", error=last.training_error,
                    scratch=from_scratch.training_error, shallow=start.training_error,
                    depth=shallow.config.network.depth,
                )
            )  # fmt: skip
    own = [run for run in scratch if run.created]
    error_chart.draw([*now, *own], [run for run in scratch if not run.created], key="constructed-curves")
    st.caption(
        tr(
            "Bold: started from the constructed solution and trained by the same recipe; the other line from random "
            "weights. In training BN normalises with each batch's own statistics, so that a plain network is not "
            "exactly the shallow one even in the first step; a residual one is, until its added branches, zero at "
            "first, begin to learn."
        )
    )


def _from_there(shallow: Run, deep: Run) -> RunConfig:
    config = deep.config
    return RunConfig(config.network, config.training, config.data, config.seed, start=shallow.run)


def _sentence(shallow: Run, deep: Run, study: Study) -> str:
    """The two errors that construction makes equal, and the one that training made."""
    result = study.result or {}
    here, made = result["shallow"], result["deep"]
    network, last = deep.config.network, final(deep)
    name = f"{network.family}-{network.depth}"
    asked = {
        "name": name, "source": f"{network.family}-{shallow.config.network.depth}", "error": made["train_error"],
        "images": made["train_images"], "shallow": here["train_error"],
    }  # fmt: skip
    if result["largest_logit_difference"] == 0:
        said = tr(
            "**{name}, constructed from {source}:** training error {error:.1%} on {images:,} images, as {source} "
            "itself ({shallow:.1%}), to the last bit.",
            **asked,
        )
    else:
        said = tr(
            "**{name}, constructed from {source}:** training error {error:.1%} on {images:,} images, as {source} "
            "itself ({shallow:.1%}), but for rounding.",
            **asked,
        )
    if not last:
        return said
    return f"{said} {tr('Trained from scratch, {name} has {error:.1%}.', name=name, error=last.training_error)}"


def _pair(runs: Sequence[Run], family: str) -> Pair | None:
    """The shallowest and the deepest of a family, of one seed, the shallow one's weights at hand."""
    catalogue = resources.catalogue()
    of_it = sorted(
        (run for run in runs if run.config.network.family == family and not run.config.start),
        key=lambda run: run.config.network.depth,
    )
    for shallow in of_it:
        alike = [run for run in of_it if run.config.seed == shallow.config.seed]
        if catalogue.has_weights(shallow.run) and alike[-1] is not shallow:
            return shallow, alike[-1]
    return None


def _asked(shallow: Run, deep: Run) -> studies.Asked:
    """Both splits, through the shallow network and the deep one."""
    seconds = sum(jobs.measuring(run.config, _IMAGES, 2) for run in (shallow, deep))
    depth = str(deep.config.network.depth)
    return studies.Asked(shallow, ["constructed", shallow.run, "--depth", depth, "--images", str(_IMAGES)], seconds)


def sentence(runs: Sequence[Run], family: str) -> str:
    """What the construction of a family's deep network showed; empty where it was not made."""
    pair, made = _pair(runs, family), study(runs, family)
    return _sentence(*pair, made) if pair and made and made.state == MADE else ""


def study(runs: Sequence[Run], family: str) -> Study | None:
    """The study of a family's pair among these runs, as far as it is."""
    pair = _pair(runs, family)
    return resources.studies().get(_asked(*pair).arguments) if pair else None
