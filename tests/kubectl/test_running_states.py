"""What the real kubectl shows of objects that live: running, failing, waiting, going.

One cluster is brought to one moment of its virtual time and stands still there. What the server prints is exact to
the second; the ages in a description's events kubectl works out by the clock of its own machine, so they are left
out. The goldens were read against k8s.io/kubectl/pkg/describe. ``--update`` writes them.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from kubectl_driver import Kubectl

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, Driver

pytestmark = [pytest.mark.kubectl, pytest.mark.slow]
GOLDEN = Path(__file__).parent / "golden" / "states"
STATES = (Path(__file__).parent / "states.yaml").read_text()
LATER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: rolling, namespace: states}
spec:
  replicas: 3
  selector: {matchLabels: {app: rolling}}
  template:
    metadata: {labels: {app: rolling}}
    spec: {containers: [{name: web, image: "nginx:0.0-nowhere"}]}
"""
SHOWN = {
    "pod-running": "pod running",
    "pod-crash-looping": "pod crashing",
    "pod-with-init-and-sidecar": "pod prepared",
    "pod-in-its-init": "pod preparing",
    "pod-unschedulable": "pod huge",
    "pod-without-its-image": "pod imageless",
    "pod-terminating": "pod leaving",
    "pod-evicted": "pod hoarder",
    "pod-completed": "pod over",
    "pod-not-ready": "pod unready",
    "pod-without-its-config": "pod lacking",
    "deployment-done": "deployment done",
    "deployment-rolling": "deployment rolling",
    "replicaset": "replicaset -l app=done",
    "statefulset": "statefulset kept",
    "daemonset": "daemonset everywhere",
    "job-complete": "job complete",
    "job-failed": "job failed",
    "cronjob": "cronjob often",
    "service": "service done",
    "endpointslice": "endpointslice -l kubernetes.io/service-name=done",
    "node-ready": "node worker-1",
    "node-not-ready": "node worker-3",
    "claim-bound": "pvc data-kept-0",
    "claim-pending": "pvc waiting",
    "claim-without-class": "pvc classless",
    "volume-bound": "pv",
    "autoscaler-without-metrics": "hpa done",
    "disruption-budget": "pdb done",
    "quota-used": "resourcequota used",
    "limits": "limitrange limits",
    "lease": "lease -n kube-node-lease worker-1",
}
_AGE = r"(?:(?:\d+[smhdy])+|<unknown>|<invalid>)"
_EVENT = re.compile(rf"^(  (?:Normal|Warning) +\S+ +){_AGE}(?: \((x\d+) over {_AGE}\))? +(\S+) +")

_OLD = re.compile(r"(?<=\(lasts )[\dyd]+(?=\)$)|(?<=  )\d+[yd]\d*d?$")
"""Of a Pod that ends, and in a node's table of its Pods."""
_CHANCE = re.compile(r"(?<=Resource Version:  )\d+|(?<= UID: )[ 0-9a-f-]+$")
"""What anything that happened before changes."""


def _brought_up() -> Cluster:
    cluster = Cluster(nodes=4, seed=1)
    cluster.fault("node/power", node="worker-3", up=False)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "states"}})
    cluster.advance(120)
    cluster.apply(STATES)
    cluster.advance(150)
    cluster.apply(LATER)
    cluster.advance(60)
    cluster.delete("pods", "leaving", "states")
    cluster.advance(5)
    return cluster


@pytest.fixture(scope="module")
def moment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """kubectl with that cluster, in the namespace of what is shown."""
    cluster, home = _brought_up(), tmp_path_factory.mktemp("states")
    listener = socket.create_server(("127.0.0.1", 0))
    app = ClusterApp(cluster, driver=Driver(cluster, 0), admin=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment = {"HOME": str(home), "KUBERNETES_MASTER": address, "TZ": "UTC"}
    kubectl = Kubectl(Path(sys.executable).parent / "kubectl", environment, home)
    kubectl.namespace = "states"
    yield kubectl
    server.should_exit = True
    thread.join()


def _described(text: str) -> str:
    lines = []
    for line in text.splitlines():
        found = _EVENT.match(line)
        if found:
            start, count, source = found.groups()
            line = f"{' '.join(start.split())} <age> {count or 'x1'} {source} {line[found.end() :]}"
        elif re.fullmatch(r"  -+( +-+){4}|  Type +Reason +Age +From +Message", line):
            continue
        lines.append(_CHANCE.sub("<any>", _OLD.sub("<age>", line.rstrip())))
    return "\n".join(lines)


@pytest.mark.parametrize("name", SHOWN)
def test_a_state_as_shown(moment: Kubectl, name: str, update_goldens: bool) -> None:
    table, description = f"get {SHOWN[name]} -o wide", f"describe {SHOWN[name]}"
    told = (
        f"$ kubectl {table}\n{moment(*table.split())}\n\n"
        f"$ kubectl {description}\n{_described(moment(*description.split()))}\n"
    )
    _as_in(f"{name}.txt", told, update_goldens)


def test_events_as_shown(moment: Kubectl, update_goldens: bool) -> None:
    chosen = "--field-selector=involvedObject.name=crashing"
    _as_in("events.txt", moment("get", "events", chosen, "--sort-by=.lastTimestamp"), update_goldens)


def _as_in(name: str, found: str, update: bool) -> None:
    path = GOLDEN / name
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    # kubectl goes through some maps in any order.
    assert sorted(path.read_text().splitlines()) == sorted(found.splitlines())
