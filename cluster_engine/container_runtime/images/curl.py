"""curlimages/curl: curl on Alpine."""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, alpine_files, tags

_ENTRYPOINT = """#!/bin/sh
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then
  set -- curl "$@"
fi
exec "$@"
"""

IMAGE = Image(
    repository="docker.io/curlimages/curl",
    since=(7, 60),
    variants={
        **tags(9_953_000, "8.16.0", "latest", "8.16.0", flavor="alpine"),
        **tags(9_653_000, "8.10.1", "8.10.1", flavor="alpine"),
        **tags(8_653_000, "8.5.0", "8.5.0", flavor="alpine"),
    },
    entrypoint=("/entrypoint.sh",),
    cmd=("curl",),
    env={"PATH": PATH, "CURL_CA_BUNDLE": "/cacert.pem"},
    uid=101,
    tools="busybox",
    also=("curl",),
    files=lambda variant: {**alpine_files(variant), "/entrypoint.sh": _ENTRYPOINT},
)
