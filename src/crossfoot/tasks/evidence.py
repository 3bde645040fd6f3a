"""The units of a page that a gold program takes its numbers from.

``evidence_of(gold)`` is what FinQA's ``gold_inds`` names, ``Evidence(("table_1",), "given")``.
Where a record names none it is rebuilt from the operands of the program: one that stands in a
single unit of the page makes this unit evidence; one that stands in several is taken from a unit
that another operand has already chosen. Where an operand stays undecided, or none stands on the
page, there is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossfoot.arithmetic.program import TABLE_OPS, parse, reference
from crossfoot.errors import DataError, ProgramError
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.places import find_number
from crossfoot.pages.units import is_text, row_name, unit_names

Source = Literal["given", "rebuilt", "none"]
Kind = Literal["text", "table", "both", "none"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Units in the order of the page, and whether the record names them."""

    units: tuple[str, ...]
    source: Source

    @property
    def kind(self) -> Kind:
        """Where the evidence stands."""
        kinds = {is_text(unit) for unit in self.units}
        if not kinds:
            return "none"
        if len(kinds) == 2:
            return "both"
        return "text" if True in kinds else "table"


NO_EVIDENCE = Evidence((), "none")


def evidence_of(gold: Gold) -> Evidence:
    """The evidence that a record names, or else what can be rebuilt.

    Raises DataError where the record names a unit that its page does not have.
    """
    if gold.page is None:
        return NO_EVIDENCE
    if not gold.evidence:
        return rebuilt(gold)
    names = unit_names(gold.page)
    unknown = [unit for unit in gold.evidence if unit not in names]
    if unknown:
        raise DataError(
            f"the page has no unit {unknown[0][:40]!a}; it has {len(names)}, "
            f"the last is {names[-1]}",
            field="qa.gold_inds",
            advice="correct the record, or leave it out (--skip-bad, skip_bad of a recipe)",
        )
    return Evidence(_in_order(set(gold.evidence), gold.page), "given")


def rebuilt(gold: Gold) -> Evidence:
    """Evidence from the operands of the program alone."""
    if gold.page is None:
        return NO_EVIDENCE
    candidates = [units for units in _candidates(gold.program, gold.page) if units]
    chosen = {unit for units in candidates if len(units) == 1 for unit in units}
    if not chosen or not all(units & chosen for units in candidates):
        return NO_EVIDENCE
    return Evidence(_in_order(chosen, gold.page), "rebuilt")


def _candidates(program: str, page: Page) -> list[set[str]]:
    """For each operand the units in which it stands: none for a constant that the page lacks."""
    try:
        parsed = parse(program)
    except ProgramError:
        return []
    if parsed.number is not None:
        return [_units_with(parsed.number, page)]
    found = []
    for step in parsed.steps:
        if step.op in TABLE_OPS:
            found.append(_rows_named(step.first, page))
            continue
        for argument in (step.first, step.second):
            if reference(argument) is None and not argument.startswith("const"):
                found.append(_units_with(argument, page))
    return found


def _units_with(literal: str, page: Page) -> set[str]:
    return {place.unit for place in find_number(page, literal)}


def _rows_named(header: str, page: Page) -> set[str]:
    rows = enumerate(page.table.rows)
    return {row_name(index) for index, row in rows if row and row[0] == header}


def _in_order(units: set[str], page: Page) -> tuple[str, ...]:
    return tuple(unit for unit in unit_names(page) if unit in units)
