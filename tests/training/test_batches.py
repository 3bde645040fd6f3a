"""Steps and micro-batches: every tree once, the same for a seed, within the budget."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from crossfoot.training.batches import StepSampler, micro_batches, plan_steps, shares
from crossfoot.training.tree import Tree


def tree(length):
    return Tree(tuple(range(length)), tuple(range(-1, length - 1)), ((length - 1,),))


lengths = st.lists(st.integers(2, 30), min_size=1, max_size=20)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=60), st.integers(1, 20), st.integers(0, 3))
def test_every_tree_is_in_one_step_and_steps_are_of_like_size(rows, batch_rows, seed):
    steps = plan_steps(rows, batch_rows, seed)
    assert sorted(index for step in steps for index in step) == list(range(len(rows)))
    assert plan_steps(rows, batch_rows, seed) == steps
    assert all(sum(rows[index] for index in step) < batch_rows + 12 for step in steps)


def test_single_rows_fill_steps_exactly_and_the_rest_can_be_dropped():
    steps = plan_steps([1] * 17_878, 64, 0)
    assert [len(step) for step in steps] == [64] * 279 + [22]
    assert len(plan_steps([1] * 17_878, 64, 0, drop_last=True)) == 279


def test_whole_conversations_have_as_many_steps_as_their_rows():
    rows = [4 + index % 5 for index in range(3000)]
    steps = plan_steps(rows, 64, 0, drop_last=True)
    assert len(steps) == sum(rows) // 64


@given(lengths, st.integers(1, 4))
def test_shares_hold_every_tree_once_and_none_is_empty(lengths, processes):
    trees = [tree(length) for length in lengths]
    parts = shares(trees, processes)
    assert len(parts) == processes
    assert all(parts)
    held = [one for part in parts for one in part if one.completions]
    assert sorted(map(len, held)) == sorted(lengths)


@given(lengths, st.integers(1, 60))
def test_micro_batches_stay_within_the_budget(lengths, tokens):
    batches = micro_batches([tree(length) for length in lengths], tokens)
    assert sorted(len(one) for batch in batches for one in batch) == sorted(lengths)
    for batch in batches:
        assert len(batch) == 1 or max(map(len, batch)) * len(batch) <= tokens


def test_the_order_of_steps_depends_on_seed_and_epoch_alone():
    def order(epoch, seed=0):
        arguments = SimpleNamespace(seed=seed)
        trainer = SimpleNamespace(state=SimpleNamespace(epoch=epoch), args=arguments)
        return list(StepSampler(20, 2, trainer))

    assert order(None) == order(0.0) == order(0.45)
    assert order(1.0) != order(0.0) != order(0.0, seed=1)
    assert sorted(order(1.0)) == list(range(40))
    assert all(b == a + 1 for a, b in zip(order(1.0)[::2], order(1.0)[1::2], strict=True))
