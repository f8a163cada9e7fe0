"""Signs of life for whoever supervises this process (`deploy/up.py`): a process that hangs gives none."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

logger = logging.getLogger(__name__)


def beat() -> None:
    """Write down that this process was alive just now, in the file that DRYDOCK_ALIVE names; without it, nothing."""
    path = os.environ.get("DRYDOCK_ALIVE")
    if not path:
        return
    try:
        Path(path).write_text(str(time.monotonic()))
    except OSError as error:
        logger.warning("no sign of life could be written: %s", error)
