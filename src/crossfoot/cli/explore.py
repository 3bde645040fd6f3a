"""``crossfoot data explore``: a data set in figures, one conversation, or its training targets."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossfoot.arithmetic.expression import fold
from crossfoot.cli.output import console, print_json, print_table, writing
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import CrossfootError, RecipeError
from crossfoot.pages.markdown import render_page
from crossfoot.tasks.base import Sample
from crossfoot.tasks.duplicates import near_pages, repeated_questions, shared_pages
from crossfoot.tasks.overview import overview, spread, token_lengths
from crossfoot.tasks.suspicious import suspicions

_LOSS_STYLE = "bold green"
_BARS = {
    "positions": "turn",
    "operations": "operation",
    "steps": "steps",
    "units": "unit",
    "evidence": "evidence",
    "evidence_in": "evidence in",
}


def show_overview(samples: list[Sample], title: str, model: str | None, as_json: bool) -> None:
    """Counts of a data set as JSON or as a table, with lengths in the tokens of ``model``."""
    counts = overview(samples)
    if model is not None:
        tokens = token_lengths(samples, _tokenizer(model))
        counts["tokens"] = {what: spread(lengths) for what, lengths in tokens.items()}
    if as_json:
        print_json(counts)
        return
    table = Table(title=title)
    table.add_column("what")
    table.add_column("")
    table.add_column("count", justify="right")
    for name, value in counts.items():
        if isinstance(value, int):
            table.add_row(name.replace("_", " "), "", f"{value:,}")
    for name, what in _BARS.items():
        table.add_section()
        for key, count in counts[name].items():
            table.add_row(what, key, f"{count:,}")
    for unit in ("characters", "tokens"):
        for what, lengths in counts.get(unit, {}).items():
            table.add_section()
            for key, length in lengths.items():
                table.add_row(f"{what}, {unit}", key, f"{length:,}")
    print_table(table)


def show_suspicious(samples: list[Sample], title: str, as_json: bool) -> None:
    """Turns whose labels contradict each other."""
    found = suspicions(samples)
    kinds = dict(Counter(one.kind for one in found).most_common())
    if as_json:
        print_json({"kinds": kinds, "suspicious": [asdict(one) for one in found]})
        return
    table = Table(title=f"{title}: {len(found):,} suspicious")
    for heading in ("conversation", "turn", "kind", "why"):
        table.add_column(heading, justify="right" if heading == "turn" else "left")
    for one in found:
        table.add_row(Text(one.sample_id), str(one.turn), one.kind, Text(one.reason))
    print_table(table)
    for kind, count in kinds.items():
        console.print(f"{count:,} {kind}", highlight=False)


def show_duplicates(
    samples: list[Sample], others: dict[str, list[Sample]], title: str, as_json: bool
) -> None:
    """Pages of this split that stand, or nearly stand, in another one."""
    counts: dict[str, Any] = {
        name: {
            "shared_pages": shared_pages(samples, other),
            "near_pages": [
                {"page": page, "like": like, "likeness": likeness}
                for page, like, likeness in near_pages(samples, other)
            ],
        }
        for name, other in others.items()
    }
    repeated = repeated_questions(samples)
    if as_json:
        named = [{"conversation": one, "like": other} for one, other in repeated]
        print_json({"repeated_conversations": len(repeated), "repeated": named, "splits": counts})
        return
    console.print(f"{title}: {len(repeated):,} repeated conversations")
    if repeated:
        table = Table(title=f"the same questions on the same page of {title}")
        for heading in ("conversation", "like"):
            table.add_column(heading)
        for pair in repeated:
            table.add_row(*map(Text, pair))
        print_table(table)
    for name, count in counts.items():
        near = count["near_pages"]
        console.print(
            f"{name}: {count['shared_pages']:,} pages stand in both, {len(near):,} nearly do"
        )
        table = Table(title=f"nearly the same page in {title} and {name}")
        for heading in ("page", "like", "likeness"):
            table.add_column(heading)
        for one in near:
            table.add_row(Text(one["page"]), Text(one["like"]), f"{one['likeness']:.2f}")
        if near:
            print_table(table)


def write_page(
    samples: list[Sample], others: dict[str, list[Sample]], title: str, path: Path, model: str
) -> None:
    """The overview, suspicious labels and twins as one HTML page."""
    from crossfoot.reports.explore_page import explore_page

    text = explore_page(title, samples, others, _tokenizer(model))
    with writing(path, "--html") as folder:
        folder.write_text(path.name, text)
    console.print(f"written: {path}", markup=False, soft_wrap=True)


def pick(samples: list[Sample], number: int) -> Sample:
    """Conversation ``number``, counted from 1."""
    if not 1 <= number <= len(samples):
        raise RecipeError(
            f"no conversation {number}", advice=f"there are {len(samples):,}, counted from 1"
        )
    return samples[number - 1]


def show_conversation(sample: Sample, as_json: bool) -> None:
    """A page, its questions, and how each is answered."""
    turns = [_describe_turn(sample, place) for place in range(len(sample.turns))]
    page = render_page(sample.page)
    if as_json:
        page_id = sample.page.page_id
        print_json({"id": sample.sample_id, "page_id": page_id, "page": page, "turns": turns})
        return
    console = Console()
    console.print(Text(f"{sample.sample_id}\n\n{page}"))
    for place, turn in enumerate(turns, start=1):
        console.print(Text(f"\n{place}. {turn.pop('question')}", style="bold"))
        for name, value in turn.items():
            if value not in (None, ""):
                console.print(Text(f"   {name:<11}{value}"))


def _describe_turn(sample: Sample, place: int) -> dict[str, Any]:
    turn = sample.turns[place]
    if turn.gold is None:
        return {"question": turn.question, "answer": None}
    try:
        expression = fold(turn.gold.program, sample.page.table)
    except CrossfootError as error:
        expression = f"none: {error.message}"
    return {
        "question": turn.question,
        "program": turn.gold.program,
        "expression": expression,
        "answer": turn.gold.answer,
        "unit": turn.gold.unit,
        "labelled": turn.gold.text,
    }


def show_targets(sample: Sample, model: str, prompt: str, as_json: bool) -> None:
    """A conversation as the tokens that training sees, those that bear loss coloured."""
    from crossfoot.chat.prompt import prompt_form
    from crossfoot.chat.template import Chat
    from crossfoot.targets.rows import build_rows, has_extension_property, merge

    form = prompt_form(prompt)
    chat = Chat(_tokenizer(model))
    rows = build_rows([sample], chat, form)
    chains = merge(rows)
    pieces = [
        [
            (chat.tokenizer.decode([token for token, _ in run]), bears_loss)
            for bears_loss, run in groupby(
                zip(chain.ids, chain.loss_mask, strict=True), key=lambda pair: pair[1]
            )
        ]
        for chain in chains
    ]
    counts = {
        "id": sample.sample_id,
        "model": model,
        "rows": len(rows),
        "chains": len(chains),
        "tokens": sum(len(chain.ids) for chain in chains),
        "tokens_of_separate_rows": sum(len(row.ids) for row in rows),
        "targets": sum(chain.targets for chain in chains),
        "extension_property": has_extension_property(rows),
    }
    if as_json:
        named = [[{"text": text, "loss": loss} for text, loss in chain] for chain in pieces]
        print_json(counts | {"text": named})
        return
    console = Console()
    for chain_pieces in pieces:
        styled = [(text, _LOSS_STYLE if loss else "dim") for text, loss in chain_pieces]
        console.print(Text.assemble(*styled))
        console.rule()
    has = "has" if counts["extension_property"] else "does not have"
    console.print(
        f"{counts['rows']} targets of {counts['targets']:,} tokens (green) in {counts['chains']} "
        f"chains of {counts['tokens']:,} tokens ({counts['tokens_of_separate_rows']:,} as separate "
        f"rows); the template of {model} {has} the extension property",
        markup=False,
    )


def _tokenizer(model: str) -> Any:
    quiet_libraries()
    from crossfoot.models.loading import load_tokenizer

    return load_tokenizer(model)
