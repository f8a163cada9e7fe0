"""A container's limit of processor time: so much in every period, and who wants more waits for the next one.

Models the kernel's CFS bandwidth control as the kubelet sets it up for ``resources.limits.cpu`` (`cpu.cfs_quota_us`,
`cpu.cfs_period_us`; what came of it is what `cpu.stat` tells). A row of the machine's table ``bandwidth``, by root:

``{"millis": the limit, "since": when the present period began (µs), "used": of it (µs), "queue": [processes that wait
for the next], "stopped": the last period that was too short, "periods", "throttled": how many there were, how many were
too short, "waited": µs in which the container might not run}``
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

PERIOD = 100_000
"""µs (the kubelet's `cpuCFSQuotaPeriod`)."""
LEAST = 1_000
"""µs of a period that even the smallest limit gives (the kernel's minimum)."""
SAVED = 1_000
"""Steps that a process may have saved up for each thousandth of a processor: what that gives in a second."""


def fresh(millis: int, now: int) -> Row:
    """The row of a container that begins."""
    return {
        "millis": millis, "since": now, "used": 0, "queue": [], "stopped": -1,
        "periods": 0, "throttled": 0, "waited": 0,
    }  # fmt: skip


def quota(row: Row) -> int:
    """µs of each period."""
    return max(LEAST, int(row["millis"]) * PERIOD // 1_000)


def renew(row: Row, now: int, *, busy: bool = False) -> None:
    """The period of ``now`` begins, if it has not yet; what was used beyond the last quota counts in it.

    ``busy``: the container wanted to run all the time meanwhile.
    """
    passed = (now - row["since"]) // PERIOD
    if passed <= 0:
        return
    row["since"] += passed * PERIOD
    row["used"] = max(0, row["used"] - passed * quota(row))
    row["periods"] += passed if busy else 1
    if busy and quota(row) < PERIOD:
        row["throttled"] += passed
        row["waited"] += passed * (PERIOD - quota(row))


def exhausted(row: Row) -> bool:
    """Has the present period given all that it has?"""
    return bool(row["used"] >= quota(row))


def stop(row: Row, now: int) -> int:
    """The container waits; when its next period begins (µs)."""
    end: int = row["since"] + PERIOD
    if row["stopped"] != row["since"]:
        row["stopped"] = row["since"]
        row["throttled"] += 1
        row["waited"] += min(end - now, max(0, PERIOD - quota(row)))
    return end


def share(row: Row, waited: int, among: int) -> int:
    """µs that one of ``among`` processes that never pause has computed in so many."""
    return waited * min(1_000, int(row["millis"]) // among) // 1_000
