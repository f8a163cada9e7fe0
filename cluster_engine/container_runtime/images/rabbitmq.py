# ruff: noqa: E501 (one answer a line)
"""rabbitmq: listens on 5672 (and 15672 with the management plugin); what clients ask it is not simulated; `rabbitmqctl` tells how it is."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.program import Program, Sys
from cluster_engine.sim import rfc3339


def _line(sys: Sys, text: str) -> Line:
    stamp = f"{rfc3339(sys.now)[:10]} {rfc3339(sys.now)[11:19]}.{sys.now % 1_000_000:06d}+00:00"
    return ("stdout", f"{stamp} [info] <0.254.0> {text}")


def _control(version: str) -> Program:
    """rabbitmqctl and rabbitmq-diagnostics: no client has made a queue, since none is understood."""

    def run(sys: Sys, argv: list[str]) -> int:
        words = [word for word in argv[1:] if not word.startswith("-")]
        command = words[0] if words else ""
        if not any(each["port"] == 5_672 for each in sys.listeners()):
            sys.err(f"Error: unable to perform an operation on node 'rabbit@{sys.hostname}'. ")
            sys.err("Please see diagnostics information and suggestions below.\n")
            return 69
        quiet = any(word in ("-q", "--quiet", "-s", "--silent") for word in argv)
        if command not in _TOLD:
            sys.err(f"{sys.name}: {command or 'no command'} is not simulated here; a real RabbitMQ has it\n")
            return 64
        heading, body = (text.format(host=sys.hostname, version=version) for text in _TOLD[command])
        sys.out(("" if quiet else heading) + body)
        return 0

    return Program("rabbitmqctl", run=run)


_TOLD = {
    # command -> what stands above, what it tells
    "status": (
        "Status of node rabbit@{host} ...\n",
        "Runtime\n\nRabbitMQ version: {version}\nNode name: rabbit@{host}\n\nListeners\n\n"
        "Interface: [::], port: 5672, protocol: amqp, purpose: AMQP 0-9-1 and AMQP 1.0\n",
    ),
    "list_queues": ("Timeout: 60.0 seconds ...\nListing queues for vhost / ...\n", ""),
    "list_exchanges": ("Listing exchanges for vhost / ...\n", "name\ttype\namq.direct\tdirect\namq.fanout\tfanout\namq.topic\ttopic\n\tdirect\n"),
    "list_users": ("Listing users ...\n", "user\ttags\nguest\t[administrator]\n"),
    "list_vhosts": ("Listing vhosts ...\n", "name\n/\n"),
    "ping": ("Will ping rabbit@{host}. This only checks if the OS process is running and registered with epmd. Timeout: 60000 ms.\n", "Ping succeeded\n"),
    "check_running": ("Checking if RabbitMQ is running on node rabbit@{host} ...\n", "RabbitMQ on node rabbit@{host} is fully booted and running\n"),
    "await_startup": ("", ""),
}  # fmt: skip


def _programs(variant: Variant) -> dict[str, Program]:
    management = "management" in variant.flavor

    def start(sys: Sys) -> list[Line]:
        return [
            _line(sys, f" Starting RabbitMQ {variant.version} on Erlang 27.3.4.3 [jit]"),
            _line(sys, " Copyright (c) 2007-2025 Broadcom Inc and/or its subsidiaries"),
        ]

    def ready(sys: Sys) -> list[Line]:
        plugins = 4 if management else 0
        lines = [_line(sys, "started TCP listener on [::]:5672")]
        if management:
            lines.append(_line(sys, "Management plugin: HTTP (non-TLS) listener started on port 15672"))
        return [*lines, _line(sys, f"Server startup complete; {plugins} plugins started.")]

    server = daemon(
        "rabbitmq-server",
        start,
        after=7_000_000,
        ports=(5_672, 15_672) if management else (5_672,),
        ready=ready,
        stop_after=1_000_000,
    )
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "rabbitmq-server"),
        "/opt/rabbitmq/sbin/rabbitmq-server": server,
        "/opt/rabbitmq/sbin/rabbitmqctl": _control(variant.version),
        "/opt/rabbitmq/sbin/rabbitmq-diagnostics": _control(variant.version),
    }


IMAGE = Image(
    repository="docker.io/library/rabbitmq",
    since=(3, 5),
    variants={
        **tags(102_000_000, "4.2.0", "latest", "4", "4.2", "4.2.0"),
        **tags(97_000_000, "3.13.7", "3", "3.13", "3.13.7"),
        **tags(112_000_000, "4.2.0", "management", "4-management", "4.2-management", flavor="management"),
        **tags(107_000_000, "3.13.7", "3-management", "3.13-management", flavor="management"),
        **tags(71_000_000, "4.2.0", "alpine", "4-alpine", flavor="alpine"),
        **tags(66_000_000, "3.13.7", "3-alpine", "3.13-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("rabbitmq-server",),
    env={"PATH": f"/opt/rabbitmq/sbin:{PATH}", "RABBITMQ_DATA_DIR": "/var/lib/rabbitmq"},
    ports=(5_672,),
    programs=_programs,
    memory=120 * MB,
    tools="debian",
    files=debian_files,
)
