"""What is not `sh`, what is not finished, and what is too much: all by name."""

from __future__ import annotations

import pytest

from cluster_engine.linux.sh.parse import parse
from cluster_engine.shell import Shell, Vfs, run_line
from cluster_engine.shell.errors import Incomplete, ParseError

REFUSED = {
    "background": ("sleep 1 &", "background jobs (`&`) are not supported"),
    "background amid": ("a & b", "background jobs"),
    "double bracket": ("[[ a == b ]]", "[[ … ]] belongs to bash"),
    "arithmetic command": ("((x++))", "(( … )) belongs to bash"),
    "array": ("a=(1 2)", "arrays belong to bash"),
    "array element": ("a[1]=2", "arrays belong to bash"),
    "append": ("x+=1", "belongs to bash; write x=$x"),
    "function word": ("function f { :; }", "the word `function` belongs to bash"),
    "select": ("select x in a; do :; done", "select belongs to bash"),
    "c for": ("for ((i=0;i<3;i++)); do :; done", "for (( … )) belongs to bash"),
    "process substitution": ("cat <(ls)", "process substitution"),
    "pipe both": ("a |& b", "write `2>&1 |`"),
    "substring": ("echo ${x:1:2}", "bad substitution: ${x:1:2}"),
    "replace": ("echo ${x/a/b}", "bad substitution"),
    "case change": ("echo ${x^^}", "bad substitution"),
    "read write": ("cat <> f", "redirection `<>` is not supported"),
    "lone fi": ("fi", 'syntax error: "fi" unexpected'),
    "lone done": ("echo a; done", 'syntax error: "done" unexpected'),
    "double semicolon": ("a;;", 'syntax error: ";;" unexpected'),
    "leading pipe": ("| a", 'syntax error: "|" unexpected'),
    "closing": ("echo )", 'syntax error: ")" unexpected'),
    "empty subshell": ("()", "nothing between ( and )"),
    "empty then": ("if a; then fi", 'syntax error: "fi" unexpected'),
    "bad for": ("for 1x in a; do :; done", "bad for loop variable: 1x"),
    "function body": ("f() echo", "must be { … } or ( … )"),
    "deep substitution": ("echo " + "$(" * 5_000, "nested more than 40 deep"),
    "deep subshell": ("(" * 30_000, "nested more than 40 deep"),
    "deep if": ("if " * 20_000, "nested more than 40 deep"),
    "deep arithmetic": ("echo " + "$((" * 10_000, "nested more than 40 deep"),
    "deep braces": ("echo " + "${x:-" * 10_000, "nested more than 40 deep"),
    "long": ("a" * 65_537, "at most 65,536 characters"),
    "many words": ("a " * 30_000, "at most 10,000 words"),
    "many commands": ("a;" * 30_000, "at most 10,000 words"),
    "pipes": ("|" * 60_000, 'syntax error: "||" unexpected'),
}


@pytest.mark.parametrize(("line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_name(line: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(line, final=True)
    assert message in str(caught.value)
    result = run_line(Shell(Vfs()), line)
    assert (result.status, result.out) == (2, b"")
    assert result.error_text.startswith("sh: ")


INCOMPLETE = [
    "echo 'a", 'echo "a', 'echo "$(a', "echo `a", "echo \\", "echo a \\\n", "a &&", "a ||", "a |", "(a", "{ a", "if a",
    "if a; then b", "if a; then b; else", "while a", "while a; do b", "for i", "for i in a b", "for i in a; do",
    "case a", "case a in", "case a in b)", "case a in b) c;;", "f() {", "f()", "f(", "echo ${x", "echo ${x:-a",
    "echo $((1+", "cat <<EOF", "cat <<EOF\na", "cat <<A <<B\na\nA\nb", "echo $(cat <<EOF\n", "!",
]  # fmt: skip


@pytest.mark.parametrize("line", INCOMPLETE)
def test_more_lines_could_help(line: str) -> None:
    with pytest.raises(Incomplete):
        parse(line)


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
    parse(line)


UNSUPPORTED = {
    "jobs": "there are no background jobs",
    "exec ls": "exec: not supported in this shell",
    "trap x INT": "trap: not supported in this shell",
    "declare x=1": "belongs to bash; write name=value",
    "ln -s a b": "this file system has no links",
    "sudo ls": "run the command without it",
    "tail -f x": "-f is not supported",
    "sed ':a;ba' x": "the command `:' is not supported here",
    "sed 's/a/b/e' x": "the flag `e' of `s' is not supported here",
    "grep '\\(a\\)\\1' x": "back-references in a pattern are not supported here",
    "echo $((x++))": "`++` belongs to bash",
    "find . -exec rm {} +": "-exec: not supported here",
    "vim": "no editor can be opened from here",
    "date -d tomorrow": "-d is not supported here",
}


@pytest.mark.parametrize(("line", "message"), UNSUPPORTED.items(), ids=UNSUPPORTED.keys())
def test_unsupported_is_said(line: str, message: str) -> None:
    result = run_line(Shell(Vfs({"/x": "a\n"})), line)
    assert result.status != 0
    assert message in result.error_text
