"""The transformers engine: greedy decoding in batches, each page encoded once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessorList

from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Generation
from crossfoot.engines.pagecache import Kept, build_batch, can_keep, empty_cache, keep
from crossfoot.engines.tokens import as_generation, check_context


class TransformersEngine:
    """Continues conversations with a transformers model.

    ``reuse`` keeps encoded prompts between the turns of a batch (on where the model allows it);
    ``constraint`` makes a logits processor for one call of ``generate`` (see engines/constraint).
    """

    name = "transformers"

    def __init__(
        self, model: Any, chat: Chat, *, reuse: bool = True, constraint: Any = None
    ) -> None:
        self.model = model
        self.chat = chat
        self.reuse = reuse and can_keep(model)
        self.constraint = constraint
        self._kept: list[Kept] = []
        limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self.context = int(limit) if limit else None

    def new_batch(self) -> None:
        """Forget the encoded prompts of the conversations so far."""
        self._kept = []

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One greedy reply for each conversation."""
        started = time.perf_counter()
        prompts = [self.chat.prompt_ids(messages) for messages in batch]
        check_context(prompts, max_new_tokens, self.context)
        tokenizer = self.chat.tokenizer
        pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        laid_out = build_batch(prompts, self._kept if self.reuse else [], pad_id)
        cache = laid_out.cache or (empty_cache() if self.reuse else None)
        output = self._decode(laid_out, cache, max_new_tokens, pad_id)
        width = laid_out.input_ids.shape[1]
        completions = [self._cut(row.tolist()) for row in output.sequences[:, width:]]
        if self.reuse:
            self._keep(output.past_key_values, laid_out.attention_mask, prompts, completions)
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

    def _decode(self, laid_out: Any, cache: Any, max_new_tokens: int, pad_id: int) -> Any:
        device = self.model.device
        processors = LogitsProcessorList()
        if self.constraint is not None:
            processors.append(self.constraint(laid_out.input_ids.shape[1]))
        with torch.inference_mode():
            return self.model.generate(
                input_ids=laid_out.input_ids.to(device),
                attention_mask=laid_out.attention_mask.to(device),
                past_key_values=cache,
                logits_processor=processors,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                # A model's own generation config may ask for one, which would not be greedy.
                repetition_penalty=1.0,
                eos_token_id=sorted(self.chat.stop_ids),
                pad_token_id=pad_id,
                return_dict_in_generate=True,
                use_cache=True,
            )

    def _keep(
        self,
        cache: Any,
        mask: torch.Tensor,
        prompts: Sequence[Sequence[int]],
        completions: Sequence[Sequence[int]],
    ) -> None:
        length = cache.get_seq_length()
        kept = []
        for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            # The last token of a reply was never fed back, so nothing of it is in the cache.
            generated = min(len(completion), length - mask.shape[1])
            tail = torch.zeros(length - mask.shape[1], dtype=mask.dtype)
            tail[:generated] = 1
            ids = [*prompt, *completion[:generated]]
            kept.append(keep(cache, row, torch.cat([mask[row], tail]), ids))
        self._kept = kept

    def _cut(self, ids: list[int]) -> list[int]:
        """Reply ids up to and including the first end of turn."""
        for index, token in enumerate(ids):
            if token in self.chat.stop_ids:
                return ids[: index + 1]
        return ids
