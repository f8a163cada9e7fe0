"""From a container's command line to what its process does: the image's program, a shell script, or an error."""

from __future__ import annotations

from cluster_engine.container_runtime.container import Container
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.container_runtime.registry import find
from cluster_engine.container_runtime.sandbox import Sandbox, executable
from cluster_engine.shell.commands.sleep import seconds
from cluster_engine.shell.errors import UsageError

_SHELLS = ("sh", "bash", "ash")
_NOT_FOUND = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: exec: "
)


def missing(word: str) -> str:
    """runc's words for a program that is not there."""
    if "/" in word:
        return f'{_NOT_FOUND}"{word}": stat {word}: no such file or directory: unknown'
    return f'{_NOT_FOUND}"{word}": executable file not found in $PATH: unknown'


def _sleep(words: list[str]) -> Plan | None:
    """``sleep 3600`` needs no shell. As the first process it has no handler for SIGTERM."""
    if len(words) != 2:
        return None
    if words[1] in ("infinity", "inf"):
        return Plan()
    try:
        return Plan(exits=(round(seconds(words[1]) * 1_000_000), 0))
    except UsageError:
        return None


def plan(launch: Launch, reference: str) -> Plan:
    """What a process started so will do. ``Plan.script`` says that only the shell can tell."""
    image, tag = find(reference)
    argv = list(launch.argv)
    if not argv:
        return Plan(error="no command specified")
    base = argv[0].rpartition("/")[2]
    program = image.programs.get(base)
    if base in ("docker-entrypoint.sh", "entrypoint.sh") and len(argv) > 1 and not argv[1].startswith("-"):
        # Entrypoint scripts run what they are given when it is not the image's own program.
        inner = argv[1].rpartition("/")[2]
        if inner in image.programs:
            program = image.programs[inner]
        elif executable(image, tag, None, argv[1]) or base == "entrypoint.sh":
            return plan(
                Launch(tuple(argv[1:]), launch.env, launch.tag, launch.hostname, launch.started_at), reference
            )
    if program is not None:
        return program(launch)
    if not executable(image, tag, None, argv[0]):
        return (
            Plan(script=True)
            if "/" in argv[0] and image.tools_of(tag) != "none"
            else Plan(error=missing(argv[0]))
        )
    words = argv
    if base in _SHELLS and len(argv) == 3 and argv[1] == "-c":
        words = argv[2].strip().rstrip(";").split()
        if words[:1] == ["exec"]:
            words = words[1:]
        if not words or words[0].rpartition("/")[2] not in ("sleep", "tail"):
            return Plan(script=True)
        base = words[0].rpartition("/")[2]
    if base == "sleep":
        return _sleep(words) or Plan(script=True)
    if words[1:] in (["-f", "/dev/null"], ["-F", "/dev/null"]) and base == "tail":
        return Plan()
    return Plan(script=True)


def start_error(sandbox: Sandbox, container: Container, found: Plan, now: int) -> str:
    """Why the process cannot be started; "" when it can."""
    if found.error or not found.script:
        return found.error
    image, tag = find(container.image)
    word = container.argv[0]
    if "/" in word and not executable(
        image, tag, sandbox.files_of(container.name, container.image, now), word
    ):
        return missing(word)
    return ""
