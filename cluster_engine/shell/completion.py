"""What Tab offers: commands, paths, variables; arguments of external programs come from the host."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster_engine.linux.sh.parse import parse
from cluster_engine.linux.sh.syntax import Literal, Quoted, Simple

from .errors import ParseError
from .shell import Shell
from .vfs import normal

MAX_SHOWN = 100
_BREAKS = "|;&(\n{`"
_BEFORE_COMMAND = frozenset(["then", "do", "else", "elif", "if", "while", "until", "!", "{"])
_ESCAPE = " \t\\'\"$`&|;<>()*?[]#~!{}"


@dataclass(slots=True)
class Request:
    """A word to complete: `words` before it on its command, `prefix` as meant, `start` in the text."""

    words: list[str]
    prefix: str
    start: int
    quote: str
    text: str
    cursor: int


@dataclass(slots=True)
class Offer:
    """Candidates; `final` of each is what follows it (a blank, `/`, nothing)."""

    names: list[str] = field(default_factory=list)
    finals: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    files: bool = False
    """The host has nothing to offer but the names of files."""


def analyse(text: str, cursor: int) -> Request:
    """Split the part of the line before the cursor into the words of its last command."""
    words: list[str] = []
    word: list[str] = []
    start, quote, inside = 0, "", False
    at = 0
    while at < cursor:
        char = text[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and at + 1 < cursor and text[at + 1] in '"\\$`':
                at += 1
                word.append(text[at])
            else:
                word.append(char)
        elif char in "'\"":
            if not inside:
                start, inside = at, True
            quote = char
        elif char == "\\" and at + 1 < cursor:
            if not inside:
                start, inside = at, True
            at += 1
            word.append(text[at])
        elif char in " \t" or char in _BREAKS or char in "<>":
            if inside:
                words.append("".join(word))
                word, inside = [], False
            if char in _BREAKS:
                words = []
            elif char in "<>":
                words.append(char)
        else:
            if not inside:
                start, inside = at, True
            word.append(char)
        at += 1
    if not inside:
        start = cursor
    while words and words[0] in _BEFORE_COMMAND:
        words.pop(0)
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        words.pop(0)
    return Request(words, "".join(word), start, quote, text, cursor)


def external_words(shell: Shell, request: Request) -> list[str] | None:
    """The whole command up to the cursor, alias resolved, if it belongs to an external program."""
    words = request.words
    if not words or any(mark in words for mark in ("<", ">")):
        return None
    name = words[0]
    if name in shell.process.aliases:
        try:
            node = parse(shell.process.aliases[name], final=True)
        except ParseError:
            return None
        if not isinstance(node, Simple):
            return None
        expanded = [
            "".join(part.text for part in word.parts if isinstance(part, Literal | Quoted))
            for word in node.words
        ]
        words = expanded + words[1:]
    if not words or words[0] not in shell.externals:
        return None
    return [*words, request.prefix]


def offer(shell: Shell, request: Request) -> Offer:
    """What the shell itself knows."""
    prefix = request.prefix
    if prefix.startswith("$") and request.quote != "'":
        names = [f"${name}" for name in sorted(shell.process.variables)]
        return _matching(names, prefix, " ")
    if not request.words and "/" not in prefix:
        known = {**shell.commands, **shell.externals, **shell.process.functions, **shell.process.aliases}
        return _matching(sorted(name for name in known if name[0].isalpha()), prefix, " ")
    if request.words and request.words[0] in ("export", "unset", "readonly"):
        return _matching(sorted(shell.process.variables), prefix, "")
    return paths(shell, prefix, folders_only=bool(request.words) and request.words[0] in ("cd", "rmdir"))


def paths(shell: Shell, prefix: str, *, folders_only: bool = False) -> Offer:
    """Paths of the virtual file system."""
    folder, slash, base = prefix.rpartition("/")
    shown = folder + slash
    home = shell.process.get("HOME") or "/"
    real = home + shown[1:] if shown.startswith("~/") else shown
    here = normal(real or ".", shell.process.cwd) if real != "/" else "/"
    result = Offer()
    if not shell.vfs.is_dir(here):
        return result
    for name in shell.vfs.listdir(here):
        if not name.startswith(base) or (name.startswith(".") and not base.startswith(".")):
            continue
        is_dir = shell.vfs.is_dir(normal(name, here))
        if folders_only and not is_dir:
            continue
        full = shown + name
        result.names.append(full)
        result.finals[full] = "/" if is_dir else " "
        result.labels[full] = name + ("/" if is_dir else "")
    return result


def _matching(names: list[str], prefix: str, final: str) -> Offer:
    found = [name for name in names if name.startswith(prefix)]
    return Offer(found, dict.fromkeys(found, final))


def apply(request: Request, found: Offer) -> tuple[str, int] | None:
    """The text and cursor after completing, or None if there is nothing to add."""
    if not found.names:
        return None
    common = _common(found.names)
    if len(found.names) == 1:
        final = found.finals.get(common, " ")
        insert = _quoted(common, request.quote)
        if final == " " and request.quote:
            insert += request.quote
        insert += final
    else:
        if len(common) <= len(request.prefix):
            return None
        insert = _quoted(common, request.quote)
    text = request.text[: request.start] + insert + request.text[request.cursor :]
    return text, request.start + len(insert)


def _common(names: list[str]) -> str:
    """The longest text that all names begin with: that of the first and the last in order."""
    first, last = min(names), max(names)
    at = 0
    while at < len(first) and at < len(last) and first[at] == last[at]:
        at += 1
    return first[:at]


def _quoted(text: str, quote: str) -> str:
    if quote:
        return quote + text
    head = ""
    if text.startswith(("~/", "$")):
        head, text = text[:1], text[1:]
    return head + "".join("\\" + char if char in _ESCAPE else char for char in text)
