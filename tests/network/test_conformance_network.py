# ruff: noqa: E501 (one behaviour a line)
"""Upstream's conformance suite, as far as it needs the network: each behaviour by its codename.

Each is told as steps: something is applied, deleted or asked from a Pod. `conformance_network.yaml` has all behaviours
of that class; which are shown where, `docs/conformance.md` tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from tests.network.test_conformance_webhooks import TOLD
from tests.network.test_conversions import CONVERTED

JSON = dict[str, Any]
BEHAVIOURS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "conformance_network.yaml").read_text())
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
NODE, ALONE = "[NodeConformance]", "[LinuxOnly] [NodeConformance]"
TAIL = "default.svc.cluster.local"


def pod(
    name: str, image: str = AGNHOST, args: list[str] | None = None, app: str = "web", **spec: Any
) -> JSON:
    container: JSON = {
        "name": "c",
        "image": image,
        "args": args or ["netexec", "--http-port=8080", "--udp-port=8081"],
    }
    if image == "busybox:1.36":
        container = {"name": "c", "image": image, "command": ["sh", "-c", *(args or ["sleep 100d"])]}
    if "ports" in spec:
        container["ports"] = spec.pop("ports")
    if "lifecycle" in spec:
        container["lifecycle"] = spec.pop("lifecycle")
    meta = {"name": name, "namespace": "default", "labels": {"app": app}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5, **spec},
    }


def service(name: str, selector: str | None = "web", **spec: Any) -> JSON:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    chosen = {"selector": {"app": selector}} if selector else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": ports, **chosen, **spec},
    }


def external(name: str, to: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": to},
    }


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True)
    cluster.apply(
        pod("client", "nicolaka/netshoot", app="client")
        | {
            "spec": {
                "containers": [{"name": "c", "image": "nicolaka/netshoot", "command": ["sleep", "100d"]}],
                "nodeName": "worker-1",
            }
        }
    )
    cluster.apply(pod("web-0", nodeName="worker-1"))
    cluster.apply(pod("web-1", nodeName="worker-2"))
    cluster.apply(service("web"))
    cluster.apply(service("headless", clusterIP="None"))
    assert cluster.settle()
    return cluster


def ip_of(cluster: Cluster, name: str) -> str:
    found: str = cluster.get("pods", name, "default")["status"]["podIP"]
    return found


def says(cluster: Cluster, line: str, name: str = "client") -> str:
    for each in ("web-0", "web-1", "client"):
        line = line.replace("{" + each + "}", ip_of(cluster, each))
    found = cluster.execute(name, ["sh", "-c", line])
    return (found.stdout + found.stderr).decode()


def hooked(**lifecycle: JSON) -> JSON:
    """A Pod whose hooks call a server."""
    return pod("hooked", "busybox:1.36", app="hooked", lifecycle=lifecycle)


def runs(message: str) -> JSON:
    return {"exec": {"command": ["sh", "-c", f"wget -qO- http://web/echo?msg={message}"]}}


def gets(message: str) -> JSON:
    return {"httpGet": {"host": "10.96.9.9", "port": 80, "path": f"/echo?msg={message}"}}


def node_client() -> JSON:
    """A Pod with the network of its node."""
    return pod("node", "nicolaka/netshoot", ["sleep", "100d"], "node", hostNetwork=True, nodeName="worker-2")


_HOOKS = "[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute"
_BY_NODE = "[sig-network] Networking Granular Checks: Pods should function for node-pod communication:"
NAME_EVERY = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do curl -s {}/hostname; echo; done | sort -u | tr '\\n' ' '"
Step = JSON | tuple[str, str] | tuple[str, str, str]
"""An object to apply; (line, what the client then prints); or one of (a Pod but "delete", line, what it then prints),
("delete", resource, name), ("served", message, times): how often the servers were asked for it so far."""

STEPS: dict[str, list[Step]] = {
    "[sig-network] DNS should provide DNS for the cluster": [
        ("nslookup kubernetes.default | grep -c 10.96.0.1$", "1\n"),
        (f"dig +short kubernetes.{TAIL}", "10.96.0.1\n"),
    ],
    "[sig-network] DNS should provide DNS for services": [
        (f"dig +short web.{TAIL} | grep -c ^10[.]", "1\n"),
        (f"dig +short headless.{TAIL} | wc -l", "2\n"),
        (f"dig +short _http._tcp.web.{TAIL} SRV", f"0 100 80 web.{TAIL}.\n"),
        (f"dig +short -x $(dig +short web.{TAIL})", f"web.{TAIL}.\n"),
        ("dig +short -x {web-0} | grep -c headless", "1\n"),
    ],
    "[sig-network] DNS should provide /etc/hosts entries for the cluster": [
        ("grep -c client /etc/hosts", "1\n")
    ],
    "[sig-network] DNS should resolve DNS of partial qualified names for services [LinuxOnly]": [
        (
            f"for n in web web.default web.default.svc web.{TAIL}; do curl -s -o /dev/null -w '%{{http_code}} ' $n; done",
            "200 200 200 200 ",
        )
    ],
    "[sig-network] DNS should provide DNS for pods for Hostname": [
        service("sub", "named", clusterIP="None"),
        pod("named", app="named", hostname="my-host", subdomain="sub"),
        (f"dig +short my-host.sub.{TAIL} | grep -c ^10.244", "1\n"),
        (f"curl -s my-host.sub.{TAIL}:8080/hostname", "my-host"),
    ],
    "[sig-network] DNS should provide DNS for pods for Subdomain": [
        service("sub", "named", clusterIP="None"),
        pod("named", app="named", hostname="my-host", subdomain="sub"),
        (f"dig +short sub.{TAIL} | grep -c ^10.244", "1\n"),
    ],
    "[sig-network] DNS should provide DNS for ExternalName services": [
        external("away", "foo.example.com"),
        (f"dig +short away.{TAIL} CNAME", "foo.example.com.\n"),
        external("away", "bar.example.com"),
        (f"dig +short away.{TAIL} CNAME", "bar.example.com.\n"),
        {**service("away"), "spec": {**service("away")["spec"], "type": "ClusterIP", "externalName": None}},
        (f"dig +short away.{TAIL} A | grep -c ^10[.]", "1\n"),
    ],
    f"[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http {NODE}": [
        ("for a in {web-0} {web-1}; do curl -s $a:8080/hostname; echo; done", "web-0\nweb-1\n")
    ],
    f"[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp {NODE}": [
        (
            "for a in {web-0} {web-1}; do (echo hostname; sleep 1) | nc -u $a 8081; echo; done",
            "web-0\nweb-1\n",
        )
    ],
    "[sig-network] Services should serve endpoints on same port and different protocols": [
        {
            **service("s"),
            "spec": {
                "selector": {"app": "web"},
                "ports": [
                    {"name": "t", "port": 80, "protocol": "TCP", "targetPort": 8080},
                    {"name": "u", "port": 80, "protocol": "UDP", "targetPort": 8081},
                ],
            },
        },
        ("curl -s s/hostname | cut -c1-4; (echo hostname; sleep 1) | nc -u s 80 | cut -c1-4", "web-\nweb-\n"),
    ],
    "[sig-network] Services should be able to change the type from ExternalName to ClusterIP": [
        external("s", "example.com"),
        {**service("s"), "spec": {**service("s")["spec"], "type": "ClusterIP", "externalName": None}},
        (NAME_EVERY.replace("{}", "s"), "web-0 web-1 "),
    ],
    "[sig-network] Services should be able to change the type from ExternalName to NodePort": [
        external("s", "example.com"),
        {
            **service("s"),
            "spec": {
                "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30123}],
                "type": "NodePort",
                "externalName": None,
            },
        },
        (NAME_EVERY.replace("{}", "s"), "web-0 web-1 "),
        (NAME_EVERY.replace("{}", "172.18.0.3:30123"), "web-0 web-1 "),
    ],
    "[sig-network] Services should be able to change the type from ClusterIP to ExternalName": [
        service("s"),
        {
            **external("s", f"web.{TAIL}"),
            "spec": {
                "type": "ExternalName",
                "externalName": f"web.{TAIL}",
                "clusterIP": None,
                "clusterIPs": None,
                "selector": None,
            },
        },
        (f"dig +short s.{TAIL} CNAME", f"web.{TAIL}.\n"),
    ],
    "[sig-network] Services should be able to change the type from NodePort to ExternalName": [
        service("s", type="NodePort"),
        {
            **external("s", f"web.{TAIL}"),
            "spec": {
                "type": "ExternalName",
                "externalName": f"web.{TAIL}",
                "clusterIP": None,
                "clusterIPs": None,
                "selector": None,
            },
        },
        (f"dig +short s.{TAIL} CNAME", f"web.{TAIL}.\n"),
    ],
    "[sig-network] Services should be able to create a functioning NodePort service": [
        {
            **service("s"),
            "spec": {
                "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30123}],
                "type": "NodePort",
            },
        },
        *(
            (NAME_EVERY.replace("{}", to), "web-0 web-1 ")
            for to in (
                "s",
                f"$(dig +short s.{TAIL})",
                "172.18.0.2:30123",
                "172.18.0.3:30123",
                "172.18.0.4:30123",
            )
        ),
    ],
    "[sig-network] Services should have session affinity work for service with type clusterIP [LinuxOnly]": [
        service("s", sessionAffinity="ClientIP"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "1\n"),
    ],
    "[sig-network] Services should have session affinity work for NodePort service [LinuxOnly]": [
        {
            **service("s"),
            "spec": {
                "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30123}],
                "type": "NodePort",
                "sessionAffinity": "ClientIP",
            },
        },
        (NAME_EVERY.replace("{}", "172.18.0.3:30123") + " | wc -w", "1\n"),
    ],
    "[sig-network] Services should be able to switch session affinity for service with type clusterIP [LinuxOnly]": [
        service("s", sessionAffinity="ClientIP"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "1\n"),
        service("s", sessionAffinity="None"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "2\n"),
        service("s", sessionAffinity="ClientIP"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "1\n"),
    ],
    "[sig-network] Services should be able to switch session affinity for NodePort service [LinuxOnly]": [
        service("s", type="NodePort", sessionAffinity="ClientIP"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "1\n"),
        service("s", type="NodePort", sessionAffinity="None"),
        (NAME_EVERY.replace("{}", "s") + " | wc -w", "2\n"),
    ],
    "[sig-network] Services should serve a basic endpoint from pods": [
        service("s", "late"),
        ("curl -sS s 2>&1 | cut -c1-9", "curl: (7)\n"),
        pod("late-0", app="late"),
        (NAME_EVERY.replace("{}", "s"), "late-0 "),
        pod("late-1", app="late"),
        (NAME_EVERY.replace("{}", "s"), "late-0 late-1 "),
        ("delete", "pods", "late-0"),
        (NAME_EVERY.replace("{}", "s"), "late-1 "),
    ],
    "[sig-network] Services should serve multiport endpoints from pods": [
        {
            **service("s"),
            "spec": {
                "selector": {"app": "many"},
                "ports": [
                    {"name": "a", "port": 80, "targetPort": "a"},
                    {"name": "b", "port": 81, "targetPort": "b"},
                ],
            },
        },
        pod(
            "one",
            app="many",
            args=["netexec", "--http-port=100"],
            ports=[{"name": "a", "containerPort": 100}],
        ),
        pod(
            "two",
            app="many",
            args=["netexec", "--http-port=101"],
            ports=[{"name": "b", "containerPort": 101}],
        ),
        (NAME_EVERY.replace("{}", "s:80"), "one "),
        (NAME_EVERY.replace("{}", "s:81"), "two "),
    ],
    "[sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly]": [
        pod(
            "tcp",
            app="h1",
            nodeName="worker-1",
            ports=[{"containerPort": 8080, "hostPort": 54323, "hostIP": "127.0.0.1"}],
        ),
        pod(
            "own",
            app="h2",
            nodeName="worker-1",
            ports=[{"containerPort": 8080, "hostPort": 54323, "hostIP": "172.18.0.3"}],
        ),
        pod(
            "udp",
            app="h3",
            nodeName="worker-1",
            ports=[{"containerPort": 8081, "hostPort": 54323, "hostIP": "172.18.0.3", "protocol": "UDP"}],
        ),
        (
            "curl -s 172.18.0.3:54323/hostname; echo; (echo hostname; sleep 1) | nc -u 172.18.0.3 54323",
            "own\nudp",
        ),
        ("delete", "pods", "own"),
        ("curl -sS 172.18.0.3:54323/hostname 2>&1 | cut -c1-9", "curl: (7)\n"),
    ],
    "[sig-apps] ReplicaSet should serve a basic image on each replica with a public image": [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "r", "namespace": "default"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "r"}},
                "template": {"metadata": {"labels": {"app": "r"}}, "spec": pod("x", app="r")["spec"]},
            },
        },
        service("r", "r"),
        (NAME_EVERY.replace("{}", "r") + " | wc -w", "3\n"),
    ],
    "[sig-apps] ReplicationController should serve a basic image on each replica with a public image": [
        {
            "apiVersion": "v1",
            "kind": "ReplicationController",
            "metadata": {"name": "r", "namespace": "default"},
            "spec": {
                "replicas": 3,
                "selector": {"app": "r"},
                "template": {"metadata": {"labels": {"app": "r"}}, "spec": pod("x", app="r")["spec"]},
            },
        },
        service("r", "r"),
        (NAME_EVERY.replace("{}", "r") + " | wc -w", "3\n"),
    ],
    f"{_BY_NODE} http {ALONE}": [
        node_client(),
        ("node", "for a in {web-0} {web-1}; do curl -s $a:8080/hostname; echo; done", "web-0\nweb-1\n"),
        ("node", "curl -s {web-0}:8080/clientip | cut -d: -f1", "172.18.0.4\n"),
    ],
    f"{_BY_NODE} udp {ALONE}": [
        node_client(),
        (
            "node",
            "for a in {web-0} {web-1}; do (echo hostname; sleep 1) | nc -u $a 8081; echo; done",
            "web-0\nweb-1\n",
        ),
    ],
    f"{_HOOKS} poststart exec hook properly {NODE}": [
        hooked(postStart=runs("poststart")),
        ("served", "poststart", "1"),
    ],
    f"{_HOOKS} poststart http hook properly {NODE}": [
        service("fixed", clusterIP="10.96.9.9"),
        hooked(postStart=gets("poststart")),
        ("served", "poststart", "1"),
    ],
    f"{_HOOKS} prestop exec hook properly {NODE}": [
        hooked(preStop=runs("prestop")),
        ("served", "prestop", "0"),
        ("delete", "pods", "hooked"),
        ("served", "prestop", "1"),
    ],
    f"{_HOOKS} prestop http hook properly {NODE}": [
        service("fixed", clusterIP="10.96.9.9"),
        hooked(preStop=gets("prestop")),
        ("served", "prestop", "0"),
        ("delete", "pods", "hooked"),
        ("served", "prestop", "1"),
    ],
    "[sig-node] PreStop should call prestop when killing a pod": [
        hooked(
            preStop={
                "exec": {"command": ["wget", "-qO-", "--post-data=x", "http://web.default/echo?msg=killed"]}
            }
        ),
        ("served", "killed", "0"),
        ("delete", "pods", "hooked"),
        ("served", "killed", "1"),
    ],
}


def served(cluster: Cluster, message: str) -> str:
    """How often the two servers were asked for a message, by their logs."""
    logs = ""
    for name in ("web-0", "web-1"):
        path = f"/api/v1/namespaces/default/pods/{name}/log"
        logs += cluster.request(Request("GET", path, user=ADMIN)).body.decode()
    return str(logs.count(f"GET /echo?msg={message}&code=\n"))


@pytest.mark.parametrize("codename", STEPS)
def test_told_as_steps(base: Cluster, codename: str) -> None:
    assert codename in BEHAVIOURS
    cluster = base.fork()
    for step in STEPS[codename]:
        if isinstance(step, dict):
            cluster.apply(step)
        elif len(step) == 3 and step[0] == "delete":
            cluster.delete(step[1], step[2], "default")
        elif len(step) == 3:
            shown = served(cluster, step[1]) if step[0] == "served" else says(cluster, step[1], step[0])
            assert shown == step[2], step[1]
            continue
        else:
            assert says(cluster, step[0]) == step[1], step[0]
            continue
        cluster.advance(12)


ELSEWHERE = {
    "[sig-cli] Kubectl client Guestbook application should create and stop a working application": (
        "tests/container_runtime/test_guestbook.py", "test_what_is_written_is_read_from_every_replica",
    ),
    "[sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer": (
        "tests/network/test_issuer_discovery.py", "test_a_pod_verifies_its_token_against_the_issuers_documents",
    ),
    "[sig-network] Proxy version v1 should proxy through a service and a pod": (
        "tests/kube_apiserver/test_proxy.py", "test_a_page",
    ),
    **{
        "[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service " + what: (
            "tests/kube_apiserver/test_proxy.py", "test_every_method",
        )
        for what in ("Proxy", "ProxyWithPath")
    },
    "[sig-cli] Kubectl client Kubectl expose should create services for rc": (
        "tests/kubectl/test_kubectl.py", "test_a_replication_controller_is_exposed",
    ),
}  # fmt: skip
"""Behaviours that tests of other files show."""

OPEN: dict[str, str] = {}
"""Behaviours that fail, and why."""


def shown() -> dict[str, str]:
    """Where each behaviour that is tested is."""
    here = dict.fromkeys(STEPS, "tests/network/test_conformance_network.py")
    here |= dict.fromkeys(TOLD, "tests/network/test_conformance_webhooks.py")
    here |= dict.fromkeys(CONVERTED, "tests/network/test_conversions.py")
    return {**here, **{name: "::".join(at) for name, at in ELSEWHERE.items()}}
