"""`vim`, `vi`, `nano`, `edit`: the file opens in the editor of the page. `edit --wait`: until it is saved there."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["answer", _, ["said", said]]:
            sys.out(said)
            return state
        case ["answer", _, ["lost"]]:
            sys.exit(1)
        case ["answer", _, _]:
            sys.exit(0)
    argv = event[1]
    names = [word for word in argv[1:] if not word.startswith(("-", "+"))]
    if not names:
        sys.error(f"name a file: {sys.name} file.yaml")
        sys.exit(1)
    if sys.fs.is_dir(names[0]):
        sys.error(f"{names[0]}: Is a directory")
        sys.exit(1)
    if not sys.fs.exists(names[0]):
        sys.fs.write(names[0], "")
    sys.call("edit", {"path": sys.fs.realpath(names[0]), "wait": "--wait" in argv})
    return state


def _named(name: str) -> Program:
    return Program(name, "open a file in the editor", f"{name} file", on=_on)


EDIT, NANO, VI, VIM = _named("edit"), _named("nano"), _named("vi"), _named("vim")
