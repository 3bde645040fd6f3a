"""A page as the prompt shows it, and pages out of Markdown files.

The layout is that of the published ConvFinQA adapters: ``<document>``, ``<pre_text>``, a Markdown
``<table>``, ``<post_text>``. Cells are shown clean (``$ 60.94`` as ``60.94``, ``-26 ( 26 )`` as
``-26``), so that a number is copied in the form in which the calculator reads it.
"""

from __future__ import annotations

import re

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table, clean_cell

_TAG = re.compile(
    r"<(?=\s*/?\s*(?:document|pre_text|table|post_text|tool_call|tool_response|tools|think"
    r"|start_of_turn|end_of_turn)\b|\|)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[a-z0-9]", re.IGNORECASE)


def render_page(page: Page) -> str:
    """The page between ``<document>`` tags; its own text cannot close or forge a tag."""
    before, after = _paragraphs(page.before), _paragraphs(page.after)
    table = _escape(render_table(page.table))
    return (
        f"<document>\n<pre_text>\n{before}\n</pre_text>\n<table>\n{table}\n</table>\n"
        f"<post_text>\n{after}\n</post_text>\n</document>"
    )


def render_table(table: Table) -> str:
    """A Markdown table of clean cells; short rows are filled up."""
    width = max((len(row) for row in table.rows), default=0)
    lines = []
    for index, row in enumerate(table.rows):
        cells = [clean_cell(text).replace("|", "\\|") for text in row]
        cells += [""] * (width - len(cells))
        lines.append("|" + "".join(f" {cell} |" if cell else " |" for cell in cells))
        if index == 0:
            lines.append("|" + "---|" * width)
    return "\n".join(lines)


def _paragraphs(texts: tuple[str, ...]) -> str:
    """Paragraphs in one line each; those without a word or number (FinQA's ``.``) are dropped."""
    kept = [" ".join(text.split()) for text in texts if _WORDS.search(text)]
    return _escape("\n".join(kept))


def _escape(text: str) -> str:
    return _TAG.sub("&lt;", text)
