"""How replies are decoded where not greedily: beams, or samples."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from crossfoot.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Sampling:
    """What transformers' ``generate`` calls by these names; the default is greedy decoding.

    Samples are a function of the batch and ``seed``, so that an interrupted evaluation goes on with
    the replies of an uninterrupted one.
    """

    num_beams: int = 1
    do_sample: bool = False
    temperature: float | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        named = self.temperature is not None or self.top_p is not None
        if named and not self.do_sample:
            raise RecipeError("temperature and top_p are for samples", advice="add do_sample")

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is taken, one reply at a time."""
        return self.num_beams == 1 and not self.do_sample

    def seed_of(self, prompts: Sequence[Sequence[int]]) -> int:
        """The seed of a batch."""
        return zlib.crc32(repr((self.seed, prompts)).encode())
