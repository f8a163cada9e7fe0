"""From text to syntax: the grammar of the POSIX shell, by recursive descent.

It is our own and not tree-sitter-bash: that grammar is made for highlighting. It silently drops
`$((…))` in here-documents, joins `a && b >f` and `! a | b` the wrong way round, splits a word at
a continued line, takes a lone `fi` for a command, rejects `cat <<EOF; x`, `x=1 >f` and two
here-documents, and takes seconds on 64 KiB of `|`. A shell that teaches must not guess.

A `Parser` raises `Incomplete` where more lines could help (the terminal then shows `> `), and
`ParseError` naming the construct otherwise. Work is linear in the text times the nesting, which
`MAX_NESTING` bounds. What bash has beside it stands in `bash.py`; `script.py` chooses.
"""

from __future__ import annotations

from cluster_engine.linux.limits import MAX_NESTING
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.syntax import (
    AndOr,
    Array,
    Assignment,
    Background,
    Case,
    Element,
    For,
    Function,
    If,
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
from cluster_engine.linux.sh.tokens import NOT_SH, OPENERS, RESERVED, SAID, TokenReader
from cluster_engine.linux.sh.words import META, NAME, NAME_START


def is_name(text: str) -> bool:
    """Is this the name of a variable or function?"""
    return bool(text) and text[0] in NAME_START and all(char in NAME for char in text)


class Parser(TokenReader):
    """The grammar over the tokens."""

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
        for begin, text in SAID.items():
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

    def read_alone(self, body: Node) -> Node:
        return body

    def parse_inner(self, text: str) -> Node:
        if self.depth >= MAX_NESTING:
            raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")
        inner = type(self)(text, self.depth + 1, final=True)
        inner.words, inner.aliases = self.words, self.aliases
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
                members[-1] = self._with_errors(members[-1])
                self.pos += 1
            self.pos += 1
            self._newlines()
            members.append(self._command())
        node: Node = (
            Pipeline(tuple(members), self.text[start : self.pos].strip()) if len(members) > 1 else members[0]
        )
        return Not(node) if negated else node

    def _with_errors(self, member: Node) -> Node:
        raise ParseError("`|&` belongs to bash; write `2>&1 |`")

    # --- commands ---------------------------------------------------------------------------

    def _command(self) -> Node:
        self._blanks()
        start = self.pos
        if self.pos >= len(self.text):
            raise Incomplete("syntax error: unexpected end of file")
        keyword = self._keyword()
        body: Node
        if keyword in NOT_SH:
            body = self._not_sh(keyword)
            if isinstance(body, Function):
                return body
        elif self.text[self.pos] == "(":
            if self.text.startswith("((", self.pos) and self._looks_arithmetic():
                body = self._compute()
            else:
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

    def _not_sh(self, keyword: str) -> Node:
        raise ParseError(f"syntax error: {NOT_SH[keyword]}")

    def _compute(self) -> Node:
        raise ParseError("syntax error: (( ... )) belongs to bash; use $(( ... ))")

    def _counted(self) -> Node:
        raise ParseError("syntax error: for (( ... )) belongs to bash")

    def _words_of(self, word: Word) -> list[Word]:
        """The words that one of the text stands for: in bash, braces may make several of it."""
        return [word]

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

    def _for(self) -> Node:
        self._blanks()
        if self.text.startswith("((", self.pos):
            return self._counted()
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
                listed += self._words_of(self.word())
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
        assignments: list[Assignment | Element | Array] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        declared: list[Array] = []
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
            if words and self._declares(words[0]) and isinstance(found := self._assignment(), Array):
                words.append(Word((Quoted(found.name),)))
                declared.append(found)
                continue
            word = self.word()
            if not word.parts:
                continue
            words += self._words_of(word)
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
        if (words or redirects) and not all(isinstance(each, Assignment) for each in assignments):
            raise ParseError("an array before a command is not simulated (a real bash has it)")
        made = Simple(tuple(assignments), tuple(words), tuple(redirects), line)
        return Sequence((made, Simple(tuple(declared), (), (), line))) if declared else made

    def _declares(self, word: Word) -> bool:
        """May the words of this command be assignments of arrays?"""
        return False

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
            raise ParseError(f"syntax error: the body of {name}() must be {{ ... }} or ( ... )")
        self._deeper()
        body = self._command()
        self.depth -= 1
        return Function(name, body, self.text[start : self.pos])

    def _assignment(self) -> Assignment | Element | Array | None:
        text, start = self.text, self.pos
        if text[start] not in NAME_START:
            return None
        name = self.name()
        if not text.startswith("=", self.pos):
            found = self._bash_assignment(name)
            if found is None:
                self.pos = start
            return found
        self.pos += 1
        if text.startswith("(", self.pos):
            return self._array(name)
        return Assignment(name, self._value())

    def _value(self) -> Word:
        """What stands behind the `=`."""
        if self.pos >= len(self.text) or self.text[self.pos] in META:
            return Word(())
        return self.word()

    def _bash_assignment(self, name: str) -> Assignment | Element | Array | None:
        """`name+=…` and `name[index]=…` behind the name; None when it is no assignment."""
        if self.text.startswith("+=", self.pos):
            raise ParseError(f"{name}+=...: belongs to bash; write {name}=${name}...")
        if self.text.startswith("[", self.pos) and "]=" in self.text[self.pos : self.pos + 64].split("\n")[0]:
            raise ParseError(f"{name}[...]=: arrays belong to bash")
        return None

    def _array(self, name: str, more: bool = False) -> Array:
        raise ParseError(f"{name}=(...): arrays belong to bash")


_READERS = {
    "{": "_brace",
    "if": "_if",
    "while": "_while",
    "until": "_until",
    "for": "_for",
    "case": "_case",
}
