"""Policies in CEL: what they refuse, warn of and let through, and what is said of a policy that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from apiserver_bench import Bench

from cluster_engine.kube_apiserver import UserInfo

JSON = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


def policy(name: str = "rule", match: JSON | None = None, **spec: Any) -> JSON:
    spec.setdefault("validations", [{"expression": "object.metadata.name != 'bad'"}])
    spec["matchConstraints"] = {"resourceRules": [RULE], **(match or {})}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def binding(name: str = "rule", actions: tuple[str, ...] = ("Deny",), **spec: Any) -> JSON:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"{name}-here"},
        "spec": {"policyName": name, "validationActions": list(actions), **spec},
    }


def config(name: str = "bad", **more: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}, "data": {"a": "1"}}


WHO = "ValidatingAdmissionPolicy 'rule' with binding 'rule-here' denied request: "
CALLED = 'configmaps "bad" is forbidden: '

ASKED = (
    "!authorizer.serviceAccount('default', 'x').group('').resource('pods').check('get').allowed()"
    " && !authorizer.requestResource.check('create').allowed()"
)

DENIED: dict[str, tuple[JSON, str]] = {
    "the expression itself is the message": (
        {},
        "failed expression: object.metadata.name != 'bad'",
    ),
    "a message": (
        {"validations": [{"expression": "false", "message": " no configuration today "}]},
        "no configuration today",
    ),
    "an expression for the message": (
        {"validations": [{"expression": "false", "messageExpression": "object.metadata.name + ' is bad'"}]},
        "bad is bad",
    ),
    "a message expression that fails falls back": (
        {"validations": [{"expression": "false", "messageExpression": "object.nope", "message": "plain"}]},
        "?must evaluate to string but got dyn",
    ),
    "a message expression that fails while it runs": (
        {
            "validations": [
                {"expression": "false", "messageExpression": "string(object.nope)", "message": "plain"}
            ]
        },
        "plain",
    ),
    "an error of the evaluation": (
        {"validations": [{"expression": "object.spec.x > 1"}]},
        "expression 'object.spec.x > 1' resulted in error: no such key: spec",
    ),
    "variables": (
        {
            "variables": [
                {"name": "n", "expression": "object.metadata.name"},
                {"name": "both", "expression": "variables.n + variables.n"},
            ],
            "validations": [
                {"expression": "variables.both == ''", "messageExpression": "string(variables.both)"}
            ],
        },
        "badbad",
    ),
    "a variable that fails": (
        {
            "variables": [{"name": "n", "expression": "object.nope"}],
            "validations": [{"expression": "variables.n == 1"}],
        },
        "expression 'variables.n == 1' resulted in error: "
        'composited variable "n" fails to evaluate: no such key: nope',
    ),
    "the request": (
        {
            "validations": [
                {
                    "expression": "false",
                    "messageExpression": "request.operation + ' ' + request.resource.resource + ' ' + "
                    "request.kind.kind + ' ' + request.namespace + ' ' + request.userInfo.username",
                }
            ]
        },
        "CREATE configmaps ConfigMap default kubernetes-admin",
    ),
    "the namespace": (
        {
            "validations": [
                {
                    "expression": "namespaceObject.metadata.creationTimestamp > timestamp(0) && false",
                    "messageExpression": "namespaceObject.metadata.name",
                }
            ]
        },
        "default",
    ),
    "who may do what": (
        {"validations": [{"expression": ASKED}]},
        f"failed expression: {ASKED}",
    ),
    "too expensive": (
        {"validations": [{"expression": "lists.range(2000).all(x, lists.range(2000).all(y, true))"}]},
        "expression 'lists.range(2000).all(x, lists.range(2000).all(y, true))' resulted in error: "
        "operation cancelled: actual cost limit exceeded",
    ),
    "a condition that fails": (
        {"matchConditions": [{"name": "c", "expression": "object.nope == 1"}]},
        "expression 'object.nope == 1' resulted in error: no such key: nope",
    ),
    "an audit annotation that fails": (
        {
            "validations": [{"expression": "true"}],
            "auditAnnotations": [{"key": "k", "valueExpression": "string(object.nope)"}],
        },
        "expression 'string(object.nope)' resulted in error: no such key: nope",
    ),
}


@pytest.mark.parametrize(("spec", "said"), DENIED.values(), ids=DENIED)
def test_denied(bench: Bench, spec: JSON, said: str) -> None:
    if said.startswith("?"):
        assert said[1:] in bench.error("POST", POLICIES, policy(**spec))[2]
        return
    bench.ok("POST", POLICIES, policy(**spec))
    bench.ok("POST", BINDINGS, binding())
    assert bench.error("POST", MAPS, config()) == (422, "Invalid", f"{CALLED}{WHO}{said}")


PASSED: dict[str, tuple[JSON, JSON]] = {
    "true": ({"validations": [{"expression": "true"}]}, {}),
    "a condition that is false": (
        {"matchConditions": [{"name": "c", "expression": "object.metadata.name == 'other'"}]},
        {},
    ),
    "a false condition beside one that fails": (
        {
            "matchConditions": [
                {"name": "a", "expression": "object.nope == 1"},
                {"name": "b", "expression": "false"},
            ]
        },
        {},
    ),
    "failures ignored": (
        {"failurePolicy": "Ignore", "validations": [{"expression": "object.nope"}]},
        {"said": "must evaluate to bool"},
    ),
    "errors ignored": (
        {"failurePolicy": "Ignore", "validations": [{"expression": "object.nope == 1"}]},
        {},
    ),
    "another operation": ({"match": {"resourceRules": [{**RULE, "operations": ["DELETE"]}]}}, {}),
    "another resource": ({"match": {"resourceRules": [{**RULE, "resources": ["secrets"]}]}}, {}),
    "a subresource": ({"match": {"resourceRules": [{**RULE, "resources": ["configmaps/status"]}]}}, {}),
    "another group": ({"match": {"resourceRules": [{**RULE, "apiGroups": ["apps"]}]}}, {}),
    "another scope": ({"match": {"resourceRules": [{**RULE, "scope": "Cluster"}]}}, {}),
    "other names": ({"match": {"resourceRules": [{**RULE, "resourceNames": ["good"]}]}}, {}),
    "excluded": ({"match": {"excludeResourceRules": [{**RULE, "operations": ["CREATE"]}]}}, {}),
    "other labels": ({"match": {"objectSelector": {"matchLabels": {"a": "b"}}}}, {}),
    "another namespace": ({"match": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}, {}),
    "a binding elsewhere": (
        {},
        {"matchResources": {"namespaceSelector": {"matchLabels": {"team": "a"}}}},
    ),
}


@pytest.mark.parametrize(("spec", "bound"), PASSED.values(), ids=PASSED)
def test_let_through(bench: Bench, spec: JSON, bound: JSON) -> None:
    if "said" in bound:
        assert bound["said"] in bench.error("POST", POLICIES, policy(**spec))[2]
        return
    bench.ok("POST", POLICIES, policy(**spec))
    bench.ok("POST", BINDINGS, binding(**bound))
    bench.ok("POST", MAPS, config())


REASONS = {"Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413, "Unauthorized": 401}


@pytest.mark.parametrize(("reason", "code"), REASONS.items(), ids=REASONS)
def test_a_reason_is_that_of_the_status(bench: Bench, reason: str, code: int) -> None:
    bench.ok("POST", POLICIES, policy(validations=[{"expression": "false", "reason": reason}]))
    bench.ok("POST", BINDINGS, binding())
    assert bench.error("POST", MAPS, config()) == (code, reason, f"{CALLED}{WHO}failed expression: false")


def test_the_message_is_a_cause(bench: Bench) -> None:
    bench.ok("POST", POLICIES, policy(validations=[{"expression": "false"}]))
    bench.ok("POST", BINDINGS, binding())
    response = bench.call("POST", MAPS, config())
    assert b'"causes":[{"message":"ValidatingAdmissionPolicy' in response.body


def test_warnings(bench: Bench) -> None:
    bench.ok("POST", POLICIES, policy(validations=[{"expression": "false", "message": "think twice"}]))
    bench.ok("POST", BINDINGS, binding(actions=("Warn", "Audit")))
    response = bench.call("POST", MAPS, config())
    assert response.status == 201
    assert response.warnings == (
        "Validation failed for ValidatingAdmissionPolicy 'rule' with binding 'rule-here': think twice",
    )


def test_policies_count_from_the_write_on_and_until_they_are_gone(bench: Bench) -> None:
    bench.ok("POST", MAPS, config())
    bench.ok("POST", POLICIES, policy())
    bench.ok("PUT", f"{MAPS}/bad", {**config(), "data": {"a": "2"}})
    bench.ok("POST", BINDINGS, binding())
    assert bench.error("PUT", f"{MAPS}/bad", {**config(), "data": {"a": "3"}})[0] == 422
    bench.ok("PUT", f"{POLICIES}/rule", policy(validations=[{"expression": "true"}]))
    bench.ok("PUT", f"{MAPS}/bad", {**config(), "data": {"a": "3"}})
    bench.ok("PUT", f"{POLICIES}/rule", policy())
    bench.ok("DELETE", f"{BINDINGS}/rule-here")
    bench.ok("PUT", f"{MAPS}/bad", {**config(), "data": {"a": "4"}})


def test_updates_and_deletes_see_what_was(bench: Bench) -> None:
    rules = [
        {
            "expression": "request.operation != 'UPDATE' || object.data == oldObject.data",
            "message": "no change",
        },
        {
            "expression": "request.operation != 'DELETE' || (object == null && oldObject == null)",
            "message": "kept",
        },
    ]
    bench.ok("POST", MAPS, config())
    bench.ok("POST", POLICIES, policy(validations=rules))
    bench.ok("POST", BINDINGS, binding())
    bench.ok("PUT", f"{MAPS}/bad", {**config(labels={"a": "b"})})
    changed = {**config(), "data": {"a": "2"}}
    assert bench.error("PUT", f"{MAPS}/bad", changed)[2].endswith("no change")
    assert bench.error("DELETE", f"{MAPS}/bad")[2].endswith("kept")


TOO_MANY = "failed expression: object.data.size() <= int(params.data.limit)"
NO_PARAMS = (
    "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
)
PARAMS: dict[str, tuple[JSON, JSON | None, str]] = {
    "named": ({"name": "limits"}, {"limit": "0"}, TOO_MANY),
    "named, large": ({"name": "limits"}, {"limit": "5"}, ""),
    "selected": ({"selector": {"matchLabels": {"p": "y"}}}, {"limit": "0"}, TOO_MANY),
    "none, denied": ({"name": "limits"}, None, NO_PARAMS),
    "none, allowed": ({"name": "limits", "parameterNotFoundAction": "Allow"}, None, ""),
}


@pytest.mark.parametrize(("ref", "data", "said"), PARAMS.values(), ids=PARAMS)
def test_params(bench: Bench, ref: JSON, data: JSON | None, said: str) -> None:
    if data is not None:
        bench.ok("POST", MAPS, {**config("limits", labels={"p": "y"}), "data": data})
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "object.data.size() <= int(params.data.limit)"}],
    }
    bench.ok("POST", POLICIES, policy(**spec))
    bench.ok("POST", BINDINGS, binding(paramRef={"parameterNotFoundAction": "Deny", **ref}))
    if said:
        assert bench.error("POST", MAPS, config())[2] == f"{CALLED}{WHO}{said}"
    else:
        bench.ok("POST", MAPS, config())


def test_a_param_kind_that_is_not_served(bench: Bench) -> None:
    bench.ok("POST", POLICIES, policy(paramKind={"apiVersion": "example.com/v1", "kind": "Limit"}))
    bench.ok("POST", BINDINGS, binding())
    assert bench.error("POST", MAPS, config())[2] == (
        f"{CALLED}ValidatingAdmissionPolicy 'rule' denied request: failed to configure policy: "
        "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'"
    )


def test_scale_is_another_resource(bench: Bench) -> None:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["deployments/scale"],
    }
    bench.ok(
        "POST",
        POLICIES,
        policy(
            match={"resourceRules": [rule]},
            validations=[{"expression": "object.kind == 'Scale' && object.spec.replicas < 3"}],
        ),
    )
    bench.ok("POST", BINDINGS, binding())
    path = "/apis/apps/v1/namespaces/default/deployments"
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}]},
            },
        },
    }
    bench.ok("POST", path, deployment)
    body = {"spec": {"replicas": 5}}
    merge = {"content_type": "application/merge-patch+json"}
    bench.ok("PATCH", f"{path}/web", body, **merge)
    assert bench.error("PATCH", f"{path}/web/scale", {"spec": {"replicas": 4}}, **merge)[0] == 422
    bench.ok("PATCH", f"{path}/web/scale", {"spec": {"replicas": 2}}, **merge)


def test_nobody_is_locked_out(bench: Bench) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*", "*"]}
    made = policy(
        match={"resourceRules": [{**everything, "resources": ["*/*"]}]}, validations=[{"expression": "false"}]
    )
    bench.ok("POST", POLICIES, made)
    bench.ok("POST", BINDINGS, binding())
    assert bench.error("POST", MAPS, config())[0] == 422
    assert bench.error("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}})[0] == 422
    bench.ok("DELETE", f"{BINDINGS}/rule-here")
    bench.ok("DELETE", f"{POLICIES}/rule")


def test_the_asker_is_who_is_asked_about(bench: Bench) -> None:
    rule = "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()"
    bench.ok("POST", POLICIES, policy(validations=[{"expression": rule}]))
    bench.ok("POST", BINDINGS, binding())
    controller = UserInfo("system:kube-controller-manager", groups=("system:authenticated",))
    bench.ok("POST", MAPS, config("one"))
    assert bench.error("POST", MAPS, config("two"), user=controller)[0] in (403, 422)


WRONG: dict[str, tuple[JSON, str]] = {
    "no bool": (
        {"validations": [{"expression": "1"}]},
        'spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int',
    ),
    "no such name": (
        {"validations": [{"expression": "nope"}]},
        'spec.validations[0].expression: Invalid value: "nope": compilation failed: '
        "ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')\n | nope\n | ^",
    ),
    "params without a kind": (
        {"validations": [{"expression": "params == null"}]},
        'spec.validations[0].expression: Invalid value: "params == null": compilation failed: '
        "ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params == null\n | ^",
    ),
    "no such field of the request": (
        {"validations": [{"expression": "request.nope == 1"}]},
        'spec.validations[0].expression: Invalid value: "request.nope == 1": compilation failed: '
        "ERROR: <input>:1:8: undefined field 'nope'\n | request.nope == 1\n | .......^",
    ),
    "no such variable": (
        {"validations": [{"expression": "variables.nope == 1"}]},
        'spec.validations[0].expression: Invalid value: "variables.nope == 1": compilation failed: '
        "ERROR: <input>:1:10: undefined field 'nope'\n | variables.nope == 1\n | .........^",
    ),
    "the authorizer in a message": (
        {
            "validations": [
                {"expression": "true", "messageExpression": "authorizer.path('/x').check('get').reason()"}
            ]
        },
        "spec.validations[0].messageExpression: Invalid value: \"authorizer.path('/x').check('get').reason()\": "
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n"
        " | authorizer.path('/x').check('get').reason()\n | ^",
    ),
    "a message that is no text": (
        {"validations": [{"expression": "true", "messageExpression": "1"}]},
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
    ),
    "an annotation that is neither": (
        {"auditAnnotations": [{"key": "k", "valueExpression": "1"}]},
        'spec.auditAnnotations[0].valueExpression: Invalid value: "1": '
        "must evaluate to one of [string null_type] but got int",
    ),
    "nothing": (
        {"validations": []},
        "[spec.validations: Required value: validations or auditAnnotations must contain at least one item, "
        "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item]",
    ),
    "a reason that is none": (
        {"validations": [{"expression": "true", "reason": "Tired"}]},
        'spec.validations[0].reason: Unsupported value: "Tired": '
        'supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
    ),
    "an empty expression": (
        {"validations": [{"expression": " "}]},
        "spec.validations[0].expression: Required value: expression is not specified",
    ),
    "a message of two lines": (
        {"validations": [{"expression": "true", "message": "a\nb"}]},
        'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
    ),
    "no rules": (
        {"match": {"resourceRules": []}},
        "spec.matchConstraints.resourceRules: Required value",
    ),
    "rules of everything": (
        {"match": {"resourceRules": [{**RULE, "apiGroups": ["*", "apps"], "operations": ["*", "READ"]}]}},
        '[spec.matchConstraints.resourceRules[0].operations: Invalid value: ["*","READ"]: '
        "if '*' is present, must not specify other operations, "
        'spec.matchConstraints.resourceRules[0].operations[1]: Unsupported value: "READ": supported values: '
        '"*", "CONNECT", "CREATE", "DELETE", "UPDATE", '
        'spec.matchConstraints.resourceRules[0].apiGroups: Invalid value: ["*","apps"]: '
        "if '*' is present, must not specify other API groups]",
    ),
    "a failure policy that is none": (
        {"failurePolicy": "Shrug"},
        'spec.failurePolicy: Unsupported value: "Shrug": supported values: "Fail", "Ignore"',
    ),
    "a variable's name": (
        {"variables": [{"name": "a-b", "expression": "1"}]},
        'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier',
    ),
    "conditions of one name": (
        {"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}]},
        'spec.matchConditions[1].name: Duplicate value: "a"',
    ),
    "a param kind": (
        {"paramKind": {"apiVersion": "a/b/c", "kind": ""}},
        '[spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c, '
        "spec.paramKind.kind: Required value]",
    ),
}


@pytest.mark.parametrize(("spec", "said"), WRONG.values(), ids=WRONG)
def test_a_policy_that_is_wrong(bench: Bench, spec: JSON, said: str) -> None:
    assert bench.error("POST", POLICIES, policy(**spec)) == (
        422,
        "Invalid",
        f'ValidatingAdmissionPolicy.admissionregistration.k8s.io "rule" is invalid: {said}',
    )


WRONG_BINDINGS: dict[str, tuple[JSON, str]] = {
    "no actions": (
        {"validationActions": []},
        "spec.validationActions: Required value: at least one validation action is required",
    ),
    "deny and warn": (
        {"validationActions": ["Deny", "Warn"]},
        'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn '
        "(repeating the same validation failure information in the API response and headers serves no purpose)",
    ),
    "no policy": ({"policyName": ""}, "spec.policyName: Required value"),
    "two ways to params": (
        {"paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Deny"}},
        "[spec.paramRef.name: Forbidden: name and selector are mutually exclusive, "
        "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive]",
    ),
    "no way to params": (
        {"paramRef": {}},
        "[spec.paramRef: Required value: one of name or selector must be specified, "
        "spec.paramRef.parameterNotFoundAction: Required value]",
    ),
}


@pytest.mark.parametrize(("spec", "said"), WRONG_BINDINGS.values(), ids=WRONG_BINDINGS)
def test_a_binding_that_is_wrong(bench: Bench, spec: JSON, said: str) -> None:
    assert bench.error("POST", BINDINGS, {**binding(), "spec": {**binding()["spec"], **spec}}) == (
        422,
        "Invalid",
        f'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "rule-here" is invalid: {said}',
    )
