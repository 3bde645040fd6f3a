"""A tokenizer and random models small enough to build in a test, and a page of our own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tokenizers.decoders import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample, Turn

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>"]
# Templates of model families, as TRL packages them, beside our own for the embedded model.
TEMPLATES = ("crossfoot", "qwen2_5", "qwen3", "qwen3_5_nothink", "qwen3_5_think", "gemma3")
CORPUS = [
    '<tool_call>\n{"name": "calculate", "arguments": {"expression": "5829 - 5735"}}\n</tool_call>',
    '{"name": "submit_answer", "arguments": {"value": "94.0", "unit": "absolute"}}',
    "what was the revenue in 2016? and in 2015? what is the change, as a percentage of revenue?",
    "| | 2016 | 2015 |\n|---|---|---|\n| revenue | 5829 | 5735 |\n",
    "Answer questions about this page of a financial filing.\n\n## Document\n<document>",
] * 4


@cache
def template(name: str) -> str:
    """A chat template by name."""
    if name == "crossfoot":
        return (files("crossfoot.chat") / "templates" / "qwen2_5.jinja").read_text("utf-8")
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text("utf-8")


def tokenizer(template_name: str = "crossfoot") -> Any:
    """A byte-level BPE tokenizer of 600 tokens with a chat template."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|endoftext|>",
        eos_token="<end_of_turn>" if template_name == "gemma3" else "<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=template(template_name),
    )


def llama(seed: int = 0, vocabulary: int = 640) -> Any:
    """A random Llama of two layers in float32."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def sharp_llama(seed: int = 0) -> Any:
    """The same with larger weights, so that what it says depends on its prompt."""
    model = llama(seed)
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "embed" not in name:
            weight.data = 0.4 * torch.randn_like(weight)
    return model


def page() -> Page:
    """Revenue, costs and debt of two years, in millions."""
    rows = (
        ("( in millions )", "2016", "2015"),
        ("revenue", "$ 5829", "$ 5735"),
        ("operating costs", "4210", "4305"),
        ("net debt", "-26 ( 26 )", "31"),
        ("tax rate", "27% ( 27 % )", "28% ( 28 % )"),
    )
    before = ("results of the year are shown below ( in millions ) .",)
    after = ("cash paid for interest was $ 121.1 in 2016 and $ 97.5 in 2015 .", ".")
    return Page("OURS/2016/page_1.pdf", before, Table(rows), after)


def sample(sample_id: str = "ours-1") -> Sample:
    """Four turns: looked up, computed, a fraction, yes or no."""
    labelled: list[tuple[str, str, float | str, Any]] = [
        ("what was the revenue in 2016?", "5829", 5829.0, "absolute"),
        ("and by how much did it change?", "subtract(5829, 5735)", 94.0, "absolute"),
        ("as a percentage?", "subtract(5829, 5735), divide(#0, 5735)", 0.01639, "fraction"),
        ("was it higher than in 2015?", "greater(5829, 5735)", "yes", "yes_no"),
    ]
    own = page()
    turns = [
        Turn(question, Gold(answer, program, unit, page=own))
        for question, program, answer, unit in labelled
    ]
    return Sample(sample_id, own, tuple(turns))


def save_model(folder: Path) -> Path:
    """A random Llama with its tokenizer, as a model's folder."""
    llama().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
