"""exec, attach, run and logs with the real kubectl: streams that live while the clock goes on."""

from __future__ import annotations

import subprocess

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


@pytest.fixture
def box(kubectl: Kubectl) -> Kubectl:
    """A Pod ``box`` that does nothing."""
    kubectl("run", "box", "--image=busybox", "--restart=Never", "--", "sleep", "1d")
    kubectl("wait", "--for=condition=Ready", "pod/box", "--timeout=60s")
    return kubectl


EXECS: dict[str, tuple[tuple[str, ...], str, tuple[int, str, str]]] = {
    "output and errors": (("sh", "-c", "echo out; echo err >&2"), "", (0, "out\n", "err\n")),
    "a status": (("sh", "-c", "exit 42"), "", (42, "", "command terminated with exit code 42\n")),
    "killed": (("sh", "-c", "kill -9 $$"), "", (137, "", "command terminated with exit code 137\n")),
    "it takes time": (
        ("sh", "-c", "a=$(date +%s); sleep 30; echo $(($(date +%s) - a))"),
        "",
        (0, "30\n", ""),
    ),
    "standard input": (("wc", "-c"), "12345", (0, "5\n", "")),
    "input that nobody reads": (("echo", "x"), "much " * 100_000, (0, "x\n", "")),
    "output of some size": (
        ("sh", "-c", "seq 20000 | tail -n 1; seq 20000 | wc -c"),
        "",
        (0, "20000\n108894\n", ""),
    ),
}


@pytest.mark.parametrize(("argv", "stdin", "expected"), EXECS.values(), ids=EXECS.keys())
def test_exec(box: Kubectl, argv: tuple[str, ...], stdin: str, expected: tuple[int, str, str]) -> None:
    done = box.run("exec", *(["-i"] if stdin else []), "box", "--", *argv, stdin=stdin)
    # kubectl itself logs input that it still holds when the command has ended, as on any cluster.
    said = "".join(line for line in done.stderr.splitlines(True) if "Copying stdin failed" not in line)
    assert (done.returncode, done.stdout, said) == expected


def test_exec_of_what_is_not_there(box: Kubectl) -> None:
    assert 'exec: "bash": executable file not found in $PATH: unknown' in box.fails(
        "exec", "box", "--", "bash"
    )


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", ("exec", "box", "--", "date")),
        ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", ("attach", "box")),
        ("KUBECTL_PORT_FORWARD_WEBSOCKETS", ("port-forward", "pod/box", "0:80")),
    ],
    ids=["exec", "attach", "port-forward"],
)
def test_an_older_client_is_told_why(
    box: Kubectl, monkeypatch: pytest.MonkeyPatch, variable: str, line: tuple[str, ...]
) -> None:
    """One that speaks SPDY, as kubectl before 1.31."""
    monkeypatch.setitem(box.environment, variable, "false")
    assert "upgrades to WebSockets alone, not to SPDY" in box.fails(*line)


def test_exec_with_input_begins_at_once(box: Kubectl) -> None:
    """``-i`` waits neither for input nor for its end."""
    with box.popen(
        "exec", "-i", "box", "--", "sh", "-c", "echo begun; exit 5", stdin=subprocess.PIPE
    ) as kubectl:
        assert kubectl.stdout is not None
        assert kubectl.stdout.readline() == "begun\n"
        assert kubectl.stdout.read() == "command terminated with exit code 5\n"
        assert kubectl.wait(timeout=30) == 5


def test_a_talk_over_exec(box: Kubectl) -> None:
    with box.popen("exec", "-i", "box", "--", "sh", stdin=subprocess.PIPE) as kubectl:
        assert kubectl.stdin is not None
        assert kubectl.stdout is not None
        for line, answer in (("x=5", ""), ("echo $x", "5\n"), ("cd /tmp && pwd", "/tmp\n")):
            kubectl.stdin.write(line + "\n")
            kubectl.stdin.flush()
            if answer:
                assert kubectl.stdout.readline() == answer
        kubectl.stdin.close()
        assert kubectl.wait(timeout=30) == 0


def test_a_shell_before_a_terminal(box: Kubectl) -> None:
    with box.terminal("exec", "-it", "box", "--", "sh") as terminal:
        terminal.sees("/ # ")
        terminal.type("x=5; cd /tmp\r")
        terminal.sees("/tmp # ")
        terminal.type("echo $((x + 1))\r")
        terminal.sees("\r\n6\r\n")
        terminal.type("sleep 1000\r")
        terminal.sees("sleep 1000")
        terminal.type("\x03")
        terminal.sees("^C")
        terminal.sees("/tmp # ")
        terminal.type("exit 7\r")
        assert terminal.ends() == 7


def test_run_with_a_prompt(kubectl: Kubectl) -> None:
    with kubectl.terminal("run", "t", "--rm", "-it", "--image=busybox", "--", "sh") as terminal:
        terminal.sees("If you don't see a command prompt, try pressing enter.")
        terminal.type("\r")
        terminal.sees("/ # ")
        terminal.type("hostname\r")
        terminal.sees("\r\nt\r\n")
        terminal.type("exit\r")
        terminal.sees('pod "t" deleted')
        assert terminal.ends() == 0


def test_run_that_only_prints(kubectl: Kubectl) -> None:
    kubectl("run", "t", "--image=nginx", "--restart=Never", "--", "sh", "-c", "echo hi")
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/t", "--timeout=60s")
    assert kubectl("logs", "t") == "hi\n"


@pytest.mark.parametrize("command", [("attach",), ("logs", "-f")], ids=["attach", "logs"])
def test_following(kubectl: Kubectl, command: tuple[str, ...]) -> None:
    script = "i=0; while sleep 1; do i=$((i+1)); echo tick $i; done"
    kubectl("run", "ticker", "--image=busybox", "--", "sh", "-c", script)
    kubectl("wait", "--for=condition=Ready", "pod/ticker", "--timeout=60s")
    with kubectl.popen(*command, "ticker") as following:
        assert following.stdout is not None
        seen = [
            int(line.split()[1])
            for line, _ in zip(following.stdout, range(8), strict=False)
            if "tick" in line
        ]
        assert len(seen) >= 5
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        following.kill()


def test_logs_are_followed_to_the_end(kubectl: Kubectl) -> None:
    script = "for i in 1 2 3; do echo line $i; sleep 2; done"
    kubectl("run", "job", "--image=busybox", "--restart=Never", "--", "sh", "-c", script)
    kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].state}", "pod/job", "--timeout=60s")
    done = kubectl.run("logs", "-f", "job", "--pod-running-timeout=60s")
    assert done.stdout == "line 1\nline 2\nline 3\n"


def test_files_are_copied_both_ways(box: Kubectl) -> None:
    (box.home / "sent").mkdir(exist_ok=True)
    (box.home / "sent" / "a.txt").write_text("one\n" * 20_000)
    (box.home / "sent" / "b.bin").write_bytes(bytes(range(256)))
    box("cp", "sent", "box:/tmp/sent")
    assert (
        box("exec", "box", "--", "sh", "-c", "wc -c < /tmp/sent/a.txt; wc -c < /tmp/sent/b.bin")
        == "80000\n256\n"
    )
    box("cp", "box:/tmp/sent", "back")
    assert (box.home / "back" / "b.bin").read_bytes() == bytes(range(256))
    assert (box.home / "back" / "a.txt").read_text() == "one\n" * 20_000


def test_much_output(box: Kubectl) -> None:
    done = box.run("exec", "box", "--", "sh", "-c", "seq 200000", timeout=120)
    assert (done.returncode, len(done.stdout), done.stdout[-7:]) == (0, 1_288_895, "200000\n")


def test_a_server_that_a_shell_starts(kubectl: Kubectl) -> None:
    kubectl(
        "run", "late", "--image=nginx", "--port=80", "--", "sh", "-c", "sleep 20 && nginx -g 'daemon off;'"
    )
    kubectl("wait", "--for=condition=Ready", "pod/late", "--timeout=60s")
    page = "until wget -q -O - http://$0/; do sleep 1; done"
    ip = kubectl("get", "pod", "late", "-o", "jsonpath={.status.podIP}")
    kubectl("run", "client", "--image=busybox", "--restart=Never", "--", "sh", "-c", page, ip)
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=120s")
    assert "Welcome to nginx!" in kubectl("logs", "client")
    assert '"GET / HTTP/1.1" 200' in kubectl("logs", "late")
