"""The commands of kubectl that people run in Pods: the table COMMANDS. What is not here is refused in a sentence.

Models k8s.io/kubectl/pkg/cmd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from cluster_engine.container_runtime.kubectl import changing, creating, looking, making
from cluster_engine.container_runtime.kubectl.arguments import Arguments, check, parsed
from cluster_engine.container_runtime.kubectl.conversation import (
    Conversation,
    not_here,
)
from cluster_engine.container_runtime.kubectl.naming import Files


def reads_input(argv: Sequence[str]) -> bool:
    """Whether standard input is a manifest."""
    return any(pair in (("-f", "-"), ("--filename", "-")) for pair in pairwise(argv)) or any(
        word in ("-f-", "-f=-", "--filename=-") for word in argv
    )


def run(argv: Sequence[str], talk: Conversation, files: Files) -> int:
    """Raises Missing, Failed and Refused; the exit status otherwise."""
    given = parsed(argv)
    if not given.words:
        not_here("kubectl without a command")
    name = given.words.pop(0)
    command = COMMANDS.get(name)
    if command is None:
        not_here(f"kubectl {name}")
    check(given, command.flags)
    return command.run(given, talk, files)


class Command(NamedTuple):
    """What it does, and the flags that it takes beside ``-n``."""

    run: Callable[[Arguments, Conversation, Files], int]
    flags: str = ""


COMMANDS: dict[str, Command] = {
    "annotate": Command(changing.mark("annotations", "annotated"), "selector all overwrite output"),
    "apply": Command(creating.apply, "filename output server-side force-conflicts"),
    "auth": Command(looking.auth, "all-namespaces quiet"),
    "cordon": Command(changing.cordon(True, "cordoned")),
    "create": Command(creating.create, f"filename output {making.FLAGS}"),
    "delete": Command(
        creating.delete, "filename selector all ignore-not-found wait now force grace-period output"
    ),
    "get": Command(
        looking.get, "selector field-selector output all-namespaces no-headers show-labels ignore-not-found"
    ),
    "label": Command(changing.mark("labels", "labeled"), "selector all overwrite output"),
    "logs": Command(looking.logs, "container tail previous since timestamps follow"),
    "patch": Command(changing.patch, "patch type output"),
    "rollout": Command(changing.rollout, "selector timeout output"),
    "run": Command(creating.run_pod, making.POD_FLAGS),
    "scale": Command(changing.scale, "replicas selector all output"),
    "set": Command(changing.set_image, "selector all output"),
    "uncordon": Command(changing.cordon(False, "uncordoned")),
    "version": Command(looking.version, "client"),
    "wait": Command(changing.wait, "for timeout selector all output"),
}
