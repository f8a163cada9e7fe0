"""The garbage collector of a process that hosts engines.

An engine's objects are JSON without cycles, alive for as long as the cluster is: the collector's young generations find
nothing in them and cost 5–10 % of a busy engine's time (measured by ``bench scale``).
"""

from __future__ import annotations

import gc

YOUNG = 50_000
"""Allocations between two looks at the youngest generation (Python's own default: 700)."""


def relax_collector() -> None:
    """Once per process, after its imports: what was imported is never looked at again, the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
