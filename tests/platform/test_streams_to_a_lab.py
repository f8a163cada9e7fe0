"""kubectl with a downloaded kubeconfig, from a machine outside: the streams of a hosted lab, through the proxy."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from runs.host.host import EngineHost
from runs.models import Run
from runs.proxy.access import Decision
from runs.proxy.app import ClusterProxy

from cluster_engine.serving.subprotocols import KubernetesWebSocket
from tests.platform.test_engine_host import LIMIT, fresh, host, hosts  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.kubectl]
KUBECTL = Path(sys.executable).parent / "kubectl"


class OpenGate:
    """Whose run it is, `test_access_matrix.py` asks."""

    async def check(self, run_id: uuid.UUID, credentials: Any) -> Decision:
        return Decision(200, 1)


@pytest.fixture
def address() -> Iterator[str]:
    """Where the web tier serves clusters."""
    config = uvicorn.Config(
        ClusterProxy(OpenGate()), host="127.0.0.1", port=0, lifespan="off", log_level="error", ws=KubernetesWebSocket
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=5)


Kubectl = Callable[..., list[str]]


@pytest.fixture
def kubectl(address: str, host: EngineHost, fresh: Run, settings: Any, tmp_path: Path) -> Kubectl:  # noqa: F811
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    host.acquire(fresh.pk)
    given = ["--kubeconfig=/dev/null", f"--cache-dir={tmp_path}", f"--server={address}/clusters/{fresh.pk}"]
    return lambda *words: [str(KUBECTL), *given, "--token=dd_x", *words]


def said(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_streams(kubectl: Kubectl, tmp_path: Path) -> None:
    """port-forward to a Pod and a Service, exec, cp both ways, attach's twin `run -it --rm`, and a proxied page."""
    said(kubectl("run", "web", "--image=nginx:1.28", "--port=80", "--expose"))
    said(kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s"))
    for what in ("pod/web", "service/web"):
        command = kubectl("port-forward", "--address=127.0.0.1", what, ":80")
        forward = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert forward.stdout is not None
            line = forward.stdout.readline()
            found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+) -> 80", line)
            assert found, line
            for _ in range(2):
                with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/", timeout=LIMIT) as answer:
                    assert b"Welcome to nginx!" in answer.read()
        finally:
            forward.kill()
            forward.wait(LIMIT)
    assert said(kubectl("exec", "web", "--", "hostname")) == "web\n"
    assert said(kubectl("exec", "-i", "web", "--", "sh"), "echo $((6*7))\n") == "42\n"
    (tmp_path / "page.html").write_text("a page\n")
    said(kubectl("cp", str(tmp_path / "page.html"), "web:/usr/share/nginx/html/page.html"))
    said(kubectl("cp", "web:/usr/share/nginx/html/page.html", str(tmp_path / "back.html")))
    assert (tmp_path / "back.html").read_text() == "a page\n"
    page = said(kubectl("get", "--raw", "/api/v1/namespaces/default/services/web:80/proxy/page.html"))
    assert page == "a page\n"
    ran = said(
        kubectl("run", "once", "-i", "--rm", "--restart=Never", "--image=busybox:1.36", "--", "cat"),
        "typed\n",
    )
    assert ran.startswith("typed\n")


def test_a_port_that_nobody_listens_on(kubectl: Kubectl) -> None:
    said(kubectl("run", "web", "--image=nginx:1.28"))
    said(kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s"))
    command = kubectl("port-forward", "--address=127.0.0.1", "pod/web", ":81")
    forward = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert forward.stdout is not None
        port = re.findall(r":(\d+) ", forward.stdout.readline())[0]
        with pytest.raises((urllib.error.URLError, ConnectionError, OSError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=LIMIT)
        heard = forward.communicate(timeout=LIMIT)[0]
        assert "error forwarding port 81 to pod" in heard
    finally:
        forward.kill()
