"""What a bare refusal of kubectl means in this cluster, in a sentence."""

from __future__ import annotations

_METRICS = (
    "No metrics server answers in this cluster. One is installed as a workload is; a new cluster has none."
)


def sentence(said: str) -> str | None:
    """What is to be known beside what kubectl said; None: nothing."""
    return _METRICS if "Metrics API not available" in said else None
