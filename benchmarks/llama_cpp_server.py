"""llama.cpp's own server inside this process, where ``pip install xllamacpp`` was done."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch

INSTALLED = importlib.util.find_spec("xllamacpp") is not None


def start(path: Path, *, conversations: int, context: int) -> Any:
    """A server of a GGUF on a free port, ``listening_address``; it ends when it is let go."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel = conversations
    parameters.n_ctx = conversations * context
    parameters.port = 0
    parameters.verbosity = 0
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = torch.get_num_threads()
    return xllamacpp.Server(parameters)
