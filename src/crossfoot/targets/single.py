"""Prompts and targets for single questions: a program, a number, an answer string, or our calls.

``example(sample, context, "program")`` has the messages of an instruction model,
``base_prompt(example)`` the text of a base model, which ends where the target begins. Targets:

- ``program``: the gold program in the DSL of FinQA (https://github.com/czyssrs/FinQA);
- ``numerical``: what it executes to, rounded to five decimals, or yes/no;
- ``answer``: the answer string that people wrote;
- ``tool``: ``calculate`` and ``submit_answer``, as in conversations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from crossfoot.chat.messages import Message, assistant, system, user
from crossfoot.chat.prompt import PromptForm, instructions
from crossfoot.chat.template import Chat
from crossfoot.errors import DataError, RecipeError
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import render_page
from crossfoot.targets.context import Context
from crossfoot.targets.conversation import turn_messages
from crossfoot.tasks.base import Sample

Target = Literal["program", "numerical", "answer", "tool"]
TARGETS: tuple[Target, ...] = get_args(Target)
_HEADINGS = {"program": "Program", "numerical": "Number", "answer": "Answer"}


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
    """The first question of a sample; ``form`` is the prompt of ``tool``.

    Raises DataError where there is no such target.
    """
    turn = sample.turns[0]
    if turn.gold is None:
        raise DataError("has no label", record=sample.sample_id)
    page = render_page(context.page)
    rules = instructions(form) if target == "tool" else _instructions(target)
    first = system(f"{rules}\n\n## Document\n{page}")
    if target == "tool":
        messages = [first, *turn_messages(turn)]
    else:
        messages = [first, user(turn.question), assistant(target_text(turn.gold, target))]
    return Example(sample.sample_id, turn.question, page, target, tuple(messages))


def target_text(gold: Gold, target: Target) -> str:
    """A program, number or answer string; DataError where the record has none."""
    if target == "numerical":
        return gold.answer if isinstance(gold.answer, str) else str(round(gold.answer, 5))
    text = " ".join((gold.program if target == "program" else gold.text).split())
    if not text:
        raise DataError(f"has no {target}")
    return text


def base_prompt(one: Example) -> str:
    """The prompt of a model without chat template; the target follows on a line of its own."""
    return (
        f"{_instructions(one.target)}\n\n{one.context}\n\nQuestion: {one.question}\n"
        f"{_HEADINGS[one.target]}:\n"
    )


def prompts_and_targets(one: Example, chat: Chat | None) -> list[tuple[str, str]]:
    """A prompt and its target for each assistant message, as text.

    Through the template of ``chat``, without the end-of-turn token that it writes after a target;
    without ``chat`` the prompt is that of a base model, which cannot call tools.
    """
    if chat is None:
        if one.target == "tool":
            raise RecipeError(
                "tool calls need a chat template", advice="use --prompt-style instruct"
            )
        return [(base_prompt(one), str(one.messages[-1]["content"]))]
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
