"""`sed`: a part of it is refused by name (see `_Script._command`)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import MAX_LINE, fail, hold, is_busybox, lines, misused, options
from cluster_engine.linux.regex import PatternError, found, regex, spans
from cluster_engine.linux.text import characters, octets

_USAGE = "sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]..."
_LONG = {
    "quiet": "n", "silent": "n", "expression": "e", "in-place": "i", "regexp-extended": "E", "file": "f",
    "separate": "s", "null-data": "z",
}  # fmt: skip
MAX_COMMANDS = 200
MAX_ROUNDS = 100_000
"""Commands that one line may take (loops with `b` and `t`)."""


class _ScriptError(Exception):
    """The script is none, or asks for something that is not done here."""


@dataclass(slots=True)
class _Address:
    line: int = -1
    last: bool = False
    compiled: Any = None
    plus: int = -1
    step: int = 0


@dataclass(slots=True)
class _Command:
    letter: str
    start: _Address | None = None
    end: _Address | None = None
    negated: bool = False
    compiled: Any = None
    replacement: str = ""
    every: bool = False
    nth: int = 1
    show: bool = False
    table: dict[str, str] = field(default_factory=dict)
    text: str = ""
    """Of `a i c`, the label of `b t T :`, the file of `r w`."""
    partner: int = 0
    """Of `{`: where its `}` stands."""
    inside: bool = False
    until: int = 0
    begun: bool = False
    """Of `w`: its file was emptied already."""


class _Script:
    def __init__(self, text: str, extended: bool) -> None:
        self.text = text
        self.at = 0
        self.extended = extended
        self.previous: Any = None

    def parse(self) -> list[_Command]:
        """All commands of the script. Raises _ScriptError, PatternError."""
        result: list[_Command] = []
        opened: list[int] = []
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\n;":
                self.at += 1
            if self.at >= len(self.text):
                break
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
                continue
            if len(result) >= MAX_COMMANDS:
                raise _ScriptError(f"a script may have at most {MAX_COMMANDS} commands here")
            made = self._command()
            if made.letter == "{":
                opened.append(len(result))
            elif made.letter == "}":
                if not opened:
                    raise _ScriptError("unexpected `}'")
                result[opened.pop()].partner = len(result)
            result.append(made)
        if opened:
            raise _ScriptError("unmatched `{'")
        labels = {made.text for made in result if made.letter == ":"}
        for made in result:
            if made.letter in "btT" and made.text and made.text not in labels:
                raise _ScriptError(f"can't find label for jump to `{made.text}'")
        return result

    def _command(self) -> _Command:
        start = self._address()
        end = None
        if start is not None and self.text.startswith(",", self.at):
            self.at += 1
            end = self._address()
            if end is None:
                raise _ScriptError("unexpected `,'")
        self._blanks()
        negated = False
        while self.text.startswith("!", self.at):
            negated = True
            self.at += 1
            self._blanks()
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        made = _Command(letter, start, end, negated)
        match letter:
            case "s":
                self._substitute(made)
            case "y":
                self._transliterate(made)
            case "a" | "i" | "c":
                self._text(made)
                return made
            case "{":
                return made
            case ":" | "b" | "t" | "T" | "r" | "w":
                self._word(made)
                return made
            case "q" | "Q":
                self._blanks()
                made.nth = self._digits()
            case "p" | "P" | "d" | "D" | "=" | "n" | "N" | "h" | "H" | "g" | "G" | "x" | "}" | "l":
                pass
            case "":
                raise _ScriptError("missing command")
            case "e" | "W" | "R" | "F" | "z" | "v":
                raise _ScriptError(f"the command `{letter}' of GNU sed is not supported here")
            case _:
                raise _ScriptError(f"unknown command: `{letter}'")
        self._blanks()
        if self.at < len(self.text) and self.text[self.at] not in ";\n#}":
            raise _ScriptError("extra characters after command")
        return made

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _word(self, made: _Command) -> None:
        """A label or file name: up to the end of the line (labels of `b` and `t` also to a `;` or `}`)."""
        self._blanks()
        start = self.at
        stops = "\n" if made.letter in "rws" else "\n;" if made.letter == ":" else "\n;}"
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        made.text = self.text[start : self.at].rstrip()
        if not made.text and made.letter in ":rws":
            raise _ScriptError(
                "missing filename in r/R/w/W commands" if made.letter != ":" else '":" lacks a label'
            )

    def _address(self) -> _Address | None:
        self._blanks()
        char = self.text[self.at : self.at + 1]
        if char == "$":
            self.at += 1
            return _Address(last=True)
        if char.isdigit():
            line = self._digits()
            if self.text.startswith("~", self.at):
                self.at += 1
                return _Address(line=line, step=max(self._digits(), 1))
            return _Address(line=line)
        if char == "+":
            self.at += 1
            return _Address(plus=self._digits())
        if char == "/" or (char == "\\" and self.at + 1 < len(self.text)):
            if char == "\\":
                self.at += 1
            body = self._delimited(self.text[self.at], keep=False, what="unterminated address regex")
            fold = self.text.startswith("I", self.at)
            self.at += fold
            return _Address(compiled=self._regex(body, fold))
        return None

    def _digits(self) -> int:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        return int(self.text[start : self.at][:9] or 0)

    def _regex(self, body: str, fold: bool) -> Any:
        if body == "":
            if self.previous is None:
                raise _ScriptError("no previous regular expression")
            return self.previous
        self.previous = regex(body, extended=self.extended, ignore_case=fold)
        return self.previous

    def _delimited(self, mark: str, *, keep: bool, what: str = "unterminated `s' command") -> str:
        """Text between two marks; `at` stands on the first, then behind the second."""
        self.at += 1
        out: list[str] = []
        in_bracket = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\" and not in_bracket and self.at + 1 < len(self.text):
                following = self.text[self.at + 1]
                out.append(following if following == mark and mark not in "&" else char + following)
                self.at += 2
                continue
            if not keep and char == "[" and not in_bracket:
                in_bracket = True
            elif char == "]" and in_bracket and out[-1] not in ("[", "^"):
                in_bracket = False
            if char == mark and not in_bracket:
                self.at += 1
                return "".join(out)
            if char == "\n" and not keep:
                break
            out.append(char)
            self.at += 1
        raise _ScriptError(what)

    def _substitute(self, made: _Command) -> None:
        mark = self.text[self.at : self.at + 1]
        if mark in ("", "\n", "\\"):
            raise _ScriptError("unterminated `s' command")
        body = self._delimited(mark, keep=False)
        self.at -= 1
        made.replacement = self._delimited(mark, keep=True)
        fold = False
        while self.at < len(self.text) and (self.text[self.at] in "gpiI" or self.text[self.at].isdigit()):
            flag = self.text[self.at]
            if flag.isdigit():
                made.nth = self._digits()
                if made.nth == 0:
                    raise _ScriptError("number option to `s' command may not be zero")
                continue
            made.every = made.every or flag == "g"
            made.show = made.show or flag == "p"
            fold = fold or flag in "iI"
            self.at += 1
        if self.text.startswith("w", self.at):
            self.at += 1
            self._word(made)
        elif self.at < len(self.text) and self.text[self.at] in "em":
            raise _ScriptError(f"the flag `{self.text[self.at]}' of `s' is not supported here")
        if self.at < len(self.text) and self.text[self.at] not in " \t;\n#}":
            raise _ScriptError("unknown option to `s'")
        made.compiled = self._regex(body, fold)
        groups = made.compiled.groups
        at = 0
        while (at := made.replacement.find("\\", at)) >= 0:
            digit = made.replacement[at + 1 : at + 2]
            if digit.isdigit() and int(digit) > groups:
                raise _ScriptError(f"invalid reference \\{digit} on `s' command's RHS")
            at += 2

    def _transliterate(self, made: _Command) -> None:
        mark = self.text[self.at : self.at + 1]
        if not mark:
            raise _ScriptError("unterminated `y' command")
        sets = []
        for _ in range(2):
            body = self._delimited(mark, keep=True, what="unterminated `y' command")
            sets.append(body.replace("\\n", "\n").replace("\\\\", "\\"))
            self.at -= 1
        self.at += 1
        if len(sets[0]) != len(sets[1]):
            raise _ScriptError("strings for `y' command are different lengths")
        made.table = dict(zip(sets[0], sets[1], strict=True))

    def _text(self, made: _Command) -> None:
        """`a\\` and a line, or GNU's `a text`."""
        self._blanks()
        if self.text.startswith("\\", self.at):
            self.at += 1
            self._blanks()
            if self.text.startswith("\n", self.at):
                self.at += 1
        if self.at >= len(self.text):
            raise _ScriptError("expected \\ after `a', `c' or `i'")
        out: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != "\n":
            char = self.text[self.at]
            if char == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                char = self.text[self.at]
            out.append(char)
            self.at += 1
        made.text = "".join(out) + "\n"


class _Sed:
    """One run over a list of lines, which are characters."""

    def __init__(self, sys: Sys, program: list[_Command], quiet: bool) -> None:
        self.sys = sys
        self.program = program
        self.quiet = quiet
        self.out: list[str] = []
        self.hold = ""
        self.number = 0
        self.labels = {made.text: at for at, made in enumerate(program) if made.letter == ":"}

    def edit(self, data: str) -> int | None:
        """Edits one input; the status if `q` ended it."""
        rows = characters(data).split("\n")
        newline = rows[-1] == ""
        if newline:
            rows.pop()
        return self.lines(rows, newline)

    def lines(self, rows: list[str], newline: bool = True) -> int | None:
        """Edits some lines, the last of which has a newline or not; the status if `q` ended it."""
        self.rows, self.row, self.newline = rows, 0, newline
        again: str | None = None
        while again is not None or self.row < len(rows):
            if again is None:
                text = self._line()
            else:
                text, again = again, None
            self.after: list[str] = []
            text, state, status = self._cycle(text)
            if state == "again":
                again = text
            elif state not in ("deleted", "silent") and not self.quiet:
                self._put(text)
            self.out += self.after
            if state in ("quit", "silent"):
                return status
        return None

    def _line(self) -> str:
        text = self.rows[self.row]
        self.row += 1
        self.number += 1
        self.sys.tick(1 + len(text) // 256)
        return text

    def _put(self, text: str) -> None:
        last = self.row == len(self.rows) and not self.newline
        self.out.append(text if last else text + "\n")

    def _cycle(self, text: str) -> tuple[str, str, int]:
        """One line through the script: (the pattern space, how it ended, exit status)."""
        at, rounds, replaced = 0, 0, False
        while at < len(self.program):
            made = self.program[at]
            at += 1
            rounds += 1
            if rounds > MAX_ROUNDS:
                fail(
                    self.sys,
                    f"a script that takes more than {MAX_ROUNDS} commands for a line is not run here",
                    4,
                )
            if not self._selected(made, text):
                if made.letter == "{":
                    at = made.partner + 1
                continue
            match made.letter:
                case "s":
                    text, changed = self._replace(made, text)
                    replaced = replaced or changed
                    if changed and made.show:
                        self.out.append(text + "\n")
                    if changed and made.text:
                        self._write(made, text)
                case "y":
                    text = "".join(made.table.get(char, char) for char in text)
                case "p":
                    self.out.append(text + "\n")
                case "P":
                    self.out.append(text.partition("\n")[0] + "\n")
                case "l":
                    self.out.append(
                        text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") + "$\n"
                    )
                case "=":
                    self.out.append(f"{self.number}\n")
                case "d":
                    return text, "deleted", 0
                case "D":
                    _, more, rest = text.partition("\n")
                    return (rest, "again", 0) if more else (text, "deleted", 0)
                case "c":
                    if made.end is None or not made.inside or made.negated:
                        self.out.append(made.text)
                    return text, "deleted", 0
                case "i":
                    self.out.append(made.text)
                case "a":
                    self.after.append(made.text)
                case "r":
                    with contextlib.suppress(FileError):
                        self.after.append(characters(self.sys.fs.read(octets(made.text))))
                case "w":
                    self._write(made, text)
                case "q":
                    return text, "quit", made.nth
                case "Q":
                    return text, "silent", made.nth
                case "n" | "N":
                    if self.row == len(self.rows):
                        return text, ("quit" if made.letter == "N" or not self.quiet else "silent"), 0
                    if made.letter == "N":
                        text = f"{text}\n{self._line()}"
                    else:
                        if not self.quiet:
                            self._put(text)
                        self.out += self.after
                        self.after = []
                        text = self._line()
                case "h":
                    self.hold = text
                case "H":
                    self.hold = f"{self.hold}\n{text}"
                case "g":
                    text = self.hold
                case "G":
                    text = f"{text}\n{self.hold}"
                case "x":
                    text, self.hold = self.hold, text
                case "b":
                    at = self.labels[made.text] if made.text else len(self.program)
                case "t" | "T":
                    if replaced == (made.letter == "t"):
                        at = self.labels[made.text] if made.text else len(self.program)
                    replaced = False
            if len(text) > MAX_LINE or len(self.hold) > MAX_LINE:
                fail(self.sys, "a line of more than 1 MiB is not made here", 4)
        return text, "", 0

    def _write(self, made: _Command, text: str) -> None:
        name = octets(made.text)
        if name in ("/dev/stdout", "/dev/stderr"):
            self.out.append(text + "\n")
            return
        try:
            self.sys.fs.write(name, octets(text + "\n"), append=made.begun)
        except FileError as error:
            fail(self.sys, f"couldn't open file {name}: {error.reason}", 4)
        made.begun = True

    def _selected(self, made: _Command, text: str) -> bool:
        if made.start is None:
            return not made.negated
        if made.end is None:
            return self._matches(made.start, text) != made.negated
        number, end = self.number, made.end
        if made.inside:
            if end.compiled is not None or end.last:
                made.inside = not self._matches(end, text)
                hit = True
            else:
                made.inside = number < made.until
                hit = number <= made.until
        elif made.start.line == 0 and number == 1 and end.compiled is not None:
            hit = True
            made.inside = not self._matches(end, text)
        else:
            hit = self._matches(made.start, text)
            if hit:
                made.until = number + end.plus if end.plus >= 0 else end.line
                made.inside = (
                    end.compiled is not None or (end.last and not self._last()) or made.until > number
                )
        return hit != made.negated

    def _last(self) -> bool:
        return self.row == len(self.rows)

    def _matches(self, address: _Address, text: str) -> bool:
        if address.compiled is not None:
            return found(address.compiled, text)
        if address.last:
            return self._last()
        if address.step:
            return self.number >= address.line and (self.number - address.line) % address.step == 0
        return self.number == address.line

    def _replace(self, made: _Command, text: str) -> tuple[str, bool]:
        out: list[str] = []
        at, done, size, seen = 0, 0, 0, 0
        for match in spans(made.compiled, text):
            start, end = match.span()
            if start == end and start == at and done:
                continue  # nothing right behind a match is no match
            seen += 1
            if seen < made.nth:
                continue
            piece = _expand(made.replacement, text, match)
            out += [text[at:start], piece]
            size += len(piece)
            at, done = end, done + 1
            if size > MAX_LINE:
                fail(self.sys, "a line of more than 1 MiB is not made here", 4)
            if not made.every:
                break
        self.sys.tick(seen)
        out.append(text[at:])
        return "".join(out), done > 0


_CASES = {"U": str.upper, "L": str.lower}


def _expand(replacement: str, text: str, match: Any) -> str:
    out: list[str] = []
    case = once = ""
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "&":
            piece = text[match.start() : match.end()]
        elif char == "\\" and at < len(replacement):
            following = replacement[at]
            at += 1
            if following in "ULE":
                case = "" if following == "E" else following
                continue
            if following in "ul":
                once = following.upper()
                continue
            if following.isdigit():
                start, end = match.span(int(following))
                piece = text[start:end] if start >= 0 else ""
            else:
                piece = {"n": "\n", "t": "\t"}.get(following, following)
        else:
            piece = char
        if case:
            piece = _CASES[case](piece)
        if once and piece:
            piece, once = _CASES[once](piece[0]) + piece[1:], ""
        out.append(piece)
    return "".join(out)


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "nErsuz", "ef", _LONG, usage=_USAGE, optional="i")
    operands = list(opts.operands)
    if opts.flag("z"):
        fail(sys, "the option -z is not supported here")
    scripts: list[str] = []
    for letter in opts.given:
        for value in opts.given[letter] if letter in "ef" else ():
            scripts.append(value if letter == "e" else _file(sys, value))
    if not scripts:
        if not operands:
            misused(sys, "", _USAGE)
        scripts = [operands.pop(0)]
    text = "\n".join(scripts)
    state: State = {
        "script": text, "extended": opts.flag("E", "r"), "quiet": opts.flag("n") or text.startswith("#n\n"), "held": [],
        "failed": 0, "rest": "", "hold": "", "number": 0, "memory": [],
    }  # fmt: skip
    program = _program(sys, state)
    state["streams"] = not any(
        made.letter in ("n", "N", "D") or any(end is not None and end.last for end in (made.start, made.end))
        for made in program
    )
    suffix = opts.value("i")
    if suffix is None:
        return state, operands or ["-"]
    if not operands:
        fail(sys, "no input files", 4 if not is_busybox(sys) else 1)
    raise Exit(_in_place(sys, state, program, operands, suffix))


def _file(sys: Sys, name: str) -> str:
    try:
        text: str = sys.fs.read(name)
    except FileError as error:
        fail(sys, f"couldn't open file {name}: {error.reason}")
    return text.removesuffix("\n")


def _program(sys: Sys, state: State) -> list[_Command]:
    try:
        return _Script(characters(state["script"]), state["extended"]).parse()
    except _ScriptError as error:
        said = str(error)
        fail(sys, said if is_busybox(sys) else f"-e expression #1, char {len(state['script'])}: {said}")
    except PatternError as error:
        said = str(error)
        if is_busybox(sys):
            fail(sys, f"bad regex '{state['script']}': {said}")
        fail(sys, f"-e expression #1, char {len(state['script'])}: {said}")


def _in_place(sys: Sys, state: State, program: list[_Command], names: list[str], suffix: str) -> int:
    status = 0
    for name in names:
        try:
            data = sys.fs.read(name)
            mode = sys.fs.stat(name).mode
            sed = _Sed(sys, _program(sys, state), state["quiet"])
            ended = sed.edit(data)
            if suffix:
                sys.fs.write(name + suffix, data)
            # As the real one: a new file takes the name, so that a read-only directory refuses it.
            folder = name.rpartition("/")[0]
            fresh = f"{folder}/sed{sys.pid}" if folder else f"sed{sys.pid}"
            sys.fs.write(fresh, octets("".join(sed.out)))
            sys.fs.chmod(fresh, mode)
            sys.fs.rename(fresh, name)
            if ended is not None:
                return ended
        except FileError as error:
            said = (
                f"can't read {name}: {error.reason}"
                if error.path == name
                else f"couldn't open temporary file {error.path}: {error.reason}"
            )
            sys.error(f"{name}: {error.reason}" if is_busybox(sys) else said)
            status = (4 if error.path != name else 2) if not is_busybox(sys) else 1
    return status


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if not state["streams"]:
        hold(sys, state, chunk)
        return None
    return _stream(sys, state, lines(sys, state, chunk))


def _stream(sys: Sys, state: State, rows: list[str], newline: bool = True) -> int | None:
    """Lines as they come, where the script does not ask what follows them."""
    program = _program(sys, state)
    for made, (inside, until, begun) in zip(program, state["memory"], strict=False):
        made.inside, made.until, made.begun = bool(inside), until, bool(begun)
    sed = _Sed(sys, program, state["quiet"])
    sed.hold, sed.number = characters(state["hold"]), state["number"]
    status = sed.lines([characters(row) for row in rows], newline)
    state["hold"], state["number"] = octets(sed.hold), sed.number
    state["memory"] = [[int(made.inside), made.until, int(made.begun)] for made in program]
    sys.write(1, octets("".join(sed.out)))
    return status


def _opened(sys: Sys, state: State, name: str) -> None:
    """A file whose last line has no newline does not run into the next."""
    if state["rest"]:
        state["rest"] += "\n"
    if state["held"] and not state["held"][-1].endswith("\n"):
        state["held"].append("\n")


def _end(sys: Sys, state: State) -> int:
    failed: int = state["failed"]
    if state["streams"]:
        rows = state["rest"].split("\n") if state["rest"] else []
        newline = bool(rows) and rows[-1] == ""
        status = _stream(sys, state, rows[:-1] if newline else rows, newline)
        return failed if status is None else status
    sed = _Sed(sys, _program(sys, state), state["quiet"])
    status = sed.edit("".join(state["held"]))
    sys.write(1, octets("".join(sed.out)))
    return failed if status is None else status


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    sys.error(f"{name}: {reason}" if is_busybox(sys) else f"can't read {name}: {reason}")
    state["failed"] = 1 if is_busybox(sys) else 2


PROGRAM = Program(
    "sed", "edit lines", _USAGE, filter=Filter(_init, _feed, _end, opened=_opened, unopened=_unopened)
)
