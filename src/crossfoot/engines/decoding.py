"""Greedy decoding of a batch over kept keys and values.

Pages are encoded one after the other before their conversations are laid out together: alone
nothing of them is padding, and conversations on one page share it.

What transformers' ``generate`` decodes, with two differences in cost: rows that are finished leave
the batch, and tokens that a format dictates are appended instead of decoded, several in one pass.
For models whose layers keep plain keys and values (``pagecache.can_keep``): rows append different
numbers of tokens, and the padding between them is masked, which no recurrent layer could do.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from crossfoot.engines.pagecache import Batch, Kept, build_batch, empty_cache, keep, known, select
from crossfoot.engines.steering import Steering

# Rows leave the batch when at least this share of it is finished: leaving copies the others' cache.
LEAVING = 0.25
# What is missing of a prompt is encoded alone from so many tokens on; fewer go with the batch.
ALONE = 64
# Read by transformers/integrations/sdpa_attention.py at each call.
SWITCH = "TRANSFORMERS_SDPA_FORCE_GQA"


class Decoding:
    """One batch on its way; ``run`` gives each prompt's reply and its encoded ids."""

    def __init__(
        self,
        model: Any,
        prompts: list[list[int]],
        batch: Batch,
        *,
        max_new_tokens: int,
        stop_ids: Collection[int],
        steering: Steering | None,
    ) -> None:
        self.model = model
        self.prompts = prompts
        self.max_new_tokens = max_new_tokens
        self.stop_ids = stop_ids
        self.steering = steering
        self.rows = list(range(len(prompts)))  # those still in the batch
        self.replies: list[list[int]] = [[] for _ in prompts]
        self.done = [False] * len(prompts)
        self.kept: list[Kept | None] = [None] * len(prompts)
        self.cache = batch.cache or empty_cache()
        self.mask = batch.attention_mask
        cached = self.cache.get_seq_length()
        self.next = batch.input_ids[:, cached:]

    def run(self) -> tuple[list[list[int]], list[Kept]]:
        """Replies as token ids, the end of turn included, and what is kept of each row."""
        with torch.inference_mode(), _keys_in_groups(self.model.device):
            return self._run()

    def _run(self) -> tuple[list[list[int]], list[Kept]]:
        if self.steering is not None:
            cached = self.cache.get_seq_length()
            shown = self.mask[:, cached:].bool()
            waiting = [ids[own].tolist() for ids, own in zip(self.next, shown, strict=True)]
            self.mask = self.mask[:, :cached]
            self._feed(
                [waiting[row] + self._append(row, self.steering.begin(row)) for row in self.rows]
            )
        while not all(self.done):
            self._step()
        self._leave(set(self.rows))
        return self.replies, [kept for kept in self.kept if kept is not None]

    def _step(self) -> None:
        device = self.model.device
        positions = (self.mask.cumsum(dim=1) - 1).clamp(min=0)[:, -self.next.shape[1] :]
        logits = self.model(
            input_ids=self.next.to(device),
            attention_mask=self.mask.to(device),
            position_ids=positions.to(device),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        logits = logits.to(torch.float32)
        if self.steering is not None:
            for place, row in enumerate(self.rows):
                if not self.done[row]:
                    self.steering.adjust(row, logits[place])
        appended: list[list[int]] = []
        for row, token in zip(self.rows, logits.argmax(dim=-1).tolist(), strict=True):
            appended.append([] if self.done[row] else self._accept(row, token))
        finished = {row for row in self.rows if self.done[row]}
        if len(finished) >= LEAVING * len(self.rows):
            appended = [
                tokens
                for row, tokens in zip(self.rows, appended, strict=True)
                if row not in finished
            ]
            self._leave(finished)
        if self.rows:
            self._feed(appended)

    def _accept(self, row: int, token: int) -> list[int]:
        """Append a decoded token and what it entails; returns what is to be encoded."""
        tokens = [token]
        if self.steering is not None and token not in self.stop_ids:
            tokens += self.steering.accept(row, token)
        return self._append(row, tokens)

    def _append(self, row: int, tokens: list[int]) -> list[int]:
        reply = self.replies[row]
        tokens = tokens[: self.max_new_tokens - len(reply)]
        for place, token in enumerate(tokens):
            if token in self.stop_ids:
                tokens = tokens[: place + 1]
                self.done[row] = True
        reply += tokens
        self.done[row] = self.done[row] or len(reply) >= self.max_new_tokens
        return tokens

    def _feed(self, appended: list[list[int]]) -> None:
        """What the next pass encodes, padded on the left: each row ends with its last token."""
        width = max(map(len, appended))
        self.next = torch.zeros(len(appended), width, dtype=torch.long)
        mask = torch.zeros(len(appended), width, dtype=self.mask.dtype)
        for place, tokens in enumerate(appended):
            if tokens:
                self.next[place, -len(tokens) :] = torch.tensor(tokens)
                mask[place, -len(tokens) :] = 1
        self.mask = torch.cat([self.mask, mask], dim=1)

    def _leave(self, finished: set[int]) -> None:
        """Keep what is encoded of finished rows and take them out of the batch."""
        length = self.cache.get_seq_length()
        for place, row in enumerate(self.rows):
            if row in finished:
                own = self.mask[place, :length]
                ids = [*self.prompts[row], *self.replies[row]][: int(own.sum())]
                self.kept[row] = keep(self.cache, place, own, ids)
        places = [place for place, row in enumerate(self.rows) if row not in finished]
        self.rows = [self.rows[place] for place in places]
        self.mask = self.mask[places]
        if places:
            select(self.cache, places)


def encode(model: Any, prompts: Sequence[Sequence[int]], kept: Sequence[Kept]) -> list[Kept]:
    """``kept``, and each prompt of which much is missing from it, up to its last id."""
    kept = list(kept)
    with torch.inference_mode(), _keys_in_groups(model.device):
        for prompt in prompts:
            if len(prompt) - known(prompt, kept)[1] <= ALONE:
                continue
            batch = build_batch([prompt[:-1]], kept, pad_id=0)
            cache = batch.cache or empty_cache()
            missing = batch.input_ids[:, cache.get_seq_length() :].to(model.device)
            model(input_ids=missing, past_key_values=cache, use_cache=True, logits_to_keep=1)
            kept.append(keep(cache, 0, batch.attention_mask[0], prompt[:-1]))
    return kept


@contextmanager
def _keys_in_groups(device: torch.device) -> Iterator[None]:
    """On a CPU: attention reads the keys that several query heads share where they are.

    For several new tokens of a row, which dictated ones are, transformers copies all that is cached
    for each query head. Its own switch leaves the groups to PyTorch, whose kernel takes them on a
    CPU; on a GPU a mask would send them to a slow one.
    """
    if device.type != "cpu" or SWITCH in os.environ:
        yield
        return
    os.environ[SWITCH] = "1"
    try:
        yield
    finally:
        del os.environ[SWITCH]
