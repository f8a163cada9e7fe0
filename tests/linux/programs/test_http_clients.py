"""wget and curl with a peer that does what peers do: too much, too often, not at all. And a tar with a wild header."""

from __future__ import annotations

import io
import tarfile

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.programs import curl, http
from tests.linux.world import World


def world_of(files: dict[str, str] | None = None) -> World:
    return World(files, table=programs.PROGRAMS.get, names=programs.PROGRAMS)


def answered(
    world: World, *argv: str, answer: str = "", refused: bool = False, most: int = 100
) -> tuple[int, str]:
    """(status, how often it connected) of a client whose every connection is answered so."""
    process = world.start(*argv)
    connections = 0
    while process not in world.host.exits and connections < most:
        due = world.settle()
        asked = [call[1] for call in world.host.calls if call[0] == "connect"]
        if len(asked) > connections:
            connections += 1
            if refused:
                world.machine.failed(asked[-1], "refused")
            else:
                world.machine.connected(asked[-1])
                world.machine.received(asked[-1], answer)
        elif due is not None:
            world.now = max(world.now, due)
    return world.host.exits[process], str(connections)


LONG = "HTTP/1.1 200 OK\r\nX: " + "x" * (http.MAX_HEAD + 1)
BIG = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + "x" * 20


@pytest.mark.parametrize(("name", "status"), [("wget", 1), ("curl", 1)])
@pytest.mark.parametrize("answer", [LONG, BIG], ids=["head", "body"])
def test_answers_that_are_too_large(
    name: str, status: int, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 10)
    assert answered(world_of(), name, "http://10.0.0.2/", answer=answer) == (status, "1")


@pytest.mark.parametrize(
    ("argv", "outcome"), [(("wget",), (1, "11")), (("curl", "-L"), (47, "51"))], ids=["wget", "curl"]
)
def test_answers_that_lead_nowhere(argv: tuple[str, ...], outcome: tuple[int, str]) -> None:
    answer = "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.2/\r\nContent-Length: 0\r\n\r\n"
    assert answered(world_of(), *argv, "http://10.0.0.2/", answer=answer) == outcome


def test_a_client_that_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curl, "MAX_RETRIES", 2)
    argv = ("curl", "--retry", "500", "--retry-connrefused", "http://10.0.0.2/")
    assert answered(world_of(), *argv, refused=True) == (7, "3")


def test_a_tar_header_that_is_too_long() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * 70_000))
    result = world_of({"/tmp/a.tar": packed.getvalue().decode("latin-1")}).sh("tar -tf /tmp/a.tar")
    assert (result.status, result.err) == (2, "tar: a header of more than 64 KiB is not read here\n")
