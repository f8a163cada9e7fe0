"""What Tab offers: commands, paths, variables; what the arguments of a program may be, the host knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster_engine.linux import processes
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Files
from cluster_engine.linux.sh.arrays import is_element
from cluster_engine.linux.sh.shell import Shell
from cluster_engine.linux.text import characters, octets

MAX_SHOWN = 100
"""Candidates that are listed; of more their number is said."""
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
    """Candidates; `finals` of each is what follows it (a blank, `/`, nothing)."""

    names: list[str] = field(default_factory=list)
    finals: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


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


def hosts_words(sh: Shell, request: Request) -> list[str] | None:
    """The whole command up to the cursor, alias resolved, if the host knows its program's arguments."""
    words = request.words
    if not words or any(mark in words for mark in ("<", ">")):
        return None
    aliases: dict[str, str] = sh.p["aliases"]
    if octets(words[0]) in aliases:
        meant = characters(aliases[octets(words[0])]) + " "
        words = analyse(meant, len(meant)).words + words[1:]
    if not words or octets(words[0]) in sh.p["funcs"]:
        return None
    try:
        full = processes.find(sh.kernel, sh.p, octets(words[0]), sh.vars.get("PATH"))
        program, _ = processes.load(sh.kernel, sh.p, full, [])
    except FileError:
        return None
    return [*words, request.prefix] if program.completes else None


def offer(sh: Shell, request: Request, builtins: tuple[str, ...]) -> Offer:
    """What the shell itself knows."""
    prefix = request.prefix
    if prefix.startswith("$") and request.quote != "'":
        return _matching([f"${name}" for name in _variables(sh)], prefix, " ")
    if not request.words and "/" not in prefix:
        known = {*builtins, *sh.p["funcs"], *sh.p["aliases"], *_programs(sh)}
        return _matching(sorted(characters(name) for name in known if name[:1].isalpha()), prefix, " ")
    if request.words and request.words[0] in ("export", "unset", "readonly"):
        return _matching(_variables(sh), prefix, "")
    return paths(sh, prefix, folders_only=bool(request.words) and request.words[0] in ("cd", "rmdir"))


def _variables(sh: Shell) -> list[str]:
    return [name for name in sorted(sh.vars) if not is_element(name)]


def _programs(sh: Shell) -> list[str]:
    files, found = sh.files(), []
    for folder in sh.vars.get("PATH", processes.DEFAULT_PATH).split(":"):
        try:
            found += files.listdir(folder or ".")
        except FileError:
            continue
    sh.extra += len(found) // 16
    return found


def paths(sh: Shell, prefix: str, *, folders_only: bool = False) -> Offer:
    """Names of files."""
    folder, slash, base = prefix.rpartition("/")
    shown = folder + slash
    home = characters(sh.vars.get("HOME") or "/")
    here = octets(home + shown[1:] if shown.startswith("~/") else shown) or "."
    files: Files = sh.files()
    result = Offer()
    try:
        names = files.listdir(here)
    except FileError:
        return result
    sh.extra += len(names) // 16
    for name in sorted(map(characters, names)):
        if not name.startswith(base) or (name.startswith(".") and not base.startswith(".")):
            continue
        is_dir = files.is_dir(f"{here}/{octets(name)}")
        if folders_only and not is_dir:
            continue
        full = shown + name
        result.names.append(full)
        result.finals[full] = "/" if is_dir else " "
        result.labels[full] = name + ("/" if is_dir else "")
    return result


def hosts_offer(names: list[str], final: str) -> Offer:
    """What the host knows."""
    return Offer(names, dict.fromkeys(names, final), {name: name for name in names})


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
