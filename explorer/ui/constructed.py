"""The panel of the constructed solution: what a deep network could have been, beside what training made of it."""

from collections.abc import Sequence

import streamlit as st

from explorer import jobs
from explorer.engines.studies import DONE, FAILED, RUNNING, Study
from explorer.runs import Run
from explorer.ui import frame, resources, sentences
from explorer.ui.runs import final

_IMAGES = 1000
_TICK_SECONDS = 1.0


def panel(runs: Sequence[Run]) -> None:
    """Of each family of one experiment: the shallow network, the deep one made of it, the deep one as trained."""
    pairs = [pair for family in ("plain", "resnet") if (pair := _pair(runs, family))]
    if not pairs:
        return
    st.subheader("Could the deep network have been as good as the shallow one?", anchor=False)
    studies, asked = resources.studies(), [_arguments(shallow, deep) for shallow, deep in pairs]
    found = [studies.get(arguments) for arguments in asked]
    active = any(study and study.state == RUNNING for study in found)
    st.fragment(_told, run_every=_TICK_SECONDS if active else None, key="constructed")(pairs, asked, active)
    if active:
        if st.button("Stop", icon=":material/stop:", key="constructed-stop"):
            for arguments in asked:
                studies.stop(arguments)
            st.rerun()
    elif not all(study and study.state == DONE for study in found):
        # both splits, through the shallow network and the deep one
        seconds = sum(jobs.measuring(run.config, _IMAGES, 2) for pair in pairs for run in pair)
        label = f"Construct it and look · about {sentences.duration(seconds)}"
        if st.button(label, icon=":material/construction:", key="constructed-start"):
            with frame.errors_in_place():
                for arguments in asked:
                    studies.start(arguments)
                st.rerun()


def _told(pairs: Sequence[tuple[Run, Run]], asked: Sequence[list[str]], was_active: bool) -> None:
    found = [resources.studies().get(arguments) for arguments in asked]
    if was_active and not any(study and study.state == RUNNING for study in found):
        st.rerun()  # once, to stop the clock
    said = [_sentence(*pair, study) for pair, study in zip(pairs, found, strict=True) if study and study.state == DONE]
    if said:
        st.markdown("  \n".join(said))
    elif was_active:
        st.caption("Measuring …")
    else:
        st.caption(
            "Copy the layers of the trained shallow network, and let all others pass on what they get (section 1). "
            "That deep network cannot be worse than the shallow one, and nobody has to train it."
        )
    for study in found:
        if study and study.state == FAILED:
            st.error(study.message)


def _sentence(shallow: Run, deep: Run, study: Study) -> str:
    """The two errors that construction makes equal, and the one that training made."""
    result = study.result or {}
    here, made = result["shallow"], result["deep"]
    network, last = deep.config.network, final(deep)
    same = "to the last bit" if result["largest_logit_difference"] == 0 else "but for rounding"
    trained = f" Trained from scratch, {network.family}-{network.depth} has {last.training_error:.1%}." if last else ""
    source = f"{network.family}-{shallow.config.network.depth}"
    return (
        f"**{network.family}-{network.depth}, constructed from {source}:** training error {made['train_error']:.1%} on "
        f"{made['train_images']:,} images, as {source} itself ({here['train_error']:.1%}), {same}.{trained}"
    )


def _pair(runs: Sequence[Run], family: str) -> tuple[Run, Run] | None:
    """The shallowest and the deepest of a family, of one seed, the shallow one's weights and images at hand."""
    catalogue = resources.catalogue()
    of_it = sorted(
        (run for run in runs if run.config.network.family == family), key=lambda run: run.config.network.depth
    )
    for shallow in of_it:
        alike = [run for run in of_it if run.config.seed == shallow.config.seed]
        if catalogue.has_weights(shallow.run) and resources.has_images(shallow) and alike[-1] is not shallow:
            return shallow, alike[-1]
    return None


def _arguments(shallow: Run, deep: Run) -> list[str]:
    source = resources.source_of(shallow)
    depth = str(deep.config.network.depth)
    data = str(source.path or source.kind)
    return ["constructed", shallow.run, "--depth", depth, "--data", data, "--images", str(_IMAGES)]
