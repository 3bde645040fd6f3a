"""What an evaluation reports: accuracies with intervals, error classes, latencies.

Every turn of every sample is in the denominator; a turn without an answer is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from crossfoot.evaluation.intervals import page_bootstrap
from crossfoot.evaluation.measures import GROUPS, Measure, grouped, measures
from crossfoot.evaluation.predictions import Prediction
from crossfoot.grading.answer import Gold, Submission
from crossfoot.grading.graders import GRADERS, is_correct
from crossfoot.grading.operands import gold_operands, same_number
from crossfoot.targets.context import ContextOptions, choose_context
from crossfoot.targets.conversation import is_looked_up
from crossfoot.targets.grounding import false_cells, said_cells
from crossfoot.tasks.base import Sample


@dataclass(frozen=True, slots=True)
class Graded:
    """A prediction beside its gold turn."""

    prediction: Prediction
    gold: Gold
    submission: Submission
    correct: bool


def summarise(
    predictions: Sequence[Prediction],
    samples: Sequence[Sample],
    official: str = "official",
    context: ContextOptions | None = None,
) -> dict[str, Any]:
    """All metrics as one JSON document; ``predictions`` has one record a turn, in order.

    ``execution_accuracy`` is that of the official grader. Of single questions ``context`` says what
    of the page was shown; a program that is submitted as such has no unit.
    """
    turns = _graded(predictions, samples, official)
    targets = {turn.prediction.target for turn in turns}
    with_operations = targets <= {None, "program"}  # others write a number or words alone
    applies = {
        "program_accuracy": with_operations,
        "operands_named": with_operations,
        "program_validity": "program" in targets,
        "unit_accuracy": targets == {None},
    }
    return {
        "conversations": len(samples),
        "pages": len({sample.page.page_id for sample in samples}),
        "turns": len(turns),
        "execution_accuracy": float(np.mean([turn.correct for turn in turns])),
        "graders": {name: _graded_by(name, turns) for name in GRADERS},
        **{
            name: _counted(turns, measure) if applies.get(name, True) else None
            for name, measure in measures(official, convfinqa=True).items()
        },
        "cells_true": _cells(turns, samples),
        "by_kind": _by(turns, [{_kind(turn.gold)} for turn in turns]),
        "by_numbers": _by(turns, _numbers(turns)),
        "by_position": _by(turns, [{str(turn.prediction.turn + 1)} for turn in turns]),
        **{name: _by(turns, [keys(turn.gold) for turn in turns]) for name, keys in GROUPS.items()},
        "by_unit": _by(turns, [{turn.gold.unit} for turn in turns]),
        "conversations_all_right": _conversations(turns),
        "after_previous_turn": _after_previous(turns),
        "errors": _errors(turns),
        **(_evidence(samples, context) if context is not None else {}),
        **latency([turn.prediction.latency_ms for turn in turns]),
    }


def latency(milliseconds: Sequence[float]) -> dict[str, Any]:
    """Average and percentiles; a turn's latency is that of the batches it took part in."""
    values = np.asarray(milliseconds)
    percentiles = {f"p{p}": float(np.percentile(values, p)) for p in (50, 90, 95, 99)}
    named = {"avg": float(values.mean()), **percentiles}
    return {f"inference_latency_ms_{name}": value for name, value in named.items()}


def _graded(
    predictions: Sequence[Prediction], samples: Sequence[Sample], official: str
) -> list[Graded]:
    golds = {
        (sample.sample_id, index): turn.gold
        for sample in samples
        for index, turn in enumerate(sample.turns)
    }
    turns = []
    for item in predictions:
        gold = golds[item.id, item.turn]
        if gold is not None:
            submission = item.submission()
            correct = is_correct(submission, gold, official)
            turns.append(Graded(item, gold, submission, correct))
    return turns


def _counted(turns: Sequence[Graded], measure: Measure) -> dict[str, Any] | None:
    """The accuracy by a measure, of the turns where it counts anything; None where of no turn."""
    found = [(turn, measure(turn.submission, turn.gold)) for turn in turns]
    told = [(turn, hit) for turn, hit in found if hit is not None]
    return _share(told) if told else None


def _accuracy(turns: Sequence[Graded], right: Callable[[Graded], bool]) -> dict[str, Any]:
    return _share([(turn, right(turn)) for turn in turns])


def _share(hits: Sequence[tuple[Graded, bool]]) -> dict[str, Any]:
    correct = [float(hit) for _, hit in hits]
    interval = page_bootstrap(correct, [turn.prediction.page for turn, _ in hits])
    return {
        "accuracy": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "correct": int(sum(correct)),
        "total": len(hits),
    }


def _graded_by(grader: str, turns: Sequence[Graded]) -> dict[str, Any]:
    return _accuracy(turns, lambda turn: is_correct(turn.submission, turn.gold, grader))


def _official(turns: Sequence[Graded]) -> dict[str, Any]:
    return _accuracy(turns, lambda turn: turn.correct)


def _by(turns: Sequence[Graded], keys: Sequence[Collection[str]]) -> dict[str, Any]:
    return {name: _official(group) for name, group in grouped(turns, keys).items()}


def _kind(gold: Gold) -> str:
    return "looked up" if is_looked_up(gold.program) else "computed"


def _numbers(turns: Sequence[Graded]) -> list[set[str]]:
    """Whether a turn needs a number that no earlier turn of its conversation needed."""
    known: dict[str, list[float]] = {}
    kinds = []
    for turn in turns:
        needed, before = gold_operands(turn.gold), known.setdefault(turn.prediction.id, [])
        new = [one for one in needed if not any(same_number(one, other) for other in before)]
        kinds.append({"new on the page" if new else "in the conversation"} if needed else set())
        before += new
    return kinds


def _cells(turns: Sequence[Graded], samples: Sequence[Sample]) -> dict[str, Any] | None:
    """Do all cells that were named before a call stand so on the page: of the turns that name any.

    None where no turn does.
    """
    pages = {sample.sample_id: sample.page for sample in samples}
    told = [turn for turn in turns if said_cells(_said(turn))]
    if not told:
        return None
    return _accuracy(told, lambda turn: not false_cells(_said(turn), pages[turn.prediction.id]))


def _said(turn: Graded) -> str:
    """What the first reply of a turn says before its call."""
    replies = [message for message in turn.prediction.messages if message["role"] == "assistant"]
    return str(replies[0].get("content") or "") if replies and "tool_calls" in replies[0] else ""


def _evidence(samples: Sequence[Sample], options: ContextOptions) -> dict[str, Any]:
    """How much of the gold evidence the prompts showed, of the questions that have some."""
    recalls = [choose_context(sample, options).recall for sample in samples]
    known = [recall for recall in recalls if recall is not None]
    return {
        "evidence_recall": float(np.mean(known)) if known else None,
        "evidence_cut_fraction": float(np.mean([r < 1 for r in known])) if known else None,
    }


def _conversations(turns: Sequence[Graded]) -> dict[str, Any]:
    """Conversations of which every turn is right."""
    wrong = {turn.prediction.id for turn in turns if not turn.correct}
    one_each = {turn.prediction.id: turn for turn in turns}
    return _accuracy([*one_each.values()], lambda turn: turn.prediction.id not in wrong)


def _after_previous(turns: Sequence[Graded]) -> dict[str, Any]:
    """Accuracy of a turn by whether the turn before it was right."""
    groups: dict[str, list[Graded]] = {"right": [], "wrong": []}
    for before, turn in pairwise(turns):
        if before.prediction.id == turn.prediction.id:
            groups["right" if before.correct else "wrong"].append(turn)
    return {name: _official(group) for name, group in groups.items() if group}


def _errors(turns: Sequence[Graded]) -> dict[str, int]:
    classes = Counter(
        turn.prediction.verdict.error
        for turn in turns
        if turn.prediction.verdict is not None and turn.prediction.verdict.error
    )
    return dict(classes.most_common())
