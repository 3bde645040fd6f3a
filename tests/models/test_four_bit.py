"""4-bit base weights: LoRA gradients are those of the dequantised model, whatever ran before."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import tiny
from crossfoot.errors import ModelError
from crossfoot.models.adapters import add_adapter
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.loading import load_model
from crossfoot.targets.rows import Row
from crossfoot.training.logprobs import prepare
from crossfoot.training.sft import tree_loss
from crossfoot.training.sharing import choose_way
from crossfoot.training.tree import grow

bitsandbytes = pytest.importorskip("bitsandbytes", reason="needs pip install 'crossfoot[quant]'")

OPTIONS = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear", "start_from": None}
IDS = torch.arange(3, 40)[None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random Llama of widths that bitsandbytes would repack on a CPU with AVX-512 BF16."""
    config = {**tiny.llama().config.to_dict(), "hidden_size": 128, "intermediate_size": 192}
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**config | {"head_dim": 32}))
    folder = tmp_path_factory.mktemp("wide")
    model.save_pretrained(folder)
    return folder


def four_bit_layers(model):
    layers = dict(model.named_modules())
    return {n: m for n, m in layers.items() if isinstance(m, bitsandbytes.nn.Linear4bit)}


def dequantised(folder, four_bit):
    """The same model with plain weights of the same values."""
    plain = load_model(str(folder), dtype="float32")
    for name, layer in four_bit_layers(four_bit).items():
        weight = bitsandbytes.functional.dequantize_4bit(layer.weight, layer.weight.quant_state)
        plain.get_submodule(name).weight.data = weight.to(torch.float32)
    return plain


def adapted(model, method):
    """With an adapter whose two halves are both random, so that all get gradients."""
    model = add_adapter(model, method=method, **OPTIONS)
    torch.manual_seed(1)
    for parameter in trained(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def trained(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def gradients(model):
    model.train()
    loss = model(input_ids=IDS, labels=IDS).loss
    return dict(
        zip(trained(model), torch.autograd.grad(loss, trained(model).values()), strict=True)
    )


def test_gradients_after_an_evaluation_are_those_of_the_dequantised_model(folder):
    four_bit = load_model(str(folder), dtype="float32", four_bit=True)
    plain = adapted(dequantised(folder, four_bit), "lora")
    model = adapted(four_bit, "qlora")
    with torch.no_grad():
        evaluated = model.eval()(input_ids=IDS).logits
    wanted, found = gradients(plain), gradients(model)
    assert found.keys() == wanted.keys()
    assert len(found) == 28
    for name, gradient in wanted.items():
        assert gradient.norm() > 0
        assert (found[name] - gradient).norm() <= 1e-4 * gradient.norm(), name
    assert torch.allclose(evaluated, plain(input_ids=IDS).logits, atol=1e-4)


def test_a_model_that_was_packed_for_inference_is_not_trained(folder):
    model = load_model(str(folder), dtype="bfloat16", four_bit=True)
    with torch.no_grad():
        model(input_ids=IDS)
    layers = four_bit_layers(model).values()
    if not any(getattr(x.weight.quant_state, "packing_format_for_cpu", False) for x in layers):
        pytest.skip("bitsandbytes packs weights only on a CPU with AVX-512 BF16")
    with pytest.raises(ModelError, match="packed for inference already; load it again"):
        add_adapter(model, method="qlora", **OPTIONS)


def test_the_switch_that_the_guard_sets_is_still_bitsandbytes_own(folder):
    model = load_model(str(folder), dtype="bfloat16", four_bit=True)
    layers = four_bit_layers(model).values()
    assert len(layers) == 14
    assert all(hasattr(layer, "support_avx512bf16_for_cpu") for layer in layers)


def test_four_bit_weights_take_a_quarter_of_sixteen_bits(folder):
    model = load_model(str(folder), dtype="bfloat16", four_bit=True)
    plain = load_model(str(folder), dtype="bfloat16")
    name = "model.layers.0.mlp.up_proj"
    assert model.get_submodule(name).weight.nbytes * 4 == plain.get_submodule(name).weight.nbytes


def test_only_the_adapter_is_trained_and_in_float32(folder):
    model = adapted(load_model(str(folder), dtype="bfloat16", four_bit=True), "qlora")
    assert all("lora_" in name for name in trained(model))
    assert {p.dtype for p in trained(model).values()} == {torch.float32}


def test_checkpointed_activations_leave_the_gradients_as_they_are(folder):
    model = adapted(load_model(str(folder), dtype="float32", four_bit=True), "qlora")
    wanted = gradients(model)
    other = copy.deepcopy(model)
    other.gradient_checkpointing_enable()
    assert other.get_base_model().is_gradient_checkpointing
    for name, gradient in gradients(other).items():
        assert torch.allclose(gradient, wanted[name], rtol=1e-5, atol=1e-7), name


def test_prefixes_are_shared_behind_four_bit_weights(folder):
    """The embedded model's half-precision products differ by more than float32 would."""
    embedded = load_model(EMBEDDED, dtype="bfloat16", four_bit=True)
    way, why = choose_way(adapted(embedded, "qlora"))
    assert way == "tree", why
    exact = adapted(load_model(str(folder), dtype="float32", four_bit=True), "qlora")
    tree = grow([Row("", (1, 2, 3), (4, 5)), Row("", (1, 2, 3, 6), (7,))])
    found = {}
    for way in ("rows", "tree"):
        prepare(exact, way)
        loss = tree_loss(exact, [tree], way)
        parameters = trained(exact).values()
        found[way] = [loss.detach(), *torch.autograd.grad(loss, parameters)]
    for one, other in zip(found["rows"], found["tree"], strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
