"""A page out of a Markdown file with one table.

Example: paragraphs, then ``| | 2016 | 2015 |`` over ``|---|---|---|`` and rows, then paragraphs.
The table is a GitHub pipe table (https://github.github.com/gfm/#tables-extension-).
"""

from __future__ import annotations

import re
from pathlib import Path

from crossfoot.errors import DataError
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table

MAX_PAGE_BYTES = 1_000_000
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_BAR = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"^(?:#{1,6}\s+|[-*+]\s+|>\s?)")
_ADVICE = "give a Markdown file with one table (| a | b | over |---|---|)"


def read_page(path: Path) -> Page:
    """Read a page; ``page_id`` is the file's name."""
    lines = _read(path).splitlines()
    rules = [
        index
        for index, line in enumerate(lines)
        if index and "|" in line and "|" in lines[index - 1] and _RULE.fullmatch(line.strip())
    ]
    if not rules:
        raise DataError("no table found", file=path, advice=_ADVICE)
    if len(rules) > 1:
        raise DataError(
            f"{len(rules)} tables found, at lines {', '.join(str(rule) for rule in rules[:5])}",
            file=path,
            advice="keep one table a page",
        )
    start, end = rules[0] - 1, rules[0] + 1
    while end < len(lines) and "|" in lines[end]:
        end += 1
    rows = [_cells(line) for line in (lines[start], *lines[rules[0] + 1 : end])]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise DataError("the table needs a header, a row and two columns", file=path)
    return Page(path.name, _paragraphs(lines[:start]), Table(tuple(rows)), _paragraphs(lines[end:]))


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise DataError("a folder, not a page", file=path, advice=_ADVICE)
        if size > MAX_PAGE_BYTES:
            raise DataError(
                f"{size / 1e6:.1f} MB is too large for one page (at most 1 MB)", file=path
            )
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise DataError("no such file", file=path, advice=_ADVICE) from error
    except UnicodeDecodeError as error:
        raise DataError("not a UTF-8 text file", file=path, advice=_ADVICE) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error
    if "\0" in text:
        raise DataError("a binary file, not a page", file=path, advice=_ADVICE)
    return text


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in _BAR.split(line))


def _paragraphs(lines: list[str]) -> tuple[str, ...]:
    """Blocks between blank lines, without heading, list and quote marks."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        text = _MARKS.sub("", line.strip())
        if not line.strip() or text != line.strip():
            paragraphs.append([])
        if text:
            paragraphs[-1].append(text)
    return tuple(" ".join(paragraph) for paragraph in paragraphs if paragraph)
