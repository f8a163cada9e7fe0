"""Which objects a quota's scopes let it count, operator by operator."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.component_helpers.quota import concerns

JSON = dict[str, Any]
SPEC = {"containers": [{"name": "c", "image": "i"}]}
BURSTS = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]}
TERM = {"topologyKey": "zone", "labelSelector": {}, "namespaceSelector": {}}
FAR = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}}
GOLD, SILVER = ({"volumeAttributesClassName": name} for name in ("gold", "silver"))
MOVING = {"status": {"modifyVolumeStatus": {"targetVolumeAttributesClassName": "gold"}}}
HAD = {"spec": SILVER, "status": {"currentVolumeAttributesClassName": "gold"}}
VAC, CLASS = "VolumeAttributesClass", "PriorityClass"


def pod(**spec: Any) -> JSON:
    return {"spec": {**SPEC, **spec}}


# id: (object, scope, operator, values, whether it is counted)
TERMS: dict[str, tuple[JSON, str, str, list[str], bool]] = {
    "a class that is there": (pod(priorityClassName="high"), CLASS, "Exists", [], True),
    "none": (pod(), CLASS, "Exists", [], False),
    "no class wanted, and none": (pod(), CLASS, "DoesNotExist", [], True),
    "no class wanted, and one": (pod(priorityClassName="high"), CLASS, "DoesNotExist", [], False),
    "one of these": (pod(priorityClassName="high"), CLASS, "In", ["low", "high"], True),
    "another": (pod(priorityClassName="mid"), CLASS, "In", ["low", "high"], False),
    "none of these, as none is there": (pod(), CLASS, "In", ["low"], False),
    "not one of these": (pod(priorityClassName="mid"), CLASS, "NotIn", ["low", "high"], True),
    "none is not one of these either": (pod(), CLASS, "NotIn", ["low"], True),
    "one that shall not": (pod(priorityClassName="low"), CLASS, "NotIn", ["low"], False),
    "with a deadline": (pod(activeDeadlineSeconds=5), "Terminating", "Exists", [], True),
    "without one": (pod(), "NotTerminating", "Exists", [], True),
    "without any request": (pod(), "BestEffort", "Exists", [], True),
    "with a request": ({"spec": BURSTS}, "NotBestEffort", "Exists", [], True),
    "far from others' Pods": (pod(affinity=FAR), "CrossNamespacePodAffinity", "Exists", [], True),
    "far from nobody's": (pod(), "CrossNamespacePodAffinity", "Exists", [], False),
    "a claim's class": ({"spec": GOLD}, VAC, "In", ["gold"], True),
    "another class of a claim": ({"spec": SILVER}, VAC, "In", ["gold"], False),
    "a claim on its way to it": ({"spec": SILVER, **MOVING}, VAC, "In", ["gold"], True),
    "a claim that still has it": (HAD, VAC, "In", ["gold"], True),
    "a claim with both is another, too": (HAD, VAC, "NotIn", ["gold"], True),
    "a claim without any": ({"spec": {}}, VAC, "DoesNotExist", [], True),
    "a claim with one on its way": ({"spec": {}, **MOVING}, VAC, "Exists", [], True),
}


@pytest.mark.parametrize(("obj", "scope", "operator", "values", "counted"), TERMS.values(), ids=TERMS)
def test_operators(obj: JSON, scope: str, operator: str, values: list[str], counted: bool) -> None:
    resource = "persistentvolumeclaims" if scope == VAC else "pods"
    term = {"scopeName": scope, "operator": operator, "values": values}
    quota = {
        "spec": {"scopeSelector": {"matchExpressions": [term]}},
        "status": {"hard": {resource: "1"}},
    }
    assert concerns(quota, resource, obj) == counted
