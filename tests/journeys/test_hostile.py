"""What a cluster, a terminal and their worker do when somebody means them harm: a clear end, and no neighbour notices.

The same lines are typed in a browser by `test_learner`; here they go over the WebSocket directly.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest

from .clients import LIMIT, Visitor, labs_worker, log_ends, memory_of, peak_of, reset_peak, tracebacks
from .pages import MENDED

pytestmark = pytest.mark.stack

LAB = "explore-the-components"
MIB = 1024 * 1024
#: What one learner may cost the worker at most, by a wide margin: 5,000 Pods take about 60 MiB.
ALLOWANCE = 300 * MIB
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MILLION = MENDED.replace("replicas: 3", "replicas: 1000000")

LETTERS = "abcdefghij"
ALIAS_BOMB = "".join(
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n",
        "  a: &a [x, x, x, x, x, x, x, x, x]\n",
        *(f"  {name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(LETTERS)),
    ]
)


@pytest.fixture(scope="module")
def learner(stack):
    """The one who means harm: one lab for all of it, so that each trouble meets what the last one left."""
    before = log_ends(stack)
    visitor = Visitor(stack)
    run = visitor.start(LAB)
    yield run
    run.stop()
    assert tracebacks(stack, before) == ""


@pytest.fixture(scope="module")
def neighbour(stack):
    """A learner whose lab is on the same worker, with a terminal open."""
    visitor = Visitor(stack)
    run = visitor.start(LAB)
    with run.terminal() as terminal:
        yield terminal
    run.stop()


def unnoticed(neighbour):
    """The neighbour works on."""
    assert "node/control-plane" in neighbour.run("kubectl get nodes -o name", 30)


# ---- a Deployment of 1,000,000 replicas ---------------------------------------------------------------------


def test_a_million_replicas(stack, learner, neighbour):
    worker = labs_worker(stack)
    before = memory_of(worker)
    reset_peak(worker)
    answer = learner.apply("million.yaml", MILLION)
    assert answer.json() == {"exit_code": 0, "stdout": "deployment.apps/web created\n", "stderr": ""}
    unnoticed(neighbour)  # while the Pods are made

    def refused(deployment):
        return [c for c in deployment["status"].get("conditions", ()) if c["type"] == "ReplicaFailure"]

    deployment = learner.wait_for(f"{DEPLOYMENTS}/web", refused)
    (condition,) = refused(deployment)
    assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
    assert condition["message"].endswith(
        "is forbidden: exceeded quota: cluster-budget, requested: pods=1, used: pods=5000, limited: pods=5000"
    )
    assert deployment["spec"]["replicas"] == 1_000_000
    with learner.terminal() as terminal:
        shown = terminal.run("kubectl get deploy")
        assert "web" in shown
        assert "/1000000" in shown
        # One more Pod is refused in the same words, and gone they make room again.
        refusal = terminal.run("kubectl run one --image=nginx")
        assert "exceeded quota: cluster-budget" in refusal.replace("\r\n", "")
        assert 'deployment.apps "web" deleted' in terminal.run("kubectl delete deploy web")
    learner.wait_for("/api/v1/namespaces/default/pods?limit=1", lambda pods: not pods["items"])
    unnoticed(neighbour)
    assert peak_of(worker) - before < ALLOWANCE


# ---- bodies that are too much: id, method, path, content type, body, code, message ---------------------------

UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
TOO_LARGE = "Request entity too large: limit is 3145728"
DEEP = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":%s}'
OPERATION = {"op": "add", "path": "/metadata/labels", "value": {}}
BODIES = [
    ("50 MB of YAML", "POST", CONFIG_MAPS, "application/yaml", b"# quay\n" * 7_142_858, 413, TOO_LARGE),
    ("3 MiB + 1", "POST", CONFIG_MAPS, "application/yaml", b"#" * (3 * MIB + 1), 413, TOO_LARGE),
    (
        "an alias bomb", "POST", CONFIG_MAPS, "application/yaml", ALIAS_BOMB.encode(), 400,
        f"{UNRECOGNIZED}error converting YAML to JSON: yaml: line ",
    ),
    (
        "1,000 levels", "POST", CONFIG_MAPS, "application/json", DEEP % (b"[" * 1000 + b"]" * 1000), 400,
        f"{UNRECOGNIZED}exceeded max depth",
    ),
    (
        "200,000 levels", "POST", CONFIG_MAPS, "application/json", DEEP % (b"[" * 200_000), 400,
        f"{UNRECOGNIZED}the body holds more than 150000 objects and lists",
    ),
    (
        "10,001 operations", "PATCH", "/api/v1/namespaces/default", "application/json-patch+json",
        json.dumps([OPERATION] * 10_001).encode(), 413,
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    ),
    ("no JSON", "POST", CONFIG_MAPS, "application/json", b"{" * 100_000, 400, f"{UNRECOGNIZED}invalid character"),
    (
        "a ConfigMap of 1.7 MB", "POST", CONFIG_MAPS, "application/json",
        DEEP % json.dumps({f"k{i}": "v" * 1000 for i in range(1700)}).encode(), 422,
        'ConfigMap "deep" is invalid: []: Too long: may not be more than 1048576 bytes',
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "code", "message"),
    [row[1:] for row in BODIES],
    ids=[row[0] for row in BODIES],
)
def test_bodies(stack, learner, neighbour, method, path, kind, body, code, message):
    reset_peak(worker := labs_worker(stack))
    before = memory_of(worker)
    answer = learner.kube(method, path, content=body, headers={"Content-Type": kind})
    assert answer.status_code == code, answer.text[:500]
    status = answer.json()
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
    assert status["message"].startswith(message), status["message"][:500]
    assert status["message"]
    assert peak_of(worker) - before < ALLOWANCE
    assert learner.kube("GET", "/api/v1/nodes").status_code == 200
    unnoticed(neighbour)


def test_a_body_without_a_length_is_cut_off(learner, neighbour):
    def drip():
        for _ in range(800):
            yield b"#" * 65_536

    answer = learner.kube("POST", CONFIG_MAPS, content=drip(), headers={"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["message"]) == (413, TOO_LARGE)
    unnoticed(neighbour)


@pytest.mark.parametrize(
    ("size", "code", "sentence"),
    [
        pytest.param(50 * MIB, 413, "The request is larger than 4 MiB.", id="50 MB"),
        pytest.param(2 * MIB, 400, "The request is larger than 1 MiB.", id="2 MB"),
        pytest.param(300 * 1024, 400, "The file is larger than 256 KiB.", id="300 KiB"),
    ],
)
def test_the_editors_apply(learner, size, code, sentence):
    answer = learner.apply("big.yaml", "#" * size)
    assert (answer.status_code, answer.json()["error"]) == (code, sentence)


def test_an_alias_bomb_in_the_editor(learner, neighbour):
    said = learner.apply("bomb.yaml", ALIAS_BOMB).json()
    assert said["exit_code"] == 1
    assert "excessive aliasing" in said["stderr"]
    unnoticed(neighbour)


# ---- the terminal: id, line, what ends it ---------------------------------------------------------------------

LINES = [
    ("busy loop", "while true; do :; done", ""),
    ("endless output", "yes | cat", ""),
    ("doubling", "x=a; while true; do x=$x$x; done", "sh: out of memory"),
    ("endless recursion", "f() { f; }; f", "maximum function recursion depth exceeded"),
    ("kubectl storm", "for i in $(seq 10000); do kubectl version --client=true; done", ""),
    ("fork bomb", "f() { f | f; }; f", "Resource temporarily unavailable"),
    ("alias bomb", f"kubectl apply -f - <<EOF\r{ALIAS_BOMB.replace(chr(10), chr(13))}EOF", "excessive aliasing"),
]  # fmt: skip
"""What is typed, and the words that it ends with; what goes on for ever ends with Ctrl-C."""


@pytest.mark.parametrize(("line", "end"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_lines(stack, learner, neighbour, line, end):
    reset_peak(worker := labs_worker(stack))
    before = memory_of(worker)
    with learner.terminal() as terminal:
        terminal.line(line)
        unnoticed(neighbour)  # while it runs
        if end:
            terminal.expect(end, LIMIT)
        else:
            time.sleep(2)
            terminal.send({"type": "input", "data": "\x03"})
        assert "42" in terminal.run("echo $((40+2))")
    unnoticed(neighbour)
    assert peak_of(worker) - before < ALLOWANCE
