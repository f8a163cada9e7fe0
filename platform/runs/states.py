"""The life of a run, as a table.

    requested → booting → ready → passed
                                    any of them → stopped / failed

An engine that is asleep, or whose host has died, is no state of its own: the run is still `ready`, and the
next request wakes it from its keyframe and its journal. So a run never expires.
"""

from __future__ import annotations

from typing import Final

REQUESTED: Final = "requested"
BOOTING: Final = "booting"
READY: Final = "ready"
PASSED: Final = "passed"
STOPPED: Final = "stopped"
FAILED: Final = "failed"

STATES: Final = (REQUESTED, BOOTING, READY, PASSED, STOPPED, FAILED)

#: A run that its owner can still work in.
LIVE: Final = (REQUESTED, BOOTING, READY, PASSED)

#: From each state, the states that may follow. A reset leads back to `requested`.
TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    REQUESTED: frozenset({BOOTING, STOPPED, FAILED}),
    BOOTING: frozenset({READY, REQUESTED, STOPPED, FAILED}),
    READY: frozenset({PASSED, REQUESTED, STOPPED, FAILED}),
    PASSED: frozenset({REQUESTED, STOPPED, FAILED}),
    STOPPED: frozenset(),
    FAILED: frozenset({REQUESTED}),
}


def allowed(old: str, new: str) -> bool:
    """Whether a run may go from `old` to `new`."""
    return new in TRANSITIONS[old]
