"""`python -m cluster_engine serve`: one stand-alone cluster for real clients.

    python -m cluster_engine serve --port 0 --kubeconfig kubeconfig --nodes 3 --seed 1 --speed 1

TLS on loopback with certificates made at the start; the kubeconfig holds them inline. `--insecure-http` serves
plain HTTP instead, and whoever connects is the administrator.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import uvicorn
import uvloop

from cluster_engine.cluster import Cluster
from cluster_engine.component_helpers.certificates import Authority
from cluster_engine.container_runtime.declared import ImagesError
from cluster_engine.kube_apiserver.audit import PolicyError
from cluster_engine.kube_scheduler.config import ConfigError
from cluster_engine.kubelet import FlagError
from cluster_engine.memory import relax_collector
from cluster_engine.serving import ClusterApp, Driver, pki
from cluster_engine.serving.tls import PeerHttp, PeerWebSocket, peer_user, use_tls, write_private
from cluster_engine.sim import SECOND, rfc3339, wall_clock

LEAD_IN = 90 * SECOND
"""Virtual time between a cluster's first moment and the present, so that its ages look lived in."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which ends the process by the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _speed(text: str) -> float | Literal["max"]:
    if text == "max":
        return "max"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, or max, found {text!r}")
    return value


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m cluster_engine", description="A simulated Kubernetes cluster."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve one cluster to real clients")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=6443, help="0: any free port (default: 6443)")
    serve.add_argument("--kubeconfig", type=Path, required=True, metavar="FILE", help="where to write it")
    serve.add_argument("--nodes", type=int, default=3, help="default: 3")
    serve.add_argument("--seed", type=int, default=0, help="default: 0")
    serve.add_argument(
        "--speed", type=_speed, default=1.0, help="virtual seconds a second, or max (default: 1)"
    )
    serve.add_argument("--cloud", action="store_true", help="on the simulated cloud, with load balancers")
    serve.add_argument(
        "--control-planes", type=int, default=1, choices=(1, 3, 5), help="how many of the nodes (default: 1)"
    )
    serve.add_argument(
        "--kubelets", type=Path, metavar="FILE", help="flags of kubelets, by their nodes (default: none)"
    )
    serve.add_argument(
        "--scheduler-config", type=Path, metavar="FILE", help="a KubeSchedulerConfiguration (default: none)"
    )
    serve.add_argument(
        "--enable-admission-plugins",
        default="",
        metavar="NAMES",
        help="beside the usual ones: AlwaysPullImages",
    )
    serve.add_argument(
        "--audit-policy-file",
        type=Path,
        metavar="FILE",
        help="a Policy of audit.k8s.io/v1 (default: no audit log)",
    )
    serve.add_argument(
        "--images", type=Path, metavar="FILE", help="images as data that Pods can run (default: none)"
    )
    serve.add_argument(
        "--insecure-http", action="store_true", help="plain HTTP; every client is administrator"
    )
    return parser.parse_args(argv)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sets TCP_NODELAY only on sockets that say they are TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise SystemExit(f"cannot listen on {host}:{port}: {problem.strerror or problem}") from problem
    return sock


async def _serve(options: argparse.Namespace, sock: socket.socket) -> None:
    now = wall_clock()
    relax_collector()
    start = rfc3339(now - LEAD_IN)
    config = options.scheduler_config.read_text() if options.scheduler_config is not None else ""
    policy = options.audit_policy_file.read_text() if options.audit_policy_file is not None else ""
    try:
        cluster = Cluster(
            nodes=options.nodes,
            seed=options.seed,
            start=start,
            cloud=options.cloud,
            scheduler_config=config,
            control_planes=options.control_planes,
            kubelets=options.kubelets.read_text() if options.kubelets is not None else "",
            audit_policy=policy,
            admission_plugins=options.enable_admission_plugins,
            images=options.images.read_text() if options.images is not None else "",
        )
    except FlagError as problem:
        raise SystemExit(f"{options.kubelets}: {problem}") from problem
    except ImagesError as problem:
        raise SystemExit(
            "\n".join(f"{options.images}: {line}" for line in str(problem).splitlines())
        ) from problem
    except ConfigError as problem:
        raise SystemExit(f"{options.scheduler_config}: {problem}") from problem
    except PolicyError as problem:
        raise SystemExit(f"{problem}: from file {options.audit_policy_file}") from problem
    except ValueError as problem:
        raise SystemExit(str(problem)) from problem
    if options.speed not in (0, "max"):  # "max" runs ahead of the wall clock by itself
        cluster.advance_to(max(cluster.clock.now, now))
    driver = Driver(cluster, options.speed)
    certificates = None if options.insecure_http else pki.make(now)
    app = ClusterApp(cluster, driver=driver, resolve=peer_user, admin=options.insecure_http)
    config = uvicorn.Config(
        cast(Any, app),
        http=PeerHttp,
        ws=PeerWebSocket,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ws_max_size=4 << 20,
    )
    port = sock.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"{'http' if options.insecure_http else 'https'}://{host}:{port}"
    if certificates is not None:
        use_tls(config, certificates, Authority(options.seed).certificate)
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        write_private(options.kubeconfig, pki.kubeconfig(address, certificates))
        print(f"Drydock cluster at {address} (kubeconfig {options.kubeconfig})", flush=True)
    await serving


def main(argv: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    if not 0 <= options.port <= 65_535:
        raise SystemExit(f"--port must be between 0 and 65535, found {options.port}")
    if not 1 <= options.nodes <= 5_000:
        raise SystemExit(f"--nodes must be between 1 and 5000, found {options.nodes}")
    if not options.kubeconfig.parent.is_dir():
        raise SystemExit(f"--kubeconfig: there is no folder {options.kubeconfig.parent}")
    sock = _listen(options.host, options.port)
    try:
        uvloop.run(_serve(options, sock))
    finally:
        sock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
