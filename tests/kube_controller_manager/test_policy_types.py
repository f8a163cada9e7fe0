"""What the status of a ValidatingAdmissionPolicy says of expressions that do not fit what it matches."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_controller_manager.validatingadmissionpolicy_status import MAX_TYPES, type_warnings

JSON = dict[str, Any]
APPS = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
MAPS = {"apiVersion": "v1", "kind": "ConfigMap"}
NOBODYS = {"apiVersion": "example.com/v1", "kind": "Nope"}
RULE = {"expression": "object.spec.replicas > 1"}
TYPO = {"expression": "object.spec.replica > 1"}


def undefined(kind: str, text: str, at: int, name: str) -> str:
    dots = "." * (at - 1)
    return f"apps/v1, Kind={kind}: ERROR: <input>:1:{at}: undefined field '{name}'\n | {text}\n | {dots}^\n"


def undeclared(kind: str, text: str) -> str:
    told = "undeclared reference to 'params' (in container '')"
    return f"apps/v1, Kind={kind}: ERROR: <input>:1:1: {told}\n | {text}\n | ^\n"


# id: (rules, what else the policy has, the warnings by where they belong)
POLICIES: dict[str, tuple[list[JSON], JSON, dict[str, str]]] = {
    "what fits": ([APPS], {"validations": [RULE]}, {}),
    "a typing error": (
        [APPS],
        {"validations": [RULE, TYPO]},
        {"spec.validations[1].expression": undefined("Deployment", TYPO["expression"], 12, "replica")},
    ),
    "of each kind": (
        [{**APPS, "resources": ["replicasets", "deployments"]}],
        {"validations": [TYPO]},
        {
            "spec.validations[0].expression": undefined("Deployment", TYPO["expression"], 12, "replica")
            + "\n"
            + undefined("ReplicaSet", TYPO["expression"], 12, "replica")
        },
    ),
    "in a message": (
        [APPS],
        {"validations": [{**RULE, "messageExpression": "object.nope"}]},
        {"spec.validations[0].messageExpression": undefined("Deployment", "object.nope", 7, "nope")},
    ),
    "in a variable's field": (
        [APPS],
        {
            "variables": [{"name": "s", "expression": "object.spec"}],
            "validations": [{"expression": "variables.s.no"}],
        },
        {"spec.validations[0].expression": undefined("Deployment", "variables.s.no", 12, "no")},
    ),
    "any version": ([{**APPS, "apiVersions": ["*"]}], {"validations": [TYPO]}, {}),
    "any resource": ([{**APPS, "resources": ["*", "deployments/scale"]}], {"validations": [TYPO]}, {}),
    "a resource that nobody serves": ([{**APPS, "resources": ["nopes"]}], {"validations": [TYPO]}, {}),
    "params": (
        [APPS],
        {"paramKind": MAPS, "validations": [{"expression": "params.data.x == 'y'"}]},
        {},
    ),
    "a field of params": (
        [APPS],
        {"paramKind": MAPS, "validations": [{"expression": "params.dat.x == 'y'"}]},
        {"spec.validations[0].expression": undefined("Deployment", "params.dat.x == 'y'", 7, "dat")},
    ),
    "params of a kind that nobody serves": (
        [APPS],
        {"paramKind": NOBODYS, "validations": [{"expression": "params.x == 1"}]},
        {"spec.validations[0].expression": undeclared("Deployment", "params.x == 1")},
    ),
}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(nodes=0, addons=False, freezing=True, strict=True)


@pytest.mark.parametrize(("rules", "spec", "told"), POLICIES.values(), ids=POLICIES)
def test_warnings(cluster: Cluster, rules: list[JSON], spec: JSON, told: dict[str, str]) -> None:
    found = type_warnings(cluster.scheme, {"matchConstraints": {"resourceRules": rules}, **spec})
    assert {each["fieldRef"]: each["warning"] for each in found} == told


def test_so_many_kinds_are_looked_at(cluster: Cluster) -> None:
    names = sorted(kind.resource for kind in cluster.scheme.kinds if kind.group == "" and kind.structure)
    assert len(names) > MAX_TYPES
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": names}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "object.nope"}]}
    (found,) = type_warnings(cluster.scheme, spec)
    assert found["warning"].count("Kind=") == MAX_TYPES


def test_the_status_says_it_once_for_each_generation(cluster: Cluster) -> None:
    fork = cluster.fork()
    policy: JSON = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "rule"},
        "spec": {"matchConstraints": {"resourceRules": [APPS]}, "validations": [TYPO]},
    }
    for validations, generation, count in (([TYPO], 1, 1), ([RULE], 2, 0)):
        policy["spec"]["validations"] = validations
        fork.apply(policy)
        fork.settle()
        status = (fork.get("validatingadmissionpolicies", "rule") or {})["status"]
        assert status["observedGeneration"] == generation
        assert len(status["typeChecking"].get("expressionWarnings", [])) == count
