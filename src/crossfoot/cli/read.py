"""``crossfoot read RUN``: turns of an evaluation as a person reads them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from crossfoot.cli.turns import show_turn, shown
from crossfoot.errors import DataError, RecipeError

if TYPE_CHECKING:
    from crossfoot.evaluation.predictions import Prediction

CORRECT = "correct"


def read(
    run: Annotated[Path, typer.Argument(help="A folder that crossfoot eval wrote.")],
    error: Annotated[
        str | None, typer.Option(help="One class of errors, or 'correct'; all errors in turn.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many turns.")] = 10,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Read turns of an evaluation: what was asked, said, run, answered, and what was right."""
    from crossfoot.evaluation.predictions import read_predictions
    from crossfoot.runs.folder import PREDICTIONS

    predictions = read_predictions(run / PREDICTIONS)
    classes = by_class(predictions)
    if error is not None and error not in classes:
        known = ", ".join(classes) or "none: no turn here has a verdict"
        raise RecipeError(f"no turn of class {error!r} in {run}", advice=f"there are {known}")
    if error is None:
        classes.pop(CORRECT, None)
    chosen = choose_turns([classes[error]] if error else list(classes.values()), count, seed)
    if not chosen:
        raise DataError("no wrong turn to read", file=run, advice="add --error correct")
    conversations: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        conversations.setdefault(prediction.id, []).append(prediction)
    for prediction in chosen:
        _show(prediction, [p for p in conversations[prediction.id] if p.turn < prediction.turn])


def by_class(predictions: list[Prediction]) -> dict[str, list[Prediction]]:
    """Turns by class of error, most frequent class first."""
    classes: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        if prediction.verdict is not None:
            kind = CORRECT if prediction.verdict.correct else prediction.verdict.error
            classes.setdefault(kind or "other", []).append(prediction)
    return dict(sorted(classes.items(), key=lambda item: (-len(item[1]), item[0])))


def choose_turns(classes: list[list[Prediction]], count: int, seed: int) -> list[Prediction]:
    """One turn of each class, then a second one of each, and so on."""
    rng = Random(seed)
    shuffled = [rng.sample(turns, len(turns)) for turns in classes]
    longest = max(map(len, shuffled), default=0)
    rounds = [turns[index] for index in range(longest) for turns in shuffled if index < len(turns)]
    return rounds[:count]


def _show(prediction: Prediction, before: list[Prediction]) -> None:
    out = Console(highlight=False)
    out.print(shown(f"{prediction.id}, turn {prediction.turn + 1}", "dim"))
    for earlier in before:
        right = earlier.verdict is not None and earlier.verdict.correct
        answer = earlier.answer.text if earlier.answer else "no answer"
        said = f"  {earlier.question} {answer} ({'right' if right else 'wrong'})"
        out.print(shown(said, "dim"))
    if prediction.target is None:
        show_turn(prediction.question, prediction.messages, prediction.submission().answer)
    else:
        out.print(shown(prediction.question, "bold"))
        said = prediction.prediction or "nothing"
        out.print(Text(f"  {prediction.target}: "), shown(said, "bold green"), sep="")
    out.print(shown(f"  gold: {prediction.gold} by {prediction.program}"))
    verdict = prediction.verdict
    if verdict is not None and not verdict.correct:
        out.print(shown(f"  {verdict.error}: {verdict.reason}", "yellow"))
    out.print()
