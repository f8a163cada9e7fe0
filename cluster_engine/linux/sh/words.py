"""Reads the words of a command line: quotes, `$…`, backticks, here-document bodies.

One pass over the text, left to right. A substitution inside a word is parsed where it stands,
by the grammar in `parse.py` (a subclass), so brackets, quotes and comments nest as they should.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cluster_engine.linux.limits import MAX_NESTING, MAX_WORDS
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.syntax import (
    Arithmetic,
    DoubleQuoted,
    Literal,
    Node,
    Parameter,
    Part,
    Quoted,
    Redirect,
    Substitution,
    Tilde,
    Word,
)
from cluster_engine.linux.text import octets

BLANK = " \t"
META = " \t\n|&;<>()"
SPECIAL = "?#@*$!-0123456789"
NAME_START = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
NAME = NAME_START + "0123456789"
# Runs of characters without meaning, by what ends the word or quote. Fixed patterns, one class each.
_PLAIN = {
    META: re.compile(r"[^ \t\n|&;<>()\\'\"$`]+"),
    BLANK + "\n": re.compile(r"[^ \t\n\\'\"$`]+"),
    "}": re.compile(r"[^}\\'\"$`]+"),
    ":}": re.compile(r"[^:}\\'\"$`]+"),
    "/}": re.compile(r"[^/}\\'\"$`]+"),
}
_QUOTED_PLAIN = {
    '"': re.compile(r'[^"\\$`]+'),
    "}": re.compile(r'[^}"\\$`]+'),
    "": re.compile(r"[^\\$`]+"),
}
_NAMES = tuple(NAME_START)
CASES = ("^^", "^", ",,", ",")
"""Of bash: `${name^^}` and its kin."""
_ANSI = re.compile(
    r"'|([^\\']+)|\\(?:([abeEfnrtv\\'\"?]|[^0-7xuU])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})|[uU]([0-9a-fA-F]{1,8}))",
    re.DOTALL,
)
_ESCAPES = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
OPERATORS = (":-", ":=", ":+", ":?", "%%", "##", "-", "=", "+", "?", "%", "#")


class WordReader:
    """The lexical half of the parser; `text[pos:]` is what is left."""

    bash = False
    """It is bash's language, not sh's."""

    def __init__(self, text: str, depth: int = 0, final: bool = False) -> None:
        self.text = text
        self.pos = 0
        self.depth = depth
        self.final = final
        self.words = 0
        self.documents: list[Redirect] = []
        """Here-documents announced on this line, whose bodies are still to come."""
        self._not_arithmetic: set[int] = set()
        self.aliases: Mapping[str, str] = {}

    def body_until(self, closer: str) -> Node:
        """Parse commands up to `closer`; the grammar provides it."""
        raise NotImplementedError

    def read_alone(self, body: Node) -> Node:
        """`$(<file)` of bash reads the file; the grammar provides it."""
        raise NotImplementedError

    def parse_inner(self, text: str) -> Node:
        """Parse a separate text (backticks) one level deeper; the grammar provides it."""
        raise NotImplementedError

    # --- words ------------------------------------------------------------------------------

    def word(self, stop: str = META) -> Word:
        """Read one word; `pos` stands on its first character."""
        self.words += 1
        if self.words > MAX_WORDS:
            raise ParseError(f"a command line may have at most {MAX_WORDS:,} words")
        text, end = self.text, len(self.text)
        parts: list[Part] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Literal("".join(plain)))
                plain.clear()

        if text[self.pos] == "~" and (self.pos + 1 == end or text[self.pos + 1] in "/" + META):
            parts.append(Tilde())
            self.pos += 1
        while self.pos < end:
            char = text[self.pos]
            if char in stop:
                break
            if char == "\\":
                if self.pos + 1 >= end:
                    raise Incomplete("a backslash ends the line")
                self.pos += 2
                if text[self.pos - 1] != "\n":
                    flush()
                    parts.append(Quoted(text[self.pos - 1]))
            elif char == "'":
                flush()
                parts.append(self._single())
            elif char == '"':
                flush()
                parts.append(self._double())
            elif char == "$" or char == "`":
                part = self._dollar(False) if char == "$" else self._backtick(False)
                if isinstance(part, Literal):
                    plain.append(part.text)
                else:
                    flush()
                    parts.append(part)
            else:
                run = _PLAIN[stop].match(text, self.pos)
                assert run is not None
                plain.append(run.group())
                self.pos = run.end()
        flush()
        return Word(tuple(parts))

    def _single(self) -> Quoted:
        close = self.text.find("'", self.pos + 1)
        if close < 0:
            raise Incomplete("unterminated quoted string")
        quoted = Quoted(self.text[self.pos + 1 : close])
        self.pos = close + 1
        return quoted

    def _double(self) -> DoubleQuoted:
        self.pos += 1
        parts = self.quoted_parts('"')
        self.pos += 1
        return DoubleQuoted(parts)

    def quoted_parts(self, closer: str) -> tuple[Part, ...]:
        """Text as inside `"…"`, up to `closer` (or to the end of the text for a here-document)."""
        text, end = self.text, len(self.text)
        escapes = '$`"\\' if closer else "$`\\"
        parts: list[Part] = []
        plain: list[str] = []
        while True:
            if self.pos >= end:
                if closer:
                    raise Incomplete("unterminated quoted string")
                break
            char = text[self.pos]
            if closer and char == closer:
                break
            if char == "\\" and self.pos + 1 < end and text[self.pos + 1] == "\n":
                self.pos += 2
            elif char == "\\" and self.pos + 1 < end and text[self.pos + 1] in escapes + closer:
                plain.append(text[self.pos + 1])
                self.pos += 2
            elif char in "$`":
                part = self._dollar(True) if char == "$" else self._backtick(True)
                if isinstance(part, Literal):
                    plain.append(part.text)
                    continue
                if plain:
                    parts.append(Quoted("".join(plain)))
                    plain = []
                parts.append(part)
            elif closer == "}" and char == '"':
                # "${x:-"a b"}": inner quotes only delimit, as in dash.
                self.pos += 1
                inner = self.quoted_parts('"')
                self.pos += 1
                if plain:
                    parts.append(Quoted("".join(plain)))
                    plain = []
                parts.append(DoubleQuoted(inner))
            else:
                run = _QUOTED_PLAIN[closer].match(text, self.pos)
                plain.append(run.group() if run else char)
                self.pos = run.end() if run else self.pos + 1
        if plain:
            parts.append(Quoted("".join(plain)))
        return tuple(parts)

    # --- dollars ----------------------------------------------------------------------------

    def _dollar(self, quoted: bool) -> Part:
        text, start = self.text, self.pos
        following = text[start + 1 : start + 2]
        if following == "(":
            if text.startswith("((", start + 1) and start not in self._not_arithmetic:
                arithmetic = self._arithmetic()
                if arithmetic is not None:
                    return arithmetic
            self.pos = start + 2
            return Substitution(self.read_alone(self.body_until(")")))
        if following == "'" and not quoted:
            return self._ansi()
        if following == "{":
            self._deeper()
            part = self._braces(quoted)
            self.depth -= 1
            return part
        if following and following in SPECIAL:
            self.pos += 2
            return Parameter(following)
        if following and following in NAME_START:
            self.pos += 1
            return Parameter(self.name())
        self.pos += 1
        return Literal("$")

    def _ansi(self) -> Quoted:
        """`$'…'`: as in C."""
        self.pos += 2
        out: list[str] = []
        while True:
            found = _ANSI.match(self.text, self.pos)
            if found is None:
                raise Incomplete("unterminated quoted string")
            self.pos = found.end()
            plain, escape, digits, hexadecimal, point = found.groups()
            if plain is None and escape is None and digits is None and hexadecimal is None and point is None:
                return Quoted("".join(out))
            if digits is not None:
                out.append(chr(int(digits, 8) & 0xFF))
            elif hexadecimal is not None:
                out.append(chr(int(hexadecimal, 16)))
            elif point is not None:
                out.append(octets(chr(min(int(point, 16), 0x10FFFF))))
            else:
                out.append(plain if plain is not None else _ESCAPES.get(escape, "\\" + escape))

    def name(self) -> str:
        """Read a variable name."""
        start = self.pos
        while self.pos < len(self.text) and self.text[self.pos] in NAME:
            self.pos += 1
        return self.text[start : self.pos]

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")

    def _braces(self, quoted: bool) -> Parameter:
        text, start = self.text, self.pos
        self.pos += 2
        if self.bash and text.startswith("!", self.pos) and text[self.pos + 1 : self.pos + 2] in _NAMES:
            return self._indirect()
        length = text.startswith("#", self.pos) and text[self.pos + 1 : self.pos + 2] not in ("}", "")
        if length and text[self.pos + 1 : self.pos + 2] in ("%", ":", "#", "-", "=", "+"):
            # ${#%x}, ${#:-x}: the parameter is `#` itself.
            length = text[self.pos + 2 : self.pos + 3] == "}"
        if length:
            self.pos += 1
        following = text[self.pos : self.pos + 1]
        if following and following in NAME_START:
            name = self.name()
            if self.bash and text.startswith("[", self.pos):
                name = self._subscripted(name)
        elif following.isdigit() and following in SPECIAL:
            first = self.pos
            while self.pos < len(text) and text[self.pos] in "0123456789":
                self.pos += 1
            name = text[first : self.pos]
        elif following and following in SPECIAL:
            name = following
            self.pos += 1
        elif not following:
            raise Incomplete("missing '}'")
        else:
            raise ParseError(f"bad substitution: {text[start : start + 20].splitlines()[0]}")
        if text.startswith("}", self.pos):
            self.pos += 1
            return Parameter(name, "length" if length else "")
        if self.pos >= len(text):
            raise Incomplete("missing '}'")
        if not length and text[self.pos] in ":/" and text[self.pos : self.pos + 2] not in OPERATORS:
            return self._two_words(name)
        operator = next((op for op in OPERATORS if text.startswith(op, self.pos)), "")
        if (
            self.bash
            and not length
            and (case := next((op for op in CASES if text.startswith(op, self.pos)), ""))
        ):
            self.pos += len(case)
            if not text.startswith("}", self.pos):
                raise ParseError(f"bad substitution: {text[start : start + 20].splitlines()[0]}")
            self.pos += 1
            return Parameter(name, case)
        if length or not operator:
            shown = text[start : start + 20].splitlines()[0]
            raise ParseError(f"bad substitution: {shown} (only - = + ? % # forms are known to sh)")
        self.pos += len(operator)
        if quoted and operator[0] not in "%#":
            word = Word((DoubleQuoted(self.quoted_parts("}")),))
        elif self.pos < len(text) and text[self.pos] != "}":
            word = self.word("}")
        else:
            word = Word(())
        if self.pos >= len(text):
            raise Incomplete("missing '}'")
        self.pos += 1
        return Parameter(name, operator, word)

    def _subscripted(self, name: str) -> str:
        """`name[index]` behind its name; the index as it is written."""
        close = self.text.find("]", self.pos)
        if close < 0:
            raise Incomplete("missing '}'")
        index = self.text[self.pos + 1 : close]
        if not index or "`" in index or "$(" in index.replace("$((", ""):
            raise ParseError(f"bad substitution: {name}[{index[:20]}]")
        self.pos = close + 1
        return f"{name}[{index}]"

    def _indirect(self) -> Parameter:
        """`${!name}`: the value of the variable whose name it holds; `${!name[@]}`: an array's indices."""
        self.pos += 1
        name = self.name()
        if self.text.startswith("[", self.pos):
            name = self._subscripted(name)
        if not self.text.startswith("}", self.pos):
            raise ParseError(f"bad substitution: ${{!{name}")
        self.pos += 1
        return Parameter(name, "!")

    def _two_words(self, name: str) -> Parameter:
        """`${name:offset:length}`, `${name/pattern/replacement}` and `${name//pattern/replacement}`."""
        text = self.text
        operator = text[self.pos]
        if text.startswith("//", self.pos):
            operator = "//"
        self.pos += len(operator)
        stop = operator[0] + "}"
        first = self.word(stop) if self.pos < len(text) and text[self.pos] not in stop else Word(())
        second: Word | None = None
        if text.startswith(operator[0], self.pos):
            self.pos += 1
            ends = self.pos >= len(text) or text[self.pos] == "}"
            second = Word(()) if ends else self.word("}")
        if self.pos >= len(text):
            raise Incomplete("missing '}'")
        self.pos += 1
        return Parameter(name, operator, first, second)

    def _arithmetic(self) -> Arithmetic | None:
        """`$(( … ))`, or None where it is really `$( ( … ) … )`."""
        start, text = self.pos, self.text
        documents = list(self.documents)
        self._deeper()
        self.pos = start + 3
        parts: list[Part] = []
        plain: list[str] = []
        balance = 0
        found = False
        while self.pos < len(text):
            char = text[self.pos]
            if char == ")" and balance == 0:
                found = text.startswith("))", self.pos)
                break
            if char in "$`":
                part = self._dollar(True) if char == "$" else self._backtick(True)
                if plain:
                    parts.append(Quoted("".join(plain)))
                    plain = []
                parts.append(part)
                continue
            if char == "\\" and text.startswith("\\\n", self.pos):
                self.pos += 2
                continue
            balance += (char == "(") - (char == ")")
            if char != '"':
                plain.append(char)
            self.pos += 1
        else:
            raise Incomplete("missing '))'")
        self.depth -= 1
        if not found:
            self.pos, self.documents = start, documents
            self._not_arithmetic.add(start)
            return None
        if plain:
            parts.append(Quoted("".join(plain)))
        self.pos += 2
        return Arithmetic(Word((DoubleQuoted(tuple(parts)),)))

    def _backtick(self, quoted: bool) -> Substitution:
        text = self.text
        self.pos += 1
        inner: list[str] = []
        escapes = '`\\$"' if quoted else "`\\$"
        while True:
            if self.pos >= len(text):
                raise Incomplete("unterminated backquote")
            char = text[self.pos]
            if char == "`":
                break
            if char == "\\" and self.pos + 1 < len(text) and text[self.pos + 1] in escapes:
                self.pos += 1
                char = text[self.pos]
            inner.append(char)
            self.pos += 1
        self.pos += 1
        return Substitution(self.parse_inner("".join(inner)))
