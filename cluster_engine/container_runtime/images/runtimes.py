"""Languages' images: their shells and tools are there, their interpreters run nothing but ``--version``."""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, debian_files, tags
from cluster_engine.container_runtime.images._web import combined_log, static
from cluster_engine.container_runtime.process import Launch, Plan, once

_FILES = static("/", lambda launch: "SimpleHTTP/0.6 Python/3.14.0")


def _python(launch: Launch) -> Plan:
    words = launch.argv[1:]
    version = PYTHON.variants[launch.tag].version
    if words[:1] in (("--version",), ("-V",)):
        return once(f"Python {version}")
    if words[:2] == ("-m", "http.server"):
        text = words[2] if len(words) > 2 and words[2].isdigit() and len(words[2]) < 6 else "8000"
        log = ((80_000, "stdout", f"Serving HTTP on 0.0.0.0 port {text} (http://0.0.0.0:{text}/) ..."),)
        return Plan(log=log, ports=((int(text), 80_000),), http=_FILES, access_log=combined_log)
    if not words:
        return once("")  # an interactive interpreter without input ends at once
    return once("python: this program cannot be run: no interpreter is simulated here", 1, "stderr")


def _node(launch: Launch) -> Plan:
    words = launch.argv[1:]
    if words[:1] in (("--version",), ("-v",)):
        return once(f"v{NODE.variants[launch.tag].version}")
    if not words or words == ("node",):
        return once("")
    return once("node: this program cannot be run: no interpreter is simulated here", 1, "stderr")


PYTHON = Image(
    repository="docker.io/library/python",
    variants={
        **tags(387_000_000, "3.14.0", "latest", "3", "3.14"),
        **tags(386_000_000, "3.13.9", "3.13"),
        **tags(385_000_000, "3.12.12", "3.12"),
        **tags(384_000_000, "3.11.14", "3.11"),
        **tags(45_400_000, "3.14.0", "slim", "3-slim", "3.14-slim", flavor="slim"),
        **tags(43_400_000, "3.12.12", "3.12-slim", flavor="slim"),
        **tags(17_400_000, "3.14.0", "alpine", "3-alpine", "3.14-alpine", flavor="alpine"),
        **tags(17_100_000, "3.12.12", "3.12-alpine", flavor="alpine"),
    },
    cmd=("python3",),
    env={"PATH": PATH, "LANG": "C.UTF-8"},
    programs={"python3": _python, "python": _python},
    tools="debian",
    files=debian_files,
)

NODE = Image(
    repository="docker.io/library/node",
    variants={
        **tags(399_000_000, "25.1.0", "latest", "25", "current"),
        **tags(398_000_000, "24.11.0", "lts", "24"),
        **tags(397_000_000, "22.21.1", "22"),
        **tags(396_000_000, "20.19.5", "20"),
        **tags(56_000_000, "25.1.0", "alpine", "25-alpine", flavor="alpine"),
        **tags(53_000_000, "22.21.1", "22-alpine", flavor="alpine"),
        **tags(48_000_000, "20.19.5", "20-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("node",),
    env={"PATH": PATH},
    programs={"docker-entrypoint.sh": _node, "node": _node},
    tools="debian",
    files=debian_files,
)
