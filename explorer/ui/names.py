"""What runs are called on the screen."""

from explorer.config import DIVERGED
from explorer.language import retold, tr
from explorer.runs import Run


def message(run: Run) -> str:
    """Why a run ended early, in the reader's language where it is a message of this program's."""
    return retold(run.message, (DIVERGED,))


def label(run: Run) -> str:
    """What a run is called; its usual name in the reader's language, one that somebody gave it as it is."""
    usual, constructed, seed = run.config.network.name, " · constructed start", f" · seed {run.config.seed}"
    start, middle = run.label.removesuffix(seed), ""
    if start == run.label:
        return run.label
    if start == usual + constructed:
        start, middle = usual, " · " + tr("constructed start")
    return f"{start}{middle} · {tr('seed {seed}', seed=run.config.seed)}"
