# ruff: noqa: E501 (one line a case)
"""kubectl in Pods: what it refuses, what it says without a server, how long it lives. That it says what the real one says,
`tests/kubectl/test_kubectl_in_pods.py` proves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.container_runtime.kubectl import arguments, commands, conversation, jsonpath
from cluster_engine.kube_apiserver import ADMIN, Request

RULES = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: edit, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: default, namespace: default}]
"""


def pod(name: str, image: str = "alpine/k8s:1.36.0", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": image, "command": ["sleep", "100d"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], **spec},
    }


def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(RULES)
    cluster.apply(pod("tools"))
    cluster.apply(pod("bare", automountServiceAccountToken=False))
    assert cluster.settle()
    return cluster


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return booted()


def says(cluster: Cluster, line: str, name: str = "tools") -> tuple[int, str, str]:
    found = cluster.execute(name, ["sh", "-c", line])
    return found.exit_code, found.stdout.decode(), found.stderr.decode()


def log(cluster: Cluster, name: str) -> bytes:
    return cluster.request(Request("GET", f"/api/v1/namespaces/default/pods/{name}/log", user=ADMIN)).body


NOT_HERE = "is not simulated in Pods; a real kubectl has it\n"
SAYS: dict[str, tuple[str, int, str, str]] = {
    "what is not here": ("kubectl describe pod x", 1, "", f"error: kubectl describe {NOT_HERE}"),
    "a flag that is not here": ("kubectl get pods -w", 1, "", f"error: kubectl's flag --watch of this command {NOT_HERE}"),
    "a dry run": ("kubectl create ns x --dry-run=client -o yaml", 1, "", f"error: kubectl's flag --dry-run of this command {NOT_HERE}"),
    "part of a command": ("kubectl rollout undo deploy/x", 1, "", f"error: kubectl rollout undo {NOT_HERE}"),
    "nothing": ("kubectl", 1, "", f"error: kubectl without a command {NOT_HERE}"),
    "another format": ("kubectl get pods -o custom-columns=A:.b", 1, "", "error: the output format 'custom-columns=A:.b' is not simulated in Pods (a real kubectl may have it)\n"),
    "a flag without its value": ("kubectl get pods -n", 1, "", "error: flag needs an argument: --namespace\n"),
    "a path that does not fit": ("kubectl get pod tools -o 'jsonpath={.spec.containers[7].name}'", 1, "", 'error: error executing jsonpath "{.spec.containers[7].name}": Error executing template: array index out of bounds: index 7, length 1.\n'),
    "a bad path": ("kubectl get pod tools -o 'jsonpath={.spec'", 1, "", "error: error parsing jsonpath {.spec, unclosed action\n"),
    "the Internet": ("kubectl apply -f https://example.com/x.yaml", 1, "", "error: unable to read URL 'https://example.com/x.yaml': there is no Internet here\n"),
    "no file": ("kubectl apply -f nope.yaml", 1, "", 'error: the path "nope.yaml" does not exist\n'),
    "no YAML": ("echo '{a: [' | kubectl apply -f - 2>&1 | cut -c1-22", 0, "error: error parsing -\n", ""),
    "not allowed": ("kubectl get nodes", 1, "", 'Error from server (Forbidden): nodes is forbidden: User "system:serviceaccount:default:default" cannot list resource "nodes" in API group "" at the cluster scope\n'),
    "not valid": ("kubectl patch cm kube-root-ca.crt -p '{\"immutable\":1}' 2>&1 | cut -c1-30", 0, "Error from server (BadRequest):\n"[:30] + "\n", ""),
    "too much input": ("head -c 1100000 /dev/zero | kubectl apply -f -", 1, "", "error: more than 1 MiB of standard input are not read here\n"),
    "apply, as it is done here": ("printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: ap}\\ndata: {a: b}\\n' > f; kubectl apply -f f; kubectl apply -f f; sed -i s/b}/c}/ f; kubectl apply -f f; kubectl delete -f f", 0, 'configmap/ap created\nconfigmap/ap unchanged\nconfigmap/ap configured\nconfigmap "ap" deleted from default namespace\n', ""),
    "other letters": ("kubectl create cm u --from-literal=a=h\u00e9\u4e2d; kubectl get cm u -o 'jsonpath={.data.a}'; kubectl get cm \u4e2d", 1, "configmap/u created\nh\u00e9\u4e2d", 'Error from server (NotFound): configmaps "\u4e2d" not found\n'),
    "its version": ("kubectl version", 0, "Client Version: v1.37.0\nKustomize Version: v5.7.1\nServer Version: v1.37.0\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SAYS)
def test_says(cluster: Cluster, name: str) -> None:
    line, status, out, err = SAYS[name]
    assert says(cluster, line) == (status, out, err)


def test_without_a_server(cluster: Cluster) -> None:
    assert says(cluster, "kubectl get pods", "bare") == (
        1,
        "",
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n",
    )
    refused = (
        "The connection to the server 10.244.9.9:1 was refused - did you specify the right host or port?\n"
    )
    line = "KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1 kubectl get pods"
    assert says(cluster, line)[2] == refused.replace("10.244.9.9", "127.0.0.1")
    line = "KUBERNETES_SERVICE_HOST=172.18.0.2 KUBERNETES_SERVICE_PORT=10259 kubectl get pods"
    assert (
        says(cluster, line)[2]
        == "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
    )


FOLLOWED: dict[str, tuple[str, tuple[int, str, str]]] = {
    "to its end": ("kubectl logs -f five", (0, "1\n2\n3\n4\n5\n", "")),
    "from its last line": ("kubectl logs five --follow --tail=1", (0, "5\n", "")),
    "as it comes": ("timeout 3 kubectl logs -f endless | head -n 2", (0, "0\n1\n", "")),
    "of nobody": ("kubectl logs -f nobody", (1, "", 'error: error from server (NotFound): pods "nobody" not found in namespace "default"\n')),
    "of what it may not": (
        "kubectl logs -f -n kube-system x",
        (1, "", 'Error from server (Forbidden): pods "x" is forbidden: User "system:serviceaccount:default:default" cannot get resource "pods/log" in API group "" in the namespace "kube-system"\n'),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def talking() -> Cluster:
    cluster = booted()
    for name, line in (("five", "seq 5"), ("endless", "seq 0 1; sleep 100d")):
        made = pod(name, "busybox", restartPolicy="Never")
        made["spec"]["containers"][0]["command"] = ["sh", "-c", line]
        cluster.apply(made)
    assert cluster.settle()
    return cluster


@pytest.mark.parametrize("name", FOLLOWED)
def test_logs_are_followed(talking: Cluster, name: str) -> None:
    line, told = FOLLOWED[name]
    assert says(talking, line) == told


def test_a_cron_job_that_restarts_a_deployment() -> None:
    cluster = booted()
    cluster.apply("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: restart, namespace: default}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: k, image: "bitnami/kubectl:latest", args: [rollout, restart, deployment/web]}]}}}
""")
    cluster.advance(150)
    jobs = cluster.list("jobs.batch", "default")
    assert [job["status"].get("succeeded") for job in jobs] == [1] * len(jobs)
    assert len(jobs) == 2
    assert len(cluster.list("replicasets.apps", "default")) == 3


def test_a_wait_lives_on() -> None:
    """Cut in the middle, restored and forked, it ends at the same moment; what it keeps does not grow."""
    cluster = booted()
    waits = pod("waits")
    waits["spec"]["containers"][0]["command"] = [
        "sh",
        "-c",
        "kubectl wait --for=condition=Ready pod/late --timeout=900s; date; sleep 100d",
    ]
    late = pod("late", "busybox", nodeSelector={"x": "y"})
    cluster.apply(late)
    cluster.apply(waits)
    cluster.advance(30)
    size = len(cluster.snapshot())
    cluster.advance(300)
    assert len(cluster.snapshot()) < size + 2_000
    restored, fork = Cluster.restore(cluster.snapshot()), cluster.fork()
    for each in (cluster, restored, fork):
        each.apply(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1", "labels": {"x": "y"}}}
        )
        each.advance(30)
        assert b"pod/late condition met\n" in log(each, "waits")
    assert cluster.state_hash() == restored.state_hash() == fork.state_hash()


OBJECT = {
    "a": {"b.c": 1, "d": [1, 2, 3]},
    "l": [{"n": "x", "v": 1}, {"n": "y", "v": 2.5, "t": True}],
    "s": "text",
    "z": None,
}
PATHS: dict[str, tuple[str, str]] = {
    "a field": ("{.s}", "text"),
    "without braces": (".s", "text"),
    "a root": ("{$.s}", "text"),
    "an escaped dot": (r"{.a.b\.c}", "1"),
    "in quotes": ("{.a['b.c']}", "1"),
    "all": ("{.l[*].n}", "x y"),
    "a star": ("{.a.d.*}", "1 2 3"),
    "from the end": ("{.a.d[-1]}", "3"),
    "a part": ("{.a.d[0:2]}", "1 2"),
    "a filter": ('{.l[?(@.n=="y")].v}', "2.5"),
    "a number": ("{.l[?(@.v==1)].n}", "x"),
    "not": ('{.l[?(@.n!="y")].n}', "x"),
    "one that has it": ("{.l[?(@.t)].n}", "y"),
    "an object": ("{.l[0]}", '{"n":"x","v":1}'),
    "nothing": ("[{.nope}]", "[]"),
    "a range": ('{range .l[*]}{.n}={.v}{"\\n"}{end}', "x=1\ny=2.5\n"),
    "ranges in ranges": ("{range .l[*]}{range .n}<{@}>{end}{end}", "<x><y>"),
    "text around": ("a {.s} b", "a text b"),
}
BAD: dict[str, tuple[str, str]] = {
    "open": ("{.a", "unclosed action"),
    "an end alone": ("{end}", "not in range, nothing to end"),
    "a range without end": ("{range .l[*]}", "unterminated range"),
    "a bracket": ("{.a[0}", "unterminated array"),
    "a word as index": ("{.a[x]}", "invalid array index x"),
    "a bare word": ("{.l[?(@.n==y)]}", "unrecognized identifier y"),
    "a quote": ("{.l[?(@.n=='y)]}", "unclosed action"),
    "down": ("{..n}", "recursive descent (..) is not simulated here; a real kubectl has it"),
    "too long": ("{" + "." * 5_000 + "}", "a template of more than 4096 characters is not read here"),
    "too deep": ("{range .l[*]}" * 30 + "{end}" * 30, "ranges nested more than 20 deep are not read here"),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str) -> None:
    template, text = PATHS[name]
    value: Any = OBJECT
    if name == "too deep":
        value = OBJECT
    assert jsonpath.rendered(template, value) == text


@pytest.mark.parametrize("name", BAD)
def test_bad_paths(name: str) -> None:
    template, told = BAD[name]
    nested: Any = {}
    for _ in range(40):
        nested = {"l": [nested]}
    with pytest.raises(jsonpath.Bad) as caught:
        jsonpath.rendered(template, nested if name == "too deep" else OBJECT)
    assert str(caught.value) == told


def test_every_command_refuses_what_it_does_not_know() -> None:
    for command in commands.COMMANDS:
        talk = conversation.Conversation([], 0, "default")
        with pytest.raises(conversation.Failed) as caught:
            commands.run([command, "--colour=red"], talk, lambda name: "")
        assert "--colour" in str(caught.value)


def test_words() -> None:
    found = arguments.parsed(
        ["run", "x", "-n", "a", "--image=i", "-it", "--env", "A=1", "--env=B=2", "--", "sh", "-c", "x"]
    )
    assert (found.words, found.rest) == (["run", "x"], ["sh", "-c", "x"])
    assert found.flags == {
        "namespace": ["a"],
        "image": ["i"],
        "stdin": ["true"],
        "tty": ["true"],
        "env": ["A=1", "B=2"],
    }
    assert arguments.parsed(["logs", "-fp", "x"]).flags == {"follow": ["true"], "previous": ["true"]}


def test_requests_of_a_command_are_limited() -> None:
    answers: list[Any] = [
        [["", "v1", "pods", "Pod", True]],
        *[[200, json.dumps({"metadata": {"name": "x"}})] for _ in range(conversation.MAX_ANSWERS)],
    ]
    talk = conversation.Conversation(answers[: conversation.MAX_ANSWERS], 0, "default")
    with pytest.raises(conversation.Failed) as caught:
        commands.run(["delete", "pods", *(f"p{n}" for n in range(600))], talk, lambda name: "")
    assert str(caught.value) == "more than 500 requests of one command are not made in Pods"
