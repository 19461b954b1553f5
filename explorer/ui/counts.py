"""What networks cost, beside each other and beside what the paper prints: tables and one sentence, from outlines."""

from collections.abc import Sequence
from functools import reduce
from html import escape

from explorer.language import later, told, tr
from explorer.outline import Outline, Stage
from explorer.paper import Printed
from explorer.plots.graph import stage_title

_MARKS = "*†‡§"
_ROWS = (later("Weighted layers"), later("Parameters"), later("Multiply-adds"))
_MORE = (
    later("{count:,} weighted layers more ({share})"),
    later("{count:,} parameters more ({share})"),
    later("{count:,} multiply-adds more ({share})"),
)
_FEWER = (
    later("{count:,} weighted layers fewer ({share})"),
    later("{count:,} parameters fewer ({share})"),
    later("{count:,} multiply-adds fewer ({share})"),
)
_STAGE_HEADS = (
    later("stage"), later("output"), later("layers"), later("parameters"), later("multiply-adds"), later("share"),
)  # fmt: skip
_PRINTED_HEADS = (later("network"), later("parameters"), later("multiply-adds"), later("the paper"), later("differs"))


def table(outlines: Sequence[Outline], paper: Printed | None) -> str:
    """Layers, parameters and multiply-adds as HTML: a column a network, and the paper's figures of the first."""
    heads = [outline.network.removesuffix("@imagenet") for outline in outlines]
    columns = [[f"{count:,}" for count in _counts(outline)] for outline in outlines]
    if paper:
        heads.insert(1, tr("the paper ({source})", source=told(paper.source)))
        columns.insert(1, ["", _rounded(paper.parameters), _rounded(paper.macs)])
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in heads)
    rows = "".join(
        f"<tr><th scope='row'>{told(name)}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        for name, cells in zip(_ROWS, zip(*columns, strict=True), strict=True)
    )
    remark = f"<p class='rx-basis'>{escape(told(paper.remark))}</p>" if paper and paper.remark else ""
    return f"<table class='rx-counts'><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>{remark}"


def stages(outline: Outline) -> str:
    """Stage by stage: output, layers, parameters, multiply-adds, and the share of them."""
    rows = "".join(_stage_row(stage, outline.macs) for stage in outline.stages)
    head = "".join(f"<th scope='col'>{told(name)}</th>" for name in _STAGE_HEADS)
    return f"<table class='rx-counts'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def printed_table(networks: Sequence[tuple[Outline, Printed | None]]) -> str:
    """Every network counted; where the paper prints multiply-adds of any, beside them, with the difference."""
    compared = any(paper for _, paper in networks)
    heads = _PRINTED_HEADS if compared else _PRINTED_HEADS[:3]
    head = "".join(f"<th scope='col'>{told(name)}</th>" for name in heads)
    remarks = [paper.remark for _, paper in networks if paper and paper.remark]
    marks = dict(zip(dict.fromkeys(remarks), _MARKS, strict=False))
    rows = "".join(_printed_row(outline, paper, marks, compared) for outline, paper in networks)
    notes = "".join(f"<p class='rx-basis'>{mark} {escape(told(remark))}</p>" for remark, mark in marks.items())
    return f"<table class='rx-counts'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"


def twins(first: Outline, second: Outline) -> str:
    """Whether two networks have the same parameters and multiply-adds, or by how much not."""
    if _counts(first) == _counts(second):
        return tr(
            "**Twins:** {network} has the same {parameters:,} parameters and the same {macs:,.2f} million "
            "multiply-adds. Only the shortcuts differ, and they cost nothing.",
            network=second.network, parameters=first.parameters, macs=first.macs / 1e6,
        )  # fmt: skip
    differences = [
        told(more if a > b else fewer, count=abs(a - b), share=_percent(a / b - 1))
        for more, fewer, a, b in zip(_MORE, _FEWER, _counts(first), _counts(second), strict=True)
        if a != b
    ]
    return tr(
        "**No twins:** {first} has {differences} than {second}.",
        first=first.network, second=second.network,
        differences=reduce(lambda some, last: tr("{some} and {last}", some=some, last=last), differences),
    )  # fmt: skip


def _counts(outline: Outline) -> tuple[int, int, int]:
    return outline.weighted_layers, outline.parameters, outline.macs


def _percent(share: float) -> str:
    digits = 1 if abs(share) >= 0.0005 else 3
    return f"{100 * share:+.{digits}f}\u00a0%".replace("-", "−")


def _rounded(count: float | None) -> str:
    if count is None:
        return ""
    return (
        f"{count / 1e9:.1f}×10⁹" if count >= 1e9 else f"{count / 1e6:.2g} M" if count < 1e7 else f"{count / 1e6:.1f} M"
    )


def _printed_row(outline: Outline, paper: Printed | None, marks: dict[str, str], compared: bool) -> str:
    printed, differs = "", ""
    if paper and paper.macs:
        printed = _rounded(paper.macs) + marks.get(paper.remark, "")
        differs = _percent(outline.macs / paper.macs - 1)
    cells = (outline.parameters, outline.macs)
    name = escape(outline.network.removesuffix("@imagenet"))
    beside = f"<td>{printed}</td><td>{differs}</td>" if compared else ""
    return f"<tr><th scope='row'>{name}</th>" + "".join(f"<td>{cell:,}</td>" for cell in cells) + f"{beside}</tr>"


def _stage_row(stage: Stage, total: int) -> str:
    channels, height, width = stage.output
    name = stage.label or stage_title(stage.name)
    cells = (
        f"{height}×{width}, {channels}",
        f"{stage.weighted_layers:,}",
        f"{stage.parameters:,}",
        f"{stage.macs:,}",
        f"{100 * stage.macs / total:.0f} %",
    )
    return f"<tr><th scope='row'>{escape(name)}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
