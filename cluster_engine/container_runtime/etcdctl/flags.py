"""What an ``etcdctl`` command line asks for, and the words for what cannot be asked so.

Models etcdctl/ctlv3/command/{get_command,watch_command,global}.go and spf13/pflag's errors.
"""

from __future__ import annotations

from typing import Any

BAD_ARGUMENTS = 128
BAD_FEATURE = 4
FAILED = 1
HERE = "here are get, watch, endpoint status, endpoint health and version"
FORMATS = ("simple", "json", "fields", "table")
FROM_KEY = "\0"
ENDPOINT = "127.0.0.1:2379"

_GLOBAL = {
    "--cacert": "text", "--cert": "text", "--command-timeout": "text", "--dial-timeout": "text", "--endpoints": "text",
    "--insecure-skip-tls-verify": "switch", "--insecure-transport": "switch", "--key": "text", "--write-out": "text",
}  # fmt: skip
_OF_COMMAND = {
    "get": {
        "--consistency": "text", "--count-only": "switch", "--from-key": "switch", "--keys-only": "switch",
        "--limit": "number", "--order": "text", "--prefix": "switch", "--print-value-only": "switch", "--rev": "number",
        "--sort-by": "text",
    },
    "watch": {"--prefix": "switch", "--prev-kv": "switch", "--rev": "number"},
    "endpoint": {},
    "version": {},
}  # fmt: skip
_SORTS = ("CREATE", "KEY", "MODIFY", "VALUE", "VERSION")
_ORDERS = ("ASCEND", "DESCEND")
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


class Refused(Exception):
    """The command line cannot be followed; ``status`` is what the program ends with."""

    def __init__(self, message: str, status: int = BAD_ARGUMENTS) -> None:
        super().__init__(message)
        self.status = status


def not_simulated(what: str) -> Refused:
    """What etcd has and this does not."""
    return Refused(f"Drydock does not simulate {what} (a real etcd has it); {HERE}", FAILED)


def prefix_end(prefix: str) -> str:
    """The first key behind all that begin with the prefix (clientv3.GetPrefixRangeEnd)."""
    while prefix:
        if prefix[-1] != "\xff":
            return prefix[:-1] + chr(ord(prefix[-1]) + 1)
        prefix = prefix[:-1]
    return FROM_KEY


def parsed(argv: list[str]) -> tuple[list[str], dict[str, Any]]:
    """(words, options by name) of a command line. Raises Refused."""
    words: list[str] = []
    given: list[tuple[str, str | None]] = []
    rest = list(argv)
    known = {**_GLOBAL, **{name: kind for flags in _OF_COMMAND.values() for name, kind in flags.items()}}
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        name = "--write-out" if name in ("-w", "--write-out") else name
        if word == "--":
            raise not_simulated("commands that etcdctl runs")
        if not word.startswith("-") or word == "-":
            words.append(word)
        elif name not in known:
            raise not_simulated(f"etcdctl's {name}")
        elif known[name] == "switch" or equals:
            given.append((name, value if equals else None))
        elif rest:
            given.append((name, rest.pop(0)))
        else:
            raise Refused(
                f"flag needs an argument: {'w'!r} in -w"
                if word == "-w"
                else f"flag needs an argument: {word}",
                FAILED,
            )
    command = words[0] if words else ""
    if command and command not in _OF_COMMAND:
        raise not_simulated(f"etcdctl {command}")
    allowed = {**_GLOBAL, **_OF_COMMAND.get(command, {})}
    options: dict[str, Any] = {}
    for name, text in given:
        if name not in allowed:
            raise Refused(f"unknown flag: {name}", FAILED)
        options[name] = _value(name, allowed[name], text)
    if options.setdefault("--write-out", "simple") not in FORMATS:
        raise Refused("unsupported output format", BAD_FEATURE)
    return words, options


def _value(name: str, kind: str, text: str | None) -> Any:
    if kind == "switch":
        if text is None or text in _TRUE:
            return True
        if text not in _FALSE:
            raise _invalid(name, text, "strconv.ParseBool")
        return False
    assert text is not None
    if kind == "number":
        digits = text[1:] if text[:1] in ("-", "+") else text
        if not (digits.isascii() and digits.isdecimal()):
            raise _invalid(name, text, "strconv.ParseInt")
        return int(text)
    return text


def _invalid(name: str, text: str, parser: str) -> Refused:
    told = f'invalid argument "{text}" for "{name}" flag: {parser}: parsing "{text}": invalid syntax'
    return Refused(told, FAILED)


def of_get(words: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """The range that ``get`` asks for (getGetOp). Raises Refused."""
    prefix, from_key = options.get("--prefix"), options.get("--from-key")
    if not words:
        raise Refused("get command needs one argument as key and an optional argument as range_end")
    if prefix and from_key:
        raise Refused("`--prefix` and `--from-key` cannot be set at the same time, choose one")
    if options.get("--keys-only") and options.get("--count-only"):
        raise Refused("`--keys-only` and `--count-only` cannot be set at the same time, choose one")
    consistency = options.get("--consistency", "l")
    if consistency not in ("l", "s"):
        raise Refused(f'unknown consistency flag "{consistency}"', BAD_FEATURE)
    key, *more = words
    if more and (prefix or from_key):
        told = "too many arguments, only accept one argument when `--prefix` or `--from-key` is set"
        raise Refused(told)
    order, by = options.get("--order", ""), options.get("--sort-by", "")
    if order and order.upper() not in _ORDERS:
        raise Refused(f"bad sort order {order}", BAD_FEATURE)
    if by and by.upper() not in _SORTS:
        raise Refused(f"bad sort target {by}", BAD_FEATURE)
    if options.get("--count-only") and options["--write-out"] != "fields":
        raise Refused("--count-only is only for `--write-out=fields`")
    if options.get("--print-value-only") and options["--write-out"] != "simple":
        raise Refused("print-value-only is only for `--write-out=simple`")
    if options["--write-out"] == "table":
        raise Refused("table not supported as output format", BAD_FEATURE)
    end = more[0] if more else ""
    if from_key or (prefix and not key):
        key, end = key or FROM_KEY, FROM_KEY
    elif prefix:
        end = prefix_end(key)
    return {
        "op": "range",
        "key": key,
        "end": end,
        "limit": max(options.get("--limit", 0), 0),
        "revision": max(options.get("--rev", 0), 0),
        "by": by.upper() or "KEY",
        "order": order.upper() or "ASCEND",
        "values": not options.get("--keys-only"),
        "count": bool(options.get("--count-only")),
    }


def of_watch(words: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """What ``watch`` asks for (getWatchChan); ``since`` is None: from now on. Raises Refused."""
    if not words:
        raise Refused("bad number of arguments")
    if options["--write-out"] == "table":
        raise Refused("table not supported as output format", BAD_FEATURE)
    key, *more = words
    if more and options.get("--prefix"):
        raise Refused("`range_end` and `--prefix` are mutually exclusive")
    end = prefix_end(key) if options.get("--prefix") else (more[0] if more else "")
    since = options.get("--rev", 0)
    return {"op": "watch", "key": key, "end": end, "since": since - 1 if since > 0 else None}


def endpoints(options: dict[str, Any]) -> list[str]:
    """Whom a command asks."""
    return [part for part in str(options.get("--endpoints", ENDPOINT)).split(",") if part]
