"""What the end of a container brings about by its rules: it begins anew, or its whole Pod does, where it is.

Traced to test/e2e_node/container_restart_policy_test.go and test/e2e/common/node/pods.go (RestartAllContainers).
"""

from __future__ import annotations

from typing import Any

import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.restart_rules import should_restart

ALL = "RestartAllContainers"


def rules(action: str, *codes: int, operator: str = "In", policy: str = "Never") -> JSON:
    rule = {"action": action, "exitCodes": {"operator": operator, "values": list(codes)}}
    return {"restartPolicy": policy, "restartPolicyRules": [rule]}


ENDS: dict[str, tuple[JSON, str, int, bool]] = {
    "the Pod's policy": ({}, "Always", 0, True),
    "of failures": ({}, "OnFailure", 0, False),
    "its own policy goes before": ({"restartPolicy": "Never"}, "Always", 1, False),
    "a rule that is met": (rules("Restart", 42), "Never", 42, True),
    "one that is not": (rules("Restart", 42), "Never", 1, False),
    "not in": (rules("Restart", 42, operator="NotIn"), "Never", 1, True),
    "in what must not be": (rules("Restart", 42, operator="NotIn"), "Never", 42, False),
    "not met, by its own policy": (rules("Restart", 42, policy="OnFailure"), "Never", 1, True),
    "all": (rules(ALL, 42), "Never", 42, True),
}


@pytest.mark.parametrize(("container", "policy", "code", "again"), ENDS.values(), ids=ENDS)
def test_whether_it_begins_anew(container: JSON, policy: str, code: int, again: bool) -> None:
    assert should_restart(container, policy, code) is again


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.advance(30)
    return cluster


def shell(name: str, line: str, **more: Any) -> JSON:
    volume = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", line], **volume, **more}


def once(code: int = 42, then: str = "sleep 1d") -> str:
    """A line that ends so the first time, and goes on with something else the next."""
    return f"if [ -e /d/once ]; then {then}; else touch /d/once; sleep 3; exit {code}; fi"


NOTED = "echo x >> /d/ran; sleep 1d"
HOOK = {"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "touch /d/hooked"]}}}}
SIDE = {"restartPolicy": "Always"}


def run(base: Cluster, containers: list[JSON], init: list[JSON], policy: str = "Never") -> Cluster:
    cluster = base.fork()
    spec = {
        "restartPolicy": policy,
        "initContainers": init,
        "containers": containers,
        "volumes": [{"name": "d", "emptyDir": {}}],
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    return cluster


def status(cluster: Cluster) -> JSON:
    found = cluster.get("pods", "p")
    assert found is not None
    told: JSON = found["status"]
    return told


def restarts(cluster: Cluster) -> dict[str, int]:
    told = status(cluster)
    each = (*(told.get("initContainerStatuses") or ()), *told["containerStatuses"])
    return {c["name"]: c["restartCount"] for c in each}


STORIES: dict[str, tuple[list[JSON], list[JSON], dict[str, int], str]] = {
    "a regular container": (
        [shell("work", once(), **rules(ALL, 42)), shell("other", NOTED, **HOOK)],
        [shell("init", "true")],
        {"init": 1, "work": 1, "other": 1},
        "Running",
    ),
    "those that succeeded, too": (
        [shell("work", once(), **rules(ALL, 42)), shell("other", "echo x >> /d/ran")],
        [],
        {"work": 1, "other": 1},
        "Running",
    ),
    "an init container": (
        [shell("other", NOTED)],
        [shell("first", "true"), shell("init", once(then="true"), **rules(ALL, 42))],
        {"first": 1, "init": 1, "other": 0},
        "Running",
    ),
    "a sidecar": (
        [shell("other", NOTED)],
        [shell("side", once(), **rules(ALL, 42, policy="Always"))],
        {"side": 1, "other": 1},
        "Running",
    ),
    "an init container that fails then": (
        [shell("work", once(), **rules(ALL, 42))],
        [shell("init", "test ! -e /d/once")],
        {"init": 1, "work": 0},
        "Failed",
    ),
    "itself alone": (
        [shell("work", once(), **rules("Restart", 42)), shell("other", NOTED)],
        [],
        {"work": 1, "other": 0},
        "Running",
    ),
    "a code that no rule names": (
        [shell("work", once(7), **rules(ALL, 42)), shell("other", NOTED)],
        [],
        {"work": 0, "other": 0},
        "Running",
    ),
}


@pytest.mark.parametrize(("containers", "init", "counts", "phase"), STORIES.values(), ids=STORIES)
def test_what_begins_anew(
    base: Cluster, containers: list[JSON], init: list[JSON], counts: dict[str, int], phase: str
) -> None:
    cluster = run(base, containers, init)
    assert cluster.wait(lambda c: bool(status(c).get("podIP")))
    before = cluster.get("pods", "p")
    cluster.advance(25)
    after = cluster.get("pods", "p")
    assert before is not None
    assert after is not None
    assert (restarts(cluster), status(cluster)["phase"]) == (counts, phase)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    same(cluster)


def test_the_condition_while_they_end(base: Cluster) -> None:
    """No hook runs; what runs has two seconds; the Pod stays initialized; its volumes stay."""
    cluster = run(base, *STORIES["a regular container"][:2])
    seen: list[tuple[str, str, str | None]] = []

    def look(other: Cluster) -> bool:
        told = status(other)
        conditions = {c["type"]: c for c in told.get("conditions") or ()}
        if "AllContainersRestarting" in conditions and told.get("podIP"):
            own = conditions["AllContainersRestarting"]
            seen.append((told["phase"], own["status"], own.get("reason")))
            assert conditions["Initialized"]["status"] == "True"
        return False

    cluster.wait(look, 25)
    states = [state for at, state in enumerate(seen) if state != seen[at - 1] or not at]
    assert states == [
        ("Pending", "False", None),
        ("Running", "False", None),
        ("Running", "True", "RestartAllContainersStarted"),
        ("Pending", "False", None),
        ("Running", "False", None),
    ]
    last = {c["name"]: c["lastState"]["terminated"]["exitCode"] for c in status(cluster)["containerStatuses"]}
    assert last == {"work": 42, "other": 137}
    assert cluster.execute("p", ["ls", "/d"], container="other").stdout == b"once\nran\n"
    assert cluster.execute("p", ["cat", "/d/ran"], container="other").stdout == b"x\nx\n"


def test_one_that_ends_so_again_and_again(base: Cluster) -> None:
    """It has no back-off, and nobody waits for it."""
    cluster = run(base, [shell("work", "exit 42", **rules(ALL, 42))], [])
    assert cluster.settle()
    cluster.advance(30)
    assert restarts(cluster)["work"] > 8
    same(cluster)


def test_a_back_off_is_told_of_a_container_with_rules(base: Cluster) -> None:
    """Its end may be told, and undone, though its Pod never restarts anything (validateContainerStateTransition)."""
    cluster = run(base, [shell("work", "exit 42", **rules("Restart", 42))], [])
    assert cluster.wait(
        lambda c: restarts(c).get("work", 0) >= 2 if "containerStatuses" in status(c) else False
    )
    same(cluster)
