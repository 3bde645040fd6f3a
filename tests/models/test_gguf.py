"""GGUF files against the models they were written from, as transformers reads them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGUFReader
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

import families
import portable
import tiny
from crossfoot.chat.messages import call, system, tool_result, user
from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError
from crossfoot.models.gguf import LOGIT_BOUNDS, write_gguf

TEXTS = (
    "what was the revenue in 2016?",
    "  two spaces, 12345 digits,\n\n\ttabs; don't — “quotes” é 漢字 🙂",
    "<|im_start|>user\nhi<|im_end|>",
)


MODELS = {
    "llama": (tiny.llama, tiny.tokenizer),
    "qwen2": (portable.qwen2, tiny.tokenizer),
    "gemma3": (portable.gemma, portable.sentencepiece),
}


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_a_file_read_back_has_the_models_logits(family: str, kind: Any, tmp_path: Path) -> None:
    build, tokenizer = MODELS[family]
    model = build()
    for parameter in model.parameters():
        parameter.data = parameter.bfloat16().float()
    write_gguf(model, tokenizer(), tmp_path / "model.gguf", kind)
    back = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="model.gguf", dtype=torch.float32
    )
    ids = torch.randint(600, (2, 40), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = model(ids).logits, back.eval()(ids).logits
    error = ((found - expected).abs().max() / expected.abs().max()).item()
    assert error < LOGIT_BOUNDS[kind]


@pytest.mark.parametrize("family", MODELS)
def test_a_tokenizer_read_back_gives_the_same_ids(family: str, tmp_path: Path) -> None:
    build, make_tokenizer = MODELS[family]
    tokenizer = make_tokenizer()
    write_gguf(build(), tokenizer, tmp_path / "model.gguf", "f16")
    back = AutoTokenizer.from_pretrained(tmp_path, gguf_file="model.gguf")
    for text in TEXTS:
        assert back(text)["input_ids"] == tokenizer(text)["input_ids"]
    messages = [
        system("a page"),
        user("what was the revenue in 2016?"),
        call("calculate", expression="5829 - 5735"),
        tool_result("calculate", "94"),
    ]
    assert Chat(back).prompt_ids(messages) == Chat(tokenizer).prompt_ids(messages)
    assert Chat(back).stop_ids == Chat(tokenizer).stop_ids


def test_rotary_scaling_of_llama_3_is_written_as_factors(tmp_path: Path) -> None:
    rope = {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    config = LlamaConfig(
        vocab_size=640,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        rope_parameters=rope,
    )
    model = LlamaForCausalLM(config)
    write_gguf(model, tiny.tokenizer(), tmp_path / "model.gguf", "f16")
    reader = GGUFReader(tmp_path / "model.gguf")
    factors = next(t.data for t in reader.tensors if t.name == "rope_freqs.weight")
    plain = 500_000.0 ** (-torch.arange(0, 32, 2) / 32)
    expected = plain / model.model.rotary_emb.inv_freq
    assert torch.allclose(torch.tensor(factors), expected)
    assert factors[0] == 1.0
    assert factors[-1] == pytest.approx(8.0)


def _gemma_with(**changes: Any) -> Any:
    model = portable.gemma()
    for name, value in changes.items():
        setattr(model.config, name, value)
    return model


def _llama_with_rope(kind: str) -> Any:
    model = tiny.llama()
    model.config.rope_parameters = {"rope_type": kind, "rope_theta": 10_000.0}
    return model


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: families.build("qwen3_5"), "architecture qwen3_5_text"),
        (lambda: families.build("gemma3"), "not in every layer 6"),
        (lambda: _gemma_with(query_pre_attn_scalar=128), "scaled"),
        (lambda: _gemma_with(final_logit_softcapping=30.0), "capped"),
        (lambda: _llama_with_rope("dynamic"), "dynamic rotary positions"),
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_anything_is_written(
    build: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        write_gguf(build(), tiny.tokenizer(), tmp_path / "model.gguf", "f16")
    assert not list(tmp_path.iterdir())


def test_a_tokenizer_that_cuts_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ModelError, match="cuts text"):
        write_gguf(tiny.llama(), tokenizer, tmp_path / "model.gguf", "f16")
