"""What kubectl's bare refusals mean, in a sentence that names reality: kinds of 1.37 that Drydock does not serve."""

from __future__ import annotations

import re

KINDS: tuple[tuple[str, ...], ...] = (
    ("devicetaintrules",),
    ("podcertificaterequests",),
    ("storageversionmigrations",),
)
"""The resource, and its short names: all kinds that a cluster of 1.37 serves by default and Drydock does not."""


def _singular(plural: str) -> str:
    return plural.removesuffix("s")


_NAMES = {name: names[0] for names in KINDS for name in (*names, _singular(names[0]))}
_REFUSALS = (
    re.compile(r'the server doesn\'t have a resource type "([A-Za-z]+)[."]'),
    re.compile(r"could not find the requested resource \((?:get|post|put|patch|delete) ([a-z]+)"),
    re.compile(r'no matches for kind "([A-Za-z]+)" in version'),
)


def sentence(said: str) -> str | None:
    """What kubectl's refusal means, when a real cluster would have served it."""
    if "Metrics API not available" in said:
        return "No metrics server answers in this cluster. One is installed as a workload is; a new cluster has none."
    for refusal in _REFUSALS:
        found = refusal.search(said)
        plural = _NAMES.get(found.group(1).lower()) if found is not None else None
        if plural is not None:
            return f"Drydock does not simulate {plural} (a real cluster does)."
    return None
