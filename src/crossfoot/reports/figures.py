"""Figures as SVG text, to stand in a page or in a file of their own."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from crossfoot.errors import RecipeError

BLUE = "#2b5c8a"
# Matplotlib writes its version and the date here, which would make equal figures differ.
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def bars(counts: Mapping[str, int], title: str) -> str:
    """A bar for each name, in the order given, with its count."""
    figure, axes = _figure(height=0.9 + 0.28 * max(len(counts), 1))
    drawn = axes.barh(list(counts), list(counts.values()), color=BLUE)
    axes.bar_label(drawn, fmt="{:,.0f}", padding=3)
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    return _svg(figure)


def histogram(values: Sequence[int], title: str, what: str) -> str:
    """How many values lie in each of thirty stretches of equal width."""
    figure, axes = _figure(height=2.6)
    axes.hist(list(values), bins=30, color=BLUE)
    axes.set_title(title, loc="left")
    axes.set_xlabel(what)
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def _figure(height: float) -> tuple[Any, Any]:
    try:
        from matplotlib import rcParams
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RecipeError(
            "figures need matplotlib", advice="pip install 'crossfoot[figures]'"
        ) from error
    rcParams["svg.hashsalt"] = "crossfoot"  # equal figures get equal ids
    figure = Figure(figsize=(6.4, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Any) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg")
    text = _METADATA.sub("", written.getvalue())
    return text[text.index("<svg") :]
