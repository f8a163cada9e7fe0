"""What the kubelet decides about a Pod: from a record, an object and a moment to actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.container import Container
from cluster_engine.kubelet.decide import (
    DEADLINE,
    Action,
    Admit,
    AwaitTurn,
    Close,
    Fail,
    Finish,
    Forget,
    Hurry,
    Kill,
    Mirror,
    Postpone,
    Remove,
    Signal,
    Start,
    Stop,
    Terminate,
    Wait,
    WriteStatus,
    decide,
)
from cluster_engine.kubelet.record import FINISHED, HOOK, NEW, STOPPED, SYNCING, TERMINATING, TURN, PodRecord
from cluster_engine.kubelet.steady import Probe
from cluster_engine.sim import SECOND

NOW = 1_000 * SECOND
IMAGE = "docker.io/library/busybox:1.36"
SIDE = {"restartPolicy": "Always"}
HOOKED = {"lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}
DELETED = {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 30}


def spec(name: str, **more: Any) -> JSON:
    return {"name": name, "image": "busybox:1.36", **more}


def pod(*containers: JSON, init: Sequence[JSON] = (), meta: JSON | None = None, **more: Any) -> JSON:
    return {
        "metadata": {"name": "p", "namespace": "default", "uid": "u", **(meta or {})},
        "spec": {"containers": list(containers), "initContainers": list(init), **more},
    }


def up(name: str, since: int = 100, image: str = IMAGE) -> Container:
    at = NOW - since * SECOND
    return Container(name, f"{name}-id", image, [], None, state="running", started_at=at)


def down(name: str, code: int = 0, since: int = 0, image: str = IMAGE) -> Container:
    at = NOW - since * SECOND
    return Container(
        name, f"{name}-id", image, [], None, state="exited", started_at=at - 5, finished_at=at, exit_code=code
    )


def record(*containers: Container, **more: Any) -> PodRecord:
    more = {"state": SYNCING, "started": NOW - 200 * SECOND, **more}
    return PodRecord("u", "default/p", "worker-1", containers={c.name: c for c in containers}, **more)


def probed(name: str, kind: str, result: bool) -> dict[str, Probe]:
    return {f"{name}/{kind}": Probe(result=result)}


C, D = spec("c"), spec("d")
A, B = spec("a", **SIDE), spec("b", **SIDE)
TEXT = "back-off 40s restarting failed container=c pod=p_default(u)"

CASES: dict[str, tuple[PodRecord, JSON | None, list[Action]]] = {
    # ---- beginning
    "new": (record(state=NEW, started=0), pod(C), [Admit()]),
    "mounting": (record(state=NEW), pod(C), []),
    "first pass": (record(), pod(C, D), [WriteStatus(), Start("c", 0), Start("d", 0)]),
    "all run": (record(up("c"), up("d")), pod(C, D), [WriteStatus()]),
    "a pass is under way": (record(working=True), pod(C), [Wait()]),
    "init containers one by one": (
        record(down("i")),
        pod(C, init=[spec("i"), spec("j")]),
        [WriteStatus(), Start("j", 0)],
    ),
    "an init container runs": (record(up("i")), pod(C, init=[spec("i")]), [WriteStatus()]),
    "a failed init container is started again": (
        record(down("i", 1)),
        pod(C, init=[spec("i")]),
        [WriteStatus(), Start("i", 10 * SECOND)],
    ),
    "a failed init container that is not started again": (
        record(down("i", 1)),
        pod(C, init=[spec("i")], restartPolicy="Never"),
        [Close(), WriteStatus()],
    ),
    "a sidecar before the next": (record(), pod(C, init=[A, B]), [WriteStatus(), Start("a", 0)]),
    "a sidecar that has started": (record(up("a")), pod(C, init=[A]), [WriteStatus(), Start("c", 0)]),
    "a sidecar whose startup probe is awaited": (
        record(up("a")),
        pod(C, init=[spec("a", startupProbe={"tcpSocket": {"port": 1}}, **SIDE)]),
        [WriteStatus()],
    ),
    "a sidecar that ended beside the others": (
        record(down("a", 1), up("c")),
        pod(C, init=[A]),
        [WriteStatus(), Start("a", 10 * SECOND)],
    ),
    # ---- restarts
    "restart": (record(down("c", 1)), pod(C), [WriteStatus(), Start("c", 10 * SECOND)]),
    "OnFailure after success": (
        record(down("c", 0), up("d")),
        pod(C, D, restartPolicy="OnFailure"),
        [WriteStatus()],
    ),
    "OnFailure after failure": (
        record(down("c", 2), up("d")),
        pod(C, D, restartPolicy="OnFailure"),
        [WriteStatus(), Start("c", 10 * SECOND)],
    ),
    "in back-off": (
        record(down("c", 1, since=15), crashes={"c": [40 * SECOND, NOW - 20 * SECOND]}),
        pod(C),
        [WriteStatus(), Postpone("c", NOW + 40 * SECOND, TEXT)],
    ),
    "after the back-off": (
        record(down("c", 1, since=41), crashes={"c": [40 * SECOND, NOW - 60 * SECOND]}),
        pod(C),
        [WriteStatus(), Start("c", 80 * SECOND)],
    ),
    "back-off has a limit": (
        record(down("c", 1, since=301), crashes={"c": [300 * SECOND, NOW - 400 * SECOND]}),
        pod(C),
        [WriteStatus(), Start("c", 300 * SECOND)],
    ),
    "back-off is forgotten": (
        record(down("c", 1, since=0), crashes={"c": [300 * SECOND, NOW - 601 * SECOND]}),
        pod(C),
        [WriteStatus(), Start("c", 10 * SECOND)],
    ),
    # ---- what kills a container of a Pod that goes on
    "liveness": (
        record(up("c"), probes=probed("c", "liveness", False)),
        pod(C),
        [WriteStatus(), Kill("c", 30, "Container c failed liveness probe, will be restarted")],
    ),
    "liveness of a Pod that is never restarted": (
        record(up("c"), probes=probed("c", "liveness", False)),
        pod(C, restartPolicy="Never"),
        [WriteStatus(), Kill("c", 30, "Container c failed liveness probe")],
    ),
    "liveness of a sidecar": (
        record(up("a"), up("c"), probes=probed("a", "liveness", False)),
        pod(C, init=[A]),
        [WriteStatus(), Kill("a", 30, "Init container a failed liveness probe")],
    ),
    "startup with its own grace period": (
        record(up("c"), probes=probed("c", "startup", False)),
        pod(
            spec("c", startupProbe={"terminationGracePeriodSeconds": 5}),
            terminationGracePeriodSeconds=60,
        ),
        [WriteStatus(), Kill("c", 5, "Container c failed startup probe, will be restarted")],
    ),
    "it is being killed already": (
        record(up("c"), probes=probed("c", "liveness", False), stopping={"c": [STOPPED, NOW, 30]}),
        pod(C),
        [WriteStatus()],
    ),
    "another image": (
        record(up("c", image="docker.io/library/busybox:1.35")),
        pod(C),
        [WriteStatus(), Kill("c", 30, "Container c definition changed, will be restarted")],
    ),
    "another image, and it has ended": (
        record(down("c", image="docker.io/library/busybox:1.35")),
        pod(C, restartPolicy="Never"),
        [WriteStatus(), Start("c", 10 * SECOND)],
    ),
    # ---- the end
    "succeeded": (record(down("c")), pod(C, restartPolicy="Never"), [Close(), WriteStatus()]),
    "succeeded, a sidecar runs": (
        record(up("a"), down("c")),
        pod(C, init=[A], restartPolicy="Never"),
        [Terminate(30), Stop("a", 30), Signal("a", 30)],
    ),
    "deadline": (
        record(up("c")),
        pod(C, activeDeadlineSeconds=200),
        [Fail(*DEADLINE), WriteStatus(), Terminate(30), Stop("c", 30), Signal("c", 30)],
    ),
    "evicted": (
        record(up("c"), evicted="why"),
        pod(C),
        [Fail("Evicted", "why", "Warning"), WriteStatus(), Terminate(1), Stop("c", 1), Signal("c", 2)],
    ),
    "before the deadline": (record(up("c")), pod(C, activeDeadlineSeconds=201), [WriteStatus()]),
    "deleted": (
        record(up("c"), up("d")),
        pod(C, D, meta=DELETED),
        [Terminate(30), Stop("c", 30), Signal("c", 30), Stop("d", 30), Signal("d", 30)],
    ),
    "deleted before anything ran": (
        record(state=NEW),
        pod(C, meta=DELETED),
        [Terminate(30), Finish()],
    ),
    "deleted with a preStop hook": (
        record(up("c")),
        pod(spec("c", **HOOKED), meta=DELETED),
        [Terminate(30), Stop("c", 30)],
    ),
    "deleted without patience: no hook, two seconds": (
        record(up("c")),
        pod(spec("c", **HOOKED), meta={**DELETED, "deletionGracePeriodSeconds": 0}),
        [Terminate(0), Stop("c", 0), Signal("c", 2)],
    ),
    "sidecars wait for their turn": (
        record(up("a"), up("b"), up("c")),
        pod(C, init=[A, B], meta=DELETED),
        [
            Terminate(30),
            Stop("a", 30),
            AwaitTurn("a", 30),
            Stop("b", 30),
            AwaitTurn("b", 30),
            Stop("c", 30),
            Signal("c", 30),
        ],
    ),
    "the last sidecar goes first": (
        record(
            up("a"),
            up("b"),
            down("c"),
            state=TERMINATING,
            grace=30,
            stopping={"a": [TURN, NOW - 4 * SECOND, 30], "b": [TURN, NOW - 4 * SECOND, 30]},
        ),
        pod(C, init=[A, B], meta=DELETED),
        [Signal("b", 26)],
    ),
    "a turn that never came: two seconds": (
        record(
            up("a"),
            up("b"),
            down("c"),
            state=TERMINATING,
            grace=10,
            stopping={"a": [TURN, NOW - 10 * SECOND, 10], "b": [STOPPED, NOW - 10 * SECOND, 10]},
        ),
        pod(C, init=[A, B], meta={**DELETED, "deletionGracePeriodSeconds": 10}),
        [Signal("a", 2)],
    ),
    "a hook is waited for": (
        record(up("c"), state=TERMINATING, stopping={"c": [HOOK, NOW, 30]}),
        pod(spec("c", **HOOKED), meta=DELETED),
        [],
    ),
    "less patience": (
        record(up("c"), state=TERMINATING, kill_at=NOW + 20 * SECOND, stopping={"c": [STOPPED, NOW, 20]}),
        pod(C, meta={**DELETED, "deletionGracePeriodSeconds": 5}),
        [Hurry(5)],
    ),
    "all have ended": (record(down("c"), state=TERMINATING), pod(C, meta=DELETED), [Finish()]),
    "finishing": (record(state=TERMINATING, timers={"finish": 7}), pod(C, meta=DELETED), []),
    "finished and deleted": (record(state=FINISHED), pod(C, meta=DELETED), [WriteStatus(), Remove()]),
    "finished": (record(state=FINISHED), pod(C), [WriteStatus()]),
    # ---- no API object
    "vanished while it ran": (record(up("c"), grace=7), None, [Terminate(7), Stop("c", 7), Signal("c", 7)]),
    "vanished before it ran": (record(state=NEW), None, [Forget()]),
    "vanished when finished": (record(state=FINISHED), None, [Forget()]),
    # ---- static Pods
    "a mirror is deleted": (record(up("c"), static=True), pod(C, meta=DELETED), [Remove()]),
    "a mirror is gone": (record(up("c"), static=True), None, [Mirror()]),
}


@pytest.mark.parametrize(("known", "manifest", "wanted"), CASES.values(), ids=CASES.keys())
def test_decides(known: PodRecord, manifest: JSON | None, wanted: list[Action]) -> None:
    before = known.state_data()
    assert list(decide(known, manifest, NOW)) == wanted
    assert known.state_data() == before
