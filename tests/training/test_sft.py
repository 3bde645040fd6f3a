"""The loss: the same however targets are grouped, over target positions only."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import TrainingArguments

import tiny
from crossfoot.chat.template import Chat
from crossfoot.models.adapters import add_adapter
from crossfoot.targets.rows import Chain, build_rows, merge, single_chain
from crossfoot.training.sft import ChainDataset, TargetTrainer, collate, target_loss


@pytest.fixture(scope="module")
def rows():
    return build_rows([tiny.sample()], Chat(tiny.tokenizer()), "short")


def lora():
    """A tiny model with an adapter whose two halves are both random, so that all get gradients."""
    torch.manual_seed(0)
    model = add_adapter(
        tiny.llama(),
        method="lora",
        rank=4,
        alpha=8,
        dropout=0.0,
        targets="all-linear",
        start_from=None,
    )
    for parameter in trained(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def trained(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def backward(model, batches):
    """Mean loss over all target tokens of the batches, and its gradients."""
    summed = [target_loss(model, collate(batch)) for batch in batches]
    loss = sum(loss for loss, _ in summed) / sum(count for _, count in summed)
    gradients = torch.autograd.grad(loss, list(trained(model).values()))
    return loss.item(), dict(zip(trained(model), gradients, strict=True))


def assert_same(one, other):
    (loss, gradients), (other_loss, other_gradients) = one, other
    assert loss == pytest.approx(other_loss, rel=1e-5)
    assert len(gradients) == 2 * 2 * 7  # A and B of seven modules in two layers
    for name, gradient in gradients.items():
        assert gradient.norm() > 0
        assert (gradient - other_gradients[name]).norm() <= 1e-5 * gradient.norm(), name


def test_merged_chains_have_the_loss_and_gradients_of_rows(rows):
    model = lora()
    chains = merge(rows)
    assert (len(chains), len(rows)) == (1, 7)
    assert_same(backward(model, [chains]), backward(model, [[single_chain(row)] for row in rows]))


def test_a_padded_batch_of_two_equals_two_of_one(rows):
    model = lora()
    chains = [single_chain(rows[0]), single_chain(rows[3])]
    assert len(chains[0].ids) != len(chains[1].ids)
    assert_same(backward(model, [chains]), backward(model, [[chain] for chain in chains]))


def test_the_loss_is_that_of_all_logits_masked_by_hand(rows):
    model = lora()
    chain = single_chain(rows[2])
    ids = torch.tensor([chain.ids])
    predicted = model(input_ids=ids).logits.log_softmax(-1)[0, :-1]
    wanted = -predicted.gather(1, ids[0, 1:, None]).squeeze(1)[torch.tensor(chain.loss_mask[1:])]
    loss, count = target_loss(model, collate([chain]))
    assert count == len(rows[2].completion_ids)
    assert loss.item() == pytest.approx(wanted.sum().item(), rel=1e-5)


def test_logits_are_computed_at_target_positions_only(rows):
    model = tiny.llama()
    shapes = []
    model.lm_head.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape)))
    (chain,) = merge(rows)
    _, count = target_loss(model, collate([chain]))
    assert shapes == [(1, count, 640)]
    assert count < len(chain.ids) / 2


def test_a_model_that_gives_all_logits_has_the_same_loss(rows):
    model = tiny.llama()
    batch = collate(merge(rows))

    def all_logits(logits_to_keep, **inputs):
        return model(**inputs)

    assert target_loss(all_logits, batch)[0].item() == pytest.approx(
        target_loss(model, batch)[0].item(), rel=1e-6
    )


def test_collate_pads_on_the_right_with_masked_tokens_without_loss():
    batch = collate([Chain((5, 6, 7), (False, True, True)), Chain((8,), (False,))])
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 6, 7], [-100, -100, -100]]


def trainer(model, chains, folder, *, size, steps, held_out=None):
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=size,
        gradient_accumulation_steps=steps,
        per_device_eval_batch_size=size,
        max_steps=1,
        optim="sgd",
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    return TargetTrainer(
        model=model,
        args=arguments,
        train_dataset=ChainDataset(chains),
        eval_dataset=ChainDataset(held_out or chains),
        data_collator=collate,
    )


def test_accumulated_steps_are_means_over_all_their_target_tokens(rows, tmp_path):
    chains = [single_chain(rows[0]), *merge(rows), single_chain(rows[1]), single_chain(rows[4])]
    assert len({chain.targets for chain in chains}) > 2
    start = lora()
    _, gradients = backward(start, [chains])
    weights = {}
    for size, steps in ((1, 4), (4, 1), (2, 2)):
        model = copy.deepcopy(start)
        trainer(model, chains, tmp_path, size=size, steps=steps).train()
        weights[size] = trained(model)
    for name, before in trained(start).items():
        step = gradients[name]
        for size in weights:  # one step of plain descent with rate 1 is the gradient itself
            taken = before - weights[size][name]
            assert (taken - step).norm() <= 1e-4 * step.norm(), (size, name)


@pytest.mark.parametrize("size", [1, 2])
def test_the_held_out_loss_is_a_mean_over_tokens(rows, tmp_path, size):
    model = lora()
    chains = [single_chain(rows[0]), *merge(rows), single_chain(rows[2])]
    loss, _ = backward(model, [[chain] for chain in chains])
    metrics = trainer(model, chains, tmp_path, size=size, steps=1).evaluate()
    assert metrics["eval_loss"] == pytest.approx(loss, rel=1e-5)
    assert metrics["eval_runtime"] > 0
