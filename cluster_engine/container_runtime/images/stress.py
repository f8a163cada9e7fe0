"""`polinux/stress`, with which Kubernetes' documentation shows memory limits: a program that takes what it is told."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, Image, Variant, alpine_files, tags
from cluster_engine.linux.program import Event, Program, State, Sys

_COUNTS = {
    "-c": "cpu",
    "--cpu": "cpu",
    "-i": "io",
    "--io": "io",
    "-m": "vm",
    "--vm": "vm",
    "-d": "hdd",
    "--hdd": "hdd",
}
_VALUES = ("--vm-bytes", "--vm-hang", "--vm-stride", "--hdd-bytes", "-t", "--timeout", "--backoff")
_SUFFIXES = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES = 256 << 20
"""What one ``--vm`` takes unless told otherwise."""
_TURN = 10_000_000
"""µs between two looks at what spins."""


def _number(sys: Sys, text: str, suffixes: dict[str, int]) -> int:
    unit = suffixes.get(text[-1:].upper()) or suffixes.get(text[-1:])
    digits = text[:-1] if unit else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 12):
        sys.err(f"stress: FAIL: [{sys.pid}] (244) incorrect value '{text}'\n")
        sys.exit(1)
    return int(digits) * (unit or 1)


def _start(sys: Sys, argv: list[str]) -> State:
    counts = dict.fromkeys(("cpu", "io", "vm", "hdd"), 0)
    values: dict[str, str] = {}
    words = argv[1:]
    while words:
        word = words.pop(0)
        if word in ("-v", "--verbose", "-q", "--quiet", "--vm-keep"):
            continue
        if word not in _COUNTS and word not in _VALUES:
            sys.err(f"stress: FAIL: [{sys.pid}] (244) unrecognized option: {word}\n")
            sys.exit(1)
        if not words:
            sys.err(f"stress: FAIL: [{sys.pid}] (244) missing argument to option '{word}'\n")
            sys.exit(1)
        value = words.pop(0)
        if word in _COUNTS:
            counts[_COUNTS[word]] = _number(sys, value, {})
        else:
            values["--timeout" if word == "-t" else word] = value
    if not any(counts.values()):
        sys.err("Usage: stress [OPTION [ARG]] ...\n")
        sys.exit(0)
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    sys.out(f"stress: info: [{sys.pid}] dispatching hogs: {shown}\n")
    each = _number(sys, values["--vm-bytes"], _SUFFIXES) if "--vm-bytes" in values else _BYTES
    spins = counts["cpu"] + counts["io"] + counts["hdd"] + (0 if "--vm-hang" in values else counts["vm"])
    state: State = {"memory": counts["vm"] * each, "spins": spins, "began": sys.now, "end": 0}
    if "--timeout" in values:
        state["end"] = sys.sleep(_number(sys, values["--timeout"], _TIMES) * 1_000_000)
    if spins:
        sys.sleep(_TURN)
    return state


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["timer", number] if number == state["end"]:
            seconds = (sys.now - state["began"]) // 1_000_000
            sys.out(f"stress: info: [{sys.pid}] successful run completed in {seconds}s\n")
            sys.exit(0)
        case ["timer", _]:
            sys.tick(_TURN * state["spins"])
            sys.sleep(_TURN)
    return state


def _programs(variant: Variant) -> dict[str, Program]:
    return {"/usr/local/bin/stress": Program("stress", on=_on)}


IMAGE = Image(
    repository="docker.io/polinux/stress",
    variants=tags(4 * MB, "1.0.4", "1.0.4", "latest"),
    cmd=("/bin/sh",),
    programs=_programs,
    tools="busybox",
    files=alpine_files,
    memory=MB,
)
