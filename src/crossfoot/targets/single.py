"""Prompts and targets for single questions: a program, a number, an answer string, or our calls.

``example(sample, context, "program")`` has the messages; ``chat_for(tokenizer, "program")`` renders
them, through the template of an instruction model or as text that a base model continues. Targets:

- ``program``: the gold program in the DSL of FinQA (https://github.com/czyssrs/FinQA);
- ``numerical``: what it executes to, rounded to five decimals, or yes/no;
- ``answer``: the answer string that people wrote;
- ``tool``: ``calculate`` and ``submit_answer``, as in conversations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from crossfoot.chat.base import BaseChat, base_text
from crossfoot.chat.messages import Message, assistant, system, user
from crossfoot.chat.prompt import LABELLED, PromptForm, question_message, system_message
from crossfoot.chat.template import Chat
from crossfoot.errors import CrossfootError, DataError, RecipeError
from crossfoot.grading.answer import Gold
from crossfoot.grading.texts import Form
from crossfoot.pages.markdown import render_page
from crossfoot.targets.context import Context, ContextOptions, choose_context, evidence_in
from crossfoot.targets.conversation import turn_messages
from crossfoot.tasks.base import Sample

Target = Literal["program", "numerical", "answer", "tool"]
TARGETS: tuple[Target, ...] = get_args(Target)
PromptStyle = Literal["instruct", "base"]
STYLES: tuple[PromptStyle, ...] = get_args(PromptStyle)
_HEADINGS = {"program": "Program", "numerical": "Number", "answer": "Answer"}


@dataclass(frozen=True, slots=True)
class Single:
    """How single questions are put: what is to be written, and what of the page is shown."""

    target: Target = "program"
    context: ContextOptions = field(default_factory=ContextOptions)

    @property
    def form(self) -> Form:
        """What the one reply is; calls have no such form."""
        if self.target == "tool":
            raise ValueError("calls are no single reply")
        return self.target


@dataclass(frozen=True, slots=True)
class Example:
    """A question in its context, with its target as messages.

    ``messages`` begins with the instructions and the context; what the assistant says in it are
    the targets, one but for ``tool``.
    """

    sample_id: str
    question: str
    context: str
    target: Target
    messages: tuple[Message, ...]


def example(
    sample: Sample, context: Context, target: Target, form: PromptForm = "short"
) -> Example:
    """The first question of a sample; ``form`` is the prompt of a recipe.

    Raises DataError where there is no such target.
    """
    turn = sample.turns[0]
    if turn.gold is None:
        raise DataError("has no label", record=sample.sample_id)
    asked = opening(sample, context, target, form)
    if target == "tool":
        messages = [asked[0], *turn_messages(turn, form, (), context.page)]
    else:
        messages = [*asked, assistant(target_text(turn.gold, target))]
    shown = render_page(context.page, labelled=form in LABELLED)
    return Example(sample.sample_id, turn.question, shown, target, tuple(messages))


def opening(
    sample: Sample, context: Context, target: Target, form: PromptForm = "short"
) -> list[Message]:
    """Instructions with the page as ``context`` shows it, and the first question.

    Targets other than ``tool`` have instructions of their own; of ``form`` they take whether the
    table's cells are labelled.
    """
    question = sample.turns[0].question
    if target == "tool":
        first = system_message(context.page, form)
        return [first, question_message(context.page, [question], form)]
    document = render_page(context.page, labelled=form in LABELLED)
    first = system(f"{_instructions(target)}\n\n## Document\n{document}")
    return [first, user(question)]


def opening_of(sample: Sample, single: Single, form: PromptForm = "short") -> list[Message]:
    """The same in the context that ``single`` chooses."""
    return opening(sample, choose_context(sample, single.context), single.target, form)


def chat_for(tokenizer: Any, target: Target, style: PromptStyle = "instruct") -> Chat:
    """What renders prompts and completions of this target."""
    if style == "base":
        if target == "tool":
            raise RecipeError("tool calls need a chat template", advice=_INSTRUCT)
        return BaseChat(tokenizer, heading=_HEADINGS[target])
    return Chat(tokenizer, tools=target == "tool")


_INSTRUCT = "use prompt style instruct"


def reason_not_to_ask(sample: Sample, single: Single, skip_bad: bool = False) -> str | None:
    """Why a question has not the context that is to be shown, or None.

    Raises RecipeError for conversations of several turns; DataError where the record names evidence
    that its page does not have, unless ``skip_bad``.
    """
    if len(sample.turns) != 1:
        raise RecipeError(
            f"{sample.sample_id} has {len(sample.turns)} turns",
            advice="this target and input are for single questions: use finqa",
        )
    try:
        evidence = evidence_in(sample)
    except DataError:
        if skip_bad:
            return "with wrong evidence"
        raise
    return "without evidence" if single.context.needs_evidence and not evidence.units else None


def reason_against(sample: Sample, single: Single, skip_bad: bool = False) -> str | None:
    """Why a question is not to be trained on, or None; raises as ``reason_not_to_ask``."""
    reason = reason_not_to_ask(sample, single, skip_bad)
    gold = sample.turns[0].gold
    if gold is None:
        return "without label"
    if single.target == "answer" and not gold.text.strip():
        return "without answer string"
    if reason is None and single.target == "tool":
        try:
            turn_messages(sample.turns[0])
        except CrossfootError:
            return "whose program contradicts the answer"
    return reason


def target_text(gold: Gold, target: Target) -> str:
    """A program, number or answer string; DataError where the record has none."""
    if target == "numerical":
        return gold.answer if isinstance(gold.answer, str) else _plain(round(gold.answer, 5))
    text = " ".join((gold.program if target == "program" else gold.text).split())
    if not text:
        raise DataError(f"has no {target}")
    return text


def _plain(number: float) -> str:
    """A number without an exponent."""
    text = str(number)
    return f"{number:.5f}" if "e" in text else text


def prompts_and_targets(one: Example, chat: Chat | None) -> list[tuple[str, str]]:
    """A prompt and its target for each assistant message, as text.

    Through the template of ``chat``, without the end-of-turn token that it writes after a target;
    without ``chat`` the prompt is that of a base model, which cannot call tools.
    """
    if chat is None:
        if one.target == "tool":
            raise RecipeError("tool calls need a chat template", advice=_INSTRUCT)
        prompt = base_text(one.messages[:-1], _HEADINGS[one.target])
        return [(prompt, str(one.messages[-1]["content"]))]
    end = chat.tokenizer.decode([chat.end_id])
    return [
        (
            chat.prompt_text(one.messages[:index]),
            chat.completion_text(one.messages[: index + 1]).removesuffix(end),
        )
        for index, message in enumerate(one.messages)
        if message["role"] == "assistant"
    ]


@cache
def _instructions(target: Target) -> str:
    return (files("crossfoot.targets") / "prompts" / f"{target}.md").read_text("utf-8").strip()
