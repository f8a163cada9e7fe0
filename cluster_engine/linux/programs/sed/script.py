"""Reads a `sed` script. What is not done here is refused by name (see ``Script._command``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.linux.regex import regex

MAX_COMMANDS = 200
"""Commands of one script."""


class ScriptError(Exception):
    """The script is none, or asks for something that is not done here."""


@dataclass(slots=True)
class Address:
    line: int = -1
    last: bool = False
    compiled: Any = None
    plus: int = -1
    step: int = 0


@dataclass(slots=True)
class Command:
    letter: str
    start: Address | None = None
    end: Address | None = None
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


class Script:
    def __init__(self, text: str, extended: bool) -> None:
        self.text = text
        self.at = 0
        self.extended = extended
        self.previous: Any = None

    def parse(self) -> list[Command]:
        """All commands of the script. Raises ScriptError, PatternError."""
        result: list[Command] = []
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
                raise ScriptError(f"a script may have at most {MAX_COMMANDS} commands here")
            made = self._command()
            if made.letter == "{":
                opened.append(len(result))
            elif made.letter == "}":
                if not opened:
                    raise ScriptError("unexpected `}'")
                result[opened.pop()].partner = len(result)
            result.append(made)
        if opened:
            raise ScriptError("unmatched `{'")
        labels = {made.text for made in result if made.letter == ":"}
        for made in result:
            if made.letter in "btT" and made.text and made.text not in labels:
                raise ScriptError(f"can't find label for jump to `{made.text}'")
        return result

    def _command(self) -> Command:
        start = self._address()
        end = None
        if start is not None and self.text.startswith(",", self.at):
            self.at += 1
            end = self._address()
            if end is None:
                raise ScriptError("unexpected `,'")
        self._blanks()
        negated = False
        while self.text.startswith("!", self.at):
            negated = True
            self.at += 1
            self._blanks()
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        made = Command(letter, start, end, negated)
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
                raise ScriptError("missing command")
            case "e" | "W" | "R" | "F" | "z" | "v":
                raise ScriptError(f"the command `{letter}' of GNU sed is not supported here")
            case _:
                raise ScriptError(f"unknown command: `{letter}'")
        self._blanks()
        if self.at < len(self.text) and self.text[self.at] not in ";\n#}":
            raise ScriptError("extra characters after command")
        return made

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _word(self, made: Command) -> None:
        """A label or file name: up to the end of the line (labels of `b` and `t` also to a `;` or `}`)."""
        self._blanks()
        start = self.at
        stops = "\n" if made.letter in "rws" else "\n;" if made.letter == ":" else "\n;}"
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        made.text = self.text[start : self.at].rstrip()
        if not made.text and made.letter in ":rws":
            raise ScriptError(
                "missing filename in r/R/w/W commands" if made.letter != ":" else '":" lacks a label'
            )

    def _address(self) -> Address | None:
        self._blanks()
        char = self.text[self.at : self.at + 1]
        if char == "$":
            self.at += 1
            return Address(last=True)
        if char.isdigit():
            line = self._digits()
            if self.text.startswith("~", self.at):
                self.at += 1
                return Address(line=line, step=max(self._digits(), 1))
            return Address(line=line)
        if char == "+":
            self.at += 1
            return Address(plus=self._digits())
        if char == "/" or (char == "\\" and self.at + 1 < len(self.text)):
            if char == "\\":
                self.at += 1
            body = self._delimited(self.text[self.at], keep=False, what="unterminated address regex")
            fold = self.text.startswith("I", self.at)
            self.at += fold
            return Address(compiled=self._regex(body, fold))
        return None

    def _digits(self) -> int:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        return int(self.text[start : self.at][:9] or 0)

    def _regex(self, body: str, fold: bool) -> Any:
        if body == "":
            if self.previous is None:
                raise ScriptError("no previous regular expression")
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
        raise ScriptError(what)

    def _substitute(self, made: Command) -> None:
        mark = self.text[self.at : self.at + 1]
        if mark in ("", "\n", "\\"):
            raise ScriptError("unterminated `s' command")
        body = self._delimited(mark, keep=False)
        self.at -= 1
        made.replacement = self._delimited(mark, keep=True)
        fold = False
        while self.at < len(self.text) and (self.text[self.at] in "gpiI" or self.text[self.at].isdigit()):
            flag = self.text[self.at]
            if flag.isdigit():
                made.nth = self._digits()
                if made.nth == 0:
                    raise ScriptError("number option to `s' command may not be zero")
                continue
            made.every = made.every or flag == "g"
            made.show = made.show or flag == "p"
            fold = fold or flag in "iI"
            self.at += 1
        if self.text.startswith("w", self.at):
            self.at += 1
            self._word(made)
        elif self.at < len(self.text) and self.text[self.at] in "em":
            raise ScriptError(f"the flag `{self.text[self.at]}' of `s' is not supported here")
        if self.at < len(self.text) and self.text[self.at] not in " \t;\n#}":
            raise ScriptError("unknown option to `s'")
        made.compiled = self._regex(body, fold)
        groups = made.compiled.groups
        at = 0
        while (at := made.replacement.find("\\", at)) >= 0:
            digit = made.replacement[at + 1 : at + 2]
            if digit.isdigit() and int(digit) > groups:
                raise ScriptError(f"invalid reference \\{digit} on `s' command's RHS")
            at += 2

    def _transliterate(self, made: Command) -> None:
        mark = self.text[self.at : self.at + 1]
        if not mark:
            raise ScriptError("unterminated `y' command")
        sets = []
        for _ in range(2):
            body = self._delimited(mark, keep=True, what="unterminated `y' command")
            sets.append(body.replace("\\n", "\n").replace("\\\\", "\\"))
            self.at -= 1
        self.at += 1
        if len(sets[0]) != len(sets[1]):
            raise ScriptError("strings for `y' command are different lengths")
        made.table = dict(zip(sets[0], sets[1], strict=True))

    def _text(self, made: Command) -> None:
        """`a\\` and a line, or GNU's `a text`."""
        self._blanks()
        if self.text.startswith("\\", self.at):
            self.at += 1
            self._blanks()
            if self.text.startswith("\n", self.at):
                self.at += 1
        if self.at >= len(self.text):
            raise ScriptError("expected \\ after `a', `c' or `i'")
        out: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != "\n":
            char = self.text[self.at]
            if char == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                char = self.text[self.at]
            out.append(char)
            self.at += 1
        made.text = "".join(out) + "\n"
