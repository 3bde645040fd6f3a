"""``crossfoot eval TASK``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crossfoot.cli.output import console, print_json
from crossfoot.cli.quiet import quiet_libraries

if TYPE_CHECKING:
    from crossfoot.agent.loop import History, Setting
    from crossfoot.engines.base import Engine
    from crossfoot.evaluation.evaluate import Runner
    from crossfoot.tasks.base import Sample

VALIDATION_CONVERSATIONS = 150


def evaluate(
    task: Annotated[str, typer.Argument(help="convfinqa, finqa or synthetic.")],
    model: Annotated[str, typer.Option(help="A name, folder or Hugging Face id.")] = "smollm2-135m",
    adapter: Annotated[
        str | None,
        typer.Option(help="Adapter or run folder; 'none' for the base model alone."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation, dev or test.")] = "dev",
    limit: Annotated[int | None, typer.Option(min=1, help="Conversations to take.")] = None,
    seed: Annotated[int, typer.Option(help="Which conversations --limit takes.")] = 0,
    engine: Annotated[
        str | None,
        typer.Option(help="transformers, openvino, remote; the fastest if not given."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="The remote engine's server, http://localhost:8000/v1.")
    ] = None,
    tools_in_text: Annotated[
        bool, typer.Option("--tools-in-text", help="For a served model without tool template.")
    ] = False,
    prompt: Annotated[str, typer.Option(help="short or long.")] = "short",
    history: Annotated[str, typer.Option(help="own or gold.")] = "own",
    few_shot: Annotated[bool, typer.Option("--few-shot", help="Add three examples.")] = False,
    constrained: Annotated[
        bool, typer.Option("--constrained", help="Hold the output to the call format.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Conversations at a time.")] = 16,
    shards: Annotated[
        int, typer.Option(min=1, help="Ray workers, each with an engine of its own.")
    ] = 1,
    output: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Evaluate a model on a task; run again to go on after an interruption."""
    engine = engine or ("remote" if endpoint else None)
    if engine != "remote":  # which needs none of them
        quiet_libraries()
    from crossfoot.agent.loop import Setting
    from crossfoot.chat.prompt import prompt_form
    from crossfoot.engines.build import build_engine, default_engine, resolve_adapter
    from crossfoot.engines.endpoint import Endpoint
    from crossfoot.evaluation.evaluate import LATENCIES, inference_seconds
    from crossfoot.evaluation.evaluate import evaluate as run_evaluation
    from crossfoot.evaluation.metrics import summarise
    from crossfoot.models.weights import weights_sha256
    from crossfoot.reports.terminal import evaluation_tables
    from crossfoot.runs.folder import RunFolder, environment

    setting = Setting(
        form=prompt_form(prompt),
        history=_history(history),
        few_shot=few_shot,
    )
    samples = _samples(task, split, limit, seed)
    engine = engine or default_engine(model, constrained=constrained)
    served = engine == "remote"
    adapter_path = None if served and adapter is None else resolve_adapter(model, adapter)
    build = partial(
        build_engine,
        engine,
        model,
        adapter_path,
        constrained=constrained,
        endpoint=endpoint,
        tools_in_text=tools_in_text,
    )
    name = _run_name(task, split, model, adapter, _named(setting, served, constrained, limit))
    folder = output or Path("runs") / name
    run = RunFolder(folder)
    source: dict[str, Any] = {
        "task": task,
        "split": split,
        "limit": limit,
        "seed": seed,
        "model": model,
        "model_sha256": None if served else weights_sha256(Path(model)),
        "adapter": str(adapter_path) if adapter_path else None,
        "adapter_sha256": weights_sha256(adapter_path) if adapter_path else None,
        "engine": engine,
        "endpoint": Endpoint(endpoint).host if endpoint else None,
        "constrained": constrained,
        "tools_in_text": tools_in_text,
    }
    with _runner(build, shards) as runner, _progress(len(samples)) as show:
        predictions = run_evaluation(
            samples,
            runner,
            run,
            setting=setting,
            source=source,
            batch_size=batch_size,
            progress=show,
        )
    metrics = summarise(predictions, samples)
    metrics["latency"]["inference_total_seconds"] = inference_seconds(predictions, batch_size)
    metrics["latency"]["latency_file"] = LATENCIES
    run.write_json("environment.json", environment())
    run.write_json("test_metrics.json", source | metrics)
    if json:
        print_json(source | metrics)
    else:
        evaluation_tables(metrics)
    console.print(f"written: {folder}", markup=False)


@contextmanager
def _runner(build: Callable[[], Engine], shards: int) -> Iterator[Runner]:
    from crossfoot.evaluation.evaluate import one_engine
    from crossfoot.evaluation.shards import ray_workers

    if shards == 1:
        yield one_engine(build())
    else:
        with ray_workers(build, shards) as runner:
            yield runner


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar that appears with the first word of progress, so that none stands over a refusal."""
    bar = Progress(
        TextColumn("conversations"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    work = bar.add_task("", total=total)

    def show(done: int, _: int) -> None:
        bar.start()
        bar.update(work, completed=done)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


def _history(name: str) -> History:
    from crossfoot.errors import RecipeError

    if name not in ("own", "gold"):
        raise RecipeError(f"unknown history {name!r}", advice="known are own, gold")
    return cast("History", name)


def _samples(task: str, split: str, limit: int | None, seed: int) -> list[Sample]:
    """The task's conversations; ``validation`` is the part of train that recipes hold out."""
    from crossfoot.errors import DataError
    from crossfoot.tasks.registry import load_task
    from crossfoot.tasks.split import choose, validation_split

    if split == "validation":
        _, samples = validation_split(load_task(task, "train"), VALIDATION_CONVERSATIONS, 0)
    else:
        samples = load_task(task, split)
    labelled = [sample for sample in samples if all(turn.gold for turn in sample.turns)]
    if not labelled:
        raise DataError("no conversation here has labels", record=f"{task} {split}")
    if len(labelled) < len(samples):
        console.print(f"{len(samples) - len(labelled)} conversations without labels are left out")
    return choose(labelled, limit, seed) if limit is not None else labelled


def _named(setting: Setting, served: bool, constrained: bool, limit: int | None) -> list[str]:
    """The settings that are not the usual ones, as parts of a folder's name."""
    return [
        name
        for name, chosen in (
            ("remote", served),
            ("long", setting.form == "long"),
            ("fewshot", setting.few_shot),
            ("gold-history", setting.history == "gold"),
            ("constrained", constrained),
            (f"{limit}", limit is not None),
        )
        if chosen
    ]


def _run_name(task: str, split: str, model: str, adapter: str | None, unusual: list[str]) -> str:
    tuned = Path(adapter.removesuffix("/final_model")).name if adapter else "default"
    return "-".join(["eval", task, split, Path(model).name, tuned, *unusual])
