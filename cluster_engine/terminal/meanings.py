"""What a bare refusal of kubectl means in this cluster, in a sentence; a refused connection as of a real one."""

from __future__ import annotations

import re

_METRICS = (
    "No metrics server answers in this cluster. One is installed as a workload is; a new cluster has none."
)


def sentence(said: str) -> str | None:
    """What is to be known beside what kubectl said; None: nothing."""
    return _METRICS if "Metrics API not available" in said else None


_REFUSED = re.compile(
    rb"""(?:(\\?")https?://[^"\s]*?/t/[^/"\s]+([^"\s]*":\ ))?"""
    rb"""failed\ to\ parse\ Location\ header\ \\?"(dial\ tcp\ [^"\\]*)\\?":\ """
    rb"""parse\ \\?"[^"]*":\ first\ path\ segment\ in\ URL\ cannot\ contain\ colon""",
    re.VERBOSE,
)
_SERVER = rb"https://127.0.0.1:6443"


def plainly(data: bytes) -> bytes:
    """What kubectl said, with connections refused as it says of a real server's.

    That its API server does not run a cluster can tell it by a place alone that is no URL (`serving/refusing.py`).
    """
    if b"Location header" not in data:
        return data

    def told(match: re.Match[bytes]) -> bytes:
        address = match.group(1) + _SERVER + match.group(2) if match.group(1) else b""
        return address + match.group(3)

    return _REFUSED.sub(told, data)
