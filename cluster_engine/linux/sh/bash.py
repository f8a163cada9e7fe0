"""The grammar of what bash has beside sh: `[[ ]]`, `(( ))`, arrays, braces, `function`, `|&`, `$(<file)`.

Most becomes what sh has: braces are several words, `x+=y` is `x="${x-}"y`, `|&` redirects, `&&` inside `[[ ]]` is that
of commands. Process substitution, `select`, `coproc` and extended patterns are refused by name.
"""

from __future__ import annotations

from cluster_engine.linux.limits import MAX_NESTING
from cluster_engine.linux.sh import braces
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.parse import Parser
from cluster_engine.linux.sh.syntax import (
    AndOr,
    Array,
    Assignment,
    Compute,
    Condition,
    Counted,
    DoubleQuoted,
    Element,
    Function,
    Literal,
    Node,
    Not,
    Parameter,
    Redirect,
    Redirected,
    Simple,
    Tested,
    Word,
)
from cluster_engine.linux.sh.tokens import OPENERS
from cluster_engine.linux.sh.words import BLANK, META, NAME_START

_DECLARING = ("declare", "typeset", "local", "readonly", "export")
UNARY = (*(f"-{letter}" for letter in "nzefdsrwxLhtbcpSugkOG"), "-v", "-a", "-N")
BINARY = ("=~", "==", "!=", "=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef")


class BashParser(Parser):
    """What bash has beside sh: `[[ ]]`, `(( ))`, arrays, braces, `function`, `|&`."""

    bash = True

    def _words_of(self, word: Word) -> list[Word]:
        return braces.expanded(word)

    def _with_errors(self, member: Node) -> Node:
        return Redirected(member, (Redirect(2, ">&", Word((Literal("1"),))),))

    def read_alone(self, body: Node) -> Node:
        match body:
            case Simple((), (), (Redirect(descriptor=0, operator="<"),), line):
                return Simple((), (Word((Literal("cat"),)),), body.redirects, line)
        return body

    def _not_sh(self, keyword: str) -> Node:
        self._deeper()
        if keyword == "[[":
            self.pos += 2
            found: Node = Tested(self._any_of())
            self._newlines()
            if not self.text.startswith("]]", self.pos):
                raise self._unexpected("expecting ']]'")
            self.pos += 2
        elif keyword == "function":
            self.pos += len(keyword)
            found = self._named_function()
        else:
            raise ParseError(f"{keyword} is not simulated (a real bash has it)")
        self.depth -= 1
        return found

    def _named_function(self) -> Node:
        start = self.pos
        name = self._plain_word()
        if not name:
            raise self._unexpected()
        self._blanks()
        if self.text.startswith("(", self.pos):
            self.pos += 1
            self._blanks()
            if not self.text.startswith(")", self.pos):
                raise self._unexpected("expecting ')'")
            self.pos += 1
        self._newlines()
        if self._keyword() not in OPENERS and not self.text.startswith("(", self.pos):
            raise self._unexpected()
        return Function(name, self._command(), self.text[start : self.pos].strip())

    # --- (( )) ------------------------------------------------------------------------------

    def _expression(self, text: str) -> Word:
        """An arithmetic expression, as inside `$(( … ))`."""
        inner = type(self)(text, self.depth + 1, final=True)
        if self.depth >= MAX_NESTING:
            raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")
        return Word((DoubleQuoted(inner.quoted_parts("")),))

    def _between(self) -> str:
        """The text of `(( … ))`, which begins here."""
        start, balance = self.pos + 2, 0
        for at in range(start, len(self.text)):
            char = self.text[at]
            if char == ")" and balance == 0:
                if not self.text.startswith("))", at):
                    break
                self.pos = at + 2
                return self.text[start:at]
            balance += (char == "(") - (char == ")")
        else:
            raise Incomplete("missing '))'")
        raise ParseError("syntax error: missing '))'")

    def _compute(self) -> Node:
        return Tested(Compute(self._expression(self._between())))

    def _looks_arithmetic(self) -> bool:
        close = self.text.find("))", self.pos)
        return close > 0 and "\n" not in self.text[self.pos : close]

    def _counted(self) -> Node:
        parts = self._between().split(";")
        if len(parts) != 3:
            raise ParseError("syntax error: arithmetic expression required")
        first, condition, step = map(self._expression, parts)
        self._blanks()
        if self.text.startswith(";", self.pos):
            self.pos += 1
        self._newlines()
        braced = self._keyword() == "{"
        self._expect("{" if braced else "do")
        closer = "}" if braced else "done"
        body = self._body(closer)
        self._expect(closer)
        return Counted(first, condition, step, body)

    # --- [[ ]] ------------------------------------------------------------------------------

    def _any_of(self) -> Node:
        first, rest = self._all_of(), []
        while self._operator("||"):
            rest.append(("||", self._all_of()))
        return AndOr(first, tuple(rest)) if rest else first

    def _all_of(self) -> Node:
        first, rest = self._test(), []
        while self._operator("&&"):
            rest.append(("&&", self._test()))
        return AndOr(first, tuple(rest)) if rest else first

    def _operator(self, text: str) -> bool:
        self._newlines()
        if not self.text.startswith(text, self.pos):
            return False
        self.pos += len(text)
        return True

    def _test(self) -> Node:
        self._deeper()
        self._newlines()
        found: Node
        if self._keyword() == "!":
            self.pos += 1
            found = Not(self._test())
        elif self.text.startswith("(", self.pos):
            self.pos += 1
            found = self._any_of()
            if not self._operator(")"):
                raise self._unexpected("expecting ')'")
        else:
            found = self._comparison()
        self.depth -= 1
        return found

    def _comparison(self) -> Condition:
        left = self._operand()
        sign = left.plain()
        if sign in UNARY:
            return Condition(sign, self._operand())
        self._newlines()
        for operator in BINARY:
            behind = self.text[self.pos + len(operator) : self.pos + len(operator) + 1]
            if self.text.startswith(operator, self.pos) and behind in (" ", "\t", "\n", ""):
                self.pos += len(operator)
                return Condition(operator, left, self._operand(BLANK + "\n" if operator == "=~" else META))
        return Condition("", left)

    def _operand(self, stop: str = META) -> Word:
        self._newlines()
        if self.pos >= len(self.text):
            raise Incomplete("unexpected end of file, expecting ']]'")
        if self.text[self.pos] in stop or self.text.startswith("]]", self.pos):
            raise self._unexpected()
        return self.word(stop)

    def _declares(self, word: Word) -> bool:
        at = self.pos
        name = self.name() if self.text[at] in NAME_START else ""
        found = bool(name) and self.text.startswith(("=(", "+=("), self.pos) and word.plain() in _DECLARING
        self.pos = at
        return found

    # --- arrays -----------------------------------------------------------------------------

    def _bash_assignment(self, name: str) -> Assignment | Element | Array | None:
        index = self._index() if self.text.startswith("[", self.pos) else None
        more = self.text.startswith("+=", self.pos)
        if not more and (index is None or not self.text.startswith("=", self.pos)):
            return None
        self.pos += 2 if more else 1
        if index is not None:
            return Element(name, index, self._value(), more)
        if self.text.startswith("(", self.pos):
            return self._array(name, more)
        before = DoubleQuoted((Parameter(name, "-", Word(())),))
        return Assignment(name, Word((before, *self._value().parts)))

    def _index(self) -> Word | None:
        """`[index]` if that is what is here, and an `=` behind it."""
        close = self.text.find("]", self.pos)
        inside = self.text[self.pos + 1 : close] if close > 0 else ""
        if not inside or "\n" in inside or not self.text.startswith(("=", "+="), close + 1):
            return None
        inner = type(self)(inside, self.depth + 1, final=True)
        found = Word((DoubleQuoted(inner.quoted_parts("")),))
        self.pos = close + 1
        return found

    def _array(self, name: str, more: bool = False) -> Array:
        self.pos += 1
        items: list[tuple[Word | None, Word]] = []
        while True:
            self._newlines()
            if self.text.startswith(")", self.pos):
                self.pos += 1
                return Array(name, tuple(items), more)
            if not self._at_word():
                raise self._unexpected("expecting ')'")
            index = self._index() if self.text.startswith("[", self.pos) else None
            if index is not None:
                self.pos += 1
                items.append((index, self._value()))
            else:
                items += [(None, word) for word in self._words_of(self.word())]
