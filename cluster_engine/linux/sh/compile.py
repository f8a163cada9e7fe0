"""From syntax to instructions: a flat list of JSON lists, which a keyframe can hold.

| Instruction | Meaning |
|---|---|
| ``RUN words assigns redirects flags line`` | a simple command (flags: 1 ``set -e`` applies, 2 nothing follows) |
| ``SET name word last substituted checked`` | an assignment of a command without words |
| ``SUB k goal`` | run what follows in a child, its output is result k, go on at the goal |
| ``SKIP name operator goal`` | jump when ``${name<operator>…}`` will not look at its word |
| ``FORK goal checked source`` / ``BG goal source`` | a child runs what follows; the parent waits (or not) |
| ``PIPE starts goal checked source background`` | children with pipes between them |
| ``JMP JZ JNZ goal`` · ``NOT`` · ``ST n`` | jumps by the status, the status itself |
| ``LOOP break continue`` · ``KEEP goal`` · ``ENDL`` | a loop begins, its body's status is kept, it ends |
| ``FOR name words break`` · ``NEXT name break`` | the same over words (None: the arguments) |
| ``CASE word arms goal`` | arms are [patterns, pc] |
| ``DEF name pc goal source`` · ``RET`` · ``EXIT`` | a function, its end, a child's end |
| ``REDIR redirects goal checked`` · ``UNRED`` | redirections around a compound command |
| ``REST text error`` | what is parsed only when all before has run |
| ``LET word`` · ``TEST operator left right`` | ``(( ))`` and a test of ``[[ ]]``: they set the status |
| ``CHK checked`` | what ``set -e`` makes of that |
| ``ELEM name index word more`` · ``ARR name items more`` | assignments of an array's element, of an array |

A word is a list of parts: a text; ``["q", text]`` quoted; ``["~"]``; ``["p", name, operator, word, second word]``;
``["s", k]`` a result; ``["a", word]`` arithmetic; ``["d", word]`` in double quotes. A redirection is
``[fd, operator, word]``.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from cluster_engine.linux.sh.script import script
from cluster_engine.linux.sh.syntax import (
    AndOr,
    Arithmetic,
    Array,
    Assignment,
    Background,
    Case,
    Compute,
    Condition,
    Counted,
    DoubleQuoted,
    Element,
    For,
    Function,
    If,
    Literal,
    Loop,
    Node,
    Not,
    Parameter,
    Part,
    Pipeline,
    Quoted,
    Redirect,
    Redirected,
    Rest,
    Sequence,
    Simple,
    Subshell,
    Substitution,
    Tested,
    Tilde,
    Word,
)

CHECKED, TAIL = 1, 2

Code = list[list[Any]]
Template = list[Any]


@lru_cache(maxsize=512)
def compiled(
    text: str, aliases: tuple[tuple[str, str], ...] = (), final: bool = True, bash: bool = False
) -> tuple[str, Code]:
    """(digest, instructions) of a text, which ends with ``RET``. Raises ParseError; the result is shared."""
    node = script(text, dict(aliases), final=final, bash=bash)
    compiler = _Compiler()
    compiler.node(node, checked=True, tail=True)
    compiler.emit("RET")
    code = compiler.code
    return hashlib.blake2b(repr(code).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(), code


class _Compiler:
    def __init__(self) -> None:
        self.code: Code = []
        self._results = 0

    def emit(self, *instruction: Any) -> int:
        """Append an instruction; where it is."""
        self.code.append(list(instruction))
        return len(self.code) - 1

    def _here(self, at: int, index: int) -> None:
        """The goal of an earlier jump is the next instruction."""
        self.code[at][index] = len(self.code)

    # --- nodes ----------------------------------------------------------------------------------

    def node(self, node: Node, *, checked: bool, tail: bool = False) -> None:
        """``checked``: ``set -e`` applies; ``tail``: the process ends with this."""
        match node:
            case Simple():
                self._simple(node, checked, tail)
            case Sequence(items):
                if not items:
                    self.emit("ST", 0)
                for index, item in enumerate(items):
                    self.node(item, checked=checked, tail=tail and index == len(items) - 1)
            case AndOr(first, rest):
                self.node(first, checked=False)
                for index, (operator, item) in enumerate(rest):
                    jump = self.emit("JNZ" if operator == "&&" else "JZ", 0)
                    last = index == len(rest) - 1
                    self.node(item, checked=checked and last, tail=tail and last)
                    self._here(jump, 1)
            case Not(body):
                self.node(body, checked=False)
                self.emit("NOT")
            case Pipeline(members, source):
                self._pipeline(members, checked, source, background=False)
            case Subshell(body, source):
                self._subshell(body, checked, source)
            case Background(Pipeline(members), source):
                self._pipeline(members, True, source, background=True)
            case Background(body, source):
                at = self.emit("BG", 0, source)
                self._child(body)
                self._here(at, 1)
            case Redirected(body, redirects):
                self._redirected(body, redirects, checked)
            case If():
                self._if(node, checked)
            case Loop(condition, body, until):
                self._loop(condition, body, until, checked)
            case For():
                self._for(node, checked)
            case Case():
                self._case(node, checked)
            case Function(name, body, source):
                at = self.emit("DEF", name, len(self.code) + 1, 0, source)
                self.node(body, checked=True)
                self.emit("RET")
                self._here(at, 3)
            case Counted():
                self._counted(node, checked)
            case Tested(body):
                self.node(body, checked=False)
                self.emit("CHK", checked)
            case Compute(expression):
                self._prepared("LET", expression)
            case Condition(operator, left, right):
                self._prepared("TEST", operator, left, right)
            case Rest(text, error):
                self.emit("REST", text, error)

    def _child(self, body: Node, checked: bool = True) -> None:
        results, self._results = self._results, 0
        self.node(body, checked=checked, tail=True)
        self.emit("EXIT")
        self._results = results

    def _subshell(self, body: Node, checked: bool, source: str) -> None:
        at = self.emit("FORK", 0, checked, source)
        self._child(body, checked)
        self._here(at, 1)

    def _pipeline(self, members: tuple[Node, ...], checked: bool, source: str, *, background: bool) -> None:
        starts: list[int] = []
        at = self.emit("PIPE", starts, 0, checked, source, background)
        for member in members:
            starts.append(len(self.code))
            self._child(member, checked)
        self._here(at, 2)

    def _redirected(self, body: Node, redirects: tuple[Redirect, ...], checked: bool) -> None:
        prepared = self._redirects(redirects)
        at = self.emit("REDIR", prepared, 0, checked)
        self.node(body, checked=checked)
        self.emit("UNRED")
        self._here(at, 2)

    def _if(self, node: If, checked: bool) -> None:
        ends: list[int] = []
        for condition, body in node.arms:
            self.node(condition, checked=False)
            following = self.emit("JNZ", 0)
            self.node(body, checked=checked)
            ends.append(self.emit("JMP", 0))
            self._here(following, 1)
        if node.otherwise is not None:
            self.node(node.otherwise, checked=checked)
        else:
            self.emit("ST", 0)
        for end in ends:
            self._here(end, 1)

    def _loop(self, condition: Node, body: Node, until: bool, checked: bool) -> None:
        begin = self.emit("LOOP", 0, 0)
        top = len(self.code)
        self.code[begin][2] = top
        self.node(condition, checked=False)
        leave = self.emit("JZ" if until else "JNZ", 0)
        self.node(body, checked=checked)
        self.emit("KEEP", top)
        self._here(leave, 1)
        self.emit("ENDL")
        self._here(begin, 1)

    def _for(self, node: For, checked: bool) -> None:
        words = None if node.words is None else [self._word(word) for word in node.words]
        self._results = 0
        begin = self.emit("FOR", node.name, words, 0)
        top = self.emit("NEXT", node.name, 0)
        self.node(node.body, checked=checked)
        self.emit("KEEP", top)
        self._here(begin, 3)
        self._here(top, 2)

    def _prepared(self, name: str, *arguments: Word | str | None) -> None:
        """An instruction whose words are expanded before it."""
        words = [self._word(each) if isinstance(each, Word) else each for each in arguments]
        self._results = 0
        self.emit(name, *words)

    def _counted(self, node: Counted, checked: bool) -> None:
        self._prepared("LET", node.first)
        begin = self.emit("LOOP", 0, 0)
        top = len(self.code)
        leave = None
        if node.condition.parts != (DoubleQuoted(()),):
            self._prepared("LET", node.condition)
            leave = self.emit("JNZ", 0)
        self.node(node.body, checked=checked)
        self.emit("KEEP", len(self.code) + 1)
        self.code[begin][2] = len(self.code)
        self._prepared("LET", node.step)
        self.emit("JMP", top)
        if leave is not None:
            self._here(leave, 1)
        self.emit("ENDL")
        self._here(begin, 1)

    def _case(self, node: Case, checked: bool) -> None:
        subject = self._word(node.subject)
        arms: list[list[Any]] = [[[self._word(word) for word in words], 0] for words, _ in node.items]
        self._results = 0
        at = self.emit("CASE", subject, arms, 0)
        ends = []
        for arm, (_, body) in zip(arms, node.items, strict=True):
            arm[1] = len(self.code)
            self.node(body, checked=checked)
            ends.append(self.emit("JMP", 0))
        for end in ends:
            self._here(end, 1)
        self._here(at, 3)

    def _simple(self, node: Simple, checked: bool, tail: bool) -> None:
        before = len(self.code)
        if not node.words and not node.redirects and node.assignments:
            last = len(node.assignments) - 1
            for index, assignment in enumerate(node.assignments):
                if not isinstance(assignment, Assignment):
                    self._of_array(assignment)
                    before = len(self.code) - index - 1
                    continue
                word = self._word(assignment.value)
                substituted = len(self.code) - before > index
                self._results = 0
                self.emit("SET", assignment.name, word, index == last, substituted, checked)
            return
        words = [self._word(word) for word in node.words]
        redirects = self._redirects(node.redirects)
        assigns = [
            [each.name, self._word(each.value)] for each in node.assignments if isinstance(each, Assignment)
        ]
        self._results = 0
        self.emit(
            "RUN", words, assigns, redirects, (CHECKED if checked else 0) | (TAIL if tail else 0), node.line
        )

    def _of_array(self, node: Element | Array) -> None:
        if isinstance(node, Element):
            words = [self._word(node.index), self._word(node.value)]
            self._results = 0
            self.emit("ELEM", node.name, *words, node.more)
            return
        items = [
            [None if index is None else self._word(index), self._word(value)] for index, value in node.items
        ]
        self._results = 0
        self.emit("ARR", node.name, items, node.more)

    def _redirects(self, redirects: tuple[Redirect, ...]) -> list[list[Any]]:
        prepared = []
        for each in redirects:
            operator = each.operator
            if operator in ("<<", "<<-"):
                body = self._word(each.body) if each.body is not None else []
                prepared.append([each.descriptor, "<<", body])
            elif operator.startswith("&>"):
                prepared.append([1, operator[1:], self._word(each.target)])
                prepared.append([2, ">&", ["1"]])
            else:
                prepared.append([each.descriptor, operator, self._word(each.target)])
        return prepared

    # --- words ----------------------------------------------------------------------------------

    def _word(self, word: Word) -> Template:
        return [self._part(part) for part in word.parts]

    def _part(self, part: Part) -> Any:
        match part:
            case Literal(text):
                return text
            case Quoted(text):
                return ["q", text]
            case Tilde():
                return ["~"]
            case DoubleQuoted(parts):
                return ["d", [self._part(each) for each in parts]]
            case Arithmetic(expression):
                return ["a", self._word(expression)]
            case Substitution(body):
                at = self.emit("SUB", self._results, 0)
                number = self._results
                self._child(body)
                self._here(at, 2)
                self._results = number + 1
                return ["s", number]
            case Parameter(name, operator, word, None):
                return self._parameter(name, operator, word)
            case Parameter(name, operator, word, second):
                assert word is not None
                return [
                    "p",
                    name,
                    operator,
                    self._word(word),
                    self._word(second) if second is not None else None,
                ]
        raise AssertionError(part)

    def _parameter(self, name: str, operator: str, word: Word | None) -> Any:
        if word is None:
            return ["p", name, operator, None]
        conditional = operator[-1] in "-=+?" and _substitutes(word.parts)
        skip = self.emit("SKIP", name, operator, 0) if conditional else None
        template = self._word(word)
        if skip is not None:
            self._here(skip, 3)
        return ["p", name, operator, template]


def _substitutes(parts: tuple[Part, ...]) -> bool:
    """Is there a command substitution in these parts?"""
    for part in parts:
        match part:
            case Substitution():
                return True
            case DoubleQuoted(inner):
                if _substitutes(inner):
                    return True
            case Arithmetic(expression):
                if _substitutes(expression.parts):
                    return True
            case Parameter(_, _, word, second):
                if any(each is not None and _substitutes(each.parts) for each in (word, second)):
                    return True
    return False
