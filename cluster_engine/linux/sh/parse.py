"""From text to syntax: the grammar of the POSIX shell, by recursive descent.

It is our own and not tree-sitter-bash: that grammar is made for highlighting. It silently drops
`$((…))` in here-documents, joins `a && b >f` and `! a | b` the wrong way round, splits a word at
a continued line, takes a lone `fi` for a command, rejects `cat <<EOF; x`, `x=1 >f` and two
here-documents, and takes seconds on 64 KiB of `|`. A shell that teaches must not guess.

`parse(text)` raises `Incomplete` where more lines could help (the terminal then shows `> `), and
`ParseError` naming the construct otherwise. Work is linear in the text times the nesting, which
`MAX_NESTING` bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cluster_engine.linux.limits import MAX_LINE, MAX_NESTING
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.syntax import (
    AndOr,
    Assignment,
    Background,
    Case,
    DoubleQuoted,
    For,
    Function,
    If,
    Literal,
    Loop,
    Node,
    Not,
    Pipeline,
    Quoted,
    Redirect,
    Redirected,
    Rest,
    Sequence,
    Simple,
    Subshell,
    Word,
)
from cluster_engine.linux.sh.words import BLANK, META, NAME, NAME_START, WordReader

RESERVED = frozenset(
    [
        "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "case", "esac",
        "in", "{", "}", "!",
    ]
)  # fmt: skip
OPENERS = frozenset(["if", "while", "until", "for", "case", "{"])
REDIRECTIONS = ("<<<", "<<-", "&>>", "&>", "<<", ">>", ">&", "<&", "<>", ">|", "<", ">")
NOT_SH = {
    "[[": "[[ … ]] belongs to bash; use [ … ]",
    "select": "select belongs to bash",
    "function": "the word `function` belongs to bash; write name() { … }",
    "coproc": "coproc belongs to bash",
}


def parse(text: str, *, final: bool = False) -> Node:
    """Parse a whole text. `final`: no more lines will come (the end closes a here-document)."""
    if len(text) > MAX_LINE:
        raise ParseError(f"a command line may have at most {MAX_LINE:,} characters")
    return Parser(text, final=final).program()


def is_name(text: str) -> bool:
    """Is this the name of a variable or function?"""
    return bool(text) and text[0] in NAME_START and all(char in NAME for char in text)


def script(text: str, aliases: Mapping[str, str] | None = None, *, final: bool = True) -> Node:
    """A text of the machine's shell: jobs are known, aliases are replaced as the words are read.

    Like the real shell it takes a text line by line: what cannot be parsed is a `Rest` with its error behind what
    could be, and so is what follows a line that may change aliases. `final` as in `parse`. Raises ParseError only
    where not even the first line is one.
    """
    if len(text) > MAX_LINE:
        raise ParseError(f"a command line may have at most {MAX_LINE:,} characters")
    parser = Parser(text, final=final)
    parser.jobs = True
    parser.aliases = aliases or {}
    return parser.lines()


class Parser(WordReader):
    """The grammar over `WordReader`'s words."""

    _line_at = 0
    _line = 1
    _alias_end = -1
    _alias_seen: tuple[str, ...] = ()
    _blank_at = -1
    aliasing = False
    """A command of this line defines or removes an alias."""

    # --- the outer forms --------------------------------------------------------------------

    def program(self) -> Node:
        """Everything up to the end of the text."""
        body = self._list(frozenset())
        if self.pos < len(self.text):
            raise self._unexpected()
        self._read_documents()
        return body

    def lines(self) -> Node:
        """Everything, line by line: see `script`."""
        items: list[Node] = []
        while True:
            start = self.pos
            try:
                self._newlines()
                start = self.pos
                if self.pos >= len(self.text):
                    break
                items.extend(self._one_line())
                if self.documents and self.text.startswith("\n", self.pos):
                    self.pos += 1
                self._read_documents()
            except Incomplete as error:
                if not self.final:
                    raise
                items.append(self._broken(start, error, items))
                break
            except ParseError as error:
                items.append(self._broken(start, error, items))
                break
            if self.aliasing and self.text[self.pos :].strip():
                items.append(Rest(self.text[self.pos :]))
                break
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _broken(self, start: int, error: ParseError, items: list[Node]) -> Node:
        """A text that ends with a line which is none. Raises ParseError when it has no other."""
        said = str(error)
        for begin, text in _SAID.items():
            if said.startswith(begin):
                said = text
        if not items:
            raise ParseError(said) from None
        return Rest(self.text[start:], said)

    def _one_line(self) -> list[Node]:
        """The commands up to the end of a line."""
        items: list[Node] = []
        while True:
            self._blanks()
            following = self.text[self.pos : self.pos + 1]
            if following in ("", "\n") and items:
                return items
            items.append(self._item())
            self._blanks()
            following = self.text[self.pos : self.pos + 1]
            if following in ("", "\n"):
                return items
            if following != ";" or self.text.startswith(";;", self.pos):
                if isinstance(items[-1], Background):
                    continue
                raise self._unexpected()
            self.pos += 1

    def _item(self) -> Node:
        """A list of `&&` and `||`, with its `&` if it has one."""
        start = self.pos
        node = self._and_or()
        self._blanks()
        if not self.text.startswith("&", self.pos) or self.text.startswith("&&", self.pos):
            return node
        if not self.jobs:
            raise ParseError("background jobs (`&`) are not supported in this shell")
        source = self.text[start : self.pos].strip()
        self.pos += 1
        return Background(node, source)

    def body_until(self, closer: str) -> Node:
        self._deeper()
        outer, self.documents = self.documents, []
        body = self._list(frozenset())
        if self.documents:
            # <<EOF whose lines lie behind the closing bracket.
            outer = self.documents + outer
        self.documents = outer
        if not self.text.startswith(closer, self.pos):
            raise self._unexpected(f"expecting '{closer}'")
        self.pos += 1
        self.depth -= 1
        return body

    def parse_inner(self, text: str) -> Node:
        if self.depth >= MAX_NESTING:
            raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")
        inner = Parser(text, self.depth + 1, final=True)
        inner.words, inner.jobs, inner.aliases = self.words, self.jobs, self.aliases
        try:
            return inner.program()
        except Incomplete as error:
            raise ParseError(f"syntax error in backquotes: {error}") from None
        finally:
            self.words = inner.words

    def _list(self, stops: frozenset[str]) -> Node:
        """Commands separated by `;` and newlines, up to a reserved word of `stops`, `)`, the end."""
        items: list[Node] = []
        while True:
            self._newlines()
            if self.pos >= len(self.text) or self.text[self.pos] == ")":
                break
            if self.text.startswith(";;", self.pos) and "esac" in stops:
                break
            if self._keyword() in stops:
                break
            items.append(self._item())
            self._blanks()
            following = self.text[self.pos : self.pos + 1]
            if following == ";" and not self.text.startswith(";;", self.pos):
                self.pos += 1
            elif following in ("\n", "", ")") or isinstance(items[-1], Background):
                continue
            elif not self.text.startswith(";;", self.pos):
                raise self._unexpected()
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _body(self, *stops: str) -> Node:
        """A list that must not be empty, up to (and without) one of `stops`."""
        body = self._list(frozenset(stops))
        if isinstance(body, Sequence) and not body.items:
            ended = self.pos >= len(self.text) and len(stops) == 1
            raise self._unexpected(f"expecting '{stops[0]}'" if ended else "")
        if self._keyword() not in stops and not self.text.startswith(";;", self.pos):
            raise self._unexpected("expecting " + " or ".join(f"'{stop}'" for stop in stops))
        return body

    def _and_or(self) -> Node:
        first = self._pipeline()
        rest: list[tuple[str, Node]] = []
        while True:
            self._blanks()
            operator = self.text[self.pos : self.pos + 2]
            if operator not in ("&&", "||"):
                break
            self.pos += 2
            self._newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Node:
        self._blanks()
        start = self.pos
        negated = False
        while self._keyword() == "!":
            self.pos += 1
            negated = not negated
            self._blanks()
        members = [self._command()]
        while True:
            self._blanks()
            if not self.text.startswith("|", self.pos) or self.text.startswith("||", self.pos):
                break
            if self.text.startswith("|&", self.pos):
                raise ParseError("`|&` belongs to bash; write `2>&1 |`")
            self.pos += 1
            self._newlines()
            members.append(self._command())
        node: Node = (
            Pipeline(tuple(members), self.text[start : self.pos].strip()) if len(members) > 1 else members[0]
        )
        return Not(node) if negated else node

    # --- commands ---------------------------------------------------------------------------

    def _command(self) -> Node:
        self._blanks()
        start = self.pos
        if self.pos >= len(self.text):
            raise Incomplete("syntax error: unexpected end of file")
        keyword = self._keyword()
        body: Node
        if keyword in NOT_SH:
            raise ParseError(f"syntax error: {NOT_SH[keyword]}")
        if self.text[self.pos] == "(":
            if self.text.startswith("((", self.pos) and self._looks_arithmetic():
                raise ParseError("syntax error: (( … )) belongs to bash; use $(( … ))")
            self.pos += 1
            inner = self.body_until(")")
            if isinstance(inner, Sequence) and not inner.items:
                raise ParseError("syntax error: nothing between ( and )")
            body = Subshell(inner, self.text[start : self.pos])
        elif keyword in OPENERS:
            self._deeper()
            self.pos += len(keyword)
            body = getattr(self, _READERS[keyword])()
            self.depth -= 1
        elif keyword in RESERVED:
            raise self._unexpected()
        else:
            return self._simple()
        redirects: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
        return Redirected(body, tuple(redirects)) if redirects else body

    def _looks_arithmetic(self) -> bool:
        close = self.text.find("))", self.pos)
        return close > 0 and not any(char in "|;\n" for char in self.text[self.pos : close])

    def _brace(self) -> Node:
        body = self._body("}")
        self._expect("}")
        return body

    def _if(self) -> If:
        arms: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        while True:
            condition = self._body("then")
            self._expect("then")
            arms.append((condition, self._body("elif", "else", "fi")))
            keyword = self._keyword()
            self.pos += len(keyword)
            if keyword != "elif":
                break
        if keyword == "else":
            otherwise = self._body("fi")
            self._expect("fi")
        return If(tuple(arms), otherwise)

    def _while(self, until: bool = False) -> Loop:
        condition = self._body("do")
        self._expect("do")
        body = self._body("done")
        self._expect("done")
        return Loop(condition, body, until)

    def _until(self) -> Loop:
        return self._while(until=True)

    def _for(self) -> For:
        self._blanks()
        if self.text.startswith("((", self.pos):
            raise ParseError("syntax error: for (( … )) belongs to bash")
        name = self._plain_word()
        if not is_name(name):
            raise ParseError(f"syntax error: bad for loop variable: {name or 'none'}")
        self._blanks()
        if self.text.startswith(";", self.pos):
            self.pos += 1
        self._newlines()
        words: tuple[Word, ...] | None = None
        if self._keyword() == "in":
            self.pos += 2
            listed: list[Word] = []
            while self._at_word():
                listed.append(self.word())
            words = tuple(listed)
            self._blanks()
            if self.text[self.pos : self.pos + 1] not in (";", "\n", ""):
                raise self._unexpected()
            if self.text.startswith(";", self.pos):
                self.pos += 1
            self._newlines()
        self._expect("do")
        body = self._body("done")
        self._expect("done")
        return For(name, words, body)

    def _case(self) -> Case:
        if not self._at_word():
            raise self._unexpected()
        subject = self.word()
        self._newlines()
        self._expect("in")
        items: list[tuple[tuple[Word, ...], Node]] = []
        while True:
            self._newlines()
            if self._keyword() == "esac":
                break
            if self.text.startswith("(", self.pos):
                self.pos += 1
            patterns: list[Word] = []
            while True:
                if not self._at_word():
                    raise self._unexpected()
                patterns.append(self.word())
                self._blanks()
                if not self.text.startswith("|", self.pos):
                    break
                self.pos += 1
            if not self.text.startswith(")", self.pos):
                raise self._unexpected("expecting ')'")
            self.pos += 1
            items.append((tuple(patterns), self._list(frozenset({"esac"}))))
            if not self.text.startswith(";;", self.pos):
                break
            self.pos += 2
        self._newlines()
        self._expect("esac")
        return Case(subject, tuple(items))

    def _simple(self) -> Node:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        start = self.pos
        line = self._line_number()
        while True:
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            if not self._at_word():
                break
            if self.aliases and (not words or self._blank()) and self._alias():
                if not words and not assignments and not redirects and self._keyword() in OPENERS:
                    return self._command()
                continue
            if not words and (assignment := self._assignment()) is not None:
                assignments.append(assignment)
                continue
            word = self.word()
            if not word.parts:
                continue
            words.append(word)
            if len(words) == 1 and word.plain() in ("alias", "unalias"):
                self.aliasing = True
            if len(words) == 1 and not assignments and not redirects:
                self._blanks()
                if self.text.startswith("(", self.pos):
                    return self._function(word, start)
        if not assignments and not words and not redirects:
            raise self._unexpected()
        if self.text.startswith("(", self.pos):
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

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

    def _function(self, word: Word, start: int) -> Function:
        name = word.plain()
        if name is None or not all(char in NAME + "-." for char in name):
            raise ParseError('syntax error: "(" unexpected')
        self.pos += 1
        self._blanks()
        if not self.text.startswith(")", self.pos):
            if self.pos >= len(self.text):
                raise Incomplete('syntax error: end of file unexpected (expecting ")")')
            raise ParseError('syntax error: "(" unexpected')
        self.pos += 1
        self._newlines()
        if self._keyword() not in OPENERS and not self.text.startswith("(", self.pos):
            if self.pos >= len(self.text):
                raise Incomplete("a function needs a body")
            raise ParseError(f"syntax error: the body of {name}() must be {{ … }} or ( … )")
        self._deeper()
        body = self._command()
        self.depth -= 1
        return Function(name, body, self.text[start : self.pos])

    def _assignment(self) -> Assignment | None:
        text, start = self.text, self.pos
        if text[start] not in NAME_START:
            return None
        name = self.name()
        if not text.startswith("=", self.pos):
            if text.startswith("+=", self.pos):
                raise ParseError(f"{name}+=…: belongs to bash; write {name}=${name}…")
            if text.startswith("[", self.pos) and "]=" in text[self.pos : self.pos + 64].split("\n")[0]:
                raise ParseError(f"{name}[…]=: arrays belong to bash")
            self.pos = start
            return None
        self.pos += 1
        if text.startswith("(", self.pos):
            raise ParseError(f"{name}=(…): arrays belong to bash")
        if self.pos >= len(text) or text[self.pos] in META:
            return Assignment(name, Word(()))
        return Assignment(name, self.word())

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
            raise ParseError("process substitution <( … ) belongs to bash")
        if operator == "<>" and not self.jobs:
            raise ParseError("redirection `<>` is not supported in this shell")
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
                inner = Parser(body, self.depth + 1, final=True)
                inner.jobs, inner.aliases = self.jobs, self.aliases
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
        if self.jobs:
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
        if self.jobs:
            shown = token if token == "newline" else f'"{token}"' if token in _TOLD else "word"
            return ParseError(f"syntax error: unexpected {shown}{tail}")
        return ParseError(f'syntax error: "{token}" unexpected{tail}')


_ALIASED = re.compile(r"[^ \t\n|&;<>()\\\"'$`=]+(?=[ \t\n|&;<>()]|\Z)")
_SAID = {
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
_READERS = {
    "{": "_brace",
    "if": "_if",
    "while": "_while",
    "until": "_until",
    "for": "_for",
    "case": "_case",
}


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
