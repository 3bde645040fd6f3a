"""Models by name: the embedded one, a Hugging Face id, or a local folder; adapters on top.

``load_adapter(load_model("smollm2-135m"), "runs/convfinqa/final_model")`` is a tuned model.

Weights come as safetensors and never with remote code. Multimodal checkpoints that chat with text
only (Qwen3.5 dispatches to ``Qwen3_5ForConditionalGeneration``) load through
``AutoModelForImageTextToText``, so that no weight is left out.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    BitsAndBytesConfig,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from crossfoot.errors import ModelError, first_line
from crossfoot.files import user_path
from crossfoot.models.embedded import EMBEDDED, embedded_model
from crossfoot.models.weights import file_hashes

WEIGHTS = "adapter_model.safetensors"
FSDP = "ACCELERATE_USE_FSDP"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SMALL = 2_000_000_000  # parameters, 8 GB in float32


def native_dtype() -> str:
    """``float16`` on a GPU that only emulates bfloat16 (before Ampere), else ``bfloat16``."""
    emulated = torch.cuda.is_available() and not torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return "float16" if emulated else "bfloat16"


def inference_dtype(name: str) -> str:
    """What a model answers in: ``native_dtype``, but of small ones on a CPU ``float32``.

    bfloat16 changes verdicts of small models (docs/log.md, entry 24), and OpenVINO's are float32's.
    """
    if torch.cuda.is_available() or count_parameters(load_config(name)) > SMALL:
        return native_dtype()
    return "float32"


def resolve(name: str) -> str:
    """A name as transformers takes it: the embedded model's folder, a local folder, or a hub id."""
    if name == EMBEDDED:
        return str(embedded_model())
    path = user_path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError("no config.json in this folder", file=path, advice=_RUN_ADVICE)
        return str(path)
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelError(
            f"no such model: {name}",
            advice=f"give {EMBEDDED}, a folder with config.json, or a Hugging Face id (owner/name)",
        )
    return name


_RUN_ADVICE = "an adapter goes with --adapter (or adapter: in a recipe), its base with --model"


def load_tokenizer(name: str) -> Any:
    """The tokenizer of a model."""
    try:
        return AutoTokenizer.from_pretrained(resolve(name), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load the tokenizer of {name}: {first_line(error)}") from error


def load_config(name: str) -> Any:
    """The config of a model, without its weights."""
    try:
        return AutoConfig.from_pretrained(resolve(name), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot load {name}: {first_line(error)}") from error


def count_parameters(config: Any) -> int:
    """Parameters of a model of this config; tied ones count once."""
    with torch.device("meta"):
        model = auto_class(config).from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())


def load_model(
    name: str,
    *,
    dtype: str = "bfloat16",
    four_bit: bool = False,
    packing: dict[str, Any] | None = None,
) -> Any:
    """Weights of a model, on CUDA where there is one, in evaluation mode.

    ``dtype`` is one of ``float32 bfloat16 float16``; ``four_bit`` quantises with bitsandbytes while
    loading, to NF4 unless ``packing`` (a recipe's ``quantization:``) says otherwise.
    """
    source = resolve(name)
    options: dict[str, Any] = {"dtype": DTYPES[dtype], "trust_remote_code": False}
    if four_bit:
        packing = packing or {}
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=packing.get("quant_type", "nf4"),
            bnb_4bit_compute_dtype=DTYPES[packing.get("compute_dtype") or dtype],
            bnb_4bit_use_double_quant=packing.get("double_quant", True),
        )
    config = load_config(name)
    try:
        model, report = auto_class(config).from_pretrained(
            source, use_safetensors=True, output_loading_info=True, **options
        )
        if torch.cuda.is_available() and not four_bit and not launched_with(FSDP):
            model.to("cuda")  # accelerate gives each GPU its part of a model that is split
    except ImportError as error:
        raise ModelError(
            f"{name} needs a package that is missing: {first_line(error)}",
            advice="pip install 'crossfoot[quant]' for 4-bit weights" if four_bit else None,
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"cannot load {name}: {first_line(error)}") from error
    if report["missing_keys"]:
        absent = sorted(report["missing_keys"])
        raise ModelError(f"{len(absent)} weights of {name} are missing, the first: {absent[0]}")
    model.name_or_path = name
    return model.eval()


def launched_with(variable: str) -> bool:
    """Whether ``accelerate launch`` switched something on by this environment variable."""
    return os.environ.get(variable, "").lower() == "true"


def auto_class(config: Any) -> Any:
    """The auto class that loads all of a checkpoint's weights."""
    text_only = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if text_only and not hasattr(config, "vision_config"):
        return AutoModelForCausalLM
    return AutoModelForImageTextToText


def identity(name: str, model: Any) -> dict[str, Any]:
    """What a run records of its base: its name, and its weights' sha256 or the hub's revision."""
    source = Path(resolve(name))
    if not source.is_dir():
        return {"name": name, "revision": getattr(model.config, "_commit_hash", None)}
    return {"name": name, "sha256": file_hashes(source)}


def load_gguf(path: Path, *, dtype: str = "bfloat16") -> tuple[Any, Any]:
    """Model and tokenizer as they are read back from a GGUF file of ours."""
    source = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    try:
        model = AutoModelForCausalLM.from_pretrained(**source, dtype=DTYPES[dtype])
        tokenizer = AutoTokenizer.from_pretrained(**source)
        if torch.cuda.is_available():
            model.to("cuda")
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"cannot load this GGUF: {first_line(error)}", file=path) from error
    return model.eval(), tokenizer


def adapter_config(folder: Path) -> dict[str, Any]:
    """What PEFT says of the adapter in a folder that holds its weights too."""
    path = folder / "adapter_config.json"
    if not path.is_file() or not (folder / WEIGHTS).is_file():
        raise ModelError(f"no adapter here ({path.name} and {WEIGHTS})", file=folder)
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("not readable as JSON", file=path) from error
    if not isinstance(config, dict):
        raise ModelError("not an adapter's configuration", file=path)
    return config


def load_adapter(model: Any, folder: str | Path, *, trainable: bool = False) -> Any:
    """``model`` with a PEFT adapter; one that was trained for another base is refused."""
    from peft import PeftModel

    folder = Path(folder)
    check_adapter(model, folder)
    try:
        adapted = PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise ModelError(f"cannot load this adapter: {first_line(error)}", file=folder) from error
    wanted = sum(".lora_A." in name for name, _ in adapted.named_parameters())
    found = len(_adapted(folder / WEIGHTS))
    if wanted != found:
        raise ModelError(
            f"this adapter has weights for {found} of {wanted} modules of {model.name_or_path}",
            file=folder,
            advice="it was trained for another base model, or is not whole",
        )
    return adapted


def check_adapter(model: Any, folder: Path) -> None:
    """Raise ModelError unless ``folder`` holds a LoRA adapter whose weights fit ``model``."""
    base = adapter_config(folder).get("base_model_name_or_path")
    modules = _adapted(folder / WEIGHTS)
    if not modules:
        raise ModelError("no LoRA weights in this adapter", file=folder)
    unfit = _first_unfit(model, modules)
    if unfit:
        raise ModelError(
            f"this adapter was trained for {base}, not for {model.name_or_path}: "
            f"{unfit} does not fit",
            file=folder,
            advice=f"load it with --model {base}",
        )


def _adapted(weights: Path) -> dict[str, tuple[int, int]]:
    """Widths (out, in) of every adapted module, by the module's name in the base model."""
    widths: dict[str, list[int]] = {}
    try:
        with safe_open(weights, "pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118  (safe_open is no mapping)
                for part, (place, axis) in {".lora_B.": (0, 0), ".lora_A.": (1, 1)}.items():
                    if part in key:
                        name = key.removeprefix("base_model.model.").split(part)[0]
                        shape = tensors.get_slice(key).get_shape()
                        widths.setdefault(name, [0, 0])[place] = shape[axis]
    except (SafetensorError, OSError) as error:
        raise ModelError("not a readable safetensors file", file=weights) from error
    return {name: (out, into) for name, (out, into) in widths.items()}


def _first_unfit(model: Any, modules: dict[str, tuple[int, int]]) -> str | None:
    """The first adapted module that ``model`` lacks or has in another size."""
    parameters = dict(model.named_parameters())
    for name, widths in modules.items():
        weight = parameters.get(f"{name}.weight")
        if weight is None:
            return name
        # Sorted, as some models (GPT-2) hold their weights transposed.
        if weight.dim() == 2 and not _packed(weight) and sorted(weight.shape) != sorted(widths):
            return name
    return None


def _packed(weight: Any) -> bool:
    return not weight.is_floating_point()
