"""The blocks of a lesson, run on the cluster beside its text.

Which blocks have run stands in a file of the home folder, so that it goes the way of all files: through the journal,
with a sleep, away with a reset. The answer tells what each block printed, and what the cluster is like afterwards.
A block that does not build on the others runs on a copy of its own (`host/copies.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from labs.kit import blocks, catalog
from labs.kit.blocks import Block
from labs.kit.catalog import Lesson
from labs.kit.picture import picture
from runs.host.copies import Copies
from runs.host.errors import HostError
from runs.host.terminal import Terminal

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SECONDS = 30.0
"""That a block may take."""
RAN = ".blocks"
"""The file that says which blocks have run: their numbers, in order."""


class Owner(Protocol):
    """What is asked of the run."""

    lab: Any
    cluster: Cluster
    terminal: Terminal
    copies: Copies

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs it beside everything else."""

    async def note_time(self) -> None:
        """Keep how far the clock has come."""


Show = Callable[[dict[str, Any]], None]
"""Is given what a block prints as it comes, whole lines: `block` and `text`."""
WARMING = ("kubectl", "get", "namespaces", "--output=name")
"""What a terminal runs before anybody waits for it: afterwards kubectl knows the server's resources."""


async def ready(owner: Owner) -> dict[str, Any]:
    """Have a block answer soon: begin the terminal, if it has not been begun, and do not wait. Raises `HostError`."""
    if owner.lab.hurries and not owner.terminal.has_session:
        owner.terminal.session()
        owner.spawn(_warm(owner.terminal))
    return {}


async def _warm(terminal: Terminal) -> None:
    with suppress(HostError):
        await terminal.run(list(WARMING))


async def run(owner: Owner, data: dict[str, Any], show: Show) -> dict[str, Any]:
    """`data`: the number of a block, or what fills the gap of what is to be completed. Raises `HostError`."""
    if not owner.lab.hurries:
        raise HostError(404, _("This is the cluster of a lab: it has no blocks."))
    lesson = catalog.load().lesson(owner.lab.lesson_slug)
    if "fill" in data:
        return await _complete(owner, lesson, data["fill"], show)
    all_blocks = blocks.of(lesson)
    number = data.get("block")
    if not isinstance(number, int) or not 0 <= number < len(all_blocks) or not all_blocks[number].script:
        raise HostError(404, _("The lesson has no such block."))
    if all_blocks[number].own is not None:
        return await owner.copies.run(all_blocks, all_blocks[number], partial(_run, show))
    done = _done(owner.terminal)
    told = []
    for block in blocks.until(all_blocks, number, done):
        answer = await _run(show, owner.terminal, all_blocks, block)
        told.append(answer)
        if block.commands:
            done.add(block.number)
            await owner.terminal.save(RAN, " ".join(map(str, sorted(done))) + "\n")
        if answer["status"] != 0:
            break
    await owner.note_time()
    return {"ran": told, "now": owner.cluster.now, "picture": picture(owner.cluster), "copy": False}


async def _complete(owner: Owner, lesson: Lesson, fill: Any, show: Show) -> dict[str, Any]:
    if lesson.completion is None:
        raise HostError(404, _("The lesson has nothing to complete."))
    try:
        both = blocks.completing(lesson.completion, fill if isinstance(fill, str) else "")
    except ValueError as error:
        raise HostError(400, str(error)) from error
    return await owner.copies.run(both, both[-1], partial(_run, show))


def _done(terminal: Terminal) -> set[int]:
    kept = next((file["content"] for file in terminal.files() if file["path"] == RAN), "")
    return {int(word) for word in kept.split() if word.isascii() and word.isdigit()}


async def _run(show: Show, terminal: Terminal, all_blocks: tuple[Block, ...], block: Block) -> dict[str, Any]:
    for file in all_blocks[: block.number + 1]:
        # A file that a block changed stays as that block left it.
        if file.file and (file is block or not _is_there(terminal, file.file)):
            await terminal.save(file.file, file.code)
    told = await terminal.run_script(
        block.script, SECONDS, lambda lines: show({"block": block.number, "text": _plain(lines)})
    )
    return {
        "block": block.number,
        "status": told.status,
        "output": _plain(told.output),
        "cut": told.cut,
        "late": told.late,
    }


def _plain(shown: bytes | bytearray) -> str:
    return _COLOUR.sub("", shown.decode("utf-8", "replace").replace("\r\n", "\n"))


def _is_there(terminal: Terminal, path: str) -> bool:
    return any(file["path"] == path for file in terminal.files())
