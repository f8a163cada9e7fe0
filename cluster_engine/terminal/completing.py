"""How a line of the terminal goes on: the program itself is asked, in its own folder, beside what runs."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.limits import MIB
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.confine import ConfinedProgram, ConfinementError
from cluster_engine.terminal.disk import Disk
from cluster_engine.terminal.kubectl import Completions, parse_completions

COMPLETION_SECONDS = 5.0
COMPLETING = 2
"""Completions asked for at the same time."""
COMPLETION_OUTPUT = MIB


class Completer:
    """Asks the program of one session."""

    def __init__(self, program: ConfinedProgram, disk: Disk) -> None:
        self._program = program
        self._disk = disk
        self._completing = 0

    async def complete(self, args: Any) -> dict[str, Any]:
        """The answer to a shell that asks so; empty while too many are asked for."""
        found = Completions()
        if self._completing < COMPLETING:
            self._completing += 1
            try:
                found = await self._ask([characters(word) for word in args["words"]], args)
            finally:
                self._completing -= 1
        names = [octets(name) for name in found.names]
        return {"names": names, "final": found.final, "files": found.files}

    async def _ask(self, words: list[str], args: Any) -> Completions:
        out = bytearray()

        async def keep(descriptor: int, data: bytes) -> None:
            if descriptor == 1:
                out.extend(data)

        try:
            outcome = await self._program.run(
                [words[0], "__complete", *words[1:]],
                self._disk,
                cwd=characters(args["cwd"]),
                env={characters(name): characters(value) for name, value in args["env"].items()},
                on_output=keep,
                timeout=COMPLETION_SECONDS,
                output_limit=COMPLETION_OUTPUT,
            )
        except (ConfinementError, OSError):
            return Completions()
        return parse_completions(out.decode("utf-8", "replace")) if outcome.status == 0 else Completions()
