"""``crossfoot data build finqa --input noisy_gold --target program``: prompts and targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from crossfoot.cli.output import console, print_json, skips_on_stderr, writing
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import DataError, RecipeError
from crossfoot.tasks.registry import load_task, naming_file
from crossfoot.tasks.split import choose

if TYPE_CHECKING:
    from crossfoot.chat.template import Chat
    from crossfoot.targets.single import Target


def build(
    task: Annotated[str, typer.Argument(help="finqa: a task of single questions.")],
    output: Annotated[Path, typer.Option(help="A folder for <split>.jsonl, or a .jsonl file.")],
    input: Annotated[str, typer.Option(help="gold, all, noisy_gold or retrieved.")] = "all",
    target: Annotated[str, typer.Option(help="program, numerical, answer or tool.")] = "program",
    split: Annotated[str, typer.Option(help="train, validation, dev or test.")] = "dev",
    text_distractors: Annotated[
        int, typer.Option(min=0, help="noisy_gold: paragraphs that are not evidence.")
    ] = 3,
    table_distractors: Annotated[
        int, typer.Option(min=0, help="noisy_gold: rows that are not evidence.")
    ] = 2,
    context_seed: Annotated[int, typer.Option(help="noisy_gold: which of them.")] = 0,
    budget: Annotated[int, typer.Option(min=1, help="retrieved: paragraphs and rows.")] = 10,
    prompt: Annotated[str, typer.Option(help="As a recipe's: short, long, labelled ...")] = "short",
    prompt_style: Annotated[str, typer.Option(help="instruct or base.")] = "instruct",
    model: Annotated[
        str, typer.Option(help="instruct: whose chat template renders the prompts.")
    ] = "smollm2-135m",
    limit: Annotated[int | None, typer.Option(min=1, help="Questions to take.")] = None,
    seed: Annotated[int, typer.Option(help="Which questions --limit takes.")] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out records with wrong fields.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The counts as JSON on stdout.")] = False,
) -> None:
    """Write questions with their context, prompt and target as JSON Lines.

    A line has id, question, context, prompt, target and evidence. The target does not hold the
    end-of-turn token. With --target tool a question has a line for each call.
    """
    from crossfoot.chat.prompt import prompt_form
    from crossfoot.targets.context import INPUTS, ContextOptions
    from crossfoot.targets.dataset import build_dataset
    from crossfoot.targets.single import STYLES, TARGETS

    form = prompt_form(prompt)
    _one_of(target, TARGETS, "target")
    _one_of(input, INPUTS, "input")
    _one_of(prompt_style, STYLES, "prompt style")
    options = ContextOptions(
        cast(Any, input), text_distractors, table_distractors, context_seed, budget
    )
    with skips_on_stderr():
        samples = load_task(task, split, skip_bad=skip_bad)
    if limit is not None:
        samples = choose(samples, limit, seed)
    chat = _chat(model, target) if prompt_style == "instruct" else None
    with naming_file(task, split):
        built = build_dataset(samples, cast("Target", target), options, chat, form, skip_bad)
    path = _write(output, split, built.lines)
    counts = built.counts()
    if json:
        print_json({"file": str(path), "input": input, "target": target, **counts})
    for line in _summary(counts, input, path):
        console.print(line, markup=False, soft_wrap=True)


def _one_of(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise RecipeError(f"unknown {what}: {name[:40]!a}", advice=f"known are {', '.join(known)}")


def _chat(model: str, target: str) -> Chat:
    quiet_libraries()
    from crossfoot.chat.template import Chat
    from crossfoot.models.loading import load_tokenizer

    return Chat(load_tokenizer(model), tools=target == "tool")


def _write(output: Path, split: str, lines: list[dict[str, Any]]) -> Path:
    if output.suffix == ".json":
        raise DataError(
            "lines of JSON go into a .jsonl file", file=output, advice="give another --output"
        )
    path = output if output.suffix == ".jsonl" else output / f"{split}.jsonl"
    with writing(path) as folder:
        return folder.write_lines(path.name, lines)


def _summary(counts: dict[str, Any], input: str, path: Path) -> list[str]:
    """What people should know, a line each."""
    sources = ", ".join(f"{count:,} {name}" for name, count in counts["evidence"].items())
    said = [
        f"{counts['lines']:,} lines of {counts['questions']:,} questions written to {path}",
        f"evidence: {sources}; {counts['units_shown'] / counts['questions']:.1f} units shown each",
    ]
    if counts["left_out"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts["left_out"].items())
        said.append(f"left out: {reasons}")
    if counts["short_of_distractors"]:
        said.append(
            f"{counts['short_of_distractors']:,} questions have fewer distractors on their page "
            "than asked for: all of them are taken"
        )
    if input == "retrieved" and counts["evidence_recall"] is not None:
        said.append(
            f"recall of the evidence {100 * counts['evidence_recall']:.1f}%; the budget cuts some "
            f"of it in {counts['evidence_cut']:,} questions "
            f"({100 * counts['evidence_cut_fraction']:.1f}%)"
        )
    return said
