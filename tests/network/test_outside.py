"""From outside into the cluster: what the learner's own computer reaches, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.network import API_SERVER, WORKSTATION
from cluster_engine.network.outside import LINKS
from cluster_engine.performers import link_of
from cluster_engine.sim import Entry

WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  externalIPs: [203.0.113.9]
  selector: {app: web}
  ports: [{port: 8080, targetPort: 80, nodePort: 30080}]
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {type: NodePort, selector: {app: nobody}, ports: [{port: 80, nodePort: 30081}]}
"""
GET = "GET / HTTP/1.0\r\nHost: x\r\n\r\n"


class Ear:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def connected(self) -> None:
        self.heard.append("connected")

    def received(self, data: str) -> None:
        self.heard.append(data)

    def closed(self) -> None:
        self.heard.append("closed")

    def failed(self, reason: str) -> None:
        self.heard.append(reason)


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(WEB)
    cluster.settle()
    return cluster


def note(cluster: Cluster, kind: str, **payload: Any) -> Entry:
    entry = Entry(cluster.journal.next_seq, cluster.clock.now, kind, payload)
    cluster.perform(entry)
    return entry


def dial(cluster: Cluster, source: str, ip: str, port: int) -> tuple[Ear, str]:
    ear, link = Ear(), f"l{cluster.journal.next_seq}"
    cluster.outside.listen(link, ear)
    assert link_of(note(cluster, "link/open", source=source, ip=ip, port=port)) == link
    cluster.wait(lambda _: bool(ear.heard), 300)
    return ear, link


def address(cluster: Cluster, what: str) -> str:
    match what:
        case "Pod":
            return str((cluster.get("pods", "web") or {})["status"]["podIP"])
        case "Service":
            return str((cluster.get("services", "web") or {})["spec"]["clusterIP"])
        case "node":
            return str(cluster.list("nodes")[1]["status"]["addresses"][0]["address"])
    return what


@pytest.mark.parametrize(
    ("source", "to", "port", "heard"),
    [
        (WORKSTATION, "node", 30080, "connected"),
        (WORKSTATION, "203.0.113.9", 8080, "connected"),
        (WORKSTATION, "node", 30081, "refused"),
        (WORKSTATION, "node", 30082, "refused"),
        (WORKSTATION, "Service", 8080, "unreachable"),
        (WORKSTATION, "Pod", 80, "unreachable"),
        (WORKSTATION, "192.0.2.1", 80, "unreachable"),
        (API_SERVER, "Pod", 80, "connected"),
        (API_SERVER, "Pod", 81, "refused"),
        (API_SERVER, "Service", 8080, "connected"),
        ("nobody", "node", 30080, "unreachable"),
    ],
)
def test_who_reaches_what(base: Cluster, source: str, to: str, port: int, heard: str) -> None:
    cluster = base.fork()
    assert dial(cluster, source, address(cluster, to), port)[0].heard == [heard]


def test_a_request_and_its_answer_are_lived_again(base: Cluster) -> None:
    cluster = base.fork()
    ear, link = dial(cluster, WORKSTATION, address(cluster, "node"), 30080)
    note(cluster, "link/input", source=WORKSTATION, link=link, data=GET)
    cluster.wait(lambda _: "closed" in ear.heard, 30)
    assert "Welcome to nginx!" in "".join(ear.heard)
    note(cluster, "link/close", source=WORKSTATION, link=link)
    assert cluster.outside.open_names() == []
    logged = cluster.list("pods", "default")[0]
    assert logged["metadata"]["name"] == "web"
    again = Cluster.replay(cluster.journal)
    assert again.state_hash() == cluster.state_hash()


def test_an_open_link_survives_as_data_and_can_be_hung_up(base: Cluster) -> None:
    cluster = base.fork()
    _, link = dial(cluster, API_SERVER, address(cluster, "Pod"), 80)
    again = Cluster.resume(cluster.keyframe())
    assert again.outside.open_names() == [[API_SERVER, link]]
    assert cluster.fork().outside.open_names() == [[API_SERVER, link]]
    note(again, "link/input", source=API_SERVER, link=link, data=GET)
    again.advance(1)
    note(again, "link/close", source=API_SERVER, link=link)
    note(again, "link/input", source=API_SERVER, link=link, data="late")
    again.advance(1)
    assert again.outside.open_names() == []
    assert again.failures == []


def test_links_are_limited(base: Cluster) -> None:
    cluster = base.fork()
    for _ in range(LINKS):
        assert not cluster.outside.full
        dial(cluster, API_SERVER, address(cluster, "Pod"), 80)
    assert cluster.outside.full
