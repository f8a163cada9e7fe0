"""``export readonly local unset set shift getopts alias unalias``."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_engine.linux.sh import arithmetic, arrays
from cluster_engine.linux.sh.arrays import is_element
from cluster_engine.linux.sh.base import Usage, flags, quote
from cluster_engine.linux.sh.builtins.flow import count
from cluster_engine.linux.sh.errors import ShellError
from cluster_engine.linux.sh.parse import is_name
from cluster_engine.linux.sh.shell import Shell

OPTIONS = {
    "errexit": "e", "noglob": "f", "ignoreeof": "I", "monitor": "m", "noexec": "n", "xtrace": "x", "verbose": "v",
    "noclobber": "C", "allexport": "a", "notify": "b", "nounset": "u", "errtrace": "E", "vi": "V",
    "pipefail": "pipefail",
}  # fmt: skip


def _told(sh: Shell, fds: dict[str, str], how: str, names: Iterable[str]) -> int:
    """Variables as the commands that would make them so."""
    lines = []
    for name in sorted(names):
        value = sh.vars.get(name)
        lines.append(f"{how} {name}" + (f"={quote(value)}" if value is not None else "") + "\n")
    sh.write(fds, 1, "".join(lines))
    return 0


def _export(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "pn")
    process = sh.p
    if not words:
        return _told(sh, fds, "export", process["exported"])
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Usage(f"{name}: bad variable name")
        if equals:
            sh.assign(name, value)
        if "n" in given:
            process["exported"].pop(name, None)
        else:
            process["exported"][name] = 1
    return 0


def _readonly(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    _, words = flags(argv, "p")
    process = sh.p
    if not words:
        return _told(sh, fds, "readonly", process["readonly"])
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Usage(f"{name}: bad variable name")
        if equals:
            sh.assign(name, value)
        process["readonly"][name] = 1
        sh.guarded = True
    return 0


def _local(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    index = next(
        (
            i
            for i in range(len(sh.stack) - 1, -1, -1)
            if isinstance(sh.stack[i], list) and sh.stack[i][0] == "C"
        ),
        None,
    )
    if index is None:
        raise Usage("not in a function")
    for word in argv[1:]:
        if word == "-" or (sh.bash and word.startswith("-")):
            continue
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Usage(f"{name}: bad variable name")
        frame = sh.stack[index]
        if name not in frame[5]:
            saved = {**frame[5], name: [sh.vars.get(name), name in sh.p["exported"]]}
            sh.stack[index] = [*frame[:5], saved, *frame[6:]]
        if equals:
            sh.assign(name, value)
        elif name not in sh.p["readonly"]:
            sh.vars.pop(name, None)
    return 0


def _declare(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    """Of bash: ``-A`` makes an associative array; inside a function its variables are local."""
    given, words = flags(argv, "aAgiprxlu")
    process = sh.p
    inside = any(isinstance(frame, list) and frame[0] == "C" for frame in sh.stack)
    if not words:
        shown = [name for name in sorted(sh.vars) if not is_element(name)]
        sh.write(fds, 1, "".join(f"declare -- {name}={quote(sh.vars[name])}\n" for name in shown))
        return 0
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Usage(f"`{word}': not a valid identifier", 1)
        if inside and "g" not in given:
            _local(sh, ["local", word], fds)
        elif equals:
            sh.assign(name, value)
        if "A" in given:
            arrays.associate(sh, name)
        if "x" in given:
            process["exported"][name] = 1
        if "r" in given:
            process["readonly"][name] = 1
            sh.guarded = True
    return 0


def _unset(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "vf")
    for name in words:
        if "f" in given:
            sh.p["funcs"].pop(name, None)
            continue
        if sh.bash and name.endswith("]"):
            array, _, index = name[:-1].partition("[")
            arrays.remove(sh, array, index)
            continue
        if not is_name(name):
            raise Usage(f"{name}: bad variable name", 1)
        sh.unset_variable(name)
    return 0


def _set(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    process = sh.p
    words = argv[1:]
    if not words:
        sh.write(
            fds,
            1,
            "".join(f"{name}={quote(sh.vars[name])}\n" for name in sorted(sh.vars) if not is_element(name)),
        )
        return 0
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            process["args"] = words
            return 0
        for letter in word[1:]:
            if letter == "o":
                if not words:
                    _show_options(sh, fds, word[0])
                    return 0
                given = words.pop(0)
                if given not in OPTIONS:
                    raise Usage(f"illegal option {word[0]}o {given}", 1)
                letter = OPTIONS[given]
            elif letter not in "efImnxvCabuEV":
                raise Usage(f"illegal option {word[0]}{letter}")
            option(sh, letter, word[0] == "-")
    if words:
        process["args"] = words
    return 0


def option(sh: Shell, letter: str, on: bool) -> None:
    """Set or clear one option."""
    options = {name: 1 for name in sh.p["opts"] if name != letter}
    if on:
        options[letter] = 1
    sh.p["opts"] = options
    sh.guarded = bool(sh.p["readonly"]) or "a" in options


def _show_options(sh: Shell, fds: dict[str, str], sign: str) -> None:
    options = sh.p["opts"]
    if sign == "+":
        text = "".join(
            f"set {'-' if letter in options else '+'}o {name}\n" for name, letter in OPTIONS.items()
        )
    else:
        text = "".join(
            f"{name:<16}{'on' if letter in options else 'off'}\n" for name, letter in OPTIONS.items()
        )
    sh.write(fds, 1, text)


def _shift(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    number = count(argv[1]) if len(argv) > 1 else 1
    if number > len(sh.p["args"]):
        return 1
    sh.p["args"] = sh.p["args"][number:]
    return 0


def _getopts(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    """``getopts letters name [word …]``; ``getopts`` in the record is the place within a word of several letters."""
    if len(argv) < 3:
        raise Usage("usage: getopts optstring var [arg]", line=True)
    letters, name = argv[1], argv[2]
    words = argv[3:] or sh.p["args"]
    silent = letters.startswith(":")
    value = sh.vars.get("OPTIND", "1")
    index = int(value) if value.isdecimal() and int(value[:9]) > 0 else 1
    within = sh.p["getopts"]
    word = words[index - 1] if index <= len(words) else None
    if not within:
        if word is None or len(word) < 2 or word[0] != "-" or word == "--":
            if word == "--":
                index += 1
            sh.vars["OPTIND"] = str(index)
            sh.vars.pop("OPTARG", None)
            sh.assign(name, "?")
            return 1
        within = 1
    assert word is not None
    letter = word[within : within + 1]
    within += 1
    sh.vars.pop("OPTARG", None)
    at = letters.find(letter) if letter != ":" else -1
    result = letter
    if at < 0:
        result = "?"
        if silent:
            sh.vars["OPTARG"] = letter
        else:
            sh.write(fds, 2, f"Illegal option -{letter}\n")
    elif letters[at + 1 : at + 2] == ":":
        rest = word[within:]
        index += 1
        within = 0
        if rest:
            sh.vars["OPTARG"] = rest
        elif index <= len(words):
            sh.vars["OPTARG"] = words[index - 1]
            index += 1
        elif silent:
            sh.vars["OPTARG"], result = letter, ":"
        else:
            sh.write(fds, 2, f"No arg for -{letter} option\n")
            result = "?"
        word = ""
    if word and within >= len(word):
        index, within = index + 1, 0
    sh.vars["OPTIND"] = str(index)
    sh.p["getopts"] = within
    sh.assign(name, result)
    return 0


def _let(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    value = 0
    for word in argv[1:]:
        value = arithmetic.compiled(word)(sh)
    return 0 if value else 1


def _alias(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    aliases = sh.p["aliases"]
    if len(argv) == 1:
        sh.write(fds, 1, "".join(f"{name}={quote(aliases[name])}\n" for name in sorted(aliases)))
        return 0
    status = 0
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if equals:
            if len(aliases) >= sh.kernel.limits.functions:
                raise ShellError("out of memory")
            aliases[name] = value
        elif name in aliases:
            sh.write(fds, 1, f"{name}={quote(aliases[name])}\n")
        else:
            sh.write(fds, 2, f"alias: {name} not found\n")
            status = 1
    return status


def _unalias(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "a")
    if "a" in given:
        sh.p["aliases"] = {}
        return 0
    status = 0
    for name in words:
        if sh.p["aliases"].pop(name, None) is None:
            sh.write(fds, 2, f"unalias: {name} not found\n")
            status = 1
    return status


BUILTINS = {
    "export": _export, "readonly": _readonly, "local": _local, "unset": _unset, "set": _set, "shift": _shift,
    "getopts": _getopts, "alias": _alias, "unalias": _unalias, "let": _let, "declare": _declare, "typeset": _declare,
}  # fmt: skip
