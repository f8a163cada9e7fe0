"""`help` and `man`: which programs there are, and how each is called."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh.builtins.naming import NAMES


def programs(table: Mapping[str, Program]) -> tuple[Program, ...]:
    """`help` and `man` of a table of programs."""

    def explained(sys: Sys, name: str) -> int:
        found = table.get(name)
        if found is not None:
            sys.out(f"{found.usage or found.name}\n    {found.summary}\n")
            return 0
        if name in NAMES:
            sys.out(f"{name}\n    a builtin of the shell\n")
            return 0
        sys.error(f"no help for {name[:40]}")
        return 1

    def run_help(sys: Sys, argv: list[str]) -> int:
        if len(argv) > 1:
            return explained(sys, argv[1])
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
        return explained(sys, argv[-1])

    return (
        Program("help", "list the programs, or explain one", "help [name]", run=run_help),
        Program("man", "explain a program", "man name", run=run_man),
    )
