"""From words to arguments: parameters, results, field splitting, globbing.

The order is POSIX's. Expanded text travels as segments (text, quoted), so that a quoted star never becomes a pattern
and quoted blanks never split. Common words are bound to short functions; all others go the general way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cluster_engine.linux.sh import arithmetic, arrays, pattern
from cluster_engine.linux.sh.errors import ShellError
from cluster_engine.linux.sh.shell import ARGUMENT, DEFAULT_IFS, Shell, Text
from cluster_engine.linux.sh.words import CASES
from cluster_engine.linux.text import characters, octets

_RUNS = re.compile(r"[ \t\n]+|[^ \t\n]+")
_WORDS = re.compile(r"[^ \t\n]+")
_SPECIAL = re.compile(r"[ \t\n*?\[\\]")
_GLOB = re.compile(r"[*?\\]|\[.*\]", re.DOTALL)

Append = Callable[[Shell, list[str]], None]


class Fields:
    """Collects the fields of a word list."""

    def __init__(self, max_fields: int, max_bytes: int) -> None:
        self.done: list[list[tuple[str, bool]]] = []
        self.current: list[tuple[str, bool]] | None = None
        self._max_fields = max_fields
        self._max_bytes = max_bytes
        self.bytes = 0

    def add(self, text: str, quoted: bool) -> None:
        """Text that belongs to the current field."""
        if self.current is None:
            self.current = []
        self.bytes += len(text)
        if self.bytes > self._max_bytes:
            raise ShellError("out of memory")
        self.current.append((text, quoted))

    def end(self) -> None:
        """The current field, if any, is complete."""
        if self.current is not None:
            if len(self.done) >= self._max_fields:
                raise ShellError("Argument list too long")
            self.done.append(self.current)
            self.current = None

    def split(self, text: str, ifs: str) -> None:
        """The unquoted result of an expansion: blanks of IFS separate fields."""
        if ifs == DEFAULT_IFS:
            for run in _RUNS.finditer(text):
                if run.group()[0] in DEFAULT_IFS:
                    self.end()
                else:
                    self.add(run.group(), False)
            return
        if not ifs:
            if text:
                self.add(text, False)
            return
        white = [char for char in DEFAULT_IFS if char in ifs]
        at, end = 0, len(text)
        while at < end:
            stop = at
            while stop < end and text[stop] not in ifs:
                stop += 1
            if stop > at:
                self.add(text[at:stop], False)
            if stop >= end:
                return
            at = stop
            while at < end and text[at] in white:
                at += 1
            if at < end and text[at] in ifs and (text[at] not in white):
                at += 1
                while at < end and text[at] in white:
                    at += 1
                if self.current is None:
                    self.add("", True)
            self.end()


# --- the general way -------------------------------------------------------------------------------


def _fields(sh: Shell, word: list[Any], out: list[str]) -> None:
    limits = sh.kernel.limits
    fields = Fields(limits.fields, limits.value)
    _parts(sh, word, fields)
    fields.end()
    if fields.bytes > 512:
        sh.extra += fields.bytes // 512
    glob = "f" not in sh.p["opts"]
    for field in fields.done:
        if glob and pattern.is_pattern(field):
            found, work = pattern.glob(sh.files(), field)
            sh.extra += work
            if len(found) + len(out) > limits.fields:
                raise ShellError("Argument list too long")
            out.extend(found or [pattern.plain(field)])
        else:
            out.append(pattern.plain(field))


def segments(sh: Shell, word: list[Any]) -> list[tuple[str, bool]]:
    """One pattern (`case`, `${x%…}`): no splitting, no globbing."""
    limits = sh.kernel.limits
    fields = Fields(limits.fields, limits.value)
    _parts(sh, word, fields, split=False)
    fields.end()
    if fields.bytes > 512:
        sh.extra += fields.bytes // 512
    joined: list[tuple[str, bool]] = []
    for index, field in enumerate(fields.done):
        if index:
            joined.append((" ", True))
        joined.extend(field)
    return joined


def _text(sh: Shell, word: list[Any]) -> str:
    return pattern.plain(segments(sh, word))


def _parts(
    sh: Shell, parts: list[Any], out: Fields, *, quoted: bool = False, split: bool = True, loose: bool = False
) -> None:
    """Append `parts` to `out`. `loose`: unquoted literal text splits too (`${x:-a b}`)."""
    for part in parts:
        if isinstance(part, str):
            if loose and split:
                out.split(part, sh.ifs())
            else:
                out.add(part, quoted)
            continue
        kind = part[0]
        if kind == "q":
            out.add(part[1], True)
        elif kind == "p":
            _parameter(sh, part, out, quoted, split)
        elif kind == "d":
            _double(sh, part[1], out, split)
        elif kind == "s":
            _result(sh, sh.p["res"].get(str(part[1]), ""), out, quoted, split)
        elif kind == "a":
            _result(sh, str(_calculate(sh, _text(sh, part[1]))), out, quoted, split)
        else:
            out.add(sh.vars.get("HOME", "~"), True)


def _double(sh: Shell, parts: list[Any], out: Fields, split: bool) -> None:
    before, started = len(out.done), out.current is not None
    _parts(sh, parts, out, quoted=True, split=split)
    nothing = len(out.done) == before and out.current is None and not started
    if nothing and not any(
        part[0] == "p" and _is_list(part[1]) for part in parts if not isinstance(part, str)
    ):
        out.add("", True)


def _is_list(name: str) -> bool:
    return name == "@" or name.endswith("[@]")


def _result(sh: Shell, text: str, out: Fields, quoted: bool, split: bool) -> None:
    if quoted or not split:
        if text or quoted:
            out.add(text, quoted)
    else:
        out.split(text, sh.ifs())


def _calculate(sh: Shell, text: str) -> int:
    sh.extra += len(text) // 64
    return arithmetic.compiled(text)(sh)


def _parameter(sh: Shell, part: list[Any], out: Fields, quoted: bool, split: bool) -> None:
    name, operator, word = part[1:4]
    if name in ("@", "*") and not operator:
        _listed(sh, sh.p["args"], name, out, quoted, split)
        return
    if name[-1] == "]" or operator == "!":
        if _subscripted(sh, name, operator, word, out, quoted, split):
            return
        value = arrays.value(sh, *name[:-1].split("[", 1)) if name[-1] == "]" else sh.parameter(name)
    else:
        value = sh.parameter(name)
    if operator == "length":
        if value is None:
            sh.unset(name)
        _result(sh, str(len(characters(value or ""))), out, quoted, split)
        return
    if operator[:1] in ("%", "#"):
        if value is None:
            value = sh.unset(name)
        sh.extra += len(value) // 256
        _result(sh, pattern.trim(segments(sh, word), value, operator), out, quoted, split)
        return
    if operator in (":", "/", "//"):
        if value is None:
            value = sh.unset(name)
        second = part[4] if len(part) > 4 else None
        sh.extra += len(value) // 64
        if operator == ":":
            text = _cut(sh, value, word, second)
        else:
            text = pattern.replace(segments(sh, word), value, _text(sh, second or []), every=operator == "//")
        _result(sh, text, out, quoted, split)
        return
    if operator in CASES:
        _result(sh, _cased(value or "", operator), out, quoted, split)
        return
    missing = value is None or (operator.startswith(":") and value == "")
    if not operator:
        _result(sh, sh.unset(name) if value is None else value, out, quoted, split)
        return
    kind = operator[-1]
    if kind == "+":
        if not missing:
            _alternative(sh, word, out, quoted, split)
    elif not missing:
        if name in ("@", "*"):
            _listed(sh, sh.p["args"], name, out, quoted, split)
        else:
            _result(sh, value or "", out, quoted, split)
    elif kind == "-":
        _alternative(sh, word, out, quoted, split)
    elif kind == "=":
        if not (name[0].isalpha() or name[0] == "_"):
            raise ShellError("bad variable name")
        chosen = _text(sh, word)
        sh.assign(name, chosen)
        _result(sh, chosen, out, quoted, split)
    else:
        message = _text(sh, word)
        default = "parameter not set or null" if operator == ":?" else "parameter not set"
        raise ShellError(f"{name}: {message or default}")


def _cut(sh: Shell, value: str, offset: list[Any], length: list[Any] | None) -> str:
    """``${name:offset:length}``: negative numbers count from the end."""
    wide = characters(value)
    start = _calculate(sh, _text(sh, offset))
    if start < 0:
        start += len(wide)
    if start < 0 or start > len(wide):
        return ""
    if length is None:
        return octets(wide[start:])
    count = _calculate(sh, _text(sh, length))
    return octets(wide[start : start + count] if count >= 0 else wide[start : len(wide) + count])


def _alternative(sh: Shell, word: list[Any], out: Fields, quoted: bool, split: bool) -> None:
    if quoted:
        inner = word[0] if word else None
        parts = inner[1] if isinstance(inner, list) and inner[0] == "d" else word
        _parts(sh, parts, out, quoted=True, split=split)
    else:
        _parts(sh, word, out, split=split, loose=True)


def _cased(text: str, operator: str) -> str:
    """`${name^^}`, `${name^}`, `${name,,}`, `${name,}`."""
    wide = characters(text)
    change = str.upper if operator[0] == "^" else str.lower
    return octets(change(wide) if len(operator) == 2 else change(wide[:1]) + wide[1:])


def _subscripted(
    sh: Shell, name: str, operator: str, word: Any, out: Fields, quoted: bool, split: bool
) -> bool:
    """What is no single value: a whole array, its indices or its length, a name that another holds. False: it is."""
    base, _, index = name.rstrip("]").partition("[")
    if operator == "!" and not index:
        wanted = sh.parameter(name) or ""
        held, _, inner = wanted.rstrip("]").partition("[")
        value = arrays.value(sh, held, inner) if inner else sh.parameter(held) if held else None
        _result(sh, value or "", out, quoted, split)
        return True
    if index not in ("@", "*"):
        return False
    found = arrays.elements(sh, base)
    if operator == "length":
        _result(sh, str(len(found)), out, quoted, split)
        return True
    values = [key for key, _ in found] if operator == "!" else [value for _, value in found]
    kind = operator[-1:]
    if (kind == "+" and found) or (kind in ("-", "=", "?") and not found):
        _alternative(sh, word, out, quoted, split)
        return True
    if kind == "+":
        return True
    if operator[:1] in ("%", "#"):
        trimmed = segments(sh, word)
        values = [pattern.trim(trimmed, value, operator) for value in values]
    elif operator in CASES:
        values = [_cased(value, operator) for value in values]
    elif operator not in ("", "!", "-", "=", "?", ":-", ":=", ":?"):
        raise ShellError(f"${{{name}{operator}...}}: bad substitution")
    _listed(sh, values, index, out, quoted, split)
    return True


def _listed(sh: Shell, values: list[str], name: str, out: Fields, quoted: bool, split: bool) -> None:
    if name == "*" and quoted:
        out.add(sh.ifs()[:1].join(values), True)
        return
    for index, value in enumerate(values):
        if index:
            out.end()
        if quoted:
            out.add(value, True)
        elif split:
            out.split(value, sh.ifs())
        elif value:
            out.add(value, False)


# --- bound words -----------------------------------------------------------------------------------


def constant(word: list[Any]) -> str | None:
    """The text of a word that is always the same, and no pattern; None for any other."""
    texts = []
    for part in word:
        if isinstance(part, str):
            if _GLOB.search(part):
                return None
            texts.append(part)
        elif part[0] == "q":
            texts.append(part[1])
        elif part[0] == "d":
            if not all(isinstance(each, list) and each[0] == "q" for each in part[1]):
                return None
            texts.append("".join(each[1] for each in part[1]))
        else:
            return None
    return "".join(texts)


def bind_fields(word: list[Any]) -> Append:
    """A function that appends the fields of a word."""
    text = constant(word)
    if text is not None:
        fixed = text
        return lambda sh, out: out.append(fixed)
    if len(word) == 1 and isinstance(word[0], list):
        part = word[0]
        if part[0] == "d" and all(_simple(each) for each in part[1]):
            whole = bind_text(word)
            return lambda sh, out: out.append(whole(sh))
        if (part[0] == "p" and _is_plain(part)) or part[0] in ("s", "a"):
            return _unquoted(bind_text(word), word)
    return lambda sh, out: _fields(sh, word, out)


def _unquoted(get: Text, word: list[Any]) -> Append:
    def append(sh: Shell, out: list[str]) -> None:
        if "IFS" in sh.vars:
            _fields(sh, word, out)
            return
        value = get(sh)
        if value.isalnum():
            out.append(value)
        elif _SPECIAL.search(value):
            if _GLOB.search(value):
                _fields(sh, word, out)
            else:
                out.extend(_WORDS.findall(value))
        elif value:
            out.append(value)

    return append


def _is_plain(part: Any) -> bool:
    return not part[2] and part[1] not in ("@", "*") and part[1][-1] != "]"


def _simple(part: Any) -> bool:
    """Can the part be bound to a function that gives one text?"""
    if isinstance(part, str) or part[0] in ("q", "s", "~"):
        return True
    if part[0] == "p":
        return part[2] in ("", "length") and part[1] not in ("@", "*") and part[1][-1] != "]"
    if part[0] == "a":
        return True
    return all(_simple(each) for each in part[1])


def bind_text(word: list[Any]) -> Text:
    """A function that gives a word as one text (assignments, redirections, here-documents)."""
    fixed = constant(word)
    if fixed is None and all(isinstance(part, str) for part in word):
        fixed = "".join(word)
    if fixed is not None:
        value = fixed
        return lambda sh: value
    if not all(_simple(part) for part in word):
        return lambda sh: _text(sh, word)
    pieces = [_piece(part) for part in word]
    if len(pieces) == 1:
        return pieces[0]
    if len(pieces) == 2:
        first, second = pieces
        return lambda sh: first(sh) + second(sh)
    return lambda sh: "".join([piece(sh) for piece in pieces])


def _piece(part: Any) -> Text:
    if isinstance(part, str):
        text = part
        return lambda sh: text
    kind = part[0]
    if kind == "q":
        quoted: str = part[1]
        return lambda sh: quoted
    if kind == "s":
        key = str(part[1])
        return lambda sh: sh.p["res"].get(key, "")
    if kind == "d":
        return bind_text(part[1])
    if kind == "a":
        return _bind_arithmetic(part[1])
    if kind == "~":
        return lambda sh: sh.vars.get("HOME", "~")
    name, operator = part[1], part[2]
    if operator:
        return lambda sh: _text(sh, [part])
    if name[0].isalpha() or name[0] == "_":

        def variable(sh: Shell) -> str:
            value = sh.vars.get(name)
            return sh.unset(name) if value is None else value

        return variable
    if name == "?":
        return lambda sh: str(sh.status)

    def special(sh: Shell) -> str:
        value = sh.parameter(name)
        return sh.unset(name) if value is None else value

    return special


def _bind_arithmetic(word: list[Any]) -> Text:
    parts = word[0][1] if len(word) == 1 and isinstance(word[0], list) and word[0][0] == "d" else word
    texts, names = [], []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif part[0] == "q":
            texts.append(part[1])
        elif part[0] == "p" and _is_plain(part) and (part[1][0].isalnum() or part[1][0] == "_"):
            name = ARGUMENT + part[1] if part[1][0].isdecimal() else part[1]
            texts.append(f" {name} ")
            names.append(part[1])
        else:
            whole = bind_text(word)
            return lambda sh: str(_calculate(sh, whole(sh)))
    try:
        compute = arithmetic.compiled("".join(texts))
    except ShellError:
        whole = bind_text(parts) if names else bind_text([["q", "".join(texts)]])
        return lambda sh: str(_calculate(sh, whole(sh)))
    if not names:
        return lambda sh: str(compute(sh))
    whole = _joined(parts)
    if any(_sticks(parts, index) for index, part in enumerate(parts) if part[0] == "p"):
        return lambda sh: str(_calculate(sh, whole(sh)))

    def run(sh: Shell) -> str:
        # `$x` means what `x` means as long as its value is a plain number.
        for name in names:
            value = sh.parameter(name) or ""
            if not value.isdecimal() or (value[0] == "0" and len(value) > 1):
                return str(_calculate(sh, whole(sh)))
        return str(compute(sh))

    return run


def _joined(parts: list[Any]) -> Text:
    pieces = [_piece(part) for part in parts]
    return lambda sh: "".join([piece(sh) for piece in pieces])


def _sticks(parts: list[Any], index: int) -> bool:
    """Does `$x` touch a digit, a letter or another parameter (`1$x`)?"""
    for neighbour, end in ((index - 1, -1), (index + 1, 0)):
        if 0 <= neighbour < len(parts):
            part = parts[neighbour]
            text = part if isinstance(part, str) else part[1] if part[0] == "q" else "x"
            char = text[end : end + 1 or None]
            if char.isalnum() or char == "_" or char == "=":
                return True
        continue
    return False
