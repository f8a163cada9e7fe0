"""Arrays of bash, kept among the variables: element 0 as the variable itself, the others as ``name[index]``.

So ``$name`` is the first element, as in bash, and a keyframe needs to know nothing of arrays. What `declare -A` made
has a mark, and its elements are all under their keys.
"""

from __future__ import annotations

import re

from cluster_engine.linux.sh import arithmetic
from cluster_engine.linux.sh.errors import ShellError
from cluster_engine.linux.sh.shell import Shell

MAX_INDEX = 1 << 31
_MARK = "[]"
_NAMED = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*|[0-9]))")


class BadSubscript(ShellError):
    """An index before the first element."""


Item = tuple[str | None, str]
"""(index as it is written, if it is; value)."""


def is_element(name: str) -> bool:
    """Is this a variable's name that no command may show?"""
    return "[" in name


def associate(sh: Shell, name: str) -> None:
    """`declare -A name`."""
    sh.assign(name + _MARK, "1")


def forget(sh: Shell, name: str) -> None:
    """All elements but that of the variable itself."""
    sh.extra += 1 + len(sh.vars) // 64
    for each in [each for each in sh.vars if each.startswith(f"{name}[")]:
        del sh.vars[each]


def elements(sh: Shell, name: str) -> list[tuple[str, str]]:
    """(index, value), in order."""
    sh.extra += 1 + len(sh.vars) // 64
    begin = len(name) + 1
    inside = [
        (key[begin:-1], value)
        for key, value in sh.vars.items()
        if key.startswith(f"{name}[") and key != name + _MARK
    ]
    if name + _MARK in sh.vars:
        return inside
    found = [("0", sh.vars[name])] if name in sh.vars else []
    return found + sorted(inside, key=lambda each: int(each[0]))


def value(sh: Shell, name: str, index: str) -> str | None:
    """An element; None when there is none, which an index before the first one is told of. Raises ShellError."""
    try:
        return sh.vars.get(_place(sh, name, index))
    except BadSubscript as error:
        sh.say(str(error))
        return None


def remove(sh: Shell, name: str, index: str) -> None:
    """`unset 'name[index]'`; ``@`` and ``*`` are all of it."""
    if index in ("@", "*"):
        sh.unset_variable(name)
        return
    if name in sh.p["readonly"]:
        raise ShellError(f"{name}: is read only")
    sh.vars.pop(_place(sh, name, index), None)


def assign(sh: Shell, name: str, index: str, text: str, *, more: bool = False) -> None:
    """Set an element, or put something behind what it has. Raises ShellError."""
    if name in sh.p["readonly"]:
        raise ShellError(f"{name}: is read only")
    place = _place(sh, name, index)
    sh.assign(place, sh.vars.get(place, "") + text if more else text)


def assign_all(sh: Shell, name: str, items: list[Item], *, more: bool = False) -> None:
    """`name=(…)` and `name+=(…)`. Raises ShellError."""
    if name in sh.p["readonly"]:
        raise ShellError(f"{name}: is read only")
    associated = name + _MARK in sh.vars
    at = 0
    if more:
        at = max((int(index) for index, _ in elements(sh, name)), default=-1) + 1 if not associated else 0
    else:
        forget(sh, name)
        sh.vars.pop(name, None)
        if associated:
            associate(sh, name)
    for index, text in items:
        if index is None and associated:
            raise ShellError(f"{name}: {text}: must use subscript when assigning associative array")
        place = _place(sh, name, str(at) if index is None else index)
        sh.assign(place, text)
        if not associated:
            at = (int(place[len(name) + 1 : -1]) if place != name else 0) + 1


def _place(sh: Shell, name: str, index: str) -> str:
    """The variable of an element."""
    filled = _NAMED.sub(
        lambda match: sh.parameter(match.group(1) or match.group(2)) or "", index.replace("$((", "((")
    )
    if name + _MARK in sh.vars:
        quoted = len(filled) > 1 and filled[0] == filled[-1] and filled[0] in "\"'"
        return f"{name}[{filled[1:-1] if quoted else filled}]"
    number = arithmetic.compiled(filled)(sh)
    if number < 0:
        number += max((int(each) for each, _ in elements(sh, name)), default=-1) + 1
    if not 0 <= number < MAX_INDEX:
        raise BadSubscript(f"{name}: bad array subscript")
    return f"{name}[{number}]" if number else name
