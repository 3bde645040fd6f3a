"""Labels that contradict each other: the program, its executed answer, the answer string.

``suspicion(gold)`` of FinQA dev's "in 2010 what was the net change in net revenue in millions" is
``("answer differs", "people wrote 18.6, the program gives 19.2")``. Rounding within one percent is
no contradiction. In FinQA (https://github.com/czyssrs/FinQA) 5 to 6% of the answer strings differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crossfoot.arithmetic.program import tokenize
from crossfoot.errors import DataError
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import executed, is_correct
from crossfoot.grading.written import answer_correct, read_answer
from crossfoot.tasks.base import Sample
from crossfoot.tasks.evidence import evidence_of


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One turn whose labels contradict each other, of which kind and how."""

    sample_id: str
    turn: int
    kind: str
    reason: str


def suspicions(samples: Iterable[Sample]) -> list[Suspicion]:
    """All labelled turns that are suspicious, in order; turns are counted from 1."""
    found = []
    for sample in samples:
        for place, turn in enumerate(sample.turns, start=1):
            said = suspicion(turn.gold) if turn.gold else ("no answer", "has no executed answer")
            if said is not None:
                found.append(Suspicion(sample.sample_id, place, *said))
    return found


def suspicion(gold: Gold) -> tuple[str, str] | None:
    """The kind of contradiction and what contradicts what, or None."""
    submission = Submission(program=tokenize(gold.program))
    if not is_correct(submission, gold, "official_convfinqa"):
        valid, result = executed(tokenize(gold.program), gold, convfinqa=True)
        gives = f"gives {result}" if valid else "cannot be executed"
        return "program differs", f"the program {gives}, the record says {gold.answer}"
    try:
        evidence_of(gold)
    except DataError as error:
        return "evidence missing", error.message
    if answer_correct(submission, gold) is not False:
        return None
    return _against_the_string(gold)


def _against_the_string(gold: Gold) -> tuple[str, str] | None:
    answer = read_answer(gold.text)
    wrote = " ".join(gold.text.split())[:80]
    reason = f"people wrote {wrote}, the program gives {gold.answer}"
    if answer is None:
        return "answer unread", reason
    string = Submission(answer)
    if is_correct(string, gold, "relative_1e-2"):
        return None
    if is_correct(string, gold, "scale_aware"):
        return "other scale", reason
    return ("other sign" if is_correct(string, gold, "sign_blind") else "answer differs"), reason
