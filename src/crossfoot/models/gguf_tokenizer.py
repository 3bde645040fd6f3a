"""A tokenizer and its chat template in the metadata of a GGUF file.

Readers of GGUF rebuild a tokenizer from its vocabulary, its merges and a *name* for how text is
cut before merging. The name is found here by what the tokenizer does (its JSON form); one that cuts
in a way without a name is refused, as every reader would cut otherwise.
"""

from __future__ import annotations

import json
import re
from typing import Any

import gguf

from crossfoot.errors import ModelError

_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN2.replace(r"\p{N}| ", r"\p{N}{1,3}| ")

_DIGIT = re.compile("[0-9]").search

# How text is cut, as names of llama.cpp (src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_*).
_CUTS = {
    ("bytes",): "gpt-2",
    ("digits", "bytes"): "smollm",
    (_QWEN2,): "qwen2",
    (_LLAMA3,): "llama-bpe",
}


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Any, vocabulary: int) -> None:
    """Add a fast BPE tokenizer of a model whose embedding has ``vocabulary`` rows."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    form = json.loads(backend.to_str()) if backend is not None else {}
    if form.get("model", {}).get("type") != "BPE":
        raise ModelError("no GGUF of this model: its tokenizer is not byte-pair encoding")
    tokens = _tokens(form, vocabulary)
    if form["model"]["byte_fallback"]:
        _add_sentencepiece(writer, form, tokens)
    else:
        _add_byte_level(writer, form, tokens)
    _add_specials(writer, tokenizer)


def _tokens(form: dict[str, Any], vocabulary: int) -> list[tuple[str, gguf.TokenType]]:
    """What each row of the embedding stands for, and of which kind it is."""
    pieces = {index: token for token, index in form["model"]["vocab"].items()}
    added = {token["id"]: token for token in form["added_tokens"]}
    if max([*pieces, *added]) >= vocabulary:
        raise ModelError("no GGUF of this model: its tokenizer has more tokens than it")
    tokens: list[tuple[str, gguf.TokenType]] = []
    for index in range(vocabulary):
        if index in added:
            special = added[index]["special"]
            kind = gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED
            tokens.append((added[index]["content"], kind))
        elif index in pieces:
            tokens.append((pieces[index], gguf.TokenType.NORMAL))
        else:
            tokens.append((f"[PAD{index}]", gguf.TokenType.UNUSED))
    return tokens


def _add_byte_level(
    writer: gguf.GGUFWriter, form: dict[str, Any], tokens: list[tuple[str, gguf.TokenType]]
) -> None:
    """Pieces in the alphabet that GPT-2 writes bytes in, and merges in their order."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_cut_name(form))
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_merges([" ".join(merge) for merge in form["model"]["merges"]])


def _add_sentencepiece(
    writer: gguf.GGUFWriter, form: dict[str, Any], tokens: list[tuple[str, gguf.TokenType]]
) -> None:
    """Pieces with ``▁`` for spaces; the best score is merged first, so it is the merge's place."""
    merges = form["model"]["merges"]
    scores: dict[str, float] = {}
    for place, merge in enumerate(merges):
        scores.setdefault("".join(merge), -float(place))
    tokens = [_as_sentencepiece(token, kind) for token, kind in tokens]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_scores([scores.get(token, -float(len(merges))) for token, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_add_space_prefix(_adds_space(form))


def _as_sentencepiece(token: str, kind: gguf.TokenType) -> tuple[str, gguf.TokenType]:
    if kind == gguf.TokenType.NORMAL and token.startswith("<0x") and len(token) == 6:
        return token, gguf.TokenType.BYTE
    if kind == gguf.TokenType.USER_DEFINED:
        return token.replace("▁", " "), kind  # llama.cpp looks for these in the text itself
    return token, kind


def _cut_name(form: dict[str, Any]) -> str:
    cuts = tuple(cut for step in _steps(form["pre_tokenizer"]) if (cut := _cut(step)))
    normalizer = form["normalizer"]
    plain = normalizer is None or normalizer["type"] == "NFC"  # which readers do or do without
    if cuts not in _CUTS or not plain:
        raise ModelError(
            "no GGUF of this model: its tokenizer cuts text in a way that has no name there",
            advice=f"known are {', '.join(_CUTS.values())}; export it merged instead",
        )
    if cuts == ("bytes",) and not any(
        len(piece) > 1 and _DIGIT(piece) for piece in form["model"]["vocab"]
    ):
        # Digits are never merged, so cutting them off changes nothing but where two spaces precede
        # one, and this name is read by OpenVINO too, which falls back to another for gpt-2.
        return "smollm"
    return _CUTS[cuts]


def _steps(step: dict[str, Any] | None) -> list[dict[str, Any]]:
    if step is None:
        return []
    for key in ("pretokenizers", "normalizers"):
        if key in step:
            return [inner for part in step[key] for inner in _steps(part)]
    return [step]


def _cut(step: dict[str, Any]) -> str | None:
    """One step of cutting in the words of ``_CUTS``; None where it only maps bytes."""
    if step["type"] == "ByteLevel" and not step["add_prefix_space"]:
        return "bytes" if step["use_regex"] else None
    if step["type"] == "Digits" and step["individual_digits"]:
        return "digits"
    if step["type"] == "Split" and step["behavior"] == "Isolated" and not step["invert"]:
        return str(step["pattern"].get("Regex"))
    return str(step["type"])


def _adds_space(form: dict[str, Any]) -> bool:
    steps = _steps(form["normalizer"]) + _steps(form["pre_tokenizer"])
    return any(
        step["type"] == "Prepend"
        or (step["type"] == "Metaspace" and step.get("prepend_scheme") != "never")
        for step in steps
    )


def _add_specials(writer: gguf.GGUFWriter, tokenizer: Any) -> None:
    from crossfoot.chat.template import Chat

    for token, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.unk_token_id, writer.add_unk_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if token is not None:
            add(token)
    ids = tokenizer("a")["input_ids"]
    writer.add_add_bos_token(ids[0] == tokenizer.bos_token_id)
    writer.add_add_eos_token(ids[-1] == tokenizer.eos_token_id)
    if getattr(tokenizer, "chat_template", None):
        writer.add_chat_template(str(tokenizer.chat_template))
        writer.add_eot_token_id(Chat(tokenizer).end_id)
