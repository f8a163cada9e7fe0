"""nodeSelector and node affinity. Models plugins/nodeaffinity and component-helpers/scheduling/corev1."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) didn't match Pod's node affinity/selector")
_NOT_NAMED = unresolvable("node(s) didn't satisfy plugin(s) [NodeAffinity]")


def matches_expression(expression: JSON, labels: Mapping[str, str]) -> bool:
    """One requirement of a node selector term against labels (or fields)."""
    key, operator, values = (
        expression.get("key", ""),
        expression.get("operator"),
        expression.get("values") or [],
    )
    value = labels.get(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if operator in ("Gt", "Lt") and value is not None and len(values) == 1:
        try:
            have, bound = int(value), int(values[0])
        except ValueError:
            return False
        return have > bound if operator == "Gt" else have < bound
    return False


def matches_term(term: JSON, node: NodeInfo) -> bool:
    """Whether all requirements of a term hold; an empty term matches no node."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(matches_expression(e, node.labels) for e in expressions) and all(
        matches_expression(f, {"metadata.name": node.name}) for f in fields
    )


def required_terms(shape: Shape) -> list[JSON] | None:
    """The terms of the required node affinity; None when there is none."""
    required = get(shape.affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def matches(shape: Shape, node: NodeInfo) -> bool:
    """nodeSelector and required node affinity together (GetRequiredNodeAffinity)."""
    labels = node.labels
    if any(labels.get(key) != value for key, value in shape.node_selector.items()):
        return False
    terms = required_terms(shape)
    return terms is None or any(matches_term(term, node) for term in terms)


def _names(terms: list[JSON]) -> set[str] | None:
    """The nodes that the terms name through metadata.name; None when some term names none."""
    names: set[str] = set()
    for term in terms:
        named = [
            set(f.get("values") or ())
            for f in term.get("matchFields") or ()
            if f.get("key") == "metadata.name" and f.get("operator") == "In"
        ]
        if not named:
            return None
        names |= set.intersection(*named)
    return names


class NodeAffinity(Plugin):
    """Refuses nodes without the labels that the Pod requires; prefers those that it prefers."""

    name = "NodeAffinity"
    scope = "node"
    weight = 2
    normalized = True
    events = ("node/add", "node/labels")

    def applies(self, shape: Shape) -> bool:
        return bool(shape.node_selector or shape.affinity.get("nodeAffinity"))

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if matches(pod.shape, node):
            return None
        terms = required_terms(pod.shape)
        if terms:
            names = _names(terms)
            if names is not None and node.name not in names:
                return _NOT_NAMED
        return _REFUSAL

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        preferred = get(
            pod.shape.affinity, "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution", default=()
        )
        return sum(
            term.get("weight") or 0 for term in preferred if matches_term(term.get("preference") or {}, node)
        )

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=False)
