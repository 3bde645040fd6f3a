"""What a set of conversations holds, in figures: positions, operations, units, lengths.

``overview(read_convfinqa(path))["turns"]`` is 1490 for the dev file of ConvFinQA.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from crossfoot.arithmetic.program import parse
from crossfoot.errors import DataError, ProgramError
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import render_page
from crossfoot.tasks.base import Sample
from crossfoot.tasks.duplicates import repeated_questions
from crossfoot.tasks.evidence import NO_EVIDENCE, Evidence, evidence_of


def overview(samples: Sequence[Sample]) -> dict[str, Any]:
    """Counts of everything a reader of a data set asks for first."""
    turns = [turn for sample in samples for turn in sample.turns]
    golds = [turn.gold for turn in turns if turn.gold is not None]
    operations: Counter[str] = Counter()
    steps: Counter[int] = Counter()
    unreadable = 0
    for gold in golds:
        try:
            program = parse(gold.program)
        except ProgramError:
            unreadable += 1
            continue
        steps[len(program.steps)] += 1
        operations.update(step.op for step in program.steps)
    pages = {sample.page.page_id: sample.page for sample in samples}
    evidence = [_evidence(gold) for gold in golds]
    return {
        "pages": len(pages),
        "conversations": len(samples),
        "turns": len(turns),
        "turns_without_answer": len(turns) - len(golds),
        "repeated_conversations": len(repeated_questions(samples)),
        "positions": _by_key(
            Counter(place for sample in samples for place in range(1, len(sample.turns) + 1))
        ),
        "looked_up": steps[0],
        "computed": sum(steps.values()) - steps[0],
        "unreadable_programs": unreadable,
        "operations": dict(operations.most_common()),
        "steps": _by_key(steps),
        "units": dict(Counter(gold.unit for gold in golds).most_common()),
        "evidence": dict(Counter(one.source for one in evidence).most_common()),
        "evidence_in": dict(Counter(one.kind for one in evidence).most_common()),
        "characters": {
            "page": spread(len(render_page(page)) for page in pages.values()),
            "question": spread(len(turn.question) for turn in turns),
        },
    }


def token_lengths(samples: Sequence[Sample], tokenizer: Any) -> dict[str, list[int]]:
    """Tokens of each page, as prompts show it, and of each question."""
    pages = {sample.page.page_id: sample.page for sample in samples}
    texts = {
        "page": [render_page(page) for page in pages.values()],
        "question": [turn.question for sample in samples for turn in sample.turns],
    }
    return {
        what: [len(ids) for ids in tokenizer(some, add_special_tokens=False)["input_ids"]]
        for what, some in texts.items()
        if some
    }


def _evidence(gold: Gold) -> Evidence:
    """None where the record names units that its page does not have."""
    try:
        return evidence_of(gold)
    except DataError:
        return NO_EVIDENCE


def _by_key(counts: Counter[int]) -> dict[str, int]:
    return {str(key): counts[key] for key in sorted(counts)}


def spread(lengths: Iterable[int]) -> dict[str, int]:
    """The least, the median, the one below which nine of ten lie, the most."""
    ordered = sorted(lengths)
    if not ordered:
        return {}
    return {
        "least": ordered[0],
        "median": round(statistics.median(ordered)),
        "90%": ordered[(len(ordered) * 9) // 10 if len(ordered) > 1 else 0],
        "most": ordered[-1],
    }
