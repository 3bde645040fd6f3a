"""``crossfoot check RUN``."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from crossfoot.cli.output import console, print_json, print_table
from crossfoot.cli.quiet import quiet_libraries

if TYPE_CHECKING:
    from crossfoot.evaluation.check import Column, Load, Row
    from crossfoot.models.export import Tuned


def check(
    run: Annotated[str, typer.Argument(help="A run or adapter folder, or 'shipped'.")],
    engines: Annotated[
        str, typer.Option(help="Of transformers, openvino, remote; commas between them.")
    ] = "transformers",
    forms: Annotated[
        str,
        typer.Option(
            help="Of adapter (transformers), merged (transformers), gguf (both); the first "
            "engine in the first form is what the others are compared with."
        ),
    ] = "adapter,merged",
    model: Annotated[
        str | None, typer.Option(help="The base model; if not given, the one the adapter names.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="The remote engine's server, http://localhost:8000/v1.")
    ] = None,
    served: Annotated[str | None, typer.Option(help="The tuned model's name there.")] = None,
    served_base: Annotated[
        str | None, typer.Option(help="The base model's name there, if it has one.")
    ] = None,
    task: Annotated[str, typer.Option(help="convfinqa, finqa or synthetic.")] = "synthetic",
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "dev",
    limit: Annotated[int, typer.Option(min=1, help="Conversations to take.")] = 4,
    seed: Annotated[int, typer.Option(help="Which conversations --limit takes.")] = 0,
    prompt: Annotated[
        str | None,
        typer.Option(help="short, long, grounded, ranked, chosen ...; the adapter's own."),
    ] = None,
    bound: Annotated[
        float,
        typer.Option(min=0, max=1, help="Less agreement in tokens or verdicts is a failure."),
    ] = 0.8,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check that engines and forms of a tuned model agree, and that none ignores the adapter."""
    quiet_libraries()
    from crossfoot.agent.loop import Setting
    from crossfoot.chat.template import Chat
    from crossfoot.evaluation.check import check as run_check
    from crossfoot.evaluation.samples import labelled_of
    from crossfoot.models.export import find_tuned
    from crossfoot.models.loading import load_tokenizer
    from crossfoot.models.prompts import check_writes_calls, prompt_of
    from crossfoot.tasks.registry import load_task
    from crossfoot.tasks.split import choose

    tuned = find_tuned(run, model)
    check_writes_calls(tuned.adapter, tuned.model)
    setting = Setting(form=prompt_of(prompt, tuned.adapter), history="gold")
    columns, bases = _columns(tuned, _names(engines), _names(forms), endpoint, served, served_base)
    samples = choose(labelled_of(load_task(task, split), task, split), limit, seed)
    chat = Chat(load_tokenizer(tuned.model))
    rows = run_check(columns, bases, samples, setting, chat, bound)
    failed = [row for row in rows if row.failure]
    if json:
        print_json(
            {"run": run, "base": tuned.model, "bound": bound, "rows": [asdict(r) for r in rows]}
        )
    else:
        _print(rows)
    for row in failed:
        console.print(f"failed: {row.name} {row.failure}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _columns(
    tuned: Tuned,
    engines: list[str],
    forms: list[str],
    endpoint: str | None,
    served: str | None,
    served_base: str | None,
) -> tuple[list[Column], dict[str, Load]]:
    """A column for each form that an engine runs, and each engine's base."""
    from crossfoot.engines.build import Wanted, build_engine, engine_kind
    from crossfoot.errors import ModelError, RecipeError
    from crossfoot.evaluation.check import Column

    if tuned.adapter is None:
        raise ModelError("no adapter here to be checked", file=tuned.model)
    columns: list[Column] = []
    bases: dict[str, Load] = {
        engine: partial(build_engine, engine, Wanted(tuned.model))
        for engine in ("transformers", *engines)
        if engine != "remote"
    }
    for engine in engines:
        if engine == "remote":
            if served is None:
                raise RecipeError("--served is missing", advice="name the tuned model as served")
            if served_base is not None:
                base = Wanted(served_base, endpoint=endpoint)
                bases[engine] = partial(build_engine, engine, base)
            against = "transformers" if served_base is None else engine
            wanted = Wanted(served, endpoint=endpoint)
            columns.append(Column(engine, partial(build_engine, engine, wanted), against))
            continue
        kind = engine_kind(engine)
        for form in (form for form in forms if form in kind.forms):
            wanted = Wanted(tuned.model, tuned.adapter, form)
            load = partial(build_engine, engine, wanted)
            columns.append(Column(f"{engine} {form}", load, engine))
    runnable = {form for engine in engines for form in engine_kind(engine).forms}
    if not columns or (set(engines) != {"remote"} and not runnable.issuperset(forms)):
        unknown = ", ".join(form for form in forms if form not in runnable)
        raise RecipeError(f"no engine of --engines runs the form {unknown or 'none'}")
    return columns, bases


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _print(rows: list[Row]) -> None:
    from rich.table import Table

    table = Table("model", title=f"{rows[0].turns} turns, compared with {rows[0].name}")
    for heading in ("tokens agree", "verdicts agree", "correct", "changed by the adapter"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.token_agreement:.1%}",
            f"{row.verdict_agreement:.1%}",
            str(row.correct),
            str(row.changed),
        )
    print_table(table)
