"""Tiny random models of the architectures that people train, for tests of exactness."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3_5Config,
    Qwen3_5ForCausalLM,
    Qwen3_5TextConfig,
)

import tiny

FAMILIES = ("llama", "qwen2", "gemma3", "qwen3_5")
WINDOW = 6
_SIZES = {
    "vocab_size": 640,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}


def build(family: str, seed: int = 0) -> Any:
    """A random model in float32; Gemma 3 with a window of six tokens, Qwen3.5 mostly recurrent."""
    torch.manual_seed(seed)
    if family == "llama":
        return tiny.llama(seed)
    if family == "qwen2":
        sizes = {name: size for name, size in _SIZES.items() if name != "head_dim"}
        return Qwen2ForCausalLM(Qwen2Config(**sizes, num_hidden_layers=2)).eval()
    if family == "gemma3":
        kinds = ["sliding_attention", "full_attention", "sliding_attention"]
        config = Gemma3TextConfig(
            **_SIZES, num_hidden_layers=3, layer_types=kinds, sliding_window=WINDOW
        )
        return Gemma3ForCausalLM(config).eval()
    config = Qwen3_5TextConfig(
        **(_SIZES | {"head_dim": 16}),
        num_hidden_layers=4,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
    )
    return Qwen3_5ForCausalLM(config).eval()


def multimodal() -> Any:
    """The config of a Qwen3.5 with its vision part, three recurrent layers to one of attention."""
    return Qwen3_5Config(
        text_config={
            "vocab_size": 640,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": [2, 1, 1],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
        },
        image_token_id=630,
        video_token_id=631,
        vision_start_token_id=632,
        vision_end_token_id=633,
    )


def multimodal_gemma() -> Any:
    """The config of a Gemma 3 with its vision part."""
    return Gemma3Config(
        text_config={
            **_SIZES,
            "num_hidden_layers": 2,
            "layer_types": ["sliding_attention", "full_attention"],
            "sliding_window": 64,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
        image_token_index=630,
        boi_token_index=631,
        eoi_token_index=632,
        mm_tokens_per_image=4,
    )
