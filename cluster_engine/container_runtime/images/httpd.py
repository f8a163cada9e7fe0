"""httpd: the Apache web server, serving /usr/local/apache2/htdocs on port 80."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line, Server, server
from cluster_engine.container_runtime.image import MB, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images._web import combined_log, static
from cluster_engine.linux.program import Program, Sys


def _in_use(sys: Sys, port: int, reason: str) -> str:
    return (
        f"(98){reason}: AH00072: make_sock: could not bind to address 0.0.0.0:{port}\n"
        "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"
    )


def _programs(variant: Variant) -> dict[str, Program]:
    version = f"Apache/{variant.version} (Unix)"

    def ready(sys: Sys) -> list[Line]:
        text = (
            "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using "
            f"{sys.hostname}. Set the 'ServerName' directive globally to suppress this message"
        )
        return [("stderr", text), ("stderr", f"{version} configured -- resuming normal operations")]

    program = server(
        "httpd",
        Server(
            static(lambda sys: "/usr/local/apache2/htdocs", version),
            ready=ready,
            after=60_000,
            access=combined_log,
            name=version,
            stops={"WINCH": (90_000, 0), "TERM": (90_000, 0)},
            in_use=_in_use,
        ),
    )
    return {"/usr/local/bin/httpd-foreground": program, "/usr/local/apache2/bin/httpd": program}


def _files(variant: Variant) -> dict[str, str]:
    return {
        **debian_files(variant),
        "/usr/local/apache2/htdocs/index.html": "<html><body><h1>It works!</h1></body></html>\n",
    }


IMAGE = Image(
    repository="docker.io/library/httpd",
    since=(2, 2),
    variants={
        **tags(46_071_712, "2.4.65", "latest", "2", "2.4", "2.4.65"),
        **tags(45_998_713, "2.4.63", "2.4.63"),
        **tags(19_918_220, "2.4.65", "alpine", "2-alpine", "2.4-alpine", "2.4.65-alpine", flavor="alpine"),
    },
    cmd=("httpd-foreground",),
    env={"PATH": "/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    ports=(80,),
    steady=True,
    workdir="/usr/local/apache2",
    stop_signal="WINCH",
    programs=_programs,
    memory=12 * MB,
    tools="debian",
    files=_files,
)
