"""What is not `sh`, what is not finished, and what is too much: all by name."""

from __future__ import annotations

import pytest

from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.script import script
from tests.linux.world import World

REFUSED = {
    "double bracket": ("[[ a == b ]]", "[[ ... ]] belongs to bash"),
    "arithmetic command": ("((x++))", "(( ... )) belongs to bash"),
    "array": ("a=(1 2)", "arrays belong to bash"),
    "array element": ("a[1]=2", "arrays belong to bash"),
    "append": ("x+=1", "belongs to bash; write x=$x"),
    "function word": ("function f { :; }", "the word `function` belongs to bash"),
    "select": ("select x in a; do :; done", "select belongs to bash"),
    "c for": ("for ((i=0;i<3;i++)); do :; done", "for (( ... )) belongs to bash"),
    "process substitution": ("cat <(ls)", "process substitution"),
    "pipe both": ("a |& b", "write `2>&1 |`"),
    "case change": ("echo ${x^^}", "bad substitution"),
    "lone fi": ("fi", 'syntax error: unexpected "fi"'),
    "lone done": ("echo a; done", 'syntax error: unexpected "done"'),
    "double semicolon": ("a;;", 'syntax error: unexpected ";;"'),
    "leading pipe": ("| a", 'syntax error: unexpected "|"'),
    "closing": ("echo )", 'syntax error: unexpected ")"'),
    "empty subshell": ("()", 'syntax error: unexpected ")"'),
    "empty then": ("if a; then fi", 'syntax error: unexpected "fi"'),
    "bad for": ("for 1x in a; do :; done", "bad for loop variable"),
    "function body": ("f() echo", "must be { ... } or ( ... )"),
    "deep substitution": ("echo " + "$(" * 5_000, "nested more than 40 deep"),
    "deep subshell": ("(" * 30_000, "nested more than 40 deep"),
    "deep if": ("if " * 20_000, "nested more than 40 deep"),
    "deep arithmetic": ("echo " + "$((" * 10_000, "nested more than 40 deep"),
    "deep braces": ("echo " + "${x:-" * 10_000, "nested more than 40 deep"),
    "long": ("a" * 65_537, "at most 65,536 characters"),
    "many words": ("a " * 30_000, "at most 10,000 words"),
    "many commands": ("a;" * 30_000, "at most 10,000 words"),
    "pipes": ("|" * 60_000, 'syntax error: unexpected "||"'),
}


@pytest.mark.parametrize(("line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_name(line: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        script(line)
    assert message in str(caught.value)
    result = World().sh(line)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("sh: ")


INCOMPLETE = [
    "echo 'a", 'echo "a', 'echo "$(a', "echo `a", "echo \\", "echo a \\\n", "a &&", "a ||", "a |", "(a", "{ a", "if a",
    "if a; then b", "if a; then b; else", "while a", "while a; do b", "for i", "for i in a b", "for i in a; do",
    "case a", "case a in", "case a in b)", "case a in b) c;;", "f() {", "f()", "f(", "echo ${x", "echo ${x:-a",
    "echo $((1+", "cat <<EOF", "cat <<EOF\na", "cat <<A <<B\na\nA\nb", "echo $(cat <<EOF\n", "!",
]  # fmt: skip


@pytest.mark.parametrize("line", INCOMPLETE)
def test_more_lines_could_help(line: str) -> None:
    with pytest.raises(Incomplete):
        script(line, final=False)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n\n",
        "# note",
        "a;",
        "a\n",
        "cat <<EOF\nEOF",
        "cat <<EOF\nEOF\n",
        ">f",
        "x=1 >f",
        "case a in esac",
        "! a",
    ],
)
def test_complete(line: str) -> None:
    script(line, final=False)
