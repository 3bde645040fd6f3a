"""Prompts and completions through a model's own chat template.

One function renders prompts for training, for generation and for servers (``prompt_ids``), so that
a target's prefix is what inference sends. A completion is what the template itself appends when
the assistant message is added, cut after the end-of-turn token.

A template that knows no tools (Gemma 3, DeepSeek-R1-Distill, SmolLM2) gets them as text: the
schemas in the system message, calls as Hermes JSON, results as user messages. One that has no
system role (Gemma 1 and 2) gets the system message at the head of the first user message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crossfoot.chat.calls import CallSyntax, Reply, parse_reply
from crossfoot.chat.messages import Message, assistant, system, user
from crossfoot.chat.tools import TOOLS
from crossfoot.errors import ModelError

_THINK = "<think>\n"
_TOOL_TEXT = """

# Tools

You may call one function at a time. The functions are:
{schemas}

To call one, reply with a JSON object within <tool_call></tool_call> tags and nothing else:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""


@dataclass(frozen=True)
class Chat:
    """A tokenizer's chat template together with the syntax of its tool calls.

    ``tokenizer`` is any transformers tokenizer with a chat template. Thinking is switched off
    where a template has a switch for it. Without ``tools`` the model is offered none.
    """

    tokenizer: Any
    tools: bool = True

    def __post_init__(self) -> None:
        if not getattr(self.tokenizer, "chat_template", None):
            name = getattr(self.tokenizer, "name_or_path", "the tokenizer")
            raise ModelError(
                f"{name} has no chat template",
                advice="use an instruction-tuned model, add chat_template.jinja to its folder, or "
                "let a base model continue text (prompt_style base, without tool calls)",
            )

    @cached_property
    def knows_tools(self) -> bool:
        """Whether the template renders tool schemas, calls and results by itself."""
        template = str(self.tokenizer.chat_template)
        return "tools" in template and "tool_calls" in template and "<tool_call>" in template

    @cached_property
    def has_system_role(self) -> bool:
        """Whether the template renders a system message, rather than refuse or drop it."""
        # Here, so that chat can be imported without what training needs.
        from jinja2.exceptions import TemplateError

        try:
            return "[rules]" in self._template([system("[rules]"), user("?")], None, True)
        except TemplateError:
            return False

    @cached_property
    def syntax(self) -> CallSyntax:
        """The syntax in which this model writes calls."""
        return "qwen_xml" if "<function=" in str(self.tokenizer.chat_template) else "hermes"

    @cached_property
    def opens_thinking(self) -> bool:
        """Whether the generation prompt opens a thinking block that no history shows.

        DeepSeek-R1's templates do. A target then closes the block at once.
        """
        prompt = self.prompt_text([user("?")])
        whole = self._render([user("?"), assistant("!")], add_generation_prompt=False)
        return prompt.endswith(_THINK) and whole.startswith(prompt.removesuffix(_THINK) + "!")

    def parse(self, text: str) -> Reply:
        """Read a reply of this model."""
        if self.opens_thinking:
            text = text.rpartition("</think>")[2]
        return parse_reply(text, self.syntax)

    def prompt_text(self, messages: Sequence[Message]) -> str:
        """The text that makes the model write the next assistant message."""
        return self._render(messages, add_generation_prompt=True)

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of ``prompt_text``: what inference sends, and what a target's prefix is."""
        return self._encode(self.prompt_text(messages))

    def completion_text(self, messages: Sequence[Message]) -> str:
        """What the model should write for the last of ``messages``, end-of-turn included."""
        prompt, closing = self.prompt_text(messages[:-1]), ""
        if self.opens_thinking:
            prompt, closing = prompt.removesuffix(_THINK), "\n</think>\n\n"
        whole = self._render(messages, add_generation_prompt=False)
        if not whole.startswith(prompt):
            raise ModelError(
                "this chat template does not render an assistant message as a continuation of its "
                "generation prompt, so no target equals what inference sends",
                advice="use another chat template",
            )
        return closing + whole[len(prompt) :].rstrip()

    def completion_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of ``completion_text``; the last is the end-of-turn token."""
        return self._encode(self.completion_text(messages))

    @cached_property
    def end_id(self) -> int:
        """The token with which the template ends an assistant message."""
        return self.completion_ids([user("?"), assistant("!")])[-1]

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end a reply: the template's own end of turn and the tokenizer's."""
        return frozenset({self.end_id, self.tokenizer.eos_token_id} - {None})

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        tools: list[dict[str, Any]] | None = TOOLS if self.tools else None
        if tools and not self.knows_tools:
            messages, tools = tools_as_text(messages), None
        if not self.has_system_role:
            messages = system_as_user(messages)
        return self._template(messages, tools, add_generation_prompt)

    def _template(
        self,
        messages: Sequence[Message],
        tools: list[dict[str, Any]] | None,
        add_generation_prompt: bool,
    ) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                list(messages),
                tools=tools,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                enable_thinking=False,
            )
        )


def tools_as_text(messages: Sequence[Message]) -> list[Message]:
    """Rewrite tool schemas, calls and results as plain text for a template without tools.

    User messages that follow each other become one: such templates insist on taking turns.
    """
    plain: list[Message] = []
    for message in messages:
        if message["role"] == "system":
            schemas = "\n".join(json.dumps(tool) for tool in TOOLS)
            content = message["content"] + _TOOL_TEXT.format(schemas=schemas)
            plain.append({"role": "system", "content": content})
        elif message["role"] == "tool":
            _append_user(plain, f"<tool_response>\n{message['content']}\n</tool_response>")
        elif message["role"] == "user":
            _append_user(plain, message["content"])
        elif message.get("tool_calls"):
            plain.append(assistant(_calls_as_text(message)))
        else:
            plain.append(message)
    return plain


def system_as_user(messages: Sequence[Message]) -> list[Message]:
    """Put a leading system message at the head of the first user message."""
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    plain: list[Message] = []
    _append_user(plain, messages[0]["content"] + "\n")
    for message in messages[1:]:
        if message["role"] == "user":
            _append_user(plain, message["content"])
        else:
            plain.append(message)
    return plain


def _append_user(plain: list[Message], content: str) -> None:
    if plain and plain[-1]["role"] == "user":
        content = f"{plain.pop()['content']}\n{content}"
    plain.append(user(content))


def _calls_as_text(message: Message) -> str:
    parts = [message["content"]] if message["content"] else []
    for tool_call in message["tool_calls"]:
        body = json.dumps(tool_call["function"], ensure_ascii=False)
        parts.append(f"<tool_call>\n{body}\n</tool_call>")
    return "\n".join(parts)
