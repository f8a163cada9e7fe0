"""Which of several default classes (of storage, of Ingresses) counts.

Models GetDefaultClass of pkg/volume/util and of plugin/pkg/admission/network/defaultingressclass.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster_engine.apimachinery.cow import JSON


def newest(classes: Iterable[JSON]) -> JSON | None:
    """The newest; of several of the same second the first by name. None of none."""
    by_name = sorted(classes, key=lambda each: str(each["metadata"]["name"]))
    return max(by_name, key=lambda each: str(each["metadata"].get("creationTimestamp")), default=None)
