"""Konnectivity: the API server reaches nodes, Pods and Services through agents where its flag says so."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from test_kubelet_service import same
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.egress_selection import MAX_CONFIGURATION, socket_of
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.serving.proxying import Answer, incoming, outgoing

FOLDER = "/etc/kubernetes/konnectivity-server"
SOCKET = f"{FOLDER}/konnectivity-server.socket"
CONFIG = f"{FOLDER}/egress-selector-configuration.yaml"
MANIFESTS = "/etc/kubernetes/manifests"
NO_AGENT = "No agent available"
NO_SOCKET = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
    f'dial unix {SOCKET}: connect: no such file or directory"'
)


def selection(protocol: str = "GRPC", name: str = "cluster", **transport: Any) -> str:
    connection: JSON = {"proxyProtocol": protocol}
    if transport:
        connection["transport"] = transport
    return yaml.dump(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": name, "connection": connection}],
        }
    )


UDS = {"uds": {"udsName": SOCKET}}


def server(**flags: str) -> str:
    """konnectivity-server.yaml of the documentation's task."""
    said = {
        "logtostderr": "true",
        "uds-name": SOCKET,
        "cluster-cert": "/etc/kubernetes/pki/apiserver.crt",
        "mode": "grpc",
        "server-port": "0",
        "agent-port": "8132",
        "health-port": "8134",
        "agent-namespace": "kube-system",
        "agent-service-account": "konnectivity-agent",
        **flags,
    }
    health = {"scheme": "HTTP", "host": "127.0.0.1", "port": 8134, "path": "/healthz"}
    container = {
        "name": "konnectivity-server-container",
        "image": "registry.k8s.io/kas-network-proxy/proxy-server:v0.0.32",
        "command": ["/proxy-server"],
        "args": [f"--{name}={value}" for name, value in said.items()],
        "livenessProbe": {"httpGet": health, "initialDelaySeconds": 30, "timeoutSeconds": 60},
        "volumeMounts": [{"name": "konnectivity-uds", "mountPath": FOLDER}],
    }
    volume = {"name": "konnectivity-uds", "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}}
    spec = {"hostNetwork": True, "containers": [container], "volumes": [volume]}
    meta = {"name": "konnectivity-server", "namespace": "kube-system"}
    return yaml.dump({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})


def agents(host: str = "172.18.0.2", port: str = "8132", account: str = "konnectivity-agent") -> list[JSON]:
    """konnectivity-agent.yaml of the documentation's task, and its account."""
    meta, labels = (
        {"name": "konnectivity-agent", "namespace": "kube-system"},
        {"k8s-app": "konnectivity-agent"},
    )
    container = {
        "name": "konnectivity-agent",
        "image": "registry.k8s.io/kas-network-proxy/proxy-agent:v0.31.0",
        "command": ["/proxy-agent"],
        "args": [
            "--ca-cert=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
            f"--proxy-server-host={host}",
            f"--proxy-server-port={port}",
            "--health-server-port=8134",
        ],
        "livenessProbe": {"httpGet": {"port": 8134, "path": "/healthz"}, "initialDelaySeconds": 15},
    }
    spec = {"containers": [container], "serviceAccountName": account}
    template = {"metadata": {"labels": labels}, "spec": spec}
    made = {"selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": made},
    ]


WEB = [
    {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"nodeName": "worker-1", "containers": [{"name": "nginx", "image": "nginx:1.27"}]},
    },
    {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
]  # fmt: skip


def write(cluster: Cluster, path: str, text: str) -> None:
    login = Login(
        cluster, "control-plane", ["bash", "-c", f"mkdir -p {FOLDER}; cat > {path} <<'END'\n{text}\nEND"]
    )
    assert login.status == 0, login.said


def tell(cluster: Cluster, text: str = "", flag: str = CONFIG) -> None:
    """The API server's manifest names a configuration, which lies there if a text is given."""
    if text:
        write(cluster, CONFIG, text)
    manifest = yaml.load(Login(cluster, "control-plane", ["cat", f"{MANIFESTS}/kube-apiserver.yaml"]).said)
    spec = manifest["spec"]
    spec["containers"][0]["command"].append(f"--egress-selector-config-file={flag}")
    spec["containers"][0]["volumeMounts"].append({"name": "konnectivity-uds", "mountPath": FOLDER})
    spec["volumes"].append(
        {"name": "konnectivity-uds", "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}}
    )
    write(cluster, f"{MANIFESTS}/kube-apiserver.yaml", yaml.dump(manifest))
    cluster.advance(90)


def serve(cluster: Cluster, **flags: str) -> None:
    write(cluster, f"{MANIFESTS}/konnectivity-server.yaml", server(**flags))
    cluster.advance(60)


def run(cluster: Cluster, objects: list[JSON]) -> None:
    cluster.apply(objects)
    assert cluster.settle()


@pytest.fixture(scope="module")
def direct() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    run(cluster, WEB)
    return cluster


@pytest.fixture(scope="module")
def alone(direct: Cluster) -> Cluster:
    """With a server, and no agent."""
    cluster = direct.fork()
    tell(cluster, selection(**UDS))
    serve(cluster)
    return cluster


@pytest.fixture(scope="module")
def whole(alone: Cluster) -> Cluster:
    cluster = alone.fork()
    run(cluster, agents())
    return cluster


def logs(cluster: Cluster, path: str = "namespaces/default/pods/web/log") -> tuple[int, str]:
    response = cluster.request(Request("GET", f"/api/v1/{path}", user=ADMIN))
    text = "".join(response.stream.take()[0]) if response.stream is not None else response.body.decode()
    return response.status, orjson.loads(text)["message"] if response.status > 299 else text


def session(
    cluster: Cluster, what: str, query: list[tuple[str, str]], method: str = "POST"
) -> tuple[int, str]:
    """exec, port-forward or a proxied request: (status, what went wrong)."""
    path = f"/api/v1/namespaces/default/{what}"
    request = Request(method, path, query, {}, b"", ADMIN)
    answer = Answer()
    entry = cluster.prepare(outgoing(request) if what.endswith("/") else request, "session/open")
    cluster.server.sessions.listen(f"s{entry.seq}", answer)
    refusal = cluster.perform(entry)
    if refusal is not None:
        return refusal.status, orjson.loads(refusal.body)["message"]
    cluster.advance(2)
    if not what.endswith("/"):
        return 101, ""
    got = incoming(request, answer)
    return got.status, "" if got.status == 200 else orjson.loads(got.body)["message"]


EXEC = [("command", "true"), ("stdout", "true")]
LOG = 'Get "https://172.18.0.3:10250/containerLogs/default/web/nginx": '
ASKED: dict[str, tuple[str, list[tuple[str, str]], str, str]] = {
    "exec": ("pods/web/exec", EXEC, "POST", "error dialing backend: "),
    "attach": ("pods/web/attach", [("stdout", "true")], "POST", "error dialing backend: "),
    "port-forward": ("pods/web/portforward", [], "POST", "error dialing backend: "),
    "proxy to a Pod": ("pods/web/proxy/", [], "GET", "error trying to reach service: "),
    "proxy to a Service": ("services/web/proxy/", [], "GET", "error trying to reach service: "),
}


def reaches(cluster: Cluster) -> None:
    assert logs(cluster)[0] == 200
    for what, query, method, _ in ASKED.values():
        assert session(cluster, what, query, method)[0] in (101, 200), what


def fails(cluster: Cluster, why: str) -> None:
    assert logs(cluster) == (500, LOG + why)
    status, text = logs(cluster, "nodes/worker-1/proxy/healthz")
    assert (status, text) == (500, f'Get "https://172.18.0.3:10250/healthz": {why}')
    for what, query, method, before in ASKED.values():
        assert session(cluster, what, query, method)[1] == before + why, what


def test_not_told_so_it_goes_directly(direct: Cluster) -> None:
    """A server and agents alone change nothing."""
    cluster = direct.fork()
    reaches(cluster)
    serve(cluster)
    reaches(cluster)


def test_with_agents(whole: Cluster) -> None:
    cluster = whole.fork()
    reaches(cluster)
    same(cluster)


def test_without_agents(alone: Cluster) -> None:
    """Nothing reaches a node; agents that come are enough, agents that go are missed."""
    cluster = alone.fork()
    fails(cluster, NO_AGENT)
    run(cluster, agents())
    reaches(cluster)
    cluster.delete("daemonsets", "konnectivity-agent", "kube-system")
    cluster.advance(60)
    fails(cluster, NO_AGENT)
    same(cluster)


WRONG: dict[str, list[JSON]] = {
    "another host": agents(host="172.18.0.9"),
    "another port": agents(port="8091"),
    "another account": agents(account="default"),
}


@pytest.mark.parametrize("objects", WRONG.values(), ids=WRONG)
def test_agents_that_the_server_does_not_hear(alone: Cluster, objects: list[JSON]) -> None:
    cluster = alone.fork()
    run(cluster, objects)
    fails(cluster, NO_AGENT)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        pytest.param(None, NO_SOCKET, id="none"),
        pytest.param({"uds-name": f"{SOCKET}2"}, NO_SOCKET, id="elsewhere"),
    ],
)
def test_without_a_server(direct: Cluster, flags: dict[str, str] | None, why: str) -> None:
    cluster = direct.fork()
    run(cluster, agents())
    tell(cluster, selection(**UDS))
    if flags is not None:
        serve(cluster, **flags)
    fails(cluster, why)


def test_nodes_that_are_cut_off(whole: Cluster) -> None:
    """One agent is enough for all nodes; a node without its link is not reached by the others' agents either."""
    cluster = whole.fork()
    cluster.fault("node/partition", node="worker-2", cut=True)
    reaches(cluster)
    cluster.fault("node/partition", node="worker-1", cut=True)
    fails(cluster, NO_AGENT)
    cluster.fault("node/partition", node="worker-2", cut=False)
    assert logs(cluster)[1].startswith(f"{LOG}dial tcp 172.18.0.3:10250: ")
    cluster.fault("node/partition", node="worker-1", cut=False)
    reaches(cluster)
    same(cluster)


def test_what_the_programs_say(whole: Cluster) -> None:
    pods = [pod["metadata"]["name"] for pod in whole.list("pods", "kube-system")]
    (server_pod,) = (name for name in pods if name.startswith("konnectivity-server"))
    agent_pod = next(name for name in pods if name.startswith("konnectivity-agent"))
    said = logs(whole, f"namespaces/kube-system/pods/{server_pod}/log")[1]
    assert "Starting agent server for tunnel connections." in said
    said = logs(whole, f"namespaces/kube-system/pods/{agent_pod}/log")[1]
    assert 'ProxyServerHost set to "172.18.0.2".' in said
    assert Login(whole.fork(), "control-plane", ["ls", FOLDER]).said.split() == [
        "egress-selector-configuration.yaml",
        "konnectivity-server.socket",
    ]


def test_a_webhook_is_called_through_them(alone: Cluster) -> None:
    cluster = alone.fork()
    cluster.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "hook"},
            "webhooks": [
                {
                    "name": "hook.example.com",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "clientConfig": {"service": {"name": "web", "namespace": "default", "port": 80}},
                    "rules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["configmaps"],
                        }
                    ],
                }
            ],
        }
    )
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    path = "/api/v1/namespaces/default/configmaps"
    json = {"content-type": "application/json"}

    def said() -> str:
        answer = cluster.request(Request("POST", path, [], json, orjson.dumps(made), ADMIN))
        return str(orjson.loads(answer.body)["message"])

    assert said().endswith(f'Post "https://web.default.svc:80/?timeout=10s": {NO_AGENT}')
    run(cluster, agents())
    assert said().endswith("server gave HTTP response to HTTPS client")


FAILED = "failed to validate egress selector configuration: service.connection"
REFUSED = {
    "not there": ("", f"egress-selector-config-file {CONFIG} does not exist"),
    "no such thing": ("kind: Pod", "it is no EgressSelectorConfiguration"),
    "no transport": (selection(), f"{FAILED}.transport: Required value: transport must be set for GRPC"),
    "over TCP": (selection("HTTPConnect", tcp={"url": "http://a"}), "at a unix socket alone"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_an_api_server_that_cannot_read_it_does_not_start(direct: Cluster, text: str, why: str) -> None:
    cluster = direct.fork()
    tell(cluster, text)
    answer = cluster.request(Request("GET", "/api/v1/namespaces/default/pods", user=ADMIN))
    assert answer.status == 503
    said = Login(
        cluster, "control-plane", ["bash", "-c", "cat /var/log/pods/kube-system_kube-apiserver*/*/*.log"]
    ).said
    assert '"command failed" err="' in said
    assert why in said


SOCKETS: dict[str, tuple[str, str]] = {
    "GRPC": (selection(**UDS), SOCKET),
    "HTTPConnect": (selection("HTTPConnect", **UDS), SOCKET),
    "direct": (selection("Direct"), ""),
    "of etcd": (selection(name="etcd", **UDS), ""),
}


@pytest.mark.parametrize(("text", "socket"), SOCKETS.values(), ids=SOCKETS)
def test_what_is_read(text: str, socket: str) -> None:
    assert socket_of(text) == socket


UNREAD: dict[str, tuple[str, str]] = {
    "no YAML": ("a: [", "failed to read egress selector config: "),
    "too long": ("#" * (MAX_CONFIGURATION + 1), "failed to read egress selector config: "),
    "another version": (selection(**UDS).replace("v1beta1", "v2"), "expected apiserver.k8s.io/v1beta1, found"),
    "another name": (selection(name="x"), f'{FAILED}: Unsupported value: "x": supported values: "cluster", '),
    "another protocol": (selection("UDP"), f'{FAILED}.protocol: Unsupported value: "UDP"'),
    "direct, and not": (selection("Direct", **UDS), "config must be absent for direct connect"),
    "GRPC over TCP": (selection(tcp={"url": "http://a"}), "UDS must be set with GRPC"),
    "no name": (selection(uds={"x": ""}), "must be present for UDS connections"),
    "neither": (selection("HTTPConnect", x={}), "One of TCP or UDS must be set"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), UNREAD.values(), ids=UNREAD)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError) as refused:
        socket_of(text)
    assert why in str(refused.value)


@pytest.mark.parametrize("spec", [{}, {"containers": []}, {"containers": [{"command": 3}]}], ids=repr)
def test_a_broken_manifest_of_the_same_name_breaks_nothing(alone: Cluster, spec: JSON) -> None:
    cluster = alone.fork()
    meta = {"name": "kube-apiserver", "namespace": "kube-system"}
    text = yaml.dump({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    write(cluster, f"{MANIFESTS}/z.yaml", text)
    cluster.advance(30)
    fails(cluster, NO_AGENT)


KUBELET = ("kubelet", "worker-1", "worker-1", "172.18.0.3:10250")


def hops(cluster: Cluster, what: str) -> list[tuple[str, ...]]:
    """Where a request came through: logs, exec, or a proxied one."""
    if what == "logs":
        logs(cluster)
    elif what == "page":
        logs(cluster, "nodes/worker-1/proxy/healthz")
    else:
        query, method = next((each[1], each[2]) for each in ASKED.values() if each[0] == what)
        session(cluster, what, query, method)
    return [tuple(hop.values()) for hop in cluster.requests(1, writes=True)[0]["passed"]]


@pytest.mark.parametrize("what", ["logs", "page", "pods/web/exec"])
def test_the_way_of_a_request_is_remembered(
    direct: Cluster, whole: Cluster, alone: Cluster, what: str
) -> None:
    assert hops(direct.fork(), what) == [KUBELET]
    (server_hop, agent_hop, last) = hops(whole.fork(), what)
    assert server_hop == (
        "konnectivity-server",
        "kube-system/konnectivity-server-control-plane",
        "control-plane",
        SOCKET,
    )
    assert (agent_hop[0], agent_hop[1].startswith("kube-system/konnectivity-agent-")) == (
        "konnectivity-agent",
        True,
    )
    assert last == KUBELET
    assert hops(alone.fork(), what) == [server_hop]


def test_a_proxied_request_ends_at_an_address(whole: Cluster) -> None:
    cluster = whole.fork()
    ip = (cluster.get("pods", "web") or {})["status"]["podIP"]
    proxied = next(each[0] for each in ASKED.values() if each[0].endswith("/"))
    found = hops(cluster, proxied)
    assert [hop[0] for hop in found] == ["konnectivity-server", "konnectivity-agent", "address"]
    assert found[-1][1].startswith(f"{ip}:")
