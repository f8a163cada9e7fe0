# ruff: noqa: E501 (one rule a line)
"""What a node's `iptables-save` shows of Services: the chains and rules of kube-proxy, for that node."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_proxy import listing
from cluster_engine.kube_proxy.listing import Port, saved

JSON = dict[str, Any]
BASE = Port(
    "default/web:http", "TCP", "10.96.7.1", 80, 0, (), False, ("10.244.1.2:8080", "10.244.2.2:8080"), (), 0
)
SVC = "KUBE-SVC-" + listing._hash("default/web:http", "tcp")
EXT, SVL = SVC.replace("SVC", "EXT"), SVC.replace("SVC", "SVL")

# id: (the port, lines that stand there)
CASES: dict[str, tuple[Port, list[str]]] = {
    "a cluster IP": (BASE, [
        f'-A KUBE-SERVICES -d 10.96.7.1/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j {SVC}',
        f'-A {SVC} ! -s 10.244.0.0/16 -d 10.96.7.1/32 -p tcp -m comment --comment "default/web:http cluster IP" '
        "-m tcp --dport 80 -j KUBE-MARK-MASQ",
        "-m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-",
        "-m tcp -j DNAT --to-destination 10.244.2.2:8080",
    ]),
    "nobody there": (BASE._replace(endpoints=(), node_port=30080), [
        '-A KUBE-SERVICES -d 10.96.7.1/32 -p tcp -m comment --comment "default/web:http has no endpoints" '
        "-m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable",
        "-A KUBE-EXTERNAL-SERVICES -p tcp",
    ]),
    "a node port": (BASE._replace(node_port=30080), [
        f'-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j {EXT}',
        f'-A {EXT} -m comment --comment "masquerade traffic for default/web:http external destinations" -j KUBE-MARK-MASQ',
        f"-A {EXT} -j {SVC}",
    ]),
    "kept on the node": (BASE._replace(node_port=30080, local_outside=True, local=("10.244.1.2:8080",)), [
        f"-A {EXT} -j {SVL}", f'-A {SVL} -m comment --comment "default/web:http -> 10.244.1.2:8080" -j KUBE-SEP-',
    ]),
    "none on the node": (BASE._replace(node_port=30080, local_outside=True), [
        f'-A {SVL} -m comment --comment "default/web:http has no local endpoints" -j DROP',
    ]),
    "a balancer": (BASE._replace(node_port=30080, external_ips=("172.18.255.1",)), [
        f'-A KUBE-SERVICES -d 172.18.255.1/32 -p tcp -m comment --comment "default/web:http loadbalancer IP" -m tcp --dport 80 -j {EXT}',
    ]),
    "affinity": (BASE._replace(sticky=60), [
        "-m recent --rcheck --seconds 60 --reap --name KUBE-SEP-", "-m recent --set --name KUBE-SEP-",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_port(case: str) -> None:
    port, lines = CASES[case]
    text = saved([port])
    assert [line for line in lines if line not in text] == []
    assert text.count("COMMIT\n") == 2


def test_the_rest_is_told() -> None:
    text = saved([BASE] * (listing.PORTS + 3))
    assert "# 3 ports of Services more\n" in text


def test_the_hash_is_upstreams() -> None:
    """KUBE-SVC-NPX46M4PTMTKRN6Y is the chain of the Service `kubernetes` in every cluster."""
    assert listing._hash("default/kubernetes:https", "tcp") == "NPX46M4PTMTKRN6Y"


def test_on_a_node() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    text = cluster.components["kubelet"].runtime.sandboxes.call("iptables", "worker-1")  # type: ignore[attr-defined]
    assert (
        '--comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU'
        in text
    )
    assert "-m tcp -j DNAT --to-destination 172.18.0.2:6443" in text
