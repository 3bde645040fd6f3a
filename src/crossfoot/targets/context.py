"""Which part of a page a prompt shows: gold evidence, all of it, evidence among noise, retrieved.

``choose_context(sample, ContextOptions("noisy_gold"))`` is the evidence of the first question with
three other paragraphs and two other rows. The choice is a function of the sample and the options
alone: distractors are ordered by a hash of seed, id and unit, so that a larger number of them keeps
the smaller one's and another order of the data changes nothing. Inputs: the finqa fine-tuning lab
that this replaces (``gold``, ``all``, ``noisy_gold``), and ``retrieved``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

from crossfoot.errors import DataError, RecipeError
from crossfoot.pages.page import Page
from crossfoot.pages.retrieval import ranked
from crossfoot.pages.units import filled_units, is_text, keep, row_name, unit_names
from crossfoot.tasks.base import Sample
from crossfoot.tasks.evidence import NO_EVIDENCE, Evidence, evidence_of

Input = Literal["gold", "all", "noisy_gold", "retrieved"]
INPUTS: tuple[Input, ...] = get_args(Input)


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """``text_distractors`` and ``table_distractors`` belong to ``noisy_gold``, ``budget`` (units)
    to ``retrieved``."""

    input: Input = "all"
    text_distractors: int = 3
    table_distractors: int = 2
    seed: int = 0
    budget: int = 10

    def __post_init__(self) -> None:
        if self.input not in INPUTS:
            raise RecipeError(
                f"unknown input {str(self.input)[:40]!a}", advice=f"known are {', '.join(INPUTS)}"
            )
        for name in ("text_distractors", "table_distractors", "budget"):
            if getattr(self, name) < (name == "budget"):
                raise RecipeError(f"{name} cannot be {getattr(self, name)}", advice="give more")

    @property
    def needs_evidence(self) -> bool:
        """Whether a question without evidence has no such context."""
        return self.input in ("gold", "noisy_gold")


@dataclass(frozen=True, slots=True)
class Context:
    """The page as the prompt shows it.

    ``units`` are those shown, in the order of the page; ``missing_distractors`` how many were
    asked for and do not stand on the page.
    """

    page: Page
    units: tuple[str, ...]
    evidence: Evidence
    missing_distractors: int = 0

    @property
    def recall(self) -> float | None:
        """The share of the evidence that is shown; None where there is no evidence."""
        if not self.evidence.units:
            return None
        shown = sum(unit in self.units for unit in self.evidence.units)
        return shown / len(self.evidence.units)


def choose_context(sample: Sample, options: ContextOptions) -> Context:
    """The context of a sample's first question.

    Raises DataError where ``gold`` or ``noisy_gold`` is asked for and there is no evidence, or
    where the record names evidence that its page does not have.
    """
    evidence = evidence_in(sample)
    if options.needs_evidence and not evidence.units:
        raise DataError(
            "neither names its evidence nor lets it be rebuilt", record=sample.sample_id
        )
    missing = 0
    if options.input == "all":
        chosen = set(unit_names(sample.page))
    elif options.input == "retrieved":
        chosen = set(ranked(sample.page, sample.turns[0].question)[: options.budget])
    else:
        chosen = set(evidence.units)
    if options.input == "noisy_gold":
        noise = _distractors(sample, evidence, options)
        missing = options.text_distractors + options.table_distractors - len(noise)
        chosen |= noise
    page = sample.page if options.input == "all" else keep(sample.page, chosen)
    if page.table.rows:
        chosen.add(row_name(0))
    units = tuple(unit for unit in unit_names(sample.page) if unit in chosen)
    return Context(page, units, evidence, missing)


def evidence_in(sample: Sample) -> Evidence:
    """The evidence of a sample's first question; an error names the sample."""
    gold = sample.turns[0].gold
    try:
        return evidence_of(gold) if gold else NO_EVIDENCE
    except DataError as error:
        raise DataError(
            error.message, record=sample.sample_id, field=error.field, advice=error.advice
        ) from None


def _distractors(sample: Sample, evidence: Evidence, options: ContextOptions) -> set[str]:
    """At most so many paragraphs and rows that are not evidence."""
    others = [unit for unit in filled_units(sample.page) if unit not in evidence.units]
    drawn = sorted(others, key=lambda unit: _rank(unit, sample.sample_id, options.seed))
    texts = [unit for unit in drawn if is_text(unit)][: options.text_distractors]
    rows = [unit for unit in drawn if not is_text(unit)][: options.table_distractors]
    return {*texts, *rows}


def _rank(unit: str, sample_id: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{sample_id}:{unit}".encode()).digest()
