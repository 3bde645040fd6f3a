"""A page of a filing: paragraphs, one table, paragraphs.

Example: page ``APD/2016/page_96.pdf`` of FinQA, whose text before the table is "15 . debt the
tables below summarize our outstanding debt ...".
"""

from __future__ import annotations

from dataclasses import dataclass

from crossfoot.pages.table import Table


@dataclass(frozen=True, slots=True)
class Page:
    """One page; ``page_id`` is its ``filename`` in FinQA, or the path it was read from."""

    page_id: str
    before: tuple[str, ...]
    table: Table
    after: tuple[str, ...]
