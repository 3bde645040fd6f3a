"""What ``eval`` and ``grade`` count of a turn beside the graders, and the groups they count in.

A measure says of a submission and its gold turn that it is right or wrong, or None where there is
nothing to count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from crossfoot.evaluation.groups import evidence_kind, evidence_source, operations, steps
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import executed, is_correct, program_correct, unit_correct
from crossfoot.grading.operands import operands_named
from crossfoot.grading.written import answer_correct
from crossfoot.tasks.suspicious import suspicion

Measure = Callable[[Submission, Gold], bool | None]
T = TypeVar("T")

GROUPS: dict[str, Callable[[Gold], Collection[str]]] = {
    "by_steps": lambda gold: {steps(gold)},
    "by_operation": operations,  # a turn counts under each of its own
    "by_evidence": lambda gold: {evidence_kind(gold)},
    "by_evidence_source": lambda gold: {evidence_source(gold)},
}


def measures(official: str, convfinqa: bool) -> dict[str, Measure]:
    """By name; ``official`` is the grader of that name, ``convfinqa`` whose rules programs follow.

    ``audited_accuracy`` is that of turns whose labels do not contradict each other, and
    ``program_validity`` the share of turns whose program parses and executes by ``official``.
    """

    def audited(submission: Submission, gold: Gold) -> bool | None:
        return None if suspicion(gold) else is_correct(submission, gold, official)

    def valid(submission: Submission, gold: Gold) -> bool:
        program = submission.program or ()
        runs, result = executed(program, gold, official == "official_convfinqa")
        return len(program) > 1 and runs and result != "n/a"

    return {
        "audited_accuracy": audited,
        "program_accuracy": lambda submission, gold: program_correct(submission, gold, convfinqa),
        "program_validity": valid,
        "unit_accuracy": unit_correct,
        "operands_named": operands_named,
        "answer_accuracy": answer_correct,
    }


def grouped(items: Iterable[T], keys: Iterable[Collection[str]]) -> dict[str, list[T]]:
    """The items under each of their keys, in the order of the keys."""
    groups: dict[str, list[T]] = {}
    for item, own in zip(items, keys, strict=True):
        for key in own:
            groups.setdefault(key, []).append(item)
    return dict(sorted(groups.items()))
