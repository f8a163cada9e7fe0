"""Prometheus' node exporter, as far as a course needs it: its page of metrics tells of a node what `free` shows there.

Collectors are what its arguments leave of them; where it finds the node's files (`--path.*`) is of no interest here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, server
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, tags
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import SECOND, rfc3339

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Node Exporter</title></head>
<body><header><h1>Node Exporter</h1></header>
<main><h2>Prometheus Node Exporter</h2>
<div>Version: (version={version})</div>
<div><ul><li><a href="/metrics">Metrics</a></li></ul></div></main></body></html>
"""
_TEXT = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
_MEMORY, _DISK, _CORES = 8 << 30, 100 << 30, 4
_FLAGS = ("web.", "path.", "collector.", "no-collector.", "log.", "runtime.")
Family = tuple[str, str, str, list[tuple[str, float]]]
"""(name, type, help, [(labels, value)])."""


def _cpu(sys: Sys) -> Iterator[Family]:
    up = sys.now // SECOND % (30 * 86_400)
    modes = (("idle", 0.9), ("system", 0.04), ("user", 0.06))
    rows = [
        (f'cpu="{core}",mode="{mode}"', round(up * share, 2))
        for core in range(_CORES)
        for mode, share in modes
    ]
    yield "node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", rows


def _filesystem(sys: Sys) -> Iterator[Family]:
    labels = 'device="/dev/vda1",fstype="ext4",mountpoint="/"'
    yield (
        "node_filesystem_avail_bytes",
        "gauge",
        "Filesystem space available to non-root users in bytes.",
        [(labels, _DISK * 3 // 4)],
    )
    yield "node_filesystem_size_bytes", "gauge", "Filesystem size in bytes.", [(labels, _DISK)]


def _loadavg(sys: Sys) -> Iterator[Family]:
    for minutes, value in ((1, 0.2), (5, 0.15), (15, 0.1)):
        yield f"node_load{minutes}", "gauge", f"{minutes}m load average.", [("", value)]


def _meminfo(sys: Sys) -> Iterator[Family]:
    for name, value in (("MemAvailable", _MEMORY * 3 // 4), ("MemFree", _MEMORY // 2), ("MemTotal", _MEMORY)):
        yield f"node_memory_{name}_bytes", "gauge", f"Memory information field {name}_bytes.", [("", value)]


def _time(sys: Sys) -> Iterator[Family]:
    yield "node_time_seconds", "gauge", "System time in seconds since epoch (1970).", [("", sys.now / SECOND)]


def _uname(sys: Sys) -> Iterator[Family]:
    labels = (
        f'domainname="(none)",machine="x86_64",nodename="{sys.hostname}",release="6.12.48",sysname="Linux"'
    )
    yield (
        "node_uname_info",
        "gauge",
        "Labeled system information as provided by the uname system call.",
        [(labels, 1)],
    )


COLLECTORS: dict[str, Callable[[Sys], Iterator[Family]]] = {
    "cpu": _cpu,
    "filesystem": _filesystem,
    "loadavg": _loadavg,
    "meminfo": _meminfo,
    "time": _time,
    "uname": _uname,
}


def _words(sys: Sys) -> dict[str, str]:
    found = {}
    for word in sys.argv[1:]:
        name, mark, value = word.lstrip("-").partition("=")
        found[name] = value if mark else "true"
    return found


def _port(sys: Sys) -> int:
    port = _words(sys).get("web.listen-address", ":9100").rpartition(":")[2]
    return int(port) if port.isdigit() and len(port) < 6 else 9100


def _chosen(sys: Sys) -> list[str]:
    words = _words(sys)
    if "collector.disable-defaults" in words:
        return [name for name in COLLECTORS if f"collector.{name}" in words]
    return [name for name in COLLECTORS if f"no-collector.{name}" not in words]


def _check(sys: Sys) -> tuple[int, str]:
    for name in _words(sys):
        if not name.startswith(_FLAGS) and name not in ("version", "help"):
            return 1, f"node_exporter: error: unknown long flag '--{name}', try --help\n"
    return 0, ""


def _number(value: float) -> str:
    return (
        f"{value:.6e}"
        if isinstance(value, float) and value >= 1e6
        else f"{value:g}"
        if value < 1e6
        else str(value)
    )


def _program(version: str) -> Program:
    def reply(sys: Sys, state: State, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        under = _words(sys).get("web.telemetry-path", "/metrics")
        if path == "/":
            return Reply(200, _PAGE.format(version=version), {"Content-Type": "text/html; charset=UTF-8"})
        if path != under:
            return Reply(404, "404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        lines = [
            "# HELP node_exporter_build_info A metric with a constant '1' value labeled by version.",
            "# TYPE node_exporter_build_info gauge",
            f'node_exporter_build_info{{version="{version}"}} 1',
        ]
        for collector in _chosen(sys):
            for name, kind, about, rows in COLLECTORS[collector](sys):
                lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
                for labels, value in rows:
                    lines.append(
                        f"{name}{{{labels}}} {_number(value)}" if labels else f"{name} {_number(value)}"
                    )
        lines += ["# HELP node_scrape_collector_success node_exporter: Whether a collector succeeded."]
        lines += ["# TYPE node_scrape_collector_success gauge"]
        lines += [f'node_scrape_collector_success{{collector="{name}"}} 1' for name in _chosen(sys)]
        return Reply(200, "\n".join(lines) + "\n", {"Content-Type": _TEXT})

    def ready(sys: Sys) -> list[Line]:
        def line(text: str) -> Line:
            stamp = f"{rfc3339(sys.now)[:19]}.{sys.now % SECOND // 1_000:03d}Z"
            return "stderr", f"time={stamp} level=INFO {text}"

        return [
            line(f'source=node_exporter.go:216 msg="Starting node_exporter" version="(version={version})"'),
            line('source=node_exporter.go:111 msg="Enabled collectors"'),
            *(line(f"source=node_exporter.go:118 msg={name}") for name in _chosen(sys)),
            line(f'source=tls_config.go:347 msg="Listening on" address=[::]:{_port(sys)}'),
            line(f'source=tls_config.go:350 msg="TLS is disabled." http2=false address=[::]:{_port(sys)}'),
        ]

    def in_use(sys: Sys, port: int, reason: str) -> str:
        return f'level=ERROR msg="listen tcp :{port}: bind: {reason.lower()}"\n'

    given = Server(
        reply, port=_port, check=_check, ready=ready, in_use=in_use, stops={"TERM": (0, 0), "INT": (0, 0)}
    )
    serves = server("node_exporter", given).on
    assert serves is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        if event[0] == "start" and "version" in _words(sys):
            sys.out(f"node_exporter, version {version}\n")
            sys.exit(0)
        return serves(sys, state, event)

    return Program("node_exporter", on=on, memory=12 << 20)


def _programs(variant: Variant) -> dict[str, Program]:
    return {"/bin/node_exporter": _program(variant.version.removeprefix("v"))}


_PROM = Image(
    repository="docker.io/prom/node-exporter",
    since=(0, 15),
    variants={
        **tags(13 * MB, "v1.9.1", "v1.9.1", "v1.9.0", "latest", "master"),
        **tags(12 * MB, "v1.8.2", "v1.8.2", "v1.8.1"),
        **tags(11 * MB, "v1.3.1", "v1.3.1"),
        **tags(10 * MB, "v0.18.1", "v0.18.1"),
    },
    entrypoint=("/bin/node_exporter",),
    env={"PATH": PATH},
    ports=(9100,),
    uid=65534,
    gid=65534,
    tools="busybox",
    programs=_programs,
    memory=12 << 20,
)
IMAGES: tuple[Image, ...] = (_PROM, replace(_PROM, repository="quay.io/prometheus/node-exporter"))
