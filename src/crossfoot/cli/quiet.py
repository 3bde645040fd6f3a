"""Libraries that talk while they work, told not to: the terminal is for what was asked."""

from __future__ import annotations

import logging
import warnings


def quiet_libraries() -> None:
    """Errors only from transformers and bitsandbytes; no bars, no warnings of what is to come.

    The bars of downloads stay. To be called before torch is imported for the first time.
    """
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", module=r"(torch|transformers|peft)\b")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
