# ruff: noqa: E501 (one dialogue a line)
"""Typed dialogues: what a terminal shows. All of it is what busybox 1.35 shows on a pty (its line editor aside)."""

from __future__ import annotations

import pytest

from cluster_engine.linux.machine import Machine
from cluster_engine.linux.program import Program
from tests.linux.world import TABLE, World


def terminal(world: World, *argv: str, **options: object) -> int:
    world.machine.open_terminal("t", 80, 24)
    tty = ["tty", "t"]
    process = world.start(*(argv or ("sh",)), stdin=tty, stdout=tty, stderr=tty, session="t", **options)
    world.settle()
    return process


def typed(world: World, *keys: str) -> str:
    """What appears for some keys; ``+1`` lets a second pass."""
    before = len(world.host.out())
    for each in keys:
        if each[0] == "+":
            world.advance(int(float(each[1:]) * 1_000_000))
        else:
            world.machine.input("t", each)
            world.settle()
    return world.host.out()[before:].replace("\r\n", "\n")


DIALOGUES: dict[str, tuple[tuple[str, ...], str]] = {
    "prompt": (("echo hi\r",), "echo hi\nhi\n/ # "),
    "two lines": (("for i in 1 2\r", "do echo $i\r", "done\r"), "for i in 1 2\n> do echo $i\n> done\n1\n2\n/ # "),
    "interrupt": (("sleep 100\r", "\x03", "echo $?\r"), "sleep 100\n^C\n/ # echo $?\n130\n/ # "),
    "interrupt drops the line": (("echo a; sleep 9; echo b\r", "\x03"), "echo a; sleep 9; echo b\na\n^C\n/ # "),
    "interrupt at the prompt": (("abc", "\x03", "echo x\r"), "abc^C\n/ # echo x\nx\n/ # "),
    "interrupt a loop": (("while :; do :; done\r", "\x03"), "while :; do :; done\n^C\n/ # "),
    "quit": (("sleep 9\r", "\x1c", "echo $?\r"), "sleep 9\n^\\Quit\n/ # echo $?\n131\n/ # "),
    "stop, jobs, bg, fg": (
        ("sleep 9\r", "\x1a", "jobs\r", "bg\r", "jobs\r", "fg\r", "\x03"),
        "sleep 9\n^Z[1]+  Stopped                    sleep 9\n/ # jobs\n[1]+  Stopped                    sleep 9\n/ # "
        "bg\n[1] sleep 9\n/ # jobs\n[1]+  Running                    sleep 9\n/ # fg\nsleep 9\n^C\n/ # ",
    ),
    "done is told": (
        ("sleep 2 &\r", "+3", "echo hi\r"),
        "sleep 2 &\n/ # echo hi\nhi\n[1]+  Done                       sleep 2\n/ # ",
    ),
    "status is told": (("(exit 3) &\r", "\r"), "(exit 3) &\n/ # \n[1]+  Done(3)                    (exit 3)\n/ # "),
    "kill a job": (
        ("sleep 50 | cat &\r", "kill %1\r", "\r"),
        "sleep 50 | cat &\n/ # kill %1\n/ # \n[1]+  Terminated                 sleep 50 | cat\n/ # ",
    ),
    "background read stops": (("cat &\r", "\r"), "cat &\n/ # \n[1]+  Stopped (tty input)        cat\n/ # "),
    "a stopped subshell": (
        ("(sleep 20)\r", "\x1a"), "(sleep 20)\n^Z[1]+  Stopped                    (sleep 20)\n/ # ",
    ),
    "trap": (('trap "echo int" INT\r', "\x03"), 'trap "echo int" INT\n/ # ^Cint\n'),
    "end of input": (("cat\r", "ab\r", "\x04"), "cat\nab\nab\n/ # "),
    "end ends the shell": (("\x04",), "\n"),
    "erase": (("ab\x7fc\x15echo hi there\x17you\r",), "ab\b \bc\b \b\b \becho hi there" + "\b \b" * 5 + "you\nhi you\n/ # "),
    "errors": (("fi\r", "echo ${y?no}\r", "nosuch\r"), 'fi\nsh: syntax error: unexpected "fi"\n/ # echo ${y?no}\nsh: y: no\n/ # nosuch\nsh: nosuch: not found\n/ # '),
    "directory": (("cd /tmp\r", "cd\r"), "cd /tmp\n/tmp # cd\n~ # "),
    "variables stay": (("x=5\r", "f() { echo $x; }\r", "f\r"), "x=5\n/ # f() { echo $x; }\n/ # f\n5\n/ # "),
    "here document": (("cat <<E\r", "a\r", "E\r"), "cat <<E\n> a\n> E\na\n/ # "),
    "open quote": (('echo "a\r', 'b"\r'), 'echo "a\n> b"\na\nb\n/ # '),
    "a shell in a shell": (("sh\r", "exit 3\r", "echo $?\r"), "sh\n/ # exit 3\n/ # echo $?\n3\n/ # "),
    "options": (("echo $-\r",), "echo $-\nsim\n/ # "),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "shown"), DIALOGUES.values(), ids=DIALOGUES.keys())
def test_a_dialogue(keys: tuple[str, ...], shown: str) -> None:
    world = World()
    terminal(world)
    assert world.host.out() == "/ # "
    assert typed(world, *keys) == shown


@pytest.mark.parametrize(("keys", "shown"), DIALOGUES.values(), ids=DIALOGUES.keys())
def test_a_dialogue_is_saved_between_keys(keys: tuple[str, ...], shown: str) -> None:
    world = World()
    terminal(world)
    before = len(world.host.out())
    for each in keys:
        state = world.machine.state()
        world.machine = Machine("box", world.host, TABLE.get)
        world.machine.load(state)
        typed(world, each)
    assert world.host.out()[before:].replace("\r\n", "\n") == shown


PROMPTS = {
    "busybox": ("busybox", "sh", 0, "/ # "),
    "busybox, a user": ("busybox", "sh", 1000, "/ $ "),
    "dash": ("debian", "sh", 0, "# "),
    "bash": ("debian", "/bin/bash", 0, "root@box:/# "),
}


@pytest.mark.parametrize(("flavour", "shell", "uid", "prompt"), PROMPTS.values(), ids=PROMPTS.keys())
def test_prompts(flavour: str, shell: str, uid: int, prompt: str) -> None:
    table = {**TABLE, "bash": Program("bash", shell=True)}
    world = World(flavour=flavour, table=table.get, names=table)
    terminal(world, shell, uid=uid)
    assert world.host.out() == prompt


@pytest.mark.parametrize(
    ("said", "taken"),
    [((40, 10), (40, 10)), ((0, 0), (80, 24)), ((0, 10), (80, 10))],
    ids=["said", "not said", "half said"],
)
def test_who_does_not_say_its_size_has_the_usual_one(said: tuple[int, int], taken: tuple[int, int]) -> None:
    world = World()
    terminal(world, "sh")
    world.machine.resize("t", *said)
    tty = world.machine._kernel.top["ttys"]["t"]
    assert (tty["cols"], tty["rows"]) == taken


def test_sizes_and_hang_up() -> None:
    world = World()
    process = terminal(
        world, "sh", "-c", 'trap "echo size" WINCH; trap "echo hup; exit 1" HUP; while :; do sleep 1; done'
    )
    world.machine.resize("t", 100, 40)
    world.advance(1_000_000)
    assert world.host.out() == "size\r\n"
    world.machine.hangup("t")
    world.advance(1_000_000)
    assert world.host.exits == {process: 1}
