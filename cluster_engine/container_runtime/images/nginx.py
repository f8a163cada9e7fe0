"""nginx: serves /usr/share/nginx/html on port 80."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images._web import combined_log, static
from cluster_engine.container_runtime.process import Launch, Line, Plan
from cluster_engine.sim import rfc3339

_WELCOME = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>nginx is running on this simulated node.</p>
</body>
</html>
"""
_CONF = """server {
    listen       80;
    server_name  localhost;
    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""


def _version(launch: Launch) -> str:
    return f"nginx/{IMAGE.variants[launch.tag].version}"


_SERVE = static("/usr/share/nginx/html", _version)


def _serve(launch: Launch) -> Plan:
    if "-v" in launch.argv or "-V" in launch.argv:
        return Plan(log=((0, "stderr", f"nginx version: {_version(launch)}"),), exits=(5_000, 0))
    entry, ipv6 = "/docker-entrypoint.sh:", "10-listen-on-ipv6-by-default.sh"
    conf = "/etc/nginx/conf.d/default.conf"
    version = _version(launch)
    old = version.startswith(("nginx/1.14", "nginx/1.16"))
    log: list[Line] = []
    if not old:
        log = [
            (
                0,
                "stdout",
                f"{entry} /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
            ),
            (0, "stdout", f"{entry} Looking for shell scripts in /docker-entrypoint.d/"),
            (5_000, "stdout", f"{entry} Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh"),
            *_ipv6(launch, ipv6, conf),
            (15_000, "stdout", f"{entry} Launching /docker-entrypoint.d/20-envsubst-on-templates.sh"),
            (18_000, "stdout", f"{entry} Launching /docker-entrypoint.d/30-tune-worker-processes.sh"),
            (20_000, "stdout", f"{entry} Configuration complete; ready for start up"),
        ]
        stamp = rfc3339(launch.started_at + 25_000).replace("-", "/").replace("T", " ").rstrip("Z")
        notice = f"{stamp} [notice] 1#1:"
        error = _frozen(launch)
        if error:
            log += [
                (25_000, "stderr", f"{stamp} [emerg] 1#1: {error}"),
                (25_000, "stderr", f"nginx: [emerg] {error}"),
            ]
            return Plan(log=tuple(log), exits=(26_000, 1), memory=6 * MB)
        log += [
            (25_000, "stderr", f'{notice} using the "epoll" event method'),
            (25_000, "stderr", f"{notice} {version}"),
            (25_000, "stderr", f"{notice} OS: Linux 6.12.48"),
            (25_000, "stderr", f"{notice} start worker processes"),
            (26_000, "stderr", f"{notice} start worker process 29"),
            (26_000, "stderr", f"{notice} start worker process 30"),
        ]
    # The image's stop signal is SIGQUIT: idle workers end at once.
    return Plan(
        log=tuple(log),
        ports=((80, 30_000),),
        http=_SERVE,
        access_log=combined_log,
        on_term=(60_000, 0),
        memory=6 * MB,
    )


def _ipv6(launch: Launch, name: str, conf: str) -> list[Line]:
    if launch.refuses(conf):
        return [(9_000, "stdout", f"{name}: info: can not modify {conf} (read-only file system?)")]
    return [
        (9_000, "stdout", f"{name}: info: Getting the checksum of {conf}"),
        (14_000, "stdout", f"{name}: info: Enabled listen on IPv6 in {conf}"),
    ]


def _frozen(launch: Launch) -> str:
    """What stops it on a read-only root file system; "" for nothing."""
    for kind in ("client", "proxy", "fastcgi", "uwsgi", "scgi"):
        path = f"/var/cache/nginx/{kind}_temp"
        if launch.refuses(path):
            return f'mkdir() "{path}" failed (30: Read-only file system)'
    if launch.refuses("/run/nginx.pid"):
        return 'open() "/run/nginx.pid" failed (30: Read-only file system)'
    return ""


def _files(variant: Variant) -> dict[str, str]:
    return {
        **debian_files(variant),
        "/usr/share/nginx/html/index.html": _WELCOME,
        "/usr/share/nginx/html/50x.html": "<h1>An error occurred.</h1>\n",
        "/etc/nginx/nginx.conf": "user  nginx;\nworker_processes  auto;\ninclude /etc/nginx/conf.d/*.conf;\n",
        "/etc/nginx/conf.d/default.conf": _CONF,
        "/docker-entrypoint.sh": "#!/bin/sh\n",
    }


IMAGE = Image(
    repository="docker.io/library/nginx",
    variants={
        **tags(72_385_417, "1.29.3", "latest", "mainline", "1", "1.29", "1.29.3", "trixie"),
        **tags(72_223_946, "1.28.0", "stable", "1.28", "1.28.0"),
        **tags(72_225_394, "1.27.5", "1.27", "1.27.5"),
        **tags(71_005_258, "1.26.3", "1.26", "1.26.3"),
        **tags(71_005_258, "1.25.5", "1.25", "1.25.5"),
        **tags(70_991_772, "1.25.4", "1.25.4"),
        **tags(70_544_635, "1.25.3", "1.25.3"),
        **tags(57_236_025, "1.24.0", "1.24", "1.24.0"),
        **tags(56_973_014, "1.23.4", "1.23", "1.23.4"),
        **tags(53_619_937, "1.21.6", "1.21", "1.21.6"),
        **tags(53_593_938, "1.20.2", "1.20", "1.20.2"),
        **tags(50_982_671, "1.19.10", "1.19", "1.19.10"),
        **tags(51_030_575, "1.17.10", "1.17", "1.17.10"),
        **tags(44_815_092, "1.16.1", "1.16", "1.16.1"),
        **tags(44_710_204, "1.15.12", "1.15", "1.15.12"),
        **tags(44_710_204, "1.14.2", "1.14", "1.14.2"),
        **tags(44_699_414, "1.7.9", "1.7.9"),
        **tags(21_694_420, "1.29.3", "alpine", "1-alpine", "1.29-alpine", "1.29.3-alpine", flavor="alpine"),
        **tags(21_272_498, "1.28.0", "stable-alpine", "1.28-alpine", "1.28.0-alpine", flavor="alpine"),
        **tags(20_984_244, "1.27.5", "1.27-alpine", "1.27.5-alpine", flavor="alpine"),
        **tags(20_461_112, "1.26.3", "1.26-alpine", "1.26.3-alpine", flavor="alpine"),
        **tags(18_345_238, "1.25.5", "1.25-alpine", "1.25.5-alpine", flavor="alpine"),
        **tags(17_345_238, "1.24.0", "1.24-alpine", "1.24.0-alpine", flavor="alpine"),
    },
    entrypoint=("/docker-entrypoint.sh",),
    cmd=("nginx", "-g", "daemon off;"),
    env={"PATH": PATH, "PKG_RELEASE": "1"},
    ports=(80,),
    programs={"docker-entrypoint.sh": _serve, "nginx": _serve, "nginx-debug": _serve},
    tools="debian",
    files=_files,
)
