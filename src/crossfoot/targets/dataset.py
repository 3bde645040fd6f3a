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

from crossfoot.chat.prompt import PromptForm
from crossfoot.chat.template import Chat
from crossfoot.errors import DataError
from crossfoot.targets.context import Context, ContextOptions, choose_context
from crossfoot.targets.single import Single, Target, example, prompts_and_targets, reason_against
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
    form: PromptForm = "short",
    skip_bad: bool = False,
) -> Dataset:
    """Lines for every question that has this target and this context, in a recipe's prompt form.

    Raises DataError where a record names evidence that its page does not have, unless ``skip_bad``
    leaves it out, and where nothing is left; RecipeError for conversations of several turns.
    """
    built = Dataset()
    single = Single(target, options)
    for sample in samples:
        reason = reason_against(sample, single, skip_bad)
        if reason is not None:
            built.left_out[reason] += 1
            continue
        context = choose_context(sample, options)
        one = example(sample, context, target, form)
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


def _evidence(context: Context) -> dict[str, Any]:
    return {
        "units": context.evidence.units,
        "source": context.evidence.source,
        "shown": context.units,
        "recall": context.recall,
    }
