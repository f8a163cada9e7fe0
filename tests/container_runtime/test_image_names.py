"""Image references, and what registries say about them."""

from __future__ import annotations

import pytest

from cluster_engine.container_runtime.images import IMAGES
from cluster_engine.container_runtime.names import InvalidImageName, parse
from cluster_engine.container_runtime.registry import PullError, find

GOOD = {
    "nginx": "docker.io/library/nginx:latest",
    "nginx:1.25": "docker.io/library/nginx:1.25",
    "hashicorp/http-echo": "docker.io/hashicorp/http-echo:latest",
    "registry.k8s.io/pause:3.10": "registry.k8s.io/pause:3.10",
    "localhost:5000/a/b:c": "localhost:5000/a/b:c",
    "index.docker.io/library/nginx": "docker.io/library/nginx:latest",
    "nginx@sha256:" + "a" * 64: "docker.io/library/nginx@sha256:" + "a" * 64,
}
BAD = {
    "": "invalid reference format",
    "nginx:": "invalid reference format",
    "nginx:-x": "invalid reference format",
    "a//b": "invalid reference format",
    "-nginx": "invalid reference format",
    "Nginx": "invalid reference format: repository name (library/Nginx) must be lowercase",
    "nginx@sha256:12": "invalid reference format",
}


@pytest.mark.parametrize(("text", "expected"), GOOD.items(), ids=GOOD.keys())
def test_parse(text: str, expected: str) -> None:
    assert str(parse(text)) == expected


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=[f"bad {name!r}" for name in BAD])
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidImageName) as caught:
        parse(text)
    assert str(caught.value) == message


def _failed(reference: str) -> str:
    return f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'


PULLS = {
    "nope": _failed("docker.io/library/nope:latest")
    + ": pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed",
    "nginx:1.999": "rpc error: code = NotFound desc = "
    + _failed("docker.io/library/nginx:1.999")
    + ": docker.io/library/nginx:1.999: not found",
    "registry.k8s.io/none:1": "rpc error: code = NotFound desc = "
    + _failed("registry.k8s.io/none:1")
    + ": registry.k8s.io/none:1: not found",
}


@pytest.mark.parametrize(("name", "message"), PULLS.items(), ids=PULLS.keys())
def test_pull_errors(name: str, message: str) -> None:
    with pytest.raises(PullError) as caught:
        find(name)
    assert str(caught.value) == message


def test_images_are_listed_once() -> None:
    names = [image.repository for image in IMAGES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.repository)
def test_every_image_can_be_found_by_its_digest(image) -> None:  # type: ignore[no-untyped-def]
    for tag, variant in image.variants.items():
        assert variant.size > 0
        found, same = find(f"{image.repository}@{image.digest(tag)}")
        assert (found, found.variants[same]) == (image, variant)


BUILDS: dict[str, tuple[str, str] | None] = {
    "nginx:1.16.0": ("1.16.0", "debian"),
    "nginx:1.22": ("1.22.0", "debian"),
    "nginx:1.27-alpine3.19": ("1.27.5", "busybox"),
    "nginx:1.27.1-bookworm": ("1.27.1", "debian"),
    "nginx:bookworm": ("1.29.3", "debian"),
    "nginx:1.161": None,
    "nginx:1.29.9": None,
    "nginx:2": None,
    "nginx:1.6": None,
    "nginx:v1.25": None,
    "nginx:01.2": None,
    "nginx:latets": None,
    "nginx:1.27-windows": None,
    "redis:5.0.4": ("5.0.4", "debian"),
    "redis:6.0.5-alpine": ("6.0.5", "busybox"),
    "redis:9": None,
    "redis:5.100": None,
    "redis:5.0.100": None,
    "python:3.8-slim-buster": ("3.8.0", "debian"),
    "node:14-alpine": ("14.0.0", "busybox"),
    "mysql:5.6": ("5.6.0", "debian"),
    "mysql:5.7-alpine": None,
    "postgres:9.6": ("9.6", "debian"),
    "busybox:1.28": ("1.28.4", "busybox"),
    "alpine:3.12": ("3.12.0", "busybox"),
    "alpine:3.99": None,
    "rabbitmq:3.8-management": ("3.8.0", "debian"),
    "curlimages/curl:7.85.0": ("7.85.0", "busybox"),
    "public.ecr.aws/docker/library/nginx:1.21": ("1.21.6", "debian"),
    "mirror.gcr.io/library/redis:7": ("7.4.6", "debian"),
    "k8s.gcr.io/pause:3.1": ("3.1", "none"),
    "gcr.io/google_containers/echoserver:1.4": ("1.4", "debian"),
    "registry.k8s.io/metrics-server/metrics-server:v0.7.2": ("0.7.2", "none"),
    "registry.k8s.io/metrics-server/metrics-server:v0.9.0": None,
    "registry.k8s.io/coredns/coredns:v1.11.1": ("1.11.1", "none"),
    "registry.k8s.io/coredns/coredns:v1.12.3": ("1.12.3", "none"),
    "registry.k8s.io/coredns/coredns:1.11.1": None,
    "debian:12.5": ("12.5", "debian"),
    "debian:7": None,
    "k8s.gcr.io/nothing:1": None,
    "hello-world:1.0": None,
}


@pytest.mark.parametrize("name", BUILDS)
def test_a_plausible_tag_means_the_nearest_build(name: str) -> None:
    expected = BUILDS[name]
    if expected is None:
        with pytest.raises(PullError, match="not found"):
            find(name)
        return
    image, tag = find(name)
    variant = image.variants[tag]
    assert (variant.version, image.tools_of(tag)) == expected
    assert variant.size > 0


def test_a_digest_is_that_of_a_build() -> None:
    image, tag = find("redis:6.2-alpine3.18")
    assert image.digest(tag) == find("redis:6-alpine")[0].digest("6-alpine")
    assert image.digest(tag) != find("redis:6.2.1-alpine")[0].digest("6.2.1-alpine")
