"""What runs are called on the screen."""

from explorer.language import tr
from explorer.runs import Run


def label(run: Run) -> str:
    """What a run is called; its usual name in the reader's language, one that somebody gave it as it is."""
    usual, constructed, seed = run.config.network.name, " · constructed start", f" · seed {run.config.seed}"
    start, middle = run.label.removesuffix(seed), ""
    if start == run.label:
        return run.label
    if start == usual + constructed:
        start, middle = usual, " · " + tr("constructed start")
    return f"{start}{middle} · {tr('seed {seed}', seed=run.config.seed)}"
