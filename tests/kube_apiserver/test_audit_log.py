# ruff: noqa: E501 (one case a line)
"""The audit log by a Policy: what is told of which request, and where it lies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response, UserInfo
from cluster_engine.kube_apiserver.admission.validating_admission_policy import MAX_ANNOTATION
from cluster_engine.kube_apiserver.audit import PolicyError, loaded
from cluster_engine.kube_apiserver.audit.policy import POLICIES_KEPT
from cluster_engine.kube_apiserver.requests import parse
from cluster_engine.kubelet import audit_files
from cluster_engine.linux.files import tree
from tests.kubelet.test_node_logins import Login

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
LOG = "/var/log/kubernetes/audit/audit.log"
JANE = UserInfo("jane", groups=("dev", "system:authenticated"))
SECRETS = "/api/v1/namespaces/default/secrets"
PODS = "/api/v1/namespaces/default/pods"
HEADERS = {"content-type": "application/json", "accept": "application/json", "user-agent": "kubectl/v1.37.0"}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}

ERRORS: dict[str, tuple[str, str]] = {
    "no kind": ("rules: []", "failed decoding: Object 'Kind' is missing in 'rules: []'"),
    "another kind": ("apiVersion: v1\nkind: Pod", 'failed decoding: no kind "Pod" is registered for version "v1" in scheme "k8s.io/apiserver/pkg/audit/scheme.go:29"'),
    "an old version": ("apiVersion: audit.k8s.io/v1beta1\nkind: Policy", 'failed decoding: no kind "Policy" is registered for version "audit.k8s.io/v1beta1" in scheme "k8s.io/apiserver/pkg/audit/scheme.go:29"'),
    "no rules": (HEAD, "loaded illegal policy with 0 rules"),
    "no level": (HEAD + "rules: [{verbs: [get]}]", "rules[0].level: Required value"),
    "a level": (HEAD + "rules: [{level: Everything}]", 'rules[0].level: Unsupported value: "Everything": supported values: "None", "Metadata", "Request", "RequestResponse"'),
    "a relative URL": (HEAD + "rules: [{level: None, nonResourceURLs: [healthz]}]", "rules[0].nonResourceURLs[0]: Invalid value: \"healthz\": non-resource URL rules must begin with a '/' character"),
    "a star within": (HEAD + "rules: [{level: None, nonResourceURLs: ['/a*/b']}]", "rules[0].nonResourceURLs[0]: Invalid value: \"/a*/b\": non-resource URL wildcards '*' must be the final character of the rule"),
    "both": (HEAD + "rules: [{level: None, nonResourceURLs: ['/api'], namespaces: [a]}]", 'rules[0].nonResourceURLs: Invalid value: ["/api"]: rules cannot apply to both regular resources and non-resource URLs'),
    "a group with its version": (HEAD + "rules: [{level: None, resources: [{group: rbac.authorization.k8s.io/v1}]}]", "rules[0].resources.group: Invalid value: \"rbac.authorization.k8s.io/v1\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"),
    "names alone": (HEAD + "rules: [{level: None, resources: [{resourceNames: [a]}]}]", 'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource'),
    "a stage": (HEAD + "rules: [{level: None, omitStages: [Later]}]", 'rules[0].omitStages[0]: Invalid value: "Later": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic'),
    "several": (HEAD + "rules: [{}, {level: X}]", '[rules[0].level: Required value, rules[1].level: Unsupported value: "X": supported values: "None", "Metadata", "Request", "RequestResponse"]'),
    "too many": (HEAD + "rules: [" + "{level: None}," * 1_001 + "]", "a policy may have 1000 rules here (a real cluster takes more)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), list(ERRORS.values()), ids=list(ERRORS))
def test_a_policy_that_is_none(text: str, why: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Cluster(nodes=1, audit_policy=text)
    assert str(caught.value) == f"loading audit policy file: {why}"


MATCHES: dict[str, tuple[str, str, str, UserInfo, bool]] = {
    "everything": ("{}", "GET", PODS, JANE, True),
    "a user": ("{users: [jane]}", "GET", PODS, JANE, True),
    "another user": ("{users: [joe]}", "GET", PODS, JANE, False),
    "a group of users": ("{userGroups: [ops, dev]}", "GET", PODS, JANE, True),
    "another group of users": ("{userGroups: [ops]}", "GET", PODS, JANE, False),
    "a verb": ("{verbs: [list]}", "GET", PODS, JANE, True),
    "another verb": ("{verbs: [get]}", "GET", PODS, JANE, False),
    "a namespace": ("{namespaces: [default]}", "GET", PODS, JANE, True),
    "another namespace": ("{namespaces: [kube-system]}", "GET", PODS, JANE, False),
    "no namespace": ("{namespaces: ['']}", "GET", "/api/v1/nodes", JANE, True),
    "a namespace, of a path": ("{namespaces: ['']}", "GET", "/healthz", JANE, False),
    "a group": ("{resources: [{group: apps}]}", "GET", "/apis/apps/v1/namespaces/default/deployments", JANE, True),
    "another group": ("{resources: [{group: apps}]}", "GET", PODS, JANE, False),
    "a resource": ("{resources: [{resources: [pods]}]}", "GET", PODS, JANE, True),
    "a resource without its subresource": ("{resources: [{resources: [pods]}]}", "GET", f"{PODS}/a/log", JANE, False),
    "a subresource": ("{resources: [{resources: [pods/log]}]}", "GET", f"{PODS}/a/log", JANE, True),
    "all subresources": ("{resources: [{resources: ['pods/*']}]}", "GET", f"{PODS}/a/log", JANE, True),
    "all subresources, and the resource": ("{resources: [{resources: ['pods/*']}]}", "GET", PODS, JANE, True),
    "a subresource of all": ("{resources: [{resources: ['*/log']}]}", "GET", f"{PODS}/a/log", JANE, True),
    "all resources": ("{resources: [{resources: ['*']}]}", "GET", f"{PODS}/a/log", JANE, True),
    "a name": ("{resources: [{resources: [pods], resourceNames: [a]}]}", "GET", f"{PODS}/a", JANE, True),
    "another name": ("{resources: [{resources: [pods], resourceNames: [a]}]}", "GET", f"{PODS}/b", JANE, False),
    "a path": ("{nonResourceURLs: [/healthz]}", "GET", "/healthz", JANE, True),
    "paths below": ("{nonResourceURLs: ['/healthz*']}", "GET", "/healthz/ping", JANE, True),
    "all paths": ("{nonResourceURLs: ['*']}", "GET", "/version", JANE, True),
    "all paths, of a resource": ("{nonResourceURLs: ['*']}", "GET", PODS, JANE, False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "method", "path", "user", "matches"), list(MATCHES.values()), ids=list(MATCHES)
)
def test_a_rule(rule: str, method: str, path: str, user: UserInfo, matches: bool) -> None:
    rules = "{level: Metadata}" if rule == "{}" else f"{{level: Metadata, {rule[1:]}"
    policy = loaded(f"{HEAD}rules: [{rules}]")
    assert policy.of(user, parse(Request(method, path))).level == ("Metadata" if matches else "None")


def test_the_first_rule_that_matches_decides() -> None:
    rules = "[{level: None, users: [jane], omitStages: [Panic]}, {level: Request, omitManagedFields: false}, {level: Metadata}]"
    policy = loaded(f"{HEAD}omitStages: [RequestReceived]\nomitManagedFields: true\nrules: {rules}")
    info = parse(Request("GET", PODS))
    assert policy.of(JANE, info) == ("None", {"RequestReceived", "Panic"}, True)
    assert policy.of(ADMIN, info) == ("Request", {"RequestReceived"}, False)


# ---- the log ---------------------------------------------------------------------------------------------


def audited(rules: str, **options: Any) -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True, audit_policy=HEAD + rules, **options)
    cluster.settle()
    return cluster


def ask(cluster: Cluster, method: str, path: str, body: Any = None, user: UserInfo = ADMIN, query: Any = (), **headers: str) -> Response:  # fmt: skip
    data = b"" if body is None else json.dumps(body).encode()
    return cluster.request(Request(method, path, list(query), {**HEADERS, **headers}, data, user))


def lines(cluster: Cluster) -> list[dict[str, Any]]:
    """What somebody reads who has logged in to the machine of the control plane."""
    login = Login(cluster, "control-plane", ["bash", "-c", f"cat {LOG}"])
    return [json.loads(line) for line in login.said.splitlines()] if login.status == 0 else []


def test_the_events_of_a_request() -> None:
    cluster = audited(
        "rules: [{level: RequestResponse, resources: [{resources: [secrets]}], omitManagedFields: true}]"
    )
    reply = ask(cluster, "POST", SECRETS, SECRET, query=[("fieldManager", "me")], **{"audit-id": "mine"})
    ask(cluster, "GET", PODS)
    received, complete = lines(cluster)
    at = received["requestReceivedTimestamp"]
    shared = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "mine",
        "requestURI": f"{SECRETS}?fieldManager=me", "verb": "create", "user": ADMIN.as_dict(),
        "sourceIPs": ["172.18.0.1"], "userAgent": "kubectl/v1.37.0",
        "requestReceivedTimestamp": at, "stageTimestamp": at,
    }  # fmt: skip
    about = {"resource": "secrets", "namespace": "default", "apiVersion": "v1"}
    answered = json.loads(reply.body)
    del answered["metadata"]["managedFields"]
    assert received == {**shared, "stage": "RequestReceived", "objectRef": about}
    assert complete == {
        **shared, "stage": "ResponseComplete", "objectRef": {**about, "name": "s"},
        "responseStatus": {"metadata": {}, "code": 201}, "requestObject": SECRET, "responseObject": answered,
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    }  # fmt: skip
    assert list(complete) == [
        "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs", "userAgent",
        "objectRef", "responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp",
        "stageTimestamp", "annotations",
    ]  # fmt: skip


TOLD: dict[str, tuple[Any, dict[str, Any]]] = {
    "a read": (lambda c: ask(c, "GET", f"{SECRETS}/none"), {"verb": "get", "responseStatus.code": 404, "responseStatus.reason": "NotFound", "requestObject": None}),
    "a list": (lambda c: ask(c, "GET", PODS, query=[("limit", "5")]), {"verb": "list", "requestURI": f"{PODS}?limit=5", "responseStatus.code": 200}),
    "a patch": (lambda c: ask(c, "PATCH", "/api/v1/namespaces/default", {"metadata": {"labels": {"a": "b"}}}, **{"content-type": "application/merge-patch+json"}), {"verb": "patch", "requestObject": {"metadata": {"labels": {"a": "b"}}}, "objectRef.name": "default", "responseObject": None}),
    "a dry run": (lambda c: ask(c, "POST", SECRETS, SECRET, query=[("dryRun", "All")]), {"verb": "create", "responseStatus.code": 201, "requestURI": f"{SECRETS}?dryRun=All"}),
    "a path": (lambda c: ask(c, "GET", "/version"), {"verb": "get", "requestURI": "/version", "objectRef": None, "responseStatus.code": 200}),
    "somebody who may not": (lambda c: ask(c, "POST", SECRETS, SECRET, JANE), {"user.username": "jane", "responseStatus.reason": "Forbidden", "requestObject": None, "objectRef.name": None, "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}}),
    "somebody else's name": (lambda c: ask(c, "GET", SECRETS, **{"impersonate-user": "jane"}), {"user": ADMIN.as_dict(), "impersonatedUser": {"username": "jane", "groups": ["system:authenticated"]}, "responseStatus.code": 403}),
    "a long agent": (lambda c: ask(c, "GET", PODS, **{"user-agent": "x" * 2_000}), {"userAgent": "x" * 1_024 + "...TRUNCATED"}),
    "no JSON": (lambda c: ask(c, "POST", SECRETS, None), {"requestObject": None, "responseStatus.code": 400}),
}  # fmt: skip


@pytest.fixture(scope="module")
def everything() -> Cluster:
    return audited("omitStages: [RequestReceived]\nrules: [{level: Request}]")


@pytest.mark.parametrize("case", list(TOLD.values()), ids=list(TOLD))
def test_what_is_told(everything: Cluster, case: Any) -> None:
    act, expected = case
    cluster = everything.fork()
    act(cluster)
    (event,) = lines(cluster)
    assert event["stage"] == "ResponseComplete"

    def found(path: str) -> Any:
        value: Any = event
        for step in path.split("."):
            value = (value or {}).get(step)
        return value

    assert {path: found(path) for path in expected} == expected


def test_a_stream_that_is_opened(everything: Cluster) -> None:
    cluster = everything.fork()
    ask(cluster, "POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}})  # fmt: skip
    cluster.settle()
    cluster.execute("web", ["true"])
    event = lines(cluster)[-1]
    assert (event["stage"], event["responseStatus"]) == ("ResponseStarted", {"metadata": {}, "code": 101})
    assert event["objectRef"]["subresource"] == "exec"
    over = ask(cluster, "GET", PODS, query=[("watch", "1")]).stream
    assert over is not None
    over.cancel()
    assert lines(cluster)[-1] == event


def test_it_is_state_and_a_replay_writes_it_again(everything: Cluster) -> None:
    cluster = everything.fork()
    ask(cluster, "GET", SECRETS, **{"impersonate-user": "jane"})
    ask(cluster, "GET", PODS)
    twin = Cluster.replay(cluster.journal)
    assert twin.state_hash() == cluster.state_hash()
    assert lines(Cluster.restore(cluster.snapshot())) == lines(twin) == lines(cluster)
    before = cluster.trace()
    ask(cluster, "GET", PODS)
    assert cluster.trace() != before


def test_what_the_policy_passes_over_is_no_entry_of_the_journal() -> None:
    cluster = audited("rules: [{level: None, verbs: [list]}, {level: Metadata}]")
    entries = len(cluster.journal.entries)
    ask(cluster, "GET", PODS)
    assert len(cluster.journal.entries) == entries
    assert lines(cluster) == []


def test_a_pod_that_asks_is_told_of(everything: Cluster) -> None:
    cluster = everything.fork()
    box = {"name": "c", "image": "bitnami/kubectl:1.37", "command": ["kubectl", "get", "pods"]}
    ask(cluster, "POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asker"}, "spec": {"restartPolicy": "Never", "containers": [box]}})  # fmt: skip
    cluster.settle()
    (event,) = [
        event
        for event in lines(cluster)
        if event["user"]["username"] != ADMIN.username and "objectRef" in event
    ]
    assert event["user"]["username"] == "system:serviceaccount:default:default"
    assert (event["verb"], event["responseStatus"]["code"], event.get("sourceIPs")) == ("list", 403, None)


def test_the_machine_shows_the_policy_and_the_flags(everything: Cluster) -> None:
    cluster = everything.fork()
    command = "cat /etc/kubernetes/audit-policy.yaml; grep -o -e '--audit.*' /etc/kubernetes/manifests/kube-apiserver.yaml"
    login = Login(cluster, "control-plane", ["bash", "-c", command])
    flags = ["--audit-log-maxbackup=2", "--audit-log-maxsize=1", f"--audit-log-path={LOG}"]
    flags.append("--audit-policy-file=/etc/kubernetes/audit-policy.yaml")
    assert login.said == cluster.options.audit_policy + "\n".join(flags) + "\n"
    shown = cluster.get("pods", "kube-apiserver-control-plane", "kube-system")["spec"]["containers"][0][
        "command"
    ]
    assert f"--audit-log-path={LOG}" in shown


def test_what_is_emptied_there_is_empty(everything: Cluster) -> None:
    cluster = everything.fork()
    ask(cluster, "GET", PODS)
    Login(cluster, "control-plane", ["bash", "-c", f": > {LOG}"])
    assert lines(cluster) == []
    ask(cluster, "GET", SECRETS)
    assert [event["objectRef"]["resource"] for event in lines(cluster)] == ["secrets"]


POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"},
    "spec": {
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]},
        "validations": [{"expression": "true"}, {"expression": "object.metadata.name != 's'", "message": "not s"}],
        "auditAnnotations": [{"key": "who", "valueExpression": "' ' + object.metadata.name"}, {"key": "none", "valueExpression": "null"}],
    },
}  # fmt: skip


def test_what_policies_note(everything: Cluster) -> None:
    cluster = everything.fork()
    bindings = [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
         "spec": {"policyName": "p", "validationActions": ["Audit", "Warn"]}}
        for name in ("a", "b")
    ]  # fmt: skip
    cluster.apply([POLICY, *bindings])
    assert ask(cluster, "POST", SECRETS, SECRET).status == 201
    noted = lines(cluster)[-1]["annotations"]
    assert noted["p/who"] == "s"
    assert "p/none" not in noted
    assert noted["validation.policy.admission.k8s.io/validation_failure"] == (
        '[{"message":"not s","policy":"p","binding":"a","expressionIndex":1,"validationActions":["Audit","Warn"]}]'
    )


def test_what_a_policy_notes_is_cut(everything: Cluster) -> None:
    cluster = everything.fork()
    note = {"key": "long", "valueExpression": "object.metadata.annotations.long + 'z'"}
    policy = {
        **POLICY,
        "spec": {**POLICY["spec"], "auditAnnotations": [note], "validations": [{"expression": "true"}]},
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "a"}, "spec": {"policyName": "p", "validationActions": ["Audit"]},
    }  # fmt: skip
    cluster.apply([policy, binding])
    for length, noted in (
        (MAX_ANNOTATION - 1, "x" * (MAX_ANNOTATION - 1) + "z"),
        (MAX_ANNOTATION, "x" * MAX_ANNOTATION),
    ):
        metadata = {"name": f"s{length}", "annotations": {"long": "x" * length}}
        assert ask(cluster, "POST", SECRETS, {**SECRET, "metadata": metadata}).status == 201
        assert lines(cluster)[-1]["annotations"]["p/long"] == noted


def test_few_policies_are_remembered_read() -> None:
    for number in range(POLICIES_KEPT + 1):
        loaded(HEAD + f"rules: [{{level: None, users: [u{number}]}}]")
    assert loaded.cache_info().currsize == POLICIES_KEPT


def test_the_files_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_files, "MAX_SIZE", 10)
    folder = tree.directory()
    for second in range(5):
        for line in ("aaaa\n", "bbbb\n"):
            folder = audit_files.appended(folder, line, 1_000_000 * second)
    folder = audit_files.appended(folder, "c" * 11, 9_000_000)
    assert {name: tree.content(node) for name, node in folder["e"].items()} == {
        "audit.log": "aaaa\nbbbb\n",
        "audit-1970-01-01T00-00-03.000.log": "aaaa\nbbbb\n",
        "audit-1970-01-01T00-00-04.000.log": "aaaa\nbbbb\n",
    }
