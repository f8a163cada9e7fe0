"""The subresource proxy with the real kubectl: Pods, Services and nodes, `get --raw` and `kubectl proxy`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A Pod and a Service ``web``, and a Service ``idle`` that nobody stands behind."""
    kubectl("run", "web", "--image=nginx:1.28", "--port=80")
    kubectl("expose", "pod", "web", "--port=8080", "--target-port=80")
    kubectl("create", "service", "clusterip", "idle", "--tcp=80")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    kubectl("wait", "--for=jsonpath={.subsets[0].addresses[0].ip}", "endpoints/web", "--timeout=60s")
    return kubectl


def raw(kubectl: Kubectl, path: str) -> str:
    return kubectl("get", "--raw", f"/api/v1/namespaces/{kubectl.namespace}/{path}")


PAGES = ("services/web:8080/proxy/", "services/http:web:8080/proxy/", "pods/web/proxy/", "pods/web:80/proxy/")


@pytest.mark.parametrize("path", PAGES)
def test_pages(web: Kubectl, path: str) -> None:
    assert "<title>Welcome to nginx!</title>" in raw(web, path)
    assert '"GET / HTTP/1.1" 200' in web("logs", "web")


def test_without_the_slash_one_is_sent_to_it(web: Kubectl) -> None:
    assert "<title>Welcome to nginx!</title>" in raw(web, "services/web:8080/proxy")


FAILURES: dict[str, tuple[str, str]] = {
    "no such port": (
        "services/web:81/proxy/",
        'Error from server (ServiceUnavailable): no service port 81 found for service "web"\n',
    ),
    "no endpoints": (
        "services/idle:80/proxy/",
        'Error from server (ServiceUnavailable): no endpoints available for service "idle"\n',
    ),
    "no such service": ("services/x:80/proxy/", 'Error from server (NotFound): services "x" not found\n'),
    "no such Pod": ("pods/x/proxy/", 'Error from server (NotFound): pods "x" not found\n'),
    "no name": (
        "services/a:b:c:d/proxy/",
        'Error from server (BadRequest): invalid service request "a:b:c:d"\n',
    ),
}


@pytest.mark.parametrize(("path", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_failures(web: Kubectl, path: str, message: str) -> None:
    assert web.fails("get", "--raw", f"/api/v1/namespaces/{web.namespace}/{path}") == message


def test_nobody_listens(web: Kubectl) -> None:
    said = web.fails("get", "--raw", f"/api/v1/namespaces/{web.namespace}/pods/web:81/proxy/")
    ip = web("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
    assert said == (
        "Error from server (ServiceUnavailable): error trying to reach service: "
        f"dial tcp {ip}:81: connect: connection refused\n"
    )


def test_a_kubelet_s_pages(kubectl: Kubectl) -> None:
    assert kubectl("get", "--raw", "/api/v1/nodes/worker-1/proxy/healthz") == "ok"
    pods = json.loads(kubectl("get", "--raw", "/api/v1/nodes/control-plane/proxy/pods"))
    assert "etcd-control-plane" in [pod["metadata"]["name"] for pod in pods["items"]]
    assert "it has /healthz, /pods" in kubectl.fails("get", "--raw", "/api/v1/nodes/worker-1/proxy/metrics")


def test_kubectl_proxy(web: Kubectl) -> None:
    with web.popen("proxy", "--port=0") as proxy:
        try:
            assert proxy.stdout is not None
            address = proxy.stdout.readline().split()[-1]
            base = f"http://{address}/api/v1/namespaces/{web.namespace}"
            with urllib.request.urlopen(f"{base}/services/web:8080/proxy/", timeout=60) as page:
                assert b"Welcome to nginx!" in page.read()
                assert page.headers["Server"].startswith("nginx/")
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{base}/pods/web/proxy/nothing", timeout=60)
            with urllib.request.urlopen(f"{base}/pods", timeout=60) as page:
                assert json.load(page)["kind"] == "PodList"
        finally:
            proxy.kill()
