"""``crossfoot eval TASK``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crossfoot.cli.output import console, print_json


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
    engine: Annotated[str, typer.Option(help="transformers.")] = "transformers",
    prompt: Annotated[str, typer.Option(help="short or long.")] = "short",
    history: Annotated[str, typer.Option(help="own or gold.")] = "own",
    few_shot: Annotated[bool, typer.Option("--few-shot", help="Add three examples.")] = False,
    constrained: Annotated[
        bool, typer.Option("--constrained", help="Hold the output to the call format.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Conversations at a time.")] = 16,
    output: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Evaluate a model on a task; run again to go on after an interruption."""
    from crossfoot.agent.loop import Setting
    from crossfoot.chat.prompt import prompt_form
    from crossfoot.engines.build import build_engine, resolve_adapter
    from crossfoot.evaluation.evaluate import evaluate as run_evaluation
    from crossfoot.evaluation.metrics import summarise
    from crossfoot.reports.terminal import evaluation_tables
    from crossfoot.runs.folder import RunFolder, environment

    setting = Setting(
        form=prompt_form(prompt),
        history=_history(history),
        few_shot=few_shot,
    )
    samples = _samples(task, split, limit, seed)
    adapter_path = resolve_adapter(model, adapter)
    loaded = build_engine(engine, model, adapter_path, constrained=constrained)
    folder = output or Path("runs") / _run_name(task, split, model, adapter, few_shot, history)
    run = RunFolder(folder)
    source: dict[str, Any] = {
        "task": task,
        "split": split,
        "limit": limit,
        "seed": seed,
        "model": model,
        "adapter": str(adapter_path) if adapter_path else None,
        "engine": loaded.name,
        "constrained": constrained,
    }
    started = time.perf_counter()
    with Progress(
        TextColumn("conversations"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    ) as bar:
        work = bar.add_task("conversations", total=len(samples))
        predictions = run_evaluation(
            samples,
            loaded,
            run,
            setting=setting,
            source=source,
            batch_size=batch_size,
            progress=lambda done, _: bar.update(work, completed=done),
        )
    metrics = summarise(predictions, samples)
    metrics["latency"]["inference_total_seconds"] = time.perf_counter() - started
    metrics["latency"]["latency_file"] = "test_inference_latencies.jsonl"
    run.write_json("environment.json", environment())
    run.write_json("test_metrics.json", source | metrics)
    if json:
        print_json(source | metrics)
    else:
        evaluation_tables(metrics)
    console.print(f"written: {folder}")


def _history(name: str) -> Any:
    from crossfoot.errors import RecipeError

    if name not in ("own", "gold"):
        raise RecipeError(f"unknown history {name!r}", advice="known are own, gold")
    return name


VALIDATION_CONVERSATIONS = 150


def _samples(task: str, split: str, limit: int | None, seed: int) -> list[Any]:
    """The task's conversations; ``validation`` is the part of train that recipes hold out."""
    from crossfoot.tasks.registry import load_task
    from crossfoot.tasks.split import choose, validation_split

    if split == "validation":
        _, samples = validation_split(load_task(task, "train"), VALIDATION_CONVERSATIONS, 0)
    else:
        samples = load_task(task, split)
    samples = [s for s in samples if all(turn.gold is not None for turn in s.turns)]
    return choose(samples, limit, seed) if limit is not None else samples


def _run_name(
    task: str, split: str, model: str, adapter: str | None, few_shot: bool, history: str
) -> str:
    parts = [task, split, Path(model).name, Path(adapter).name if adapter else "default"]
    parts += ["fewshot"] if few_shot else []
    parts += ["gold-history"] if history == "gold" else []
    return "eval-" + "-".join(parts)
