"""Samples, rows and trees of a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import GROUNDED, question_message, system_message
from crossfoot.chat.template import Chat
from crossfoot.errors import DataError, RecipeError
from crossfoot.files import user_path
from crossfoot.runs.folder import PREDICTIONS, SETTINGS, RunFolder
from crossfoot.targets.corrections import Told, corrected_rows
from crossfoot.targets.evidence import cut_by, numbers_stand, quoted_numbers
from crossfoot.targets.rows import Row, build_rows, single_rows
from crossfoot.targets.single import Single, opening_of, reason_against
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task, naming_file
from crossfoot.tasks.split import choose, validation_split
from crossfoot.tasks.synthetic.on_pages import draw_on
from crossfoot.tasks.synthetic.rescaling import rescaled
from crossfoot.training.recipe import Recipe
from crossfoot.training.sections import DataPart
from crossfoot.training.tree import Tree, grow


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a recipe trains on and what it holds out."""

    train: list[Sample]
    validation: list[Sample]
    unusable: Counter[str]  # why questions are left out that do not fit target or input
    told: dict[str, list[Told]]  # turns of a model that are to be corrected, by conversation


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees with the counts that a run reports."""

    trees: list[Tree]
    row_tokens: int  # what the same rows would cost one by one
    left_out: list[str]  # samples with a row longer than the limit
    evidence_cut: float  # share of gold operands that cutting prompts to the limit would lose
    quoted: int  # numbers that targets quote,
    guessed: int  # and those of them that stand in several places of their page

    @property
    def rows(self) -> int:
        """Targets of one epoch: assistant messages."""
        return sum(len(tree.completions) for tree in self.trees)

    @property
    def tokens(self) -> int:
        """Tokens that are encoded in one epoch."""
        return sum(map(len, self.trees))

    @property
    def targets(self) -> int:
        """Tokens that bear loss in one epoch."""
        return sum(len(completion) for tree in self.trees for completion in tree.completions)

    def counts(self) -> dict[str, Any]:
        """All of these by name."""
        return {
            "rows": self.rows,
            "row_tokens": self.row_tokens,
            "tokens": self.tokens,
            "target_tokens": self.targets,
            "left_out": self.left_out,
            "evidence_cut": self.evidence_cut,
            "quoted": self.quoted,
            "guessed": self.guessed,
        }


def load_data(recipe: Recipe) -> TrainingData:
    """The recipe's conversations; validation is cut by page from the first part, before limits."""
    validation: list[Sample] = []
    train: list[Sample] = []
    held_out: set[str] = set()
    drawn_on: set[str] = set()
    unusable: Counter[str] = Counter()
    told: dict[str, list[Told]] = {}
    for index, part in enumerate(recipe.data):
        samples = load_task(part.task, part.split, skip_bad=part.skip_bad)
        if index == 0 and recipe.validation.conversations:
            samples, validation = validation_split(
                samples, recipe.validation.conversations, recipe.validation.seed
            )
            held_out = {sample.page.page_id for sample in validation}
            validation = _usable(validation, recipe, part, unusable)
        samples = [sample for sample in samples if sample.page.page_id not in held_out]
        samples = _usable(samples, recipe, part, unusable)
        if recipe.single is None:
            samples = _complete(samples, part, unusable)
        else:
            _refuse_what_is_made(part, index)
        if part.limit is not None:
            samples = choose(samples, part.limit, part.seed)
        if part.corrections is not None:
            told |= _told(part.corrections, samples, recipe, f"data.{index}.corrections")
        train += [*samples, *_made(samples, part, drawn_on)]
    if not train:
        reasons = [f"{count} {reason}" for reason, count in unusable.items()]
        if validation:
            reasons.append(f"{len(validation)} held out, see validation.conversations")
        why = ", ".join(reasons)
        raise RecipeError(
            f"no conversation is left to train on{f': {why}' if why else ''}", field="data"
        )
    return TrainingData(train, validation, unusable, told)


def _told(name: str, samples: list[Sample], recipe: Recipe, field: str) -> dict[str, list[Told]]:
    """What an evaluation said in these conversations, turn by turn."""
    run = RunFolder(user_path(name))
    settings, lines = run.read_json(SETTINGS), run.read_lines(PREDICTIONS)
    wanted = {"form": recipe.prompt, "history": "own", "few_shot": False}
    for key, value in wanted.items():
        if settings.get(key) != value:
            raise RecipeError(f"{name} has {key} {settings.get(key)}, not {value}", field=field)
    found: dict[str, list[Told]] = {sample.sample_id: [] for sample in samples}
    try:
        for line in sorted(lines, key=lambda line: line["turn"]):
            if line["id"] in found:
                found[line["id"]].append(Told(line["messages"], line["verdict"]["correct"]))
    except (LookupError, TypeError) as error:
        raise DataError("holds a line that is no graded turn", file=run.path) from error
    if not any(found.values()):
        raise RecipeError(
            f"{name} has no turn of these conversations",
            field=field,
            advice="evaluate the split that is trained on, --split train",
        )
    return found


def _refuse_what_is_made(part: DataPart, index: int) -> None:
    """Only whole conversations are drawn, rewritten and corrected."""
    for key in ("drawn", "rescaled", "corrections"):
        if getattr(part, key):
            raise RecipeError(
                "there is no such thing for single questions", field=f"data.{index}.{key}"
            )


def _made(samples: list[Sample], part: DataPart, drawn_on: set[str]) -> list[Sample]:
    """What is made of a part's conversations: copies in another scale, others on their pages."""
    made: list[Sample] = []
    if part.rescaled:
        others = (rescaled(sample, part.seed) for sample in samples)
        made += [sample for sample in others if sample is not None]
    if part.drawn:
        pages = {sample.page.page_id: sample.page for sample in samples}
        new = [page for page_id, page in pages.items() if page_id not in drawn_on]
        made += [drawn for page in new for drawn in draw_on(page, part.drawn, part.seed)]
        drawn_on.update(pages)
    return [sample for sample in made if part.booleans or not _compares(sample)]


def _compares(sample: Sample) -> bool:
    """Whether a turn asks for yes or no."""
    return any(turn.gold is not None and turn.gold.unit == "yes_no" for turn in sample.turns)


def _usable(
    samples: list[Sample], recipe: Recipe, part: DataPart, unusable: Counter[str]
) -> list[Sample]:
    """Those that have the recipe's target and input; reasons against the others are counted."""
    single = recipe.single
    if single is None and not part.with_evidence:
        return samples
    single = single or Single("tool")
    if part.with_evidence:
        single = replace(single, context=replace(single.context, input="gold"))
    usable = []
    for sample in samples:
        with naming_file(part.task, part.split):
            reason = reason_against(sample, single, part.skip_bad)
        if reason is None:
            usable.append(sample)
        else:
            unusable[reason] += 1
    return usable


def _complete(samples: list[Sample], part: DataPart, unusable: Counter[str]) -> list[Sample]:
    """Those whose numbers all stand on their pages; others would teach to invent them.

    Where only a part of a page is known (``train_partial``), some are missing. Conversations that
    compare go too, where the part is without booleans.
    """
    complete = []
    for sample in samples:
        if not numbers_stand(sample):
            unusable["with a number that is not on the page"] += 1
        elif not part.booleans and _compares(sample):
            unusable["with a comparison"] += 1
        else:
            complete.append(sample)
    return complete


def build_trees(
    samples: Sequence[Sample],
    chat: Chat,
    recipe: Recipe,
    told: Mapping[str, Sequence[Told]] = MappingProxyType({}),
) -> Trees:
    """Trees of labelled conversations: all rows of a page, or each row alone.

    A page with more tokens than ``batch_tokens`` becomes several trees, a conversation at least.
    Single questions share as much of their prompts as is alike: with ``input: all`` the page.
    """
    left_out: list[str] = []
    row_tokens = 0
    pages: dict[str, list[list[Row]]] = {}
    for sample in samples:
        rows = _rows(sample, chat, recipe)
        if any(len(row.ids) > recipe.max_tokens for row in rows):
            left_out.append(sample.sample_id)
        elif rows:
            corrected = corrected_rows(sample, told.get(sample.sample_id, ()), chat, recipe.prompt)
            rows += [row for row in corrected if len(row.ids) <= recipe.max_tokens]
            row_tokens += sum(len(row.ids) for row in rows)
            pages.setdefault(sample.page.page_id, []).append(rows)
    if recipe.rows == "target":
        trees = [grow([row]) for page in pages.values() for rows in page for row in rows]
    else:
        trees = [tree for page in pages.values() for tree in _page_trees(page, recipe.batch_tokens)]
    openings = ((sample, _opening(sample, recipe)) for sample in samples)
    cut = cut_by(recipe.max_tokens, openings, chat) if left_out else 0.0
    quotes = recipe.target == "tool" and recipe.prompt in GROUNDED
    quoted = quoted_numbers(samples) if quotes else (0, 0)
    return Trees(trees, row_tokens, left_out, cut, *quoted)


def _rows(sample: Sample, chat: Chat, recipe: Recipe) -> list[Row]:
    if recipe.single is None:
        return build_rows([sample], chat, recipe.prompt)
    return single_rows(sample, recipe.single, chat, recipe.prompt)


def _opening(sample: Sample, recipe: Recipe) -> list[Message]:
    """The messages up to the first question."""
    if recipe.single is None:
        question = question_message(sample.page, [sample.turns[0].question], recipe.prompt)
        return [system_message(sample.page, recipe.prompt), question]
    return opening_of(sample, recipe.single, recipe.prompt)


def _page_trees(conversations: Sequence[list[Row]], tokens: int) -> list[Tree]:
    """Conversations of one page, as many to a tree as ``tokens`` allow."""
    trees: list[Tree] = []
    held: list[Row] = []
    for rows in conversations:
        tree = grow([*held, *rows])
        if held and len(tree) > tokens:
            held, tree = [], grow(rows)
        else:
            trees = trees[:-1] if held else trees
        held = [*held, *rows]
        trees.append(tree)
    return trees
