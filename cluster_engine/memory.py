"""The garbage collector of a process that hosts engines.

An engine's objects are JSON without cycles, alive for as long as the cluster is: the collector's young generations find
nothing in them and cost 5–10 % of a busy engine's time (measured by ``bench scale``).
"""

from __future__ import annotations

import gc

YOUNG = 50_000
"""Allocations between two looks at the youngest generation (Python's own default: 700)."""
STEPS = 20_000, 3, 1 << 30
"""Thresholds of who must not stand still for long: some 80,000 objects are seen at once, never all."""


def relax_collector(*, whole: bool = True) -> None:
    """Once per process, after its imports: what was imported is never looked at again, the rest less often.

    Not `whole`: all objects at once are looked at only when the process itself calls `gc.collect`. With thousands of
    clusters that takes seconds, and nobody may be waiting meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*((YOUNG, 20, 100) if whole else STEPS))
