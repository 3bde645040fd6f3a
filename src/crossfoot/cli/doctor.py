"""``crossfoot doctor``: what this machine can do, and which recipe fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from crossfoot.cli.output import console, print_json, print_table
from crossfoot.cli.quiet import quiet_libraries

if TYPE_CHECKING:
    from crossfoot.training.fitting import Fit
    from crossfoot.training.recipe import Recipe

MANY_HOURS = 3  # for a million tokens: fitting is not enough


def doctor(
    recipes: Annotated[
        list[Path] | None, typer.Argument(help="Recipes to fit; those in recipes/ if not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Look at the machine, run every extra once, and say which recipe fits.

    Nothing is loaded or downloaded; memory and time of recipes are estimates.
    """
    quiet_libraries()
    from crossfoot.training.examine import caches, extras, hardware, hub, rates
    from crossfoot.training.recipe import load_recipe
    from crossfoot.training.speed import EFFICIENCY

    paths = recipes or sorted(Path("recipes").glob("*.yaml"))
    read = {path: load_recipe(path) for path in paths}
    found = hardware()
    speed = rates()
    works = extras()
    report: dict[str, Any] = {
        "hardware": found,
        "gigaflops": speed,
        "extras": works,
        "caches": caches(),
        "hub": hub(),
    }
    console.print("estimating the memory of recipes", highlight=False)
    rows = _fits(read, found, speed)
    for row in rows:
        row["hours_per_million_tokens"] = _hours(row, speed, EFFICIENCY)
    usable = [row for row in rows if not row["quantized"] or works.get("quant") == "works"]
    report |= {"recipes": rows, "recommended": _recommended(usable)}
    if json:
        print_json(report)
        return
    _print_machine(report)
    if rows or not recipes:
        _print_recipes(rows, report["recommended"])


def _fits(
    recipes: dict[Path, Recipe], found: dict[str, Any], speed: dict[str, float]
) -> list[dict[str, Any]]:
    from crossfoot.errors import CrossfootError
    from crossfoot.training.fitting import attention_per_token, fits

    device, free = found["device"], found["free_bytes"]
    rows = []
    for path, recipe in recipes.items():
        try:
            for dtype in _dtypes(recipe.dtype, device, speed):
                computed = recipe.model_copy(update={"dtype": dtype})
                fit = fits(computed, free, device)
                if fit.batch_tokens is not None:
                    break
            attention = attention_per_token(computed, device) if fit.batch_tokens else None
            rows.append(_row(path, recipe, dtype, fit, attention))
        except CrossfootError as error:
            console.print(f"{path.name}: {error}", markup=False, highlight=False, soft_wrap=True)
    return rows


def _dtypes(dtype: str, device: str, speed: dict[str, float]) -> list[str]:
    """What to compute a recipe in, the better first: some processors emulate bfloat16, slowly."""
    from crossfoot.models.loading import native_dtype
    from crossfoot.training.speed import EMULATED

    if dtype != "bfloat16":
        return [dtype]
    slow = device == "cpu" and speed["float32"] > EMULATED * speed["bfloat16"]
    return ["float32", dtype] if slow else [native_dtype()]


def _row(
    path: Path, recipe: Recipe, dtype: str, fit: Fit, attention: float | None
) -> dict[str, Any]:
    return {
        "recipe": str(path),
        "model": fit.model,
        "dtype": dtype,
        "dtype_of_recipe": recipe.dtype,
        "quantized": recipe.adapter.method == "qlora",
        "parameters": fit.parameters,
        "needed_bytes": fit.needed_bytes,
        "batch_tokens": fit.batch_tokens,
        "flops_per_token": fit.flops_per_token,
        "attention_seconds_per_token": attention,
    }


def _hours(row: dict[str, Any], speed: dict[str, float], efficiency: float) -> float | None:
    if row["batch_tokens"] is None:
        return None
    rest = row["flops_per_token"] / (efficiency * speed[row["dtype"]] * 1e9)
    seconds: float = 1e6 * (row["attention_seconds_per_token"] + rest)
    return seconds / 3600


def _recommended(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the recipes that fit and are not too slow, that of the largest model."""
    able = [
        row
        for row in rows
        if row["batch_tokens"] is not None and row["hours_per_million_tokens"] < MANY_HOURS
    ]
    return max(able, key=lambda row: row["parameters"]) if able else None


def _print_machine(report: dict[str, Any]) -> None:
    table = Table(show_header=False)
    machine = report["hardware"]
    for name, value in machine["told"].items():
        table.add_row(name, value)
    rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in report["gigaflops"].items())
    table.add_row("GFLOP/s", rates)
    table.add_section()
    for name, said in report["extras"].items():
        table.add_row(f"extra {name}", said)
    table.add_section()
    for name, said in report["caches"].items():
        table.add_row(name, said)
    table.add_row("hub", report["hub"])
    print_table(table)


def _print_recipes(rows: list[dict[str, Any]], recommended: dict[str, Any] | None) -> None:
    table = Table(title="recipes: estimates, hours for a million tokens")
    table.add_column("recipe", overflow="fold")
    for heading in ("size", "dtype", "memory", "batch_tokens", "hours"):
        table.add_column(heading, justify="right")
    for row in rows:
        fits, hours = row["batch_tokens"], row["hours_per_million_tokens"]
        table.add_row(
            Path(row["recipe"]).stem,
            f"{row['parameters'] / 1e9:.2f}B",
            row["dtype"],
            f"{row['needed_bytes'] / 1e9:.1f} GB",
            "does not fit" if fits is None else f"{fits:,}",
            "" if hours is None else f"{hours:,.1f}",
        )
    print_table(table)
    if not rows:
        console.print("there are no recipes in recipes/; name some: crossfoot doctor RECIPE ...")
    elif recommended is None and any(row["batch_tokens"] is not None for row in rows):
        console.print(
            f"what fits is slow here: more than {MANY_HOURS} hours for a million tokens, or needs "
            "an extra that does not work"
        )
    elif recommended is None:
        console.print("no recipe here fits this machine; add adapter.method=qlora to one")
    else:
        dtype = recommended["dtype"]
        changed = "" if dtype == recommended["dtype_of_recipe"] else f" dtype={dtype}"
        console.print(
            f"recommended: crossfoot train {recommended['recipe']} "
            f"batch_tokens={recommended['batch_tokens']}{changed}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        console.print("with --dry-run first it counts its own data", highlight=False)
