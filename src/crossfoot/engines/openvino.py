"""The OpenVINO engine: continuous batching on the CPU, every shared prefix encoded once.

``OpenVinoEngine(gguf_file(model, adapter), chat)`` runs a GGUF that is written once into the user's
cache. Prompts go in as the token ids of our own templates, so that no text is encoded twice.

OpenVINO keeps encoded blocks of prompts, but prompts that arrive together do not share. So what
several prompts of a batch begin with (the instructions, then each page) is sent ahead of them.
What is kept is bounded by ``CACHE_GB``; the oldest goes first. Output is held to a grammar by
OpenVINO's own xgrammar, which knows strings, and no regular expressions of Lark.
https://openvinotoolkit.github.io/openvino.genai/
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import QUOTED, PromptForm
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Generation
from crossfoot.engines.constraint import GrammarOf
from crossfoot.engines.pagecache import common_prefix
from crossfoot.engines.tokens import as_generation, encoded
from crossfoot.errors import ModelError
from crossfoot.models.export import Tuned, cached_gguf
from crossfoot.models.gguf import GgufType
from crossfoot.models.loading import load_config
from crossfoot.targets.single import Target

TYPE: GgufType = "f16"
CACHE_GB = 2
BATCHED_TOKENS = 2048  # computed at a time
WORTH_SENDING = 64  # tokens; two of the cache's blocks


class OpenVinoEngine:
    """Continues conversations with a GGUF file, greedily, within a grammar where there is one."""

    name = "openvino"

    def __init__(self, path: Path, chat: Chat, grammar_of: GrammarOf | None = None) -> None:
        self.chat = chat
        self.grammar_of = grammar_of
        self.context = _context(path)
        self._pipeline = _pipeline(path)
        self._sent: list[list[int]] = []

    def check(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> None:
        """Raise ModelError where a reply to one of these does not fit the model's context."""
        encoded(self.chat, batch, max_new_tokens, self.context)

    def new_batch(self) -> None:
        """Nothing to forget: what is kept saves time and holds what would be computed anew."""

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One greedy reply for each conversation."""
        started = time.perf_counter()
        prompts = encoded(self.chat, batch, max_new_tokens, self.context)
        for ahead in prefixes_to_send(prompts, self._sent):
            self._continue(ahead, [self._config(1)] * len(ahead))
        self._sent = prompts
        configs = [self._config(max_new_tokens, messages) for messages in batch]
        completions = self._continue(prompts, configs)
        seconds = time.perf_counter() - started
        return [
            as_generation(self.chat, prompt, ids, seconds)
            for prompt, ids in zip(prompts, completions, strict=True)
        ]

    def _config(self, max_new_tokens: int, messages: Sequence[Message] = ()) -> Any:
        """How to go on from messages; without any, free of the grammar."""
        import openvino_genai

        config = openvino_genai.GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            stop_token_ids=set(self.chat.stop_ids),
            apply_chat_template=False,
        )
        if self.grammar_of is not None and messages:
            config.structured_output_config = openvino_genai.StructuredOutputConfig(
                grammar=as_ebnf(self.grammar_of(messages))
            )
        return config

    def _continue(
        self, prompts: Sequence[Sequence[int]], configs: Sequence[Any]
    ) -> list[list[int]]:
        """Reply ids of each prompt, up to and including the first end of turn."""
        import openvino

        tensors = [openvino.Tensor(np.array([ids], dtype=np.int64)) for ids in prompts]
        try:
            results = self._pipeline.generate(tensors, list(configs))
        except RuntimeError as error:
            raise ModelError(f"OpenVINO failed: {_last_line(error)}") from error
        return [list(result.m_generation_ids[0]) for result in results]


def holds(target: Target, form: PromptForm) -> bool:
    """Whether the grammar of these replies is one of strings."""
    return target == "program" or (target == "tool" and form in QUOTED)


def as_ebnf(lark: str) -> str:
    """Rules of strings as xgrammar reads them: ``name ::= ...``, from ``root``."""
    rules = (re.sub(r"^(\w+): ", r"\1 ::= ", rule) for rule in lark.split("\n"))
    return "\n".join(re.sub("^start ", "root ", rule) for rule in rules)


def prefixes_to_send(
    prompts: Sequence[Sequence[int]], sent: Sequence[Sequence[int]]
) -> Iterator[list[list[int]]]:
    """What prompts begin with together and was not sent yet, in rounds: the shortest come first.

    Each round's prefixes go on from those of the rounds before it.
    """
    ordered = sorted(list(ids) for ids in prompts)
    shared = {tuple(one[: common_prefix(one, other)]) for one, other in pairwise(ordered)}
    known = [list(ids) for ids in sent]
    while True:
        new = [
            ids
            for ids in shared
            if len(ids) - max((common_prefix(ids, k) for k in known), default=0) >= WORTH_SENDING
        ]
        if not new:
            return
        round_ = [
            list(ids)
            for ids in sorted(new)
            if not any(len(o) < len(ids) and ids[: len(o)] == o for o in new)
        ]
        yield round_
        known += round_


def reads(config: Any) -> bool:
    """Whether OpenVINO computes from a GGUF what a model with this config computes."""
    rope = getattr(config, "rope_parameters", None) or {}
    return config.model_type in ("llama", "qwen2") and rope.get("rope_type") == "default"


def gguf_file(model: str, adapter: Path | None) -> Path:
    """The GGUF of a model with its adapter merged into it; it is written at first use."""
    config = load_config(model).get_text_config()
    if not reads(config):
        raise ModelError(
            f"OpenVINO reads no GGUF of {config.model_type} with these rotary positions",
            record=model,
            advice="use --engine transformers",
        )
    return cached_gguf(Tuned(Path(model).name, model, adapter), TYPE)


def _pipeline(path: Path) -> Any:
    try:
        import openvino_genai
    except ImportError as error:
        raise ModelError(
            "the engine openvino needs openvino-genai", advice="pip install 'crossfoot[openvino]'"
        ) from error
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = CACHE_GB
    scheduler.enable_prefix_caching = True
    scheduler.max_num_batched_tokens = BATCHED_TOKENS
    try:
        return openvino_genai.ContinuousBatchingPipeline(
            str(path),
            scheduler,
            "CPU",
            {
                # As many threads as torch takes, so that OMP_NUM_THREADS holds for both; pinned
                # ones would put all processes of a machine on the same cores.
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "ENABLE_CPU_PINNING": False,
                # Some processors would compute in bfloat16 unasked, and answer otherwise.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot load this model: {_last_line(error)}",
            file=path,
            advice="use --engine transformers",
        ) from error


def _context(path: Path) -> int:
    fields = gguf.GGUFReader(path).fields
    architecture = fields[gguf.Keys.General.ARCHITECTURE].contents()
    return int(fields[gguf.Keys.LLM.CONTEXT_LENGTH.format(arch=architecture)].contents())


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
