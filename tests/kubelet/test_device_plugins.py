"""Devices that plugins announce: a node's capacity, who gets which, and Pods that are refused for want of one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver import ADMIN, Request

NODE, RESOURCE = "worker-1", "example.com/resource"
FOLDER = "/var/lib/kubelet/device-plugins"
UNEXPECTED = "Pod was rejected: Allocate failed due to {}, which is unexpected"
NONE_HEALTHY = UNEXPECTED.format(f"no healthy devices present; cannot allocate unhealthy devices {RESOURCE}")


def plugin(name: str = "plugin", mounted: bool = True, **env: str) -> JSON:
    container: JSON = {
        "name": "plugin",
        "image": "registry.k8s.io/e2e-test-images/sample-device-plugin:1.7",
        "env": [{"name": key, "value": value} for key, value in {"PLUGIN_SOCK_DIR": FOLDER, **env}.items()],
    }
    spec: JSON = {"nodeName": NODE, "containers": [container], "restartPolicy": "Always"}
    if mounted:
        container["volumeMounts"] = [{"name": "v", "mountPath": FOLDER}]
        spec["volumes"] = [{"name": "v", "hostPath": {"path": FOLDER}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def asks(amount: int, name: str = "c", **more: Any) -> JSON:
    limits = {RESOURCE: str(amount)} if amount else {}
    plain = {"name": name, "image": "busybox:1.36", "command": ["sleep", "1d"]}
    return {**plain, "resources": {"limits": limits}, **more}


def pod(name: str, *containers: JSON, bypass: bool = False, **spec: Any) -> JSON:
    """``bypass``: bound by hand, as nobody who counts devices would."""
    where = {"nodeName": NODE} if bypass else {}
    inner = {"containers": list(containers), "terminationGracePeriodSeconds": 1, **where, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": inner}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(plugin())
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def amounts(cluster: Cluster, resource: str = RESOURCE) -> tuple[str | None, str | None]:
    """(capacity, allocatable) of the node."""
    found = cluster.get("nodes", NODE)
    assert found is not None
    return found["status"]["capacity"].get(resource), found["status"]["allocatable"].get(resource)


def end(cluster: Cluster, name: str) -> tuple[str, str | None, str | None]:
    found = cluster.get("pods", name)
    assert found is not None
    status = found["status"]
    return status["phase"], status.get("reason"), status.get("message")


def refused(cluster: Cluster, name: str, why: str) -> None:
    """Failed so, with an event that says the same."""
    assert end(cluster, name) == ("Failed", "UnexpectedAdmissionError", why)
    told = [
        event["message"]
        for event in cluster.list("events", "default")
        if event["reason"] == "UnexpectedAdmissionError" and event["involvedObject"]["name"] == name
    ]
    assert told == [why.removeprefix("Pod was rejected: ")]


def log(cluster: Cluster, name: str) -> str:
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    answer = cluster.request(Request("GET", path, user=ADMIN))
    if answer.status == 400:  # between two attempts
        answer = cluster.request(Request("GET", path, [("previous", "true")], user=ADMIN))
    return answer.body.decode()


def files(cluster: Cluster, name: str, container: str = "c") -> str:
    return cluster.execute(name, ["ls", "/tmp"], container=container).stdout.decode()


def test_a_node_has_what_its_plugin_announces(cluster: Cluster) -> None:
    assert amounts(cluster) == ("2", "2")
    assert amounts(Cluster(nodes=2)) == (None, None)
    said = log(cluster, "plugin")
    assert f'"Determined configuration" CDI_ENABLED="" pluginSocksDir="{FOLDER}"' in said
    assert '"ListAndWatch"' in said
    same(cluster)


def test_each_container_gets_its_own(cluster: Cluster) -> None:
    cluster.apply(pod("both", asks(1), asks(1, "d")))
    assert cluster.settle()
    assert (files(cluster, "both"), files(cluster, "both", "d")) == ("Dev-1\n", "Dev-2\n")
    cluster.apply(pod("waits", asks(1)))
    assert cluster.settle()
    assert end(cluster, "waits")[0] == "Pending"
    cluster.delete("pods", "both")
    assert cluster.settle()
    assert (end(cluster, "waits")[0], files(cluster, "waits")) == ("Running", "Dev-1\n")
    same(cluster)


def test_an_init_container_hands_its_devices_on_and_a_sidecar_keeps_them(cluster: Cluster) -> None:
    once = asks(2, "once", command=["true"])
    cluster.apply(pod("a", asks(2), initContainers=[once]))
    assert cluster.settle()
    assert files(cluster, "a") == "Dev-1\nDev-2\n"
    cluster.delete("pods", "a")
    assert cluster.settle()
    cluster.apply(pod("b", asks(2), initContainers=[asks(1, "side", restartPolicy="Always")], bypass=True))
    assert cluster.settle()
    text = f"requested number of devices unavailable for {RESOURCE}. Requested: 2, Available: 1"
    refused(cluster, "b", UNEXPECTED.format(text))


def test_who_is_bound_by_hand_is_refused(cluster: Cluster) -> None:
    cluster.apply(pod("a", asks(2)))
    assert cluster.settle()
    cluster.apply(pod("b", asks(1), bypass=True))
    assert cluster.settle()
    text = f"requested number of devices unavailable for {RESOURCE}. Requested: 1, Available: 0"
    refused(cluster, "b", UNEXPECTED.format(text))
    same(cluster)


def test_a_kubelet_that_begins_anew_waits_for_its_plugin(cluster: Cluster) -> None:
    """What runs goes on; who comes before the plugin has registered again is refused, as in life."""
    cluster.apply(pod("a", asks(1)))
    assert cluster.settle()
    for running in (False, True):
        cluster.fault("node/kubelet", node=NODE, running=running)
        cluster.advance(3)
    assert amounts(cluster) == ("0", "0")
    cluster.apply(pod("b", asks(1), bypass=True))
    cluster.advance(3)
    refused(cluster, "b", NONE_HEALTHY)
    cluster.advance(25)
    assert (amounts(cluster), end(cluster, "a")[0]) == (("2", "2"), "Running")
    cluster.apply(pod("c", asks(1)))
    assert cluster.settle()
    assert (end(cluster, "c")[0], files(cluster, "c")) == ("Running", "Dev-2\n")
    same(cluster)


def test_after_a_reboot_nobody_has_devices_before_the_plugin(cluster: Cluster) -> None:
    cluster.apply(pod("a", asks(1)))
    cluster.apply(pod("none", asks(0)))
    assert cluster.settle()
    for up in (False, True):
        cluster.fault("node/power", node=NODE, up=up)
        cluster.advance(60)
    refused(cluster, "a", NONE_HEALTHY)
    assert (end(cluster, "none")[0], amounts(cluster)) == ("Running", ("2", "2"))
    same(cluster)


def test_devices_of_a_plugin_that_has_gone(cluster: Cluster) -> None:
    """They are unhealthy at once and forgotten after five minutes; then nobody is counted one by one any more."""
    cluster.delete("pods", "plugin")
    cluster.advance(45)
    assert amounts(cluster) == ("2", "0")
    cluster.apply(pod("a", asks(1), bypass=True))
    cluster.advance(5)
    refused(cluster, "a", NONE_HEALTHY)
    cluster.advance(310)
    assert amounts(cluster) == ("0", "0")
    cluster.apply(pod("b", asks(1), bypass=True))
    cluster.advance(5)
    text = f"Node didn't have enough resource: {RESOURCE}, requested: 1, used: 0, capacity: 0"
    assert end(cluster, "b") == ("Failed", f"OutOf{RESOURCE}", f"Pod was rejected: {text}")
    same(cluster)


def test_the_container_device_interface(base: Cluster) -> None:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(plugin(CDI_ENABLED="1"))
    cluster.apply(pod("a", asks(1)))
    assert cluster.settle()
    assert b"CDI_DEVICE=CDI-Dev-1" in cluster.execute("a", ["env"]).stdout


@pytest.mark.parametrize(
    ("mounted", "env", "said"),
    [
        (False, {}, "panic: listen unix"),
        (True, {"REGISTER_CONTROL_FILE": "/f"}, "Drydock's sample-device-plugin registers at once"),
    ],
    ids=["without the kubelet's folder", "registration by hand"],
)
def test_a_plugin_that_does_not_start(mounted: bool, env: dict[str, str], said: str) -> None:
    cluster = Cluster(nodes=2)
    cluster.apply(plugin("lost", mounted, **env))
    cluster.advance(30)
    assert said in log(cluster, "lost")
    assert amounts(cluster) == (None, None)


def test_what_others_say_that_a_node_has(base: Cluster) -> None:
    """An extended resource that somebody patched into the node's capacity stays, and its kubelet counts it."""
    cluster = Cluster(nodes=2, freezing=True)
    found = cluster.get("nodes", NODE)
    assert found is not None
    body = orjson.dumps({"status": {"capacity": {"example.com/dongle": "4"}}})
    kind = {"content-type": "application/merge-patch+json"}
    path = f"/api/v1/nodes/{NODE}/status"
    assert cluster.request(Request("PATCH", path, headers=kind, body=body, user=ADMIN)).status == 200
    cluster.advance(310)
    assert amounts(cluster, "example.com/dongle") == ("4", "4")
    cluster.apply(pod("a", asks(0, resources={"limits": {"example.com/dongle": "5"}}), bypass=True))
    cluster.advance(5)
    assert end(cluster, "a")[1] == "OutOfexample.com/dongle"
