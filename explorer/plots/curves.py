"""Training and test error over a run: the paper's figures 1 and 6, one panel a family, on one axis."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from statistics import fmean

import plotly.graph_objects as go

from explorer.config import NetworkConfig, RunConfig
from explorer.language import told, tr
from explorer.network_config import short_names
from explorer.plots import theme
from explorer.records import EvaluationRecord, Record, StepRecord

_RECORDED_OPACITY = 0.35
_FEW = 15  # evaluations; so few are marked, so that a first one alone is seen


@dataclass(frozen=True)
class Curve:
    """One run's records, and whether they were made here or recorded."""

    config: RunConfig
    records: Sequence[Record]
    recorded: bool = False

    @property
    def drawn_as(self) -> tuple[NetworkConfig, bool]:
        """Runs that make one line: of one network, from random weights or from a constructed start."""
        return self.config.network, bool(self.config.start)


@dataclass(frozen=True)
class Mark:
    """What the paper says of a network's errors at the end, as fractions, and where it says it."""

    network: NetworkConfig
    training: float
    test: float
    source: str


@dataclass(frozen=True)
class _Series:
    """Points of one line: the mean over seeds, with the smallest and the largest of them."""

    steps: list[int]
    middle: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class NetworkLine:
    """How a network is drawn: its name in the legend, and `theme.line`'s arguments."""

    name: str
    family: str
    rank: int
    depths: int
    variant: int


def error_curves(curves: Sequence[Curve], steps: int = 0, marks: Sequence[Mark] = ()) -> go.Figure:
    """Plain networks left, those with shortcuts right, on one y axis; training error thin, test error bold.

    Of several seeds the mean is drawn, with a band from the best to the worst. `steps` is the length of the x axis.
    A recording behind a live race is drawn faint. `marks` stand grey at the right edge.
    """
    figure = theme.panels(theme.family_titles(), tr("error"))
    lines = network_lines({curve.drawn_as for curve in curves})
    for recorded in (True, False):
        for drawn_as, line in lines.items():
            chosen = [curve for curve in curves if (curve.drawn_as, curve.recorded) == (drawn_as, recorded)]
            if chosen:
                behind = recorded and not all(curve.recorded for curve in curves)
                _add_network(figure, chosen, line, behind)
    for column in (1, 2):  # plotly draws no axes for a panel without a trace
        figure.add_trace(go.Scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip"), row=1, col=column)
    longest = steps or max((curve.config.training.steps for curve in curves), default=1)
    for mark in marks:
        _add_mark(figure, mark, longest)
    figure.update_layout(uirevision="curves")
    figure.update_xaxes(**theme.axis(tr("steps")), range=[0, longest])
    figure.update_yaxes(range=[0, 0.95], matches="y")
    return figure


def alternative_text(curves: Sequence[Curve]) -> str:
    """What `error_curves` shows, in words: the last errors of each network."""
    said = []
    for curve in curves:
        last = [record for record in curve.records if isinstance(record, EvaluationRecord)][-1:]
        said += [_in_words(curve.config, record) for record in last]
    over = tr("Error over training steps.")
    return f"{over} {'; '.join(said)}." if said else f"{over} {tr('Nothing measured yet.')}"


def _in_words(config: RunConfig, last: EvaluationRecord) -> str:
    asked = {
        "name": config.network.name, "seed": config.seed, "step": last.step, "training": last.training_error,
        "test": last.test_error,
    }  # fmt: skip
    if config.start:
        return tr(
            "{name}, constructed, seed {seed}, step {step}: training error {training:.1%}, test error {test:.1%}",
            **asked,
        )
    return tr("{name}, seed {seed}, step {step}: training error {training:.1%}, test error {test:.1%}", **asked)


def network_lines(drawn: Set[tuple[NetworkConfig, bool]]) -> dict[tuple[NetworkConfig, bool], NetworkLine]:
    """Which line each network has: the depth's rank among all, and a number where only an option tells it apart, or
    that it was constructed before it was trained."""
    ordered = sorted(drawn, key=lambda one: (one[0].depth, one[0].name, one[1]))
    depths = sorted({network.depth for network, _ in ordered})
    variants: dict[tuple[str, int], int] = {}
    names, lines = short_names(dict.fromkeys(network for network, _ in ordered)), {}
    for network, constructed in ordered:
        variant = 0
        if ":" in names[network] or constructed:
            variant = variants[network.family, network.depth] = variants.get((network.family, network.depth), 0) + 1
        rank = depths.index(network.depth)
        name = tr("{name} constructed,", name=names[network]) if constructed else names[network]
        lines[network, constructed] = NetworkLine(name, network.family, rank, len(depths), variant)
    return lines


def _add_network(figure: go.Figure, curves: list[Curve], drawn: NetworkLine, behind: bool) -> None:
    """The mean of the finished seeds with its band; a seed under way beside them is a line of its own."""
    finished = [curve for curve in curves if _is_finished(curve)]
    name, column = drawn.name, 1 if curves[0].config.network.shortcut == "none" else 2
    groups = {name: finished} if finished else {}
    for curve in curves:
        if not _is_finished(curve):
            groups[tr("{name} seed {seed}", name=name, seed=curve.config.seed) if finished else name] = [curve]
    for label, group in groups.items():
        for split, word in (("train", tr("training")), ("test", tr("test"))):
            series = _series(group, split)
            if len(group) > 1 and not behind:
                figure.add_trace(_band(series, theme.band(drawn.family, drawn.rank, drawn.depths)), row=1, col=column)
            line = theme.line(drawn.family, drawn.rank, split, drawn.depths, drawn.variant)
            marked = split == "test" and len(series.steps) < _FEW and not behind
            figure.add_trace(
                go.Scatter(
                    x=series.steps,
                    y=series.middle,
                    name=f"{label} {word}{tr(' (recorded)') if behind else ''}",
                    mode="lines+markers" if marked else "lines",
                    marker={"size": 5, "color": line["color"]},
                    line=line,
                    opacity=_RECORDED_OPACITY if behind else 1.0,
                    legendgroup=label,
                    showlegend=not behind,
                    **({"hoverinfo": "skip"} if behind else {"hovertemplate": "%{y:.1%}"}),
                ),
                row=1,
                col=column,
            )


def _add_mark(figure: go.Figure, mark: Mark, step: int) -> None:
    figure.add_trace(
        go.Scatter(
            x=[step, step],
            y=[mark.training, mark.test],
            name=tr("the paper's {network}", network=f"{mark.network.family}-{mark.network.depth}"),
            meta="reference",  # of no run: a replay leaves it where it is
            mode="markers",
            marker={"symbol": ["line-ew-open", "diamond"], "size": [12, 8], "color": theme.PAPER},
            cliponaxis=False,
            showlegend=False,
            text=[tr("training, read from Figure 6"), tr("test, {source}", source=told(mark.source))],
            hovertemplate="%{y:.1%} %{text}",
        ),
        row=1,
        col=1 if mark.network.shortcut == "none" else 2,
    )


def _is_finished(curve: Curve) -> bool:
    return bool(curve.records) and curve.records[-1].step == curve.config.training.steps


def _series(curves: list[Curve], split: str) -> _Series:
    """By step, over the seeds that have reached it."""
    values: dict[int, list[float]] = {}
    for curve in curves:
        for step, error in _points(curve.records, split):
            values.setdefault(step, []).append(error)
    most = max((len(errors) for errors in values.values()), default=0)
    steps = sorted(step for step, errors in values.items() if len(errors) == most)
    return _Series(
        steps,
        [fmean(values[step]) for step in steps],
        [min(values[step]) for step in steps],
        [max(values[step]) for step in steps],
    )


def _points(records: Sequence[Record], split: str) -> list[tuple[int, float]]:
    """Training error while training (on augmented images, a running mean); test error at the evaluations."""
    if split == "test":
        return [(r.step, r.test_error) for r in records if isinstance(r, EvaluationRecord)]
    return [(r.step, r.training_error) for r in records if isinstance(r, StepRecord)]


def _band(series: _Series, fill: str) -> go.Scatter:
    return go.Scatter(
        x=series.steps + series.steps[::-1],
        y=series.high + series.low[::-1],
        mode="lines",  # of few points plotly would draw markers too
        fill="toself",
        fillcolor=fill,
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
