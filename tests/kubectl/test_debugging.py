"""kubectl debug and attach with the real kubectl: in a Pod, beside it, on a node."""

from __future__ import annotations

import re

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A Pod ``web`` of nginx, whose image has no ps."""
    kubectl("run", "web", "--image=nginx:1.28")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return kubectl


def test_a_debugger_sees_the_processes_of_its_target(web: Kubectl) -> None:
    with web.terminal("debug", "-it", "web", "--image=busybox", "--target=web", "-c", "dbg") as terminal:
        terminal.sees("If you don't see a command prompt, try pressing enter.")
        terminal.type("\r")
        terminal.sees("/ # ")
        terminal.type("ps\r")
        terminal.sees("1 root      0:00  nginx -g daemon off;")
        terminal.sees("/ # ")
        terminal.type("wget -q -O - localhost | grep title\r")
        terminal.sees("<title>Welcome to nginx!</title>")
        terminal.sees("/ # ")
        terminal.type("exit 3\r")
        assert terminal.ends() == 0
    state = web("get", "pod", "web", "-o", "jsonpath={.status.ephemeralContainerStatuses[0]}")
    assert '"exitCode":3' in state
    assert '"restartCount":0' in state
    assert web("get", "pod", "web", "--no-headers").split()[1:4] == ["1/1", "Running", "0"]


def test_a_debugger_without_a_target_sees_its_own(web: Kubectl) -> None:
    web("debug", "web", "--image=busybox", "-c", "own", "--", "ps")
    web(
        "wait",
        "--for=jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}=0",
        "pod/web",
        "--timeout=60s",
    )
    assert "nginx" not in web("logs", "web", "-c", "own")


def test_attach_to_a_debugger_again(web: Kubectl) -> None:
    with web.terminal("debug", "-it", "web", "--image=busybox", "-c", "dbg") as terminal:
        terminal.sees("try pressing enter.")
        terminal.type("x=left\r")
        terminal.sees("/ # ")
    with web.terminal("attach", "-it", "web", "-c", "dbg") as terminal:
        terminal.sees("try pressing enter.")
        terminal.type("echo $x\r")
        terminal.sees("left\r\n")
        terminal.type("exit\r")
        assert terminal.ends() == 0


def test_a_copy_with_a_debugger(web: Kubectl) -> None:
    with web.terminal(
        "debug", "web", "-it", "--copy-to=twin", "--image=busybox", "-c", "dbg", "--share-processes"
    ) as terminal:
        terminal.sees("try pressing enter.")
        terminal.type("\r")
        terminal.sees("/ # ")
        terminal.type("ps | grep -v ps\r")
        terminal.sees("1 65535     0:00  /pause")
        terminal.sees("nginx -g daemon off;")
        terminal.type("exit\r")
        assert terminal.ends() == 0


def test_a_debugger_on_a_node(kubectl: Kubectl) -> None:
    with kubectl.terminal("debug", "node/worker-1", "-it", "--image=busybox") as terminal:
        terminal.sees("Creating debugging pod node-debugger-worker-1-")
        terminal.sees("try pressing enter.")
        terminal.type("\r")
        terminal.sees("/ # ")
        terminal.type("hostname; cat /host/etc/hostname; ls /host/var/lib/kubelet\r")
        terminal.sees("\r\nworker-1\r\nworker-1\r\n")
        terminal.sees("config.yaml")
        terminal.type("exit\r")
        assert terminal.ends() == 0
    assert re.search(r"node-debugger-worker-1-\w{5}\s+0/1\s+Completed", kubectl("get", "pods"))
