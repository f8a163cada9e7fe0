"""Redis' commands on a database that is JSON, and its wire form (RESP 2).

A database is {key: [kind, value, when it expires in µs or 0]}; kinds are string (text), list, hash and set (a dict of
its members, in the order in which they came). Commands give back what is answered: text is a bulk string,
`Simple` a status, None nothing, a list an array; `Wrong` is an error. They never change a database in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime import programs
from cluster_engine.linux.sh.pattern import matches

MAX_DATA = 512 * 1024
"""Bytes of all keys and values of one server."""
MAX_REQUEST = 64 * 1024
"""Bytes of one command."""
MAX_WORDS = 1_000
"""Words of one command."""

MAX_DEPTH = 10
"""Arrays in arrays that are read."""

Database = dict[str, list[Any]]
Answer = Any


class Simple(str):
    """A status, such as OK."""


class Wrong(Exception):
    """An error; str() is what the server says."""


OK = Simple("OK")
_KIND = "WRONGTYPE Operation against a key holding the wrong kind of value"
_INTEGER = "ERR value is not an integer or out of range"


def _held(db: Database, key: str, kind: str, empty: Any) -> Any:
    found = db.get(key)
    if found is None:
        return empty
    if found[0] != kind:
        raise Wrong(_KIND)
    return found[1]


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise Wrong(_INTEGER)
    return int(text)


def _put(db: Database, key: str, kind: str, value: Any, expires: int | None = None) -> Database:
    """The database with that value, and its old time to live; without an empty collection."""
    rest = {name: entry for name, entry in db.items() if name != key}
    if kind != "string" and not value:
        return rest
    kept = db[key][2] if key in db else 0
    return {**db, key: [kind, value, kept if expires is None else expires]}


def _set(db: Database, now: int, words: list[str]) -> tuple[Database, Answer]:
    key, value, *options = words
    expires = 0
    while options:
        option = options.pop(0).upper()
        if option in ("EX", "PX") and options:
            expires = now + _integer(options.pop(0)) * (1_000_000 if option == "EX" else 1_000)
        elif option == "NX":
            if key in db:
                return db, None
        elif option == "XX":
            if key not in db:
                return db, None
        else:
            raise Wrong("ERR syntax error")
    return _put(db, key, "string", value, expires), OK


def _by(db: Database, key: str, step: int) -> tuple[Database, Answer]:
    value = _integer(_held(db, key, "string", "0")) + step
    return _put(db, key, "string", str(value)), value


def _push(db: Database, words: list[str], left: bool) -> tuple[Database, Answer]:
    key, *values = words
    before = _held(db, key, "list", [])
    after = [*reversed(values), *before] if left else [*before, *values]
    return _put(db, key, "list", after), len(after)


def _pop(db: Database, words: list[str], left: bool) -> tuple[Database, Answer]:
    before = _held(db, words[0], "list", [])
    if not before:
        return db, None
    rest = before[1:] if left else before[:-1]
    return _put(db, words[0], "list", rest), before[0 if left else -1]


def _range(db: Database, words: list[str]) -> Answer:
    values, first, last = _held(db, words[0], "list", []), _integer(words[1]), _integer(words[2])
    first = max(first + len(values), 0) if first < 0 else first
    return values[first : last + len(values) + 1 if last < 0 else last + 1]


def _hset(db: Database, words: list[str]) -> tuple[Database, Answer]:
    key, *pairs = words
    if len(pairs) % 2:
        raise Wrong("ERR wrong number of arguments for 'hset' command")
    before = _held(db, key, "hash", {})
    after = {**before, **dict(zip(pairs[::2], pairs[1::2], strict=True))}
    return _put(db, key, "hash", after), len(after) - len(before)


def _without(db: Database, key: str, kind: str, names: list[str]) -> tuple[Database, Answer]:
    before = _held(db, key, kind, {})
    after = {name: value for name, value in before.items() if name not in names}
    return _put(db, key, kind, after), len(before) - len(after)


def _add(db: Database, words: list[str]) -> tuple[Database, Answer]:
    before = _held(db, words[0], "set", {})
    after = {**before, **dict.fromkeys(words[1:], 1)}
    return _put(db, words[0], "set", after), len(after) - len(before)


def _delete(db: Database, words: list[str]) -> tuple[Database, Answer]:
    after = {key: entry for key, entry in db.items() if key not in words}
    return after, len(db) - len(after)


def _expire(db: Database, now: int, words: list[str]) -> tuple[Database, Answer]:
    if words[0] not in db:
        return db, 0
    kind, value, _ = db[words[0]]
    return {**db, words[0]: [kind, value, now + _integer(words[1]) * 1_000_000]}, 1


def _ttl(db: Database, now: int, key: str) -> int:
    if key not in db:
        return -2
    expires = db[key][2]
    return -1 if not expires else -(-(expires - now) // 1_000_000)


def _select(number: str) -> Answer:
    if number != "0":
        raise Wrong("ERR databases beside 0 are not simulated here; a real Redis has them")
    return OK


def _flat(pairs: dict[str, str]) -> list[str]:
    return [text for pair in pairs.items() for text in pair]


Reads = Callable[[Database, int, list[str]], Answer]
Writes = Callable[[Database, int, list[str]], tuple[Database, Answer]]
READS: dict[str, tuple[int, int, Reads]] = {
    # name: (fewest words, most words or -1, what it answers)
    "ping": (0, 1, lambda db, now, w: w[0] if w else Simple("PONG")),
    "echo": (1, 1, lambda db, now, w: w[0]),
    "get": (1, 1, lambda db, now, w: _held(db, w[0], "string", None)),
    "mget": (1, -1, lambda db, now, w: _several(db, w)),
    "strlen": (1, 1, lambda db, now, w: len(_held(db, w[0], "string", ""))),
    "exists": (1, -1, lambda db, now, w: sum(key in db for key in w)),
    "type": (1, 1, lambda db, now, w: Simple(db[w[0]][0] if w[0] in db else "none")),
    "ttl": (1, 1, lambda db, now, w: _ttl(db, now, w[0])),
    "keys": (1, 1, lambda db, now, w: [key for key in db if matches(((w[0], False),), key)]),
    "dbsize": (0, 0, lambda db, now, w: len(db)),
    "llen": (1, 1, lambda db, now, w: len(_held(db, w[0], "list", []))),
    "lrange": (3, 3, lambda db, now, w: _range(db, w)),
    "hget": (2, 2, lambda db, now, w: _held(db, w[0], "hash", {}).get(w[1])),
    "hgetall": (1, 1, lambda db, now, w: _flat(_held(db, w[0], "hash", {}))),
    "hkeys": (1, 1, lambda db, now, w: list(_held(db, w[0], "hash", {}))),
    "smembers": (1, 1, lambda db, now, w: list(_held(db, w[0], "set", {}))),
    "sismember": (2, 2, lambda db, now, w: int(w[1] in _held(db, w[0], "set", {}))),
    "scard": (1, 1, lambda db, now, w: len(_held(db, w[0], "set", {}))),
    "select": (1, 1, lambda db, now, w: _select(w[0])),
    "save": (0, 0, lambda db, now, w: OK),
    "bgsave": (0, 1, lambda db, now, w: Simple("Background saving started")),
}
WRITES: dict[str, tuple[int, int, Writes]] = {
    "set": (2, -1, _set),
    "setex": (3, 3, lambda db, now, w: _set(db, now, [w[0], w[2], "EX", w[1]])),
    "setnx": (2, 2, lambda db, now, w: (db, 0) if w[0] in db else (_put(db, w[0], "string", w[1]), 1)),
    "append": (2, 2, lambda db, now, w: _append(db, w)),
    "incr": (1, 1, lambda db, now, w: _by(db, w[0], 1)),
    "decr": (1, 1, lambda db, now, w: _by(db, w[0], -1)),
    "incrby": (2, 2, lambda db, now, w: _by(db, w[0], _integer(w[1]))),
    "decrby": (2, 2, lambda db, now, w: _by(db, w[0], -_integer(w[1]))),
    "del": (1, -1, lambda db, now, w: _delete(db, w)),
    "expire": (2, 2, _expire),
    "lpush": (2, -1, lambda db, now, w: _push(db, w, True)),
    "rpush": (2, -1, lambda db, now, w: _push(db, w, False)),
    "lpop": (1, 1, lambda db, now, w: _pop(db, w, True)),
    "rpop": (1, 1, lambda db, now, w: _pop(db, w, False)),
    "hset": (3, -1, lambda db, now, w: _hset(db, w)),
    "hdel": (2, -1, lambda db, now, w: _without(db, w[0], "hash", w[1:])),
    "sadd": (2, -1, lambda db, now, w: _add(db, w)),
    "srem": (2, -1, lambda db, now, w: _without(db, w[0], "set", w[1:])),
    "flushall": (0, 1, lambda db, now, w: ({}, OK)),
    "flushdb": (0, 1, lambda db, now, w: ({}, OK)),
}

_SHRINKS = ("del", "lpop", "rpop", "hdel", "srem", "expire", "flushall", "flushdb")


def _several(db: Database, keys: list[str]) -> Answer:
    found = [db[key][1] if key in db and db[key][0] == "string" else None for key in keys]
    if sum(len(value) for value in found if value) > programs.MAX_SAID:
        raise Wrong(f"ERR more than {programs.MAX_SAID} bytes are not answered at once here")
    return found


def _append(db: Database, words: list[str]) -> tuple[Database, Answer]:
    value = _held(db, words[0], "string", "") + words[1]
    return _put(db, words[0], "string", value), len(value)


def fresh(db: Database, now: int) -> Database:
    """Without what has expired; the very same when nothing has."""
    if not any(entry[2] and entry[2] <= now for entry in db.values()):
        return db
    return {key: entry for key, entry in db.items() if not entry[2] or entry[2] > now}


def carried_out(db: Database, now: int, words: list[str]) -> tuple[Database, Answer]:
    """A command's answer, and the database after it. Raises Wrong."""
    name, rest = words[0].lower(), words[1:]
    found = READS.get(name) or WRITES.get(name)
    if found is None:
        begin = " ".join(f"'{word}'" for word in rest)
        raise Wrong(
            f"ERR unknown command '{words[0]}', with args beginning with: {begin} (or it is not simulated here)"
        )
    fewest, most, _ = found
    if len(rest) < fewest or 0 <= most < len(rest):
        raise Wrong(f"ERR wrong number of arguments for '{name}' command")
    if name in READS:
        return db, READS[name][2](db, now, rest)
    after, answer = WRITES[name][2](db, now, rest)
    if name not in _SHRINKS and sum(len(k) + len(str(entry[1])) for k, entry in after.items()) > MAX_DATA:
        raise Wrong("OOM command not allowed when used memory > 'maxmemory'.")
    return after, answer


def encoded(answer: Answer) -> str:
    """RESP of an answer."""
    match answer:
        case Wrong():
            return f"-{answer}\r\n"
        case Simple():
            return f"+{answer}\r\n"
        case int():
            return f":{answer}\r\n"
        case None:
            return "$-1\r\n"
        case str():
            return f"${len(answer)}\r\n{answer}\r\n"
    return f"*{len(answer)}\r\n" + "".join(encoded(each) for each in answer)


def request(words: list[str]) -> str:
    """RESP of a command."""
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


def parsed(text: str, depth: int = 0) -> tuple[Answer, str] | None:
    """The first value of a stream, and the rest; None while it is not whole. Raises ValueError."""
    if depth > MAX_DEPTH:
        raise ValueError(f"arrays nested more than {MAX_DEPTH} deep")
    line, end, rest = text.partition("\r\n")
    if not end:
        return None
    mark, body = line[:1], line[1:]
    if mark == "+":
        return Simple(body), rest
    if mark == "-":
        return Wrong(body), rest
    if mark == ":":
        return int(body), rest
    if mark == "$":
        size = int(body)
        if size < 0:
            return None, rest
        return (rest[:size], rest[size + 2 :]) if len(rest) >= size + 2 else None
    if mark != "*":
        raise ValueError(line)
    values: list[Answer] = []
    if not 0 <= int(body) <= MAX_WORDS * 10:
        raise ValueError(line)
    for _ in range(int(body)):
        found = parsed(rest, depth + 1)
        if found is None:
            return None
        values.append(found[0])
        rest = found[1]
    return values, rest
