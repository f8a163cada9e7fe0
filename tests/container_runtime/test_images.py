"""What images that are more than a server do: their programs, as courses use them."""

from __future__ import annotations

import pytest

from cluster_engine.container_runtime.image import Image
from cluster_engine.container_runtime.images import IMAGES, perl
from cluster_engine.container_runtime.registry import BUILT_IN, find
from cluster_engine.container_runtime.trees import program
from tests.linux.world import World

RUNS: dict[str, tuple[str, list[str], int, str]] = {
    "pi": ("perl:5.34.0", ["perl", "-Mbignum=bpi", "-wle", "print bpi(20)"], 0, "3.1415926535897932385\n"),
    "perl's version": (
        "perl:5.34",
        ["perl", "-v"],
        0,
        "\nThis is perl 5, version 34, subversion 0 (v5.34.0) built for x86_64-linux-gnu\n",
    ),
    "any other perl": (
        "perl",
        ["perl", "-e", "print 1"],
        1,
        "perl: this program cannot be run: only the digits of pi are computed here\n",
    ),
    "more digits": (
        "perl",
        ["perl", "-Mbignum=bpi", "-wle", f"print bpi({perl.MAX_DIGITS + 1})"],
        1,
        "perl: this program cannot be run: only the digits of pi are computed here\n",
    ),
    "the version that was asked for": ("nginx:1.16.0", ["nginx", "-v"], 0, "nginx version: nginx/1.16.0\n"),
    "an older node": ("node:14-alpine", ["node", "-v"], 0, "v14.0.0\n"),
    "java's version": (
        "openjdk:17",
        ["java", "-version"],
        0,
        'openjdk version "17.0.17"\nOpenJDK Runtime Environment (build 17.0.17)\n'
        "OpenJDK 64-Bit Server VM (build 17.0.17, mixed mode, sharing)\n",
    ),
    "a jar that is not there": (
        "eclipse-temurin:21-jre", ["java", "-jar", "/app.jar"], 1, "Error: Unable to access jarfile /app.jar\n"),
    "a program in Java": (
        "amazoncorretto:17",
        ["java", "Main"],
        1,
        "java: this program cannot be run: no interpreter is simulated here\n",
    ),
    "a proxy server over TCP": (
        "registry.k8s.io/kas-network-proxy/proxy-server:v0.31.0",
        ["proxy-server", "--server-port=8090"],
        1,
        "Error: Drydock's proxy-server hears the API server at a unix socket alone (--uds-name), "
        "a real one over TCP, too\n",
    ),
    "a proxy server without its folder": (
        "registry.k8s.io/kas-network-proxy/proxy-server:v0.0.32",
        ["proxy-server", "--uds-name=/run/k/s"],
        1,
        "Error: failed to run the frontend server: failed to get uds listener: failed to listen(unix) name /run/k/s: "
        "listen unix /run/k/s: bind: no such file or directory\n",
    ),
    "stress without hogs": ("polinux/stress", ["stress"], 0, "Usage: stress [OPTION [ARG]] ...\n"),
    "stress misused": (
        "polinux/stress", ["stress", "--vm"], 1, "stress: FAIL: [1] (244) missing argument to option '--vm'\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "argv", "status", "said"), RUNS.values(), ids=RUNS)
def test_run(name: str, argv: list[str], status: int, said: str) -> None:
    image, tag = find(name)
    paths = {path.rpartition("/")[2]: path for path in image.programs(image.variants[tag])}
    own = {word: f"image:{image.repository}:{tag} {path}" for word, path in paths.items()}
    world = World(table=lambda word: program(BUILT_IN, own.get(word, word)), names=own)
    process = world.start(*argv)
    world.advance(5_000_000)
    assert (world.host.exits, world.host.out()) == ({process: status}, said)


@pytest.mark.parametrize("image", [each for each in IMAGES if each.since], ids=lambda image: image.repository)
def test_old_versions_have_what_new_ones_have(image: Image) -> None:
    oldest = ".".join(str(number) for number in image.since)
    prefix = "v" if next(iter(image.variants)).startswith("v") else ""
    found, tag = find(f"{image.repository}:{prefix}{oldest}")
    newest = next(iter(image.variants.values()))
    assert found.programs(found.variants[tag]).keys() == image.programs(newest).keys()
