"""The scale caption of a page: "( in millions , except per share data )".

It is looked for in the table's header and corner first, then in the paragraphs nearest the table.
An amount in running text ("increased by $ 5 million") is no caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfoot.pages.page import Page

FACTORS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
MAX_PARAGRAPHS = 4  # on each side of the table
_CAPTION = re.compile(
    r"(?<![\d.] )\b(?:(?:dollars|amounts|shares|figures|u\.?s\.? ?\$|\$) )*"
    r"in (thousand|million|billion)s?"
    r"(?: of (?:u\.s\. )?dollars)?\b(?:\s*,?\s*(except [^).:;]{1,80}))?"
)
_BARE = re.compile(r"^\(?\s*\$?\s*(thousand|million|billion)s?\s*\)?$")
_ZEROS = re.compile(r"\$?\s*000\s?(?:2019|'|’)?s\b|\(\s*000\s*\)")


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers of the table are multiplied by, the words that say so, and exceptions."""

    factor: float
    caption: str
    exception: str | None = None


def find_scale(page: Page) -> Scale | None:
    """The page's scale, or None where nothing says one."""
    for text in _places(page):
        scale = _scale_of(" ".join(text.lower().split())[:2000])
        if scale is not None:
            return scale
    return None


def _places(page: Page) -> Iterator[str]:
    if page.table.rows:
        yield from page.table.rows[0]
    yield from reversed(page.before[-MAX_PARAGRAPHS:])
    for row in page.table.rows[1:]:
        yield row[0] if row else ""
    yield from page.after[:MAX_PARAGRAPHS]


def _scale_of(text: str) -> Scale | None:
    found = _CAPTION.search(text)
    if found:
        exception = found.group(2)
        return Scale(
            FACTORS[found.group(1)],
            found.group(0).strip(),
            exception.strip() if exception else None,
        )
    bare = _BARE.match(text)
    if bare:
        return Scale(FACTORS[bare.group(1)], text)
    zeros = _ZEROS.search(text)
    return Scale(1e3, zeros.group(0)) if zeros else None
