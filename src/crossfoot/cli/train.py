"""``crossfoot train RECIPE [key=value ...]``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crossfoot.cli.output import console, print_json, print_table
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import CrossfootError, RecipeError

if TYPE_CHECKING:
    from crossfoot.training.recipe import Recipe


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, see recipes/.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, dots go into sections.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The run folder; runs/<recipe name> by default.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Say what it would take, without loading weights.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: as JSON.")] = False,
) -> None:
    """Fine-tune a model by a recipe."""
    quiet_libraries()
    from crossfoot.training.recipe import load_recipe

    loaded = load_recipe(recipe, overrides)
    if dry_run:
        _show_plan(loaded, as_json)
        return
    if as_json:
        raise RecipeError("--json goes with --dry-run", advice="a run folder holds JSON files")
    folder = output or Path(loaded.folder or Path("runs") / recipe.stem)
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
        except CrossfootError:
            if bar.tasks[0].total is None:  # nothing begun: no bar over a refusal
                bar.update(work, visible=False)
            raise
        except KeyboardInterrupt:
            console.print("stopped; the same command with --resume goes on", markup=False)
            raise


def _show_plan(recipe: Recipe, as_json: bool) -> None:
    from crossfoot.reports.plan import plan_table
    from crossfoot.training.plan import plan

    found = plan(recipe)
    if as_json:
        print_json(found.as_json())
    else:
        print_table(plan_table(recipe, found))


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _measured(measured: dict[str, float]) -> str:
    names = {"loss": "loss", "eval_loss": "held-out loss"}
    return ", ".join(
        f"{name} {measured[key]:.4f}" for key, name in names.items() if key in measured
    )
