"""The scale caption of a page: "( in millions , except per share data )".

It is looked for in the table's header first, then in the paragraphs nearest the table, then in
parentheses anywhere before it. An amount in running text ("increased by $ 5 million", "invested in
millions of homes") is no caption. Captions in FinQA (https://github.com/czyssrs/FinQA) are lower
case and spaced; those of other pages need not be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfoot.pages.page import Page

FACTORS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
MAX_PARAGRAPHS = 4  # on each side of the table
MAX_CHARS = 4000  # of a paragraph, at its end nearest the table
_CURRENCY = r"(?:u ?\.? ?s ?\.? ?)?(?:dollars|\$)"
_WORD = r"(?P<word>thousand|million|billion)s?\b"
_EXCEPT = r"(?:\s*,?\s*(?P<exception>except [^().:;]{1,80}))?"
_CAPTION = re.compile(
    rf"(?<![\d.] )\b(?:(?:amounts|shares|figures|{_CURRENCY}) )*in (?:{_CURRENCY} )?{_WORD}"
    rf"(?: of {_CURRENCY}| of (?P<things>\w+))?{_EXCEPT}"
)
_ONLY = re.compile(rf"\(?\s*(?:{_CURRENCY}\s*)?\(?\s*{_WORD}(?: of {_CURRENCY})?{_EXCEPT}\s*\)*")
_PARENTHESIS = re.compile(r"\([^()]{3,120}\)")
_ZEROS = re.compile(r"\bin \$? ?000\b|\$? ?\b000\s?(?:2019|'|\u2019)?s\b|\(\s*\$?\s*000\s*\)")


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers of the table are multiplied by, the words that say so, and exceptions."""

    factor: float
    caption: str
    exception: str | None = None


def find_scale(page: Page) -> Scale | None:
    """The page's scale, or None where nothing says one."""
    return next((scale for scale in _scales(page) if scale is not None), None)


def _scales(page: Page) -> Iterator[Scale | None]:
    header = page.table.rows[0] if page.table.rows else ()
    before, after = _paragraphs(page.before), _paragraphs(page.after)
    near = [text[-MAX_CHARS:] for text in reversed(before[-MAX_PARAGRAPHS:])]
    yield from (_scale_of(_plain(text[:MAX_CHARS])) for text in header)
    yield from (_last_scale(text) for text in near)
    yield from (_scale_of(_plain(row[0][:MAX_CHARS])) for row in page.table.rows[1:] if row)
    yield from (_scale_of(text[:MAX_CHARS], sentence=True) for text in after[:MAX_PARAGRAPHS])
    for text in reversed(before):
        yield from (_scale_of(found) for found in reversed(_PARENTHESIS.findall(text)))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    """Lower-case paragraphs, without those of FinQA that hold only a full stop."""
    return [_plain(text) for text in texts if len(text.strip()) > 1]


def _last_scale(text: str) -> Scale | None:
    """The caption nearest the text's end; one in parentheses is surer than one without."""
    for found in reversed(_PARENTHESIS.findall(text)):
        scale = _scale_of(found)
        if scale is not None:
            return scale
    return _scale_of(text, sentence=True)


def _scale_of(text: str, sentence: bool = False) -> Scale | None:
    for found in _CAPTION.finditer(text):
        if not (sentence and found["things"]):
            return _scale(found)
    bare = _ONLY.fullmatch(text)
    if bare:
        return _scale(bare)
    zeros = _ZEROS.search(text)
    return Scale(1e3, zeros.group(0).strip()) if zeros else None


def _scale(found: re.Match[str]) -> Scale:
    exception = found["exception"]
    return Scale(
        FACTORS[found["word"]],
        found.group(0).strip(" ,"),
        exception.strip() if exception else None,
    )
