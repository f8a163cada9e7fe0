"""`grep`, over a linear-time engine; `egrep` and `fgrep` are its old names."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from cluster_engine.linux.errors import IS_DIRECTORY, FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import Options, fail, is_busybox, lines, misused, number, options
from cluster_engine.linux.regex import PatternError, printable, regex
from cluster_engine.linux.sh.pattern import matches
from cluster_engine.linux.text import characters, octets

_USAGE = "grep [-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]..."
_LONG = {
    "ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "extended-regexp": "E",
    "fixed-strings": "F", "quiet": "q", "silent": "q", "only-matching": "o", "recursive": "r",
    "files-with-matches": "l", "files-without-match": "L", "word-regexp": "w", "line-regexp": "x",
    "regexp": "e", "after-context": "A", "before-context": "B", "context": "C", "no-filename": "h",
    "with-filename": "H", "max-count": "m", "no-messages": "s", "file": "f", "include": "I", "exclude": "X",
    "color": "k", "colour": "k", "basic-regexp": "G", "line-buffered": "u", "text": "a",
}  # fmt: skip
MAX_PATTERNS = 100
MAX_FILES = 5_000
"""Files of one recursive search."""


class _Matcher:
    """The patterns, compiled (RE2 keeps them in a cache that all share)."""

    def __init__(self, state: State) -> None:
        extended, fixed = state["kind"] == "E", state["kind"] == "F"
        self._compiled = [
            regex(characters(each), extended=extended, fixed=fixed, ignore_case=state["fold"])
            for each in state["patterns"]
        ]
        self._word = state["word"]
        self._whole = state["whole"]
        self._literals = self._plain(state)

    @staticmethod
    def _plain(state: State) -> list[str] | None:
        """The patterns as they are, when they hold nothing special: then no engine is needed."""
        if state["fold"] or state["word"] or state["whole"]:
            return None
        if state["kind"] == "F":
            return list(state["patterns"])
        plain = all(not any(char in "\\.[]*^$+?{}|()" for char in each) for each in state["patterns"])
        return list(state["patterns"]) if plain else None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the line matches, left to right, without overlaps."""
        shown = printable(text)
        streams = [self._found(compiled, shown) for compiled in self._compiled]
        last = 0
        for start, end in heapq.merge(*streams, key=lambda span: (span[0], -span[1])):
            if start >= last:
                last = end
                yield start, end

    def simple(self, state: State) -> bool:
        """One literal, and lines are printed or counted as they are: nothing has to be known of each line."""
        fancy = state["titles"] or state["number"] or state["only"] or state["before"] or state["after"]
        one = self._literals is not None and len(self._literals) == 1
        return one and not fancy and state["max"] < 0 and state["mode"] in ("", "c") and not state["context"]

    def plain_hits(self, rows: list[str], invert: bool) -> list[str]:
        """The lines that have the one literal (or have it not)."""
        assert self._literals is not None
        needle = self._literals[0]
        return [row for row in rows if (needle in row) != invert]

    def hit(self, row: str) -> bool:
        """Does the line (byte text) match?"""
        if self._literals is not None:
            return any(each in row for each in self._literals)
        if not self._whole and not self._word:
            data = row.encode("latin-1")
            return any(compiled.search(data) is not None for compiled in self._compiled)
        shown = printable(characters(row))
        return any(next(self._found(compiled, shown), None) is not None for compiled in self._compiled)

    def _found(self, compiled: Any, text: str) -> Iterator[tuple[int, int]]:
        if self._whole:
            if compiled.fullmatch(text) is not None:
                yield (0, len(text))
            return
        # `finditer` encodes the line once; searching from each position would do so each time.
        for match in compiled.finditer(text):
            start, end = match.span()
            if self._word and (start == end or _is_word(text, start - 1) or _is_word(text, end)):
                continue
            yield (start, end)


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _count(sys: Sys, opts: Options, letter: str, default: int) -> int:
    text = opts.value(letter)
    if text is None:
        return default
    value = number(text)
    if value is None or value < 0:
        wrong = f"{text}: invalid context length argument" if letter in "ABC" else "invalid max count"
        fail(sys, f"invalid number '{text}'" if is_busybox(sys) else wrong, 2)
    return value


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    old = {"egrep": "E", "fgrep": "F"}.get(sys.name, "")
    opts = options(
        sys, argv, "ivncEFGqorRlLwxhHsyau", "eABCmfIX", _LONG, usage=_USAGE, status=2,
        optional="k",
    )  # fmt: skip
    operands = list(opts.operands)
    patterns = list(opts.given.get("e", []))
    for name in opts.given.get("f", []):
        try:
            patterns += sys.fs.read(name).removesuffix("\n").split("\n")
        except FileError as error:
            fail(sys, f"{name}: {error.reason}", 2)
    if not opts.flag("e", "f"):
        if not operands:
            if not is_busybox(sys):
                sys.err(
                    "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n"
                )
                raise Exit(2)
            misused(sys, "", _USAGE, 2)
        patterns = [operands.pop(0)]
    patterns = [each for pattern in patterns for each in pattern.split("\n")]
    if len(patterns) > MAX_PATTERNS:
        fail(sys, f"more than {MAX_PATTERNS} patterns are not taken here", 2)
    both = _count(sys, opts, "C", 0)
    state: State = {
        "patterns": patterns, "kind": opts.last("EFG") or old, "fold": opts.flag("i", "y"), "word": opts.flag("w"),
        "whole": opts.flag("x"), "invert": opts.flag("v"), "number": opts.flag("n"), "only": opts.flag("o"),
        "mode": opts.last("qclL") or "", "max": _count(sys, opts, "m", -1), "before": _count(sys, opts, "B", both),
        "after": _count(sys, opts, "A", both), "context": opts.flag("A", "B", "C"), "silent": opts.flag("s"),
        "any": False, "failed": False, "name": "", "rest": "", "hits": 0, "line": 0, "wait": 0, "shown": 0,
        "held": [], "open": False, "inputs": 0, "titles": False, "binary": False,
        "text": opts.flag("a") or is_busybox(sys),
    }  # fmt: skip
    if is_busybox(sys) and not (state["before"] or state["after"]):
        state["context"] = False  # busybox draws no line between the groups of -A 0
    if opts.flag("q"):
        state["mode"] = "q"
    try:
        _Matcher(state)
    except PatternError as error:
        bad = f"bad regex '{patterns[0]}': {error}" if is_busybox(sys) else str(error)
        fail(sys, bad, 2)
    recursive = opts.flag("r", "R")
    names = operands or (["."] if recursive else ["-"])
    if recursive:
        names = _expand(sys, state, names, opts, bool(operands))
    state["titles"] = opts.flag("H") or (not opts.flag("h") and (len(operands) > 1 or recursive))
    if recursive and len(operands) == 1 and not opts.flag("H") and sys.fs.is_file(operands[0]):
        state["titles"] = False
    state["inputs"] = len(names)
    return state, names


def _expand(sys: Sys, state: State, names: list[str], opts: Options, given: bool) -> list[str]:
    """`-r`: the files below each directory."""
    found: list[str] = []
    for name in names:
        if not sys.fs.is_dir(name):
            found.append(name)
            continue
        stack = ["" if name == "." and not given else name.rstrip("/") or "/"]
        while stack:
            if len(found) > MAX_FILES:
                fail(sys, f"more than {MAX_FILES:,} files are not searched here", 2)
            top = stack.pop()
            sys.tick()
            try:
                children = sys.fs.listdir(top or ".")
            except FileError as error:
                _unopened(sys, state, top, error.reason)
                continue
            folders = []
            for child in children:
                path = child if not top else f"{top.rstrip('/')}/{child}"
                kind = sys.fs.lstat(path).kind
                if kind == "directory":
                    folders.append(path)
                elif kind == "file" and _wanted(opts, child):
                    found.append(path)
            stack.extend(reversed(folders))
    return found


def _wanted(opts: Options, name: str) -> bool:
    include, exclude = opts.given.get("I", []), opts.given.get("X", [])
    if include and not any(matches([(pattern, False)], name) for pattern in include):
        return False
    return not any(matches([(pattern, False)], name) for pattern in exclude)


def _opened(sys: Sys, state: State, name: str) -> None:
    _close(sys, state)
    state |= {
        "name": name,
        "hits": 0,
        "line": 0,
        "wait": 0,
        "shown": 0,
        "held": [],
        "open": True,
        "binary": False,
    }


def _title(sys: Sys, state: State) -> str:
    return "(standard input)" if state["name"] == "-" else str(state["name"])


def _close(sys: Sys, state: State) -> None:
    """One input is read."""
    if not state["open"]:
        return
    if state["rest"]:
        rest, state["rest"] = state["rest"], ""
        _search(sys, state, [rest])
    state["open"] = False
    if state["binary"] and state["hits"] and not state["mode"]:
        sys.error(f"{_title(sys, state)}: binary file matches")
    mode, hits = state["mode"], state["hits"]
    if mode in ("l", "L"):
        if (hits > 0) == (mode == "l"):
            state["any"] = True
            sys.out(_title(sys, state) + "\n")
    elif mode == "c":
        sys.out((f"{_title(sys, state)}:" if state["titles"] else "") + f"{hits}\n")


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if not state["text"] and "\0" in chunk:
        state["binary"] = True
    rows = lines(sys, state, chunk)
    if _done(state):
        state["rest"] = ""
        return _early(sys, state)
    _search(sys, state, rows)
    return _early(sys, state)


def _done(state: State) -> bool:
    """Nothing more is wanted of this input."""
    if state["mode"] in ("q", "l", "L") and state["hits"]:
        return True
    return 0 <= state["max"] <= state["hits"] and not state["wait"]


def _early(sys: Sys, state: State) -> int | None:
    if state["mode"] == "q" and state["any"]:
        return 0
    if state["inputs"] == 1 and _done(state):
        state["rest"] = ""
        _close(sys, state)
        return _status(state)
    return None


def _search(sys: Sys, state: State, rows: list[str]) -> None:
    matcher = _Matcher(state)
    out: list[str] = []
    show = not state["mode"] and not state["binary"]
    sys.tick(len(rows) * (1 + len(state["patterns"]) // 4))
    if matcher.simple(state):
        hits = matcher.plain_hits(rows, state["invert"])
        state["line"] += len(rows)
        state["hits"] += len(hits)
        state["any"] = state["any"] or bool(hits)
        if hits and show:
            sys.write(1, "".join([row + "\n" for row in hits]))
        return
    for row in rows:
        if _done(state):
            break
        state["line"] += 1
        line = state["line"]
        free = state["max"] < 0 or state["hits"] < state["max"]
        if free and matcher.hit(row) != state["invert"]:
            state["hits"] += 1
            state["any"] = state["any"] or state["mode"] != "L"
            if show:
                if state["context"] and state["shown"] and line - len(state["held"]) > state["shown"] + 1:
                    out.append("--\n")
                out += [_row(sys, state, at, held, "-") for at, held in state["held"]]
                out.append(_matched(sys, state, matcher, line, row))
                state["shown"] = line
            state["held"], state["wait"] = [], state["after"]
        elif state["wait"]:
            state["wait"] -= 1
            if show and not state["only"]:
                out.append(_row(sys, state, line, row, "-"))
                state["shown"] = line
        elif state["before"]:
            state["held"] = [*state["held"], [line, row]][-state["before"] :]
    if out:
        sys.write(1, "".join(out))


def _matched(sys: Sys, state: State, matcher: _Matcher, line: int, row: str) -> str:
    if not state["only"]:
        return _row(sys, state, line, row, ":")
    if state["invert"]:
        return ""
    text = characters(row)
    pieces = [octets(text[start:end]) for start, end in matcher.spans(text) if end > start]
    return "".join(_row(sys, state, line, piece, ":") for piece in pieces)


def _row(sys: Sys, state: State, line: int, row: str, mark: str) -> str:
    prefix = f"{_title(sys, state)}{mark}" if state["titles"] else ""
    if state["number"]:
        prefix += f"{line}{mark}"
    return f"{prefix}{row}\n"


def _status(state: State) -> int:
    if state["failed"]:
        return 2
    return 0 if state["any"] else 1


def _end(sys: Sys, state: State) -> int:
    _close(sys, state)
    return _status(state)


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    if reason == IS_DIRECTORY:
        sys.error(f"{name}: Is a directory")
        return
    state["failed"] = True
    if not state["silent"]:
        sys.error(f"{name}: {reason}")


_FILTER = Filter(_init, _feed, _end, opened=_opened, unopened=_unopened)
PROGRAM = Program("grep", "print matching lines", _USAGE, filter=_FILTER)
EGREP = Program("egrep", "grep -E", _USAGE, filter=_FILTER)
FGREP = Program("fgrep", "grep -F", _USAGE, filter=_FILTER)
