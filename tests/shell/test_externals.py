# ruff: noqa: E501 (one case a line)
"""External programs as the shell sees them: streams, environment, budgets, refusals."""

from __future__ import annotations

import pytest

from cluster_engine.shell import ExecRequest, External, Host, Shell, Vfs, run_argv, run_line
from cluster_engine.shell.kubectl import KUBECTL, parse_completions, refuse, subcommands


def program(request: ExecRequest, stdin: bytes) -> tuple[int, bytes, bytes]:
    """Tells what it was given; `fail N` exits so."""
    if request.argv[1:2] == ("fail",):
        return int(request.argv[2]), b"", b"failed\n"
    if request.argv[1:2] == ("env",):
        return 0, "".join(f"{k}={v}\n" for k, v in request.env.items()).encode(), b""
    out = f"{' '.join(request.argv)} in {request.cwd}"
    return 0, (out + (f" <{stdin.decode()}>" if stdin else "") + "\n").encode(), b""


CASES = {
    "plain": ("kubectl get pods", "kubectl get pods in /h\n", 0),
    "alias": ("k get pods -o 'jsonpath={.items[*]}'", "kubectl get pods -o jsonpath={.items[*]} in /h\n", 0),
    "unquoted jsonpath": ("k get -o jsonpath={.items[0].a}", "kubectl get -o jsonpath={.items[0].a} in /h\n", 0),
    "stdin pipe": ("echo a | kubectl apply -f -", "kubectl apply -f - in /h <a\n>\n", 0),
    "here-document": ("kubectl apply -f - <<EOF\nkind: $((1+1))\nEOF", "kubectl apply -f - in /h <kind: 2\n>\n", 0),
    "stdin file": ("kubectl x < f.yaml", "kubectl x in /h <f: 1\n>\n", 0),
    "stdout pipe": ("kubectl get pods | tr a-z A-Z", "KUBECTL GET PODS IN /H\n", 0),
    "stdout file": ("kubectl x > out; cat out", "kubectl x in /h\n", 0),
    "stderr": ("kubectl fail 3 2>&1; echo $?", "failed\n3\n", 0),
    "status": ("kubectl fail 4 2>/dev/null", "", 4),
    "and or": ("kubectl fail 1 2>/dev/null || echo no; kubectl a && echo yes", "no\nkubectl a in /h\nyes\n", 0),
    "substitution": ("x=$(kubectl a); echo [$x]", "[kubectl a in /h]\n", 0),
    "cwd": ("cd /; kubectl a", "kubectl a in /\n", 0),
    "environment": ("export A=1; b=2; C=3 kubectl env | grep '^[ABC]='", "A=1\nC=3\n", 0),
    "by path": ("/usr/local/bin/kubectl a", "kubectl a in /h\n", 0),
    "xargs": ("echo a b | xargs -n1 kubectl get", "kubectl get a in /h\nkubectl get b in /h\n", 0),
    "function": ("kubectl() { command kubectl \"$@\" -v; }; kubectl a", "kubectl a -v in /h\n", 0),
    "loop keeps its input": (
        "printf '1\\n2\\n' | while read x; do kubectl get $x </dev/null; done",
        "kubectl get 1 in /h\nkubectl get 2 in /h\n",
        0,
    ),
    "type": ("type kubectl; which kubectl; command -v k", "kubectl is /usr/bin/kubectl\n/usr/bin/kubectl\nalias k='kubectl'\n", 0),
}  # fmt: skip


@pytest.mark.parametrize(("line", "out", "status"), CASES.values(), ids=CASES.keys())
def test_externals(line: str, out: str, status: int) -> None:
    shell = Shell(
        Vfs({"/h/f.yaml": "f: 1\n"}),
        {"HOME": "/h"},
        {"kubectl": External("kubectl")},
        cwd="/h",
        aliases={"k": "kubectl"},
    )
    result = run_line(shell, line, externals=program)
    assert (result.status, result.text) == (status, out)


def test_a_program_gives_back_what_it_did_not_read() -> None:
    from cluster_engine.shell.external import ExecCall, ExecResult
    from cluster_engine.shell.streams import Sink, Source

    shell = Shell(Vfs(), {}, {"kubectl": External("kubectl")})
    out = bytearray()
    kernel = shell.kernel
    shell.start(
        "while read x; do echo $x; kubectl; done", {0: Source(kernel, b"1\n2\n"), 1: Sink(kernel, out.extend)}
    )
    for _ in range(2):
        kernel.run(10_000)
        (call,) = kernel.calls
        assert isinstance(call, ExecCall)
        taken = call.take_input() or b""
        call.resolve(ExecResult(0, unread=taken))
    kernel.run(10_000)
    assert bytes(out) == b"1\n2\n"


def test_sleep_and_date_are_the_hosts() -> None:
    slept: list[float] = []
    shell = Shell(Vfs(), host=Host(now=lambda: 1_767_225_600_000_000))
    result = run_line(shell, "sleep 1.5; sleep 2m; date; date +%s-%F", answers={"sleep": slept.append})
    assert slept == [1.5, 120.0]
    assert result.text == "Thu Jan  1 00:00:00 UTC 2026\n1767225600-2026-01-01\n"


def test_editor_hook() -> None:
    opened: list[str] = []

    def open_editor(path: str) -> str:
        opened.append(path)
        return f"opened {path}"

    shell = Shell(Vfs({"/h/a.yaml": "x"}), cwd="/h", host=Host(open_editor=open_editor))
    result = run_line(shell, "vim a.yaml; nano new.yaml; vi -n +3 ./a.yaml")
    assert opened == ["/h/a.yaml", "/h/new.yaml", "/h/a.yaml"]
    assert result.text.splitlines()[0] == "opened /h/a.yaml"


def test_run_argv_takes_no_shell_syntax() -> None:
    shell = Shell(Vfs({"/etc/hostname": "pod-1\n"}))
    assert run_argv(shell, ["cat", "/etc/hostname"]).text == "pod-1\n"
    assert run_argv(shell, ["echo", "$HOME", "*", ";", "ls"]).text == "$HOME * ; ls\n"
    assert run_argv(shell, ["sh", "-c", "echo $0 $1; exit 3", "a", "b"]).status == 3
    assert run_argv(shell, ["nosuch"]).status == 127


REFUSALS = {
    ("kubectl", "edit", "deploy/web"): "kubectl get deploy/web -o yaml > edit.yaml",
    ("kubectl", "-n", "edit", "edit", "pod", "x"): "kubectl get pod x -o yaml",
    ("kubectl", "create", "-f", "x", "--edit"): "no editor can run",
    ("kubectl", "diff", "-f", "x"): "diff needs a second program",
    ("kubectl", "port-forward", "pod/x", "80"): "opens a port",
    ("kubectl", "proxy"): "opens a port",
    ("kubectl", "-n", "edit", "get", "pods"): None,
    ("kubectl", "get", "edit"): None,
    ("kubectl", "edit", "--help"): None,
    ("kubectl", "exec", "x", "--", "edit"): None,
}


@pytest.mark.parametrize(("argv", "message"), REFUSALS.items(), ids=[" ".join(argv) for argv in REFUSALS])
def test_refusals(argv: tuple[str, ...], message: str | None) -> None:
    answer = refuse(list(argv))
    assert (answer is None) == (message is None)
    assert message is None or message in (answer or "")


def test_a_refusal_is_an_error_of_the_command() -> None:
    shell = Shell(Vfs(), externals={"kubectl": KUBECTL})
    result = run_line(shell, "kubectl edit pod x", externals=program)
    assert result.status == 1
    assert "no editor can run inside this terminal" in result.error_text


def test_subcommands_skip_flags_and_their_values() -> None:
    argv = ["kubectl", "--context", "a", "-n", "b", "get", "--all-namespaces", "pods", "x", "--", "y"]
    assert subcommands(argv) == ["get", "pods", "x"]


COMPLETED = {
    "names": ("po\tPods\nsvc\n:4\nmore", ["po", "svc"], " ", False),
    "no space": ("a=\n:2\n", ["a="], "", False),
    "files": (":0\n", [], None, True),
    "nothing": (":4\n", [], None, False),
    "extensions": ("yaml\nyml\n:8\n", [], None, True),
    "error": ("x\n:1\n", [], None, False),
    "help": ("_activeHelp_ hi\nx\n:4\n", ["x"], " ", False),
}


@pytest.mark.parametrize(("output", "names", "final", "files"), COMPLETED.values(), ids=COMPLETED.keys())
def test_parse_completions(output: str, names: list[str], final: str | None, files: bool) -> None:
    found = parse_completions(output)
    assert (found.names, found.files) == (names, files)
    assert all(found.finals[name] == final for name in names)
