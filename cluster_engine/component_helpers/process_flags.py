"""What the command of a process says of its flags, as its Pod shows it. Models github.com/spf13/pflag's forms."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON


def flag_of(pod: JSON, flag: str) -> str | None:
    """The value of ``--flag=value`` or ``--flag value`` in the Pod's first container; the last one counts."""
    container = pod["spec"]["containers"][0]
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    found = None
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == f"--{flag}":
            found = value if equals else next(iter(words[place + 1 :]), None)
    return found
