# ruff: noqa: E501 (tokens)
"""Random and broken lines of shell: whatever is typed, the machine never raises, and comes to rest."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.text import octets
from tests.linux.bash_cases import CASES
from tests.linux.cases import SHELL, TOOLS
from tests.linux.test_sh_transcripts import box
from tests.linux.world import World

LINES = [line for line in (*SHELL.values(), *TOOLS.values()) if len(line) < 400 and "100000" not in line]
TOKENS = (
    '"', "'", "$", "$(", ")", "`", "${", "}", "$((", "))", ";", "&", "|", "&&", "||", "\n", "<", ">", "<<E", "\nE\n", ">&",
    "2>&1", "!", "{ ", " }", "(", "if ", "then ", "fi", "else ", "while ", "do ", "done", "for i in ", "case x in ",
    "esac", "x)", ";;", "echo ", "read x", "wait", 'trap "echo t" EXIT', "kill $$", "exit", "return", "break", "continue",
    "set -e", "set -u", "exec ", "eval ", ". ./lib.sh", "f() ", "local x=1", "shift", "*", "?", "[", "~", "\\", "é", "=",
    "x=", "$x", "$@", '"$*"', "$#", "$?", "$!", "${x:-", "${x#", "${#x}", "sleep 0.1", "cat", "export ", "readonly ",
    "unset x", "getopts ab o", "jobs", "fg", "bg", "%1", "true", "false", "alias a=b", "let ", "test ", "[ -f x ]",
    "printf %s", "umask 7", "ulimit -n", "IFS=:", "set -- a b",
)  # fmt: skip
COUNT = 20_000 if os.environ.get("DRYDOCK_SOAK") else 40
SECONDS = 20


def line(chance: random.Random, tokens: Sequence[str] = TOKENS, lines: Sequence[str] = LINES) -> str:
    """Tokens at random, a known line with a few edits, or two known lines joined."""
    kind = chance.random()
    if kind < 0.4:
        return "".join(
            chance.choice(tokens) + chance.choice(("", " ", " ")) for _ in range(chance.randint(1, 14))
        )
    if kind < 0.8:
        edited = list(chance.choice(lines)) or [" "]
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(edited))
            edited[at : at + chance.randint(0, 1)] = [chance.choice(("", chance.choice(tokens)))]
        return "".join(edited)
    joint = chance.choice(("\n", ";", " & ", " | ", " && "))
    return chance.choice(lines)[: chance.randint(1, 60)] + joint + chance.choice(lines)


BASH_LINES = [line for line in (*CASES.values(), *LINES) if len(line) < 400]
BASH_TOKENS = (
    *TOKENS, "[[ ", " ]]", " =~ ", " == ", "((", "a=(", "a[1]=", "a[-9]=", "${a[@]}", "${#a[@]}", "${!a[@]}", "${a[", "{1..3}",
    "{a,", ",b}", "{", "}", "+=", "function ", "|& ", "$(<", "$'", "\\x41", "declare -A m", "m[k]=", "${x^^}", "${!x}",
    "for ((", "i=0;", "i<3;", "i++))", "unset 'a[0]'", "local a=(1 2)",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_no_line_of_bash_breaks_the_machine(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(COUNT // 5):
        text = line(chance, BASH_TOKENS, BASH_LINES)
        world = World({"/w/f": "one\n"}, table=programs.program, names=programs.of("debian"))
        try:
            world.sh(octets(text), cwd="/w", seconds=SECONDS, shell="bash")
        except Exception as error:
            raise AssertionError(f"seed {seed}, line {number}: {text!r}") from error


@pytest.mark.parametrize("seed", range(5))
def test_no_line_breaks_breaks_the_machine(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(COUNT // 5):
        text = line(chance)
        try:
            box().sh(octets(text), cwd="/w", seconds=SECONDS)
        except Exception as error:
            raise AssertionError(f"seed {seed}, line {number}: {text!r}") from error
