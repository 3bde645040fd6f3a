"""``crossfoot data get|list|explore|synth|build``: the data sets and what is in them."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from crossfoot.cli.build import build
from crossfoot.cli.explore import (
    pick,
    show_conversation,
    show_duplicates,
    show_overview,
    show_suspicious,
    show_targets,
    write_page,
)
from crossfoot.cli.output import console, print_json, print_table, skips_on_stderr, writing
from crossfoot.models.embedded import EMBEDDED
from crossfoot.tasks import downloads
from crossfoot.tasks.base import Sample
from crossfoot.tasks.official import FileReport
from crossfoot.tasks.registry import data_folder, find_task, load_task, split_file
from crossfoot.tasks.split import VALIDATION, choose, validation_split

MAX_SYNTHETIC = 1_000_000

app = typer.Typer(name="data", help="Get, list, explore and generate data.", no_args_is_help=True)
app.command()(build)
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def get(
    task: Annotated[str, typer.Argument(help="finqa or convfinqa.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="Copy from this folder, download nothing.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: _Json = False,
) -> None:
    """Download the official files of a data set, or copy them, and check them.

    They go to the folder that CROSSFOOT_DATA names, or to ~/.cache/crossfoot/data. An interrupted
    download goes on where it stopped.
    """
    folder = data_folder()
    with _progress() as bar:
        work: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in work:
                work[name] = bar.add_task(name)
            bar.update(work[name], completed=done, total=total)

        reports = downloads.get(task, folder, source=source, force=force, progress=show)
    _print_reports(reports, folder, json)


@app.command("list")
def list_files(json: _Json = False) -> None:
    """What the data folder holds, and whether it is official."""
    folder = data_folder()
    _print_reports(downloads.present(folder), folder, json)


@app.command()
def synth(
    output: Annotated[Path, typer.Option(help="A .json file, or a folder for train.json.")],
    count: Annotated[
        int, typer.Option(min=1, max=MAX_SYNTHETIC, help="How many conversations.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Other seeds give other conversations.")] = 0,
) -> None:
    """Write synthetic conversations as a file of ConvFinQA records."""
    from crossfoot.tasks.synthetic.generate import generate, to_record

    path = output if output.suffix == ".json" else output / "train.json"
    records = [to_record(sample) for sample in generate(count, seed)]
    with writing(path) as folder:
        folder.write_text(path.name, json_module.dumps(records, ensure_ascii=False))
    console.print(f"{count} conversations written to {path}", markup=False, soft_wrap=True)


@app.command()
def explore(
    task: Annotated[str, typer.Argument(help="convfinqa, finqa or synthetic.")],
    split: Annotated[str, typer.Option(help="train, validation, dev or test.")] = "dev",
    limit: Annotated[int | None, typer.Option(min=1, help="Conversations to take.")] = None,
    seed: Annotated[int, typer.Option(help="Which conversations --limit takes.")] = 0,
    show: Annotated[
        int | None, typer.Option(help="Print this conversation, counted from 1.")
    ] = None,
    targets: Annotated[
        int | None, typer.Option(help="Print the training targets of this conversation.")
    ] = None,
    suspicious: Annotated[
        bool, typer.Option("--suspicious", help="List labels that contradict each other.")
    ] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Compare the pages with those of other splits.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write all of it as a page with figures.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Whose tokens are counted; of --targets and --html smollm2-135m."),
    ] = None,
    prompt: Annotated[
        str, typer.Option(help="short, long, grounded, ranked, chosen ..., for --targets.")
    ] = "short",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out records with wrong fields.")
    ] = False,
    json: _Json = False,
) -> None:
    """Count what a data set holds, or look at one conversation of it."""
    with skips_on_stderr():
        samples = load_task(task, split, skip_bad=skip_bad)
    if limit is not None:
        samples = choose(samples, limit, seed)
    if targets is not None:
        show_targets(pick(samples, targets), model or EMBEDDED, prompt, json)
    elif show is not None:
        show_conversation(pick(samples, show), json)
    elif suspicious:
        show_suspicious(samples, f"{task}, {split}", json)
    elif duplicates:
        show_duplicates(samples, _others(task, split), f"{task}, {split}", json)
    elif html is not None:
        write_page(samples, _others(task, split), f"{task}, {split}", html, model or EMBEDDED)
    else:
        show_overview(samples, f"{task}, {split}", model, json)


def _others(task: str, split: str) -> dict[str, list[Sample]]:
    """The other splits by name; of train what is left of it, where validation is cut off."""
    with skips_on_stderr():
        others = {name: load_task(task, name, skip_bad=True) for name in _other_splits(task, split)}
    if split == VALIDATION and "train" in others:
        others["train"] = validation_split(others["train"])[0]
    return others


def _other_splits(task: str, split: str) -> list[str]:
    """The splits of a task that are here, but this one."""
    known = find_task(task)
    return [
        name
        for name in known.splits
        if name != split and (known.generate or split_file(task, name).exists())
    ]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console
    )


def _print_reports(reports: list[FileReport], folder: Path, as_json: bool) -> None:
    if as_json:
        files = [asdict(report) | {"path": str(report.path)} for report in reports]
        print_json({"folder": str(folder), "files": files})
        return
    if not reports:
        console.print(
            f"{folder} holds no data; get some with: crossfoot data get convfinqa",
            markup=False,
            soft_wrap=True,
        )
        return
    table = Table(title=Text(str(folder)))
    for heading in ("file", "conversations", "turns", "sha256", "status"):
        numeric = heading in ("conversations", "turns")
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=heading != "status"
        )
    for report in reports:
        table.add_row(
            f"{report.task}/{report.path.name}",
            f"{report.conversations:,}",
            f"{report.turns:,}",
            report.sha256[:12],
            report.status,
        )
    print_table(table)
