"""How does a picture become a file: matplotlib, the same bytes for the same picture."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

from .palette import HATCHED, colour, variable
from .picture import Picture, Stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 8.0
_RIGHT_IN, _TOP_IN, _EDGE_IN, _LINE_IN, _LEGEND_IN, _LETTER_IN = 0.7, 0.45, 0.12, 0.2, 0.22, 0.075
_LEGEND_COLUMNS = 4
_LABEL_LETTERS = 100
_DPI = 144
_LINE_WIDTHS = {"budget": 2.0, "whisker": 1.0, "soft": 1.0, "dashed": 1.2}
_INKS = {"budget": "--ink", "whisker": "--ink", "soft": "--soft", "dashed": "--ink"}
# No setting of the user's machine and no text of a model decides how a picture looks.
_SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans"], "font.size": 9.0, "text.parse_math": False, "text.usetex": False,
    "svg.fonttype": "none", "svg.hashsalt": "preflash", "hatch.linewidth": 0.8, "path.simplify": False,
}  # fmt: skip
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "preflash"},
    "png": {"Software": "preflash"},
}
_ANCHORS = {"left": "left", "middle": "center", "right": "right"}


def draw(picture: Picture, form: str) -> bytes:
    """The picture as a file's content: `form` is svg or png."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names may hold characters that the font lacks
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(_SETTINGS)
        figure = _figure(picture)
        content = io.BytesIO()
        figure.savefig(content, format=form, dpi=_DPI, metadata=_METADATA[form], facecolor="white")
    return content.getvalue()


def _figure(picture: Picture) -> Figure:
    from matplotlib.figure import Figure

    rows = -(-len(picture.legend) // _LEGEND_COLUMNS)
    left_in = 0.35 + _LETTER_IN * max((len(text) for _, text in picture.y_ticks), default=0)
    lines = bool(picture.x_ticks) + len(textwrap.wrap(picture.x_label, _LABEL_LETTERS))
    below_in = _EDGE_IN + _LINE_IN * lines + (_EDGE_IN + _LEGEND_IN * rows if rows else 0)
    height_in = picture.height_in + _TOP_IN + below_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    inner = (
        left_in / WIDTH_IN, below_in / height_in,
        (WIDTH_IN - left_in - _RIGHT_IN) / WIDTH_IN, picture.height_in / height_in,
    )  # fmt: skip
    axes = figure.add_axes(inner)
    _frame(axes, picture)
    _fill(axes, picture)
    title = textwrap.shorten(picture.title, 110, placeholder=" …")
    figure.text(0.1 / WIDTH_IN, 1 - 0.28 / height_in, title, fontsize=10, fontweight="bold")
    if picture.legend:
        figure.legend(
            handles=[_handle(kind, text) for kind, text in picture.legend], frameon=False, fontsize=8,
            loc="lower left", ncols=_LEGEND_COLUMNS, bbox_to_anchor=(0.02, 0.0), handlelength=1.4,
        )  # fmt: skip
    return figure


def _frame(axes: Axes, picture: Picture) -> None:
    """Axes in percent, y from the top; ticks where the picture has them."""
    axes.set_xlim(0, 100)
    axes.set_ylim(100, 0)
    axes.set_facecolor(variable("--page"))
    axes.set_xticks([x for x, _ in picture.x_ticks], [text for _, text in picture.x_ticks])
    axes.set_yticks([y for y, _ in picture.y_ticks], [text for _, text in picture.y_ticks])
    axes.tick_params(length=2, colors=variable("--soft"), labelcolor=variable("--ink"), labelsize=8)
    axes.set_xlabel(textwrap.fill(picture.x_label, _LABEL_LETTERS), fontsize=8)
    for side in axes.spines.values():
        side.set_color(variable("--line"))


def _fill(axes: Axes, picture: Picture) -> None:
    from matplotlib.patches import Rectangle

    for mark in picture.marks:
        axes.add_patch(Rectangle((mark.x, mark.y), mark.w, mark.h, **_paint(mark.kind)))
    for stroke in picture.strokes:
        axes.plot(*zip(*stroke.points, strict=True), **_pen(stroke), zorder=3, clip_on=False)
    for spot in picture.spots:
        face = colour(spot.kind) or "white"
        axes.plot(
            [spot.x], [spot.y], marker="o", markersize=6, color=face, markeredgecolor=colour(spot.ring),
            markeredgewidth=1.5, linestyle="none", zorder=4,
        )  # fmt: skip
    for words in picture.words:
        axes.text(
            words.x, words.y, words.text, fontsize=7.5, va="center", ha=_ANCHORS[words.anchor], zorder=5,
            color=variable("--ink"), bbox=_halo(),
        )  # fmt: skip


def _halo() -> dict[str, Any]:
    """What keeps a text readable on a line."""
    return {"facecolor": variable("--page"), "edgecolor": "none", "alpha": 0.75, "pad": 0.5}


def _paint(kind: str) -> dict[str, Any]:
    """How a box is filled; a class without a plain colour is hatched."""
    if kind == "peak":
        return {"facecolor": colour(kind), "edgecolor": "none", "alpha": 0.25}
    if kind == "f-free":
        return {"facecolor": variable("--track"), "edgecolor": "none"}
    face = colour(kind)
    if face == HATCHED:
        edge = variable("--c-reserved")
        return {"facecolor": "white", "edgecolor": edge, "hatch": "////", "linewidth": 0.5}
    edge = "white" if kind in ("f-tensor", "f-scratch") else "none"
    return {"facecolor": face, "edgecolor": edge, "linewidth": 0.5}


def _pen(stroke: Stroke) -> dict[str, Any]:
    ink = _INKS.get(stroke.kind)
    return {
        "color": variable(ink) if ink else colour(stroke.kind),
        "linewidth": _LINE_WIDTHS.get(stroke.kind, 1.8),
        "linestyle": "--" if stroke.kind == "dashed" else "-",
        "solid_capstyle": "butt",
    }


def _handle(kind: str, text: str) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if kind in _INKS or kind.startswith("t"):
        return Line2D([], [], label=text, **_pen(Stroke((), kind)))
    return Patch(label=text, **_paint(kind))
