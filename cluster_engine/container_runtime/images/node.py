"""kindest/node: the machine of a node. Who logs in to a node of the cluster is on one (`kubelet/logins.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.version import KUBERNETES_VERSION

_SERVICES = {
    "/usr/local/bin/containerd": [],
    "/usr/bin/kubelet": [
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
        "--config=/var/lib/kubelet/config.yaml",
    ],
}
_JOURNAL = (
    "of the journal Drydock shows alone why a kubelet did not start (a real node shows all of its log)\n"
)
_CONFIG, _ENVIRONMENT = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"
_CRICTL = (
    "Usage: crictl ps [-a] | pods | images\n"
    "Drydock does not simulate crictl's other commands (a real node has them).\n"
)


def _init(sys: Sys, state: State, event: Event) -> State:
    """Starts the services, and again what ends."""
    match event:
        case ["start", _]:
            state = {str(sys.spawn([path, *words])): path for path, words in _SERVICES.items()}
        case ["exited", pid, _] if str(pid) in state:
            path = state.pop(str(pid))
            state[str(sys.spawn([path, *_SERVICES[path]]))] = path
    return state


def _service(sys: Sys, state: State, event: Event) -> State:
    """Waits: what it does for the cluster is done elsewhere."""
    return state


def _journalctl(sys: Sys, state: State, event: Event) -> State:
    """Asks the host why the kubelet did not start."""
    match event:
        case ["start", argv]:
            units = [word.partition("=")[2] or word for word in argv[1:] if "kubelet" in word]
            if units and units[0].removesuffix(".service").removeprefix("-u") == "kubelet":
                sys.call("journal", sys.hostname)
            else:
                sys.err(f"journalctl: {_JOURNAL}")
                sys.exit(1)
        case ["answer", _, said]:
            sys.out(octets(said))
            if not said:
                sys.err(f"journalctl: {_JOURNAL}")
            sys.exit(0 if said else 1)
    return state


def _content(sys: Sys, path: str) -> str | None:
    return sys.fs.read(path) if sys.fs.exists(path) else None


def _systemctl(sys: Sys, state: State, event: Event) -> State:
    """Asks the host, who has the kubelet; what its files say by now goes along."""
    match event:
        case ["start", argv]:
            words = [word for word in argv[1:] if not word.startswith("-")]
            files = {"config": _content(sys, _CONFIG), "environment": _content(sys, _ENVIRONMENT) or ""}
            sys.call("systemd", {"node": sys.hostname, "words": words, **files})
        case ["answer", _, [status, said, complaint]]:
            sys.out(octets(said))
            sys.err(octets(complaint))
            sys.exit(status)
    return state


def _crictl(sys: Sys, state: State, event: Event) -> State:
    """Asks containerd, that is: the host."""
    match event:
        case ["start", argv]:
            match [word for word in argv[1:] if word not in ("-a", "--all")]:
                case ["ps" | "pods" | "images" as what]:
                    sys.call("cri", {"node": sys.hostname, "what": what, "all": len(argv) > 2})
                case _:
                    sys.err(_CRICTL)
                    sys.exit(1)
        case ["answer", _, None]:
            sys.err(
                "FATA[0000] validate service connection: validate CRI v1 runtime API for endpoint "
                '"unix:///run/containerd/containerd.sock": rpc error: code = Unavailable\n'
            )
            sys.exit(1)
        case ["answer", _, rows]:
            widths = [max(map(len, column)) + 4 for column in zip(*rows, strict=True)]
            for row in rows:
                line = "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                sys.out(f"{line.rstrip()}\n")
            sys.exit(0)
    return state


def _iptables_save(sys: Sys, state: State, event: Event) -> State:
    """Shows what kube-proxy has written into the node's tables, as far as that is worked out here."""
    match event:
        case ["start", argv]:
            words = argv[1:]
            if words[:1] in (["-t"], ["--table"]) and words[1:2] in (["nat"], ["filter"]):
                state = {"table": words[1]}
            elif words:
                sys.err("iptables-save: only -t nat and -t filter are simulated here\n")
                sys.exit(1)
            sys.call("iptables", sys.hostname)
        case ["answer", _, text]:
            tables = [f"*{table}" for table in (text or "").split("*")[1:]]
            wanted = state.get("table", "")
            sys.out("".join(table for table in tables if not wanted or table.startswith(f"*{wanted}\n")))
            sys.exit(0)
    return state


def _programs(variant: Variant) -> Mapping[str, Program]:
    return {
        "/usr/sbin/init": Program("init", on=_init),
        **{path: Program(path.rpartition("/")[2], on=_service) for path in _SERVICES},
        "/usr/bin/journalctl": Program("journalctl", on=_journalctl),
        "/usr/sbin/iptables-save": Program("iptables-save", on=_iptables_save),
        "/usr/bin/systemctl": Program("systemctl", on=_systemctl),
        "/usr/local/bin/crictl": Program("crictl", on=_crictl),
    }


IMAGE = Image(
    repository="docker.io/kindest/node",
    variants=tags(450 * MB, "13", f"v{KUBERNETES_VERSION}"),
    cmd=("/sbin/init",),
    env={"PATH": PATH},
    workdir="/",
    tools="debian",
    also=(
        *("ps", "top", "free", "uptime", "ping", "pgrep", "pkill", "killall", "watch", "less", "vi"),
        *("curl", "wget", "nc", "dig", "host", "nslookup", "traceroute"),
        *("ip", "ss", "netstat", "route", "ifconfig", "openssl", "jq"),
    ),
    files=debian_files,
    programs=_programs,
)
