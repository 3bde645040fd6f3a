"""``crossfoot train RECIPE [key=value ...]``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crossfoot.cli.output import console
from crossfoot.cli.quiet import quiet_libraries


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, see recipes/.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, dots go into sections.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The run folder; runs/<recipe name> by default.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,
) -> None:
    """Fine-tune a model by a recipe."""
    quiet_libraries()
    from crossfoot.training.recipe import load_recipe

    loaded = load_recipe(recipe, overrides)
    folder = output or Path(loaded.output or Path("runs") / recipe.stem)
    from crossfoot.training.train import train as run_training

    columns = [TextColumn("steps"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    columns.append(TextColumn("{task.description}"))
    # Of the processes of accelerate launch the first one shows the progress.
    hidden = os.environ.get("RANK", "0") != "0"
    with Progress(*columns, console=console, disable=hidden) as bar:
        work = bar.add_task("preparing", total=None)

        def show(step: int, steps: int, measured: dict[str, float]) -> None:
            text = _measured(measured)
            bar.update(work, completed=step, total=steps, description=text)
            if not console.is_terminal:  # a log file gets lines, for a bar would not show there
                console.print(f"step {step} of {steps}: {text}", highlight=False)

        try:
            run_training(loaded, folder, resume=resume, progress=show, say=_say)
        except KeyboardInterrupt:
            console.print("stopped; the same command with --resume goes on", markup=False)
            raise


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _measured(measured: dict[str, float]) -> str:
    names = {"loss": "loss", "eval_loss": "held-out loss"}
    return ", ".join(
        f"{name} {measured[key]:.4f}" for key, name in names.items() if key in measured
    )
