"""What the numbers say, in words that claim no more than they do."""

from collections.abc import Sequence
from statistics import mean, median

from explorer.config import NetworkConfig
from explorer.language import later, told, tr
from explorer.measurement.verdict import Gap
from explorer.records import LayerResponse

_WHOLE_POINTS = 9.95  # a gap below this is shown with one decimal
FAMILIES = {"plain": later("Plain"), "resnet": later("Residual")}


def verdict_sentences(gaps: dict[str, Gap]) -> list[str]:
    """One sentence a family, plain first."""
    return [_gap_sentence(gaps[family]) for family in FAMILIES if family in gaps]


def _gap_sentence(gap: Gap) -> str:
    errors = f"{_percent(gap.shallow_error)} → {_percent(gap.deep_error)}"
    points, half = 100 * gap.gap, 100 * (gap.high - gap.low) / 2
    digits = 0 if abs(points) >= _WHOLE_POINTS else 1
    plus_minus = f"{points:+.{digits}f} ± {half:.{digits}f}".replace("-", "−")
    moved = tr("{difference} points", difference=plus_minus).replace(" ", "\u00a0")
    more = gap.deep - gap.shallow
    if gap.degrades:
        said = tr("{more} more layers raise the training error", more=more)
    elif gap.improves:
        said = tr("{more} more layers lower the training error", more=more)
    else:
        said = tr("{more} more layers make no difference that these runs can show", more=more)
    return f"**{told(FAMILIES[gap.family])}:** {said}, {errors} ({moved})."


def basis(gaps: dict[str, Gap]) -> str:
    """What the ± stands for."""
    seeds = min(gap.seeds for gap in gaps.values())
    if seeds > 1:
        return tr("Means of {seeds} seeds; ± is the 95 % interval of the gap over seeds.", seeds=seeds)
    images = min(gap.images for gap in gaps.values())
    return tr(
        "One seed; ± is the 95 % interval over the {images:,} images measured. Another seed may differ by more.",
        images=images,
    )


def difference(fraction: float) -> str:
    """How much an error lies above another."""
    points = f"{abs(100 * fraction):.1f}"
    if points == "0.0":
        return tr("the same")
    return tr("{points} points above", points=points) if fraction > 0 else tr("{points} points below", points=points)


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 100:
        return tr("{number} s", number=max(5, 5 * round(seconds / 5)))
    if seconds < 5400:
        return tr("{number} min", number=round(seconds / 60))
    if seconds < 172_800:
        return tr("{number} h", number=round(seconds / 3600))
    return tr("{number} days", number=round(seconds / 86_400))


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
        return tr("Choose a plain and a residual network of one depth to compare them.")
    figures = ", ".join(
        tr("{residual:.2f} against {plain:.2f}", residual=residual, plain=plain) for plain, residual in pairs
    )
    if all(residual < plain for plain, residual in pairs):
        said = tr("On average residual responses are smaller than plain ones here ({figures}).", figures=figures)
    else:
        said = tr("Residual responses are not smaller throughout than plain ones here ({figures}).", figures=figures)
    residuals = [value for (family, _), value in sorted(means.items()) if family == "resnet"]
    if len(residuals) < 2:
        return said
    falling = all(shallow > deep for shallow, deep in zip(residuals, residuals[1:], strict=False))
    deeper = tr("Smaller still when deeper: yes.") if falling else tr("Smaller still when deeper: no.")
    return f"{said} {deeper}"


def branches_sentence(label: str, ratios: Sequence[float]) -> str:
    """How large F(x) is beside x in a network's blocks."""
    return tr(
        "**{label}:** F(x) has {middle:.2f} times the size of x (median over its {blocks} blocks, from {low:.2f} to "
        "{high:.2f}).",
        label=label, middle=median(ratios), blocks=len(ratios), low=min(ratios), high=max(ratios),
    )  # fmt: skip
