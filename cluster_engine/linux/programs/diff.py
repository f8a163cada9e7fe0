"""`diff` and `cmp`: the lines (bytes) in which two files differ."""

from __future__ import annotations

import difflib

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import (
    Options,
    fail,
    hold,
    is_busybox,
    joined,
    misused,
    number,
    options,
)
from cluster_engine.linux.programs.date import formatted

_USAGE = "diff [-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2"
_LONG = {
    "unified": "u", "brief": "q", "recursive": "r", "ignore-case": "i", "ignore-all-space": "w", "label": "L",
    "ignore-space-change": "b", "ignore-blank-lines": "B", "report-identical-files": "s", "new-file": "N", "text": "a",
    "color": "k",
}  # fmt: skip
MAX_LINES = 20_000
"""Lines of one file that are compared; the comparison is quadratic at worst."""

Opcode = tuple[str, int, int, int, int]


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "uqriwbBsNadtT", "UL", _LONG, status=2, usage=_USAGE, optional="k")
    if len(opts.operands) != 2:
        what = "missing operand after '{}'" if opts.operands else "missing operand after 'diff'"
        misused(
            sys,
            "" if is_busybox(sys) else what.format(*opts.operands[:1]),
            _USAGE,
            2 if not is_busybox(sys) else 1,
        )
    context = number(opts.value("U") or "3")
    if context is None or context < 0:
        fail(sys, f"invalid context length '{opts.value('U')}'", 2)
    first, second = opts.operands
    state: State = {"given": opts.given, "names": [first, second], "held": [], "context": context}
    if "-" in (first, second):
        return state, ["-"]
    raise Exit(_compare(sys, opts, first, second, "", context))


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


def _end(sys: Sys, state: State) -> int:
    opts = Options()
    opts.given = state["given"]
    first, second = state["names"]
    return _compare(sys, opts, first, second, "".join(state["held"]), state["context"])


def _compare(sys: Sys, opts: Options, first: str, second: str, stdin: str, context: int) -> int:
    fs = sys.fs
    missing = 0
    for name in (first, second):
        if name != "-" and not fs.exists(name) and not opts.flag("N"):
            reason = "No such file or directory"
            sys.error(f"can't stat '{name}': {reason}" if is_busybox(sys) else f"{name}: {reason}")
            missing = 2
            if is_busybox(sys):
                return 2
    if missing:
        return missing
    folders = [name != "-" and fs.is_dir(name) for name in (first, second)]
    if all(folders):
        return _folders(sys, opts, first, second, context, 0)
    if folders[0]:
        first = joined(first, second.rpartition("/")[2])
    elif folders[1]:
        second = joined(second, first.rpartition("/")[2])
    return _files(sys, opts, first, second, stdin, context)


def _folders(sys: Sys, opts: Options, first: str, second: str, context: int, depth: int) -> int:
    fs = sys.fs
    left, right = fs.listdir(first), fs.listdir(second)
    status = 0
    for name in sorted({*left, *right}):
        sys.tick()
        a, b = joined(first, name), joined(second, name)
        if (name not in left or name not in right) and not opts.flag("N"):
            sys.out(f"Only in {first if name in left else second}: {name}\n")
            status = max(status, 1)
        elif fs.is_dir(a) and fs.is_dir(b):
            if opts.flag("r") and depth < 64:
                status = max(status, _folders(sys, opts, a, b, context, depth + 1))
            else:
                sys.out(f"Common subdirectories: {a} and {b}\n")
        elif fs.is_dir(a) or fs.is_dir(b):
            kinds = ["a directory" if fs.is_dir(each) else "a regular file" for each in (a, b)]
            sys.out(f"File {a} is {kinds[0]} while file {b} is {kinds[1]}\n")
            status = max(status, 1)
        else:
            before = f"diff {'-r ' if opts.flag('r') else ''}{'-u ' if opts.flag('u') else ''}{a} {b}\n"
            status = max(status, _files(sys, opts, a, b, "", context, "" if is_busybox(sys) else before))
    return status


def _read(sys: Sys, opts: Options, name: str, stdin: str) -> str:
    if name == "-":
        return stdin
    try:
        text: str = sys.fs.read(name)
    except FileError as error:
        if opts.flag("N") and not sys.fs.exists(name):
            return ""
        sys.error(f"can't open '{name}': {error.reason}" if is_busybox(sys) else f"{name}: {error.reason}")
        raise Exit(2) from None
    return text


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    if rows[-1] == "":
        return [row + "\n" for row in rows[:-1]]
    return [row + "\n" for row in rows[:-1]] + [rows[-1] + "\n\\ No newline at end of file\n"]


def _key(opts: Options, row: str) -> str:
    if opts.flag("w"):
        row = "".join(row.split())
    elif opts.flag("b"):
        row = " ".join(row.split())
    return row.lower() if opts.flag("i") else row


def _files(
    sys: Sys, opts: Options, first: str, second: str, stdin: str, context: int, before: str = ""
) -> int:
    texts = [_read(sys, opts, name, stdin) for name in (first, second)]
    if texts[0] == texts[1]:
        if opts.flag("s"):
            sys.out(f"Files {first} and {second} are identical\n")
        return 0
    if any("\0" in text[:1024] for text in texts) and not opts.flag("a"):
        sys.out(f"Binary files {first} and {second} differ\n")
        return 1
    left, right = (_rows(text) for text in texts)
    if max(len(left), len(right)) > MAX_LINES:
        fail(sys, f"files of more than {MAX_LINES:,} lines are not compared here", 2)
    sys.tick(len(left) + len(right))
    keys = [[_key(opts, row) for row in rows] for rows in (left, right)]
    matcher = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    if opts.flag("B"):
        codes = [
            code
            for code in codes
            if any(row.strip() for row in left[code[1] : code[2]] + right[code[3] : code[4]])
        ]
    if not codes:
        return 0
    if opts.flag("q"):
        sys.out(f"Files {first} and {second} differ\n")
        return 1
    sys.out(before)
    if opts.flag("u", "U") or is_busybox(sys):
        labels = [*opts.given.get("L", []), "", ""]
        heads = [_label(sys, name, label) for name, label in zip((first, second), labels, strict=False)]
        sys.out(f"--- {heads[0]}\n+++ {heads[1]}\n")
        for group in _grouped(matcher, context):
            sys.out(_hunk(group, left, right))
    else:
        sys.out("".join(_normal(code, left, right) for code in codes))
    return 1


def _grouped(matcher: difflib.SequenceMatcher[str], context: int) -> list[list[Opcode]]:
    return [list(group) for group in matcher.get_grouped_opcodes(context)]


def _label(sys: Sys, name: str, label: str) -> str:
    if label:
        return label
    if is_busybox(sys) or name == "-":
        return name
    mtime = sys.fs.stat(name).mtime if sys.fs.exists(name) else 0
    return f"{name}\t{formatted(mtime, '%Y-%m-%d %H:%M:%S.%N')} +0000"


def _span(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _hunk(group: list[Opcode], left: list[str], right: list[str]) -> str:
    out = [f"@@ -{_span(group[0][1], group[-1][2])} +{_span(group[0][3], group[-1][4])} @@\n"]
    for tag, a, b, c, d in group:
        if tag == "equal":
            out += [" " + row for row in left[a:b]]
        else:
            out += ["-" + row for row in left[a:b]] + ["+" + row for row in right[c:d]]
    return "".join(out)


def _normal(code: Opcode, left: list[str], right: list[str]) -> str:
    tag, a, b, c, d = code

    def lines(start: int, stop: int) -> str:
        return str(start + 1) if stop - start == 1 else f"{start + 1},{stop}"

    if tag == "insert":
        head = f"{a}a{lines(c, d)}\n"
    elif tag == "delete":
        head = f"{lines(a, b)}d{c}\n"
    else:
        head = f"{lines(a, b)}c{lines(c, d)}\n"
    old, new = "".join("< " + row for row in left[a:b]), "".join("> " + row for row in right[c:d])
    return head + old + ("---\n" if old and new else "") + new


def _cmp(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "sl", usage="cmp [-ls] FILE1 FILE2", status=2)
    if len(opts.operands) != 2 or "-" in opts.operands:
        misused(sys, "", "cmp [-ls] FILE1 FILE2", 2)
    first, second = opts.operands
    texts = []
    for name in opts.operands:
        try:
            texts.append(sys.fs.read(name))
        except FileError as error:
            sys.error(
                f"can't open '{name}': {error.reason}" if is_busybox(sys) else f"{name}: {error.reason}"
            )
            return 2
    a, b = texts
    sys.tick(len(a) // 256)
    at = next((at for at in range(min(len(a), len(b))) if a[at] != b[at]), min(len(a), len(b)))
    if at == len(a) == len(b):
        return 0
    if opts.flag("s"):
        return 1
    if at in (len(a), len(b)):
        name = first if at == len(a) else second
        rows = a[:at].count("\n")
        where = f" after byte {at}, " + (f"line {rows}" if a[at - 1 : at] == "\n" else f"in line {rows + 1}")
        sys.error(f"EOF on {name}" + ("" if is_busybox(sys) else where))
    else:
        sys.out(f"{first} {second} differ: char {at + 1}, line {a[:at].count(chr(10)) + 1}\n")
    return 1


PROGRAM = Program("diff", "compare files", _USAGE, filter=Filter(_init, _feed, _end))
CMP = Program("cmp", "compare bytes of files", "cmp [-ls] FILE1 FILE2", run=_cmp)
