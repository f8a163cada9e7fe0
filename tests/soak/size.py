"""How much of a long proof runs now."""

import os


def size(part: int, full: int) -> int:
    """``part`` in `make test`, ``full`` in `make soak`."""
    return full if os.environ.get("DRYDOCK_SOAK") == "1" else part
