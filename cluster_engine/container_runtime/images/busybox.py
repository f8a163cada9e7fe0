"""busybox: the small tools and nothing else."""

from __future__ import annotations

from cluster_engine.container_runtime.image import Image, tags

IMAGE = Image(
    repository="docker.io/library/busybox",
    since=(1, 21),
    variants={
        **tags(2_223_686, "1.37.0", "latest", "1", "1.37", "1.37.0", "stable", "musl", "glibc", "uclibc"),
        **tags(2_159_953, "1.36.1", "1.36", "1.36.1"),
        **tags(2_592_233, "1.35.0", "1.35", "1.35.0"),
        **tags(787_140, "1.34.1", "1.34", "1.34.1"),
        **tags(764_619, "1.31.1", "1.31", "1.31.1"),
        **tags(727_869, "1.28.4", "1.28", "1.28.4", "1.28.0"),
    },
    cmd=("sh",),
    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    tools="busybox",
)
