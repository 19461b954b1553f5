"""The colours, dashes and axes that all figures share.

Colours are Okabe and Ito's, told apart by colour-blind eyes too, and mid-tones: each has a contrast of at
least 3 on the light page and on the dark one, so that one figure serves both themes. Colour tells the family;
depth is told by shade, dash and legend together.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, TypeAlias

import plotly.graph_objects as go
import plotly.io as pio
from plotly.subplots import make_subplots

from explorer import families
from explorer.language import later, told

Figure: TypeAlias = go.Figure | dict[str, Any]
Narrow: TypeAlias = dict[str, Any]
"""`height` in pixels and `layout`, the changes to it."""

PLAIN = "#d55e00"
RESIDUAL = "#0072b2"
FAMILIES = {"plain": later("Plain networks"), "resnet": later("Residual networks")}
"""What the panels of the two families are called, in their order; to be `told`."""
PAPER = "#838a94"
"""Reference marks: the paper's own values, never a colour of a family."""
_RIGHT = 16  # pixels: plotly leaves out the label of a last tick that does not fit
FONT = "'Source Sans', 'Noto Sans KR', 'Nanum Gothic', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif"

_SHADES = {  # shallowest, deepest
    "plain": ("#e27418", "#ad4900"),
    "resnet": ("#3a9bd6", "#0068a3"),
    "preresnet": ("#c274a5", "#9c4f80"),
    "highway": ("#1fa67f", "#007a5a"),
    "skipinit": ("#a68a12", "#7d6600"),
}
_OTHER, _OTHER_SHADES = "#9a6a4f", ("#a5755a", "#8a5a3c")
"""Of families that are trained and have no colours of their own."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # from the deepest
_VARIANT_DASHES = ("2px,3px", "8px,3px,2px,3px,2px,3px", "12px,4px,4px,4px")
_WIDTHS = {"train": 1.25, "test": 2.75}


def family_titles() -> list[str]:
    """What the panels of the two families are called, in the reader's language."""
    return [told(title) for title in FAMILIES.values()]


def colour(family: str) -> str:
    """The one colour of a family; grey for one that is not trained here."""
    others = {"preresnet": "#b0608f", "highway": "#009068", "skipinit": "#927800"}
    return {"plain": PLAIN, "resnet": RESIDUAL, **others}.get(family, _OTHER if _shades(family) else PAPER)


def shade(family: str, depth_rank: int, depths: int = 2) -> str:
    """The family's colour for one of several depths, `depth_rank` 0 the shallowest: deeper is darker."""
    shades = _shades(family)
    if not shades:
        return PAPER
    shallow, deep = (_channels(end) for end in shades)
    part = min(max(depth_rank, 0) / (depths - 1), 1.0) if depths > 1 else 1.0
    mixed = (round(a + (b - a) * part) for a, b in zip(shallow, deep, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def line(family: str, depth_rank: int, split: str, depths: int = 2, variant: int = 0) -> dict[str, Any]:
    """A `go.Scatter` line: `split` is train (thin) or test (bold); the deepest is solid, others dashed.

    Networks of one family and depth that differ in an option are variants 1, 2 …, dashed in a way of their own.
    """
    dash = _DASHES[min(max(depths - 1 - depth_rank, 0), len(_DASHES) - 1)]
    if variant:
        dash = _VARIANT_DASHES[(variant - 1) % len(_VARIANT_DASHES)]
    return {"color": shade(family, depth_rank, depths), "width": _WIDTHS[split], "dash": dash}


def band(family: str, depth_rank: int, depths: int = 2) -> str:
    """The fill of a band around a mean line."""
    red, green, blue = _channels(shade(family, depth_rank, depths))
    return f"rgba({red},{green},{blue},0.18)"


def axis(title: str, *, percent: bool = False, **more: Any) -> dict[str, Any]:
    """An axis; `percent` shows fractions as percentages."""
    shown = {"tickformat": ".0%", "hoverformat": ".1%"} if percent else {}
    words = {"title": {"text": title, "standoff": 8}, "automargin": True}
    return {**words, "zeroline": False, "ticks": "outside", "ticklen": 4, **shown, **more}


def layout(x: str = "", y: str = "", *, percent: bool = True, **more: Any) -> dict[str, Any]:
    """The layout of every figure, to which `more` adds; `percent` is about the y axis.

    Text and grid take the page's colours where the figure is drawn, so none are set here.
    """
    base = {
        "xaxis": axis(x),
        "yaxis": axis(y, percent=percent, rangemode="tozero"),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13},
        "margin": {"l": 8, "r": _RIGHT, "t": 40, "b": 8},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
    }
    return {**base, **more}


def panels(titles: Collection[str], y: str, *, percent: bool = True, hovermode: str = "x unified") -> go.Figure:
    """Panels side by side on one y axis called `y`, the legend below; `stacked` arranges two of them for a phone."""
    return go.Figure(_panels(tuple(titles), y, percent, hovermode))


@lru_cache(maxsize=64)  # a live chart begins with them at every look, and building takes 20 times as long as copying
def _panels(titles: tuple[str, ...], y: str, percent: bool, hovermode: str) -> go.Figure:
    figure = make_subplots(
        rows=1, cols=len(titles), shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=list(titles)
    )
    base = layout(hovermode=hovermode, margin={"l": 8, "r": _RIGHT, "t": 26, "b": 8})
    figure.update_layout(**{name: value for name, value in base.items() if name not in ("xaxis", "yaxis")})
    figure.update_layout(legend={**base["legend"], "y": -0.22, "yanchor": "top"})
    figure.update_xaxes(**axis(""))
    figure.update_yaxes(**axis("", percent=percent))
    figure.update_yaxes(title_text=y, col=1)
    figure.update_layout(template="none")  # `to_json` leaves it out, and copying plotly's takes the longest
    return figure


def stacked(figure: go.Figure, height: int) -> Narrow:
    """How two panels side by side stand one above the other on a narrow page."""
    upper, lower = [0.57, 1.0], [0.0, 0.43]
    titles = [
        {**title.to_plotly_json(), "x": 0.5, "y": top}
        for title, top in zip(figure.layout.annotations, (upper[1], lower[1]), strict=True)
    ]
    across = {"domain": [0, 1]}
    layout = {
        "xaxis": {**across, "title": {"text": ""}},
        "xaxis2": across,
        "yaxis": {"domain": upper},
        "yaxis2": {"domain": lower, "showticklabels": True},
        "legend": {"y": -0.12},
        "annotations": titles,
    }
    return {"height": height, "layout": layout}


def rearranged(narrow: go.Figure) -> Narrow:
    """How a figure looks on a narrow page, taken from the same figure built for one."""
    layout = {name: value for name, value in narrow.layout.to_plotly_json().items() if name != "template"}
    return {"height": layout.pop("height"), "layout": layout}


def to_json(figure: Figure) -> str:
    """The figure as the browser wants it, without the template: Streamlit's has placeholders for colours."""
    spec = figure.to_dict() if isinstance(figure, go.Figure) else figure
    kept = {name: value for name, value in spec.get("layout", {}).items() if name != "template"}
    return str(pio.to_json({"data": spec.get("data", ()), "layout": kept}, validate=False))


def _shades(family: str) -> tuple[str, str] | None:
    """Shallowest and deepest; None for a family that is not trained here."""
    trained = family in families.FAMILIES and "cifar" in families.FAMILIES[family].designs
    return _SHADES.get(family, _OTHER_SHADES if trained else None)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
