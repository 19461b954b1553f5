"""What the numbers say, in words that claim no more than they do."""

from collections.abc import Sequence
from statistics import mean, median

from explorer.config import NetworkConfig
from explorer.measurement.verdict import Gap
from explorer.records import LayerResponse

_WHOLE_POINTS = 9.95  # a gap below this is shown with one decimal
FAMILIES = {"plain": "Plain", "resnet": "Residual"}


def verdict_sentences(gaps: dict[str, Gap]) -> list[str]:
    """One sentence a family, plain first."""
    return [_gap_sentence(gaps[family]) for family in FAMILIES if family in gaps]


def _gap_sentence(gap: Gap) -> str:
    errors = f"{_percent(gap.shallow_error)} → {_percent(gap.deep_error)}"
    points, half = 100 * gap.gap, 100 * (gap.high - gap.low) / 2
    digits = 0 if abs(points) >= _WHOLE_POINTS else 1
    moved = f"{points:+.{digits}f} ± {half:.{digits}f} points".replace("-", "−").replace(" ", "\u00a0")
    more = gap.deep - gap.shallow
    if gap.degrades:
        said = f"{more} more layers raise the training error"
    elif gap.improves:
        said = f"{more} more layers lower the training error"
    else:
        said = f"{more} more layers make no difference that these runs can show"
    return f"**{FAMILIES[gap.family]}:** {said}, {errors} ({moved})."


def basis(gaps: dict[str, Gap]) -> str:
    """What the ± stands for."""
    seeds = min(gap.seeds for gap in gaps.values())
    if seeds > 1:
        return f"Means of {seeds} seeds; ± is the 95 % interval of the gap over seeds."
    images = min(gap.images for gap in gaps.values())
    return f"One seed; ± is the 95 % interval over the {images:,} images measured. Another seed may differ by more."


def difference(fraction: float) -> str:
    """How much an error lies above another."""
    points = f"{abs(100 * fraction):.1f} points"
    return "the same" if points == "0.0 points" else f"{points} {'above' if fraction > 0 else 'below'}"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 100:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.{0 if fraction >= 0.0995 else 1}f}\u00a0%"


def responses_sentence(shown: Sequence[tuple[NetworkConfig, Sequence[LayerResponse]]]) -> str:
    """Whether "residual responses are smaller, and smaller still when deeper" holds for these networks."""
    means = {
        (config.family, config.depth): mean(response.std for response in values) for config, values in shown if values
    }
    pairs = [(means["plain", depth], means["resnet", depth]) for family, depth in means if family == "plain"
             and ("resnet", depth) in means]  # fmt: skip
    if not pairs:
        return "Choose a plain and a residual network of one depth to compare them."
    told = " and ".join(f"{residual:.2f} against {plain:.2f}" for plain, residual in pairs)
    smaller = all(residual < plain for plain, residual in pairs)
    said = "smaller than" if smaller else "not smaller throughout than"
    residuals = [value for (family, _), value in sorted(means.items()) if family == "resnet"]
    deeper = ""
    if len(residuals) > 1:
        falling = all(shallow > deep for shallow, deep in zip(residuals, residuals[1:], strict=False))
        deeper = " Smaller still when deeper: " + ("yes." if falling else "no.")
    return f"On average residual responses are {said} plain ones here ({told}).{deeper}"


def branches_sentence(label: str, ratios: Sequence[float]) -> str:
    """How large F(x) is beside x in a network's blocks."""
    return (
        f"**{label}:** F(x) has {median(ratios):.2f} times the size of x (median over its {len(ratios)} blocks, "
        f"from {min(ratios):.2f} to {max(ratios):.2f})."
    )
