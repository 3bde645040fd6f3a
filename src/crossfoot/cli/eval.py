"""``crossfoot eval TASK`` and ``crossfoot eval RUN``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crossfoot.cli.output import console, print_json, skips_on_stderr
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import RecipeError

if TYPE_CHECKING:
    from crossfoot.agent.loop import History, Setting
    from crossfoot.chat.prompt import PromptForm
    from crossfoot.engines.base import Engine
    from crossfoot.engines.build import Wanted
    from crossfoot.evaluation.evaluate import Runner
    from crossfoot.training.recipe import Recipe
    from crossfoot.training.sections import Generation

_Text = str | None
_Number = int | None


def evaluate(
    task: Annotated[
        str, typer.Argument(help="convfinqa, finqa or synthetic; or a run, which names its own.")
    ],
    model: Annotated[
        _Text, typer.Option(help="A name, folder or Hugging Face id; smollm2-135m if not given.")
    ] = None,
    adapter: Annotated[
        _Text,
        typer.Option(help="Adapter or run folder; 'none' for the base model alone."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation, dev or test.")] = "dev",
    limit: Annotated[_Number, typer.Option(min=1, help="Conversations to take.")] = None,
    seed: Annotated[int, typer.Option(help="Which conversations --limit takes.")] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out records with wrong fields.")
    ] = False,
    engine: Annotated[
        _Text,
        typer.Option(help="transformers, openvino, remote; the fastest if not given."),
    ] = None,
    endpoint: Annotated[
        _Text, typer.Option(help="The remote engine's server, http://localhost:8000/v1.")
    ] = None,
    tools_in_text: Annotated[
        bool, typer.Option("--tools-in-text", help="For a served model without tool template.")
    ] = False,
    prompt: Annotated[
        _Text, typer.Option(help="short, long, grounded, ranked, chosen ...; the adapter's own.")
    ] = None,
    prompt_style: Annotated[_Text, typer.Option(help="instruct or base.")] = None,
    target: Annotated[_Text, typer.Option(help="tool, program, numerical or answer.")] = None,
    input: Annotated[_Text, typer.Option(help="all, gold, noisy_gold or retrieved.")] = None,
    text_distractors: Annotated[_Number, typer.Option(help="noisy_gold: paragraphs.")] = None,
    table_distractors: Annotated[_Number, typer.Option(help="noisy_gold: rows.")] = None,
    context_seed: Annotated[_Number, typer.Option(help="noisy_gold: which of them.")] = None,
    budget: Annotated[_Number, typer.Option(help="retrieved: paragraphs and rows.")] = None,
    max_new_tokens: Annotated[_Number, typer.Option(help="Of each reply; 320.")] = None,
    num_beams: Annotated[_Number, typer.Option(help="Beams of the search.")] = None,
    do_sample: Annotated[
        bool | None, typer.Option("--do-sample/--greedy", help="Draw tokens, or take the best.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of samples.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Of samples.")] = None,
    generation_seed: Annotated[_Number, typer.Option(help="Of samples.")] = None,
    history: Annotated[str, typer.Option(help="own or gold.")] = "own",
    few_shot: Annotated[bool, typer.Option("--few-shot", help="Add three examples.")] = False,
    constrained: Annotated[
        bool | None,
        typer.Option("--constrained/--free", help="Hold the output to the format of the target."),
    ] = None,
    line_prior: Annotated[
        bool | None,
        typer.Option("--line-prior/--no-line-prior", help="Weigh what is quoted by its ranking."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Conversations at a time.")] = 16,
    shards: Annotated[
        int, typer.Option(min=1, help="Ray workers, each with an engine of its own.")
    ] = 1,
    report_to: Annotated[
        _Text, typer.Option(help="wandb (offline), tensorboard, trackio; with commas between.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Evaluate a model on a task; run again to go on after an interruption.

    A run is evaluated as its recipe puts questions, and in its own folder if it stands in the place
    of the task and no --limit is given; options change that.
    """
    engine = engine or ("remote" if endpoint else None)
    if engine != "remote":  # which needs none of them
        quiet_libraries()
    from crossfoot.engines.build import Wanted, build_engine, default_engine, resolve_adapter
    from crossfoot.evaluation.asked import asked, default_adapter, sampling_of, subject
    from crossfoot.evaluation.evaluate import evaluate as run_evaluation
    from crossfoot.evaluation.finish import finish
    from crossfoot.evaluation.samples import samples_of
    from crossfoot.models.embedded import EMBEDDED
    from crossfoot.models.prompts import prompt_of, target_of
    from crossfoot.reports.terminal import evaluation_tables
    from crossfoot.reports.trackers import check_trackers
    from crossfoot.runs.folder import RunFolder
    from crossfoot.tasks.split import choose

    served = engine == "remote"
    who = subject(task, model, adapter, served=served)
    task, trained, adapter = who.task, who.trained, who.adapter
    if limit is None:  # a few questions are no part of a run
        output = output or who.folder
    if trained is None and target is None and not served:
        target = target_of(adapter, who.model)
    generation = {
        "max_new_tokens": max_new_tokens,
        "num_beams": num_beams,
        "do_sample": do_sample,
        "temperature": temperature,
        "top_p": top_p,
        "seed": generation_seed,
        "constrained": constrained,
        "line_prior": line_prior,
    }
    recipe = asked(
        trained,
        who.model or EMBEDDED,
        {
            "prompt": prompt,
            "prompt_style": prompt_style,
            "target": target,
            "input": input,
            "text_distractors": text_distractors,
            "table_distractors": table_distractors,
            "context_seed": context_seed,
            "budget": budget,
            "generation": generation,
            "tracking": {"report_to": report_to.split(",") if report_to else None},
        },
    )
    model = recipe.model
    check_trackers(recipe.tracking)
    with skips_on_stderr():
        samples, left_out = samples_of(task, split, recipe, trained, skip_bad)
    for note in left_out:
        console.print(note, markup=False)
    samples = choose(samples, limit, seed) if limit is not None else samples
    adapter = adapter or default_adapter(recipe)
    adapter_path = None if served and adapter is None else resolve_adapter(model, adapter)
    form = recipe.prompt if trained else prompt_of(prompt, adapter_path, model)
    setting = _setting(recipe, form, history, few_shot)
    wanted = Wanted(
        model,
        adapter_path,
        constrained=recipe.generation.constrained,
        line_prior=recipe.generation.line_prior,
        endpoint=endpoint,
        tools_in_text=tools_in_text,
        target=recipe.target,
        prompt=setting.form,
        prompt_style=recipe.prompt_style,
        sampling=sampling_of(recipe),
    )
    engine = engine or default_engine(wanted)
    unusual = _named(setting, served, recipe.generation, limit)
    folder = output or Path("runs") / _run_name(task, split, model, adapter, unusual)
    run = RunFolder(folder)
    source = {"task": task, "split": split, "limit": limit, "seed": seed}
    source |= _answered_by(engine, wanted)
    build = partial(build_engine, engine, wanted)
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
    metrics = finish(run, predictions, samples, source, setting, batch_size, recipe.tracking)
    if json:
        print_json(metrics)
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


def _setting(recipe: Recipe, form: PromptForm, history: str, few_shot: bool) -> Setting:
    """How questions are put; examples have no words for prompts that name cells."""
    from crossfoot.agent.loop import Limits, Setting
    from crossfoot.chat.prompt import GROUNDED

    if history not in ("own", "gold"):
        raise RecipeError(f"unknown history {history!r}", advice="known are own, gold")
    if form in GROUNDED and few_shot:
        raise RecipeError("--few-shot has no words for cells", advice="or choose another --prompt")
    return Setting(
        form=form,
        history=cast("History", history),
        few_shot=few_shot,
        limits=Limits(new_tokens=recipe.generation.max_new_tokens),
        single=recipe.single,
    )


def _answered_by(engine: str, wanted: Wanted) -> dict[str, Any]:
    """What answers, as an evaluation that is gone on with must have it again."""
    from crossfoot.engines.endpoint import Endpoint
    from crossfoot.models.weights import weights_sha256

    adapter, sampling = wanted.adapter, wanted.sampling
    return {
        "model": wanted.model,
        "model_sha256": None if engine == "remote" else weights_sha256(Path(wanted.model)),
        "adapter": str(adapter) if adapter else None,
        "adapter_sha256": weights_sha256(adapter) if adapter else None,
        "engine": engine,
        "endpoint": Endpoint(wanted.endpoint).host if wanted.endpoint else None,
        "constrained": wanted.constrained,
        "tools_in_text": wanted.tools_in_text,
        # None where it is as it was before there was a choice, so that old evaluations go on.
        "prompt_style": None if wanted.prompt_style == "instruct" else wanted.prompt_style,
        "sampling": None if sampling.greedy else asdict(sampling),
        "line_prior": wanted.line_prior or None,
    }


def _named(setting: Setting, served: bool, options: Generation, limit: int | None) -> list[str]:
    """The settings that are not the usual ones, as parts of a folder's name."""
    single = setting.single
    put = [f"{single.target}-{single.context.input}"] if single is not None else []
    return put + [
        name
        for name, chosen in (
            ("remote", served),
            (setting.form, setting.form != "short"),
            ("fewshot", setting.few_shot),
            ("gold-history", setting.history == "gold"),
            ("constrained", options.constrained),
            ("line-prior", options.line_prior),
            (f"{limit}", limit is not None),
        )
        if chosen
    ]


def _run_name(task: str, split: str, model: str, adapter: str | None, unusual: list[str]) -> str:
    base = Path(model.removesuffix("/final_model")).name
    tuned = Path(adapter.removesuffix("/final_model")).name if adapter else "default"
    return "-".join(["eval", task, split, base, tuned, *unusual])
