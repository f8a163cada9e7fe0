"""The typed syntax of a command line: what `parse.py` builds and `compile.py` reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# --- words -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """Unquoted text: globbing applies, splitting does not."""

    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text from `'…'`, a backslash, or plain text inside `"…"`."""

    text: str


@dataclass(frozen=True, slots=True)
class Tilde:
    """`~` at the start of a word."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name`, `${name}`, `${#name}`, `${name:-word}` and its kin."""

    name: str
    operator: str = ""
    word: Word | None = None
    second: Word | None = None
    """The length of `${name:offset:length}`, the replacement of `${name/pattern/replacement}`."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(…)` or backticks."""

    body: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((…))`; the expression is expanded first, then computed."""

    expression: Word


@dataclass(frozen=True, slots=True)
class DoubleQuoted:
    """`"…"`: its parts are expanded but neither split nor globbed."""

    parts: tuple[Part, ...]


Part: TypeAlias = Literal | Quoted | Tilde | Parameter | Substitution | Arithmetic | DoubleQuoted


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the source."""

    parts: tuple[Part, ...]

    def plain(self) -> str | None:
        """The text, where the word is nothing but unquoted text (keywords, alias names)."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Literal):
            return self.parts[0].text
        return None


# --- commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`."""

    name: str
    value: Word


@dataclass(frozen=True, slots=True)
class Element:
    """`name[index]=value`, of bash; without an index (`name+=value` of an array) the next one."""

    name: str
    index: Word
    value: Word
    more: bool = False
    """`+=`: behind what is there."""


@dataclass(frozen=True, slots=True)
class Array:
    """`name=(words)`, of bash."""

    name: str
    items: tuple[tuple[Word | None, Word], ...]
    """(index if it has one, value)."""
    more: bool = False


@dataclass(slots=True)
class Redirect:
    """`2>file`, `<<EOF`, `>&2`. `body` of a here-document is filled in when its lines are read."""

    descriptor: int
    operator: str
    target: Word
    body: Word | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, a command name with arguments, redirections."""

    assignments: tuple[Assignment | Element | Array, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections of its own."""

    body: Node
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Two or more commands joined by `|`."""

    members: tuple[Node, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """`! pipeline`."""

    body: Node


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first && b || c`, left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after the other (none is allowed: an empty line)."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Background:
    """`command &`."""

    body: Node
    source: str


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to be parsed when all before it has run: an alias may change what it means."""

    text: str
    error: str = ""
    """Why it cannot be parsed."""


@dataclass(frozen=True, slots=True)
class If:
    """`if`/`elif`/`else`; `arms` are (condition, body)."""

    arms: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Loop:
    """`while` and `until`."""

    condition: Node
    body: Node
    until: bool


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words`; `words` is None for `"$@"`."""

    name: str
    words: tuple[Word, ...] | None
    body: Node


@dataclass(frozen=True, slots=True)
class Counted:
    """`for ((first; condition; step))`, of bash."""

    first: Word
    condition: Word
    step: Word
    body: Node


@dataclass(frozen=True, slots=True)
class Compute:
    """`(( expression ))`, of bash: true when it is not 0."""

    expression: Word


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of `[[ … ]]`, of bash: `-f file`, `text`, `left == pattern`."""

    operator: str
    left: Word
    right: Word | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """`[[ … ]]` or `(( … ))` as a command: `set -e` may end the shell with it."""

    body: Node


@dataclass(frozen=True, slots=True)
class Case:
    """`case word in pattern) … ;; esac`."""

    subject: Word
    items: tuple[tuple[tuple[Word, ...], Node], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """`name() body`."""

    name: str
    body: Node
    source: str


@dataclass(frozen=True, slots=True)
class Subshell:
    """`( … )`."""

    body: Node
    source: str = ""


Node: TypeAlias = (
    Simple
    | Redirected
    | Pipeline
    | Not
    | AndOr
    | Sequence
    | Background
    | Rest
    | If
    | Loop
    | For
    | Case
    | Function
    | Subshell
    | Counted
    | Compute
    | Condition
    | Tested
)
