"""What a node's network looks like to who is logged in there, and to a Pod on the host's network."""

from __future__ import annotations

from typing import Any

import pytest
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON


def _pod(name: str, node: str, *command: str, image: str = "busybox:1.36", host: bool = False) -> JSON:
    container: JSON = {"name": "c", "image": image, **({"command": list(command)} if command else {})}
    spec = {"containers": [container], "nodeName": node, "hostNetwork": host}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(
        [
            _pod("web", "worker-1", image="nginx:1.27"),
            _pod("host", "worker-1", "sh", "-c", "nc -l -p 7000 & sleep 1d", host=True),
        ]
    )
    assert cluster.settle()
    return cluster


def _said(cluster: Cluster, node: str, line: str) -> tuple[Any, str]:
    login = Login(cluster, node, ["bash", "-c", line])
    return login.status, login.said


ETH0 = "inet 172.18.0.3/16 brd 172.18.255.255 scope global eth0"
ROUTES = (
    "default via 172.18.0.1 dev eth0 \n10.244.0.0/24 via 172.18.0.2 dev eth0 \n"
    "10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 \n"
    "10.244.2.0/24 via 172.18.0.4 dev eth0 \n"
    "172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.3 \n"
)
WORKER = {
    "ip addr show eth0 | grep -w inet": (0, f"    {ETH0}\n"),
    "ip -4 -o addr show dev cni0 | cut -d' ' -f2-7": (0, "cni0    inet 10.244.1.1/24\n"),
    "ip -br link | awk '{print $2}' | sort | uniq -c | tr -s ' '": (0, " 1 UNKNOWN\n 3 UP\n"),
    "ip link show master cni0": (1, 'Device "master" does not exist.\n'),
    "ip link | grep -c 'master cni0 state UP mode DEFAULT'": (0, "1\n"),
    "ip route": (0, ROUTES),
    "ip route show dev cni0": (0, "10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 \n"),
    "ip route add default via 1.1.1.1": (1, "ip: route add is not simulated here; a real node has it\n"),
    "ip addr show eth9": (1, 'Device "eth9" does not exist.\n'),
    "ip -x addr": (255, 'Option "-x" is unknown, try "ip -help".\n'),
    "ip nothing": (255, 'Object "nothing" is unknown, try "ip help".\n'),
    "route -n | tail -n 1": (
        0,
        "172.18.0.0      0.0.0.0         255.255.0.0     U     0      0        0 eth0\n",
    ),
    "netstat -rn | grep -c cni0": (0, "1\n"),
    "ifconfig cni0 | grep inet": (
        0,
        "          inet addr:10.244.1.1  Bcast:10.244.1.255  Mask:255.255.255.0\n",
    ),
    "ss -Hlnt | awk '{print $4}'": (
        0,
        "0.0.0.0:22\n0.0.0.0:7000\n127.0.0.1:10248\n0.0.0.0:10249\n0.0.0.0:10250\n0.0.0.0:10256\n",
    ),
    "ss -lntp | grep 10250 | grep -o '\"kubelet\",pid=4'": (0, '"kubelet",pid=4\n'),
    "ss -lntp | grep ':7000 ' | grep -c '\"nc\",pid='": (0, "1\n"),
    "ss -t": (
        1,
        "ss: which connections stand is not simulated here; a real node has it (-l shows who listens)\n",
    ),
    "netstat -lnt | grep -c LISTEN": (0, "6\n"),
}


@pytest.mark.parametrize("line", WORKER)
def test_a_node_tells_of_its_network(cluster: Cluster, line: str) -> None:
    assert _said(cluster, "worker-1", line) == WORKER[line]


def test_a_pair_of_interfaces_has_two_ends(cluster: Cluster) -> None:
    inside = cluster.execute("host", ["sh", "-c", "ip link | grep veth"]).stdout.decode()
    there = _said(cluster, "worker-1", "ip link | grep veth")[1]
    number = there.partition(":")[0]
    assert inside.partition(":")[0] == number
    cluster = cluster.fork()
    pod = _pod("asks", "worker-1", "sleep", "1d")
    cluster.apply(pod)
    assert cluster.settle()
    eth0 = cluster.execute("asks", ["sh", "-c", "ip link show eth0"]).stdout.decode()
    pairs = _said(cluster, "worker-1", "ip -o link | grep veth | cut -d: -f1")[1].split()
    assert len(pairs) == 2
    assert eth0.partition("@if")[2].partition(":")[0] in pairs
    cluster.delete("pods", "asks")
    cluster.advance(60)
    assert _said(cluster, "worker-1", "ip -o link | grep veth | cut -d: -f1")[1].split() == [number]


def test_the_control_plane_listens_where_its_flags_say(cluster: Cluster) -> None:
    said = _said(cluster, "control-plane", "ss -Hlnt | awk '{print $4}'")[1].split()
    etcd = {"127.0.0.1:2379", "172.18.0.2:2379", "172.18.0.2:2380", "127.0.0.1:2381"}
    assert {*etcd, "127.0.0.1:10257", "127.0.0.1:10259", "0.0.0.0:6443"} <= {*said}
    # A component that was asked, and so has run, is told of as before.
    again = cluster.fork()
    again.delete("pods", "kube-scheduler-control-plane", "kube-system")
    again.advance(30)
    assert _said(again, "control-plane", "ss -Hlnt | awk '{print $4}'")[1].split() == said


def test_a_pod_on_the_hosts_network_sees_the_node(cluster: Cluster) -> None:
    line = "ip route | tail -n 1; ip -o addr show eth0 | cut -d' ' -f7; netstat -lnt | grep -c :10250"
    told = cluster.execute("host", ["sh", "-c", line])
    assert told.stdout == b"172.18.0.0/16 dev eth0 scope link  src 172.18.0.3 \n172.18.0.3/16\n1\n"
