"""The grammar of replies that can only quote what they were shown.

``quote_grammar(messages, syntax)`` is Lark text for llguidance: ``Cells:`` with rows of the
labelled page to the letter, picks that are cells of their row, and sentences up to a number, as
models are trained to quote them (targets/grounding.py); then a call. Its expression closes what it
opens and holds the numbers of the conversation and small constants. The grammar is made from the
messages alone: what a model is not shown it cannot name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from crossfoot.chat.calls import CallSyntax
from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import CUT, LIKELY
from crossfoot.engines.formats import call_rules
from crossfoot.engines.programs import MAX_NUMBERS, numbers, terminal
from crossfoot.pages.markdown import row_of_line, unescaped
from crossfoot.targets.grounding import CELLS, PICK, TEXT, WIDE, WORDS_WHOLE

CONSTANTS = tuple(map(str, (*range(1, 13), *(10**power for power in range(2, 10)))))
OPERATORS = (" + ", " - ", " * ", " / ", " ** ", " > ", " < ")
MAX_LINES = 400
MAX_STOPS = 40  # numbers of a sentence
MAX_QUOTES = 12  # of a reply
MAX_PICKS = 12  # of a row
MAX_OPERANDS = 24  # of a sum or product
MAX_DEPTH = 8  # of parentheses
_DOCUMENT = re.compile(r"<document>\n(.*)\n</document>", re.DOTALL)
_TABLE = re.compile(r"<table>\n(.*)\n</table>", re.DOTALL)
_TAG = re.compile(r"</?(?:pre_text|post_text)>")
_WORD = re.compile(r"\s+|;|[^\s;]+")
_NUMBER = re.compile(r"(?<![\w.,])-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")


def quote_grammar(messages: Sequence[Message], syntax: CallSyntax) -> str:
    """Lark text of the replies to ``messages``, which end with a question or a result."""
    rows, sentences = shown(messages)
    rules: list[str] = []
    parts: list[str] = []
    if messages[-1]["role"] != "tool":
        for line in rows[:MAX_LINES]:
            parts.append(f"row_{len(parts)}")
            rules += _row(parts[-1], line)
        for line in sentences[:MAX_LINES]:
            for sentence in line.split(" . "):
                made = list(_sentence(f"text_{len(rules)}", sentence))
                parts += [f"{_text(f'{TEXT}: ')} text_{len(rules)}"] * bool(made)
                rules += made
    more = f"({_text(' | ')} part){{0,{MAX_QUOTES - 1}}}"
    quotes = f'({_text(CELLS)} part {more} "\\n")? ' if parts else ""
    told = [m["content"].split(LIKELY)[0] for m in messages if m["role"] in ("user", "tool")]
    known = dict.fromkeys([*numbers("\n".join([*told, *rows, *sentences]))][:MAX_NUMBERS])
    return "\n".join(
        [
            f"start: {quotes}(calculate | submit_answer)",
            *([f"part: {' | '.join(parts)}"] if parts else []),
            *rules,
            *call_rules(syntax),
            "expression: sum_0",
            *_sums(),
            'value: KNOWN | "yes" | "no"',
            terminal("OPERATOR", OPERATORS),
            terminal("KNOWN", list(known) or ["0"]),
            terminal("NUMBER", [*(known | dict.fromkeys(CONSTANTS))]),
        ]
    )


def _sums() -> Iterator[str]:
    """Operands and operators, with parentheses as deep as ``MAX_DEPTH``."""
    for depth in range(MAX_DEPTH + 1):
        inner = f' | "(" sum_{depth + 1} ")"' if depth < MAX_DEPTH else ""
        yield f"sum_{depth}: operand_{depth} (OPERATOR operand_{depth}){{0,{MAX_OPERANDS - 1}}}"
        yield f"operand_{depth}: NUMBER{inner}"


def shown(messages: Sequence[Message]) -> tuple[list[str], list[str]]:
    """The rows and the sentences that the messages show, each once, as the page has them."""
    rows: dict[str, None] = {}
    texts: dict[str, None] = {}
    for message in messages:
        content = message["content"]
        if message["role"] == "system":
            document = "".join(_DOCUMENT.findall(content))
            rows |= dict.fromkeys("\n".join(_TABLE.findall(document)).split("\n"))
            texts |= dict.fromkeys(_TAG.sub("", _TABLE.sub("", document)).split("\n"))
        elif message["role"] == "user" and LIKELY in content:
            lines = content.split(LIKELY, 1)[1].split("\n")
            texts |= dict.fromkeys(line.removesuffix(CUT) for line in lines)
    sentences = [unescaped(text) for text in texts if text and text not in rows]
    return [unescaped(row) for row in rows if ":" in row], sentences


def _row(name: str, line: str) -> Iterator[str]:
    """The rules of a row: to its end, or of a wide one any cells in a line; then its picks."""
    head, cells = row_of_line(line)
    if len(cells) < 2:
        yield f"{name}: {_text(line)}"
        return
    pick = f"({' | '.join(map(_text, dict.fromkeys(cells)))})"
    picks = f"({_text(PICK)} {pick} ({_text('; ')} {pick}){{0,{MAX_PICKS - 1}}})?"
    if len(cells) <= WIDE:
        yield f"{name}: {_text(line)} {picks}"
        return
    starts = [f"{name}_{place}" for place in range(len(cells))]
    yield f"{name}: {_text(f'{head}: ')} ({' | '.join(starts)}) {picks}"
    for place, cell in enumerate(cells):
        more = f" ({_text('; ')} {starts[place + 1]})?" if place + 1 < len(cells) else ""
        yield f"{starts[place]}: {_text(cell)}{more}"


def _sentence(name: str, sentence: str) -> Iterator[str]:
    """The rules of a sentence up to any of its numbers; a long one may begin at any word.

    One rule for each piece between two places where a quote may begin or end.
    """
    ends, begins = _ends(sentence), beginnings(sentence)
    if not ends:
        return
    yield f"{name}: {' | '.join(f'{name}_{begin}' for begin in begins)}"
    for place, after in pairwise(sorted({*begins, *ends})):
        more = f"{name}_{after}" if after < max(ends) else ""
        rest = f"({more})?" if more and after in ends else more
        yield f"{name}_{place}: {_text(sentence[place:after])} {rest}".rstrip()


def beginnings(sentence: str) -> list[int]:
    """Where quotes of a sentence may begin: of a long one at any word, without a number nowhere."""
    quoted = sentence[: max(_ends(sentence), default=0)]
    if len(quoted.split()) > WORDS_WHOLE:
        return [found.start() for found in re.finditer(r"\S+", quoted)]
    return [0] if quoted else []


def _ends(sentence: str) -> list[int]:
    """Where they may end: behind each number, its percent sign before or behind."""
    ends = [found.end() for found in _NUMBER.finditer(sentence)][:MAX_STOPS]
    return [*ends, *(end + 1 for end in ends if sentence[end : end + 1] == "%")]


def _text(text: str) -> str:
    """A text word by word.

    llguidance reads the longest of the literals that may come next and does not go back: of ``"the
    cost of"`` and ``"the " "company"`` it would read the first alone.
    """
    return " ".join(map(json.dumps, _WORD.findall(text)))
