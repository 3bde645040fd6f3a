"""Memory: the estimate from shapes, and one clear line where memory ran out."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

import families
import tiny
import workshop
from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError
from crossfoot.models.adapters import add_adapter
from crossfoot.targets.rows import Row, build_rows
from crossfoot.training.blocks import SCORES
from crossfoot.training.memory import estimate
from crossfoot.training.shortage import explained_shortage, is_shortage, levers
from crossfoot.training.tree import grow


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Scores of a block are nothing beside a model's activations, but not beside a tiny one's."""
    monkeypatch.setitem(SCORES, "cpu", 2**12)


@pytest.fixture(scope="module")
def tree():
    return grow(build_rows([tiny.sample()], Chat(tiny.tokenizer()), "short"))


def recipe(**changes):
    return workshop.recipe("nowhere", **changes)


def estimated(tree, family="llama", optimizer="adamw_torch_fused", **changes):
    return estimate(recipe(**changes), families.build(family).config, [tree], optimizer)


def test_parameters_and_their_bytes_are_those_of_the_model(tree):
    model = tiny.llama()
    count = sum(parameter.numel() for parameter in model.parameters())
    full = estimated(tree, adapter={"method": "none"})
    assert (full.parameters, full.trained) == (count, count)
    assert (full.weights, full.gradients, full.optimizer) == (4 * count, 4 * count, 8 * count)
    lora = estimated(tree, dtype="bfloat16")
    adapted = add_adapter(model, **recipe().adapter.model_dump())
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert (lora.parameters, lora.trained) == (count + trained, trained)
    assert (lora.weights, lora.adapter, lora.optimizer) == (2 * count, 4 * trained, 8 * trained)


def test_four_bit_weights_are_counted_as_they_are_loaded(tree, tmp_path):
    pytest.importorskip("bitsandbytes", reason="needs pip install 'crossfoot[quant]'")
    from crossfoot.models.loading import load_model

    folder = workshop.write_model(tmp_path)
    options = recipe(adapter={"method": "qlora"}).adapter.model_dump()
    model = add_adapter(load_model(str(folder), dtype="bfloat16", four_bit=True), **options)
    held = sum(p.nbytes for p in model.parameters() if not p.requires_grad)
    scales = estimated(tree, dtype="bfloat16", adapter={"method": "qlora"}).weights - held
    packed = sum(p.nbytes for n, p in model.named_parameters() if "base_layer" in n)
    assert packed / 40 < scales < packed / 25  # a byte for each 64 weights of half a byte


def test_eight_bit_optimizers_hold_a_quarter(tree):
    assert estimated(tree).optimizer == 4 * estimated(tree, optimizer="adamw_bnb_8bit").optimizer


@pytest.mark.parametrize("family", families.FAMILIES)
def test_activations_are_those_that_autograd_keeps(tree, family):
    """Against a count on real tensors: what the graph holds after a forward pass."""
    from crossfoot.training.sft import tree_loss
    from crossfoot.training.sharing import choose_way

    model = add_adapter(families.build(family), **recipe().adapter.model_dump()).train()
    way, _ = choose_way(model)
    known = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = tree_loss(model, [tree], way)
    assert loss.requires_grad
    peak = estimated(tree, family).activations
    assert sum(kept.values()) <= peak <= 1.6 * sum(kept.values())


def test_what_saves_memory_is_estimated_to_save_it(tree):
    plain = estimated(tree, dtype="bfloat16")
    longer = grow(build_rows([tiny.sample()], Chat(tiny.tokenizer()), "long"))
    assert estimated(longer, dtype="bfloat16").activations > plain.activations
    saving = estimated(tree, dtype="bfloat16", trainer={"gradient_checkpointing": True})
    assert saving.activations < plain.activations
    assert saving.flops > plain.flops
    assert plain.total("cpu") > plain.activations + plain.weights


def test_all_weights_cost_more_operations_than_an_adapter(tree):
    full, lora = estimated(tree, adapter={"method": "none"}), estimated(tree)
    assert 1.2 < full.flops / lora.flops < 1.6  # forward 2, backward 4 or 2


def test_shortages_are_told_from_other_errors():
    shortages = [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate"),
        RuntimeError("CUDA error: out of memory"),
    ]
    shortages[2] = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
    assert all(is_shortage(error) for error in shortages)
    assert not is_shortage(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_shortage(ValueError("out of memory"))
    assert not is_shortage(None)


def test_advice_names_only_what_is_not_done_yet_in_order_of_pain():
    assert [lever.split()[1].split("=")[0] for lever in levers(recipe())] == [
        "batch_tokens",
        "trainer.gradient_checkpointing",
        "adapter.method",
        "max_tokens",
        "a",
    ]
    done = recipe(
        batch_tokens=1024,
        adapter={"method": "qlora"},
        trainer={"gradient_checkpointing": True},
    )
    assert [lever.split()[1] for lever in levers(done)] == ["max_tokens", "a"]
    assert [lever.split()[1] for lever in levers(done, loading=True)] == ["a"]


def test_a_shortage_inside_another_error_is_explained(tmp_path):
    def fail():
        try:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        except RuntimeError as error:
            raise ModelError("cannot load it") from error

    with (
        pytest.raises(ModelError, match="not enough memory to load this model"),
        explained_shortage(recipe(), tmp_path, loading=True),
    ):
        fail()
    with (
        pytest.raises(ModelError, match="no such model"),
        explained_shortage(recipe(), tmp_path),
    ):
        raise ModelError("no such model")


def test_a_real_shortage_ends_in_one_line_and_keeps_the_checkpoint(tmp_path):
    """Address space runs out at the fourth step; --resume then goes on with checkpointing."""
    model = workshop.write_model(tmp_path / "model")
    recipe_file = workshop.write_recipe(tmp_path / "recipe.yaml", model)
    program = (
        "import resource, crossfoot.training.sft as sft, torch\n"
        "loss, calls = sft.tree_loss, []\n"
        "def hungry(*trees, **how):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 4:\n"
        "        used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1))\n"
        "        torch.ones(2**28)\n"
        "    return loss(*trees, **how)\n"
        "sft.tree_loss = hungry\n"
    )
    run = "from crossfoot.cli.main import run; run()"
    line = [sys.executable, "-c", program + run, "train", str(recipe_file)]
    line += ["--output", str(tmp_path / "run")]
    environment = os.environ | {"CROSSFOOT_DATA": str(workshop.write_data(tmp_path / "data"))}
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(f"crossfoot: {tmp_path / 'run'}: not enough memory to train")
    order = ["lower batch_tokens (4096", "gradient_checkpointing=true", "qlora", "lower max_tokens"]
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    assert "checkpoint-2 is kept: --resume goes on" in said
    assert "Traceback" not in done.stderr
    line[2] = run
    line += ["--resume", "trainer.gradient_checkpointing=true"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "final_model").is_dir()


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize(("family", "layers"), [("llama", 8), ("qwen3_5", 16)])
def test_a_deep_model_is_estimated_from_two_shallow_ones(family, layers, checkpoint):
    import crossfoot.training.memory as memory

    config = families.build(family).config
    config.num_hidden_layers = layers
    config.layer_types = (config.layer_types * 8)[:layers] if family == "qwen3_5" else None
    of = recipe(dtype="bfloat16", trainer={"gradient_checkpointing": checkpoint})
    shared = tuple(range(120))
    tree = grow([Row("", shared, tuple(range(first, first + 20))) for first in (300, 400)])
    found = estimate(of, config, [tree])
    activations, flops = memory._trace(memory._skeleton(of, config), of, [tree])
    assert found.flops == pytest.approx(flops, rel=1e-6)
    assert found.activations == pytest.approx(activations, rel=0.06)
