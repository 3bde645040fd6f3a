"""What a gold turn is counted under: steps, operations, where its evidence stands.

``steps(gold)`` of ``subtract(5829, 5735), divide(#0, 5735)`` is ``"2"``.
"""

from __future__ import annotations

import re

from crossfoot.arithmetic.program import parse
from crossfoot.errors import DataError, ProgramError
from crossfoot.grading.answer import Gold
from crossfoot.tasks.evidence import NO_EVIDENCE, Evidence, evidence_of

_OPERATION = re.compile(r"([a-z_]+)\(")


def steps(gold: Gold) -> str:
    """The number of steps of the gold program: 0 for a number that is looked up."""
    try:
        return str(len(parse(gold.program).steps))
    except ProgramError:
        return "unreadable"


def operations(gold: Gold) -> set[str]:
    """The operations of the gold program, ``none`` where it has none."""
    return set(_OPERATION.findall(gold.program)) or {"none"}


def evidence_kind(gold: Gold) -> str:
    """``text``, ``table``, ``both``, or ``none`` where the evidence is not known."""
    return _evidence(gold).kind


def evidence_source(gold: Gold) -> str:
    """``given`` by the record, ``rebuilt`` from its program, or ``none``."""
    return _evidence(gold).source


def _evidence(gold: Gold) -> Evidence:
    try:
        return evidence_of(gold)
    except DataError:
        return NO_EVIDENCE
