"""The engine's side of a measurement, run as a process of its own: prints one line of JSON."""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable
from typing import Any


def files(runs: int) -> dict[str, Any]:
    """Changes of file trees (``bench/files.py``)."""
    from bench.files import files as measured

    return measured(runs)


def shell(runs: int) -> dict[str, Any]:
    """The ten scripts, the bombs, saving and forking (``bench/shell.py``)."""
    from bench.shell import shell as measured

    return measured(runs)


def _template() -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "bench"}},
        "spec": {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10.1"}]},
    }


def deployment(count: int) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bench", "namespace": "default"},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": "bench"}},
            "template": _template(),
        },
    }


def boot() -> dict[str, Any]:
    """CPU to import the engine and boot three nodes, cold; then a second cluster of the same configuration, and one
    that starts at another time, so that nothing of it was worked out before.
    """
    import_cpu, import_wall = time.process_time(), time.perf_counter()
    from cluster_engine.cluster import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()  # as every process that hosts engines does
    cold_cpu, cold_wall = time.process_time(), time.perf_counter()
    cluster = Cluster(nodes=3, seed=1)
    warm_cpu, warm_wall = time.process_time(), time.perf_counter()
    Cluster(nodes=3, seed=2)
    end_cpu = time.process_time()
    Cluster(nodes=3, seed=2, start="2026-02-01T00:00:00Z")
    other_cpu = time.process_time()
    fork_wall = time.perf_counter()
    cluster.fork()
    return {
        "import_cpu_seconds": cold_cpu - import_cpu,
        "import_wall_seconds": cold_wall - import_wall,
        "boot_cpu_seconds": warm_cpu - cold_cpu,
        "boot_wall_seconds": warm_wall - cold_wall,
        "warm_boot_cpu_seconds": end_cpu - warm_cpu,
        "other_start_boot_cpu_seconds": other_cpu - end_cpu,
        "fork_wall_seconds": time.perf_counter() - fork_wall,
        "pods": len(cluster.list("pods")),
    }


def scale(count: int, nodes: int, profile: bool) -> dict[str, Any]:
    """Wall and CPU seconds from the Deployment's creation until all its Pods are Ready."""
    from cluster_engine.cluster import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()  # as every process that hosts engines does
    cluster = Cluster(nodes=nodes + 1, seed=1)  # one more: the control plane takes no workload

    def ready(at: Cluster) -> bool:
        status = (at.get("deployments", "bench") or {}).get("status", {})
        return bool(status.get("readyReplicas", 0) == count)

    profiler = cProfile.Profile() if profile else None
    cpu, wall = time.process_time(), time.perf_counter()
    if profiler is not None:
        profiler.enable()
    cluster.apply(deployment(count))
    if not cluster.wait(ready, timeout=3600):
        raise SystemExit(f"only {cluster.get('deployments', 'bench')['status']} after an hour")  # type: ignore[index]
    if profiler is not None:
        profiler.disable()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if profiler is not None:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "events": len(cluster.list("events", "default")),
        "revision": cluster.store.revision,
    }


def _scheduled(count: int, nodes: int) -> tuple[Any, list[float]]:
    """A bare cluster, and the CPU seconds of each of its scheduler's clock events from now on."""
    from cluster_engine.cluster import Cluster

    cluster = Cluster(
        nodes=nodes + 1, seed=1, addons=False, max_pods=4 * count, max_objects=1_000 + 20 * count
    )
    run = cluster.clock._handlers["kube-scheduler/run"]
    spent: list[float] = []

    def timed() -> None:
        began = time.process_time()
        run()
        spent.append(time.process_time() - began)

    cluster.clock._handlers["kube-scheduler/run"] = timed
    return cluster, spent


def _spread(count: int, nodes: int) -> float:
    """CPU seconds of placing Pods that have to lie evenly over nodes, and should over zones."""
    cluster, spent = _scheduled(count, nodes)
    wanted = deployment(count)
    wanted["spec"]["template"]["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": unsatisfiable,
            "nodeTaintsPolicy": "Honor",
            "labelSelector": wanted["spec"]["selector"],
        }
        for key, unsatisfiable in (
            ("kubernetes.io/hostname", "DoNotSchedule"),
            ("topology.kubernetes.io/zone", "ScheduleAnyway"),
        )
    ]
    cluster.apply(wanted)
    cluster.settle()
    assert all(pod["spec"].get("nodeName") for pod in cluster.list("pods", "default"))
    return sum(spent)


def scheduler(count: int, nodes: int) -> dict[str, Any]:
    """CPU of the scheduler's clock events alone: so many Pods that fit, then as many that do not, tried twice; and as
    many that have to be spread."""
    from cluster_engine.memory import relax_collector

    relax_collector()
    cluster, spent = _scheduled(count, nodes)
    cluster.apply(deployment(count))
    cluster.settle()
    placed, longest = sum(spent), max(spent)
    spent.clear()
    misfits = deployment(count)
    misfits["metadata"]["name"] = "misfits"
    misfits["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    cluster.apply(misfits)
    cluster.settle()
    refused = sum(spent)
    spent.clear()
    admin = cluster.context.client("kubernetes-admin", "bench", ("system:masters",))
    patch = {"metadata": {"labels": {"disk": "ssd"}}, "spec": {"unschedulable": True}}
    admin.patch("nodes", "worker-1", None, patch)
    cluster.settle()
    again = sum(spent)
    return {
        "placed_cpu_seconds": placed,
        "placed_per_second": count / placed,
        "spread_per_second": count / _spread(count, nodes),
        "refused_per_second": count / refused,
        "refused_again_per_second": count / again,
        "longest_event_milliseconds": longest * 1000,
    }


_LOOP = "i=0; while [ $i -lt {count} ]; do wget -q -O /dev/null http://{host}/; i=$((i+1)); done"


def _pod(name: str, image: str, *command: str, **container: Any) -> dict[str, Any]:
    spec = {"name": "c", "image": image, **({"command": list(command)} if command else {}), **container}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [spec]}}


def wire(count: int) -> dict[str, Any]:
    """Requests of a shell loop of wget from one bare machine to another (``bench/wire.py``)."""
    from bench.wire import plain
    from cluster_engine.memory import relax_collector

    relax_collector()
    cpu = min(plain(count) for _ in range(10))
    return {"requests_per_second": count / cpu, "microseconds_per_request": cpu / count * 1e6}


def network(clients: int, count: int, target: str) -> dict[str, Any]:
    """CPU of so many shell loops of wget against one nginx, all within what processes have saved up.

    ``target``: "pod" asks its address, "service" its Service by name (CoreDNS answers each time).
    """
    from cluster_engine.cluster import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()
    cluster = Cluster(nodes=3, seed=1)
    web = _pod("web", "nginx")
    web["metadata"]["labels"] = {"app": "web"}
    cluster.apply(web)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }
    )
    cluster.settle()
    cluster.advance(3)
    host = cluster.get("pods", "web")["status"]["podIP"] if target == "pod" else "web"  # type: ignore[index]
    for number in range(clients):
        script = _LOOP.format(count=count, host=host)
        cluster.apply(_pod(f"client-{number}", "busybox", "sh", "-c", f"{script}; echo done; sleep 1d"))
    began = cluster.clock.events_run
    cpu = time.process_time()
    cluster.settle()
    cluster.advance(2)
    cpu = time.process_time() - cpu
    records = cluster.components["kubelet"].core.records.all()  # type: ignore[attr-defined]
    clients_logs = [c.log for r in records if "/client-" in r.key for c in r.containers.values()]
    if [text for log in clients_logs for _, _, text in log.lines()] != ["done\n"] * clients:
        raise SystemExit("not every client has got its pages")
    return {
        "requests_per_second": clients * count / cpu,
        "microseconds_per_request": cpu / clients / count * 1e6,
        "events_per_request": (cluster.clock.events_run - began) / clients / count,
    }


def looping(pods: int, minutes: int) -> dict[str, Any]:
    """Pods that ask a Service by its name once a second, for so long: CPU, and what a fork of all that costs then."""
    from cluster_engine.cluster import Cluster
    from cluster_engine.memory import relax_collector

    relax_collector()
    cluster = Cluster(nodes=3, seed=1)
    web = _pod("web", "nginx")
    web["metadata"]["labels"] = {"app": "web"}
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    meta = {"name": "svc", "namespace": "default"}
    cluster.apply([web, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}])
    script = "while true; do wget -qO- svc; sleep 1; done"
    cluster.apply([_pod(f"client-{number}", "busybox", "sh", "-c", script) for number in range(pods)])
    cluster.settle()
    cpu = time.process_time()
    cluster.advance(minutes * 60)
    cpu = time.process_time() - cpu
    forks = []
    for _ in range(5):
        cluster.advance(1)
        began = time.process_time()
        cluster.fork()
        forks.append(time.process_time() - began)
    return {
        "cpu_seconds": cpu,
        "requests_per_second": pods * minutes * 60 / cpu,
        "fork_milliseconds": sorted(forks)[2] * 1e3,
    }


def life(pods: int, hours: int) -> dict[str, Any]:
    """Looping Pods with exec probes: CPU of a virtual hour, of a fork and of its first second, early and late."""
    from cluster_engine.cluster import Cluster

    cluster = Cluster(nodes=3, seed=1)
    script = "touch /tmp/alive; while true; do date; sleep 60; done"
    probe = {"exec": {"command": ["cat", "/tmp/alive"]}, "periodSeconds": 60}
    for number in range(pods):
        cluster.apply(_pod(f"loop-{number}", "busybox", "sh", "-c", script, livenessProbe=probe))
    cluster.settle()

    def measured(step: Callable[[], Any]) -> float:
        cpu = time.process_time()
        step()
        return time.process_time() - cpu

    early = min(measured(cluster.fork) for _ in range(5))
    lived = measured(lambda: cluster.advance(hours * 3600))
    late = min(measured(cluster.fork) for _ in range(5))
    twin = cluster.fork()
    return {
        "fork_early_milliseconds": early * 1e3,
        "fork_late_milliseconds": late * 1e3,
        "first_second_milliseconds": measured(lambda: twin.advance(1)) * 1e3,
        "hour_cpu_seconds": lived / hours,
        "snapshot_kibibytes": len(cluster.snapshot()) / 1024,
    }


CEL_RULES = {
    "field": "self.spec.replicas <= self.spec.max",
    "typical": "has(self.spec.name) && self.spec.name.startsWith('web') && self.spec.replicas in [1, 2, 3]",
    "loop": "self.spec.containers.all(c, c.image.contains(':') && c.name != '')",
}
"""Rules as policies and definitions have them."""


def expressions(runs: int) -> dict[str, Any]:
    """Compilations and evaluations of rules in CEL, the best of some runs."""
    from cluster_engine import cel

    containers = [{"name": f"c{n}", "image": "nginx:1"} for n in range(10)]
    spec = {"replicas": 3, "max": 5, "name": "web-1", "containers": containers}
    found: dict[str, Any] = {}
    for name, text in CEL_RULES.items():
        program = cel.compile(text, ["self"])
        compiled, evaluated = [], []
        for _ in range(runs):
            began = time.process_time()
            for _ in range(200):
                cel.compile(text, ["self"])
            compiled.append((time.process_time() - began) / 200)
            began = time.process_time()
            for _ in range(20_000):
                program.evaluate({"self": {"spec": spec}})
            evaluated.append(20_000 / (time.process_time() - began))
        found[f"{name}_compile_microseconds"] = min(compiled) * 1e6
        found[f"{name}_evaluations_per_second"] = max(evaluated)
    return found


BENCHES: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "boot": lambda _rest: boot(),
    "scale": lambda rest: scale(int(rest[0]), int(rest[1]), "--profile" in rest),
    "network": lambda rest: network(int(rest[0]), int(rest[1]), rest[2]),
    "looping": lambda rest: looping(int(rest[0]), int(rest[1])),
    "wire": lambda rest: wire(int(rest[0])),
    "life": lambda rest: life(int(rest[0]), int(rest[1])),
    "scheduler": lambda rest: scheduler(int(rest[0]), int(rest[1])),
    "shell": lambda rest: shell(int(rest[0])),
    "files": lambda rest: files(int(rest[0])),
    "cel": lambda rest: expressions(int(rest[0])),
}


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    print(json.dumps(BENCHES[name](rest)))
