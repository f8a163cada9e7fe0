"""alpine: a small Linux with busybox's tools."""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, alpine_files, tags

IMAGE = Image(
    repository="docker.io/library/alpine",
    since=(2, 6),
    variants={
        **tags(3_806_782, "3.22.2", "latest", "3", "3.22", "3.22.2", flavor="alpine"),
        **tags(3_640_820, "3.21.5", "3.21", "3.21.5", flavor="alpine"),
        **tags(3_626_897, "3.20.8", "3.20", "3.20.8", flavor="alpine"),
        **tags(3_418_408, "3.19.9", "3.19", "3.19.9", flavor="alpine"),
        **tags(3_405_995, "3.18.12", "3.18", "3.18.12", flavor="alpine"),
    },
    cmd=("/bin/sh",),
    env={"PATH": PATH},
    tools="busybox",
    files=alpine_files,
)
