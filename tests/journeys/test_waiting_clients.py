"""The real kubectl's waiting commands under each state of a run's clock: they wait with it, and say so when it stands.

One run, whose clock goes through all of the table; the clients are begun once and live through it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cluster_engine.terminal.kubectl import kubectl_path

from .clients import LabRun, Visitor

pytestmark = pytest.mark.stack

LIMIT = 60.0
LAB = "declare-a-deployment"
STANDS = "Warning: Time stands still: what you wait for comes when it goes on"
READY_AFTER = {"one": 100, "two": 200, "three": 300}
"""Virtual seconds."""


def deployment(name: str) -> str:
    """Of a Pod that tells ten times a second how often it did so, and is ready late."""
    ticks = "i=0; while sleep 0.1; do i=$((i+1)); echo tick-$i; done"
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  progressDeadlineSeconds: 3000
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: c
          image: busybox:1.36
          command: [sh, -c, "{ticks if name == "one" else "sleep 1d"}"]
          readinessProbe: {{exec: {{command: ["true"]}}, initialDelaySeconds: {READY_AFTER[name]}}}
"""


class Client:
    """A kubectl that runs beside the others."""

    def __init__(self, folder: Path, name: str, kubeconfig: Path, words: str) -> None:
        self.file = folder / name.replace(" ", "-")
        env = {"KUBECONFIG": str(kubeconfig), "HOME": str(folder)}
        with self.file.open("w") as out:
            self.process = subprocess.Popen(
                [kubectl_path(), *words.split()], env=env, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def said(self) -> str:
        return self.file.read_text()

    @property
    def waits(self) -> bool:
        return self.process.poll() is None

    @property
    def ticks(self) -> int:
        return self.said.count("tick-")


class Scene:
    """A run, its clock and who waits for it."""

    def __init__(self, run: LabRun, folder: Path) -> None:
        self.run, self.folder = run, folder
        self.clients: dict[str, Client] = {}
        self.kubeconfig = self.download("kubeconfig", "")

    def download(self, name: str, query: str) -> Path:
        path = self.folder / name
        path.write_text(self.run.visitor.http.get(f"/runs/{self.run.id}/kubeconfig/{query}").text)
        return path

    def clock(self, action: str, **more: Any) -> Any:
        answer = self.run.visitor.send("POST", f"/runs/{self.run.id}/clock/", json={"action": action, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def begin(self, name: str, words: str, kubeconfig: Path | None = None) -> Client:
        client = self.clients[name] = Client(self.folder, name, kubeconfig or self.kubeconfig, words)
        return client

    def logged(self) -> int:
        """Lines that the Pod of `one` has logged."""
        pods = "/api/v1/namespaces/default/pods"
        [pod] = self.run.kube("GET", f"{pods}?labelSelector=app%3Done").json()["items"]
        return self.run.kube("GET", f"{pods}/{pod['metadata']['name']}/log").text.count("tick-")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT
        while not holds():
            told = "\n".join(f"{name}: {each.said[-300:]}" for name, each in self.clients.items())
            assert time.monotonic() < deadline, f"{what}\n{told}"
            time.sleep(0.05)


class State(NamedTuple):
    """How the clock is set, and what those who wait see of it."""

    name: str
    set: Callable[[Scene], object]
    ends: str = ""
    """Whose wait ends by it."""
    ticks: int = 0
    """Lines more that `logs -f` prints at least; 0: none comes, however long one waits."""


def _steps(scene: Scene) -> None:
    """Until `one` is available: its Pod is the next that matters, then follows what follows from it."""
    for _ in range(12):
        told = scene.clock("step")["sentence"]
        if "Deployment one" in told and "availableReplicas" in told:
            return
    pytest.fail("no step made the Deployment available")


STATES = [
    State("0.1 times as fast", lambda scene: scene.clock("speed", speed=0.1), ticks=1),
    State("as fast as a watch", lambda scene: scene.clock("speed", speed=1.0), ticks=5),
    State("paused", lambda scene: scene.clock("pause")),
    State("a leap", lambda scene: scene.clock("advance", seconds=3), ticks=25),
    State("step by step", _steps, ends="one", ticks=100),
    State(
        "until something holds", lambda scene: scene.clock("until", until="deploy/two Available"), "two", 500
    ),
    State("the terminals look back", lambda scene: scene.clock("back", at="1m")),
    State("100 times as fast", lambda scene: scene.clock("speed", speed=100.0), "three", 500),
]


@pytest.fixture
def scene(stack: Any, tmp_path: Path) -> Iterator[Scene]:
    run = Visitor(stack).start(LAB)
    scene = Scene(run, tmp_path)
    yield scene
    for client in scene.clients.values():
        client.process.kill()
        client.process.wait()
    run.stop()


def test_who_waits_waits_with_the_clock(scene: Scene) -> None:
    scene.clock("pause")
    answer = scene.run.apply("late.yaml", "".join(map(deployment, READY_AFTER))).json()
    assert "deployment.apps/three created" in answer["stdout"], answer
    for name in READY_AFTER:
        scene.clock("until", until=f"deploy/{name} self.status.unavailableReplicas == 1")
    scene.clock("advance", seconds=10)
    for name in READY_AFTER:
        scene.begin(f"wait {name}", f"wait --for=condition=Available deploy/{name} --timeout=300s")
        scene.begin(f"rollout {name}", f"rollout status deploy/{name}")
    watch = scene.begin("get -w", "get deployments -w")
    logs = scene.begin("logs -f", "logs -f deploy/one")
    for name, client in scene.clients.items():
        scene.until(lambda client=client: STANDS in client.said, f"{name} does not say that time stands")  # type: ignore[misc]
    scene.until(lambda: logs.ticks > 0, "what was logged before is not shown")
    ended: list[str] = []
    for state in STATES:
        before = logs.ticks
        state.set(scene)
        if state.ends:
            ended.append(state.ends)
            wait, rollout = (scene.clients[f"{verb} {state.ends}"] for verb in ("wait", "rollout"))
            scene.until(lambda: not wait.waits and not rollout.waits, f"{state.name}: nothing came")  # noqa: B023
            assert f"deployment.apps/{state.ends} condition met" in wait.said
            assert f'deployment "{state.ends}" successfully rolled out' in rollout.said
            row = f"{state.ends} "
            shown = lambda: any(line.startswith(row) and "1/1" in line for line in watch.said.splitlines())  # noqa: B023, E731
            scene.until(shown, f"{state.name}: the watch does not tell")
        scene.until(lambda: logs.ticks >= before + state.ticks, f"{state.name}: too few lines")  # noqa: B023
        waiting = [name for name, client in scene.clients.items() if client.waits]
        over = [f"{verb} {name}" for name in ended for verb in ("wait", "rollout")]
        assert sorted(waiting) == sorted(set(scene.clients) - set(over)), state.name
        if not state.ticks:
            written = scene.logged()
            scene.until(lambda: logs.ticks == written, f"{state.name}: not what was logged")  # noqa: B023
            assert scene.logged() == written, state.name


def test_who_looks_back_waits_for_nothing(scene: Scene) -> None:
    """A kubeconfig of the past answers as it was, says so, and no watch of it tells anything more."""
    now = scene.clock("advance", seconds=5)["now"]
    past = scene.download("past", f"?at={now}")
    watch = scene.begin("get -w", "get nodes -w", past)
    wait = scene.begin("wait", "wait --for=condition=Never node/worker-1 --timeout=1s", past)
    for client in (watch, wait):
        scene.until(lambda client=client: "Warning: This is the past: " in client.said, "no banner")  # type: ignore[misc]
    scene.until(lambda: not wait.waits, "its own timeout ends it")
    assert "timed out waiting for the condition" in wait.said
    scene.until(lambda: "worker-1" in watch.said, "the watch shows nothing")
    assert watch.waits
    assert watch.said.count("worker-1") == 1


def test_who_waits_in_the_terminal_hears_of_a_pause(scene: Scene) -> None:
    with scene.run.terminal() as terminal:
        terminal.line("kubectl get nodes -w")
        terminal.expect("worker-2")
        scene.clock("pause")
        terminal.expect(STANDS)
