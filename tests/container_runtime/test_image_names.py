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
