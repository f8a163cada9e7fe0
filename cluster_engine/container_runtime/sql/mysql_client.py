"""`mysql` (and `mariadb`) and `mysqladmin`: statements, and answers as the client prints them."""

from __future__ import annotations

from typing import Any

from cluster_engine.container_runtime.clients import Client, program
from cluster_engine.container_runtime.sql.engine import Outcome
from cluster_engine.container_runtime.sql.tokens import statements
from cluster_engine.linux.program import Exit, Program, State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.linux.width import text_width

_WARNING = "[Warning] Using a password on the command line interface can be insecure."
_ERRNO = {"refused": 111, "timeout": 110, "unreachable": 113}
_VALUES = {"host": "h", "user": "u", "port": "P", "database": "D", "execute": "e"}
_FLAGS = {"table": "t", "skip-column-names": "N", "silent": "s", "batch": "B", "verbose": "v", "force": "f"}


def _options(sys: Sys, argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Options by letter, and operands. ``-p`` has its value joined to it, or asks for one."""
    found: dict[str, str] = {}
    operands: list[str] = []
    words = argv[1:]
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in _VALUES:
                found[_VALUES[name]] = value if equals else (words.pop(0) if words else "")
            elif name == "password":
                found["p"] = value
            elif name in _FLAGS:
                found[_FLAGS[name]] = ""
            elif name not in ("skip-ssl", "ssl-mode", "protocol", "default-character-set"):
                sys.err(f"{sys.name}: [ERROR] unknown option '{word.partition('=')[0]}'.\n")
                raise Exit(2)
        elif word.startswith("-") and len(word) > 1:
            _short(sys, word[1:], words, found)
        else:
            operands.append(word)
    return found, operands


def _short(sys: Sys, letters: str, words: list[str], found: dict[str, str]) -> None:
    """Options of one letter in one word; the first that has a value takes the rest of it, or the next word."""
    for at, letter in enumerate(letters):
        rest = letters[at + 1 :]
        if letter == "p":
            found["p"] = rest
            return
        if letter in "huPDe":
            found[letter] = rest or (words.pop(0) if words else "")
            return
        if letter not in "tNsBvfA":
            sys.err(f"{sys.name}: [ERROR] unknown option '-{letter}'.\n")
            raise Exit(2)
        found[letter] = ""


def _begun(sys: Sys, found: dict[str, str], queue: list[str]) -> State:
    port = found.get("P") or "3306"
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        sys.err(f"{sys.name}: [ERROR] Unknown suffix in value '{port}' for option 'port'.\n")
        raise Exit(2)
    password = found.get("p", sys.env.get("MYSQL_PWD", ""))
    if found.get("p"):
        sys.err(f"{sys.name}: {_WARNING}\n")
    host = found.get("h") or ""
    if host == "localhost":
        host = ""
    user = found.get("u") or "root"
    login = {"user": user, "password": password, "database": found.get("D") or "", "local": not host}
    return {
        "host": host, "port": int(port), "login": login, "queue": queue, "stdin": False, "interactive": False,
        "status": 0, "lost": 1, "held": "", "line": 0, "whole": True, "table": False,
        "names": "N" not in found, "database": "", "admin": "", "force": "f" in found,
    }  # fmt: skip


def _start(sys: Sys, argv: list[str]) -> State:
    found, operands = _options(sys, argv)
    if operands:
        found["D"] = operands[0]
    given = "e" in found
    tty = sys.isatty(0) and not given
    state = _begun(sys, found, [found["e"]] if given else [])
    state.update(stdin=not given, whole=given, interactive=tty, table=tty or "t" in found)
    return state


def _unreachable(sys: Sys, state: State, reason: str) -> None:
    if reason == "name":
        told = f"2005 (HY000): Unknown MySQL server host '{state['host']}' (-2)"
    elif not state["host"]:
        told = "2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)"
    else:
        place = f"{state['host']}:{state['port']}"
        told = f"2003 (HY000): Can't connect to MySQL server on '{place}' ({_ERRNO.get(reason, 104)})"
    if state["admin"]:
        sys.err(
            f"{sys.name}: connect to server at '{state['host'] or 'localhost'}' failed\nerror: '{told}'\n"
        )
    else:
        sys.err(f"ERROR {told}\n")


def _take(sys: Sys, state: State, line: str) -> Any:
    state["line"] += 1
    if state["interactive"] and not state["held"] and line.strip().rstrip(";") in ("exit", "quit", "\\q"):
        sys.out("Bye\n")
        sys.exit(0)
    if state["whole"]:
        return {"script": line} if line.strip() else None
    bare = not state["held"] and statements(f"{line};")[0]
    if bare and bare[0].words(1) == ("use",):
        return {"script": line}
    state["held"] += line + "\n"
    found, rest = statements(state["held"])
    if not found or rest.strip():
        if not rest.strip():
            state["held"] = ""
        return None
    text, state["held"] = state["held"].strip(), ""
    return {"script": text}


def _answer(sys: Sys, state: State, answer: Any) -> None:
    state["version"] = answer.get("version", state.get("version"))
    if "fatal" in answer:
        if state["admin"]:
            sys.err(f"{sys.name}: connect to server at 'localhost' failed\nerror: '{answer['fatal']}'\n")
        else:
            sys.err(octets(f"ERROR {answer['fatal']}\n"))
        sys.exit(1)
    state["database"] = answer["database"]
    if state["admin"]:
        sys.out(f"{state['admin']}\n")
        sys.exit(0)
    for outcome in answer["outcomes"]:
        _print(sys, state, outcome)


def _print(sys: Sys, state: State, outcome: Outcome) -> None:
    talks = state["interactive"]
    if "error" in outcome:
        number, _, rest = outcome["error"].partition(") ")
        known = number[:1].isdigit()
        number, rest = (f"{number})", rest) if known else ("1235 (42000)", outcome["error"])
        where = "" if talks else f" at line {1 if state['whole'] else state['line']}"
        sys.err(octets(f"ERROR {number}{where}: {rest}\n"))
        if not talks and not state["force"]:
            sys.exit(1)
    elif "said" in outcome:
        sys.out(f"{outcome['said']}\n" if talks else "")
    elif "tag" in outcome:
        count = int(outcome["tag"])
        sys.out(f"Query OK, {count} row{'' if count == 1 else 's'} affected (0.01 sec)\n\n" if talks else "")
    else:
        rows = [["NULL" if cell is None else cell for cell in row] for row in outcome["rows"]]
        if not state["table"]:
            lines = [*([outcome["columns"]] if state["names"] and rows else []), *rows]
            sys.out(octets("".join("\t".join(line) + "\n" for line in lines)))
            return
        sys.out(
            octets(
                _boxed(outcome["columns"], rows, outcome.get("right") or [False] * len(outcome["columns"]))
            )
        )
        if talks:
            count = len(rows)
            told = f"{count} row{'' if count == 1 else 's'} in set" if count else "Empty set"
            sys.out(f"{told} (0.00 sec)\n\n")


def _boxed(names: list[str], rows: list[list[str]], right: list[bool]) -> str:
    if not rows:
        return ""
    widths = [max(text_width(cell) for cell in column) for column in zip(names, *rows, strict=True)]
    edge = "+" + "+".join("-" * (size + 2) for size in widths) + "+\n"

    def line(cells: list[str], head: bool) -> str:
        shown = []
        for at, cell in enumerate(cells):
            space = " " * (widths[at] - text_width(cell))
            shown.append(f" {space}{cell} " if right[at] and not head else f" {cell}{space} ")
        return "|" + "|".join(shown) + "|\n"

    return edge + line(names, True) + edge + "".join(line(row, False) for row in rows) + edge


CLIENT = program(
    "mysql",
    Client(
        _start, _unreachable, _take, _answer,
        lambda state: "    -> " if state["held"] else "mysql> ",
        lambda state: (
            "Welcome to the MySQL monitor.  Commands end with ; or \\g.\n"
            f"Server version: {state['version']} MySQL Community Server - GPL\n\n"
            "Type 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n"
        ),
    ),
)  # fmt: skip
"""``mysql``: everywhere the same."""


def _admin(sys: Sys, argv: list[str]) -> State:
    found, operands = _options(sys, argv)
    if operands[:1] != ["ping"]:
        sys.err(
            f"{sys.name}: {' '.join(operands) or 'nothing'} is not simulated here (ping is); a real server has it\n"
        )
        raise Exit(1)
    state = _begun(sys, found, [])
    state["admin"] = "mysqld is alive"
    return state


ADMIN: Program = program(
    "mysqladmin", Client(_admin, _unreachable, _take, _answer, lambda state: "", lambda state: "")
)
"""``mysqladmin ping``."""


def denied(wanted: str | None, user: str, password: str, remote: bool) -> str:
    """What who may not come in is told; "" for who may."""
    if wanted is not None and wanted == password:
        return ""
    place = "%" if remote else "localhost"
    return f"1045 (28000): Access denied for user '{user}'@'{place}' (using password: {'YES' if password else 'NO'})"
