"""Trees hold every row whole, and every shared token once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.targets.rows import Row
from crossfoot.training.tree import chains, grow, segments

token = st.integers(0, 3)
rows = st.lists(
    st.builds(
        lambda prompt, completion: Row("", tuple(prompt), tuple(completion)),
        st.lists(token, min_size=1, max_size=8),
        st.lists(token, min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=8,
)


@given(rows)
def test_every_row_is_a_path(rows):
    tree = grow(rows)
    for row, completion in zip(rows, tree.completions, strict=True):
        path = tree.path(completion[-1])
        assert tuple(tree.ids[index] for index in path) == row.ids
        assert tuple(path[len(row.prompt_ids) :]) == completion


@given(rows)
def test_no_two_tokens_have_the_same_path(rows):
    tree = grow(rows)
    assert len(set(zip(tree.parents, tree.ids, strict=True))) == len(tree)
    prefixes = {row.ids[: end + 1] for row in rows for end in range(len(row.ids))}
    assert len(tree) == len(prefixes)


@given(rows)
def test_target_counts_add_up_to_the_rows(rows):
    counts = grow(rows).target_counts
    assert sum(counts.values()) == sum(len(row.completion_ids) for row in rows)
    assert list(counts) == sorted(counts)


@given(rows)
def test_segments_hold_every_token_once_behind_its_parent(rows):
    tree = grow(rows)
    seen = []

    def visit(segment, before):
        for index in segment.indices:
            assert tree.parents[index] == before
            seen.append(index)
            before = index
        assert len(segment.children) != 1
        for child in segment.children:
            visit(child, before)

    for root in segments(tree):
        visit(root, -1)
    assert sorted(seen) == list(range(len(tree)))


@given(rows)
def test_chains_hold_every_target(rows):
    tree = grow(rows)
    paths = chains(tree)
    assert set(tree.target_counts) <= {index for path in paths for index in path}
    assert all(path == tree.path(path[-1]) for path in paths)


@pytest.mark.parametrize("row", [Row("", (), (1,)), Row("", (1,), ())])
def test_a_row_needs_both_parts(row):
    with pytest.raises(ValueError, match="a prompt and a completion"):
        grow([row])
