"""Training on shared prefixes against TRL's SFTTrainer: same model, adapter, data, in one run.

    python benchmarks/sft.py [--model smollm2-135m] [--pages 4] [--steps 2]

Pages are those of ConvFinQA dev where it is present, else synthetic ones; nothing trained is kept.
The peers are TRL on one row for each target, and TRL on whole conversations with the loss on all
assistant messages (for templates that allow it); both in bf16, without checkpointing, grouped by
length, at the batch size that is fastest in a short trial. All see the same rows, and as many of
them an optimizer step. The last line is one JSON object: ``ratio`` is seconds of rows by ours,
``ratio_whole_conversations`` seconds of whole conversations by ours, with the ratios of tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from torch.profiler import ProfilerActivity, profile
from transformers import PrinterCallback, TrainerCallback, TrainingArguments, set_seed
from trl import SFTConfig, SFTTrainer

from crossfoot.chat.template import Chat
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.errors import CrossfootError
from crossfoot.models.adapters import add_adapter
from crossfoot.models.loading import load_model, load_tokenizer
from crossfoot.targets.rows import Chain, Row, build_rows, merge, single_chain
from crossfoot.tasks.registry import load_task
from crossfoot.training.batches import plan_steps
from crossfoot.training.sft import TreeTrainer
from crossfoot.training.sharing import choose_way
from crossfoot.training.tree import Tree, grow

RANK, ALPHA, RATE = 16, 32, 3e-4
BATCH_SIZES = (1, 2)  # four rows of 2,500 tokens take more than 16 GB
TRIAL_ROWS = 4
PARTS = {
    "attention": ("scaled_dot_product",),
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::linear"),
}

Conversations = list[list[Row]]


class Clock(TrainerCallback):  # type: ignore[misc]
    """Seconds from the first step's begin to the last one's end, and the losses."""

    def __init__(self) -> None:
        self.started = 0.0
        self.seconds = 0.0
        self.losses: list[float] = []

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.started = time.perf_counter()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.seconds = time.perf_counter() - self.started

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append(round(logs["loss"], 4))


def common(folder: str, steps: int) -> dict[str, Any]:
    """What all three trainings have in common."""
    cpu = not torch.cuda.is_available()
    return {
        "output_dir": folder,
        "max_steps": steps,
        "learning_rate": RATE,
        "bf16": True,
        "use_cpu": cpu,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "seed": 0,
    }


def pages_of(chat: Chat, count: int) -> tuple[str, list[Conversations]]:
    """Rows of the conversations of some pages of ConvFinQA dev, or of synthetic ones."""
    try:
        task, samples = "convfinqa dev", load_task("convfinqa", "dev")
    except CrossfootError:
        task, samples = "synthetic", load_task("synthetic", "dev")
    pages: dict[str, Conversations] = {}
    for sample in samples:
        pages.setdefault(sample.page.page_id, []).append(build_rows([sample], chat, "short"))
    return task, random.Random(0).sample(list(pages.values()), count)


def ours(model_name: str, trees: list[Tree], batch_rows: int, steps: int) -> Clock:
    """A TreeTrainer over the trees, in as many steps."""
    set_seed(0)
    model = add_adapter(
        load_model(model_name),
        method="lora",
        rank=RANK,
        alpha=ALPHA,
        dropout=0.0,
        targets="all-linear",
        start_from=None,
    )
    way, why = choose_way(model)
    print(f"ours: {why}", file=sys.stderr)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_steps([len(tree.completions) for tree in trees], batch_rows, seed=0)
        trainer = TreeTrainer(
            model=model,
            args=TrainingArguments(
                **common(folder, steps), per_device_train_batch_size=1, remove_unused_columns=False
            ),
            steps=[[trees[index] for index in step] for step in plan],
            held_out=[],
            batch_tokens=4096,
            way=way,
            checkpoint=False,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock


def trl(model_name: str, chains: Sequence[Chain], batch: int, size: int, steps: int) -> Clock:
    """TRL over sequences with a loss mask, ``batch`` of them an optimizer step."""
    set_seed(0)
    tokenizer = load_tokenizer(model_name)
    columns = [
        {
            "input_ids": list(chain.ids),
            "labels": [
                token if bears else -100
                for token, bears in zip(chain.ids, chain.loss_mask, strict=True)
            ],
        }
        for chain in chains
    ]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=load_model(model_name),
            args=SFTConfig(
                **common(folder, steps),
                per_device_train_batch_size=size,
                gradient_accumulation_steps=max(1, round(batch / size)),
                gradient_checkpointing=False,
                train_sampling_strategy="group_by_length",
                max_length=None,
            ),
            train_dataset=Dataset.from_list(columns),
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=RANK,
                lora_alpha=ALPHA,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            ),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock


def best_size(model_name: str, chains: Sequence[Chain], most: int) -> int:
    """The batch size at which TRL takes the least time for a few of the sequences."""
    some = list(chains)[:TRIAL_ROWS]
    sizes = [size for size in BATCH_SIZES if size <= min(most, len(some))]
    seconds = {size: trl(model_name, some, len(some), size, 1).seconds for size in sizes}
    print(f"seconds for {len(some)} sequences by batch size: {seconds}", file=sys.stderr)
    return min(seconds, key=seconds.__getitem__)


def where_the_time_goes(run: Callable[[], object]) -> dict[str, float]:
    """Shares of the processors' time by kind of work, from torch's profiler."""
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        run()
    events = recorded.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    shares = {
        part: sum(e.self_cpu_time_total for e in events if any(name in e.key for name in names))
        / total
        for part, names in PARTS.items()
    }
    shares["optimizer"] = sum(e.cpu_time_total for e in events if "Optimizer.step" in e.key) / total
    shares["all else"] = 1 - sum(shares.values())
    return {part: round(share, 3) for part, share in shares.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args()
    quiet_libraries()
    chat = Chat(load_tokenizer(options.model))
    task, pages = pages_of(chat, options.pages)
    rows = [row for page in pages for conversation in page for row in conversation]
    trees = [grow([row for conversation in page for row in conversation]) for page in pages]
    conversations = [merge(conversation) for page in pages for conversation in page]
    extends = all(len(chains) == 1 for chains in conversations)
    batch_rows = -(-len(rows) // options.steps)

    runs: dict[str, tuple[Clock, int]] = {}
    steps = len(plan_steps([len(tree.completions) for tree in trees], batch_rows, seed=0))
    runs["ours"] = (ours(options.model, trees, batch_rows, steps), sum(map(len, trees)))
    single = [single_chain(row) for row in rows]
    size = best_size(options.model, single, batch_rows)
    clock = trl(options.model, single, batch_rows, size, steps)
    runs["rows"] = (clock, sum(len(chain.ids) for chain in single))
    if extends:
        whole = [chain for chains in conversations for chain in chains]
        batch = -(-len(whole) // steps)
        size = best_size(options.model, whole, batch)
        clock = trl(options.model, whole, batch, size, steps)
        runs["whole_conversations"] = (clock, sum(len(chain.ids) for chain in whole))
    shares = where_the_time_goes(lambda: ours(options.model, trees[:1], batch_rows, 1))

    result: dict[str, Any] = {
        "model": options.model,
        "data": f"{task}, {len(pages)} pages, {len(conversations)} conversations, {len(rows)} rows",
        "steps": steps,
    }
    own_clock, own_tokens = runs["ours"]
    for name, (clock, tokens) in runs.items():
        rate = tokens / clock.seconds
        print(f"{name}: {clock.seconds:.1f} s, {tokens:,} tokens, {rate:.0f} tokens/s")
        print(f"  losses {clock.losses}")
        result |= {f"seconds_{name}": round(clock.seconds, 1), f"tokens_{name}": tokens}
        if name != "ours":
            suffix = "" if name == "rows" else f"_{name}"
            result[f"ratio{suffix}"] = round(clock.seconds / own_clock.seconds, 2)
            result[f"token_ratio{suffix}"] = round(tokens / own_tokens, 2)
    print("where our time goes:", shares)
    print(json.dumps(result | {"shares": shares}))


if __name__ == "__main__":
    main()
