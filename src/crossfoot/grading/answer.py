"""What is submitted, what is right, and what grading said: Answer, Gold, Verdict.

Example: ``Answer("14.24", "percent")`` against ``Gold(answer=0.1424, program="divide(...)")``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from crossfoot.pages.page import Page

Unit = Literal["fraction", "percent", "absolute", "count", "yes_no"]
UNITS: tuple[str, ...] = get_args(Unit)

MAX_ANSWER_CHARACTERS = 80
MAX_MAGNITUDE = 1e15


@dataclass(frozen=True, slots=True)
class Answer:
    """A submitted answer: a number or ``yes``/``no``, and its unit.

    ``value`` is a float for every unit but ``yes_no``; ``text`` is what was written, for graders
    that compare strings.
    """

    value: float | str
    unit: Unit
    text: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """The labelled side of one turn.

    ``answer`` is FinQA's ``exe_ans`` (a percentage is a fraction of 1); ``program`` the gold
    program or, in ConvFinQA, possibly one number; ``text`` the human answer string, often empty;
    ``evidence`` the units of the page that the record names for it (``table_1``), often none.
    """

    answer: float | str
    program: str
    unit: Unit
    text: str = ""
    page: Page | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """What a model produced for one turn, and all that grading may look at.

    ``answer`` is None where nothing usable was submitted; ``expressions`` are those that
    ``calculate`` accepted, in order; ``malformed`` says that a tool call was attempted and could
    not be read. Saved predictions in the official formats carry ``program`` instead: the official
    tokens, ``EOF`` included.
    """

    answer: Answer | None = None
    expressions: tuple[str, ...] = ()
    malformed: bool = False
    program: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What grading said: ``error`` is an error class where ``correct`` is False, else None."""

    correct: bool
    error: str | None = None
    reason: str = ""


_NUMBER = r"(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_SIGNED = re.compile(
    rf"(?P<minus>[-+]?)\s*\$?\s*(?P<minus_after>-?)\s*(?P<number>{_NUMBER})\s*(?P<percent>%?)"
    rf"(?:\s*\(\s*\$?\s*{_NUMBER}\s*%?\s*\))?"
)
_PARENTHESISED = re.compile(rf"\$?\s*\(\s*\$?\s*(?P<number>{_NUMBER})\s*(?P<percent>%?)\s*\)\s*%?")


def parse_answer(value: object, unit: object) -> Answer | None:
    """The answer in the arguments of a ``submit_answer`` call, as models write them.

    ``"$ 1,234"``, ``"27%"``, ``"(26)"`` and ``"-26 (26)"`` are numbers; a written percent sign
    with another unit than ``percent`` divides by one hundred. None where the value is no finite
    number, where the unit is missing or unknown, and where the two contradict each other (a
    number that is ``yes_no``). ``yes`` or ``no`` always has the unit ``yes_no``.
    """
    known = unit.strip().lower() if isinstance(unit, str) and len(unit) < 40 else ""
    text = _written(value)
    if known not in UNITS or text is None:
        return None
    if text.lower() in ("yes", "no"):
        return Answer(text.lower(), "yes_no", text)
    number = _number(text, divide_percent=known != "percent")
    if number is None or known == "yes_no":
        return None
    return Answer(number, cast(Unit, known), text)


def _written(value: object) -> str | None:
    """What stands in the call, or None where it cannot be an answer."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Python refuses to write out integers of thousands of digits.
        return repr(value) if abs(value) <= MAX_MAGNITUDE else None
    if isinstance(value, str) and len(value) <= MAX_ANSWER_CHARACTERS:
        return value.strip().replace("\u2212", "-")
    return None


def _number(text: str, divide_percent: bool) -> float | None:
    match = _SIGNED.fullmatch(text)
    negative = match is not None and "-" in (match["minus"], match["minus_after"])
    if match is None:
        match = _PARENTHESISED.fullmatch(text)
        negative = True
    if match is None:
        return None
    number = float(match["number"].replace(",", ""))
    if "%" in text and divide_percent:
        number /= 100.0
    if not math.isfinite(number) or number > MAX_MAGNITUDE:
        return None
    return -number if negative else number
