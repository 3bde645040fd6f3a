"""The answer as people wrote it: is a submission that answer, to the precision of the writing?

``written("14.2%")`` is 14.2 percent give or take 0.05, so that the fraction 0.14235 is right and
0.1435 is not. FinQA's ``answer`` strings (https://github.com/czyssrs/FinQA) are numbers, numbers in
words ("$ 17966 million", "5% increase in inventories"), sentences, or empty; 5 to 6% contradict
``exe_ans``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossfoot.grading.answer import MAX_MAGNITUDE, Answer, Gold, Submission, parse_answer
from crossfoot.grading.graders import submitted_value

MAX_TEXT = 500
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<decimals>\d+))?|\.(?P<bare>\d+)")


@dataclass(frozen=True, slots=True)
class Written:
    """A number in the scale it is written in, and half a unit of its last digit."""

    value: float
    half: float
    percent: bool


def written(text: str) -> Written | None:
    """The number of an answer string; None where it has none, or several different ones.

    Numbers beyond ``MAX_MAGNITUDE`` (a model that writes digits without end) are none.
    """
    text = text.strip()[:MAX_TEXT]
    found = list(_NUMBER.finditer(text))
    if not found or len({one.group() for one in found}) > 1:
        return None
    first = found[0]
    whole = parse_answer(text, "percent")
    if whole is not None and not isinstance(whole.value, str):
        value = whole.value
    else:
        value = float(first.group().replace(",", ""))
        if re.search(r"-\s*\$?\s*$", text[: first.start()]):
            value = -value
    if abs(value) > MAX_MAGNITUDE:
        return None
    decimals = len(first["decimals"] or first["bare"] or "")
    percent = text[first.end() :].lstrip().startswith("%")
    return Written(value, 0.5 * 10.0**-decimals, percent)


def read_answer(text: str) -> Answer | None:
    """An answer string as an answer: what ``parse_answer`` reads, or its one number."""
    text = text.strip()
    answer = parse_answer(text, "absolute")
    if answer is None and (found := written(text)) is not None:
        value = found.value / 100.0 if found.percent else found.value
        answer = Answer(value, "absolute", text[:MAX_TEXT])
    return answer


def answer_correct(submission: Submission, gold: Gold) -> bool | None:
    """Answer accuracy: the submission says what the answer string of ``gold`` says.

    None where the record has no answer string. Right is the same text, case and spaces aside, or a
    value that is the written number when rounded to its digits.
    """
    if not gold.text.strip():
        return None
    if submission.answer is not None and _plain(submission.answer.text) == _plain(gold.text):
        return True
    value = submitted_value(submission, gold, convfinqa=True)
    if value is None or isinstance(value, str):
        return value is not None and value == _plain(gold.text)
    right = written(gold.text)
    if right is None:
        return False
    shown = value * 100.0 if right.percent else value
    return abs(shown - right.value) <= right.half + 1e-9 * abs(right.value)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
