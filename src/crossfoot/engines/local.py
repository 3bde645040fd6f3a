"""The transformers engine: decoding in batches, greedily with each page encoded once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessorList

from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Generation
from crossfoot.engines.decoding import Decoding, encode
from crossfoot.engines.pagecache import Kept, build_batch, can_keep
from crossfoot.engines.sampling import Sampling
from crossfoot.engines.steering import Steering, processor
from crossfoot.engines.tokens import as_generation, encoded
from crossfoot.errors import RecipeError

GREEDY = Sampling()


class TransformersEngine:
    """Continues conversations with a transformers model.

    ``reuse`` keeps encoded prompts between the turns of a batch (on where the model allows it);
    ``steering`` has a say in the choice of tokens (engines/steering.py); what ``sampling`` asks for
    beside greedy decoding is done by transformers' own ``generate``.
    """

    name = "transformers"

    def __init__(
        self,
        model: Any,
        chat: Chat,
        *,
        reuse: bool = True,
        steering: Steering | None = None,
        sampling: Sampling = GREEDY,
    ) -> None:
        if steering is not None and sampling.num_beams > 1:
            raise RecipeError("beams cannot be steered", advice="leave one of the two out")
        self.model = model
        self.chat = chat
        self.plain = can_keep(model) and sampling.greedy
        self.sampling = sampling
        self.reuse = reuse and self.plain
        self.steering = steering
        self._kept: list[Kept] = []
        limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self.context = int(limit) if limit else None

    def check(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> None:
        """Raise ModelError where a reply to one of these does not fit the model's context."""
        encoded(self.chat, batch, max_new_tokens, self.context)

    def new_batch(self) -> None:
        """Forget the encoded prompts of the conversations so far."""
        self._kept = []

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One reply for each conversation."""
        started = time.perf_counter()
        prompts = encoded(self.chat, batch, max_new_tokens, self.context)
        if self.steering is not None:
            self.steering.read(batch)
        completions = (self._decode if self.plain else self._generate)(prompts, max_new_tokens)
        seconds = time.perf_counter() - started
        return [
            as_generation(self.chat, prompt, ids, seconds)
            for prompt, ids in zip(prompts, completions, strict=True)
        ]

    def next_logits(self, messages: Sequence[Message]) -> torch.Tensor:
        """Logits (vocabulary,) of the first token of a reply."""
        ids = torch.tensor([self.chat.prompt_ids(messages)], device=self.model.device)
        with torch.inference_mode():
            return torch.as_tensor(self.model(input_ids=ids, logits_to_keep=1).logits[0, -1])

    def _decode(self, prompts: list[list[int]], max_new_tokens: int) -> list[list[int]]:
        """By our own loop, over what is kept of earlier prompts."""
        if self.reuse:
            self._kept = encode(self.model, prompts, self._kept)
        batch = build_batch(prompts, self._kept, self._pad_id)
        self._kept = []  # the batch has copies
        replies, kept = Decoding(
            self.model,
            prompts,
            batch,
            max_new_tokens=max_new_tokens,
            stop_ids=self.chat.stop_ids,
            steering=self.steering,
        ).run()
        if self.reuse:
            self._kept = kept
        return replies

    def _generate(self, prompts: list[list[int]], max_new_tokens: int) -> list[list[int]]:
        """By transformers, for models whose state is more than keys and values."""
        laid_out = build_batch(prompts, [], self._pad_id)
        width = laid_out.input_ids.shape[1]
        processors = LogitsProcessorList()
        if self.steering is not None:
            processors.append(processor(self.steering, width))
        device = self.model.device
        sampling = self.sampling
        devices = [device] if device.type == "cuda" else []
        with torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(sampling.seed_of(prompts))
            output = self.model.generate(
                input_ids=laid_out.input_ids.to(device),
                attention_mask=laid_out.attention_mask.to(device),
                logits_processor=processors,
                max_new_tokens=max_new_tokens,
                do_sample=sampling.do_sample,
                num_beams=sampling.num_beams,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=0 if sampling.do_sample else None,
                # A model's own generation config may ask for one, which would not be greedy.
                repetition_penalty=1.0,
                eos_token_id=sorted(self.chat.stop_ids),
                pad_token_id=self._pad_id,
                use_cache=True,
            )
        rows: list[list[int]] = output[:, width:].tolist()
        return [self._cut(row) for row in rows]

    @property
    def _pad_id(self) -> int:
        pad_id = self.chat.tokenizer.pad_token_id
        return pad_id if pad_id is not None else 0

    def _cut(self, ids: list[int]) -> list[int]:
        """Reply ids up to and including the first end of turn."""
        for index, token in enumerate(ids):
            if token in self.chat.stop_ids:
                return ids[: index + 1]
        return ids
