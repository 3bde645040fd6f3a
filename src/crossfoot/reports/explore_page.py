"""A data set as one HTML page without scripts: figures, lengths, suspicious labels, near twins.

``explore_page("finqa, dev", samples, {"train": train}, tokenizer)`` is its text. Everything that
comes out of the data is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from crossfoot.errors import RecipeError
from crossfoot.reports.figures import bars, histogram
from crossfoot.tasks.base import Sample
from crossfoot.tasks.duplicates import near_pages, shared_pages
from crossfoot.tasks.overview import overview, spread, token_lengths
from crossfoot.tasks.suspicious import suspicions

FIGURES = {
    "operations": "operations of gold programs",
    "steps": "steps of gold programs",
    "units": "units of the answers",
    "positions": "turns of a conversation",
    "evidence": "evidence: named, rebuilt, or neither",
    "evidence_in": "where the evidence stands",
}


def explore_page(
    title: str, samples: Sequence[Sample], others: Mapping[str, Sequence[Sample]], tokenizer: Any
) -> str:
    """HTML of a split, compared with ``others`` by their names."""
    try:
        import jinja2
    except ImportError as error:
        raise RecipeError(
            "the page needs jinja2", advice="pip install 'crossfoot[figures]'"
        ) from error
    counts = overview(samples)
    tokens = token_lengths(samples, tokenizer)
    tokenizer_name = str(tokenizer.name_or_path).rstrip("/").rpartition("/")[2]
    found = suspicions(samples)
    text = (files("crossfoot.reports") / "templates" / "explore.html.jinja").read_text("utf-8")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        text
    )
    return template.render(
        title=title,
        counts={name.replace("_", " "): n for name, n in counts.items() if isinstance(n, int)},
        figures=[
            *(bars(counts[name], what) for name, what in FIGURES.items() if counts[name]),
            *(
                histogram(n, f"length of {what}s", f"tokens of {tokenizer_name}")
                for what, n in tokens.items()
            ),
        ],
        tokens={what: spread(lengths) for what, lengths in tokens.items()},
        tokenizer=tokenizer_name,
        kinds=Counter(one.kind for one in found).most_common(),
        suspicious=found,
        twins={
            name: (shared_pages(samples, other), near_pages(samples, other))
            for name, other in others.items()
        },
    )
