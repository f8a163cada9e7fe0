"""kubectl port-forward with the real kubectl, and a client that knows nothing of the cluster."""

from __future__ import annotations

import re
import subprocess
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


class Forward:
    """A kubectl port-forward that runs: its local port, and what it says."""

    def __init__(self, kubectl: Kubectl, *arguments: str) -> None:
        self.process = kubectl.popen("port-forward", "--address=127.0.0.1", *arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+) -> ", line)
        assert found, line
        self.url = f"http://127.0.0.1:{found[1]}/"
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(self.process.stdout)

    def get(self, path: str = "") -> str:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            text: str = answer.read().decode()
            return text

    def ends(self) -> str:
        """Waits for its end; all that it said."""
        self.process.wait(timeout=60)
        self._reader.join(timeout=60)
        return "".join(self.said)


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    kubectl("run", "web", "--image=nginx:1.28", "--port=80")
    kubectl("expose", "pod", "web", "--port=8080", "--target-port=80")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return kubectl


@pytest.mark.parametrize("what", ["pod/web", "service/web"])
def test_a_page_from_outside(web: Kubectl, what: str) -> None:
    forward = Forward(web, what, ":80" if what == "pod/web" else ":8080")
    try:
        assert "<title>Welcome to nginx!</title>" in forward.get()
        assert "<title>Welcome to nginx!</title>" in forward.get()
    finally:
        forward.process.kill()
    assert "127.0.0.1 - - [" in web("logs", "web")


def test_many_at_once_and_much(web: Kubectl) -> None:
    web("exec", "web", "--", "sh", "-c", "seq 60000 > /usr/share/nginx/html/numbers")
    forward = Forward(web, "pod/web", ":80")
    try:
        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(lambda _: forward.get("numbers"), range(16)))
        assert {len(page) for page in pages} == {348_894}
    finally:
        forward.process.kill()


def test_a_port_that_nobody_listens_on(web: Kubectl) -> None:
    forward = Forward(web, "pod/web", ":81")
    with pytest.raises(OSError):
        forward.get()
    said = forward.ends()
    assert re.search(
        r"error forwarding port 81 to pod [0-9a-f]{64}, uid : failed to execute portforward", said
    )
    assert "dial tcp4 127.0.0.1:81: connect: connection refused" in said
    assert "error: lost connection to pod" in said
    assert forward.process.returncode == 1


def test_a_pod_that_does_not_run(kubectl: Kubectl) -> None:
    kubectl("run", "never", "--image=nothing-like-it")
    said = kubectl.fails("port-forward", "pod/never", ":80")
    assert said == "error: unable to forward port because pod is not running. Current status=Pending\n"
    assert 'pods "nobody" not found' in kubectl.fails("port-forward", "pod/nobody", ":80")


def test_a_service_that_only_listens_on_loopback(kubectl: Kubectl) -> None:
    """port-forward comes from within the Pod."""
    script = "while true; do echo hello | nc -l -s 127.0.0.1 -p 7000; done"
    kubectl("run", "inner", "--image=busybox", "--", "sh", "-c", script)
    kubectl("wait", "--for=condition=Ready", "pod/inner", "--timeout=60s")
    forward = Forward(kubectl, "pod/inner", ":7000")
    try:
        port = int(forward.url.rpartition(":")[2].rstrip("/"))
        done = subprocess.run(
            ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}; head -n 1 <&3"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "hello\n"
    finally:
        forward.process.kill()
