"""memcached: listens on 11211 and answers its text protocol; what it keeps goes with it."""

from __future__ import annotations

from cluster_engine.container_runtime import programs
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.program import Program, State, Sys

MAX_DATA = 512 * 1024
"""Bytes of all keys and values of one server."""
MAX_VALUE = 64 * 1024
"""Bytes of one value. (A real one takes 1 MiB.)"""
_MAX_KEY = 250
_STORES = ("set", "add", "replace", "append", "prepend")
_EPOCH = 60 * 60 * 24 * 30


def _talk(sys: Sys, state: State, own: State, text: str) -> tuple[str, str, bool]:
    said = ""
    while "\n" in text:
        line, _, rest = text.partition("\n")
        words = line.split()
        if words[:1] == ["quit"]:
            return said, "", True
        if words and words[0] in _STORES:
            size = words[4] if len(words) in (5, 6) and words[4].isdecimal() else ""
            if not size or len(words[1]) > _MAX_KEY or len(size) > 9 or int(size) > MAX_VALUE:
                told = (
                    "SERVER_ERROR object too large for cache"
                    if size
                    else "CLIENT_ERROR bad command line format"
                )
                return f"{said}{told}\r\n", "", True
            value, end = rest[: int(size)], rest[int(size) :]
            if "\n" not in end:
                return said, text, False
            rest = end.partition("\n")[2]
            said += f"{_stored(sys, state, words, value)}\r\n" if words[-1] != "noreply" else ""
        else:
            said += _answer(sys, state, words)
        if len(said) > programs.MAX_SAID:
            return said, "", True
        text = rest
    return said, text, len(text) > 2 * MAX_VALUE


def _held(sys: Sys, state: State) -> dict[str, list[str | int]]:
    """Key -> [flags, value, when it expires (µs) or 0], without what has expired."""
    data: dict[str, list[str | int]] = state.get("data", {})
    return {key: entry for key, entry in data.items() if not entry[2] or int(entry[2]) > sys.now}


def _stored(sys: Sys, state: State, words: list[str], value: str) -> str:
    verb, key, flags, seconds = words[:4]
    data = _held(sys, state)
    if (verb == "add") == (key in data) and verb != "set":
        return "NOT_STORED"
    before = str(data[key][1]) if key in data else ""
    value = {"append": before + value, "prepend": value + before}.get(verb, value)
    if sum(len(name) + len(str(entry[1])) for name, entry in data.items()) + len(value) > MAX_DATA:
        return "SERVER_ERROR out of memory storing object"
    after = int(seconds[:9]) if seconds.isdecimal() else 0
    expires = 0 if not after else (after if after > _EPOCH else sys.now // 1_000_000 + after) * 1_000_000
    state["data"] = {**data, key: [flags, value, expires]}
    return "STORED"


def _answer(sys: Sys, state: State, words: list[str]) -> str:
    data = _held(sys, state)
    match words:
        case ["get" | "gets", *keys] if keys:
            if sum(len(str(data[k][1])) for k in keys if k in data) > programs.MAX_SAID:
                return "SERVER_ERROR out of memory writing get response\r\n"
            found = [
                f"VALUE {k} {data[k][0]} {len(str(data[k][1]))}\r\n{data[k][1]}\r\n"
                for k in keys
                if k in data
            ]
            return "".join(found) + "END\r\n"
        case ["delete", key]:
            state["data"] = {name: entry for name, entry in data.items() if name != key}
            return "DELETED\r\n" if key in data else "NOT_FOUND\r\n"
        case ["incr" | "decr" as verb, key, step] if step.isdecimal() and len(step) < 19:
            if key not in data:
                return "NOT_FOUND\r\n"
            flags, value, expires = data[key]
            if not (str(value).isdecimal() and len(str(value)) < 19):
                return "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
            number = int(value) + int(step) if verb == "incr" else max(0, int(value) - int(step))
            state["data"] = {**data, key: [flags, str(number), expires]}
            return f"{number}\r\n"
        case ["flush_all", *_]:
            state["data"] = {}
            return "OK\r\n"
        case ["version"]:
            return "VERSION 1.6.39\r\n"
        case ["stats"]:
            rows = {"pid": sys.pid, "curr_connections": len(state["talks"]), "curr_items": len(data)}
            return "".join(f"STAT {name} {value}\r\n" for name, value in rows.items()) + "END\r\n"
    return "ERROR\r\n"


def _programs(variant: Variant) -> dict[str, Program]:
    server = daemon(
        "memcached", lambda sys: [], after=5_000, ports=(11_211,), ready=lambda sys: [], talk=_talk
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "memcached"),
        "/usr/local/bin/memcached": server,
    }


IMAGE = Image(
    repository="docker.io/library/memcached",
    since=(1, 4),
    variants={
        **tags(32_400_000, "1.6.39", "latest", "1", "1.6", "1.6.39"),
        **tags(31_900_000, "1.5.22", "1.5", "1.5.22"),
        **tags(9_800_000, "1.6.39", "alpine", "1-alpine", "1.6-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("memcached",),
    env={"PATH": PATH},
    ports=(11_211,),
    uid=11_211,
    gid=11_211,
    programs=_programs,
    memory=3 * MB,
    tools="debian",
    files=debian_files,
)
