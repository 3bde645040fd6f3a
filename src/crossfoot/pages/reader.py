"""A page out of a Markdown file with one table.

Example: paragraphs, then ``| | 2016 | 2015 |`` over ``|---|---|---|`` and rows, then paragraphs.
The table is a GitHub pipe table (https://github.github.com/gfm/#tables-extension-).
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from crossfoot.errors import DataError
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table

MAX_PAGE_BYTES = 1_000_000
_DELIMITERS = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_BAR = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"^(?:#{1,6}\s+|[-*+]\s+|>\s?)")
_NUMBERED = re.compile(r"\d{1,3}[.)]\s")
_LINE_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^*_]+)(?<=\S)\1")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# Kept out of pages: a terminal that shows a quoted sentence would obey them.
_CONTROL = re.compile(r"[\x01-\x09\x0b-\x1f\x7f-\x9f]")
_ADVICE = "give a Markdown file with one table (| a | b | over |---|---|)"


def read_page(path: Path) -> Page:
    """Read a page; ``page_id`` is the file's name."""
    lines = _read(path).split("\n")
    tables = _tables(lines)
    if not tables:
        raise DataError("no table found", file=path, advice=_ADVICE)
    if len(tables) > 1:
        starts = ", ".join(str(start + 1) for start, _ in tables[:5])
        raise DataError(
            f"{len(tables)} tables found, at lines {starts}",
            file=path,
            advice="keep one table a page",
        )
    start, end = tables[0]
    header, delimiters = _cells(lines[start]), len(_split(lines[start + 1]))
    if len(header) != delimiters:
        raise DataError(
            f"the table's header has {len(header)} cells and the line under it {delimiters}",
            file=path,
            advice=f"correct line {start + 1} or {start + 2}; an empty cell is | |",
        )
    body = (_cells(line) for line in lines[start + 2 : end])
    # Short rows are filled up, as GitHub does.
    rows = (header, *(row + ("",) * (len(header) - len(row)) for row in body))
    if len(rows) < 2 or len(header) < 2:
        raise DataError(
            "the table needs a header, a row and two columns",
            file=path,
            advice="the first column names the rows, the first row the columns",
        )
    return Page(path.name, _paragraphs(lines[:start]), Table(rows), _paragraphs(lines[end:]))


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise DataError("a folder, not a page", file=path, advice=_ADVICE)
        with path.open("rb") as file:
            # Not by its size alone: a pipe or a device has none.
            content = file.read(MAX_PAGE_BYTES + 1)
            size = max(path.stat().st_size, len(content))
    except FileNotFoundError as error:
        raise DataError("no such file", file=path, advice="check the path") from error
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", file=path, advice="check the path and its rights"
        ) from error
    if size > MAX_PAGE_BYTES:
        raise DataError(
            f"{size / 1e6:.1f} MB is too large for one page (at most 1 MB)",
            file=path,
            advice="cut out the page with the table in question",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("not a UTF-8 text file", file=path, advice=_ADVICE) from error
    if "\0" in text:
        raise DataError("a binary file, not a page", file=path, advice=_ADVICE)
    if not text.strip():
        raise DataError("the file is empty", file=path, advice=_ADVICE)
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def _tables(lines: list[str]) -> list[tuple[int, int]]:
    """The first line of each table and the line after its last."""
    tables: list[tuple[int, int]] = []
    index = 1
    while index < len(lines):
        line, above = lines[index].strip(), lines[index - 1]
        index += 1
        if "|" in line and "|" in above and _DELIMITERS.fullmatch(line):
            start = index - 2
            while index < len(lines) and "|" in lines[index]:
                index += 1
            tables.append((start, index))
            index += 1
    return tables


def _cells(line: str) -> tuple[str, ...]:
    return tuple(_plain(cell.strip()) for cell in _split(line))


def _split(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return _BAR.split(line)


def _paragraphs(lines: list[str]) -> tuple[str, ...]:
    """Blocks between blank lines, without heading, list and quote marks."""
    paragraphs: list[list[str]] = [[]]
    for line in map(str.strip, lines):
        text = _MARKS.sub("", line)
        if not line.strip("-=*_ ") or text != line or _NUMBERED.match(line):
            paragraphs.append([])
        if text.strip("-=*_ "):
            paragraphs[-1].append(_plain(text))
        if line.startswith("#"):
            paragraphs.append([])
    return tuple(" ".join(paragraph) for paragraph in paragraphs if paragraph)


def _plain(text: str) -> str:
    """Text without line breaks, bold marks, backslashes and entities of Markdown."""
    text = _BOLD.sub(r"\2", _LINE_BREAK.sub(" ", text))
    return html.unescape(_ESCAPED.sub(r"\1", text))
