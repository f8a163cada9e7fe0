"""rabbitmq: listens on 5672 (and 15672 with the management plugin); what clients ask it is not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line
from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.program import Program, Sys
from cluster_engine.sim import rfc3339


def _line(sys: Sys, text: str) -> Line:
    stamp = f"{rfc3339(sys.now)[:10]} {rfc3339(sys.now)[11:19]}.{sys.now % 1_000_000:06d}+00:00"
    return ("stdout", f"{stamp} [info] <0.254.0> {text}")


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
