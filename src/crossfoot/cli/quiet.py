"""Libraries that talk while they work, told not to: the terminal is for what was asked."""

from __future__ import annotations

import os
import warnings


def quiet_libraries() -> None:
    """Errors only from transformers, no progress bars of loading, no warnings of what is to come.

    To be called before torch and transformers are imported for the first time.
    """
    for category in (FutureWarning, DeprecationWarning, UserWarning):
        warnings.filterwarnings("ignore", category=category, module=r"(torch|transformers|peft)\b")
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
