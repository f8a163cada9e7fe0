"""`jq` as a program: its options, reading values, writing results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs.jq.interpret import Interpreter, TooMuch, undefined
from cluster_engine.linux.programs.jq.parse import SyntaxProblem, parse
from cluster_engine.linux.programs.jq.values import Problem, dump, number, truth
from cluster_engine.linux.text import characters, octets

MAX_INPUT = 4 * 1024 * 1024
"""Bytes that it reads."""
_FLAGS = {
    "raw-output": "r", "compact-output": "c", "null-input": "n", "slurp": "s", "exit-status": "e", "join-output": "j",
    "ascii-output": "a", "sort-keys": "S", "raw-input": "R", "tab": "t", "color-output": "C", "monochrome-output": "M",
}  # fmt: skip
_USAGE = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n"


@dataclass
class _Options:
    flags: str = ""
    indent: int = 2
    variables: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def _complain(sys: Sys, message: str) -> None:
    sys.err(octets(f"jq: error: {message}\n"))


def _options(sys: Sys, argv: list[str]) -> _Options:
    """Raises Exit after a message."""
    found, rest = _Options(), [characters(word) for word in argv[1:]]
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            found.words.append(word)
        elif word in ("--arg", "--argjson", "--indent"):
            count = 1 if word == "--indent" else 2
            if len(rest) < count:
                sys.err(octets(f"jq: {word} takes {count} parameter{'s' * (count > 1)}\n"))
                raise Exit(2)
            given = [rest.pop(0) for _ in range(count)]
            _parameter(sys, found, word, given)
        elif word.startswith("--"):
            if word[2:] not in _FLAGS:
                sys.err(octets(f"jq: Unknown option: {word}\n") + _USAGE)
                raise Exit(2)
            found.flags += _FLAGS[word[2:]]
        else:
            for letter in word[1:]:
                if letter not in "rcnsejaSRCM":
                    sys.err(octets(f"jq: Unknown option: {word}\n") + _USAGE)
                    raise Exit(2)
                found.flags += letter
    return found


def _parameter(sys: Sys, found: _Options, word: str, given: list[str]) -> None:
    try:
        if word == "--indent":
            found.indent = min(7, max(0, int(given[0])))
        else:
            found.variables["$" + given[0]] = json.loads(given[1]) if word == "--argjson" else given[1]
    except (ValueError, RecursionError):
        sys.err(octets(f"jq: Invalid JSON text passed to {word}\n"))
        raise Exit(2) from None


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    options = _options(sys, argv)
    if not options.words:
        sys.err(_USAGE)
        raise Exit(2)
    try:
        missing = undefined(parse(options.words[0]))
        if missing is not None:
            sys.err(octets(f"jq: error: {missing} is not defined\njq: 1 compile error\n"))
            raise Exit(3)
    except SyntaxProblem as problem:
        sys.err(
            octets(f"jq: error: syntax error, {problem} (Unix shell quoting issues?)\njq: 1 compile error\n")
        )
        raise Exit(3) from None
    names = [octets(name) for name in options.words[1:]] or ["-"]
    return {"text": [], "n": 0}, [] if "n" in options.flags and "input" not in options.words[0] else names


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    state["n"] += len(chunk)
    if state["n"] > MAX_INPUT:
        _complain(sys, f"the input has more than {MAX_INPUT // 1024 // 1024} MiB")
        return 2
    state["text"].append(chunk)
    return None


class _Invalid(Exception):
    """What is read is no JSON."""


def _inputs(text: str, options: _Options) -> Iterator[Any]:
    """The values of the input. Raises _Invalid."""
    if "R" in options.flags:
        lines = text.split("\n")
        yield from [text] if "s" in options.flags else lines if lines[-1] else lines[:-1]
        return
    values = _values(text)
    if "s" in options.flags:
        yield list(values)
    else:
        yield from values


def _values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(
        parse_constant=lambda name: None,
        parse_float=lambda digits: number(float(digits)),
        parse_int=lambda digits: number(int(digits) if len(digits) < 400 else float(digits)),
    )
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n\ufeff":
            at += 1
        if at >= len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            place = min(getattr(error, "pos", at), len(text))
            line = text.count("\n", 0, place) + 1
            column = place - text.rfind("\n", 0, place)
            reason = "Unfinished JSON term" if place >= len(text.rstrip()) else "Invalid literal"
            raise _Invalid(f"{reason} at line {line}, column {column}") from None
        yield value


def _end(sys: Sys, state: State) -> int:
    options = _options(sys, sys.argv)
    program = parse(options.words[0])
    inputs = _inputs(characters("".join(state["text"])), options)
    interpreter = Interpreter(options.variables, inputs, sys.tick)
    status, last = 0, None
    source: Iterator[Any] = iter([None]) if "n" in options.flags else inputs
    while True:
        try:
            value = next(source)
        except StopIteration:
            break
        except _Invalid as problem:
            sys.err(f"jq: error (at <stdin>:0): {problem}\n".replace("error (at <stdin>:0)", "parse error"))
            return 2
        try:
            for last in interpreter.run(program, value):
                _write(sys, options, last)
        except Problem as problem:
            message = (
                problem.value if isinstance(problem.value, str) else f"{dump(problem.value)} (not a string)"
            )
            sys.err(octets(_whole(f"jq: error (at <stdin>:0): {message}\n")))
            status = 5
        except _Invalid as problem:
            sys.err(f"jq: parse error: {problem}\n")
            return 2
        except (TooMuch, RecursionError) as much:
            _complain(sys, f"stopped: {much}" if isinstance(much, TooMuch) else "stopped: nested too deep")
            return 5
    if "e" in options.flags and status == 0:
        return 0 if truth(last) else 1
    return status


def _write(sys: Sys, options: _Options, value: Any) -> None:
    flags = options.flags
    if isinstance(value, str) and ("r" in flags or "j" in flags):
        text = value
    else:
        indent = None if "c" in flags or "j" in flags else "\t" if "t" in flags else " " * options.indent
        text = dump(value, indent, "S" in flags, "a" in flags)
    sys.out(octets(_whole(text if "j" in flags else text + "\n")))


def _whole(text: str) -> str:
    """Text without halves of characters, which JSON's escapes can make."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


PROGRAM = Program(
    "jq", "pick out and change parts of JSON", "jq [-rcnseS] [--arg NAME VALUE] FILTER [FILE]...",
    filter=Filter(_init, _feed, _end),
)  # fmt: skip
