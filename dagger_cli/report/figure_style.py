"""How figures look: drawn once on white, with colours that become those of the page in HTML.

Ink, grid and paper are marked by colours that nothing else has; in report.html they are replaced
by the page's own, which are light or dark. Line colours are legible on both.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from dagger_cli.core.errors import ConfigError

INK, GRID, PAPER = "#1a1c1e", "#d9dde1", "#fffefe"
COLORS = (
    "#2f81d6", "#e0701a", "#1f9d68", "#c2479a", "#8a67d6", "#b0860a", "#1798a8", "#d5453f",
    "#77892b", "#94674d", "#7c8896",
)  # fmt: skip
_COORDINATES, _TENTH = re.compile(r' (d|x|y|transform)="[^"]*"'), re.compile(r"(\d+\.\d)\d+")
_STYLE = {
    "svg.fonttype": "none",  # text stays text, a third of the size
    "text.parse_math": False,  # a $ in a name is a dollar sign
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans"],
    "lines.solid_capstyle": "butt",  # SVG's own, so that no path has to say it
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "legend.frameon": False,
    "path.simplify_threshold": 0.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """Applies the style to figures drawn in the block; ConfigError without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError as err:
        raise ConfigError(
            "dagger report draws with matplotlib, which is not installed: "
            "pip install 'dagger-cli[report]'"
        ) from err
    with mpl.rc_context(_STYLE):
        yield


def color(index: int) -> str:
    """Returns the line colour of a group."""
    return COLORS[index % len(COLORS)]


def dashes(index: int) -> str:
    """Returns the line style of a group; it changes where the colours begin again."""
    return ("-", "--", "-.", ":")[index // len(COLORS) % 4]


def saved(figure: Any, name: str) -> tuple[str, bytes]:
    """Returns a figure as SVG and PNG, the same bytes for the same figure."""
    import matplotlib as mpl

    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")  # each format would compute the layout again
    vector, raster = io.BytesIO(), io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(raster, format="png", dpi=150, metadata={"Software": None})
    return _short(vector.getvalue().decode()), raster.getvalue()


def inline(svg: str, label: str) -> str:
    """Returns an SVG for a page: its colours are the page's, its size is that of its place."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", body, count=1)
    body = body.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
    body = re.sub(r' id="\w*_\d+"', "", body)  # matplotlib numbers the parts of every figure alike
    for mark, own in ((INK, "var(--ink)"), (GRID, "var(--grid)"), (PAPER, "none")):
        body = body.replace(mark, own)
    return body


def _short(svg: str) -> str:
    """Returns an SVG with coordinates of a tenth of a point, and without indentation."""
    short = _COORDINATES.sub(lambda found: _TENTH.sub(r"\1", re.sub(r"\s+", " ", found[0])), svg)
    return re.sub(r"\n\s+", "\n", short)
