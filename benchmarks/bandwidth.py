"""What memory allows: a decoding step reads all weights once, for a whole batch.

bound = bandwidth() / weight_bytes * conversations    # new tokens a second, at the very best
"""

from __future__ import annotations

import time

import torch

COPIED_BYTES = 2**29
COPIES = 5


def bandwidth() -> float:
    """Bytes a second that a copy of a large tensor reads and writes, the best of a few."""
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(COPIES):
        started = time.perf_counter()
        target.copy_(source)
        best = min(best, time.perf_counter() - started)
    return 2 * COPIED_BYTES / best
