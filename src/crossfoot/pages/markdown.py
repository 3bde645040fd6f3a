"""A page as the prompt shows it, and pages out of Markdown files.

The layout is that of the published ConvFinQA adapters: ``<document>``, ``<pre_text>``, a Markdown
``<table>``, ``<post_text>``. Cells are shown clean (``$ 60.94`` as ``60.94``, ``-26 ( 26 )`` as
``-26``), so that a number is copied in the form in which the calculator reads it.
"""

from __future__ import annotations

import re

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table, clean_cell, with_header
from crossfoot.pages.units import row_name, text_name

_TAG = re.compile(
    r"<(?=\s*/?\s*(?:document|pre_text|table|post_text|tool_call|tool_response|tools|think"
    r"|start_of_turn|end_of_turn)\b|\|)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[a-z0-9]", re.IGNORECASE)


def render_page(page: Page, labelled: bool = False, sentences: bool = True) -> str:
    """The page between ``<document>`` tags; its own text cannot close or forge a tag.

    ``labelled`` shows every cell with its row and column header instead of a Markdown table;
    without ``sentences`` the table is all of it.
    """
    table = _escape((render_labelled if labelled else render_table)(page.table))
    if not sentences:
        return f"<document>\n<table>\n{table}\n</table>\n</document>"
    before, after = _paragraphs(page.before), _paragraphs(page.after)
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


def render_labelled(table: Table) -> str:
    """A line for each row, in which every number stands behind its column header.

    ``total debt: 2016 = 6225.2; 2015 = 5879``. To find a cell is then to find two words before it,
    where in a Markdown table it is to count columns.
    """
    table = with_header(table)
    corner = page_line(table.rows[0][0]) if table.rows and table.rows[0] else ""
    lines = [corner] if corner else []
    lines += [_labelled_row(table, index) for index in range(1, len(table.rows))]
    return "\n".join(lines)


def _labelled_row(table: Table, index: int) -> str:
    row = table.rows[index]
    cells = "; ".join(labelled_cells(table, index).values())
    return f"{row_label(row[0]) if row else ''}: {cells}".strip()


def labelled_units(page: Page) -> dict[str, str]:
    """The units of a page by name, each in one line as the labelled page prints it."""
    texts = {text_name(i): page_line(t) for i, t in enumerate((*page.before, *page.after))}
    table = with_header(page.table)
    added = len(table.rows) - len(page.table.rows)
    rows = {row_name(i): _labelled_row(table, i + added) for i in range(1, len(page.table.rows))}
    return {name: _escape(text) for name, text in (texts | rows).items()}


def labelled_cells(table: Table, index: int) -> dict[int, str]:
    """The cells of a row that are not empty, by column: ``{1: "2016 = 6225.2"}``."""
    header, row = table.rows[0], table.rows[index]
    cells = {}
    for column, text in enumerate(row[1:], start=1):
        above = page_line(header[column]) if column < len(header) else ""
        value = page_line(clean_cell(text))
        if value:
            cells[column] = f"{above} = {value}" if above else value
    return cells


def row_of_line(line: str) -> tuple[str, list[str]]:
    """The row header of a labelled line, and its cells as it says them (``2016 = 5879``)."""
    label, _, tail = line.partition(": ")
    return label, tail.split("; ")


def cells_of_line(line: str) -> tuple[str, list[tuple[str, str]]]:
    """The row header of a labelled line, and its cells behind their column headers."""
    label, told = row_of_line(line)
    cells = [cell.rpartition(" = ") for cell in told]
    return label, [(column, value) for column, _, value in cells]


def row_label(header: str) -> str:
    """A row header in front of its cells: without colons, which end it."""
    return " ".join(header.replace(":", " ").split())


def page_line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(texts: tuple[str, ...]) -> str:
    """Paragraphs in one line each; those without a word or number (FinQA's ``.``) are dropped."""
    kept = [" ".join(text.split()) for text in texts if _WORDS.search(text)]
    return _escape("\n".join(kept))


def _escape(text: str) -> str:
    return _TAG.sub("&lt;", text)


def unescaped(text: str) -> str:
    """A line of a rendered page as the page has it; tags are to be read before."""
    return text.replace("&lt;", "<")
