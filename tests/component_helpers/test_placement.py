"""The rules that scheduler, controllers and kubelet share: taints, node affinity, requests, QoS."""

from __future__ import annotations

import pytest

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import SelectorError
from cluster_engine.component_helpers.node_affinity import PreferredNodeAffinity, RequiredNodeAffinity
from cluster_engine.component_helpers.requests import pod_requests
from cluster_engine.component_helpers.tolerations import tolerates, untolerated

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}

TOLERATIONS: dict[str, tuple[JSON, bool]] = {
    "the same": ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
    "equal is the default": ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
    "any effect": ({"key": "k", "value": "v"}, True),
    "another effect": ({"key": "k", "value": "v", "effect": "NoExecute"}, False),
    "another value": ({"key": "k", "value": "w"}, False),
    "another key": ({"key": "j", "value": "v"}, False),
    "exists": ({"key": "k", "operator": "Exists"}, True),
    "everything": ({"operator": "Exists"}, True),
    "comparison is off": ({"key": "k", "operator": "Gt", "value": "0"}, False),
}


@pytest.mark.parametrize(("toleration", "expected"), TOLERATIONS.values(), ids=TOLERATIONS.keys())
def test_tolerates(toleration: JSON, expected: bool) -> None:
    assert tolerates(toleration, TAINT) is expected


def test_the_first_untolerated_taint() -> None:
    soft = {"key": "s", "effect": "PreferNoSchedule"}
    hard = {"key": "h", "effect": "NoExecute"}
    tolerations = [{"key": "k", "operator": "Exists"}]
    assert untolerated([soft, TAINT, hard], tolerations) is hard
    assert untolerated([soft, TAINT], tolerations) is None
    assert untolerated([soft], tolerations, ("PreferNoSchedule",)) is soft


def expressions(*items: tuple[str, str, list[str]]) -> JSON:
    return {"matchExpressions": [{"key": k, "operator": o, "values": v} for k, o, v in items]}


def required(*terms: JSON, selector: dict[str, str] | None = None) -> JSON:
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"nodeSelector": selector or {}, "affinity": {"nodeAffinity": affinity}}


NAMED = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
AFFINITY: dict[str, tuple[JSON, bool]] = {
    "nothing asked": ({}, True),
    "selector": ({"nodeSelector": {"disk": "ssd"}}, True),
    "selector misses": ({"nodeSelector": {"disk": "hdd"}}, False),
    "In": (required(expressions(("disk", "In", ["hdd", "ssd"]))), True),
    "NotIn": (required(expressions(("disk", "NotIn", ["ssd"]))), False),
    "NotIn without the label": (required(expressions(("other", "NotIn", ["ssd"]))), True),
    "Exists": (required(expressions(("disk", "Exists", []))), True),
    "DoesNotExist": (required(expressions(("disk", "DoesNotExist", []))), False),
    "Gt": (required(expressions(("deck", "Gt", ["3"]))), True),
    "Lt": (required(expressions(("deck", "Lt", ["3"]))), False),
    "Gt of a word": (required(expressions(("disk", "Gt", ["3"]))), False),
    "all of a term": (required(expressions(("disk", "Exists", []), ("deck", "Lt", ["3"]))), False),
    "any of the terms": (
        required(expressions(("deck", "Lt", ["3"])), expressions(("disk", "Exists", []))),
        True,
    ),
    "an empty term matches nothing": (required({}), False),
    "no terms": (required(), False),
    "by name": (required(NAMED), True),
    "selector and affinity": (required(NAMED, selector={"disk": "hdd"}), False),
    "a term that cannot be read matches nothing": (required(expressions(("deck", "Gt", ["x"]))), False),
}


@pytest.mark.parametrize(("spec", "expected"), AFFINITY.values(), ids=AFFINITY.keys())
def test_required_node_affinity(spec: JSON, expected: bool) -> None:
    assert RequiredNodeAffinity(spec).matches({"disk": "ssd", "deck": "5"}, "n1") is expected


NAMES = {
    "no terms": ({}, None),
    "one names": (required(NAMED), {"n1"}),
    "one does not": (required(NAMED, expressions(("disk", "Exists", []))), None),
}


@pytest.mark.parametrize(("spec", "expected"), NAMES.values(), ids=NAMES.keys())
def test_names(spec: JSON, expected: set[str] | None) -> None:
    assert RequiredNodeAffinity(spec).names() == expected


def preferred(*items: tuple[int, JSON]) -> JSON:
    terms = [{"weight": weight, "preference": term} for weight, term in items]
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}}


def test_preferred_node_affinity() -> None:
    ssd, low = expressions(("disk", "In", ["ssd"])), expressions(("deck", "Lt", ["3"]))
    asked = PreferredNodeAffinity(preferred((10, ssd), (20, low), (40, {})))
    assert asked.score({"disk": "ssd", "deck": "5"}, "n") == 10
    assert asked.score({"disk": "ssd", "deck": "1"}, "n") == 30
    assert not PreferredNodeAffinity({})


def test_a_preferred_term_that_cannot_be_read() -> None:
    with pytest.raises(SelectorError) as raised:
        PreferredNodeAffinity(preferred((1, expressions(("deck", "Gt", ["x"])))))
    assert str(raised.value) == (
        '[0].matchExpressions[0].values[0]: Invalid value: "x": '
        "for 'Gt', 'Lt' operators, the value must be an integer"
    )


def asks(cpu: str, always: bool = False) -> JSON:
    container: JSON = {"resources": {"requests": {"cpu": cpu}}}
    return {**container, "restartPolicy": "Always"} if always else container


REQUESTS: dict[str, tuple[JSON, dict[str, int]]] = {
    "nothing": ({"containers": [{}]}, {}),
    "containers add up": ({"containers": [asks("1"), asks("1")]}, {"cpu": 2000}),
    "greatest init container": (
        {"containers": [asks("1")], "initContainers": [asks("3"), asks("2")]},
        {"cpu": 3000},
    ),
    "init containers below the sum": (
        {"containers": [asks("4")], "initContainers": [asks("3")]},
        {"cpu": 4000},
    ),
    "sidecars count beside both": (
        {"containers": [asks("1")], "initContainers": [asks("2", always=True), asks("2")]},
        {"cpu": 4000},
    ),
    "a sidecar after the init container does not count beside it": (
        {"containers": [asks("1")], "initContainers": [asks("4"), asks("2", always=True)]},
        {"cpu": 4000},
    ),
    "overhead": ({"containers": [{}], "overhead": {"memory": "1Ki"}}, {"memory": 1024}),
    "the Pod's own requests replace the sum": (
        {"containers": [asks("1")], "resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "1"}},
        {"cpu": 3000},
    ),
}


@pytest.mark.parametrize(("spec", "expected"), REQUESTS.values(), ids=REQUESTS.keys())
def test_pod_requests(spec: JSON, expected: dict[str, int]) -> None:
    assert pod_requests(spec) == expected


def test_small_amounts_where_nothing_is_asked() -> None:
    found = pod_requests({"containers": [{}, asks("1")]}, defaults=True)
    assert found == {"cpu": 1100, "memory": 2 * 200 * 1024 * 1024}
