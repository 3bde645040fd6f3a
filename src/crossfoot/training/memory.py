"""The memory a training needs, estimated without weights.

``estimate(recipe, config, trees)`` runs one micro-batch, forward and backward, by the very code
that trains, on fake tensors that have shapes but no data (``FakeTensorMode``), and counts the bytes
alive at each moment. It knows any architecture, way of sharing and setting that the code knows.
``benchmarks/memory.py`` compares it with measured peaks.
"""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from crossfoot.models.adapters import adapter_folder, add_adapter
from crossfoot.models.loading import DTYPES, auto_class
from crossfoot.training.logprobs import Way, computed_in, prepare
from crossfoot.training.recipe import Recipe
from crossfoot.training.sft import tree_loss
from crossfoot.training.sharing import candidates
from crossfoot.training.tree import Tree

# NF4 with double quantisation: half a byte, and a scale of one byte for each 64 weights.
FOUR_BIT_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
# Interpreter, libraries and kernels' own buffers; what an allocator holds, by what is alive of it.
# Those of the CPU were measured: glibc keeps what was freed, 1.4 to 2.7 times what is alive. With
# every block given back (MALLOC_MMAP_THRESHOLD_=65536, far slower) the factor is 1. Those of CUDA
# are guesses.
PROCESS = {"cpu": 0.7e9, "cuda": 0.8e9}
SPARE = {"cpu": 1.9, "cuda": 1.1}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a micro-batch, by what holds them; and its floating-point operations."""

    weights: int  # of the base model, as they are held
    adapter: int
    gradients: int
    optimizer: int
    activations: int  # with logits, masks and what a backward pass adds for a moment
    flops: int  # without those of a tree's attention
    parameters: int
    trained: int

    def total(self, device: str) -> int:
        """Bytes on ``cpu`` or ``cuda``, with what the process and the allocator take."""
        held = self.weights + self.adapter + self.gradients + self.optimizer
        return int(PROCESS[device] + held + SPARE[device] * self.activations)

    def as_json(self) -> dict[str, int]:
        """The parts, with totals."""
        return asdict(self) | {f"total_{device}": self.total(device) for device in PROCESS}


def estimate(recipe: Recipe, config: Any, trees: Sequence[Tree], optimizer: str = "") -> Memory:
    """Memory of a micro-batch of ``trees`` for a model of ``config``; no weight is loaded.

    ``optimizer`` is TrainingArguments' ``optim``; 8-bit and paged ones hold a byte a moment.
    """
    model = _skeleton(recipe, config)
    parameters = dict(model.named_parameters())
    trained = {name: p for name, p in parameters.items() if p.requires_grad}
    packed = _four_bit(model) if recipe.adapter.method == "qlora" else {}
    base = sum(p.nbytes for name, p in parameters.items() if name not in trained | packed)
    base += sum(int(p.numel() * FOUR_BIT_BYTES) for p in packed.values())
    count = sum(p.numel() for p in trained.values())
    held = sum(p.nbytes for p in trained.values())
    full = recipe.adapter.method == "none"
    activations, flops = _trace(model, recipe, trees) if full else _by_depth(recipe, config, trees)
    # A 4-bit weight is unpacked for as long as it is multiplied.
    unpacked = max((p.numel() for p in packed.values()), default=0) * DTYPES[recipe.dtype].itemsize
    return Memory(
        weights=held if full else base,
        adapter=0 if full else held,
        gradients=held,
        optimizer=count * (2 if "8bit" in optimizer else 8),
        activations=activations + unpacked,
        flops=flops,
        parameters=sum(p.numel() for p in parameters.values()),
        trained=count,
    )


def expected_way(recipe: Recipe, config: Any) -> Way:
    """How a model of ``config`` will share prefixes, unless its trial says otherwise."""
    return _way(_skeleton(recipe, _cut(config, _period(config.get_text_config()))))


def _way(model: Any) -> Way:
    return next(iter(candidates(model)), "rows")


def _skeleton(recipe: Recipe, config: Any) -> Any:
    """The model as it is trained, adapter included, on the meta device."""
    method = recipe.adapter.method
    dtype = DTYPES["float32" if method == "none" else recipe.dtype]
    with torch.device("meta"):
        model = auto_class(config).from_config(config, dtype=dtype)
    options = recipe.adapter.model_dump() | {"start_from": None}
    if method == "none":
        return add_adapter(model, **options)
    if recipe.adapter.start_from is not None:
        from peft import LoraConfig, get_peft_model

        own = LoraConfig.from_pretrained(str(adapter_folder(recipe.adapter.start_from)))
        own.inference_mode = False
        return get_peft_model(model, own).train()
    return add_adapter(model, **options | {"method": "lora"}).train()


def _four_bit(model: Any) -> dict[str, torch.Tensor]:
    """Weights that 4-bit loading packs: all linear ones of the base but the output's."""
    kept = model.get_output_embeddings().weight
    return {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module.weight is not kept and "lora_" not in name
    }


def _by_depth(recipe: Recipe, config: Any, trees: Sequence[Tree]) -> tuple[int, int]:
    """``_trace`` of a model with an adapter, from two shallow ones where its layers repeat.

    Layers of one kind cost alike, so that both counts grow linearly with their number. (Where all
    weights are trained the peak moves: it lies elsewhere in a shallow model than in a deep one.)
    """
    text = config.get_text_config()
    layers, period = text.num_hidden_layers, _period(text)
    first = max(period, 4)  # fewer checkpointed layers have their peak elsewhere
    if layers <= max(3 * period, first + period):
        return _trace(_skeleton(recipe, config), recipe, trees)
    depths = (first, first + period)
    found = [_trace(_skeleton(recipe, _cut(config, depth)), recipe, trees) for depth in depths]
    more = (layers - depths[0]) / period
    activations, flops = (round(one + more * (two - one)) for one, two in zip(*found, strict=True))
    return activations, flops


def _period(text: Any) -> int:
    """After how many layers their kinds repeat."""
    kinds = getattr(text, "layer_types", None) or [""]
    lengths = range(1, len(kinds) + 1)
    return next(n for n in lengths if all(k == kinds[i % n] for i, k in enumerate(kinds)))


def _cut(config: Any, depth: int) -> Any:
    """The same config with the first ``depth`` layers only."""
    config = copy.deepcopy(config)
    text = config.get_text_config()
    for name, value in list(vars(text).items()):
        if isinstance(value, list) and len(value) == text.num_hidden_layers:
            setattr(text, name, value[:depth])
    text.num_hidden_layers = depth
    return config


def _trace(model: Any, recipe: Recipe, trees: Sequence[Tree]) -> tuple[int, int]:
    """Peak of bytes alive beside parameters and gradients, and floating-point operations."""
    checkpoint = recipe.checkpointing
    way = _way(model)
    prepare(model, way)
    if checkpoint and way != "fork":
        model.gradient_checkpointing_enable()
    flops = FlopCounterMode(display=False)
    gc.freeze()  # so that collecting looks at what the trace makes only
    with FakeTensorMode(allow_non_fake_inputs=True):
        _fill(model)
        alive = _Alive([*model.parameters(), *model.buffers()])
        with alive, flops:
            with computed_in(DTYPES[recipe.dtype], torch.device("cpu")):
                loss = tree_loss(model, trees, way, checkpoint=checkpoint)
            loss.backward()
    gc.unfreeze()
    counted = flops.get_total_flops()
    if way == "tree":  # whose attention is timed (speed.py); recurrent layers go another way
        counted -= flops.get_flop_counts()["Global"].get(torch.ops.aten.bmm, 0)
    return alive.peak, counted


def _fill(model: Any) -> None:
    """Put fake tensors in the place of meta ones, with gradients as after a first micro-batch."""
    filled: dict[int, torch.Tensor] = {}  # weights may be tied
    for module in model.modules():
        for store in (module._parameters, module._buffers):
            for name, tensor in store.items():
                if tensor is None:
                    continue
                if id(tensor) not in filled:
                    filled[id(tensor)] = _fake(tensor)
                store[name] = filled[id(tensor)]


def _fake(tensor: torch.Tensor) -> torch.Tensor:
    fake = torch.empty(tensor.shape, dtype=tensor.dtype)
    if not isinstance(tensor, torch.nn.Parameter):
        return fake
    parameter = torch.nn.Parameter(fake, requires_grad=tensor.requires_grad)
    if parameter.requires_grad:
        parameter.grad = torch.empty_like(fake)
    return parameter


class _Alive(TorchDispatchMode):  # type: ignore[misc]
    """Counts the bytes of storages that operations make, until they are released.

    ``peak`` is right to 2%, as it is looked at no oftener.
    """

    def __init__(self, before: Sequence[torch.Tensor]) -> None:
        super().__init__()
        held = [*before, *(tensor.grad for tensor in before if tensor.grad is not None)]
        self.bytes = {tensor.untyped_storage()._cdata: 0 for tensor in held}
        self.now = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage: Any) -> None:
        if storage._cdata not in self.bytes:
            self.bytes[storage._cdata] = storage.nbytes()
            self.now += storage.nbytes()
            if self.now > 1.02 * self.peak:
                gc.collect()  # activations that are computed again stay in cycles of fake tensors
                self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, storage._cdata)

    def _drop(self, key: int) -> None:
        self.now -= self.bytes.pop(key)
