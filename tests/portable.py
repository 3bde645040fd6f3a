"""Random models and a tokenizer of the kinds that a GGUF file holds."""

from __future__ import annotations

import json
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, GemmaTokenizer

import families
import tiny


def gemma() -> Any:
    """A random Gemma 3 of seven layers, six of them with a window of six tokens."""
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=640,
        hidden_size=64,
        intermediate_size=64,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=256,
        num_hidden_layers=7,
        sliding_window=families.WINDOW,
    )
    model = Gemma3ForCausalLM(config)
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def qwen2() -> Any:
    """A random Qwen2 whose biases are not zero, without tied embeddings."""
    model = families.build("qwen2")
    for name, parameter in model.named_parameters():
        if name.endswith(".bias"):
            torch.nn.init.normal_(parameter)
    return model


def sentencepiece() -> Any:
    """A tokenizer of Gemma's kind: pieces with a mark for spaces, bytes for the rest."""
    core = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=[*specials, *bytes_], show_progress=False
    )
    core.train_from_iterator(tiny.CORPUS, trainer)
    state = json.loads(core.to_str())["model"]
    merges = [tuple(merge) for merge in state["merges"]]
    made = GemmaTokenizer(vocab=state["vocab"], merges=merges)
    made.add_special_tokens({"additional_special_tokens": specials[-2:]})
    made.chat_template = tiny.template("gemma3")
    return made
