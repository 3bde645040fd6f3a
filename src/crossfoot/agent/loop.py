"""The agent: questions of a conversation answered turn by turn with two tools.

A conversation is a generator that asks for a reply and gets one; ``run_batch`` advances many of
them together, so that an engine sees batches. A turn ends with ``submit_answer``, with a reply
that calls nothing, or when its calls are used up; without an answer it is a failure. A single
question that asks for a program, a number or an answer string has one reply, which is the answer.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from crossfoot.arithmetic.calculator import calculate
from crossfoot.chat.calls import ToolCall
from crossfoot.chat.examples import few_shot_messages
from crossfoot.chat.messages import Message, assistant, tool_result
from crossfoot.chat.prompt import PromptForm, question_message, system_message
from crossfoot.engines.base import Engine, Generation
from crossfoot.errors import CalculatorError, RecipeError
from crossfoot.grading.answer import UNITS, Answer, Submission, parse_answer
from crossfoot.grading.texts import first_line, submission_of
from crossfoot.pages.page import Page
from crossfoot.targets.context import choose_context
from crossfoot.targets.conversation import turn_messages
from crossfoot.targets.single import Single, opening_of
from crossfoot.tasks.base import Sample

History = Literal["own", "gold"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one turn: replies, and new tokens of each."""

    replies: int = 4
    new_tokens: int = 320  # 995 of 1,000 gold replies, grounded ones, have less


@dataclass(frozen=True, slots=True)
class TurnTranscript:
    """What happened in one turn: its messages from the question on, and what it submitted."""

    messages: tuple[Message, ...]
    submission: Submission
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    prediction: str | None = None  # what the one reply says, where it is the answer


Conversation = Generator[list[Message], Generation, list[TurnTranscript]]


@dataclass(frozen=True, slots=True)
class Setting:
    """How conversations are run: the prompt, whose history, examples before the first question.

    ``single`` is for samples of one question, where something else than calls is to be written or
    something else than the whole page is shown.
    """

    form: PromptForm = "short"
    history: History = "own"
    few_shot: bool = False
    limits: Limits = Limits()
    single: Single | None = None

    def __post_init__(self) -> None:
        if self.few_shot and self.single is not None and self.single.target != "tool":
            raise RecipeError("the examples are examples of calls", field="few_shot")


def converse(sample: Sample, setting: Setting) -> Conversation:
    """All turns of a sample; yields the messages to continue and is sent the reply."""
    if setting.single is not None and setting.single.target != "tool":
        return [(yield from answer_once(sample, setting.single, setting.form))]
    page = _shown(sample, setting)
    opening = [system_message(page, setting.form)]
    if setting.few_shot:
        opening += few_shot_messages()
    messages = list(opening)
    transcripts: list[TurnTranscript] = []
    for index, turn in enumerate(sample.turns):
        if setting.history == "gold":
            messages = list(opening)
            for place, earlier in enumerate(sample.turns[:index]):
                messages += turn_messages(earlier, setting.form, sample.turns[:place], page)
        questions = [turn.question for turn in sample.turns[: index + 1]]
        messages.append(question_message(page, questions, setting.form))
        transcript = yield from answer_turn(messages, setting.limits)
        transcripts.append(transcript)
    return transcripts


def _shown(sample: Sample, setting: Setting) -> Page:
    if setting.single is None:
        return sample.page
    return choose_context(sample, setting.single.context).page


def answer_once(
    sample: Sample, single: Single, form: PromptForm
) -> Generator[list[Message], Generation, TurnTranscript]:
    """Answer the first question of a sample in one reply; its messages are the whole prompt."""
    messages = opening_of(sample, single, form)
    generation = yield messages
    text = first_line(generation.reply.content)
    return TurnTranscript(
        messages=(*messages, assistant(generation.text)),
        submission=submission_of(text, single.form),
        prompt_tokens=generation.prompt_tokens,
        completion_tokens=generation.completion_tokens,
        seconds=generation.seconds,
        prediction=text,
    )


def answer_turn(
    messages: list[Message], limits: Limits
) -> Generator[list[Message], Generation, TurnTranscript]:
    """Answer the question that ends ``messages``, which grow by what was said."""
    start = len(messages) - 1
    answer: Answer | None = None
    expressions: list[str] = []
    malformed = False
    prompt_tokens = completion_tokens = 0
    seconds = 0.0
    for _ in range(limits.replies):
        generation = yield messages
        prompt_tokens += generation.prompt_tokens
        completion_tokens += generation.completion_tokens
        seconds += generation.seconds
        reply = generation.reply
        malformed = malformed or reply.malformed
        messages.append(_as_message(generation))
        if not reply.calls:
            break
        for call in reply.calls:
            if call.name == "submit_answer":
                answer = parse_answer(call.arguments.get("value"), call.arguments.get("unit"))
                if answer is not None:
                    break
            messages.append(tool_result(call.name, _result_of(call, expressions)))
        if answer is not None:
            break
    return TurnTranscript(
        messages=tuple(messages[start:]),
        submission=Submission(answer, tuple(expressions), malformed),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        seconds=seconds,
    )


def _as_message(generation: Generation) -> Message:
    """The reply as history shows it; one without a readable call stays as it was written."""
    reply = generation.reply
    if not reply.calls:
        return assistant(generation.text)
    calls = [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]
    return {"role": "assistant", "content": reply.content, "tool_calls": calls}


def _result_of(call: ToolCall, expressions: list[str]) -> str:
    """What the tool returns; a mistake is told to the model, never raised."""
    if call.name == "submit_answer":
        return f"error: value must be a number or yes or no, unit one of {', '.join(UNITS)}"
    if call.name != "calculate":
        return "error: no such tool; the tools are calculate and submit_answer"
    expression = call.arguments.get("expression")
    if not isinstance(expression, str):
        return "error: calculate takes one text argument, expression"
    try:
        result = calculate(expression)
    except CalculatorError as error:
        return f"error: {error.message}"
    expressions.append(expression)
    return result


def run_batch(
    samples: Sequence[Sample],
    engine: Engine,
    setting: Setting,
) -> list[list[TurnTranscript]]:
    """Transcripts of every turn of every sample; conversations advance together."""
    engine.new_batch()
    done: dict[int, list[TurnTranscript]] = {}
    waiting: dict[int, tuple[Conversation, list[Message]]] = {}
    for index, sample in enumerate(samples):
        conversation = converse(sample, setting)
        waiting[index] = (conversation, next(conversation))
    while waiting:
        order = sorted(waiting)
        replies = engine.generate([waiting[index][1] for index in order], setting.limits.new_tokens)
        for index, generation in zip(order, replies, strict=True):
            conversation = waiting[index][0]
            try:
                waiting[index] = (conversation, conversation.send(generation))
            except StopIteration as finished:
                done[index] = finished.value
                del waiting[index]
    return [done[index] for index in range(len(samples))]
