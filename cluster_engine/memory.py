"""The memory of a process that hosts engines: when its garbage is looked for, and what goes back to the system.

An engine's objects are JSON without cycles, alive for as long as the cluster is: the collector's young generations find
nothing in them and cost 5–10 % of a busy engine's time (measured by ``bench scale``).
"""

from __future__ import annotations

import ctypes
import gc
import resource
import signal

YOUNG = 400_000
"""Allocations between two looks at the youngest generation (Python's own default: 700).

A look costs a third of a microsecond for each object that is new, nearly all of which are there to stay. So many are
what a cluster of 20 nodes and 1,000 Pods leaves, some 60 MB: as much garbage in cycles can wait at most.
"""
_ARENA_MAX = -8
"""M_ARENA_MAX of <malloc.h>."""
_PDEATHSIG = 1
"""PR_SET_PDEATHSIG of <linux/prctl.h>."""
STEPS = 1_000, 1, 1 << 30
"""Thresholds of who must not stand still for long: some 2,000 objects are seen at once, never all.

Each is a miss of the processor's cache or several: 1 µs an object where many clusters take turns (``bench.hosting
active 50 45 hostile steps`` tells).
"""


def relax_collector(*, whole: bool = True) -> None:
    """Once per process, after its imports: what was imported is never looked at again, the rest less often.

    Not `whole`: all objects at once are looked at only when the process itself calls `gc.collect`. With thousands of
    clusters that takes seconds, and nobody may be waiting meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*((YOUNG, 20, 100) if whole else STEPS))


def one_arena() -> None:
    """Once, before there are threads: they allocate from one heap, so that what one of them frees another can use.

    The interpreter's lock makes them take turns anyhow. Where the C library is not glibc, nothing happens.
    """
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_ARENA_MAX, 1)


def die_with_parent() -> None:
    """In a child: it ends with its parent, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def serve_parent(limit: int) -> None:
    """In a process that computes for its parent: it ends with that one, leaves Ctrl-C to it, and takes ``limit`` bytes
    of address space at most."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def give_back() -> None:
    """Free pages in the middle of the heap go back to the system, which takes a moment for each cluster there was."""
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
