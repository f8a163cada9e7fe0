"""kubectl logs, flag by flag, with the real kubectl."""

from __future__ import annotations

import re

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec:
  restartPolicy: Never
  initContainers: [{name: prep, image: busybox, command: [echo, prepared]}]
  containers:
  - {name: a, image: busybox, command: [sh, -c, "echo a1; sleep 60; echo a2; echo a3"]}
  - {name: b, image: busybox, command: [sh, -c, "echo b1; echo b2 >&2"]}
---
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  containers:
  - name: c
    image: busybox
    volumeMounts: [{name: v, mountPath: /v}]
    command: [sh, -c, "echo run $(ls /v | wc -l); touch /v/$(date +%s); [ $(ls /v | wc -l) -gt 1 ] && sleep 1d; exit 1"]
  volumes: [{name: v, emptyDir: {}}]
"""
FLAGS: dict[str, tuple[list[str], str]] = {
    "the first container": (["two"], "a1\na2\na3\n"),
    "a container": (["two", "-c", "b"], "b1\nb2\n"),
    "an init container": (["two", "-c", "prep"], "prepared\n"),
    "tail": (["two", "-c", "a", "--tail=2"], "a2\na3\n"),
    "no tail": (["two", "-c", "a", "--tail=0"], ""),
    "bytes": (["two", "-c", "a", "--limit-bytes=4"], "a1\na"),
    "prefix": (["two", "-c", "b", "--prefix"], "[pod/two/b] b1\n[pod/two/b] b2\n"),
    "prefix and tail": (["-l", "app=two", "-c", "a", "--prefix", "--tail=1"], "[pod/two/a] a3\n"),
    "since": (["two", "-c", "a", "--since=240h"], "a1\na2\na3\n"),
    "since a time to come": (["two", "-c", "a", "--since-time=2999-01-01T00:00:00Z"], ""),
    "one stream": (["two", "-c", "a", "--follow"], "a1\na2\na3\n"),
}


@pytest.fixture(scope="module")
def pods(served: Kubectl) -> Kubectl:
    served.namespace = "default"
    served("apply", "-f", "-", stdin=PODS)
    served("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/two", "--timeout=120s")
    served(
        "wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/again", "--timeout=120s"
    )
    return served


@pytest.mark.parametrize(("flags", "text"), FLAGS.values(), ids=FLAGS.keys())
def test_flags(pods: Kubectl, flags: list[str], text: str) -> None:
    assert pods("logs", *flags) == text


def test_all_containers_in_any_order(pods: Kubectl) -> None:
    """kubectl asks for them as its map has them: anew each time."""
    said = pods("logs", "two", "--all-containers")
    assert sorted(said.splitlines()) == ["a1", "a2", "a3", "b1", "b2", "prepared"]
    assert "a1\na2\na3\n" in said
    assert "b1\nb2\n" in said


def test_a_run_before(pods: Kubectl) -> None:
    assert pods("logs", "again") == "run 1\n"
    assert pods("logs", "again", "--previous") == "run 0\n"
    said = 'previous terminated container "a" in pod "two" not found'
    assert said in pods.fails("logs", "two", "-c", "a", "-p")


def test_timestamps(pods: Kubectl) -> None:
    lines = pods("logs", "two", "-c", "a", "--timestamps").splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
    assert [re.fullmatch(f"{stamp} (a[123])", line)[1] for line in lines] == ["a1", "a2", "a3"]
    first, second = (line.split()[0] for line in lines[:2])
    assert pods("logs", "two", "-c", "a", f"--since-time={second}") == "a2\na3\n"
    assert first < second


WRONG = {
    "a negative tail": (["two", "--tail=-5"], "--tail must be greater than or equal to -1"),
    "no such container": (["two", "-c", "x"], "container x is not valid for pod two"),
    "both": (["two", "--since=5s", "--since-time=2026-01-01T00:00:00Z"], "at most one of `sinceTime` or"),
}


@pytest.mark.parametrize(("flags", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_is_refused(pods: Kubectl, flags: list[str], why: str) -> None:
    assert why in pods.fails("logs", *flags)
