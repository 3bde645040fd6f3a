"""Loss and gradients of trees equal those of rows, for every way, architecture and template."""

from __future__ import annotations

import random
import sys
import types

import pytest
import torch
from peft import LoraConfig, get_peft_model

import families
import tiny
from crossfoot.chat.template import Chat
from crossfoot.targets.rows import Row, build_rows
from crossfoot.training import logprobs
from crossfoot.training.logprobs import completion_logprobs, prepare, target_logprobs
from crossfoot.training.tree import grow

WAYS = [
    *((family, way) for family in ("llama", "qwen2", "gemma3") for way in ("tree", "fork")),
    ("qwen3_5", "fork"),
    *((family, "rows") for family in families.FAMILIES),
]


def random_rows():
    """Prefixes of each other, a row of its own, branches inside branches, one token twice over."""
    draw = random.Random(0)

    def ids(count):
        return tuple(draw.randrange(5, 600) for _ in range(count))

    page, first, second, reply = ids(20), ids(5), ids(7), ids(4)
    return [
        Row("a", page + first, reply),
        Row("a", page + first + reply + ids(3), ids(5)),
        Row("a", page + second, ids(3)),
        Row("b", page + second, ids(6)),
        Row("b", page[:10], ids(1)),
        Row("b", page + ids(1), reply),
        Row("b", page + first, reply),
        Row("c", ids(3), ids(2)),
    ]


def template_rows(name):
    """Targets of two conversations on one page, the second of them shorter."""
    sample = tiny.sample("ours-1")
    other = tiny.sample("ours-2")
    other = type(other)(other.sample_id, other.page, other.turns[1:3])
    return build_rows([sample, other], Chat(tiny.tokenizer(name)), "short")


ROWS = {
    "random": random_rows,
    "single": lambda: random_rows()[:1],
    "extending": lambda: template_rows("crossfoot"),
    "not extending": lambda: template_rows("qwen3_5_think"),
}


@pytest.fixture
def doubled(monkeypatch):
    """float64 throughout; norms and recurrences take float32 whatever the weights are."""
    for name, module in list(sys.modules.items()):
        if name.startswith("transformers.models.") and vars(module).get("torch") is torch:
            double = types.SimpleNamespace(**vars(torch))
            double.float32 = double.float = torch.float64
            monkeypatch.setattr(module, "torch", double)
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)


def conditioned(family):
    """Weights at which no gradient is a difference of nearly equal numbers."""
    model = families.build(family)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "embed" not in name:
            weight.data = 0.15 * torch.randn_like(weight)
        if "A_log" in name:
            weight.data.fill_(-1.0)
    return model


def with_lora(model):
    torch.manual_seed(2)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:  # zero at the start, which would leave A without gradient
            weight.data = 0.1 * torch.randn_like(weight)
    return adapted


def row_by_row(model, rows):
    """Summed negative log-likelihood, a plain forward pass a row."""
    total = 0
    for row in rows:
        logits = model(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0]
        start = len(row.prompt_ids)
        likely = logits[start - 1 : -1].log_softmax(-1)
        total = total - likely[range(len(row.completion_ids)), list(row.completion_ids)].sum()
    return total


def by_tree(model, rows, way, checkpoint):
    tree = grow(rows)
    prepare(model, way)
    (values,) = target_logprobs(model, [tree], way, checkpoint=checkpoint)
    return -(values * torch.tensor(list(tree.target_counts.values()))).sum()


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def assert_equal(model, rows, way, bound, checkpoint=False):
    expected_loss = row_by_row(model, rows)
    expected = gradients(model, expected_loss)
    loss = by_tree(model, rows, way, checkpoint)
    found = gradients(model, loss)
    assert abs(loss - expected_loss) <= bound * abs(expected_loss)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        difference = (found[name] - gradient).norm()
        assert difference <= bound * gradient.norm(), (name, float(difference / gradient.norm()))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("family", "way"), WAYS)
def test_equal_to_rows_in_float32(family, way, rows):
    assert_equal(with_lora(conditioned(family)), ROWS[rows](), way, 1e-5)


@pytest.mark.parametrize(("family", "way"), WAYS)
def test_equal_to_rows_in_float64_with_all_weights(family, way, doubled):
    model = conditioned(family).double()
    assert_equal(model, random_rows(), way, 1e-9)
    assert_equal(model, template_rows("qwen3_5_think"), way, 1e-9)


@pytest.mark.parametrize(("family", "way"), WAYS)
def test_equal_to_rows_in_float64_with_lora_and_checkpoints(family, way, doubled, monkeypatch):
    monkeypatch.setattr(logprobs, "SEGMENT", 7)
    model = with_lora(conditioned(family).double())
    assert_equal(model.double(), random_rows(), way, 1e-9, checkpoint=True)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3"])
def test_activation_checkpointing_of_transformers_changes_nothing(family):
    model = conditioned(family).train()
    model.gradient_checkpointing_enable()
    assert_equal(model, random_rows(), "tree", 1e-5)


@pytest.mark.parametrize(("family", "way"), WAYS)
def test_several_trees_in_one_call(family, way):
    rows = random_rows()
    trees = [grow(rows[:4]), grow(rows[4:7]), grow(rows[7:])]
    model = conditioned(family)
    prepare(model, way)
    with torch.no_grad():
        together = target_logprobs(model, trees, way)
        alone = [target_logprobs(model, [tree], way)[0] for tree in trees]
    for found, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("family", "way"), WAYS)
def test_completions_of_one_prompt(family, way, doubled):
    prompt = random_rows()[0].prompt_ids
    completions = [(7, 8, 9), (7, 8, 10, 11), (12,), (7, 8, 9)]
    model = with_lora(conditioned(family)).double()
    prepare(model, way)
    found = completion_logprobs(model, prompt, completions, way)
    assert [len(values) for values in found] == [3, 4, 1, 3]
    for weight, (values, completion) in enumerate(zip(found, completions, strict=True)):
        plain = -row_by_row(model, [Row("", prompt, completion)])
        assert float(abs(values.sum() - plain)) < 1e-9 * abs(float(plain)), weight
    loss = sum((weight + 1) * values.sum() for weight, values in enumerate(found))
    shared = gradients(model, loss)
    plain = sum(
        -(weight + 1) * row_by_row(model, [Row("", prompt, completion)])
        for weight, completion in enumerate(completions)
    )
    for name, gradient in gradients(model, plain).items():
        assert (shared[name] - gradient).norm() <= 1e-9 * gradient.norm(), name


def test_every_shared_token_is_encoded_once():
    """Widths of what the model is given: the tree's tokens, and no more."""
    model = families.build("llama")
    widths = []
    model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: widths.append(inputs[0].numel())
    )
    tree = grow(template_rows("qwen3_5_think"))
    prepare(model, "tree")
    with torch.no_grad():
        target_logprobs(model, [tree], "tree")
        assert sum(widths) == len(tree)
        widths.clear()
        target_logprobs(model, [tree], "rows")
        assert sum(widths) > 2 * len(tree)
