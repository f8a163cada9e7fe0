"""What stands between and around words: blanks, keywords, redirections, here-documents, aliases, syntax errors."""

from __future__ import annotations

import re

from cluster_engine.linux.limits import MAX_LINE, MAX_NESTING
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.syntax import DoubleQuoted, Literal, Quoted, Redirect, Word
from cluster_engine.linux.sh.words import BLANK, META, WordReader

RESERVED = frozenset(
    [
        "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "case", "esac",
        "in", "{", "}", "!",
    ]
)  # fmt: skip
OPENERS = frozenset(["if", "while", "until", "for", "case", "{"])
REDIRECTIONS = ("<<<", "<<-", "&>>", "&>", "<<", ">>", ">&", "<&", "<>", ">|", "<", ">")
NOT_SH = {
    "[[": "[[ ... ]] belongs to bash; use [ ... ]",
    "select": "select belongs to bash",
    "function": "the word `function` belongs to bash; write name() { ... }",
    "coproc": "coproc belongs to bash",
}
_ALIASED = re.compile(r"[^ \t\n|&;<>()\\\"'$`=]+(?=[ \t\n|&;<>()]|\Z)")
SAID = {
    "unterminated quoted string": "syntax error: unterminated quoted string",
    "a backslash ends": "syntax error: unterminated quoted string",
    "missing '}'": "syntax error: missing '}'",
    "unterminated backquote": "syntax error: EOF in backquote substitution",
    "bad substitution": "syntax error: bad substitution",
    "syntax error: bad for loop": "syntax error: bad for loop variable",
    "syntax error: nothing between": 'syntax error: unexpected ")"',
}
"""Our words and busybox's."""
_TOLD = (*RESERVED, *META, "&&", "||", ";;", *REDIRECTIONS)
"""What the machine's shell names in a syntax error, as busybox does."""
_BLANKS = re.compile(r"[ \t]+")
_KEYWORD = re.compile(
    "(" + "|".join(re.escape(word) for word in sorted((*RESERVED, *NOT_SH), reverse=True)) + r")"
    r"(?=[ \t\n|&;<>()]|\\\n|\Z)"
)
_DESCRIPTOR = re.compile(r"[0-9]+")


class TokenReader(WordReader):
    """The lines, keywords and redirections of `WordReader`'s text."""

    _line_at = 0
    _line = 1
    _alias_end = -1
    _alias_seen: tuple[str, ...] = ()
    _blank_at = -1

    def _line_number(self) -> int:
        self._line += self.text.count("\n", self._line_at, self.pos)
        self._line_at = max(self._line_at, self.pos)
        return self._line

    def _alias(self) -> bool:
        """Replace the word here by what it is an alias for; whether it was one."""
        found = _ALIASED.match(self.text, self.pos)
        if found is None or found.group() not in self.aliases:
            return False
        name = found.group()
        if self.pos >= self._alias_end:
            self._alias_seen = ()
        if name in self._alias_seen:
            return False
        value = self.aliases[name]
        self._alias_seen = (*self._alias_seen, name)
        left = max(0, self._alias_end - found.end())
        self.text = self.text[: self.pos] + value + self.text[found.end() :]
        if len(self.text) > 2 * MAX_LINE:
            raise ParseError(f"a command line may have at most {MAX_LINE:,} characters")
        self._alias_end = self.pos + len(value) + left
        self._blank_at = self._alias_end if value[-1:] in (" ", "\t") else -1
        return True

    def _blank(self) -> bool:
        """Is the next word the first behind an alias that ends with a blank?"""
        if self._blank_at < 0 or self.pos < self._blank_at:
            return False
        self._blank_at = -1
        return True

    # --- redirections -----------------------------------------------------------------------

    def _redirect(self) -> Redirect | None:
        self._blanks()
        text, at = self.text, self.pos
        if at >= len(text) or text[at] not in "<>&0123456789":
            return None
        number = _DESCRIPTOR.match(text, at)
        at = number.end() if number else at
        operator = next((op for op in REDIRECTIONS if text.startswith(op, at)), "")
        if not operator or (at > self.pos and operator.startswith("&")):
            return None
        if text.startswith(("<(", ">("), at):
            raise ParseError("process substitution <( ... ) is not simulated (a real bash has it)")
        digits = text[self.pos : at]
        descriptor = int(digits) if digits else (0 if operator.startswith("<") else 1)
        if descriptor > 9:
            raise ParseError(f"file descriptor {digits[:12]} is out of range (0-9)")
        self.pos = at + len(operator)
        if not self._at_word():
            raise self._unexpected()
        if operator in ("<<", "<<-"):
            redirect = Redirect(descriptor, operator, self.word())
            self.documents.append(redirect)
            return redirect
        return Redirect(descriptor, operator, self.word())

    def _read_documents(self) -> None:
        """Bodies of the here-documents announced on the line that just ended."""
        documents, self.documents = self.documents, []
        for redirect in documents:
            delimiter, quoted = _delimiter(redirect.target)
            strip = redirect.operator == "<<-"
            lines: list[str] = []
            while True:
                if self.pos >= len(self.text):
                    if self.final:
                        break
                    waiting = Incomplete(f"here-document: waiting for {delimiter}")
                    waiting.delimiter = delimiter
                    raise waiting
                end = self.text.find("\n", self.pos)
                line = self.text[self.pos : end if end >= 0 else len(self.text)]
                self.pos = end + 1 if end >= 0 else len(self.text)
                if strip:
                    line = line.lstrip("\t")
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            if quoted:
                redirect.body = Word((Quoted(body),))
            else:
                inner = type(self)(body, self.depth + 1, final=True)
                inner.aliases, inner.bash = self.aliases, self.bash
                if self.depth >= MAX_NESTING:
                    raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")
                try:
                    redirect.body = Word((DoubleQuoted(inner.quoted_parts("")),))
                except Incomplete as error:
                    raise ParseError(f"in a here-document: {error}") from None

    # --- small things -----------------------------------------------------------------------

    def _blanks(self) -> None:
        text = self.text
        while self.pos < len(text):
            if text[self.pos] in BLANK:
                blanks = _BLANKS.match(text, self.pos)
                assert blanks is not None
                self.pos = blanks.end()
            elif text.startswith("\\\n", self.pos):
                self.pos += 2
                if self.pos >= len(text) and not self.final:
                    raise Incomplete("the line goes on")
            elif text[self.pos] == "#":
                end = text.find("\n", self.pos)
                self.pos = end if end >= 0 else len(text)
            else:
                return

    def _newlines(self) -> None:
        while True:
            self._blanks()
            if not self.text.startswith("\n", self.pos):
                return
            self.pos += 1
            if self.documents:
                self._read_documents()

    def _at_word(self) -> bool:
        self._blanks()
        return self.pos < len(self.text) and self.text[self.pos] not in META

    def _keyword(self) -> str:
        """The bare word at `pos` if it could be a reserved word, else ''. Nothing is consumed."""
        found = _KEYWORD.match(self.text, self.pos)
        return found.group(1) if found else ""

    def _plain_word(self) -> str:
        return (self.word().plain() or "") if self._at_word() else ""

    def _expect(self, keyword: str) -> None:
        self._blanks()
        if self._keyword() != keyword:
            raise self._unexpected(f"expecting '{keyword}'")
        self.pos += len(keyword)

    def _unexpected(self, wanted: str = "") -> ParseError:
        tail = f" ({wanted})" if wanted else ""
        tail = tail.replace("'", '"') if " or " not in tail else ""
        self._blanks()
        if self.pos >= len(self.text):
            return Incomplete(f"syntax error: unexpected end of file{tail}")
        rest = self.text[self.pos :]
        if rest[0] == "\n":
            token = "newline"
        else:
            token = next((op for op in ("&&", "||", ";;", *REDIRECTIONS) if rest.startswith(op)), "")
            token = token or (rest[0] if rest[0] in META else (rest.split() or [rest])[0].split(";")[0][:24])
        shown = token if token == "newline" else f'"{token}"' if token in _TOLD else "word"
        return ParseError(f"syntax error: unexpected {shown}{tail}")


def _delimiter(word: Word) -> tuple[str, bool]:
    """The text of a here-document's delimiter, and whether any of it was quoted."""
    text: list[str] = []
    quoted = False
    for part in word.parts:
        if isinstance(part, Literal):
            text.append(part.text)
        elif isinstance(part, Quoted):
            quoted = True
            text.append(part.text)
        elif isinstance(part, DoubleQuoted) and all(isinstance(p, Quoted) for p in part.parts):
            quoted = True
            text.append("".join(p.text for p in part.parts if isinstance(p, Quoted)))
        else:
            raise ParseError("the delimiter of a here-document must be plain text")
    return "".join(text), quoted
