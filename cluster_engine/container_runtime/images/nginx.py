"""nginx: serves /usr/share/nginx/html on port 80."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cluster_engine.container_runtime.http import Line, Server, server, slashed
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.images import _nginx
from cluster_engine.container_runtime.images._web import combined_log, error_page
from cluster_engine.container_runtime.nginx_conf import ConfError
from cluster_engine.container_runtime.programs import entrypoint
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys

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
    listen  [::]:80;
    server_name  localhost;

    #access_log  /var/log/nginx/host.access.log  main;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
_MAIN = """
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
"""
_TYPES = """types {
    text/html                html htm shtml;
    text/css                 css;
    application/javascript   js;
    application/json         json;
    text/plain               txt;
}
"""


_PLACES = ("/var/cache/nginx/client_temp", "/run/nginx.pid")
_TEMPORARY = ("/tmp/client_temp", "/tmp/nginx.pid")
"""Where it keeps what it is sent, and its number; the second ones are those of the image without a superuser."""
_CODES = {
    "Permission denied": 13,
    "Read-only file system": 30,
    "No such file or directory": 2,
    "No space left on device": 28,
}
_STARTS = 30_000
MIME = "/etc/nginx/mime.types"
_SIGNALS = {"stop": "TERM", "quit": "QUIT", "reload": "HUP", "reopen": "USR1"}


def _emergency(sys: Sys, text: str) -> str:
    return f"{slashed(sys.now)} [emerg] {sys.pid}#{sys.pid}: {text}\nnginx: [emerg] {text}\n"


def _places(sys: Sys) -> tuple[str, str]:
    try:
        return _TEMPORARY if f"{_TEMPORARY[1]};" in sys.fs.read(_nginx.PATH) else _PLACES
    except FileError:
        return _PLACES


def _check(sys: Sys) -> tuple[int, str]:
    """What nginx needs of the file system before it serves."""
    files = sys.fs
    cache, pid = _places(sys)
    try:
        what = f'mkdir() "{cache}" failed'
        if not files.is_dir(cache):
            files.mkdir(cache)
        what = f'open() "{pid}" failed'
        files.write(pid, f"{sys.pid}\n")
    except FileError as error:
        return 1, _emergency(sys, f"{what} ({_CODES.get(error.reason, 5)}: {error.reason})")
    return 0, ""


def _in_use(sys: Sys, port: int, reason: str) -> str:
    number = 98 if "in use" in reason else 13
    return _emergency(sys, f"bind() to 0.0.0.0:{port} failed ({number}: {reason})")


def _greet(sys: Sys, words: list[str]) -> list[Line]:
    """What the image's entrypoint script says before it starts nginx."""
    if words[0] not in ("nginx", "nginx-debug"):
        return []
    entry, ipv6 = "/docker-entrypoint.sh:", "10-listen-on-ipv6-by-default.sh"
    conf = "/etc/nginx/conf.d/default.conf"
    return [
        ("stdout", f"{entry} /docker-entrypoint.d/ is not empty, will attempt to perform configuration"),
        ("stdout", f"{entry} Looking for shell scripts in /docker-entrypoint.d/"),
        ("stdout", f"{entry} Launching /docker-entrypoint.d/{ipv6}"),
        ("stdout", f"{ipv6}: info: Getting the checksum of {conf}"),
        ("stdout", f"{ipv6}: info: Enabled listen on IPv6 in {conf}"),
        ("stdout", f"{entry} Launching /docker-entrypoint.d/20-envsubst-on-templates.sh"),
        ("stdout", f"{entry} Launching /docker-entrypoint.d/30-tune-worker-processes.sh"),
        ("stdout", f"{entry} Configuration complete; ready for start up"),
    ]


def _programs(variant: Variant) -> dict[str, Program]:
    version = f"nginx/{variant.version}"
    old = int(variant.version.split(".")[1]) < 18

    def notices(sys: Sys) -> list[Line]:
        if old:
            return []
        notice = f"{slashed(sys.now)} [notice] {sys.pid}#{sys.pid}:"
        return [
            ("stderr", f'{notice} using the "epoll" event method'),
            ("stderr", f"{notice} {version}"),
            ("stderr", f"{notice} OS: Linux 6.12.48"),
            ("stderr", f"{notice} start worker processes"),
            ("stderr", f"{notice} start worker process {sys.pid + 28}"),
            ("stderr", f"{notice} start worker process {sys.pid + 29}"),
        ]

    serving = server(
        "nginx",
        Server(
            _nginx.answering(version),
            ports=_nginx.ports,
            unanswered=lambda status: error_page(version, status),
            check=_check,
            ready=notices,
            after=_STARTS,
            access=combined_log,
            name=version,
            stops={"QUIT": (60_000, 0), "TERM": (20_000, 0), "INT": (20_000, 0)},
            in_use=_in_use,
        ),
    )
    assert serving.on is not None
    serve = serving.on

    def on(sys: Sys, state: State, event: Event) -> State:
        """The command line first; then the server, in the foreground or as a daemon."""
        if event[0] == "signal" and event[1] == "HUP":
            return _reloaded(sys, state)
        if event[0] in ("resolved", "unresolved"):
            return _found(sys, state, event)
        if event[0] != "start":
            return serve(sys, state, event)
        words = sys.argv[1:]
        if "-v" in words or "-V" in words:
            sys.err(f"nginx version: {version}\n")
            sys.exit(0)
        place = words[words.index("-c") + 1] if "-c" in words[:-1] else _nginx.PATH
        if "-t" in words or "-T" in words:
            _test(sys, place)
        if "-s" in words:
            _signal(sys, words[words.index("-s") + 1 :])
        if not any("daemon off" in word for word in words):
            sys.spawn([*sys.argv, "-g", "daemon off;"])
            sys.exit(0)
        return _begun(sys, serve, place)

    program = Program("nginx", on=on)
    script = entrypoint("docker-entrypoint.sh", greet=(lambda sys, words: []) if old else _greet)
    return {"/docker-entrypoint.sh": script, "/usr/sbin/nginx": program, "/usr/sbin/nginx-debug": program}


Serve = Callable[[Sys, State, Event], State]


def _begun(sys: Sys, serve: Serve, place: str) -> State:
    """Reads the configuration; other hosts that it names are looked for first."""
    try:
        conf, wanted = _nginx.read(sys, place)
    except ConfError as error:
        sys.err(_emergency(sys, str(error)))
        sys.exit(1)
    state = serve(sys, {}, ["start", sys.argv])
    sys.trap("HUP", "catch")
    state |= {"place": place, **({"conf": conf} if conf is not None else {})}
    if wanted:
        # It does not listen before all are found.
        sys.cancel(state.pop("timer"))
        state |= {"wanted": wanted, "found": {}}
        sys.resolve(wanted[0][0])
    return state


def _found(sys: Sys, state: State, event: Event) -> State:
    """The next of the hosts that the configuration names."""
    wanted = state.get("wanted") or []
    if not wanted:
        return state
    host, at = wanted[0]
    if event[0] == "unresolved":
        sys.err(_emergency(sys, f'host not found in upstream "{host}" in {at}'))
        sys.exit(1)
    state["found"] = {**state["found"], host: event[2][0]}
    state["wanted"] = wanted[1:]
    if state["wanted"]:
        sys.resolve(state["wanted"][0][0])
    else:
        del state["wanted"]
        state["timer"] = sys.sleep(_STARTS)
    return state


def _reloaded(sys: Sys, state: State) -> State:
    """Takes the configuration anew, if it is one and names no host that was not found when it started."""
    try:
        conf, wanted = _nginx.read(sys, state["place"])
    except ConfError as error:
        sys.err(_emergency(sys, str(error)).partition("\n")[0] + "\n")
        return state
    if any(host not in state.get("found", {}) for host, _ in wanted):
        sys.err(
            _emergency(sys, "a new upstream is looked for when nginx is started again").partition("\n")[0]
            + "\n"
        )
        return state
    state.pop("conf", None)
    if conf is not None:
        state["conf"] = conf
    return state


def _test(sys: Sys, place: str) -> None:
    """``nginx -t``. Names of other hosts are not looked for."""
    try:
        _nginx.read(sys, place)
    except ConfError as error:
        sys.err(f"nginx: [emerg] {error}\nnginx: configuration file {place} test failed\n")
        sys.exit(1)
    sys.err(f"nginx: the configuration file {place} syntax is ok\n")
    sys.err(f"nginx: configuration file {place} test is successful\n")
    sys.exit(0)


def _signal(sys: Sys, words: list[str]) -> None:
    """``nginx -s stop``: tells the running server."""
    signal = _SIGNALS.get(words[0]) if words else None
    if signal is None:
        sys.err(f'nginx: invalid option: "-s {words[0] if words else ""}"\n')
        sys.exit(1)
    pid = _places(sys)[1]
    try:
        sys.kill(int(sys.fs.read(pid)), signal)
    except (FileError, ValueError):
        sys.err(f'nginx: [error] open() "{pid}" failed (2: No such file or directory)\n')
        sys.exit(1)
    sys.exit(0)


def _files(variant: Variant) -> dict[str, str]:
    return {
        **debian_files(variant),
        "/usr/share/nginx/html/index.html": _WELCOME,
        "/usr/share/nginx/html/50x.html": "<h1>An error occurred.</h1>\n",
        "/etc/nginx/nginx.conf": _MAIN,
        MIME: _TYPES,
        "/etc/nginx/conf.d/default.conf": _CONF,
        "/var/cache/nginx/.keep": "",
    }


IMAGE = Image(
    repository="docker.io/library/nginx",
    since=(1, 7),
    variants={
        **tags(
            72_385_417, "1.29.3", "latest", "mainline", "1", "1.29", "mainline-trixie", "1.29.3", "trixie"
        ),
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
        **tags(
            21_694_420,
            "1.29.3",
            "alpine",
            "mainline-alpine",
            "1-alpine",
            "1.29-alpine",
            "1.29.3-alpine",
            flavor="alpine",
        ),
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
    steady=True,
    stop_signal="QUIT",
    programs=_programs,
    memory=6 * MB,
    tools="debian",
    also=("curl",),
    files=_files,
)


def _own_files(variant: Variant) -> dict[str, str]:
    main = _MAIN.replace("\nuser  nginx;\n", "").replace("/run/nginx.pid;", f"{_TEMPORARY[1]};")
    own = {"/etc/nginx/nginx.conf": main, "/etc/nginx/conf.d/default.conf": _CONF.replace("80;", "8080;")}
    return {**_files(variant), **own}


UNPRIVILEGED = replace(
    IMAGE,
    repository="docker.io/nginxinc/nginx-unprivileged",
    since=(1, 15),
    ports=(8080,),
    uid=101,
    gid=101,
    files=_own_files,
)
