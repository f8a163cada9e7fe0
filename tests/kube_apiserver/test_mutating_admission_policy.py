"""Policies in CEL that change what is written."""

from __future__ import annotations

from typing import Any

import pytest
from apiserver_bench import PODS, Bench, pod

JSON = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/mutatingadmissionpolicies", f"{GROUP}/mutatingadmissionpolicybindings"
MAPS = "/api/v1/namespaces/default/configmaps"


def rule(resource: str) -> JSON:
    return {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": [resource]}


def apply(text: str) -> JSON:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": text}}


def patch(text: str) -> JSON:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": text}}


def policy(*mutations: JSON, name: str = "add", resource: str = "configmaps", **spec: Any) -> JSON:
    spec.setdefault("reinvocationPolicy", "Never")
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule(resource)]},
            "mutations": list(mutations),
            **spec,
        },
    }


def binding(name: str = "add", **spec: Any) -> JSON:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": f"{name}-here"},
        "spec": {"policyName": name, **spec},
    }


def config(**more: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}, **more}


DATA: dict[str, tuple[tuple[JSON, ...], JSON]] = {
    "a configuration": ((apply("Object{data: {'b': '2'}}"),), {"a": "1", "b": "2"}),
    "what it saw": ((apply("Object{data: {'a': object.data.a + '!'}}"),), {"a": "1!"}),
    "two, in order": (
        (apply("Object{data: {'b': '2'}}"), apply("Object{data: {'c': object.data.b}}")),
        {"a": "1", "b": "2", "c": "2"},
    ),
    "a patch": (
        (patch("[JSONPatch{op: 'add', path: '/data/b', value: '2'}]"),),
        {"a": "1", "b": "2"},
    ),
    "a patch with an escaped key": (
        (patch("[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('x.y'), value: 'z'}]"),),
        {"a": "1", "x.y": "z"},
    ),
    "a patch that is removed": ((patch("[JSONPatch{op: 'remove', path: '/data/a'}]"),), {}),
    "a test that fails": (
        (
            patch(
                "[JSONPatch{op: 'test', path: '/data/a', value: '9'}, JSONPatch{op: 'remove', path: '/data/a'}]"
            ),
        ),
        {"a": "1"},
    ),
    "an optional field": ((apply("Object{?data: optional.none()}"),), {"a": "1"}),
}


@pytest.mark.parametrize(("mutations", "data"), DATA.values(), ids=DATA)
def test_mutated(bench: Bench, mutations: tuple[JSON, ...], data: JSON) -> None:
    bench.ok("POST", POLICIES, policy(*mutations))
    bench.ok("POST", BINDINGS, binding())
    assert bench.ok("POST", MAPS, config()).get("data") == (data or None)


def test_a_sidecar_for_every_pod(bench: Bench) -> None:
    text = """!object.spec.containers.exists(c, c.name == 'proxy') ?
        Object{spec: Object.spec{containers: [Object.spec.containers{name: 'proxy', image: 'proxy:1'}]}} : Object{}"""
    bench.ok("POST", POLICIES, policy(apply(text), resource="pods"))
    bench.ok("POST", BINDINGS, binding())
    made = bench.ok("POST", PODS, pod())
    assert [c["name"] for c in made["spec"]["containers"]][-1] == "proxy"
    assert made["spec"]["containers"][-1]["terminationMessagePath"] == "/dev/termination-log"


def test_variables_params_and_conditions(bench: Bench) -> None:
    bench.ok("POST", MAPS, {**config(data={"suffix": "?"}), "metadata": {"name": "settings"}})
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "variables": [{"name": "wanted", "expression": "object.data.a + params.data.suffix"}],
        "matchConditions": [{"name": "c", "expression": "!('skip' in object.data)"}],
    }
    bench.ok("POST", POLICIES, policy(apply("Object{data: {'b': string(variables.wanted)}}"), **spec))
    ref = {"name": "settings", "parameterNotFoundAction": "Deny"}
    bench.ok("POST", BINDINGS, binding(paramRef=ref))
    assert bench.ok("POST", MAPS, config())["data"] == {"a": "1", "b": "1?"}
    skipped = {**config(data={"skip": ""}), "metadata": {"name": "d"}}
    assert bench.ok("POST", MAPS, skipped)["data"] == {"skip": ""}


@pytest.mark.parametrize(("again", "count"), [("Never", "1"), ("IfNeeded", "2")])
def test_an_earlier_policy_is_asked_again_when_needed(bench: Bench, again: str, count: str) -> None:
    counted = apply("Object{data: {'n': string('n' in object.data ? int(object.data.n) + 1 : 1)}}")
    bench.ok("POST", POLICIES, policy(counted, name="a", reinvocationPolicy=again))
    bench.ok("POST", BINDINGS, binding("a"))
    bench.ok("POST", POLICIES, policy(apply("Object{data: {'z': '1'}}"), name="b"))
    bench.ok("POST", BINDINGS, binding("b"))
    assert bench.ok("POST", MAPS, config())["data"]["n"] == count


FAILS: dict[str, tuple[JSON, str, str]] = {
    "an error": (
        apply("Object{data: {'b': object.nope}}"),
        "configmaps",
        "expression 'Object{data: {'b': object.nope}}' resulted in error: no such key: nope",
    ),
    "a field that is none": (
        apply("Object{nope: 1}"),
        "configmaps",
        "error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema",
    ),
    "an atomic list": (
        apply(
            "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'main', command: ['sh']}]}}"
        ),
        "pods",
        "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: "
        ".spec.containers[0].command",
    ),
    "a name that is not where it stands": (
        apply("Object{spec: Object.wrong{}}"),
        "pods",
        'type mismatch: unexpected type name "Object.wrong", expected "Object.spec", which matches field name path '
        "from root Object type",
    ),
    "an object without metadata": (
        patch("[JSONPatch{op: 'remove', path: '/metadata'}]"),
        "configmaps",
        "error applying patch: metadata.name may not be changed by a policy",
    ),
    "another name": (
        apply("Object{metadata: Object.metadata{name: 'x'}}"),
        "configmaps",
        "error applying patch: metadata.name may not be changed by a policy",
    ),
    "a kind": (
        patch("[JSONPatch{op: 'replace', path: '/kind', value: 'Secret'}]"),
        "configmaps",
        "error applying patch: kind may not be changed by a policy",
    ),
    "no list": (
        patch("[JSONPatch{op: 'add', path: '/data/b', value: {'c': 'd'}}]"),
        "configmaps",
        "error applying patch: ",
    ),
    "a patch of nothing": (
        patch("[JSONPatch{op: 'remove', path: '/data/nope'}]"),
        "configmaps",
        "JSONPath: ",
    ),
}


@pytest.mark.parametrize(("mutation", "resource", "said"), FAILS.values(), ids=FAILS)
def test_a_mutation_that_fails(bench: Bench, mutation: JSON, resource: str, said: str) -> None:
    bench.ok("POST", POLICIES, policy(mutation, resource=resource))
    bench.ok("POST", BINDINGS, binding())
    body, path = (pod(), PODS) if resource == "pods" else (config(), MAPS)
    code, reason, message = bench.error("POST", path, body)
    assert (code, reason) == (403, "Invalid")
    assert message.startswith(f"policy 'add' with binding 'add-here' denied request: {said}")
    bench.ok("PUT", f"{POLICIES}/add", policy(mutation, resource=resource, failurePolicy="Ignore"))
    bench.ok("POST", path, body)


WRONG: dict[str, tuple[JSON, str]] = {
    "nothing": (policy(), "spec.mutations: Required value: mutations must contain at least one item"),
    "no object": (
        policy(apply("1")),
        'spec.mutations[0].applyConfiguration.expression: Invalid value: "1": must evaluate to Object but got int',
    ),
    "no patch": (
        policy(patch("['a']")),
        "spec.mutations[0].jsonPatch.expression: Invalid value: \"['a']\": "
        "must evaluate to list(JSONPatch) but got list(string)",
    ),
    "a patch type": (
        policy({"patchType": "Magic"}),
        'spec.mutations[0].patchType: Unsupported value: "Magic": supported values: "ApplyConfiguration", "JSONPatch"',
    ),
    "a reinvocation policy": (
        policy(apply("Object{}"), reinvocationPolicy="Often"),
        'spec.reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"',
    ),
    "a message that is none": (
        policy(apply("Thing{}")),
        'spec.mutations[0].applyConfiguration.expression: Invalid value: "Thing{}": compilation failed: '
        "ERROR: <input>:1:6: undeclared reference to 'Thing' (in container '')\n | Thing{}\n | .....^",
    ),
}


@pytest.mark.parametrize(("made", "said"), WRONG.values(), ids=WRONG)
def test_a_policy_that_is_wrong(bench: Bench, made: JSON, said: str) -> None:
    assert bench.error("POST", POLICIES, made) == (
        422,
        "Invalid",
        f'MutatingAdmissionPolicy.admissionregistration.k8s.io "add" is invalid: {said}',
    )
