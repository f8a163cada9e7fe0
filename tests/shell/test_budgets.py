"""What a command line may use, and how it ends when it wants more: with a sentence, always."""

from __future__ import annotations

import pytest

from cluster_engine.shell import ExecRequest, External, Limits, Shell, Vfs, VfsLimits, run_line

SMALL = Limits(
    steps=20_000,
    output=64 * 1024,
    externals=20,
    depth=60,
    processes=8,
    value=64 * 1024,
    variables=256 * 1024,
    fields=1_000,
    buffer=128 * 1024,
    held=150 * 1024,
    functions=20,
)

STEPS = "more than 20,000 steps in one command line"

STOPPED = {
    "busy loop": ("while true; do :; done", STEPS),
    "until": ("until false; do :; done", STEPS),
    "busy in pipe": ("while :; do :; done | cat", STEPS),
    "reader never ends": ("yes | while read x; do :; done", STEPS),
    "yes": ("yes", "more than 64 KiB of output"),
    "yes cat": ("yes | cat", "more than 64 KiB of output"),
    "yes to stderr": ("yes >&2", "more than 64 KiB of output"),
    "doubling": ("x=aaaaaaaa; while true; do x=$x$x; done", "more than 64 KiB in the words of one command"),
    "many variables": (
        'x=$(printf "%08000d" 1); i=0; while :; do i=$((i+1)); eval "v$i=$x"; done',
        "more than 256 KiB in variables",
    ),
    "substitution": ("x=$(yes)", "more than 64 KiB in one command substitution"),
    "arguments": ("echo $(seq 1 2000)", "more than 1,000 arguments of one command"),
    "recursion": ("f() { f; }; f", "commands nested more than 60 deep"),
    "mutual recursion": ("f() { (g); }; g() { { f; }; }; f", "commands nested more than 60 deep"),
    "substitution recursion": ("f() { x=$(f); }; f", "commands nested more than 60 deep"),
    "eval recursion": ("x='eval $x'; eval $x", "commands nested more than 60 deep"),
    "alias recursion": ("alias a=b b=a; while :; do a 2>/dev/null; done", STEPS),
    "fork bomb": ("f() { f | f; }; f", None),
    "wide pipeline": ("true" + " | cat" * 12, "more than 8 processes at a time"),
    "sort holds": ("yes | sort", "sort would hold more than 128 KiB in memory"),
    "sorts hold": (
        "yes $(printf '%0500d' 0) | head -c 100000 | sort | sort",
        "one command line would hold more than 150 KiB in memory",
    ),
    "disk full": ("yes > f", "No space left on device"),
    "functions": ('i=0; while :; do i=$((i+1)); eval "f$i() { :; }"; done', "more than 20 functions"),
    "externals": ("for i in $(seq 1 900); do kubectl get pods; done", "more than 20 external programs"),
    "externals in pipes": ("while :; do kubectl | kubectl; done", "more than 20 external programs"),
    "watch": ("watch kubectl", "more than 20 external programs"),
    "xargs": ("seq 900 | xargs -n1 kubectl", "more than 20 external programs"),
    "sed grows": ("printf '%04000d' 0 | sed " + f"'s/0/{'&' * 300}/g'", "a line of more than 1 MiB"),
    "copies": ("x=$(printf '%09000d' 0); x=$x$x$x; while :; do y=$x; done", STEPS),
    "seq": ("seq 1 1000000000 >/dev/null", STEPS),
}


def run_external(request: ExecRequest, stdin: bytes) -> tuple[int, bytes, bytes]:
    return 0, b"", b""


def shell(limits: Limits = SMALL) -> Shell:
    vfs = Vfs({"/w/a.txt": "one\n"}, limits=VfsLimits(entries=50, total=64 * 1024))
    return Shell(vfs, {"HOME": "/w"}, {"kubectl": External("kubectl")}, cwd="/w", limits=limits)


@pytest.mark.parametrize(("line", "reason"), STOPPED.values(), ids=STOPPED.keys())
def test_stopped_with_a_reason(line: str, reason: str | None) -> None:
    sh = shell()
    result = run_line(sh, line, externals=run_external)
    assert result.status == 137
    assert result.error_text.splitlines()[-1].startswith("sh: stopped: ")
    if reason is not None:
        assert reason in result.error_text
    # The shell survives and the next line has budgets of its own.
    after = run_line(sh, "echo alive $?")
    assert (after.status, after.text) == (0, "alive 137\n")


def test_real_limits_stop_a_busy_loop_and_its_like() -> None:
    sh = shell(Limits())
    assert "more than 200,000 steps" in run_line(sh, "while true; do :; done").error_text
    assert "more than 1 MiB of output" in run_line(sh, "yes | cat").error_text
    assert (
        "more than 200 external programs"
        in run_line(
            sh, "i=0; while [ $i -lt 10000 ]; do kubectl get pods; i=$((i+1)); done", externals=run_external
        ).error_text
    )


def test_the_same_line_takes_the_same_steps() -> None:
    line = "for i in 1 2 3; do seq $i | sort -r | while read x; do echo $x; done; done | tail -2"
    first, second = shell(), shell()
    results = [run_line(sh, line) for sh in (first, second)]
    assert results[0] == results[1]
    assert first.kernel.usage.steps == second.kernel.usage.steps


def test_a_slice_is_kept() -> None:
    from cluster_engine.shell import Done, Paused
    from cluster_engine.shell.streams import Null

    sh = shell()
    sh.start("while :; do :; done", {0: Null(), 1: Null(), 2: Null()})
    slices = 0
    while isinstance(sh.kernel.run(100), Paused):
        slices += 1
    assert sh.kernel.run(1) == Done(137)
    assert slices >= 150


@pytest.mark.parametrize(
    ("line", "out", "status"),
    [
        ("yes | head -3", "y\ny\ny\n", 0),
        ("seq 1 1000000 | head -1", "1\n", 0),
        ("while :; do echo x; done | head -2", "x\nx\n", 0),
        ("set -o pipefail; yes | head -1", "y\n", 141),
        ("yes | true", "", 0),
    ],
    ids=["yes head", "seq head", "loop head", "sigpipe status", "reader leaves at once"],
)
def test_a_closed_pipe_ends_its_writer(line: str, out: str, status: int) -> None:
    result = run_line(shell(), line)
    assert (result.status, result.text, result.err) == (status, out, b"")
