"""What OpenVINO GenAI and llama.cpp compute from our files, by the readers of the benchmark."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

import portable
import tiny
from conftest import REPOSITORY
from crossfoot.models.gguf import LOGIT_BOUNDS, GgufType, write_gguf

IDS = torch.randint(500, (2, 30), generator=torch.Generator().manual_seed(1))
# llama.cpp multiplies in float16.
LLAMA_CPP_BOUNDS: dict[GgufType, float] = {"f16": 5e-3, "q8_0": 0.1}


@pytest.fixture(scope="module")
def exports() -> Iterator[Any]:
    """benchmarks/exports.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "benchmarks"))
        yield importlib.import_module("exports")


def _written(build: Any, make_tokenizer: Any, kind: GgufType, folder: Path) -> tuple[Path, Any]:
    """A file, and the logits of what it was written from."""
    model = build()
    for parameter in model.parameters():
        parameter.data = parameter.bfloat16().float()
    write_gguf(model, make_tokenizer(), folder / "model.gguf", kind)
    with torch.inference_mode():
        return folder / "model.gguf", model(IDS).logits


@pytest.mark.parametrize("kind", get_args(GgufType))
@pytest.mark.parametrize("build", [tiny.llama, portable.qwen2])
def test_openvino_computes_the_models_logits(
    exports: Any, build: Any, kind: GgufType, tmp_path: Path
) -> None:
    pytest.importorskip("openvino_genai")
    path, expected = _written(build, tiny.tokenizer, kind, tmp_path)
    error, _ = exports.compare(exports.openvino_logits(path, IDS), expected)
    assert error < LOGIT_BOUNDS[kind]


@pytest.mark.parametrize("kind", get_args(GgufType))
@pytest.mark.parametrize(
    ("build", "make_tokenizer"),
    [
        (tiny.llama, tiny.tokenizer),
        (portable.qwen2, tiny.tokenizer),
        (portable.gemma, portable.sentencepiece),
    ],
)
def test_llama_cpp_computes_the_models_probabilities(
    exports: Any, build: Any, make_tokenizer: Any, kind: GgufType, tmp_path: Path
) -> None:
    pytest.importorskip("xllamacpp")
    path, expected = _written(build, make_tokenizer, kind, tmp_path)
    error, _ = exports.compare_logprobs(exports.llama_cpp_logprobs(path, IDS), expected)
    assert error < LLAMA_CPP_BOUNDS[kind]
