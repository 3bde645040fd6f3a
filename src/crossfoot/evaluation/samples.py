"""The samples of an evaluation: those of a split that have labels and what is to be shown.

``samples_of("finqa", "dev", recipe, None)`` are the questions that can be asked as the recipe puts
them, and a note for each reason why others are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from crossfoot.errors import DataError
from crossfoot.evaluation.asked import Trained
from crossfoot.targets.single import reason_not_to_ask
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task, naming_file
from crossfoot.tasks.split import VALIDATION, validation_split
from crossfoot.training.recipe import Recipe


def labelled_of(samples: Sequence[Sample], task: str, split: str) -> list[Sample]:
    """Those with an answer to every turn; DataError where none has."""
    labelled = [sample for sample in samples if all(turn.gold for turn in sample.turns)]
    if not labelled:
        raise DataError(f"no conversation of {task} {split} has labels")
    return labelled


def samples_of(
    task: str, split: str, recipe: Recipe, trained: Trained | None, skip_bad: bool = False
) -> tuple[list[Sample], list[str]]:
    """The samples to ask, and what is left out; raises DataError where none is left.

    ``validation`` is what the training held out, or what recipes hold out if nobody says.
    """
    held, source = None, split
    if split == VALIDATION and trained is not None and trained.recipe.data[0].task == task:
        held, first = trained.recipe.validation, trained.recipe.data[0]
        source, skip_bad = first.split, skip_bad or first.skip_bad
    samples = load_task(task, source, skip_bad=skip_bad)
    if held is not None:
        _, samples = validation_split(samples, held.conversations, held.seed)
    labelled = labelled_of(samples, task, split)
    notes = []
    if len(labelled) < len(samples):
        notes.append(f"{len(samples) - len(labelled)} conversations without labels are left out")
    single = recipe.single
    if single is None:
        return labelled, notes
    with naming_file(task, source):
        reasons = [reason_not_to_ask(sample, single, skip_bad) for sample in labelled]
    for reason, count in Counter(filter(None, reasons)).items():
        notes.append(f"{count} questions {reason} are left out")
    asked = [one for one, reason in zip(labelled, reasons, strict=True) if reason is None]
    if not asked:
        raise DataError(f"no question of {task} {split} has evidence")
    return asked, notes
