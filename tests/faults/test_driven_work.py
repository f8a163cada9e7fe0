"""A fault in whatever is driven by the clock costs one object: the rest goes on, and a replay meets it again.

The tables are made of the engine's own: what is added there is covered here without a line.
"""

from collections.abc import Callable
from typing import Any

import pytest
from faults import Planted, failing, plant, ready, same_again, web

from cluster_engine import Cluster
from cluster_engine.client_go import WorkQueue
from cluster_engine.etcd import Store
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kube_controller_manager import CONTROLLERS
from cluster_engine.kube_controller_manager.endpointslice import EndpointSliceController
from cluster_engine.kube_controller_manager.replicaset import ReplicaSetController
from cluster_engine.kube_scheduler import scheduler
from cluster_engine.kube_scheduler.cycle import Cycle
from cluster_engine.kube_scheduler.framework import CycleState, Plugin, PodInfo, Wait
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.sim import Clock
from cluster_engine.sim.failures import LIMIT
from tests.cluster.test_components_read import TakenAway, sees_nothing
from tests.metrics_server.metrics_manifest import COMPONENTS


def story(cluster: Cluster) -> None:
    """Work for every part: objects made, changed, deleted, a namespace's life, two minutes of upkeep."""
    cluster.apply(web("first"))
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}})
    cluster.advance(20)
    cluster.apply(web("second"))
    cluster.delete("namespaces", "brief")
    for pod in cluster.list("pods", "default", "app=first")[:1]:
        cluster.delete("pods", pod["metadata"]["name"])
    cluster.advance(120)


def queues() -> list[str]:
    """Every work queue of every component."""
    return [queue.name for part in Cluster(nodes=2, boot=False).components.values() for queue in part._queues]


def told_a_story() -> Cluster:
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    story(cluster)
    return cluster


def queue_of(cluster: Cluster, name: str) -> WorkQueue:
    return next(q for part in cluster.components.values() for q in part._queues if q.name == name)


def test_every_controller_is_tried() -> None:
    assert {controller.name for controller in CONTROLLERS} <= {name.partition("/")[0] for name in queues()}


@pytest.mark.parametrize("name", queues())
def test_a_queue_serves_the_keys_beside_one_that_always_fails(name, monkeypatch):
    hit = failing(monkeypatch, WorkQueue, "__init__", name, lambda _call, given: given == ("planted",))
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    queue_of(cluster, name).add("planted")
    story(cluster)
    assert {failure.key for failure in cluster.failures} == {"planted"}
    assert cluster.clock.failures.counts() == {name: len(hit)}
    assert cluster.clock.failures.retries[name] >= len(hit) > 5
    assert not queue_of(cluster, name)._pending
    assert not queue_of(cluster, name)._draining
    assert ready(cluster, "first")
    assert ready(cluster, "second")
    assert cluster.settle(), "a key that fails for ever is upkeep in the end"


@pytest.mark.parametrize("name", queues())
def test_a_fault_in_a_reconcile_is_healed_by_its_retry(name, monkeypatch):
    hit = failing(monkeypatch, WorkQueue, "__init__", name, lambda call, _given: call <= 3)
    cluster = told_a_story()
    assert cluster.clock.failures.counts() == ({name: len(hit)} if hit else {})
    assert ready(cluster, "first")
    assert ready(cluster, "second")
    if hit:
        same_again(cluster)


def test_one_broken_replicaset_leaves_the_others_theirs(monkeypatch, caplog):
    plant(monkeypatch, ReplicaSetController, "reconcile", lambda key: key.startswith("default/first-"))
    cluster = Cluster(nodes=2, seed=3, strict=False)
    cluster.apply(web("first"))
    cluster.apply(web("second"))
    cluster.advance(120)
    assert not ready(cluster, "first")
    assert ready(cluster, "second")
    (failure,) = cluster.failures
    assert failure.component == "replicaset-controller"
    assert failure.key.startswith("default/first-")
    assert (failure.error, failure.message) == ("Planted", "planted in ReplicaSetController.reconcile")
    assert failure.count == cluster.clock.failures.counts()["replicaset-controller"] > 10
    told = [record for record in caplog.records if record.name == "cluster_engine.sim.failures"]
    assert (told[0].component, told[0].key) == (failure.component, failure.key)
    assert told[0].exc_info
    assert not told[1].exc_info, "the same traceback again tells nobody anything"
    twin = Cluster.restore(cluster.snapshot())
    assert twin.failures == cluster.failures


def test_a_replay_meets_the_same_failures(monkeypatch):
    plant(monkeypatch, ReplicaSetController, "reconcile", lambda key: key.startswith("default/first-"))
    cluster = Cluster(nodes=2, seed=3, strict=False)
    story(cluster)
    same_again(cluster)


# ---- clock events ----------------------------------------------------------------------------------------


def handler_names() -> list[str]:
    return sorted(Cluster(nodes=2, boot=False).clock._handlers)


def nudged(patch: pytest.MonkeyPatch) -> Callable[[Cluster], None]:
    """Gives every queue keys that its component knows nothing of, at once and later: its events run, and do nothing."""
    original = WorkQueue.__init__

    def wrapped(
        self: WorkQueue, clock: Clock, name: str, reconcile: Callable[[str], None], *args: Any, **more: Any
    ) -> None:
        original(self, clock, name, lambda key: None if key == "nudge" else reconcile(key), *args, **more)

    patch.setattr(WorkQueue, "__init__", wrapped)

    def nudge(cluster: Cluster) -> None:
        for part in cluster.components.values():
            for queue in part._queues:
                queue.add("nudge")
                queue.add_after("nudge", 0.7)

    return nudge


@pytest.mark.parametrize("name", handler_names())
def test_an_event_that_fails_once_is_run_again(name, monkeypatch):
    # Once in a boot, and once in the cluster that begins as a copy of it.
    hit = failing(monkeypatch, Clock, "register", name, lambda call, _given: call == 1)
    nudge = nudged(monkeypatch)
    cluster = Cluster(nodes=2, seed=3, strict=False, addons=False)
    nudge(cluster)
    story(cluster)
    assert bool(hit) != (name in SELDOM)
    assert cluster.clock.failures.counts() == ({name: len(hit)} if hit else {})
    assert not cluster.clock._failing
    assert ready(cluster, "first")
    assert ready(cluster, "second")
    assert Cluster.restore(cluster.snapshot()).state_hash() == cluster.state_hash()


def test_a_replay_meets_what_failed_in_an_event(monkeypatch):
    failing(monkeypatch, Clock, "register", "kubelet/relist", lambda call, _given: call == 2)
    same_again(told_a_story())


SELDOM = {
    "etcd/lease-expired": "an Event goes after an hour",
    "informer/relist": "of a reader that may not read",
    "informer/retell": "of a handler that failed",
    "kube-scheduler/permit": "of a plugin that has a Pod wait",
    "kube-scheduler/retry": "of an attempt that failed",
    "kubelet/again": "of a kubelet whose files are wrong",
    "kubelet/boot": "of a machine that was off",
    "kubelet/contradict": "of a node that was cut off",
    "kubelet/fetched": "of a proxied request",
    "kubelet/heartbeat": "every five minutes",
    "kubelet/hooked": "of a hook",
    "kubelet/lease": "of a lease that others wrote",
    "kubelet/manifests": "of a manifest that was moved away",
    "kubelet/mirror": "of a mirror Pod that was deleted",
    "kubelet/no-etcd": "of an API server that finds no etcd",
    "kubelet/plugin": "of a device plugin",
    "kubelet/poweroff": "of a machine that is told so by who is on it",
    "kubelet/pressure": "of a node that runs short",
    "kubelet/renew": "of a Pod with a token that runs out",
    "kubelet/resync": "of what failed on a node",
    "kubelet/shutdown": "of a machine that goes down with notice",
    "kubelet/started": "of a container with a postStart hook",
    "kubelet/storage": "of an emptyDir with a limit",
    "leader/renew": "of a lease that others wrote",
    "leader/try": "of a scheduler that begins anew",
    "metrics-server/scrape": "of a cluster with a metrics-server",
    "network/client-timeout": "of a probe without an answer",
    "runtime/kill": "of a process that does not end",
    "sandbox/news": "of a watch from a Pod",
    "sandbox/time-out": "of a command that takes too long",
    "sandbox/unanswered": "of a name that nobody knows",
    "sandbox/waited": "of a watch from a Pod whose time is over",
}
"""Events that the story knows nothing of; `adventure` has them."""
ADVENTURES = """
apiVersion: v1
kind: Pod
metadata: {name: hooked}
spec:
  terminationGracePeriodSeconds: 3
  containers:
    - name: c
      image: busybox
      command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]
      lifecycle:
        postStart: {exec: {command: ["true"]}}
        preStop: {exec: {command: ["true"]}}
      livenessProbe: {exec: {command: [sleep, "9"]}, failureThreshold: 99}
      readinessProbe: {httpGet: {host: 10.9.9.9, port: 80}}
      volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]
---
apiVersion: v1
kind: Pod
metadata: {name: asking}
spec:
  dnsPolicy: None
  dnsConfig: {nameservers: [10.9.9.9]}
  containers: [{name: c, image: busybox, command: [sh, -c, "wget http://nobody.example/; sleep 1d"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: elsewhere}
spec: {containers: [{name: c, image: "nginx:no-such-tag"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: c, image: nginx}]}
"""


def adventure(cluster: Cluster, after: float) -> None:
    """Whatever happens seldom: hooks, names that nobody knows, machines that go off and come back, a long time."""
    cluster.apply(ADVENTURES)
    cluster.advance(20)
    cluster.delete("pods", "hooked")
    cluster.delete("pods", "kube-scheduler-control-plane", "kube-system")
    cluster.delete("leases", "control-plane", "kube-node-lease")
    cluster.delete("leases", "kube-scheduler", "kube-system")
    path = "/api/v1/namespaces/default/pods/web/proxy/"
    cluster.perform(cluster.prepare(Request("GET", path, user=ADMIN), "session/open"))
    cluster.advance(20)
    cluster.fault("node/partition", node="worker-1", cut=True)
    cluster.advance(120)
    cluster.fault("node/partition", node="worker-1", cut=False)
    cluster.advance(60)
    for stopped in (True, False):
        cluster.fault("component/stop", component="kube-scheduler", stopped=stopped)
        cluster.advance(10)
    cluster.fault("node/shutdown", node="worker-1", grace=10, critical=4)
    cluster.advance(30)
    cluster.fault("node/power", node="worker-1", up=True)
    cluster.advance(after)


# What runs only once something has been broken or added: each story breaks or adds it, and mends it.


def meanwhile(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    cluster.apply(web("meanwhile"))
    cluster.advance(60)
    assert ready(cluster, "meanwhile")


def pods_that_wait_for_one_another(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    for name in ("meanwhile-a", "meanwhile-b"):
        spec = {"containers": [{"name": "c", "image": "nginx"}]}
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
        cluster.advance(20)
    assert all(pod["spec"].get("nodeName") for pod in cluster.list("pods", "default"))


def an_attempt_that_fails(cluster: Cluster, patch: pytest.MonkeyPatch) -> None:
    plant(patch, Cycle, "run", lambda waiting: waiting.key.startswith("default/meanwhile-"))
    cluster.apply(web("meanwhile"))
    cluster.advance(60)
    assert not ready(cluster, "meanwhile")


def a_machine_that_is_told_to_reboot(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    cluster.perform(cluster.prepare_login("worker-1", ["systemctl", "reboot"], False))
    cluster.advance(120)


def a_kubelet_that_cannot_read_its_file(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    for done in ("mv config.yaml kept", "mv kept config.yaml"):
        line = f"cd /var/lib/kubelet && {done} && systemctl restart kubelet"
        cluster.perform(cluster.prepare_login("worker-1", ["sh", "-c", line], False))
        cluster.advance(60)


def a_node_that_runs_short(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    for percent in (99, 0):
        cluster.fault("node/fill", node="worker-1", what="memory", percent=percent)
        cluster.advance(400)


def an_api_server_that_finds_no_etcd(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    for stopped, seconds in ((True, 95), (False, 60)):
        cluster.fault("component/stop", component="etcd", stopped=stopped)
        cluster.advance(seconds)


def a_plugin_that_announces_devices(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    folder = "/var/lib/kubelet/device-plugins"
    image = "registry.k8s.io/e2e-test-images/sample-device-plugin:1.7"
    plugin = {"name": "c", "image": image, "volumeMounts": [{"name": "v", "mountPath": folder}]}
    spec = {"containers": [plugin], "volumes": [{"name": "v", "hostPath": {"path": folder}}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plugin"}, "spec": spec})
    cluster.advance(60)


def a_token_that_runs_out(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
    spec = {
        "containers": [{"name": "c", "image": "nginx"}],
        "volumes": [{"name": "v", "projected": {"sources": [source]}}],
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "token"}, "spec": spec})
    cluster.advance(600)


def metrics_wanted(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    cluster.apply(COMPONENTS)
    cluster.advance(120)
    assert cluster.request(Request("GET", "/apis/metrics.k8s.io/v1beta1/nodes", user=ADMIN)).status == 200


def a_watch_from_a_pod(cluster: Cluster, _patch: pytest.MonkeyPatch) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    token = "$(cat /run/secrets/kubernetes.io/serviceaccount/token)"
    path = "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=20"
    curl = f"curl -sN -k -H \"Authorization: Bearer {token}\" 'https://kubernetes.default.svc{path}'"
    watch = f"while sleep 1; do {curl}; done"
    container = {"name": "c", "image": "curlimages/curl", "command": ["sh", "-c", watch]}
    cluster.apply(
        [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": role,
                "metadata": {"name": "readers", "namespace": "default"},
                "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
            },
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "watch"}, "spec": {"containers": [container]}},
        ]
    )  # fmt: skip
    cluster.advance(30)
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "news"}})
    cluster.advance(60)


BROKEN = {
    "informer/retell": meanwhile,
    "kube-scheduler/permit": pods_that_wait_for_one_another,
    "kube-scheduler/retry": an_attempt_that_fails,
    "kubelet/again": a_kubelet_that_cannot_read_its_file,
    "kubelet/no-etcd": an_api_server_that_finds_no_etcd,
    "kubelet/plugin": a_plugin_that_announces_devices,
    "kubelet/poweroff": a_machine_that_is_told_to_reboot,
    "kubelet/pressure": a_node_that_runs_short,
    "kubelet/renew": a_token_that_runs_out,
    "metrics-server/scrape": metrics_wanted,
    "sandbox/news": a_watch_from_a_pod,
    "sandbox/waited": a_watch_from_a_pod,
}


class Follow(Plugin):
    """Of the Pods called meanwhile-…, the first by name waits until another has its node."""

    name = "Follow"

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Wait | None:
        pods = self.handle.informers.of("pods").list("default")
        pair = [each for each in pods if each["metadata"]["name"].startswith("meanwhile-")]
        first = min((each["metadata"]["name"] for each in pair), default="")
        if pod.pod["metadata"]["name"] != first:
            self.handle.allow(f"default/{first}", self.name)
            return None
        return None if any(each["spec"].get("nodeName") for each in pair) else Wait(30)


def unplaced(pod: dict[str, Any]) -> bool:
    return pod["metadata"]["name"].startswith("meanwhile-") and not pod["spec"].get("nodeName")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SELDOM if name not in {*BROKEN, "informer/relist"}])
def test_an_event_that_comes_seldom_and_fails_once_is_run_again(name, monkeypatch):
    hit = failing(monkeypatch, Clock, "register", name, lambda call, _given: call == 1)
    cluster = Cluster(nodes=2, seed=3, strict=False)
    adventure(cluster, 3_700 if name == "etcd/lease-expired" else 300)
    cluster.apply(web("first"))
    cluster.advance(60)
    assert hit
    assert cluster.clock.failures.counts() == {name: len(hit)}
    assert ready(cluster, "first")
    same_again(cluster)


@pytest.mark.parametrize("name", BROKEN)
def test_an_event_of_what_is_broken_fails_once_and_is_run_again(name, monkeypatch):
    monkeypatch.setattr(scheduler, "PLUGINS", (*PLUGINS[:-1], Follow, PLUGINS[-1]))
    if name == "informer/retell":
        plant(monkeypatch, EndpointSliceController, "_pod", unplaced)  # a handler that fails is told again
    hit = failing(monkeypatch, Clock, "register", name, lambda call, _given: call == 1)
    cluster = Cluster(nodes=2, seed=3, strict=False)
    BROKEN[name](cluster, monkeypatch)
    cluster.apply(web("first"))
    cluster.advance(60)
    assert hit
    assert cluster.clock.failures.counts()[name] >= len(hit)
    assert ready(cluster, "first")
    same_again(cluster)


def test_a_reader_that_may_read_again_is_told_though_asking_failed_once(monkeypatch):
    hit = failing(monkeypatch, Clock, "register", "informer/relist", lambda call, _given: call == 1)
    cluster = Cluster(nodes=2, seed=3, strict=False)
    away = TakenAway(cluster, sees_nothing)
    cluster.apply(web("first"))
    cluster.advance(10)
    assert hit
    assert not ready(cluster, "first")
    away.given_back()
    cluster.advance(60)
    assert ready(cluster, "first")
    assert cluster.clock.failures.counts() == {"informer/relist": len(hit)}
    assert Cluster.restore(cluster.snapshot()).state_hash() == cluster.state_hash()


def test_an_event_that_always_fails_is_upkeep_in_the_end_and_the_clock_goes_on():
    cluster = Cluster(nodes=2, seed=3, strict=False)
    cluster.clock.register("broken", lambda: 1 / 0)
    cluster.clock.call_later(1, "broken")
    cluster.apply(web("first"))
    assert cluster.settle()
    assert ready(cluster, "first")
    (failure,) = cluster.failures
    assert (failure.component, failure.error) == ("broken", "ZeroDivisionError")
    before = failure.count
    cluster.advance(3_600)
    assert before < cluster.failures[0].count < 25


def test_an_event_that_had_planned_its_next_run_is_not_planned_twice():
    clock, runs = Clock(0), []
    clock.failures.strict = False

    def periodic() -> None:
        runs.append(clock.now)
        clock.call_later(1, "periodic")
        raise Planted

    clock.register("periodic", periodic)
    clock.call_later(1, "periodic")
    clock.run_until(10_000_000)
    assert runs == [second * 1_000_000 for second in range(1, 11)]


# ---- informers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", sorted(Cluster(nodes=2, boot=False).informers._informers))
def test_an_informers_handlers_that_fail_once_are_told_again(resource):
    cluster = Cluster(nodes=2, seed=3, strict=False, boot=False)
    informer, hit = cluster.informers._informers[resource], []

    def failing_once(original: Callable[..., None]) -> Callable[..., None]:
        def planted(*args: object) -> None:
            if original not in hit:
                hit.append(original)
                raise Planted
            original(*args)

        return planted

    informer._registered = [
        (*(tell and failing_once(tell) for tell in tells), owners, reader)
        for *tells, owners, reader in informer._registered
    ]
    cluster.boot()
    story(cluster)
    assert sum(cluster.clock.failures.counts().values()) == len(hit)
    assert "etcd/subscriber" not in cluster.clock.failures.counts(), (
        "the other handlers were told all the same"
    )
    assert ready(cluster, "first")
    assert ready(cluster, "second")


def test_a_write_stands_whatever_those_who_are_told_make_of_it():
    clock = Clock(0)
    clock.failures.strict = False
    store, seen = Store(clock), []

    def broken(event: object) -> None:
        raise Planted

    store.subscribe("pods", broken)
    store.subscribe("pods", seen.append)
    store.watch("pods", None, broken)
    store.watch("pods", None, seen.append)
    stored = store.put("pods", "a/b", {"metadata": {"namespace": "a", "name": "b"}})
    assert store.get("pods", "a/b") is stored
    assert len(seen) == 2
    assert clock.failures.counts() == {"etcd/subscriber": 1, "etcd/watch": 1}
    assert clock.failures.state()["counts"] == {"etcd/subscriber": 1}, "nobody watches a replay"


# ---- the scheduler ---------------------------------------------------------------------------------------


def test_a_pod_that_the_scheduler_cannot_look_at_waits_alone(monkeypatch):
    plant(monkeypatch, Cycle, "run", lambda waiting: waiting.key.startswith("default/first-"))
    cluster = Cluster(nodes=2, seed=3, strict=False)
    cluster.apply(web("first"))
    cluster.apply(web("second"))
    assert cluster.settle()
    assert ready(cluster, "second")
    assert {failure.key[:14] for failure in cluster.failures} == {"default/first-"}
    assert set(cluster.clock.failures.counts()) == {"kube-scheduler"}
    monkeypatch.undo()
    cluster.advance(700)
    assert ready(cluster, "first"), "the flush tries it again"


# ---- the switch ------------------------------------------------------------------------------------------


def test_strict_clusters_let_everything_through(monkeypatch):
    plant(monkeypatch, ReplicaSetController, "reconcile")
    cluster = Cluster(nodes=2, seed=3, addons=False)
    assert cluster.options.strict, "tests are strict where they do not say otherwise"
    cluster.apply(web("first"))
    with pytest.raises(Planted):
        cluster.settle()
    assert cluster.failures == []


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()], ids=["memory", "keyboard"])
def test_what_is_no_bug_goes_through(error):
    clock = Clock(0)
    clock.failures.strict = False

    def raising() -> None:
        raise error

    clock.register("raising", raising)
    clock.call_later(1, "raising")
    with pytest.raises(type(error)):
        clock.run_until(2_000_000)


def test_failures_are_bounded():
    clock = Clock(0)
    clock.failures.strict = False
    for number in range(LIMIT + 50):
        clock.failed("part", f"key-{number}", Planted("x" * 10_000))
    assert len(clock.failures.list()) == LIMIT
    assert clock.failures.counts() == {"part": LIMIT + 50}
    assert len(clock.failures.list()[0].message) == 300
