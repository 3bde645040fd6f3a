"""``crossfoot serve``."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Annotated

import typer

from crossfoot.cli.output import console
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import RecipeError


def serve(
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- SERVER_OPTION", help="What stands after -- goes to the server itself."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="smollm2-135m, a model's folder, or a Hugging Face id.")
    ] = "smollm2-135m",
    adapter: Annotated[
        str | None,
        typer.Option(
            help="An adapter or run folder; 'none' for the model alone; if not given, the shipped "
            "one for smollm2-135m and none for others."
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="vllm or transformers; if not given, the first that is installed."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines connect.")
    ] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the server's command and stop.")
    ] = False,
) -> None:
    """Serve a model over the OpenAI API, with the server that is installed."""
    quiet_libraries()
    from crossfoot.engines.build import resolve_adapter
    from crossfoot.models.prompts import prompt_of
    from crossfoot.serving.commands import serving

    if options and not options[0].startswith("-"):
        raise RecipeError(
            f"{options[0][:80]!r} is no option of a server",
            advice="name what is served with --model and --adapter",
        )
    tuned = resolve_adapter(model, adapter)
    made = serving(
        model,
        tuned,
        server=server,
        host=host,
        port=port,
        write=not print_only,
    )
    command = [*made.command, *(options or [])]
    console.print(
        f"then: crossfoot eval synthetic --engine remote --endpoint http://{host}:{port}/v1 "
        f"--model {made.served_name}{' --tools-in-text' if made.tools_in_text else ''} "
        f"--prompt {prompt_of(None, tuned, model)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    print(shlex.join(command), flush=True)
    if not print_only:
        sys.stderr.flush()
        os.execv(command[0], command)
