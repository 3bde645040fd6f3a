"""The remote engine: any server that speaks the OpenAI chat completions API.

vLLM, SGLang, llama.cpp's server, Ollama and ``transformers serve`` are such servers. A reply's
calls may come as ``tool_calls`` or stand in its text; both are read. Nothing of the model is
needed here, neither weights nor tokenizer.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from crossfoot.chat.calls import MAX_REPLY_CHARS, Reply, ToolCall, parse_reply, read_call
from crossfoot.chat.messages import Message
from crossfoot.chat.template import tools_as_text
from crossfoot.chat.tools import TOOLS
from crossfoot.engines.base import Generation
from crossfoot.engines.endpoint import Endpoint
from crossfoot.errors import ModelError

Count = Annotated[int, Field(ge=0, le=10**9)]


class _Function(BaseModel):
    name: str
    arguments: str | dict[str, Any] = "{}"


class _Call(BaseModel):
    function: _Function


class _Message(BaseModel):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: Count = 0
    completion_tokens: Count = 0


class _Completion(BaseModel):
    """What is read of an answer; https://platform.openai.com/docs/api-reference/chat/object."""

    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class RemoteEngine:
    """Continues conversations through a server; ``model`` is the name that it is served under.

    ``tools_in_text`` is for models whose chat template knows no tools (Gemma 3): schemas and
    results go into the messages, as training put them there. Without ``tools`` none are offered.
    At most ``concurrency`` requests are under way at a time.
    """

    name = "remote"

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        tools: bool = True,
        tools_in_text: bool = False,
        concurrency: int = 16,
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self.tools = tools
        self.tools_in_text = tools_in_text
        self.concurrency = concurrency

    def check(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> None:
        """Nothing: the server knows the model's context, and says so."""

    def new_batch(self) -> None:
        """Nothing is kept on this side."""

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One greedy reply for each conversation."""
        started = time.perf_counter()
        bodies = [self._body(messages, max_new_tokens) for messages in batch]
        answers = asyncio.run(self._post_all(bodies))
        seconds = time.perf_counter() - started
        return [_generation(self._read(answer), seconds) for answer in answers]

    def _body(self, messages: Sequence[Message], max_new_tokens: int) -> dict[str, Any]:
        in_text = self.tools and self.tools_in_text
        body: dict[str, Any] = {
            "model": self.model,
            "messages": tools_as_text(messages) if in_text else wire(messages),
            "temperature": 0,
            "max_tokens": max_new_tokens,
            # As training and the local engines render a template that has this switch.
            "chat_template_kwargs": {"enable_thinking": False},
        }
        return body | {"tools": TOOLS} if self.tools and not in_text else body

    async def _post_all(self, bodies: Sequence[dict[str, Any]]) -> list[bytes]:
        free = asyncio.Semaphore(self.concurrency)
        async with self.endpoint.client() as client:

            async def post(body: dict[str, Any]) -> bytes:
                async with free:
                    return await self.endpoint.post(client, "chat/completions", body)

            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(post(body)) for body in bodies]
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    def _read(self, answer: bytes) -> _Completion:
        try:
            completion = _Completion.model_validate_json(answer)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ModelError(
                f"{self.endpoint.address} does not answer as an OpenAI-compatible server does: "
                f"{where + ': ' if where else ''}{first['msg']}",
                advice="does --endpoint end as the server's manual says (mostly /v1)?",
            ) from None
        if completion.model is not None and not same_model(self.model, completion.model):
            raise ModelError(
                f"{self.endpoint.address} answers as {completion.model[:80]!r}, not as the model "
                f"that was asked for, {self.model!r}",
                advice="give --model as the server names it",
            )
        return completion


def same_model(asked: str, answered: str) -> bool:
    """Whether a server's name for what answered is the name asked for.

    A revision, tag or date may follow it: ``m@main`` (transformers serve), ``m:latest`` (Ollama),
    ``m-2025-01-31`` (OpenAI).
    """
    return bool(re.fullmatch(re.escape(asked) + r"([@:][\w.-]+|-\d{4}-?\d{2}-?\d{2})?", answered))


def wire(messages: Sequence[Message]) -> list[Message]:
    """Messages as the API takes them: arguments are JSON text, a result names its call's id."""
    sent: list[Message] = []
    unanswered: list[str] = []
    calls = 0
    for message in messages:
        if message.get("tool_calls"):
            functions = [call["function"] for call in message["tool_calls"]]
            # Nine letters and digits: the one form that Mistral's templates take too.
            unanswered = [f"call{calls + n:05d}" for n in range(len(functions))]
            calls += len(functions)
            tool_calls = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {
                        "name": function["name"],
                        "arguments": json.dumps(function["arguments"], ensure_ascii=False),
                    },
                }
                for call_id, function in zip(unanswered, functions, strict=True)
            ]
            sent.append(message | {"tool_calls": tool_calls})
        elif message["role"] == "tool":
            sent.append(message | {"tool_call_id": unanswered.pop(0)})
        else:
            sent.append(message)
    return sent


def _generation(completion: _Completion, seconds: float) -> Generation:
    choice = completion.choices[0]
    usage = completion.usage or _Usage()
    content = (choice.message.content or "")[:MAX_REPLY_CHARS]
    functions = [call.function for call in choice.message.tool_calls or []]
    if functions:
        reply, text = _native(content, functions), _as_text(content, functions)
    else:
        reply = parse_reply(content, "qwen_xml" if "<function=" in content else "hermes")
        text = content
    finished = choice.finish_reason != "length"
    return Generation(reply, text, usage.prompt_tokens, usage.completion_tokens, finished, seconds)


def _native(content: str, functions: Sequence[_Function]) -> Reply:
    calls: list[ToolCall] = []
    for function in functions:
        call = read_call(function.name, function.arguments)
        if call is not None:
            calls.append(call)
    return Reply(content.strip(), tuple(calls), len(calls) < len(functions))


def _as_text(content: str, functions: Sequence[_Function]) -> str:
    """The reply as a model would have written it, for the history of one that cannot be read."""
    blocks = [
        f'<tool_call>\n{{"name": {json.dumps(f.name)}, "arguments": {f.arguments}}}\n</tool_call>'
        for f in functions
    ]
    return "\n".join([content, *blocks] if content else blocks)[:MAX_REPLY_CHARS]
