"""`find`: an expression is a tree of lists, a path is looked at again after each `-exec` that it waited for."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Stat
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.programs._common import account, fail, is_busybox, joined, user
from cluster_engine.linux.programs.attributes import changed_mode
from cluster_engine.linux.programs.copying import MAX_DEPTH
from cluster_engine.linux.programs.ls import mode as shown_mode
from cluster_engine.linux.sh.pattern import matches

_USAGE = "find [-HL] [PATH]... [OPTIONS] [ACTIONS]"
_WITH_VALUE = (
    "-name", "-iname", "-path", "-ipath", "-wholename", "-type", "-size", "-mtime", "-mmin", "-newer", "-perm", "-user",
    "-group", "-links", "-maxdepth", "-mindepth",
)  # fmt: skip
_PLAIN = ("-print", "-print0", "-delete", "-prune", "-empty", "-true", "-false", "-quit", "-ls")
_ACTIONS = ("-print", "-print0", "-delete", "-exec", "-quit", "-ls")
_SIZES = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30}
_TYPES = {"f": "file", "d": "directory", "l": "link", "c": "device"}
MAX_BATCH = 500
"""Paths of one command of `-exec … {} +`."""

Expression = list[Any]


class _Waits(Exception):
    """The path's answer depends on a command that has to run first."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__()
        self.argv = argv


class _Parser:
    def __init__(self, sys: Sys, words: list[str]) -> None:
        self.sys = sys
        self.words = words
        self.at = 0
        self.options: dict[str, int] = {"max": MAX_DEPTH, "min": 0, "depth": 0, "acts": 0}

    def parse(self) -> Expression:
        if not self.words:
            return ["-true"]
        tree = self._or(0)
        if self.at < len(self.words):
            fail(
                self.sys,
                f"unrecognized: {self.words[self.at]}"
                if is_busybox(self.sys)
                else f"paths must precede expression: '{self.words[self.at]}'",
            )
        return tree

    def _peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def _or(self, depth: int) -> Expression:
        if depth > 40:
            fail(self.sys, "an expression nested more than 40 deep is not read here")
        left = self._and(depth)
        while self._peek() in ("-o", "-or"):
            self.at += 1
            left = ["or", left, self._and(depth)]
        return left

    def _and(self, depth: int) -> Expression:
        left = self._not(depth)
        while self.at < len(self.words) and self._peek() not in ("-o", "-or", ")"):
            if self._peek() in ("-a", "-and"):
                self.at += 1
            left = ["and", left, self._not(depth)]
        return left

    def _not(self, depth: int) -> Expression:
        if self._peek() in ("!", "-not"):
            self.at += 1
            return ["not", self._not(depth + 1)] if depth < 40 else ["-false"]
        if self._peek() == "(":
            self.at += 1
            inner = self._or(depth + 1)
            if self._peek() != ")":
                fail(
                    self.sys,
                    "unmatched '('"
                    if is_busybox(self.sys)
                    else "invalid expression; expected to find a ')' but didn't see one",
                )
            self.at += 1
            return inner
        return self._primary()

    def _primary(self) -> Expression:
        word = self._peek()
        self.at += 1
        if word in ("-exec", "-ok"):
            return self._exec(word)
        if word in ("-depth", "-d"):
            self.options["depth"] = 1
            return ["-true"]
        if word in ("-xdev", "-mount", "-noleaf"):
            return ["-true"]
        if word in _PLAIN:
            self.options["acts"] |= word in _ACTIONS
            self.options["depth"] |= word == "-delete"
            return [word]
        if word not in _WITH_VALUE:
            busybox = f"unrecognized: {word}"
            fail(
                self.sys,
                busybox
                if is_busybox(self.sys)
                else f"unknown predicate '{word}'"
                if word.startswith("-")
                else f"paths must precede expression: '{word}'",
            )
        if self.at >= len(self.words):
            fail(
                self.sys,
                f"option requires an argument -- '{word[1:]}'"
                if is_busybox(self.sys)
                else f"missing argument to '{word}'",
            )
        value = self.words[self.at]
        self.at += 1
        return self._valued(word, value)

    def _valued(self, word: str, value: str) -> Expression:
        if word in ("-maxdepth", "-mindepth"):
            if not (value.isascii() and value.isdigit() and len(value) < 6):
                fail(
                    self.sys,
                    f"invalid number '{value}'"
                    if is_busybox(self.sys)
                    else f"Expected a positive decimal integer argument to {word}, but got '{value}'",
                )
            self.options[word[1:4]] = int(value)
            return ["-true"]
        if word == "-type":
            if not value or any(each not in "fdlcbps," for each in value):
                fail(
                    self.sys,
                    f"bad arg '{value}' for -type"
                    if is_busybox(self.sys)
                    else f"Unknown argument to -type: {value}",
                )
            return [word, [_TYPES.get(each, each) for each in value.split(",")]]
        if word in ("-mtime", "-mmin", "-links", "-size"):
            return self._counted(word, value)
        if word == "-newer":
            try:
                return [word, self.sys.fs.stat(value).mtime]
            except FileError as error:
                fail(
                    self.sys,
                    f"{value}: {error.reason}" if is_busybox(self.sys) else f"'{value}': {error.reason}",
                )
        if word in ("-user", "-group"):
            number = account(self.sys, "/etc/passwd" if word == "-user" else "/etc/group", value)
            if number is None:
                fail(
                    self.sys,
                    f"unknown {word[1:]} {value}"
                    if is_busybox(self.sys)
                    else f"'{value}' is not the name of a known {word[1:]}",
                )
            return [word, number]
        if word == "-perm":
            how = value[0] if value[:1] in ("-", "/") else ""
            bits = changed_mode(value[len(how) :], 0, False, 0)
            if bits is None:
                fail(self.sys, f"invalid mode '{value}'")
            return [word, how, bits]
        return [word, value]

    def _counted(self, word: str, value: str) -> Expression:
        how = value[0] if value[:1] in ("+", "-") else ""
        digits = value[len(how) :]
        unit = 1
        if word == "-size":
            unit = _SIZES.get(digits[-1:], 0) or 512
            digits = digits[:-1] if digits[-1:] in _SIZES else digits
        if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
            fail(
                self.sys,
                f"invalid number '{value}'"
                if is_busybox(self.sys)
                else f"invalid argument '{value}' to '{word}'",
            )
        return [word, how, int(digits), unit]

    def _exec(self, word: str) -> Expression:
        if word == "-ok":
            fail(self.sys, "-ok is not simulated here; -exec is")
        argv: list[str] = []
        self.options["acts"] = 1
        while self.at < len(self.words):
            each = self.words[self.at]
            self.at += 1
            if each == ";":
                return ["-exec", argv]
            if each == "+" and argv[-1:] == ["{}"]:
                return ["-exec+", argv[:-1]]
            argv.append(each)
        self.sys.error(
            "-exec requires an argument" if is_busybox(self.sys) else "missing argument to '-exec'"
        )
        raise Exit(1)


class _Look:
    """One path's way through the expression."""

    def __init__(self, sys: Sys, state: State, path: str, stat: Stat) -> None:
        self.sys = sys
        self.state = state
        self.path = path
        self.stat = stat
        self.prune = False
        self.step = 0
        """How many effects were met; those whose answers are in ``state["done"]`` happened already."""

    def holds(self, tree: Expression) -> bool:
        match tree[0]:
            case "and":
                return self.holds(tree[1]) and self.holds(tree[2])
            case "or":
                return self.holds(tree[1]) or self.holds(tree[2])
            case "not":
                return not self.holds(tree[1])
            case "-exec" | "-exec+" | "-print" | "-print0" | "-delete" | "-quit" | "-ls":
                return self._effect(tree)
        return self._test(tree)

    def _effect(self, tree: Expression) -> bool:
        done = self.state["done"]
        if self.step < len(done):
            self.step += 1
            return bool(done[self.step - 1])
        answer = True
        match tree[0]:
            case "-print":
                self.state["out"].append(self.path + "\n")
            case "-print0":
                self.state["out"].append(self.path + "\0")
            case "-ls":
                stat = self.stat
                owner = user(self.sys, stat.uid)
                self.state["out"].append(
                    f"{stat.blocks:>7} {shown_mode(stat)} {stat.links:>3} {owner:<8} {stat.size:>8} {self.path}\n"
                )
            case "-quit":
                self.state["stack"] = []
            case "-delete":
                answer = self._delete()
            case "-exec":
                raise _Waits([word.replace("{}", self.path) for word in tree[1]])
            case "-exec+":
                batch = self.state["batches"].setdefault("\0".join(tree[1]), [])
                self.state["batches"]["\0".join(tree[1])] = [*batch, self.path]
        self.state["done"] = [*self.state["done"], answer]
        self.step += 1
        return answer

    def _delete(self) -> bool:
        if self.path in (".", "/"):
            return True
        try:
            if self.stat.kind == "directory":
                self.sys.fs.rmdir(self.path)
            else:
                self.sys.fs.unlink(self.path)
        except FileError as error:
            said = (
                f"{self.path}: {error.reason}"
                if is_busybox(self.sys)
                else f"cannot delete '{self.path}': {error.reason}"
            )
            self.sys.error(said)
            self.state["status"] = 1
            return False
        return True

    def _test(self, tree: Expression) -> bool:
        stat = self.stat
        base = self.path.rstrip("/").rpartition("/")[2] or self.path
        match tree:
            case ["-true"]:
                return True
            case ["-false"]:
                return False
            case ["-prune"]:
                self.prune = True
                return True
            case ["-name", pattern]:
                return matches([(pattern, False)], base)
            case ["-iname", pattern]:
                return matches([(pattern.lower(), False)], base.lower())
            case ["-path" | "-wholename", pattern]:
                return matches([(pattern, False)], self.path)
            case ["-ipath", pattern]:
                return matches([(pattern.lower(), False)], self.path.lower())
            case ["-type", kinds]:
                return stat.kind in kinds
            case ["-empty"]:
                if stat.kind == "directory":
                    return not self.sys.fs.listdir(self.path)
                return stat.kind == "file" and stat.size == 0
            case ["-size", how, count, unit]:
                return _compare(-(-stat.size // unit), how, count)
            case ["-links", how, count, _]:
                return _compare(stat.links, how, count)
            case ["-mtime" | "-mmin", how, count, _]:
                unit = 86_400_000_000 if tree[0] == "-mtime" else 60_000_000
                return _compare((self.sys.now - stat.mtime) // unit, how, count)
            case ["-newer", moment]:
                return bool(stat.mtime > moment)
            case ["-user", number]:
                return bool(stat.uid == number)
            case ["-group", number]:
                return bool(stat.gid == number)
            case ["-perm", how, bits]:
                if how == "-":
                    return bool(stat.mode & bits == bits)
                return bool(stat.mode & bits) or not bits if how == "/" else bool(stat.mode == bits)
        return False


def _compare(value: int, how: str, count: int) -> bool:
    return value > count if how == "+" else value < count if how == "-" else value == count


def _start(sys: Sys, argv: list[str]) -> State:
    words = [word for word in argv[1:] if word not in ("-H", "-P")]
    follow = "-L" in words[:1]
    words = words[1:] if follow else words
    starts: list[str] = []
    while words and not words[0].startswith("-") and words[0] not in ("(", "!"):
        starts.append(words.pop(0))
    parser = _Parser(sys, words)
    tree = parser.parse()
    if not parser.options["acts"]:
        tree = ["and", tree, ["-print"]]
    return {
        "tree": tree, "max": parser.options["max"], "min": parser.options["min"], "post": parser.options["depth"],
        "follow": follow, "stack": [[start, 0, 0] for start in reversed(starts or ["."])], "done": [], "out": [],
        "status": 0, "batches": {}, "child": "", "waits": 0,
    }  # fmt: skip


def _walk(sys: Sys, state: State) -> State:
    """Looks at paths until one has to wait, or all are done."""
    while state["stack"]:
        path, depth, stage = state["stack"][-1]
        sys.tick()
        try:
            stat = sys.fs.stat(path) if state["follow"] and sys.fs.exists(path) else sys.fs.lstat(path)
        except FileError as error:
            _flush(sys, state)
            sys.error(f"{path}: {error.reason}" if is_busybox(sys) else f"'{path}': {error.reason}")
            state["status"] = 1
            state["stack"] = state["stack"][:-1]
            continue
        if state["post"] and stage == 0 and stat.kind == "directory" and depth < state["max"]:
            state["stack"] = [*state["stack"][:-1], [path, depth, 1], *_children(sys, state, path, depth)]
            continue
        look = _Look(sys, state, path, stat)
        try:
            if depth >= state["min"]:
                look.holds(state["tree"])
        except _Waits as waits:
            return _spawn(sys, state, waits.argv)
        state["done"] = []
        quits = not state["stack"]
        below = []
        if not (quits or state["post"] or look.prune) and stat.kind == "directory" and depth < state["max"]:
            below = _children(sys, state, path, depth)
        state["stack"] = [] if quits else [*state["stack"][:-1], *below]
        if len(state["out"]) > 256:
            _flush(sys, state)
    _flush(sys, state)
    for key in sorted(state["batches"]):
        paths = state["batches"][key]
        if not paths:
            continue
        state["batches"][key] = paths[MAX_BATCH:]
        return _spawn(sys, state, [*key.split("\0"), *paths[:MAX_BATCH]])
    raise Exit(state["status"])


def _children(sys: Sys, state: State, path: str, depth: int) -> list[list[Any]]:
    try:
        return [[joined(path, name), depth + 1, 0] for name in reversed(sys.fs.listdir(path))]
    except FileError as error:
        _flush(sys, state)
        sys.error(f"{path}: {error.reason}" if is_busybox(sys) else f"'{path}': {error.reason}")
        state["status"] = 1
        return []


def _flush(sys: Sys, state: State) -> None:
    if state["out"]:
        sys.write(1, "".join(state["out"]))
        state["out"] = []


def _spawn(sys: Sys, state: State, argv: list[str]) -> State:
    _flush(sys, state)
    try:
        state["waits"] = sys.spawn(argv)
        return state
    except FileError as error:
        sys.error(f"{argv[0]}: {error.reason}" if is_busybox(sys) else f"'{argv[0]}': {error.reason}")
    return _answered(sys, state, 127)


def _answered(sys: Sys, state: State, status: int) -> State:
    if state["stack"]:
        state["done"] = [*state["done"], status == 0]
    elif status:
        state["status"] = 1
    return _walk(sys, state)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _walk(sys, _start(sys, argv))
        case ["exited", pid, status] if pid == state["waits"]:
            return _answered(sys, state, status)
    return state


PROGRAM = Program("find", "find files", _USAGE, on=_on)
