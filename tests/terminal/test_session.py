"""A terminal as the engine host runs it: event loop, real kubectl, hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cluster_engine import kubelet
from cluster_engine.linux.program import Program, Sys
from cluster_engine.terminal import confine, programs, session
from cluster_engine.terminal.confine import ConfinedProgram
from cluster_engine.terminal.kubectl import kubectl_path, waits
from cluster_engine.terminal.programs import fault
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import BusyError, SessionHooks

pytestmark = pytest.mark.skipif(
    len(confine.confinement()) < 2, reason="this kernel has no Landlock of ABI 4 or no seccomp table"
)

KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.output = bytearray()
        self.events: list[Any] = []
        self.program = ConfinedProgram(kubectl_path(), api_port=9, kubeconfig=KUBECONFIG, parent=tmp_path)
        hooks = SessionHooks(
            on_output=lambda terminal, data: self.output.extend(data),
            on_files_changed=lambda changes: self.events.extend(changes),
            on_edit=self.edited,
            on_exit=lambda terminal, status: self.events.append(("exit", terminal, status)),
            on_time=self.timed,
            on_fault=self.faulted,
        )
        self.session = TerminalSession({"/home/learner/pod.yaml": b"kind: Pod\n"}, self.program, hooks)
        self.session.open("1", 80, 24)

    def edited(self, path: str) -> str:
        self.events.append(("edit", path))
        return f"{path} is open in the editor."

    async def timed(self, words: list[str]) -> str:
        if words == ["speed"]:
            raise ValueError("speed takes a number")
        return f"did {' '.join(words)}"

    async def faulted(self, what: dict[str, Any]) -> None:
        self.events.append(("fault", what))
        if what.get("node") == "mars":
            raise ValueError("expected one of the nodes worker-1, found 'mars'")

    async def type(self, keys: str, until: str) -> str:
        """Type and wait for a text in what is shown since."""
        self.output.clear()
        self.session.feed("1", keys)
        return await self.see(until)

    async def see(self, until: str) -> str:
        async with asyncio.timeout(60):
            while until not in self.output.decode("utf-8", "replace"):
                await asyncio.sleep(0.005)
        return self.output.decode()


Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


def run(tmp_path: Path, scenario: Scenario) -> Bench:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        try:
            await scenario(bench)
        finally:
            await bench.session.close()
            bench.program.close()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        return bench

    return asyncio.run(whole())


PROMPT = "$ "


def test_kubectl_on_the_terminal_in_pipes_and_with_documents(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see(PROMPT)
        assert "Client Version: v1." in await bench.type("k version --client\r", "Kustomize")
        await bench.see(PROMPT)
        assert "gitVersion" in await bench.type(
            "kubectl version --client -o yaml | grep gitV\r", "gitVersion: "
        )
        document = "kubectl apply --dry-run=client -f - <<EOF\rkind: Pod\rEOF\r"
        await bench.type(document, 'error validating "STDIN"')
        await bench.type("kubectl apply --dry-run=client -f ~/pod.yaml; echo status=$?\r", "status=1\r\n")
        await bench.type("kubectl config set-context --current --namespace=demo\r", "modified")
        await bench.type("kubectl config view | grep namespace\r", "namespace: demo")
        await bench.type(
            "kubectl config set-cluster z --kubeconfig=made >/dev/null; ls\r", "made      pod.yaml"
        )

    bench = run(tmp_path, scenario)
    assert any(event[0] == "/home/learner/made" for event in bench.events)


def test_ctrl_c_reaches_the_program(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("kubectl apply -f -\r", "apply -f -\r\n")
        await asyncio.sleep(0.3)
        await bench.type("\x03", PROMPT)
        await bench.type("echo status=$?\r", "status=130\r\n")
        await bench.type("kubectl apply -f - | cat\r", "cat\r\n")
        await asyncio.sleep(0.3)
        await bench.type("\x03", "^C")
        await bench.type("echo status=$?\r", "status=130\r\n")
        await bench.type("while true; do kubectl apply -f -; done\r", "done\r\n")
        await asyncio.sleep(0.3)
        await bench.type("\x03", PROMPT)
        await bench.type("sleep 1000\r", "1000\r\n")
        await bench.type("\x03", PROMPT)

    run(tmp_path, scenario)


def test_a_program_on_the_terminal_reads_what_is_typed(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("kubectl apply --dry-run=client -f -\r", "-f -\r\n")
        await asyncio.sleep(0.3)
        await bench.type("kind: Pod\r\x04", 'error validating "STDIN"')
        await bench.type("kubectl version --client\recho typed ahead\r", "\x1b[?2004ltyped ahead\r\n")
        # Here kubectl has no reader any more before it ends.
        await bench.type("kubectl options | true\recho ahead of that\r", "\x1b[?2004lahead of that\r\n")

    run(tmp_path, scenario)


def test_the_hand_on_the_clock(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("time speed 10; echo status=$?\r", "did speed 10\r\nstatus=0\r\n")
        await bench.type("time speed; echo status=$?\r", "time: speed takes a number\r\nstatus=1\r\n")
        await bench.type("time diff 5m 10:03:20\r", "did diff 5m 10:03:20\r\n")
        await bench.type("time diff a.yaml b.yaml\r", "real\t0m 0.00s\r\n")
        await bench.type("time true; echo status=$?\r", "real\t0m 0.00s\r\n")

    run(tmp_path, scenario)


FAULTS = [
    ("power worker-1 off", {"kind": "node/power", "node": "worker-1", "up": False}),
    ("power worker-1 on", {"kind": "node/power", "node": "worker-1", "up": True}),
    ("shutdown worker-1", {"kind": "node/shutdown", "node": "worker-1"}),
    ("link worker-1 cut", {"kind": "node/partition", "node": "worker-1", "cut": True}),
    ("link worker-1 healed", {"kind": "node/partition", "node": "worker-1", "cut": False}),
    ("registry quay.io down", {"kind": "registry/fail", "host": "quay.io", "failing": True}),
    (
        "component kube-scheduler down",
        {"kind": "component/stop", "component": "kube-scheduler", "stopped": True},
    ),
    (
        "component etcd up control-plane2",
        {"kind": "component/stop", "component": "etcd", "stopped": False, "node": "control-plane2"},
    ),
    ("fill worker-1 disk 95", {"kind": "node/fill", "node": "worker-1", "what": "disk", "percent": 95}),
    ("fill worker-1 disk much", None),
    ("kubelet worker-1 down", {"kind": "node/kubelet", "node": "worker-1", "running": False}),
    ("machine worker-1 deleted", {"kind": "cloud/machine", "node": "worker-1", "state": "deleted"}),
    ("group 4", {"kind": "cloud/group", "size": 4}),
    ("group four", None),
    ("cloud routes up", {"kind": "cloud/api", "service": "routes", "error": ""}),
    ("kill web", {"kind": "container/kill", "pod": "web"}),
    ("slow worker-1 200", {"kind": "node/slow", "node": "worker-1", "milliseconds": 200}),
    ("slow worker-1 much", None),
    ("throttle web 5", {"kind": "container/throttle", "pod": "web", "millis": 5}),
    (
        "throttle web 0 main shop",
        {"kind": "container/throttle", "pod": "web", "millis": 0, "container": "main", "namespace": "shop"},
    ),
    (
        "kill web main shop",
        {"kind": "container/kill", "pod": "web", "container": "main", "namespace": "shop"},
    ),
    ("power worker-1 perhaps", None),
    ("", None),
]


@pytest.mark.parametrize(("words", "what"), FAULTS, ids=[words or "nothing" for words, _ in FAULTS])
def test_a_fault_is_asked_for(words: str, what: dict[str, Any] | None) -> None:
    assert fault.asked(words.split()) == what
    assert what is None or kubelet.FAULTS.keys() >= {what["kind"]}


WAITING = [
    ("kubectl wait --for=condition=Ready pod/a", True),
    ("kubectl -n x rollout status deploy/a", True),
    ("kubectl rollout undo deploy/a", False),
    ("kubectl get pods -w", True),
    ("kubectl get pods -Aw -o wide", True),
    ("kubectl get pods -owide", False),
    ("kubectl get --watch=false pods", False),
    ("kubectl get pods --watch-only", True),
    ("kubectl logs -f pod/a", True),
    ("kubectl logs pod/a --follow", True),
    ("kubectl logs pod/a", False),
    ("kubectl apply -f a", False),
    ("kubectl drain worker-1", True),
    ("kubectl exec -it a -- get -w", False),
]


@pytest.mark.parametrize(("line", "so"), WAITING)
def test_what_waits_for_the_cluster(line: str, so: bool) -> None:
    assert waits(line.split()) == so


def test_faults_reach_the_host_and_come_back(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("fault power worker-1 off; echo status=$?\r", "status=0\r\n")
        assert bench.events == [("fault", {"kind": "node/power", "node": "worker-1", "up": False})]
        await bench.type("fault power mars off; echo status=$?\r", "found 'mars'\r\nstatus=1\r\n")
        await bench.type("fault; echo status=$?\r", "component NAME down|up [NODE]\r\nstatus=2\r\n")

    run(tmp_path, scenario)


def test_completion_is_kubectls_own(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see(PROMPT)
        await bench.type("k apply --dry\t", "--dry-run ")
        await bench.type("\x15kubectl rollout st\t", "status ")
        await bench.type("\x15kubectl apply -f po\t", "pod.yaml ")
        await bench.type("\x15kubectl c\t", "create")
        assert "cordon" in bench.output.decode()

    run(tmp_path, scenario)


def test_busy_lines_leave_the_loop_to_others(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        turns = 0

        async def neighbour() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.ensure_future(neighbour())
        await bench.see(PROMPT)
        for line in ("while true; do :; done", "yes | cat > /dev/null", "yes"):
            await bench.type(f"{line}\r", "l")
            await asyncio.sleep(0.3)
            await bench.type("\x03", PROMPT)
        assert turns > 1_000
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(tmp_path, scenario)


def test_endless_output_is_paced(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.type("yes\r", "y\r\n")
        bench.output.clear()
        await asyncio.sleep(0.5)
        assert len(bench.output) < session.SHOWN_PER_SECOND
        await bench.type("\x03", PROMPT)

    run(tmp_path, scenario)


def test_a_flood_of_programs_is_slowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "STARTS", 3)

    async def scenario(bench: Bench) -> None:
        await bench.type("for i in $(seq 10000); do kubectl options >/dev/null; echo n$i; done\r", "n3")
        await asyncio.sleep(0.3)
        assert b"n5" not in bench.output
        await bench.type("\x03", PROMPT)

    run(tmp_path, scenario)


def test_files_editor_and_apply(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        desk = bench.session
        await bench.type("echo a > new.yaml; vim new.yaml\r", "/home/learner/new.yaml is open in the editor.")
        desk.save("dir/saved.yaml", "x: 1\n")
        await bench.type("cat dir/saved.yaml\r", "x: 1")
        result = await desk.run_command(
            ["kubectl", "apply", "--dry-run=client", "-f", "c.yaml"], {"c.yaml": "kind: Pod\n"}
        )
        assert result.status == 1
        assert b"apiVersion not set" in result.err
        assert desk.files() == {
            "/home/learner/c.yaml": b"kind: Pod\n",
            "/home/learner/dir/saved.yaml": b"x: 1\n",
            "/home/learner/new.yaml": b"a\n",
            "/home/learner/pod.yaml": b"kind: Pod\n",
        }
        await bench.type("rm new.yaml; exit 3\r", "exit 3\r\n")
        async with asyncio.timeout(60):
            while ("exit", "1", 3) not in bench.events:
                await asyncio.sleep(0.005)

    bench = run(tmp_path, scenario)
    assert bench.events == [
        ("/home/learner/new.yaml", b"a\n"),
        ("edit", "/home/learner/new.yaml"),
        ("/home/learner/dir/saved.yaml", b"x: 1\n"),
        ("/home/learner/c.yaml", b"kind: Pod\n"),
        ("/home/learner/new.yaml", None),
        ("exit", "1", 3),
    ]


def test_a_mistake_in_a_program_does_not_take_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(sys: Sys, argv: list[str]) -> int:
        raise ZeroDivisionError

    reported: list[Any] = []
    monkeypatch.setitem(programs.PROGRAMS, "arch", Program("arch", run=wrong))

    async def scenario(bench: Bench) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        await bench.type("arch | cat\r", PROMPT)
        await bench.type("echo still $((1+1))\r", "still 2\r\n")

    run(tmp_path, scenario)
    assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]


def test_a_line_is_run_and_what_runs_is_stopped_first(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see(PROMPT)
        await bench.type("half", "half")
        await bench.session.run_line("1", "echo one; sleep 100")
        await bench.see("one\r\n")
        with pytest.raises(BusyError, match="sleep 100"):
            await bench.session.run_line("1", "echo two")
        await bench.session.run_line("1", "echo three", stop=True)
        await bench.see("three\r\n")
        assert "two" not in bench.output.decode()

    run(tmp_path, scenario)


def test_jobs_and_sleep_use_the_clock(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see(PROMPT)
        await bench.type("sleep 0.2 & jobs\r", "Running")
        await bench.type("sleep 0.4\r", "Done")
        await bench.type("kubectl version --client | grep -c V &\r", "2\r\n")

    run(tmp_path, scenario)


def test_terminals_are_apart_and_share_files(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        bench.session.open("2", 100, 30)
        bench.session.feed("2", "x=1; echo hi > shared; exit 4\r")
        async with asyncio.timeout(60):
            while ("exit", "2", 4) not in bench.events:
                await asyncio.sleep(0.005)
        assert bench.session.terminals == ["1"]
        await bench.type("cat shared; echo [$x]\r", "hi\r\n[]\r\n")

    run(tmp_path, scenario)


def test_the_size_is_bounded(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see(PROMPT)
        bench.session.resize("1", 10**9, -5)
        tty = bench.session.console.state()["machine"]["ttys"]["1"]
        assert (tty["cols"], tty["rows"]) == (1000, 1)

    run(tmp_path, scenario)
