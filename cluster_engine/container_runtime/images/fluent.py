"""fluentd and Fluent Bit: what tails files and prints what is new in them, as far as their configuration asks for that.

Of a configuration the paths, tags and the parser `cri` of ``tail`` inputs count; what it would send elsewhere is
printed too, and an agent does not tail its own log. An image of a DaemonSet has the configuration that its makers have
given it. A file whose sections are not closed ends the program, as the real one does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cluster_engine.container_runtime.http import say
from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.sh.pattern import glob
from cluster_engine.sim import SECOND, rfc3339, rfc3339_micro

PERIOD = 1 * SECOND
"""How often files are looked at."""
LOOKS = 10
"""Looks until files with new names are searched for."""
TAILED = 200
"""Files that one agent tails; of others it hears nothing."""
TAKEN = 64 * 1024
"""Bytes that one look takes of all files; the rest has its turn at the next."""
_CRI = re.compile(r"(\S+) (stdout|stderr) (\S+) (.*)")
_CONTAINERS = "/var/log/containers/*.log"


@dataclass(frozen=True, slots=True)
class _Agent:
    """In what the two differ."""

    name: str
    configured: Callable[[Sys], str | None]
    """The text of its configuration, or None after a message: it ends."""
    begins: Callable[[Sys], list[str]]
    follows: Callable[[Sys, str], str]
    record: Callable[[Sys, str, dict[str, str]], str]
    """A line of its output: (sys, tag, fields)."""
    usual: str = ""
    """The tag where none is given; a `*` in it stands for the file."""


def _start(sys: Sys, agent: _Agent) -> State:
    text = agent.configured(sys)
    if text is None:
        sys.exit(1)
    sys.trap("TERM", "catch")
    say(sys, [("stdout", line) for line in agent.begins(sys)])
    paths = re.findall(r"(?im)^[ \t]*path[ \t]+(\S.*)$", text)
    tag = re.search(r"(?im)^[ \t]*tag[ \t]+(\S+)", text)
    found: State = {
        "paths": [each.strip() for path in paths for each in path.split(",")],
        "tag": tag[1] if tag is not None else agent.usual,
        "cri": re.search(r"(?im)^[ \t]*(parser|multiline\.parser|@type)\b.*\bcri\b", text) is not None,
        "files": {},
        "look": 0,
    }
    return _look(sys, found, agent)


def _look(sys: Sys, state: State, agent: _Agent) -> State:
    if state["look"] % LOOKS == 0:
        _search(sys, state, agent)
    state["look"] += 1
    left, names = TAKEN, list(state["files"])
    first = state["look"] % len(names) if names else 0
    for name in (*names[first:], *names[:first]):
        left -= _read(sys, state, agent, name, left)
    sys.sleep(PERIOD)
    return state


def _search(sys: Sys, state: State, agent: _Agent) -> None:
    for path in state["paths"]:
        names, work = glob(sys.fs, [(path, False)])
        sys.tick(work)
        for name in names or ([path] if sys.fs.is_file(path) else []):
            own = f"{sys.hostname}_" in name
            if name not in state["files"] and not own and len(state["files"]) < TAILED:
                state["files"] = {**state["files"], name: 0}
                say(sys, [("stdout", agent.follows(sys, name))])


def _read(sys: Sys, state: State, agent: _Agent, name: str, most: int) -> int:
    """The whole lines that are new in a file, of so many bytes at most; how many it was. A file that is shorter than
    before has begun anew.
    """
    at = state["files"][name]
    try:
        size = sys.fs.stat(name).size
        if size == at or most <= 0:
            return 0
        at = at if at < size else 0
        text = sys.fs.read(name)[at : at + most]
    except FileError:
        return 0
    sys.tick(len(text) // 64)
    whole = text[: text.rfind("\n") + 1] or (text if len(text) == TAKEN else "")
    state["files"] = {**state["files"], name: at + len(whole)}
    tag = state["tag"].replace("*", name.strip("/").replace("/", "."))
    for line in whole.removesuffix("\n").split("\n") if whole else ():
        parts = _CRI.fullmatch(line) if state["cri"] else None
        fields = {"log": line}
        if parts is not None:
            time, stream, mark, text = parts.groups()
            fields = {"time": time, "stream": stream, "_p": mark, "log": text}
        sys.out(agent.record(sys, tag, fields) + "\n")
    return len(whole)


def _program(agent: _Agent) -> Program:
    def on(sys: Sys, state: State, event: Event) -> State:
        match event:
            case ["start", _]:
                return _start(sys, agent)
            case ["timer", _]:
                return _look(sys, state, agent)
            case ["signal", _]:
                sys.exit(0)
        return state

    return Program(agent.name, on=on)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _texts(sys: Sys, patterns: tuple[str, ...]) -> list[tuple[str, str]]:
    """(name, text) of the files that there are."""
    names = [name for pattern in patterns for name in glob(sys.fs, [(pattern, False)])[0]]
    return [(name, sys.fs.read(name)) for name in names]


# ---- fluentd -----------------------------------------------------------------------------------------------


def _stamped(sys: Sys, level: str, text: str) -> str:
    return f"{rfc3339(sys.now)[:19].replace('T', ' ')} +0000 [{level}]: {text}"


def _fluentd_configured(sys: Sys) -> str | None:
    """What its files say. None: one of them is broken."""
    files = _texts(sys, ("/fluentd/etc/*.conf", "/etc/fluent/*.conf", "/etc/fluent/config.d/*.conf"))
    for name, text in files:
        if len(re.findall(r"(?m)^[ \t]*<[a-z]", text)) != len(re.findall(r"(?m)^[ \t]*</", text)):
            why = 'error_class=Fluent::ConfigParseError error="unexpected end of file"'
            say(sys, [("stdout", _stamped(sys, "error", f'config error file="{name}" {why}'))])
            return None
    return "\n".join(text for _, text in files)


def _fluentd_record(sys: Sys, tag: str, fields: dict[str, str]) -> str:
    names = {"_p": "logtag", "log": "message"}
    shown = ",".join(f"{_quoted(names.get(name, name))}:{_quoted(value)}" for name, value in fields.items())
    return f"{rfc3339_micro(sys.now)[:-1].replace('T', ' ')}000 +0000 {tag}: {{{shown}}}"


_FLUENTD = _Agent(
    "fluentd",
    _fluentd_configured,
    lambda sys: [
        _stamped(sys, "info", f"starting fluentd-{sys.env.get('FLUENTD_VERSION', '')} pid={sys.pid}"),
        _stamped(sys, "info", "#0 fluentd worker is now running worker=0"),
    ],
    lambda sys, name: _stamped(sys, "info", f"#0 following tail of {name}"),
    _fluentd_record,
    "*",
)


# ---- Fluent Bit --------------------------------------------------------------------------------------------


def _bit_time(sys: Sys) -> str:
    return rfc3339(sys.now)[:19].replace("-", "/").replace("T", " ")


def _bit_configured(sys: Sys) -> str | None:
    """What the file says that it is given. None: there is no such file."""
    words = [*sys.argv, "/fluent-bit/etc/fluent-bit.conf"]
    given = next((at + 1 for at, word in enumerate(words) if word in ("-c", "--config")), -1)
    name = words[given]
    sys.out(f"Fluent Bit v{sys.env.get('FLUENT_BIT_VERSION', '')}\n")
    try:
        return str(sys.fs.read(name))
    except FileError:
        told = f"[error] [config] could not open configuration file {name}, aborting."
        sys.err(f"[{_bit_time(sys)}] {told}\n")
        return None


def _bit_record(sys: Sys, tag: str, fields: dict[str, str]) -> str:
    shown = ", ".join(f"{_quoted(name)}=>{_quoted(value)}" for name, value in fields.items())
    at = f"{sys.now // SECOND}.{sys.now % SECOND:06d}000"
    return f"[0] {tag}: [[{at}, {{}}], {{{shown}}}]"


_BIT = _Agent(
    "fluent-bit",
    _bit_configured,
    lambda sys: [f"[{_bit_time(sys)}] [ info] [sp] stream processor started"],
    lambda sys, name: f"[{_bit_time(sys)}] [ info] [input:tail:tail.0] inotify_fs_add(): name={name}",
    _bit_record,
    "tail.0",
)
_DEFAULT = "[INPUT]\n    Name cpu\n    Tag cpu.local\n\n[OUTPUT]\n    Name stdout\n    Match *\n"
_MADE = f"""<source>
  @type tail
  path {_CONTAINERS}
  tag kubernetes.*
  <parse>
    @type cri
  </parse>
</source>
"""


def _fluentd(repository: str, *names: str, made: bool = False) -> Image:
    """``made``: the image of a DaemonSet, whose makers have configured it."""
    newest = names[-1]
    own = {"/fluentd/etc/fluent.conf": _MADE} if made else {}
    return Image(
        repository=repository,
        variants={"latest": Variant(52_000_000, newest), **tags(52_000_000, newest, *names)},
        entrypoint=("/entrypoint.sh",),
        env={"PATH": PATH, "FLUENTD_VERSION": newest.lstrip("v")},
        tools="debian",
        programs=lambda variant: {"/entrypoint.sh": _program(_FLUENTD)},
        files=lambda variant: {**debian_files(variant), **own},
    )


def _bit(repository: str) -> Image:
    return Image(
        repository=repository,
        since=(1, 8),
        variants={
            **tags(31_000_000, "4.1.1", "latest", "4.1", "4.1.1"),
            **tags(29_000_000, "3.0.7", "3.0", "3.0.7"),
        },
        entrypoint=("/fluent-bit/bin/fluent-bit",),
        env={"PATH": PATH, "FLUENT_BIT_VERSION": "4.1.1"},
        tools="debian",
        programs=lambda variant: {"/fluent-bit/bin/fluent-bit": _program(_BIT)},
        files=lambda variant: {
            **debian_files(variant),
            "/fluent-bit/etc/fluent-bit.conf": _DEFAULT,
        },
    )


IMAGES: tuple[Image, ...] = (
    _fluentd("docker.io/fluent/fluentd", "v0.14.10", "v1.16-1", "v1.18-1"),
    _fluentd(
        "docker.io/fluent/fluentd-kubernetes-daemonset",
        "v1-debian-elasticsearch",
        "v1.18-debian-forward-1",
        made=True,
    ),
    _fluentd("registry.k8s.io/fluentd-elasticsearch", "v2.2.0", "v2.4.0", made=True),
    _fluentd("quay.io/fluentd_elasticsearch/fluentd", "v2.5.2", "v5.0.1", made=True),
    _fluentd("registry.k8s.io/fluentd-gcp", "1.30", "2.0", made=True),
    _bit("docker.io/fluent/fluent-bit"),
    _bit("cr.fluentbit.io/fluent/fluent-bit"),
)
