"""Ingresses as ingress-nginx serves them: installed by its manifest, asked through its NodePort."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.container_runtime import api_client
from cluster_engine.container_runtime.images._ingress import certgen, controller, objects, rules
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
MANIFEST = Path(__file__).with_name("ingress_nginx.yaml").read_text()
NGINX = "nginx.ingress.kubernetes.io/"
TLS = certgen.made(7, ["tls.example.com"], 1_767_225_600_000_000)
BACKENDS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "registry.k8s.io/e2e-test-images/agnhost:2.53", args: [netexec, --http-port=8080]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: default}
spec: {selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shows, namespace: default, labels: {app: shows}}
spec: {containers: [{name: c, image: "registry.k8s.io/echoserver:1.10"}]}
---
apiVersion: v1
kind: Service
metadata: {name: shows, namespace: default}
spec: {selector: {app: shows}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 100d]}]}
"""


def path(
    at: str, service: str = "web", kind: str = "Prefix", port: str | int = 80
) -> tuple[str, str, str, str | int]:
    return at, kind, service, port


def ingress(
    name: str,
    host: str,
    *paths: tuple[str, str, str, str | int],
    notes: dict[str, str] | None = None,
    cls: str | None = "nginx",
    **spec: Any,
) -> JSON:
    listed = [
        {
            "path": at,
            "pathType": kind,
            "backend": {
                "service": {"name": to, "port": {"number" if isinstance(port, int) else "name": port}}
            },
        }
        for at, kind, to, port in paths
    ]
    rule: JSON = {"http": {"paths": listed}}
    if host:
        rule["host"] = host
    annotations = {f"{NGINX}{key}": value for key, value in (notes or {}).items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {
            **({"ingressClassName": cls} if cls else {}),
            **({"rules": [rule]} if paths else {}),
            **spec,
        },
    }


INGRESSES = (
    ingress("plain", "a.example.com", path("/"), path("/empty", "empty"), path("/exact", "shows", "Exact")),
    ingress("named", "*.b.example.com", path("/", port="http")),
    ingress(
        "cut",
        "c.example.com",
        path("/x(/|$)(.*)", "shows", "ImplementationSpecific"),
        notes={"rewrite-target": "/$2"},
    ),
    ingress("begins", "d.example.com", path("/foo", "web"), path("/im", "web", "ImplementationSpecific")),
    ingress("gone", "e.example.com", path("/", "nowhere")),
    ingress("other", "f.example.com", path("/"), cls="somebodys"),
    ingress(
        "secure", "tls.example.com", path("/"), tls=[{"hosts": ["tls.example.com"], "secretName": "tls"}]
    ),
    ingress(
        "both",
        "g.example.com",
        path("/"),
        notes={"ssl-redirect": "false"},
        tls=[{"hosts": ["g.example.com"], "secretName": "missing"}],
    ),
    ingress(
        "moved",
        "h.example.com",
        path("/"),
        notes={"permanent-redirect": "https://example.org/"},
        tls=[{"hosts": ["h.example.com"], "secretName": "tls"}],
    ),
    ingress("root", "i.example.com", path("/"), notes={"app-root": "/hostname"}),
)


def wait_for(cluster: Cluster, seconds: int) -> None:
    assert cluster.settle()
    cluster.advance(seconds)
    assert cluster.settle()


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(MANIFEST)
    cluster.apply(BACKENDS)
    wait_for(cluster, 30)
    data = {"tls.crt": base64.b64encode(TLS[1]).decode(), "tls.key": base64.b64encode(TLS[2]).decode()}
    meta = {"name": "tls", "namespace": "default"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls", "data": data}
    )
    for each in INGRESSES:
        cluster.apply(each)
    assert cluster.settle()
    cluster.execute("client", ["sh", "-c", f"cat > /tmp/ca.crt <<'X'\n{TLS[0].decode()}X\n"])
    return cluster


def ports(cluster: Cluster) -> dict[str, int]:
    found = cluster.get("services", "ingress-nginx-controller", "ingress-nginx") or {}
    return {each["name"]: each["nodePort"] for each in found["spec"]["ports"]}


def node(cluster: Cluster) -> str:
    return str((cluster.get("nodes", "worker-1") or {})["status"]["addresses"][0]["address"])


def curl(cluster: Cluster, how: str) -> str:
    """``HOST/path`` with what comes before it, through the NodePort of a node."""
    *options, url = how.split(" ")
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "http", url
    host, slash, where = rest.partition("/")
    at = ports(cluster)[scheme]
    text = " ".join(options)
    asked = f"curl -s --resolve {host}:{at}:{node(cluster)} {text} '{scheme}://{host}:{at}{slash}{where}'"
    if not host:
        asked = f"curl -s {text} '{scheme}://{node(cluster)}:{at}{slash}{where}'"
    said = cluster.execute("client", ["sh", "-c", asked], limit=120)
    return (said.stdout + said.stderr).decode()


CODE = "-o /dev/null -w %{http_code}"
# id: (how curl asks, what is in what it prints)
ANSWERS: dict[str, tuple[str, str]] = {
    "a host's root": (f"{CODE} a.example.com/hostname", "200"),
    "what no rule is about": ("/", "<center>nginx</center>"),
    "and its status": (f"{CODE} nobody.example.com/", "404"),
    "a Service without endpoints": (f"{CODE} a.example.com/empty/x", "503"),
    "and its page": ("a.example.com/empty", "<center><h1>503 Service Temporarily Unavailable</h1></center>"),
    "a Service that is not there": (f"{CODE} e.example.com/", "503"),
    "exactly": ("a.example.com/exact", "real path=/exact"),
    "not exactly": (f"{CODE} a.example.com/exact/", "200"),
    "a label for a star": (f"{CODE} x.b.example.com/hostname", "200"),
    "not two": (f"{CODE} x.y.b.example.com/hostname", "404"),
    "a group of the path": ("c.example.com/x/a/b?q=1", "real path=/a/b?q=1"),
    "an empty group": ("c.example.com/x", "real path=/\n"),
    "a pattern looks not at case": ("c.example.com/X/a", "real path=/a\n"),
    "a pattern that does not fit": (f"{CODE} c.example.com/y", "404"),
    "a beginning is of whole names": (f"{CODE} d.example.com/foobar", "404"),
    "a beginning": (f"{CODE} d.example.com/foo/", "200"),
    "as nginx begins": (f"{CODE} d.example.com/image", "200"),
    "not this class": (f"{CODE} f.example.com/", "404"),
    "to https": ("-i tls.example.com/a?b=c", "Location: https://tls.example.com/a?b=c"),
    "with 308": (f"{CODE} tls.example.com/", "308"),
    "https": (f"--cacert /tmp/ca.crt {CODE} https://tls.example.com/hostname", "200"),
    "https by another name": (f"--cacert /tmp/ca.crt {CODE} https://a.example.com/hostname", "000"),
    "https, whatever it shows": (f"-k {CODE} https://a.example.com/hostname", "200"),
    "its own certificate": (
        "-kv https://g.example.com/hostname",
        "CN=Kubernetes Ingress Controller Fake Certificate",
    ),
    "no redirect": (f"{CODE} g.example.com/hostname", "200"),
    "moved": ("-i h.example.com/a", "Location: https://example.org/"),
    "another root": ("-i i.example.com/", "302"),
    "who asks": ("a.example.com/exact", "x-forwarded-host=a.example.com"),
    "out of the root": (f"{CODE} a.example.com/../x", "400"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer(cluster: Cluster, case: str) -> None:
    how, wanted = ANSWERS[case]
    assert wanted in curl(cluster, how)


def test_the_endpoints_take_turns(cluster: Cluster) -> None:
    told = {curl(cluster, "a.example.com/hostname") for _ in range(4)}
    assert len(told) == 2, told


def log(cluster: Cluster) -> str:
    pods = cluster.list("pods", "ingress-nginx")
    name = next(each["metadata"]["name"] for each in pods if "controller" in each["metadata"]["name"])
    where = f"/api/v1/namespaces/ingress-nginx/pods/{name}/log"
    return cluster.request(Request("GET", where, user=ADMIN)).body.decode()


def test_its_log(cluster: Cluster) -> None:
    twin = cluster.fork()
    curl(twin, "a.example.com/hostname")
    line = log(twin).splitlines()[-1]
    assert '"GET /hostname HTTP/1.1" 200 ' in line
    assert "[default-web-80] [] 10.244." in line
    assert 'Error obtaining Endpoints for Service "default/nowhere"' in log(twin)


def test_it_says_that_it_has_seen_them(cluster: Cluster) -> None:
    told = {
        each["involvedObject"]["name"]: each
        for each in cluster.list("events", "default")
        if each["reason"] == "Sync"
    }
    assert set(told) == {each["metadata"]["name"] for each in INGRESSES} - {"other"}
    assert told["plain"]["message"] == "Scheduled for sync"
    assert told["plain"]["source"] == {"component": "nginx-ingress-controller"}


def test_its_address_is_that_of_its_node(cluster: Cluster) -> None:
    twin = cluster.fork()
    wait_for(twin, 65)
    shown = {each["metadata"]["name"]: each["status"].get("loadBalancer") for each in twin.list("ingresses")}
    pods = twin.list("pods", "ingress-nginx")
    host = next(each["status"]["hostIP"] for each in pods if each["status"]["phase"] == "Running")
    assert shown.pop("other") in ({}, None)
    assert all(each == {"ingress": [{"ip": host}]} for each in shown.values()), shown


# id: (the Ingress, what the webhook says)
REFUSED: dict[str, tuple[JSON, str]] = {
    "somebody else's path": (
        ingress("again", "a.example.com", path("/")),
        'admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: '
        'host "a.example.com" and path "/" is already defined in ingress default/plain',
    ),
    "a pattern as a beginning": (
        ingress("odd", "z.example.com", path("/x(/|$)(.*)"), notes={"rewrite-target": "/$2"}),
        "ingress contains invalid paths: path /x(/|$)(.*) cannot be used with pathType Prefix",
    ),
    "no pattern": (
        ingress(
            "odd",
            "z.example.com",
            path("/x(", kind="ImplementationSpecific"),
            notes={"use-regex": "true"},
        ),
        "path /x( is no pattern that nginx can match here",
    ),
    "a snippet": (
        ingress("odd", "z.example.com", path("/"), notes={"configuration-snippet": "return 200;"}),
        "Snippet directives are disabled by the Ingress administrator",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_its_webhook_refuses(cluster: Cluster, case: str) -> None:
    made, said = REFUSED[case]
    with pytest.raises(ApiError) as raised:
        cluster.fork().apply(made)
    assert said in str(raised.value)
    assert raised.value.code == 400


def test_its_own_path_may_be_changed(cluster: Cluster) -> None:
    twin = cluster.fork()
    twin.apply(ingress("plain", "a.example.com", path("/", "shows")))
    assert twin.settle()
    assert "real path=/q" in curl(twin, "a.example.com/q")
    twin.delete("ingresses", "plain", "default")
    assert twin.settle()
    assert curl(twin, f"{CODE} a.example.com/q") == "404"


def test_an_endpoint_less(cluster: Cluster) -> None:
    twin = cluster.fork()
    twin.apply(BACKENDS.replace("replicas: 2", "replicas: 1"))
    wait_for(twin, 40)
    assert len({curl(twin, "a.example.com/hostname") for _ in range(4)}) == 1


def test_where_it_is_cut_does_not_show(cluster: Cluster) -> None:
    """Its watches go on after a keyframe, in a fork, and in a life again."""
    twin = cluster.fork()
    twin.advance(5)
    again = Cluster.resume(twin.keyframe(), [])
    for each in (twin, again):
        each.apply(ingress("late", "late.example.com", path("/")))
        each.advance(70)
        assert curl(each, f"{CODE} late.example.com/hostname") == "200"
    assert again.state_hash() == twin.state_hash()
    assert Cluster.replay(twin.journal).state_hash() == twin.state_hash()


LATE = ingress("late", "late.example.com", path("/"))


def test_more_objects_than_are_kept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_OBJECTS", 1)
    twin = cluster.fork()
    twin.apply(LATE)
    wait_for(twin, 5)
    assert "404 Not Found" in curl(twin, "late.example.com/")
    assert "NOW: " in curl(twin, "a.example.com/")


def test_more_to_tell_than_waits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "OUTBOX", 0)
    twin = cluster.fork()
    twin.apply(LATE)
    wait_for(twin, 5)
    assert "NOW: " in curl(twin, "late.example.com/")
    assert not any(each["involvedObject"]["name"] == "late" for each in twin.list("events", "default"))


def test_an_answer_that_is_too_long(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = cluster.fork()
    with monkeypatch.context() as patch:
        patch.setattr(api_client, "MAX_ANSWER", 64)
        twin.apply(LATE)
        wait_for(twin, 5)
    assert "malformed HTTP response" in log(twin)
    assert "404 Not Found" in curl(twin, "late.example.com/")
    wait_for(twin, 5)
    assert "NOW: " in curl(twin, "late.example.com/")


def test_an_idle_controller_costs_nothing(cluster: Cluster) -> None:
    twin = cluster.fork()
    wait_for(twin, 300)
    key = next(
        each["metadata"]["uid"] for each in twin.list("pods", "ingress-nginx")
        if "controller" in each["metadata"]["name"]
    )  # fmt: skip
    touches = twin.components["kubelet"].runtime.sandboxes.touches[key]  # type: ignore[attr-defined]
    twin.advance(600)
    assert twin.components["kubelet"].runtime.sandboxes.touches[key] <= touches + 4  # type: ignore[attr-defined]


def test_who_may_not_watch_says_so() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(MANIFEST)
    cluster.delete("clusterrolebindings.rbac.authorization.k8s.io", "ingress-nginx")
    wait_for(cluster, 30)
    said = log(cluster)
    assert (
        'failed to list *v1.Ingress: ingresses.networking.k8s.io is forbidden: User "system:serviceaccount:'
        'ingress-nginx:ingress-nginx" cannot list resource "ingresses" in API group "networking.k8s.io" at the '
        "cluster scope"
    ) in said
    pods = cluster.list("pods", "ingress-nginx")
    assert not any(
        each["ready"]
        for pod in pods
        for each in pod["status"]["containerStatuses"]
        if each["name"] == "controller"
    )


def test_before_it_is_there_nothing_of_its_class_is_taken() -> None:
    """The webhook's failurePolicy is Fail: whoever is too fast is refused, as in life."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(MANIFEST)
    with pytest.raises(ApiError) as raised:
        cluster.apply(INGRESSES[0])
    assert 'failed calling webhook "validate.nginx.ingress.kubernetes.io"' in str(raised.value)


def test_behind_a_balancer() -> None:
    """With a cloud its Service has an address, and so have the Ingresses."""
    cluster = Cluster(nodes=2, cloud=True, freezing=True, strict=True)
    where = "--configmap=$(POD_NAMESPACE)/ingress-nginx-controller"
    published = f"--publish-service=$(POD_NAMESPACE)/ingress-nginx-controller\n        - {where}"
    cluster.apply(MANIFEST.replace("type: NodePort", "type: LoadBalancer").replace(where, published))
    cluster.apply(BACKENDS)
    wait_for(cluster, 30)
    cluster.apply(INGRESSES[0])
    wait_for(cluster, 65)
    service = cluster.get("services", "ingress-nginx-controller", "ingress-nginx") or {}
    address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
    shown = (cluster.get("ingresses", "plain") or {})["status"]["loadBalancer"]["ingress"]
    assert shown == [{"ip": address}]
    asked = ["curl", "-s", "-H", "Host: a.example.com", f"http://{address}/hostname"]
    assert cluster.execute("client", asked).stdout.decode().startswith("web-")


FLAGS = {
    "unknown": ("--no-such-flag", "unknown flag: --no-such-flag"),
    "another port": ("--http-port=8080", "--http-port is always 80 here, a real controller takes 8080"),
}


@pytest.mark.parametrize(("flag", "said"), FLAGS.values(), ids=FLAGS)
def test_a_flag_that_it_does_not_take(flag: str, said: str) -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    image = "registry.k8s.io/ingress-nginx/controller:v1.13.3"
    spec = {"containers": [{"name": "c", "image": image, "args": ["/nginx-ingress-controller", flag]}]}
    meta = {"name": "controller", "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    cluster.advance(10)
    where = "/api/v1/namespaces/default/pods/controller/log"
    assert said in cluster.request(Request("GET", where, user=ADMIN)).body.decode()


# ---- the table, by itself ----------------------------------------------------------------------------------

SETTINGS = rules.Settings("k8s.io/ingress-nginx", "nginx", without_class=False)


def seen(ingresses: Sequence[JSON]) -> dict[str, dict[str, JSON]]:
    return {
        "ingresses": {objects.key_of(each): objects.ingress(each) for each in ingresses},
        "ingressclasses": {"nginx": {"controller": "k8s.io/ingress-nginx"}},
        "services": {"default/web": {"ports": [["", 80]], "external": "", "addresses": []}},
        "endpointslices": {},
        "secrets": {},
    }


def test_the_older_one_counts() -> None:
    first, second = ingress("b", "x", path("/", "web")), ingress("a", "x", path("/", "empty"))
    first["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    second["metadata"]["creationTimestamp"] = "2026-01-01T00:00:01Z"
    table, _ = rules.table(SETTINGS, seen([first, second]))
    assert [each["ingress"] for each in table["servers"]["x"]["locations"]] == ["default/b"]


def test_a_backend_for_all_else() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    table, _ = rules.table(SETTINGS, seen([ingress("d", "", defaultBackend=backend)]))
    assert rules.location_of(rules.server_of(table, "any"), "/x")["upstream"] == "default-web-80"


def test_so_many_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_LOCATIONS", 2)
    many = [path(f"/{number}", kind="Exact") for number in range(3)]
    table, _ = rules.table(SETTINGS, seen([ingress("d", "x", *many)]))
    assert [each["path"] for each in table["servers"]["x"]["locations"]] == ["/1", "/0", "/"]


# id: (path, target, what is asked, what the backend is asked)
REWRITES = {
    "no target": ("/a", "", "/a/b?c", "/a/b?c"),
    "another path": ("/a", "/z", "/a/b?c=1", "/z?c=1"),
    "no group of that number": ("/a(.*)", "/$2", "/a/b", "/"),
    "a digit that is none": ("/a(.*)", "/$\u00b9$1", "/ax", "/$\u00b9x"),
    "a query of its own": ("/a", "/z?d=2", "/a?c=1", "/z?d=2&c=1"),
    "no query": ("/a", "/z?", "/a?c=1", "/z"),
    "a pattern that no engine likes": ("/(a+)+$", "/$1", "/" + "a" * 5_000 + "!", "/" + "a" * 5_000 + "!"),
    "no pattern": ("/(", "/z", "/(", "/("),
}


@pytest.mark.parametrize(("at", "target", "asked", "wanted"), REWRITES.values(), ids=REWRITES)
def test_a_rewrite(at: str, target: str, asked: str, wanted: str) -> None:
    assert rules.rewritten({"path": at, "target": target}, asked) == wanted


@pytest.mark.parametrize(
    ("given", "ours"),
    [(None, False), ("nginx", True), ("", True), ("other", False)],
    ids=["none", "its name", "an empty one", "another's"],
)
def test_whose_an_annotation_says_it_is(given: str | None, ours: bool) -> None:
    notes = {} if given is None else {objects.CLASS: given}
    assert rules.is_ours(SETTINGS, {"class": None, "annotations": notes}, {}) is ours
