"""Random command lines, keys and texts: no crash, no hang, and the same result twice.

`SHELL_FUZZ=1000000 pytest tests/shell/test_fuzz.py` runs longer. A failure names its seed.
"""

from __future__ import annotations

import os
import random

from cluster_engine.linux.sh.parse import parse
from cluster_engine.shell import Limits, Shell, Terminal, Vfs, run_line
from cluster_engine.shell.commands import COMMANDS
from cluster_engine.shell.errors import ParseError

COUNT = int(os.environ.get("SHELL_FUZZ", "1500"))
LIMITS = Limits(steps=3_000)

# fmt: off
ATOMS = [
    *COMMANDS, *COMMANDS, "a.txt", "b", "dir", "*", "?", "[a-z]*", "$x", "${x:-y}", '"$@"', "$((1+2))", "$(echo a)",
    "`echo b`", "|", "||", "&&", ";", "\n", "(", ")", "{", "}", "if", "then", "fi", "else", "while", "do", "done",
    "for", "in", "case", "esac", ";;", "x=1", "x=", "2>&1", ">o", "<a.txt", ">>o", "<<EOF\nab\nEOF\n", "<<<w", "-n",
    "-1", "-r", "-e", "-E", "-i", "-c", "-d", "-f", "-k2", "-t", "-s", "-w", "--", "-x", "-v", "-o", "s/a/b/g", "/a/d",
    "1,2p", "$p", "y/ab/cd/", "a\\(b\\)", "[", "[[:alpha:]]", "²", "世", "\udc80", "%s\\n", "%d", "%5.2f", "%*d", "\\",
    "'", '"', "$", "${", "${#x}", "${x%a*}", "${x##*[}", "!", "=", "-eq", "-a", "1", "0", "007", "1e-99",
    "999999999999", "+3", "-", "/", "..", "/dev/null", "/dev/stdin", "\x00", "\t", "f()", "f", "return", "break",
    "continue", "export", "set", "-u", "unset", "IFS=:", "&", "#", "~", "-name", "-type", "-maxdepth", "-I", "{}",
    "a-z", "A-Z", "z-a", "1-3", "3-", "[:upper:]", "10,2", "-p", "-m1", "-A1", "-C2", "${x:=$(", "$((x=1/0))", "((",
]
KEYS = [
    "a", "世", "e\u0301", " ", "\r", "\t", "\x7f", "\x01", "\x05", "\x15", "\x0b", "\x17", "\x19", "\x14", "\x0c",
    "\x03", "\x04", "\x12", "\x07", "\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[3~", "\x1b[1;5D", "\x1bd",
    "\x1b[200~x\ny\x1b[201~", "\x1b[200~", "echo 'a", "cat <<E\r", "E\r", "if true\r", "fi\r", "sleep 1\r", "cat\r",
    "ls /\r", "\x1b[", "\x1bO", "\udc80",
]
# fmt: on


def line_of(seed: int) -> str:
    chance = random.Random(seed)
    joiner = " " if chance.random() < 0.8 else ""
    return joiner.join(chance.choice(ATOMS) for _ in range(chance.randint(1, 14)))


def result_of(line: str) -> tuple[object, int]:
    vfs = Vfs({"/w/a.txt": "one\ntwo\nab\n\n3 x\n", "/w/dir/b": b"\xff\xfe\x00z\n", "/w/o": ""})
    shell = Shell(vfs, {"HOME": "/w", "x": "a b"}, cwd="/w", limits=LIMITS)
    return run_line(shell, line, stdin=b"in put\nx\xff\n"), shell.kernel.usage.steps


def test_random_lines() -> None:
    for seed in range(COUNT):
        line = line_of(seed)
        try:
            first = result_of(line)
            assert seed % 20 or first == result_of(line)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {line!r}") from error


def test_random_keys() -> None:
    for seed in range(COUNT // 5):
        chance = random.Random(seed)
        keys = [chance.choice(KEYS) for _ in range(chance.randint(1, 40))]
        try:
            shell = Shell(Vfs({"/h/file": "x\n"}), {"HOME": "/h"}, cwd="/h", limits=LIMITS)
            shown = bytearray()
            terminal = Terminal(shell, shown.extend, cols=chance.choice([4, 10, 80]))
            for key in keys:
                terminal.feed(key)
                if chance.random() < 0.1:
                    terminal.resize(chance.randint(-1, 100), 5)
                for _ in range(chance.randint(0, 3)):
                    terminal.run(200)
            terminal.interrupt()
            shown.decode("utf-8", "surrogateescape")
        except Exception as error:
            raise AssertionError(f"seed {seed}: {keys!r}") from error


def test_random_text() -> None:
    letters = "ab '\"$(){}`\\;|&<>\n#=!*[]~0_-"
    for seed in range(COUNT):
        chance = random.Random(seed)
        text = "".join(chance.choice(letters) for _ in range(chance.randint(1, 60)))
        try:
            parse(text, final=chance.random() < 0.5)
        except ParseError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {text!r}") from error
