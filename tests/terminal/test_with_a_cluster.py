"""A terminal beside a cluster that answers, with the real kubectl: what only both together can show."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.terminal.confine import ConfinedProgram, confinement
from cluster_engine.terminal.kubectl import kubectl_path
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import SessionHooks
from labs.kit.workbench import KUBECONFIG

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(
        len(confinement()) < 2, reason="this kernel has no Landlock of ABI 4 or no seccomp table"
    ),
]
SECONDS = 30


class Bench:
    """One terminal of one cluster."""

    def __init__(self, port: int, parent: Path) -> None:
        self.output = bytearray()
        self.opened: list[str] = []
        config = KUBECONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}")
        self.program = ConfinedProgram(kubectl_path(), api_port=port, kubeconfig=config, parent=parent)
        hooks = SessionHooks(on_output=lambda terminal, data: self.output.extend(data), on_edit=self._edit)
        self.session = TerminalSession({}, self.program, hooks)
        self.session.open("1", 160, 40)

    def _edit(self, path: str) -> str:
        self.opened.append(path)
        return f"{path} is open"

    async def type(self, keys: str, until: str) -> str:
        self.output.clear()
        self.session.feed("1", keys)
        return await self.see(until)

    async def see(self, until: str) -> str:
        async with asyncio.timeout(SECONDS):
            while until not in self.output.decode("utf-8", "replace"):
                await asyncio.sleep(0.005)
        return self.output.decode("utf-8", "replace")

    def save(self, old: str, new: str) -> None:
        """Change a word of the file that is open, in the editor."""
        path = self.opened[-1]
        self.session.save(path, self.session.files()[path].decode().replace(old, new))


def run(tmp_path: Path, scenario: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        cluster = Cluster(nodes=2, seed=1)
        app = ClusterApp(cluster, driver=Driver(cluster, 1.0), admin=True)
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        bench = Bench(listener.getsockname()[1], tmp_path)
        try:
            await scenario(bench)
        finally:
            await bench.session.close()
            bench.program.close()
            server.should_exit = True
            await serving

    asyncio.run(whole())
    assert list(tmp_path.iterdir()) == []


def test_edit_and_diff(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("kubectl create deploy web --image=nginx\r", "created\r\n")
        await bench.type("kubectl get deploy web -o yaml | sed 's/replicas: 1/replicas: 3/' > w.yaml\r", "$ ")
        shown = await bench.type("kubectl diff -f w.yaml; echo rc=$?\r", "rc=1\r\n")
        assert "-  replicas: 1\r\n+  replicas: 3\r\n" in shown
        assert "executable file not found" not in shown
        await bench.type(
            "kubectl apply -f w.yaml 2>/dev/null; kubectl diff -f w.yaml; echo rc=$?\r", "rc=0\r\n"
        )
        await bench.type("kubectl -n default edit deploy/web\r", "is open")
        bench.save("replicas: 3", "replicas: -2")
        await bench.see("must be greater than or equal to 0")
        bench.save("replicas: -2", "replicas: 2")
        await bench.see("deployment.apps/web edited\r\n")
        await bench.type("kubectl get deploy web -o jsonpath='n{.spec.replicas}'; ls; ls /tmp\r", "n2")

    run(tmp_path, scenario)


def test_watches_and_shells_in_containers(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("kubectl run box --image=busybox --restart=Never -- sleep 1d\r", "created\r\n")
        await bench.type("kubectl wait --for=condition=Ready pod/box --timeout=30s\r", "condition met\r\n")
        await bench.type("kubectl get pods -w\r", "1/1     Running")
        await bench.type("\x03", "$ ")
        await bench.type("etcdctl get /registry/pods/default/box --keys-only\r", "/default/box\r\n\r\n")
        await bench.type("rev=$(kubectl get pod box -o jsonpath={.metadata.resourceVersion})\r", "$ ")
        await bench.type(
            "etcdctl watch /registry/pods/default/box --rev=$rev\r", "PUT\r\n/registry/pods/default"
        )
        await bench.type("\x03", "$ ")
        await bench.type("kubectl exec -it box -- sh\r", "/ # ")
        await bench.type("x=4; echo in $HOSTNAME-$x\r", "in box-4\r\n")
        await bench.type("sleep 100\r", "sleep 100\r\n")
        await bench.type("\x03", "/ # ")
        await bench.type("exit 3\r", "$ ")
        await bench.type("echo rc=$?\r", "rc=3\r\n")
        await bench.type(
            "kubectl get pods -o name | sed s/pod/POD/ | tee out; cat out\r", "POD/box\r\nPOD/box\r\n"
        )
        await bench.type("mkdir k; printf 'resources: [a.yaml]\\n' > k/kustomization.yaml\r", "$ ")
        await bench.type("kubectl create cm a --from-literal=b=c --dry-run=client -o yaml > k/a.yaml\r", "$ ")
        await bench.type("kubectl apply -k k\r", "configmap/a created\r\n")
        await bench.type("kubectl top pods\r", "No metrics server answers in this cluster")

    run(tmp_path, scenario)
