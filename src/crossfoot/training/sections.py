"""The sections of a recipe (recipe.py)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crossfoot.tasks.split import HELD_OUT, VALIDATION


class Section(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPart(Section):
    """One source of conversations; ``limit`` takes that many, chosen by ``seed``.

    ``drawn`` adds that many synthetic conversations on every page taken that no
    earlier part has drawn on. ``rescaled`` adds every conversation that allows it
    a second time, on its page in another scale (tasks/synthetic/rescaling.py).
    ``corrections`` is the folder of an evaluation of these conversations; their turns after a wrong
    one are trained on once more, behind what was really said (targets/corrections.py).
    """

    task: str
    split: str = "train"
    limit: int | None = Field(default=None, gt=0)
    seed: int = 0
    drawn: int = Field(default=0, ge=0)
    rescaled: bool = False
    corrections: str | None = None
    booleans: bool = True  # or conversations in which a turn compares are left out
    with_evidence: bool = False  # only questions whose evidence is named or can be rebuilt
    skip_bad: bool = False  # leave out records with wrong fields or wrong evidence

    @field_validator("split")
    @classmethod
    def _never_validation(cls, split: str) -> str:
        if split == VALIDATION:
            raise ValueError("validation is never trained on: name train")
        return split


class Validation(Section):
    """Conversations of the first data part that are never trained on, cut by page."""

    conversations: int = Field(default=HELD_OUT, ge=0)
    seed: int = 0
    scored: int = Field(default=40, ge=0)  # how many of them the held-out loss is measured on


class Adapter(Section):
    """LoRA on top of frozen weights (``qlora``: 4-bit ones), or full fine-tuning (``none``)."""

    method: Literal["none", "lora", "qlora"] = "lora"
    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: str | list[str] = "all-linear"
    start_from: str | None = None  # an adapter or run folder to go on from, with its own rank

    @model_validator(mode="after")
    def _adapter_to_start_from(self) -> Adapter:
        if self.method == "none" and self.start_from is not None:
            raise ValueError("start_from needs an adapter, but method is none; name it as model")
        return self


class Quantization(Section):
    """How bitsandbytes packs the base weights of ``qlora``."""

    quant_type: Literal["nf4", "fp4"] = "nf4"
    double_quant: bool = True
    compute_dtype: Literal["float32", "bfloat16", "float16"] | None = None  # the recipe's dtype


class Generation(Section):
    """How ``crossfoot eval`` of the run decodes."""

    max_new_tokens: int = Field(default=320, gt=0)
    num_beams: int = Field(default=1, gt=0)
    do_sample: bool = False
    temperature: float | None = Field(default=None, gt=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    constrained: bool = False  # programs over the numbers and rows of the prompt, or calls
    line_prior: bool = False  # quoted lines weighed by the ranking of pages/ranking.py

    @model_validator(mode="after")
    def _can_be_decoded(self) -> Generation:
        if (self.temperature is not None or self.top_p is not None) and not self.do_sample:
            raise ValueError("temperature and top_p are for samples: add do_sample")
        if self.constrained and self.num_beams > 1:
            raise ValueError("beams cannot be held to a format: leave constrained or beams out")
        if self.line_prior and self.num_beams > 1:
            raise ValueError("beams weigh no lines: leave line_prior or beams out")
        return self


class Tracking(Section):
    """Trackers that a run is reported to beside its own files (reports/trackers.py)."""

    report_to: list[Literal["wandb", "tensorboard", "trackio"]] = []
    project: str = "crossfoot"
    wandb_mode: Literal["offline", "online", "disabled"] = "offline"
