"""A data set of single questions as lines: prompt and target in a chosen context, with counts.

A line is ``{"id", "question", "context", "prompt", "target", "evidence": {"units", "source",
"shown", "recall"}}``. Questions that cannot be had in the chosen form are left out, and the reasons
are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crossfoot.chat.template import Chat
from crossfoot.errors import CrossfootError, DataError, RecipeError
from crossfoot.targets.context import Context, ContextOptions, choose_context, evidence_in
from crossfoot.targets.conversation import turn_messages
from crossfoot.targets.single import Target, example, prompts_and_targets
from crossfoot.tasks.base import Sample


@dataclass
class Dataset:
    """Lines in the order of the samples, and what became of every sample."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, Any]:
        """What a reader should know before training on it."""
        recalls = [one.recall for one in self.contexts if one.recall is not None]
        missing = [one.missing_distractors for one in self.contexts]
        return {
            "questions": len(self.contexts),
            "lines": len(self.lines),
            "left_out": dict(self.left_out.most_common()),
            "evidence": dict(Counter(one.evidence.source for one in self.contexts).most_common()),
            "evidence_in": dict(Counter(one.evidence.kind for one in self.contexts).most_common()),
            "evidence_recall": sum(recalls) / len(recalls) if recalls else None,
            "evidence_cut": sum(recall < 1 for recall in recalls),
            "evidence_cut_fraction": (
                sum(recall < 1 for recall in recalls) / len(recalls) if recalls else None
            ),
            "short_of_distractors": sum(count > 0 for count in missing),
            "units_shown": sum(len(one.units) for one in self.contexts),
        }


def build_dataset(
    samples: Sequence[Sample],
    target: Target,
    options: ContextOptions,
    chat: Chat | None,
    skip_bad: bool = False,
) -> Dataset:
    """Lines for every question that has this target and this context.

    Raises DataError where a record names evidence that its page does not have, unless ``skip_bad``
    leaves it out, and where nothing is left; RecipeError for conversations of several turns.
    """
    built = Dataset()
    for sample in samples:
        if len(sample.turns) != 1:
            raise RecipeError(
                f"{sample.sample_id} has {len(sample.turns)} turns",
                advice="build makes single questions: use finqa",
            )
        reason = _unusable(sample, target, options, skip_bad)
        if reason is not None:
            built.left_out[reason] += 1
            continue
        context = choose_context(sample, options)
        one = example(sample, context, target)
        built.contexts.append(context)
        for prompt, text in prompts_and_targets(one, chat):
            line = {"id": one.sample_id, "question": one.question, "context": one.context}
            built.lines.append(
                line | {"prompt": prompt, "target": text, "evidence": _evidence(context)}
            )
    if not built.lines:
        why = ", ".join(f"{count} {reason}" for reason, count in built.left_out.items())
        raise DataError(f"no question is left: {why}", advice="choose another target or input")
    return built


def _unusable(
    sample: Sample, target: Target, options: ContextOptions, skip_bad: bool
) -> str | None:
    """Why a question is left out, or None."""
    gold = sample.turns[0].gold
    if gold is None:
        return "without label"
    if target == "answer" and not gold.text.strip():
        return "without answer string"
    try:
        evidence = evidence_in(sample)
    except DataError:
        if skip_bad:
            return "with wrong evidence"
        raise
    if options.needs_evidence and not evidence.units:
        return "without evidence"
    if target == "tool":
        try:
            turn_messages(sample.turns[0])
        except CrossfootError:
            return "whose program contradicts the answer"
    return None


def _evidence(context: Context) -> dict[str, Any]:
    return {
        "units": context.evidence.units,
        "source": context.evidence.source,
        "shown": context.units,
        "recall": context.recall,
    }
