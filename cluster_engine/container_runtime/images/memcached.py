"""memcached: listens on 11211 and says nothing; commands to it are not simulated."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, PATH, Image, Variant, debian_files, tags
from cluster_engine.container_runtime.programs import daemon, entrypoint
from cluster_engine.linux.program import Program


def _programs(variant: Variant) -> dict[str, Program]:
    server = daemon("memcached", lambda sys: [], after=5_000, ports=(11_211,), ready=lambda sys: [])
    return {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("docker-entrypoint.sh", "memcached"),
        "/usr/local/bin/memcached": server,
    }


IMAGE = Image(
    repository="docker.io/library/memcached",
    since=(1, 4),
    variants={
        **tags(32_400_000, "1.6.39", "latest", "1", "1.6", "1.6.39"),
        **tags(31_900_000, "1.5.22", "1.5", "1.5.22"),
        **tags(9_800_000, "1.6.39", "alpine", "1-alpine", "1.6-alpine", flavor="alpine"),
    },
    entrypoint=("docker-entrypoint.sh",),
    cmd=("memcached",),
    env={"PATH": PATH},
    ports=(11_211,),
    uid=11_211,
    gid=11_211,
    programs=_programs,
    memory=3 * MB,
    tools="debian",
    files=debian_files,
)
