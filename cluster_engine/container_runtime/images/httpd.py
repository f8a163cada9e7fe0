"""httpd: the Apache web server, serving /usr/local/apache2/htdocs on port 80."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images._web import combined_log, static
from cluster_engine.container_runtime.process import Launch, Plan


def _server(launch: Launch) -> str:
    return f"Apache/{IMAGE.variants[launch.tag].version} (Unix)"


_SERVE = static("/usr/local/apache2/htdocs", _server)


def _serve(launch: Launch) -> Plan:
    text = (
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using "
        f"{launch.hostname}. Set the 'ServerName' directive globally to suppress this message"
    )
    return Plan(
        log=(
            (40_000, "stderr", text),
            (60_000, "stderr", f"{_server(launch)} configured -- resuming normal operations"),
        ),
        ports=((80, 60_000),),
        http=_SERVE,
        access_log=combined_log,
        on_term=(90_000, 0),
        memory=12 * MB,
    )


def _files(variant: Variant) -> dict[str, str]:
    return {
        **debian_files(variant),
        "/usr/local/apache2/htdocs/index.html": "<html><body><h1>It works!</h1></body></html>\n",
    }


IMAGE = Image(
    repository="docker.io/library/httpd",
    variants={
        **tags(46_071_712, "2.4.65", "latest", "2", "2.4", "2.4.65"),
        **tags(45_998_713, "2.4.63", "2.4.63"),
        **tags(19_918_220, "2.4.65", "alpine", "2-alpine", "2.4-alpine", "2.4.65-alpine", flavor="alpine"),
    },
    cmd=("httpd-foreground",),
    env={"PATH": "/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    ports=(80,),
    workdir="/usr/local/apache2",
    programs={"httpd-foreground": _serve, "httpd": _serve},
    tools="debian",
    files=_files,
)
