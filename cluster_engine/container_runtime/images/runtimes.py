"""Languages' images: their shells and tools are there, their interpreters run nothing but ``--version``."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.http import Line, Server, server
from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images._web import combined_log, static
from cluster_engine.container_runtime.programs import entrypoint, once
from cluster_engine.linux.program import Event, Program, State, Sys

_REFUSAL = "this program cannot be run: no interpreter is simulated here"


def _port(sys: Sys) -> int:
    text = sys.argv[3] if len(sys.argv) > 3 else ""
    return int(text) if text.isdigit() and len(text) < 6 else 8000


def _serving(sys: Sys) -> list[Line]:
    port = _port(sys)
    return [("stdout", f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...")]


def _python(variant: Variant) -> dict[str, Program]:
    name = f"SimpleHTTP/0.6 Python/{variant.version}"
    # As the first process of a container it has no handler for SIGTERM.
    given = Server(
        static(lambda sys: sys.cwd, name),
        port=_port,
        ready=_serving,
        after=80_000,
        access=combined_log,
        name=name,
        stops={},
    )
    serve = server("python3", given).on
    assert serve is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        words = sys.argv[1:]
        if words[:2] == ["-m", "http.server"]:
            return serve(sys, state, event)
        if words[:1] in (["--version"], ["-V"]):
            sys.out(f"Python {variant.version}\n")
            sys.exit(0)
        if words:
            sys.err(f"{sys.name}: {_REFUSAL}\n")
            sys.exit(1)
        # An interactive interpreter without input ends at once.
        return sys.exit(0)

    program = Program("python3", on=on)
    return {"/usr/local/bin/python3": program, "/usr/local/bin/python": program}


def _node(variant: Variant) -> dict[str, Program]:
    def tell(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
        if argv[1:2] in (["--version"], ["-v"]):
            return 0, [("stdout", f"v{variant.version}")]
        return (1, [("stderr", f"node: {_REFUSAL}")]) if argv[1:] else (0, [])

    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "node"),
        "/usr/local/bin/node": once("node", tell),
    }


PYTHON = Image(
    repository="docker.io/library/python",
    since=(2, 7),
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
    programs=_python,
    tools="debian",
    files=debian_files,
)

NODE = Image(
    repository="docker.io/library/node",
    since=(4, 0),
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
    programs=_node,
    tools="debian",
    files=debian_files,
)


def _java(path: str, vendor: str) -> Callable[[Variant], dict[str, Program]]:
    """``java`` and ``javac``: their versions, and what they say of files that are not there."""

    def programs(variant: Variant) -> dict[str, Program]:
        version = variant.version

        def tell(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
            match argv[1:]:
                case ["-version" | "--version" as word, *_]:
                    stream = "stderr" if word == "-version" else "stdout"
                    lines = (
                        f'openjdk version "{version}"' if word == "-version" else f"openjdk {version}",
                        f"OpenJDK Runtime Environment {vendor}(build {version})",
                        f"OpenJDK 64-Bit Server VM {vendor}(build {version}, mixed mode, sharing)",
                    )
                    return 0, [(stream, line) for line in lines]
                case [*_, "-jar", name] if not sys.fs.is_file(name):
                    return 1, [("stderr", f"Error: Unable to access jarfile {name}")]
                case []:
                    return 1, [("stderr", "Usage: java [options] <mainclass> [args...]")]
            return 1, [("stderr", f"java: {_REFUSAL}")]

        def compiles(sys: Sys, argv: list[str]) -> tuple[int, list[Line]]:
            if argv[1:2] in (["-version"], ["--version"]):
                return 0, [("stdout", f"javac {version}")]
            return 2, [("stderr", f"javac: {_REFUSAL}")]

        return {
            f"{path}/java": once("java", tell),
            f"{path}/javac": once("javac", compiles),
            # Without input it ends at once.
            f"{path}/jshell": once("jshell", lambda sys, argv: (0, [])),
        }

    return programs


def _jdk(repository: str, path: str, vendor: str, *newest: str) -> Image:
    """A Java image: a build of each of these versions, on Debian and on Alpine."""
    variants: dict[str, Variant] = {}
    for version in newest:
        major = version.partition(".")[0]
        variants |= tags(220_000_000, version, major, f"{major}-jdk", f"{major}-jre", f"{major}-slim")
        variants |= tags(
            150_000_000,
            version,
            f"{major}-alpine",
            f"{major}-jdk-alpine",
            f"{major}-jre-alpine",
            flavor="alpine",
        )
    variants |= {"latest": variants[newest[0].partition(".")[0]]}
    return Image(
        repository=repository,
        since=(8,),
        variants=variants,
        cmd=("jshell",),
        env={"PATH": f"{path}:{PATH}", "JAVA_HOME": path.removesuffix("/bin"), "LANG": "C.UTF-8"},
        programs=_java(path, vendor),
        tools="debian",
        files=debian_files,
    )


_JAVAS = ("25.0.1", "21.0.9", "17.0.17", "11.0.29", "8.0.472")
JAVA: tuple[Image, ...] = (
    _jdk("docker.io/library/openjdk", "/usr/local/openjdk/bin", "", *_JAVAS),
    _jdk("docker.io/library/eclipse-temurin", "/opt/java/openjdk/bin", "Temurin ", *_JAVAS),
    _jdk("docker.io/library/amazoncorretto", "/usr/lib/jvm/default-jvm/bin", "Corretto ", *_JAVAS),
)
