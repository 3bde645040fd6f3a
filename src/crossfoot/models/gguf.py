"""GGUF files of Llama, Qwen2 and Gemma 3 models, tokenizer and chat template included.

``write_gguf(model, tokenizer, Path("tuned-q8_0.gguf"), "q8_0")``

Names and metadata are those of llama.cpp (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
and ``convert_hf_to_gguf.py`` of llama.cpp), which differ from transformers in three ways: the rows
of a Llama's query and key weights are interleaved, since llama.cpp rotates neighbouring pairs;
Gemma's norms are stored with their 1 added; a tied output layer is left out.

How near a file is to its model, by the largest difference of the logits in float32 over the
largest logit (``LOGIT_BOUNDS``): ``f16`` holds bfloat16 weights all but exactly, ``q8_0`` rounds
blocks of 32 weights to 255 steps. tests/models/test_gguf.py holds every architecture to these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
import torch

from crossfoot.errors import ModelError, RecipeError
from crossfoot.models.gguf_tokenizer import add_tokenizer

Array = np.ndarray[Any, Any]
GgufType = Literal["f16", "q8_0"]
LOGIT_BOUNDS: dict[GgufType, float] = {"f16": 1e-4, "q8_0": 0.1}

_TYPES: dict[str, tuple[gguf.GGMLQuantizationType, gguf.LlamaFileType]] = {
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
GEMMA_PATTERN = 6  # every sixth layer of a Gemma 3 sees all tokens; readers take it as given


@dataclass(frozen=True, slots=True)
class _Tensor:
    """One tensor of the file: its name there, its type, and its data in float32."""

    name: str
    kind: gguf.GGMLQuantizationType
    shape: tuple[int, ...]
    data: Callable[[], Array]


def gguf_type(name: str) -> GgufType:
    """A type by name."""
    if name not in _TYPES:
        raise RecipeError(f"unknown GGUF type {name!r}", advice=f"known are {', '.join(_TYPES)}")
    return name  # type: ignore[return-value]


def write_gguf(model: Any, tokenizer: Any, path: Path, kind: GgufType) -> None:
    """Write a model without adapter to ``path``; ModelError where the format cannot hold it.

    One tensor at a time is converted, so that the file needs no more memory than the model.
    """
    config = model.config.get_text_config()
    architecture = _architecture(config)
    quantised, file_type = _TYPES[kind]
    tensors = list(_tensors(model, config, architecture, quantised))
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture])
    try:
        writer.add_name(Path(str(model.name_or_path)).name)
        writer.add_file_type(file_type)
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _add_shape(writer, config)
        add_tokenizer(writer, tokenizer, config.vocab_size)
        for tensor in tensors:
            stored = gguf.quant_shape_to_byte_shape(tensor.shape, tensor.kind)
            size = int(np.prod(stored))
            writer.add_tensor_info(tensor.name, stored, np.dtype(np.uint8), size, tensor.kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(_stored(tensor))
    finally:
        writer.close()


def _architecture(config: Any) -> gguf.MODEL_ARCH:
    """The architecture's name there; refused where a reader would compute something else."""
    known = {
        "llama": gguf.MODEL_ARCH.LLAMA,
        "qwen2": gguf.MODEL_ARCH.QWEN2,
        "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
    }
    if config.model_type not in known:
        raise ModelError(
            f"no GGUF for the architecture {config.model_type}",
            advice=f"known are {', '.join(known)}; export it merged instead",
        )
    for problem in _problems(config):
        raise ModelError(f"no GGUF of this model: {problem}", advice="export it merged instead")
    return known[config.model_type]


def _problems(config: Any) -> Iterator[str]:
    for kind, rope in _ropes(config).items():
        if rope["rope_type"] not in ("default", "linear", "llama3"):
            yield f"{rope['rope_type']} rotary positions"
        if kind == "sliding_attention" and rope["rope_theta"] != 10_000:
            yield "another rotary base in its sliding layers than Gemma 3's"
    if config.model_type == "qwen2" and config.use_sliding_window:
        yield "sliding windows"
    if config.model_type == "gemma3_text":
        every_sixth = [
            "sliding_attention" if (layer + 1) % GEMMA_PATTERN else "full_attention"
            for layer in range(config.num_hidden_layers)
        ]
        if config.layer_types != every_sixth:
            yield f"its full attention is not in every layer {GEMMA_PATTERN}"
        if config.query_pre_attn_scalar != config.head_dim:
            yield "its attention is not scaled by the width of a head"
        if config.final_logit_softcapping or config.attn_logit_softcapping:
            yield "capped logits"


def _ropes(config: Any) -> dict[str, dict[str, Any]]:
    """Rotary parameters by kind of layer; most models have one kind."""
    parameters = config.rope_parameters
    return {"full_attention": parameters} if "rope_type" in parameters else parameters


def _add_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    rope = _ropes(config)["full_attention"]
    width = _head_width(config)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if config.model_type == "gemma3_text":
        writer.add_sliding_window(config.sliding_window)


def _head_width(config: Any) -> int:
    return int(
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )


def _tensors(
    model: Any, config: Any, architecture: gguf.MODEL_ARCH, quantised: gguf.GGMLQuantizationType
) -> Iterator[_Tensor]:
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for ours, weight in model.state_dict().items():
        if "vision_tower" in ours or "multi_modal_projector" in ours:
            continue
        if ours == "lm_head.weight" and config.tie_word_embeddings:
            continue
        name = names.get_name(ours.replace(".language_model.", "."), (".weight", ".bias"))
        if name is None:
            raise ModelError(f"no GGUF of this model: {ours} has no name there")
        part = ours.split(".")[-2]
        rows = heads.get(part) if architecture is gguf.MODEL_ARCH.LLAMA else None
        plus_one = architecture is gguf.MODEL_ARCH.GEMMA3 and part.endswith("norm")
        yield _Tensor(
            name,
            _kind(weight, quantised),
            tuple(weight.shape),
            partial(_values, weight, rows, plus_one),
        )
    factors = _rope_factors(config)
    if factors is not None:
        kind = gguf.GGMLQuantizationType.F32
        yield _Tensor("rope_freqs.weight", kind, factors.shape, lambda: factors)


def _kind(weight: torch.Tensor, quantised: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    """Matrices are quantised where their rows are whole blocks; vectors stay as they are."""
    if weight.dim() == 1:
        return gguf.GGMLQuantizationType.F32
    block, _ = gguf.GGML_QUANT_SIZES[quantised]
    return gguf.GGMLQuantizationType.F16 if weight.shape[-1] % block else quantised


def _values(weight: torch.Tensor, heads: int | None, plus_one: bool) -> Array:
    values = weight.detach().to("cpu", torch.float32)
    if heads is not None:
        # Rows i and i + width/2 of a head become neighbours.
        halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        values = halves.transpose(1, 2).reshape(values.shape)
    array: Array = (values + 1 if plus_one else values).numpy()
    return array


def _rope_factors(config: Any) -> Array | None:
    """What each frequency is divided by, (width / 2,), for Llama 3's rotary positions."""
    rope = _ropes(config)["full_attention"]
    if rope["rope_type"] != "llama3":
        return None
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    width = _head_width(config)
    plain = 1.0 / rope["rope_theta"] ** (torch.arange(0, width, 2).float() / width)
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    factors: Array = (plain / scaled).numpy()
    return factors


def _stored(tensor: _Tensor) -> Array:
    """The bytes of a tensor, (rows, bytes of a row)."""
    values = np.ascontiguousarray(tensor.data())
    with np.errstate(over="ignore"):
        quantised: Array = gguf.quantize(values, tensor.kind)
    if tensor.kind is gguf.GGMLQuantizationType.F16 and not np.isfinite(quantised).all():
        raise ModelError(f"{tensor.name} has weights that are no float16 numbers")
    return quantised.view(np.uint8)
