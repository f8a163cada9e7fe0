"""`help` and `man`: which programs there are, and how each is called; a screen at a time where somebody reads it."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh.builtins.naming import NAMES

_PAGED = '"$0" "$@" | less -F'
_KUBECTL = 'kubectl "$@" --help | less'


def _paged(sys: Sys, argv: list[str]) -> None:
    """Where a screen is, the pager shows it; it never comes back then."""
    if sys.isatty(0) and sys.isatty(1):
        sys.exec(["sh", "-c", _PAGED, *argv])


def programs(table: Mapping[str, Program]) -> tuple[Program, ...]:
    """`help` and `man` of a table of programs."""

    def described(name: str) -> tuple[str, str] | None:
        """How it is called, and what it does."""
        found = table.get(name)
        if found is not None:
            return found.usage or found.name, found.summary
        return (name, "a builtin of the shell") if name in NAMES else None

    def run_help(sys: Sys, argv: list[str]) -> int:
        if len(argv) > 1:
            found = described(argv[1])
            if found is None:
                sys.error(f"no help for {argv[1][:40]}")
                return 1
            sys.out("{}\n    {}\n".format(*found))
            return 0
        _paged(sys, argv)
        known = {name: each for name, each in sorted(table.items()) if name.isidentifier() or "-" in name}
        width = max(map(len, known))
        sys.out("Programs (help NAME tells how one is called):\n")
        sys.out("".join(f"  {name:{width}}  {each.summary}\n" for name, each in known.items()))
        sys.out(f"Builtins of the shell:\n  {' '.join(NAMES)}\n")
        return 0

    def run_man(sys: Sys, argv: list[str]) -> int:
        if len(argv) < 2:
            sys.err("What manual page do you want?\nFor example, try 'man ls'.\n")
            return 1
        name = argv[-1]
        if name.partition("-")[0] == "kubectl":
            sys.exec(["sh", "-c", _KUBECTL, "man", *name.split("-")[1:]])
        found = described(name)
        if found is None:
            sys.err(f"No manual entry for {name[:40]}\n")
            return 16
        _paged(sys, argv)
        title = f"{name.upper()}(1)"
        usage = "\n".join(f"       {line}".rstrip() for line in found[0].splitlines())
        sys.out(f"{title}\n\nNAME\n       {name} - {found[1]}\n\nSYNOPSIS\n{usage}\n")
        if name in table and name in NAMES:
            sys.out("\n       The shell has a builtin of the same name.\n")
        return 0

    return (
        Program("help", "list the programs, or explain one", "help [name]", run=run_help),
        Program(
            "man",
            "the manual page of a program",
            "man name (man kubectl-get: what kubectl says)",
            run=run_man,
        ),
    )
