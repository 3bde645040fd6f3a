"""``crossfoot train RECIPE [key=value ...]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossfoot.cli.output import console


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
    from crossfoot.training.recipe import load_recipe
    from crossfoot.training.train import train as run_training

    loaded = load_recipe(recipe, overrides)
    folder = output or Path(loaded.output or Path("runs") / recipe.stem)
    run = run_training(loaded, folder, resume=resume)
    console.print(f"trained: {run.path}")
