"""Supervised fine-tuning on loss-bearing targets with transformers' ``Trainer``.

The loss of a step is the mean negative log-likelihood over its target tokens, however they are
grouped into trees, micro-batches and processes. Logits are computed at target positions only: at
16k tokens and a vocabulary of 248k the rest would take 16 GB.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import Trainer

from crossfoot.training.batches import StepSampler, even_out, idle, micro_batches, shares
from crossfoot.training.logprobs import Way, target_logprobs
from crossfoot.training.tree import Tree

IGNORED = -100


def collate(items: Sequence[Sequence[Tree]]) -> dict[str, Any]:
    """One process's trees of a step: ``trees``, and their tokens for Trainer's counts.

    ``input_ids`` (1, tokens) has every token once; ``labels`` (1, 1 + targets) every target as
    often as it bears loss, behind one ignored place, as Trainer leaves the first label out.
    """
    (trees,) = items
    ids = [token for tree in trees for token in tree.ids]
    labels = [
        tree.ids[index] for tree in trees for completion in tree.completions for index in completion
    ]
    return {
        "trees": list(trees),
        "input_ids": torch.tensor([ids]),
        "labels": torch.tensor([[IGNORED, *labels]]),
    }


def tree_loss(
    model: Any, trees: Sequence[Tree], way: Way, *, checkpoint: bool = False
) -> torch.Tensor:
    """Summed negative log-likelihood of the targets of ``trees``."""
    targets = [tree.target_counts for tree in trees]
    if not any(targets):  # a process without work still runs its part of the model
        probe = Tree(trees[0].ids[:2], (-1, 0), ((1,),))
        (values,) = target_logprobs(model, [probe], "rows")
        return 0.0 * values.sum()
    values = torch.cat(target_logprobs(model, trees, way, checkpoint=checkpoint))
    counts = [count for target in targets for count in target.values()]
    return -(values * torch.tensor(counts, device=values.device)).sum()


class TreeTrainer(Trainer):  # type: ignore[misc]
    """``Trainer`` over steps of trees, with a held-out loss that is a mean over tokens.

    ``steps`` holds the trees of each optimizer step; ``batch_tokens`` bounds a micro-batch, of
    which a step takes as many as it needs.
    """

    def __init__(
        self,
        *,
        steps: Sequence[Sequence[Tree]],
        held_out: Sequence[Tree],
        batch_tokens: int,
        way: Way,
        checkpoint: bool,
        **options: Any,
    ) -> None:
        processes = options["args"].world_size
        super().__init__(
            train_dataset=[part for step in steps for part in shares(step, processes)],
            eval_dataset=list(held_out) or None,
            data_collator=collate,
            **options,
        )
        self.batch_tokens = batch_tokens
        self.way = way
        self.checkpoint = checkpoint
        # Trainer then passes the number of target tokens of the whole step to compute_loss.
        self.model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        processes = self.args.world_size
        return StepSampler(len(self.train_dataset) // processes, processes, self)

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Forward and backward of each micro-batch; processes exchange gradients at the last."""
        batches = self._in_step(micro_batches(inputs["trees"], self.batch_tokens))
        losses = []
        for number, trees in enumerate(batches):
            last = number + 1 == len(batches)
            # DeepSpeed takes an optimizer step after each backward pass that this marks.
            self.accelerator.gradient_state._set_sync_gradients(last)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                losses.append(super().training_step(model, {"trees": trees}, num_items_in_batch))
        return torch.stack(losses).sum()

    @property
    def split(self) -> bool:
        """Whether processes hold parts of the model or its gradients, not all of them."""
        return bool(self.is_fsdp_enabled or self.is_deepspeed_enabled)

    def _in_step(self, batches: list[list[Tree]]) -> list[list[Tree]]:
        """Where the model is split every pass is an exchange: as many for each process."""
        if not self.split:
            return batches
        count = torch.tensor([len(batches)], device=self.args.device)
        most = int(self.accelerator.gather(count).max())
        return even_out(batches, most)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The micro-batch's part of the mean over the step's target tokens.

        Trainer averages over processes, hence the factor.
        """
        loss = tree_loss(model, inputs["trees"], self.way, checkpoint=self.checkpoint)
        return loss * self.args.world_size / num_items_in_batch

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Mean negative log-likelihood per target token over the held-out trees."""
        started = time.perf_counter()
        trees = self.eval_dataset if eval_dataset is None else eval_dataset
        # No process is without a tree, as all take part in each exchange.
        mine = trees[self.args.process_index :: self.args.world_size] or [idle(trees[0])]
        self.model.eval()
        summed = torch.zeros(2, dtype=torch.float64)  # loss and tokens
        for batch in self._in_step(micro_batches(mine, self.batch_tokens)):
            with torch.no_grad(), self.compute_loss_context_manager():
                loss = tree_loss(self.model, batch, self.way)
            tokens = sum(len(completion) for tree in batch for completion in tree.completions)
            summed += torch.tensor([float(loss), tokens], dtype=torch.float64)
        total, count = self.accelerator.reduce(summed.to(self.args.device)).tolist()
        self.model.train()
        metrics = {
            f"{metric_key_prefix}_loss": total / max(count, 1),
            f"{metric_key_prefix}_runtime": time.perf_counter() - started,
        }
        self.log(metrics)
        self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics
