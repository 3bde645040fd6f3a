"""What a recipe would take, as a table in the terminal."""

from __future__ import annotations

from rich.table import Table

from crossfoot.training.logprobs import SEGMENT
from crossfoot.training.plan import Plan
from crossfoot.training.recipe import Recipe
from crossfoot.training.speed import EFFICIENCY, EMULATED

_PARTS = ("weights", "adapter", "gradients", "optimizer", "activations")


def plan_table(recipe: Recipe, plan: Plan) -> Table:
    """Rows, tokens, steps, memory and time of a plan; the last two are estimates."""
    table = Table(title=f"plan for {recipe.model}, no weights loaded", show_header=False)
    lines = {
        "method": _method(recipe, plan),
        "data": f"{plan.conversations} conversations, {plan.rows:,} rows",
        "left out": _left_out(recipe, plan),
        **({"quoted": _quoted(plan)} if plan.quoted else {}),
        "held out": f"{plan.held_out_conversations} conversations, {plan.held_out_rows} of their "
        "rows scored",
        "tokens of an epoch": f"{plan.tokens:,}, {plan.target_tokens:,} of them targets",
        "row by row": f"{plan.row_tokens:,} tokens, {plan.row_tokens / plan.tokens:.1f} times more",
        "steps": f"{plan.steps:,} ({plan.steps_per_epoch:,} an epoch) of about "
        f"{recipe.batch_rows} rows",
        "micro-batch": f"up to {plan.micro_batch_tokens:,} tokens",
        "prefixes": _sharing(recipe, plan),
        "memory (estimate)": _memory(plan),
        "of it": ", ".join(f"{part} {_bytes(getattr(plan.memory, part))}" for part in _PARTS),
        "time (estimate)": _time(plan),
    }
    for name, text in lines.items():
        table.add_row(name, text)
    return table


def _method(recipe: Recipe, plan: Plan) -> str:
    rank = "" if recipe.adapter.method == "none" else f" of rank {recipe.adapter.rank}"
    memory = plan.memory
    return (
        f"{recipe.adapter.method}{rank} in {recipe.dtype}: {memory.trained / 1e6:,.1f} of "
        f"{memory.parameters / 1e6:,.1f} million parameters trained"
    )


def _left_out(recipe: Recipe, plan: Plan) -> str:
    if not plan.left_out:
        return f"nothing is longer than {recipe.max_tokens:,} tokens"
    return (
        f"{len(plan.left_out)} conversations with rows longer than {recipe.max_tokens:,} tokens; "
        f"cutting them instead would lose {plan.evidence_cut:.1%} of the numbers that gold "
        "programs need"
    )


def _quoted(plan: Plan) -> str:
    return (
        f"{plan.quoted:,} numbers before calls, of which {plan.guessed:,} stand in several places "
        "and are quoted from the likeliest"
    )


def _sharing(recipe: Recipe, plan: Plan) -> str:
    """How the tokens that rows share are computed once, and what is computed again."""
    ways = {
        "tree": "one pass over a page's tree",
        "fork": "a page's conversations continue from a forked cache",
        "rows": "rows one by one, as a cache of this model's layers cannot be shared",
    }
    how = "every row alone" if recipe.rows == "target" else ways[plan.way]
    again = {
        "tree": "transformers' activation checkpointing",
        "fork": f"checkpoints by segments of {SEGMENT:,} tokens, as transformers' own switches "
        "caches off",
        "rows": "transformers' activation checkpointing",
    }
    return f"{how}; {again[plan.way] if plan.checkpointing else 'no activation checkpointing'}"


def _time(plan: Plan) -> str:
    rest = plan.seconds - plan.attention_seconds
    emulated = plan.float32_gigaflops > EMULATED * plan.gigaflops
    hint = f"; dtype=float32 has {plan.float32_gigaflops:,.0f}, and needs more memory"
    return (
        f"{_duration(plan.seconds)} on this machine when it is idle: attention "
        f"{_duration(plan.attention_seconds)}, by one layer just timed; the rest "
        f"{_duration(rest)}, {plan.flops:.1e} operations at {EFFICIENCY} of the "
        f"{plan.gigaflops:,.0f} GFLOP/s of matrix products just timed{hint if emulated else ''}"
    )


def _memory(plan: Plan) -> str:
    place = "on the GPU" if plan.device == "cuda" else "of the machine's memory"
    fits = "" if plan.needed_bytes < plan.device_bytes else ": it will NOT fit"
    return (
        f"{_bytes(plan.needed_bytes)} {place}, of which {_bytes(plan.device_bytes)} are free{fits}"
        + ("" if plan.device == "cuda" else f" (on a GPU {_bytes(plan.memory.total('cuda'))})")
    )


def _bytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
