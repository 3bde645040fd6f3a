"""The OpenVINO engine: continuous batching on the CPU, every shared prefix encoded once.

``OpenVinoEngine(gguf_file(model, adapter), chat)`` runs a GGUF that is written once into the user's
cache. Prompts go in as the token ids of our own templates, so that no text is encoded twice.

OpenVINO keeps encoded blocks of prompts, but prompts that arrive together do not share. So what
several prompts of a batch begin with (the instructions, then each page) is sent ahead of them.
What is kept is bounded by ``CACHE_GB``; the oldest goes first.
https://openvinotoolkit.github.io/openvino.genai/
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import crossfoot
from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Generation
from crossfoot.engines.build import weights_sha256
from crossfoot.engines.pagecache import common_prefix
from crossfoot.errors import ModelError
from crossfoot.models.embedded import cache_folder
from crossfoot.models.export import Tuned, export_gguf
from crossfoot.models.gguf import GgufType
from crossfoot.models.loading import revision

TYPE: GgufType = "f16"
CACHE_GB = 2
WORTH_SENDING = 64  # tokens; two of the cache's blocks
ARCHITECTURES = ("llama", "qwen2")  # of those we write, the ones that OpenVINO reads


class OpenVinoEngine:
    """Continues conversations with a GGUF file, greedily."""

    name = "openvino"

    def __init__(self, path: Path, chat: Chat, context: int | None = None) -> None:
        self.chat = chat
        self.context = context
        self._pipeline = _pipeline(path)
        self._sent: list[list[int]] = []

    def new_batch(self) -> None:
        """Nothing to forget: replies depend on the prompts, the cache only on time."""

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One greedy reply for each conversation."""
        started = time.perf_counter()
        prompts = [self.chat.prompt_ids(messages) for messages in batch]
        for ahead in prefixes_to_send(prompts, self._sent):
            self._continue(ahead, 1)
        self._sent = prompts
        completions = self._continue(prompts, max_new_tokens)
        seconds = time.perf_counter() - started
        return [
            self._generation(prompt, ids, seconds)
            for prompt, ids in zip(prompts, completions, strict=True)
        ]
