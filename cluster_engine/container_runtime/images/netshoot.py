"""nicolaka/netshoot: the tools with which networks are looked at, on Alpine."""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, alpine_files, tags

IMAGE = Image(
    repository="docker.io/nicolaka/netshoot",
    variants=tags(182_000_000, "0.14", "latest", "v0.14", "v0.13", "v0.12", "v0.11", flavor="alpine"),
    cmd=("sh",),
    env={"PATH": PATH},
    workdir="/root",
    tools="busybox",
    also=("curl", "dig", "host", "jq", "openssl", "ss"),
    files=alpine_files,
)
