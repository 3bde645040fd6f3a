"""The units of a page, and pages of some of them.

FinQA (https://github.com/czyssrs/FinQA) names evidence by unit: ``text_3`` is the fourth paragraph
counted through the text before and after the table, ``table_1`` the first row under the header.
``keep(page, {"text_3", "table_1"})`` is the page of these two and the table's header.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table, clean_cell

_WORDS = re.compile(r"[a-z0-9]", re.IGNORECASE)


def text_name(index: int) -> str:
    """The name of a paragraph, counted from 0 through both texts."""
    return f"text_{index}"


def row_name(index: int) -> str:
    """The name of a row of the table; row 0 is the header."""
    return f"table_{index}"


def is_text(unit: str) -> bool:
    """Whether a unit is a paragraph."""
    return unit.startswith("text_")


def unit_names(page: Page) -> tuple[str, ...]:
    """Every unit in the order of the page, empty paragraphs and the header row included."""
    before, after = len(page.before), len(page.after)
    return (
        *(text_name(index) for index in range(before)),
        *(row_name(index) for index in range(len(page.table.rows))),
        *(text_name(index) for index in range(before, before + after)),
    )


def filled_units(page: Page) -> dict[str, str]:
    """The units that say something, and what: paragraphs with a word, rows below the header.

    A row is told as FinQA tells it: ``the revenue of 2016 is 5829 ; the revenue of 2015 is 5735``.
    """
    texts = {text_name(i): text for i, text in enumerate((*page.before, *page.after))}
    header = page.table.rows[0] if page.table.rows else ()
    texts |= {row_name(i): _told(row, header) for i, row in enumerate(page.table.rows) if i}
    return {name: texts[name] for name in unit_names(page) if _WORDS.search(texts.get(name, ""))}


def keep(page: Page, units: Collection[str]) -> Page:
    """The page with these units alone, in its order; any row brings the header row along."""
    before = len(page.before)
    rows = tuple(row for i, row in enumerate(page.table.rows) if i and row_name(i) in units)
    header = page.table.rows[:1] if rows or row_name(0) in units else ()
    return Page(
        page.page_id,
        tuple(text for i, text in enumerate(page.before) if text_name(i) in units),
        Table((*header, *rows)),
        tuple(text for i, text in enumerate(page.after, before) if text_name(i) in units),
    )


def told(label: str, cells: Iterable[tuple[str, str]]) -> str:
    """A row as FinQA tells it, from its header and its cells behind their column headers."""
    return " ; ".join(f"the {label} of {column} is {cell}" for column, cell in cells)


def _told(row: tuple[str, ...], header: tuple[str, ...]) -> str:
    above = (*header[1:], *[""] * len(row))
    cells = ((column, clean_cell(cell)) for cell, column in zip(row[1:], above, strict=False))
    return told(row[0] if row else "", cells)
