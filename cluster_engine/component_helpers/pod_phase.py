"""The phase of a Pod. Models pkg/api/v1/pod (IsPodTerminal)."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

FINISHED = ("Succeeded", "Failed")


def is_finished(pod: JSON) -> bool:
    """Whether all of its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in FINISHED
