"""The shapes of models that are not here: what their authors published in config.json.

``SHAPES["google/gemma-3-1b-it"]()`` is a config from which memory can be estimated offline, without
a licence to accept and without a download.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _qwen2(hidden: int, layers: int, heads: int, inner: int, tied: bool = True) -> Any:
    """Qwen2.5: two heads of keys and values, 151,936 tokens."""
    from transformers import Qwen2Config

    return Qwen2Config(
        vocab_size=151_936,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=2,
        intermediate_size=inner,
        tie_word_embeddings=tied,
    )


def _qwen3_5_4b() -> Any:
    """Three gated-delta layers to one of attention, with a vision part."""
    from transformers import Qwen3_5Config

    return Qwen3_5Config(
        text_config={
            "vocab_size": 248_320,
            "hidden_size": 2560,
            "intermediate_size": 9216,
            "num_hidden_layers": 32,
            "num_attention_heads": 16,
            "num_key_value_heads": 4,
            "head_dim": 256,
            "tie_word_embeddings": True,
        },
        vision_config={"depth": 24, "hidden_size": 1024, "num_heads": 16, "out_hidden_size": 2560},
        tie_word_embeddings=True,
    )


def _gemma3_1b() -> Any:
    """Text only; five layers with a window of 512 tokens to one without."""
    from transformers import Gemma3TextConfig

    return Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=1152,
        intermediate_size=6912,
        num_hidden_layers=26,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        sliding_window=512,
    )


def _gemma3_4b() -> Any:
    """With a vision part; windows of 1,024 tokens."""
    from transformers import Gemma3Config

    return Gemma3Config(
        text_config={
            "vocab_size": 262_208,
            "hidden_size": 2560,
            "intermediate_size": 10_240,
            "num_hidden_layers": 34,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": 256,
            "sliding_window": 1024,
        },
        vision_config={
            "hidden_size": 1152,
            "intermediate_size": 4304,
            "num_hidden_layers": 27,
            "num_attention_heads": 16,
            "image_size": 896,
            "patch_size": 14,
        },
    )


SHAPES: dict[str, Callable[[], Any]] = {
    "Qwen/Qwen2.5-0.5B-Instruct": lambda: _qwen2(896, 24, 14, 4864),
    "google/gemma-3-1b-it": _gemma3_1b,
    "Qwen/Qwen2.5-1.5B-Instruct": lambda: _qwen2(1536, 28, 12, 8960),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": lambda: _qwen2(1536, 28, 12, 8960, tied=False),
    "Qwen/Qwen2.5-3B-Instruct": lambda: _qwen2(2048, 36, 16, 11_008),
    "Qwen/Qwen2.5-Coder-3B-Instruct": lambda: _qwen2(2048, 36, 16, 11_008),
    "google/gemma-3-4b-it": _gemma3_4b,
    "Qwen/Qwen3.5-4B": _qwen3_5_4b,
}
