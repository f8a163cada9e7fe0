"""What a Pod finds when it calls names and addresses: Services without endpoints, DNS without servers."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON


def _pod(name: str, image: str, command: list[str] | None = None, **more: Any) -> JSON:
    container = {"name": "c", "image": image, **({"command": command} if command else {})}
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **more}}


def _service(name: str, ip: str, selector: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": ip, "selector": {"app": selector}, "ports": [{"port": 80}]},
    }


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(
        [
            _pod("client", "busybox:1.36", ["sleep", "1d"]),
            _pod("web", "nginx:1.25"),
            _service("web", "10.96.7.1", "web"),
            _service("empty", "10.96.7.2", "nobody"),
        ]
    )
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def ask(cluster: Cluster, *argv: str) -> tuple[int, str]:
    result = cluster.execute("client", argv, limit=300)
    return result.exit_code, (result.stdout + result.stderr).decode()


REFUSED = "wget: can't connect to remote host (10.96.7.2): Connection refused\n"
TIMED_OUT = "wget: can't connect to remote host (10.96.7.1): Connection timed out\n"
CALLS = {
    "by name": ("web", (0, "")),
    "by its full name": ("web.default.svc.cluster.local", (0, "")),
    "by address": ("10.96.7.1", (0, "")),
    "no endpoints, by name": ("empty", (1, REFUSED)),
    "no endpoints, by address": ("10.96.7.2", (1, REFUSED)),
    "a port that it has not": ("10.96.7.1:81", (1, TIMED_OUT)),
    "no such name": ("nobody", (1, "wget: bad address 'nobody'\n")),
    "no such address": (
        "10.244.9.9",
        (1, "wget: can't connect to remote host (10.244.9.9): Host is unreachable\n"),
    ),
}


@pytest.mark.parametrize(("host", "expected"), CALLS.values(), ids=CALLS.keys())
def test_calls(cluster: Cluster, host: str, expected: tuple[int, str]) -> None:
    assert ask(cluster, "wget", "-q", "-O", "/dev/null", f"http://{host}/") == expected


def test_names_are_answered_by_the_dns_pods_or_by_nobody(cluster: Cluster) -> None:
    assert "Address: 10.96.7.1\n" in ask(cluster, "nslookup", "web")[1]
    coredns = cluster.get("deployments", "coredns", "kube-system")
    assert coredns is not None
    cluster.apply({**_bare(coredns), "spec": {**coredns["spec"], "replicas": 0}}, namespace="kube-system")
    cluster.settle()
    assert cluster.list("pods", "kube-system", "k8s-app=kube-dns") == []
    silence = (1, ";; connection timed out; no servers could be reached\n\n")
    assert ask(cluster, "nslookup", "web") == silence
    assert ask(cluster, "wget", "-q", "http://web/") == (1, "wget: bad address 'web'\n")
    assert ask(cluster, "wget", "-q", "-O", "/dev/null", "http://10.96.7.1/") == (0, "")
    cluster.apply({**_bare(coredns), "spec": {**coredns["spec"], "replicas": 1}}, namespace="kube-system")
    cluster.settle()
    assert "Address: 10.96.7.1\n" in ask(cluster, "nslookup", "web")[1]


def _bare(obj: JSON) -> JSON:
    meta = {key: obj["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta}


SEEN = {
    "ip -o addr": "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "2: eth0    inet {ip}/24 brd {net}.255 scope global eth0\\       valid_lft forever preferred_lft forever\n",
    "ip route": "default via {net}.1 dev eth0 \n{net}.0/24 dev eth0 scope link  src {ip} \n",
    "ip addr show eth0 | grep -w inet": "    inet {ip}/24 brd {net}.255 scope global eth0\n",
    "ip link show lo": "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n"
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n",
    "ifconfig eth0 | sed -n 2,3p": "          inet addr:{ip}  Bcast:{net}.255  Mask:255.255.255.0\n"
    "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n",
    "ifconfig lo | head -n 1": "lo        Link encap:Local Loopback  \n",
    "ifconfig eth7 2>&1": "ifconfig: eth7: error fetching interface information: Device not found\n",
    "route -n | tail -n 2": "0.0.0.0         {net}.1      0.0.0.0         UG    0      0        0 eth0\n"
    "{net}.0      0.0.0.0         255.255.255.0   U     0      0        0 eth0\n",
    "netstat -rn | tail -n 1": "{net}.0      0.0.0.0         255.255.255.0   U         0 0          0 eth0\n",
}


@pytest.mark.parametrize("line", SEEN)
def test_what_a_pod_sees_of_its_network(cluster: Cluster, line: str) -> None:
    ip = str((cluster.get("pods", "client") or {})["status"]["podIP"])
    net = ip.rpartition(".")[0]
    status = 1 if "Device not found" in SEEN[line] else 0
    assert ask(cluster, "sh", "-c", line) == (status, SEEN[line].format(ip=ip, net=net))


WAYS = {
    "a Pod beside it": (
        "{web}",
        "traceroute to {web} ({web}), 30 hops max, 46 byte packets\n 1  {web} ({web})  0.018 ms",
    ),
    "a node": ("172.18.0.2", "(172.18.0.2), 30 hops max, 46 byte packets\n 1  {net}.1 ({net}.1)  0.009 ms"),
    "nobody there": ("-m 2 -n 10.244.9.9", " 1  {net}.1  0.009 ms  0.008 ms  0.007 ms\n 2  *  *  *\n"),
    "no such name": ("nobody", "traceroute: bad address 'nobody'\n"),
    "too many steps": ("-m 256 10.244.9.9", "traceroute: invalid number '256'\n"),
}


@pytest.mark.parametrize("case", WAYS)
def test_the_way_to_a_host(cluster: Cluster, case: str) -> None:
    words, wanted = WAYS[case]
    ips = {name: str((cluster.get("pods", name) or {})["status"]["podIP"]) for name in ("web", "client")}
    ips["net"] = ips["client"].rpartition(".")[0]
    said = ask(cluster, "traceroute", *words.format(**ips).split())[1]
    assert wanted.format(**ips) in said


def test_a_command_that_lingers_leaves_nothing_to_wait_for(cluster: Cluster) -> None:
    """While it waits a container's own sleep is waited for too; not when it has ended."""
    assert ask(cluster, "sh", "-c", "sleep 2; echo done") == (0, "done\n")
    assert ask(cluster, "sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc web 80 | head -c 12") == (
        0,
        "HTTP/1.1 200",
    )
    assert cluster.settle()
