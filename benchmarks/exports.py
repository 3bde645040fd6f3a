"""How near GGUF files are to the models they were written from, by each program that reads them.

    python benchmarks/exports.py [--models llama,qwen2,gemma3,shipped]

A random model of each architecture, and the shipped adapter merged into its base, are written as
f16 and q8_0 and read back by transformers, by OpenVINO GenAI (which reads no Gemma) and, where
``pip install xllamacpp`` was done, by llama.cpp, which alone multiplies in less than float32. Told
is the largest difference of a logit over the largest logit, and the share of positions with the
same first choice; of llama.cpp, which gives probabilities, the logarithms of the hundred likeliest
tokens behind each prompt. The last line is one JSON object with ``ratio``: the largest difference
in transformers or OpenVINO, over what models/gguf.py allows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

import llama_cpp_server
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.export import find_tuned, load_tuned
from crossfoot.models.gguf import LOGIT_BOUNDS, GgufType, write_gguf
from crossfoot.models.loading import load_tokenizer

PROMPTS, LENGTH = 4, 100
LIKELIEST = 100
SIZES = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 7,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
RANDOM: dict[str, tuple[type, type]] = {
    "llama": (LlamaForCausalLM, LlamaConfig),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig),
}


def build(name: str, vocabulary: int) -> Any:
    """A random model with weights of bfloat16, or the shipped one, in float32."""
    if name == "shipped":
        return load_tuned(find_tuned("shipped")).float()
    torch.manual_seed(0)
    kind, config = RANDOM[name]
    own = {"head_dim": 256, "sliding_window": 32} if name == "gemma3" else {}
    model = kind(config(**SIZES, **own, vocab_size=vocabulary)).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:  # norms and biases, which are ones and noughts
            torch.nn.init.normal_(parameter, std=0.5)
        parameter.data = parameter.bfloat16().float()
    return model


def transformers_logits(path: Path, ids: torch.Tensor) -> torch.Tensor:
    """Logits (prompts, length, vocabulary) of a GGUF read back by transformers."""
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )
    with torch.inference_mode():
        return torch.as_tensor(model.eval()(ids).logits)


def openvino_logits(path: Path, ids: torch.Tensor) -> torch.Tensor:
    """The same by what OpenVINO GenAI makes of the file."""
    import openvino
    import openvino_genai

    openvino_genai.LLMPipeline(str(path), "CPU", enable_save_ov_model=True)
    made = path.parent / "openvino_model.xml"
    exact = {
        "INFERENCE_PRECISION_HINT": "f32",
        "KV_CACHE_PRECISION": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    }
    request = openvino.Core().compile_model(str(made), "CPU", exact).create_infer_request()
    rows, length = ids.shape
    outputs = request.infer(
        {
            "input_ids": ids.numpy(),
            "attention_mask": np.ones((rows, length), np.int64),
            "position_ids": np.tile(np.arange(length), (rows, 1)),
            "beam_idx": np.arange(rows, dtype=np.int32),
        }
    )
    return torch.tensor(next(iter(outputs.values())))


def llama_cpp_logprobs(path: Path, ids: torch.Tensor) -> list[dict[int, float]]:
    """Logarithms of the likeliest next tokens behind each prompt, by token, by llama.cpp."""
    server = llama_cpp_server.start(path, conversations=1, context=2 * LENGTH)
    found = []
    for prompt in ids.tolist():
        answer = server.handle_completions(
            {"prompt": prompt, "max_tokens": 1, "logprobs": LIKELIEST, "temperature": 0.0}
        )
        likeliest = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        found.append({token["id"]: token["logprob"] for token in likeliest})
    return found


def compare(found: torch.Tensor, expected: torch.Tensor) -> tuple[float, float]:
    """The largest difference over the largest logit, and the share of the same first choices."""
    error = (found - expected).abs().max() / expected.abs().max()
    same = (found.argmax(dim=-1) == expected.argmax(dim=-1)).float().mean()
    return error.item(), same.item()


def compare_logprobs(found: list[dict[int, float]], expected: torch.Tensor) -> tuple[float, float]:
    """The same by the last position's logarithms."""
    last = expected[:, -1]
    logprobs = last.log_softmax(dim=-1)
    error = max(
        abs(value - logprobs[row, token].item())
        for row, likeliest in enumerate(found)
        for token, value in likeliest.items()
    )
    first = [max(likeliest, key=likeliest.__getitem__) for likeliest in found]
    same = sum(one == other for one, other in zip(first, last.argmax(dim=-1).tolist(), strict=True))
    return error / last.abs().max().item(), same / len(found)


def readers(name: str) -> dict[str, Callable[[Path, torch.Tensor], Any]]:
    """The programs that are here and read files of this architecture."""
    known: dict[str, Callable[[Path, torch.Tensor], Any]] = {"transformers": transformers_logits}
    if name != "gemma3" and importlib.util.find_spec("openvino_genai"):
        known["openvino"] = openvino_logits
    if llama_cpp_server.INSTALLED:
        known["llama.cpp"] = llama_cpp_logprobs
    return known


def main() -> None:
    """Write, read back, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default="llama,qwen2,gemma3,shipped")
    names = parser.parse_args().models.split(",")
    quiet_libraries()
    tokenizer = load_tokenizer(EMBEDDED)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(len(tokenizer), (PROMPTS, LENGTH), generator=generator)
    worst = 0.0
    rows: list[dict[str, Any]] = []
    for name in names:
        model = build(name, len(tokenizer))
        with torch.inference_mode():
            expected = model(ids).logits
        for kind in get_args(GgufType):
            for reader, read in readers(name).items():
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "model.gguf"
                    write_gguf(model, tokenizer, path, kind)
                    found = read(path, ids)
                by = compare_logprobs if reader == "llama.cpp" else compare
                error, same = by(found, expected)
                if reader != "llama.cpp":
                    worst = max(worst, error / LOGIT_BOUNDS[kind])
                rows.append(
                    {"model": name, "type": kind, "reader": reader, "error": error, "same": same}
                )
                print(f"{name:8} {kind:5} {reader:13} {error:8.1e} {same:7.1%}", flush=True)
    compared = "largest difference of a logit / what models/gguf.py allows"
    print(json.dumps({"ratio": worst, "compared": compared, "rows": rows}))


if __name__ == "__main__":
    main()
