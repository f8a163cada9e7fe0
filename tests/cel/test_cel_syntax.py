"""Texts that are no CEL: the messages that an API server prints, with line, column and caret."""

from __future__ import annotations

from contextlib import suppress

import pytest

from cluster_engine import cel
from cluster_engine.cel.parser import MAX_DEPTH, MAX_LENGTH
from cluster_engine.cel.types import INT, object_of

OPERAND = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', "
    "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
ERROR = "ERROR: <input>:"

CASES = {
    "": f"{ERROR}1:1: Syntax error: mismatched input '<EOF>' expecting {OPERAND}\n | \n | ^",
    "1 +": f"{ERROR}1:4: Syntax error: mismatched input '<EOF>' expecting {OPERAND}\n | 1 +\n | ...^",
    "1 + $": (
        f"{ERROR}1:5: Syntax error: token recognition error at: '$'\n | 1 + $\n | ....^\n"
        f"{ERROR}1:6: Syntax error: mismatched input '<EOF>' expecting {OPERAND}\n | 1 + $\n | .....^"
    ),
    "1.all(2, 3)": f"{ERROR}1:7: argument must be a simple name\n | 1.all(2, 3)\n | ......^",
    "1 + +": (f"{ERROR}1:5: Syntax error: mismatched input '+' expecting {OPERAND}\n | 1 + +\n | ....^"),
    "*@a | b": (
        f"{ERROR}1:1: Syntax error: extraneous input '*' expecting {OPERAND}\n | *@a | b\n | ^\n"
        f"{ERROR}1:2: Syntax error: token recognition error at: '@'\n | *@a | b\n | .^\n"
        f"{ERROR}1:5: Syntax error: token recognition error at: '| '\n | *@a | b\n | ....^\n"
        f"{ERROR}1:7: Syntax error: extraneous input 'b' expecting <EOF>\n | *@a | b\n | ......^"
    ),
    "a | b": (
        f"{ERROR}1:3: Syntax error: token recognition error at: '| '\n | a | b\n | ..^\n"
        f"{ERROR}1:5: Syntax error: extraneous input 'b' expecting <EOF>\n | a | b\n | ....^"
    ),
    "1 + 2\n3 +": f"{ERROR}2:1: Syntax error: mismatched input '3' expecting <EOF>\n | 3 +\n | ^",
    '"\\xFh"': (
        f'{ERROR}1:1: Syntax error: token recognition error at: \'"\\xFh\'\n | "\\xFh"\n | ^\n'
        f'{ERROR}1:6: Syntax error: token recognition error at: \'"\'\n | "\\xFh"\n | .....^\n'
        f"{ERROR}1:7: Syntax error: mismatched input '<EOF>' expecting {OPERAND}\n | \"\\xFh\"\n | ......^"
    ),
    "while": f"{ERROR}1:1: reserved identifier: while\n | while\n | ^",
    "{a}": f"{ERROR}1:3: Syntax error: mismatched input '}}' expecting ':'\n | {{a}}\n | ..^",
    "[1": f"{ERROR}1:3: Syntax error: mismatched input '<EOF>' expecting {{']', ','}}\n | [1\n | ..^",
    "f(1": f"{ERROR}1:4: Syntax error: missing ')' at '<EOF>'\n | f(1\n | ...^",
    "(1": f"{ERROR}1:3: Syntax error: missing ')' at '<EOF>'\n | (1\n | ..^",
    "a ? 1": f"{ERROR}1:6: Syntax error: mismatched input '<EOF>' expecting ':'\n | a ? 1\n | .....^",
    "a.": f"{ERROR}1:3: Syntax error: no viable alternative at input '.'\n | a.\n | ..^",
    "-": f"{ERROR}1:2: Syntax error: no viable alternative at input '-'\n | -\n | .^",
    "has(a)": f"{ERROR}1:5: invalid argument to has() macro\n | has(a)\n | ....^",
    "[1].all(1, true)": f"{ERROR}1:9: argument must be a simple name\n | [1].all(1, true)\n | ........^",
    "9223372036854775808": f"{ERROR}1:1: invalid int literal\n | 9223372036854775808\n | ^",
    "18446744073709551616u": f"{ERROR}1:1: invalid uint literal\n | 18446744073709551616u\n | ^",
    "1e400": f"{ERROR}1:1: invalid double literal\n | 1e400\n | ^",
    "'é' + $": (
        f"{ERROR}1:7: Syntax error: token recognition error at: '$'\n | 'é' + $\n | .．....^\n"
        f"{ERROR}1:8: Syntax error: mismatched input '<EOF>' expecting {OPERAND}\n | 'é' + $\n | .．.....^"
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.items(), ids=CASES)
def test_message(text: str, message: str) -> None:
    with pytest.raises(cel.CelSyntaxError) as refused:
        cel.compile(text, ["a", "b"])
    assert str(refused.value) == message


PLACES = {
    "self.nope == 1": (5, "undefined field"),
    "1 + 'a'": (3, "overload"),
    "size(1)": (5, "overload"),
    "'a'.startsWith(1)": (15, "overload"),
    "true ? 1 : 'a'": (6, "overload"),
    "!1": (1, "overload"),
    "[1, 'a']": (5, "expected type"),
    "has(1.a)": (4, "field selection"),
    "1 +\n  'a'": (3, "overload"),
}


@pytest.mark.parametrize(("text", "column", "word"), [(t, *p) for t, p in PLACES.items()], ids=PLACES)
def test_place(text: str, column: int, word: str) -> None:
    """The column of a type error is that of the operator, the dot or the parenthesis."""
    with pytest.raises(cel.CelTypeError, match=word) as refused:
        cel.compile(text, {"self": object_of("selfType", {"x": INT})})
    assert str(refused.value).startswith(f"ERROR: <input>:1:{column}: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 5000,
        "!" * 90_000 + "true",
        "-" * 90_000 + "1",
        "a" + ".a" * 40_000,
        "1" + "+1" * 40_000,
        "true" + "&&true" * 15_000,
        "a" + "[0]" * 30_000,
        "1 ? " * 5000 + "1",
        "{" * 5000,
        "'" * 90_000,
        "'''" * 30_000,
        '"\\' * 40_000,
        "0x" * 40_000,
        "9" * 90_000,
        "1." * 40_000,
        "f(" * 5000,
        "a?" * 40_000,
        "`" * 90_000,
        "\\" * 90_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_are_refused_or_bounded(text: str) -> None:
    with suppress(cel.CelCompileError):
        cel.compile(text, ["a"])


def test_limits() -> None:
    nested = MAX_DEPTH - 1
    assert cel.compile("(" * nested + "1" + ")" * nested).evaluate({}) == 1
    with pytest.raises(cel.CelSyntaxError, match=f"recursion limit exceeded: {MAX_DEPTH}"):
        cel.compile("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH)
    assert cel.compile("1" + "+1" * (MAX_DEPTH - 1)).evaluate({}) == MAX_DEPTH
    with pytest.raises(cel.CelSyntaxError, match=f"recursion limit exceeded: {MAX_DEPTH}"):
        cel.compile("1" + "+1" * MAX_DEPTH)
    with pytest.raises(cel.CelSyntaxError, match="expression code point size exceeds limit"):
        cel.compile(" " * (MAX_LENGTH + 1))
