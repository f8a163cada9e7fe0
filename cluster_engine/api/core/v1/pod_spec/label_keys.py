"""matchLabelKeys and mismatchLabelKeys become part of the selectors, with the Pod's own values.

Models pkg/registry/core/pod/strategy.go (mutatePodAffinity, mutateTopologySpreadConstraints).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cluster_engine.apimachinery.cow import JSON

from .sharing import mapped

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def merge_label_keys(spec: JSON, labels: Mapping[str, str]) -> JSON:
    """The spec of a new Pod with these labels; the same object when no key is named."""
    constraints, affinity = spec.get("topologySpreadConstraints"), spec.get("affinity")
    out = spec
    if constraints:
        made = mapped(constraints, lambda constraint: _merge(constraint, labels))
        if made is not constraints:
            out = {**out, "topologySpreadConstraints": made}
    if affinity:
        merged = affinity
        for field in ("podAffinity", "podAntiAffinity"):
            if affinity.get(field):
                changed = _merge_affinity(affinity[field], labels)
                if changed is not affinity[field]:
                    merged = {**merged, field: changed}
        if merged is not affinity:
            out = {**out, "affinity": merged}
    return out


def _merge(term: JSON, labels: Mapping[str, str]) -> JSON:
    if term.get("labelSelector") is None:
        return term
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(field) or ()
        if key in labels
    ]
    if not added:
        return term
    selector = term["labelSelector"]
    merged = {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *added]}
    return {**term, "labelSelector": merged}


def _merge_affinity(affinity: JSON, labels: Mapping[str, str]) -> JSON:
    def weighted(preferred: JSON) -> JSON:
        term = preferred.get("podAffinityTerm")
        made = _merge(term, labels) if term else term
        return preferred if made is term else {**preferred, "podAffinityTerm": made}

    changes: tuple[tuple[str, Callable[[JSON], JSON]], ...] = (
        (_REQUIRED, lambda term: _merge(term, labels)),
        (_PREFERRED, weighted),
    )
    out = affinity
    for field, change in changes:
        terms = affinity.get(field)
        if terms:
            made = mapped(terms, change)
            if made is not terms:
                out = {**out, field: made}
    return out
