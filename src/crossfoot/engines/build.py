"""Engines by name, each from a model and an adapter or from a server's address.

An engine is a line in ``ENGINES``: what builds it, and the forms of a tuned model that it can run
(``adapter`` beside its base, ``merged`` into it, ``gguf`` as a file of llama.cpp's format,
``served`` by a server that decides itself).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from crossfoot.chat.prompt import GROUNDED, QUOTED, PromptForm
from crossfoot.engines.base import Engine
from crossfoot.engines.sampling import Sampling
from crossfoot.errors import RecipeError
from crossfoot.models.embedded import EMBEDDED, shipped_adapter
from crossfoot.targets.single import PromptStyle, Target, chat_for

NO_ADAPTER = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an engine is to run; ``model`` is a name, folder or hub id, or a server's name for it.

    ``tools_in_text`` is for a served model whose chat template knows no tools. ``target`` is what
    replies are, calls or an answer itself, and ``prompt`` the form of what they reply to.
    ``dtype`` is that of transformers' weights, by default ``models.loading.inference_dtype``;
    ``constrained`` holds replies to the target's format, ``line_prior`` weighs what they quote
    (engines/prior.py).
    """

    model: str
    adapter: Path | None = None
    form: str | None = None
    dtype: str | None = None
    constrained: bool = False
    line_prior: bool = False
    endpoint: str | None = None
    tools_in_text: bool = False
    target: Target = "tool"
    prompt: PromptForm = "short"
    prompt_style: PromptStyle = "instruct"
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class EngineKind:
    """How an engine is built, and the forms that it runs, the usual one first."""

    build: Callable[[Wanted], Engine]
    forms: tuple[str, ...]


def build_engine(name: str, wanted: Wanted) -> Engine:
    """Load a model with its adapter into an engine; what the engine cannot do is refused."""
    kind = engine_kind(name)
    _check(name, kind, wanted)
    return kind.build(wanted)


def _check(name: str, kind: EngineKind, wanted: Wanted) -> None:
    """RecipeError for what this engine, or this prompt, has no words for."""
    if wanted.form is not None and wanted.form not in kind.forms:
        raise RecipeError(
            f"the engine {name} runs no model of form {wanted.form!r}",
            advice=f"it runs {', '.join(kind.forms)}",
        )
    if (wanted.endpoint is not None or wanted.tools_in_text) and name != "remote":
        option = "--tools-in-text" if wanted.endpoint is None else "--endpoint"
        raise RecipeError(f"{option} is of no use to {name}", advice="add --engine remote")
    if not wanted.sampling.greedy and name != "transformers":
        raise RecipeError(f"{name} decodes greedily here", advice="add --engine transformers")
    quotes = wanted.target == "tool" and wanted.prompt in QUOTED
    if wanted.constrained and wanted.target == "tool" and wanted.prompt in GROUNDED and not quotes:
        raise RecipeError(
            "--constrained has no words for cells", advice="or choose another --prompt"
        )
    if wanted.line_prior and not quotes:
        raise RecipeError(
            "--line-prior weighs quoted lines, and this prompt asks for none",
            advice=f"prompts that do are {', '.join(QUOTED)}",
        )
    if wanted.line_prior and name != "transformers":
        raise RecipeError(f"{name} knows no --line-prior", advice="add --engine transformers")


def default_engine(wanted: Wanted) -> str:
    """The fastest engine for many conversations: openvino on a CPU, if it is installed.

    Where there is a GPU, a model that OpenVINO does not read or a format that it does not hold, it
    is transformers (docs/decisions/004-openvino.md).
    """
    if not wanted.sampling.greedy or wanted.line_prior or find_spec("openvino_genai") is None:
        return "transformers"
    import torch

    from crossfoot.engines.openvino import holds, reads
    from crossfoot.models.loading import load_config

    fits = not torch.cuda.is_available() and reads(load_config(wanted.model))
    held = not wanted.constrained or holds(wanted.target, wanted.prompt)
    return "openvino" if fits and held else "transformers"


def engine_kind(name: str) -> EngineKind:
    """An engine's entry; RecipeError names the known ones."""
    if name not in ENGINES:
        raise RecipeError(f"unknown engine {name!r}", advice=f"known are {', '.join(ENGINES)}")
    return ENGINES[name]


def _transformers(wanted: Wanted) -> Engine:
    from crossfoot.engines.constraint import constraint_for
    from crossfoot.engines.local import TransformersEngine
    from crossfoot.engines.prior import LinePrior
    from crossfoot.engines.steering import Steering
    from crossfoot.models.export import Tuned, cached_gguf
    from crossfoot.models.loading import (
        inference_dtype,
        load_adapter,
        load_gguf,
        load_model,
        load_tokenizer,
    )

    dtype = wanted.dtype or inference_dtype(wanted.model)
    if wanted.form == "gguf":
        tuned = Tuned(Path(wanted.model).name, wanted.model, wanted.adapter)
        weights, tokenizer = load_gguf(cached_gguf(tuned, "f16"), dtype=dtype)
    else:
        tokenizer = load_tokenizer(wanted.model)
        weights = load_model(wanted.model, dtype=dtype)
        if wanted.adapter is not None:
            weights = load_adapter(weights, wanted.adapter)
            if wanted.form != "adapter":
                weights = weights.merge_and_unload()
    chat = chat_for(tokenizer, wanted.target, wanted.prompt_style)
    steering: Steering | None = None
    if wanted.constrained:
        steering = constraint_for(chat, wanted.target, wanted.prompt)
    if wanted.line_prior:
        steering = LinePrior(tokenizer, chat.end_id, steering)
    return TransformersEngine(weights, chat, steering=steering, sampling=wanted.sampling)


def _openvino(wanted: Wanted) -> Engine:
    from crossfoot.engines.constraint import grammar_for
    from crossfoot.engines.openvino import OpenVinoEngine, gguf_file, holds
    from crossfoot.models.loading import load_tokenizer

    if wanted.constrained and not holds(wanted.target, wanted.prompt):
        raise RecipeError(
            "openvino does not hold output to this format", advice="add --engine transformers"
        )
    chat = chat_for(load_tokenizer(wanted.model), wanted.target, wanted.prompt_style)
    held = grammar_for(chat, wanted.target, wanted.prompt) if wanted.constrained else None
    return OpenVinoEngine(gguf_file(wanted.model, wanted.adapter), chat, held)


def _remote(wanted: Wanted) -> Engine:
    from crossfoot.engines.endpoint import Endpoint
    from crossfoot.engines.remote import RemoteEngine

    if wanted.endpoint is None:
        raise RecipeError(
            "the remote engine needs the address of its server",
            advice="such as --endpoint http://localhost:8000/v1",
        )
    if wanted.adapter is not None or wanted.constrained:
        option = "--constrained" if wanted.constrained else "--adapter"
        raise RecipeError(
            f"{option} is the server's to decide", advice="give the name it serves with --model"
        )
    if wanted.prompt_style == "base":
        raise RecipeError("the remote engine sends messages, not text to continue")
    return RemoteEngine(
        Endpoint(wanted.endpoint),
        wanted.model,
        tools=wanted.target == "tool",
        tools_in_text=wanted.tools_in_text,
    )


ENGINES: dict[str, EngineKind] = {
    "transformers": EngineKind(_transformers, ("merged", "adapter", "gguf")),
    "openvino": EngineKind(_openvino, ("gguf",)),
    "remote": EngineKind(_remote, ("served",)),
}


def resolve_adapter(model: str, adapter: str | None) -> Path | None:
    """The adapter's folder; by default the shipped one where the model is the embedded one."""
    if adapter == NO_ADAPTER:
        return None
    if adapter is not None:
        from crossfoot.models.adapters import adapter_folder

        return adapter_folder(adapter)
    return shipped_adapter() if model == EMBEDDED else None
