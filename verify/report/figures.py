"""How is a figure drawn?  Plain data to an SVG that is the same on every run, for light and dark pages."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from verify.report.prose import mathtext

if TYPE_CHECKING:
    from verify.derivation import Figure, Series

SIZE = (5.6, 3.3)
"""Inches."""
LEGEND_ROW = 0.22
"""Inches by which a figure grows for each row of a legend below it."""
INK, FAINT, RULE = "#1b1b1f", "#55555e", "#dcdce2"
COLOURS = ("#0b62a8", "#c2500a", "#1a7f4b", "#8a4fa3", "#7a6a00", "#a1305c")
"""Readable on white and distinguishable with any colour vision; the style sheet has their counterparts on black."""
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = {"line": "-", "dashed": (0, (5, 2.5)), "dotted": (0, (1.2, 2))}
UNSAID = ("Date", "Creator", "Type", "Format")
"""Metadata that would differ between runs or machines."""
FEW = 40
"""Points up to which each is marked."""
FEW_SERIES, SHORT_LABEL = 3, 24
"""Up to which the legend finds room within the axes."""
STYLES = (*LINES, "points")


def draw(figure: Figure, name: str) -> str:
    """An SVG document in which all text is drawn as outlines; `name` keeps its ids apart from those of other figures.

    Raises ValueError for a series in a style that is none of line, dashed, dotted, points.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Sheet

    settings: dict[Any, Any] = {
        "svg.fonttype": "path", "svg.hashsalt": name, "font.family": "STIXGeneral", "mathtext.fontset": "stix",
        "font.size": 12, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": FAINT,
        "ytick.color": FAINT, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.linewidth": 0.7,
        "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": True, "path.simplify": False,
    }  # fmt: skip
    with matplotlib.rc_context(rc=settings):
        below = -(-len(figure.series) // _columns(figure)) * LEGEND_ROW if _is_legend_below(figure) else 0
        sheet = Sheet(figsize=(SIZE[0], SIZE[1] + below), layout="constrained")
        FigureCanvasSVG(sheet)
        axes = sheet.add_subplot()
        axes.set_xscale("log" if figure.log_x else "linear")
        axes.set_yscale("log" if figure.log_y else "linear")
        for place, series in enumerate(figure.series):
            _plot(axes, figure, series, place)
        _tick_counts(axes, figure)
        axes.set_xlabel(mathtext(figure.x_label))
        axes.set_ylabel(mathtext(figure.y_label))
        axes.grid(color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        if _is_legend_below(figure):
            legend = {"loc": "outside lower center", "ncols": _columns(figure), "fontsize": 10.5}
            sheet.legend(frameon=False, handlelength=2, **legend)
        elif any(series.label for series in figure.series):
            axes.legend(frameon=False, fontsize=11, handlelength=2.2)
        written = io.StringIO()
        sheet.savefig(written, format="svg", transparent=True, metadata=dict.fromkeys(UNSAID))
    return written.getvalue()


def inline(svg: str, name: str, label: str) -> str:
    """The SVG as an element within HTML: no prolog, ids of its own, colours that follow the page's."""
    from html import escape

    body = svg[svg.index("<svg") :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"', r"\1", re.sub(r'(<svg\b[^>]*?)\sheight="[^"]*"', r"\1", body))
    shades = {INK: "--ink", FAINT: "--soft", RULE: "--rule"} | {c: f"--series-{i}" for i, c in enumerate(COLOURS, 1)}
    for colour, variable in shades.items():
        body = body.replace(colour, f"var({variable})")
    body = re.sub(r"<!--.*?-->\s*", "", body)
    body = re.sub(r'<g id="[a-z0-9.]+_\d+">', "<g>", body)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    label = escape(label, quote=True)
    return body.replace("<svg", f'<svg role="img" aria-label="{label}" class="plot"', 1).strip()


def _plot(axes: Any, figure: Figure, series: Series, place: int) -> None:
    if series.style not in STYLES:
        raise ValueError(
            f"figure {figure.title!r}: series {series.label!r} has style {series.style!r}; "
            f"use one of {', '.join(STYLES)}"
        )
    shown = [
        (x, y)
        for x, y in zip(series.x, series.y, strict=True)
        if (x > 0 or not figure.log_x) and (y > 0 or not figure.log_y)
    ]
    xs, ys = [x for x, _y in shown], [y for _x, y in shown]
    colour = COLOURS[place % len(COLOURS)]
    marked = series.style == "points" or (series.style == "line" and len(xs) <= FEW)
    axes.plot(
        xs, ys, color=colour, label=mathtext(series.label), linewidth=1.4,
        linestyle=LINES.get(series.style, "none"), marker=MARKERS[place % len(MARKERS)] if marked else "none",
        markersize=4.5 if len(xs) <= FEW else 2.5, rasterized=len(xs) > 3000,
    )  # fmt: skip


def _is_legend_below(figure: Figure) -> bool:
    return len(figure.series) > FEW_SERIES or max(len(series.label) for series in figure.series) > SHORT_LABEL


def _columns(figure: Figure) -> int:
    """How many labels of the legend fit side by side."""
    longest = max(len(series.label) for series in figure.series)
    return max(1, min(3, int(SIZE[0] / (0.6 + 0.075 * longest))))


def _tick_counts(axes: Any, figure: Figure) -> None:
    """On a logarithmic axis a few whole numbers, such as step counts, are the ticks themselves."""
    counts = sorted({x for series in figure.series for x in series.x})
    if figure.log_x and len(counts) <= 10 and all(x == int(x) and 0 < x < 1e5 for x in counts):
        axes.set_xticks(counts, labels=[f"{x:.0f}" for x in counts])
        axes.set_xticks([], minor=True)
