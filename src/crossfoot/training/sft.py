"""Supervised fine-tuning on loss-bearing targets with transformers' ``Trainer``.

The loss of a step is the mean negative log-likelihood over its target tokens, however they are
grouped into chains and micro-batches. Logits are computed at target positions only: at 16k tokens
and a vocabulary of 248k the rest would take 16 GB.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import Trainer

from crossfoot.targets.rows import Chain

IGNORED = -100


class ChainDataset(Dataset[Chain]):  # type: ignore[misc]
    """Chains as a dataset."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.chains = chains

    def __len__(self) -> int:
        return len(self.chains)

    def __getitem__(self, index: int) -> Chain:
        return self.chains[index]


def collate(chains: Sequence[Chain]) -> dict[str, torch.Tensor]:
    """Pad chains on the right: ``input_ids``, ``attention_mask`` and ``labels`` of shape (B, T).

    ``labels[b, t]`` is the id of token t where it bears loss, else -100; padding is id 0, masked.
    """
    length = max(len(chain.ids) for chain in chains)
    input_ids = torch.zeros(len(chains), length, dtype=torch.long)
    labels = torch.full((len(chains), length), IGNORED)
    attention_mask = torch.zeros(len(chains), length, dtype=torch.long)
    for index, chain in enumerate(chains):
        ids = torch.tensor(chain.ids)
        input_ids[index, : len(ids)] = ids
        attention_mask[index, : len(ids)] = 1
        labels[index, : len(ids)] = torch.where(torch.tensor(chain.loss_mask), ids, IGNORED)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def target_loss(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int]:
    """Summed negative log-likelihood of the target tokens of a batch, and their number."""
    labels = batch["labels"][:, 1:]
    # transformers takes one list of positions for all rows: those where any row has a target.
    positions = (labels != IGNORED).any(dim=0).nonzero().squeeze(1)
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        logits_to_keep=positions,
        use_cache=False,
    ).logits
    wanted = labels[:, positions]
    if logits.shape[1] != len(positions):  # a model that does not know logits_to_keep
        logits = logits[:, positions]
    loss = cross_entropy(
        logits.float().flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return loss, int((wanted != IGNORED).sum())


class TargetTrainer(Trainer):  # type: ignore[misc]
    """``Trainer`` with the target loss, and a held-out loss that is a mean over tokens."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Trainer then passes the number of target tokens of the whole step to compute_loss.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean over the step's target tokens; Trainer averages over processes, hence the factor."""
        loss, count = target_loss(model, inputs)
        if num_items_in_batch is None:
            loss = loss / max(count, 1)
        else:
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes
        return (loss, None) if return_outputs else loss

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Mean negative log-likelihood per target token over the held-out chains."""
        started = time.perf_counter()
        self.model.eval()
        summed = torch.zeros(2, dtype=torch.float64)  # loss and tokens
        for batch in self.get_eval_dataloader(eval_dataset):
            with torch.no_grad(), self.compute_loss_context_manager():
                loss, tokens = target_loss(self.model, self._prepare_inputs(batch))
            summed += torch.tensor([float(loss), tokens], dtype=torch.float64)
        total, count = self.accelerator.reduce(summed.float().to(self.args.device)).tolist()
        self.model.train()
        metrics = {
            f"{metric_key_prefix}_loss": total / max(count, 1),
            f"{metric_key_prefix}_runtime": time.perf_counter() - started,
        }
        self.log(metrics)
        self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics
