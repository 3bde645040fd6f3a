"""Libraries that talk while they work, told not to: the terminal is for what was asked."""

from __future__ import annotations

import logging
import warnings


def quiet_libraries() -> None:
    """Errors only of transformers, bitsandbytes and the hub; no bars, no warnings ahead of time.

    The bars of downloads stay. To be called before torch is imported for the first time.
    """
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", module=r"(torch|transformers|peft)\b")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as transformers_logging

    hub_logging.set_verbosity(logging.ERROR)  # it tells each of its retries; we tell at the end
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
