"""``crossfoot export RUN merged|gguf``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossfoot.cli.output import console
from crossfoot.cli.quiet import quiet_libraries

FORMS = ("merged", "gguf")


def export(
    run: Annotated[
        str,
        typer.Argument(help="A run folder, an adapter's or model's folder, or 'shipped'."),
    ],
    form: Annotated[
        str,
        typer.Argument(help="merged (a folder for transformers and vLLM) or gguf (one file)."),
    ],
    kind: Annotated[
        str,
        typer.Option("--type", help="Of a GGUF: f16, or q8_0 of half its size."),
    ] = "f16",
    model: Annotated[
        str | None, typer.Option(help="The base model; if not given, the one the adapter names.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="What is written; if not given, exports/NAME-merged or exports/NAME-TYPE.gguf."
        ),
    ] = None,
) -> None:
    """Write a tuned model as one artefact that other programs load."""
    quiet_libraries()
    from crossfoot.errors import RecipeError
    from crossfoot.models.export import export_gguf, export_merged, find_tuned
    from crossfoot.models.gguf import gguf_type

    if form not in FORMS:
        raise RecipeError(f"unknown form {form!r}", advice=f"known are {', '.join(FORMS)}")
    tuned = find_tuned(run, model)
    if form == "merged":
        target = output or Path("exports") / f"{tuned.name}-merged"
        export_merged(tuned, target)
    else:
        stored = gguf_type(kind)
        target = output or Path("exports") / f"{tuned.name}-{stored}.gguf"
        export_gguf(tuned, target, stored)
    console.print(f"written: {target}", markup=False, soft_wrap=True)
