"""From a text to its syntax, in the language of the shell that reads it."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.linux.limits import MAX_LINE
from cluster_engine.linux.sh.bash import BashParser
from cluster_engine.linux.sh.errors import ParseError
from cluster_engine.linux.sh.parse import Parser
from cluster_engine.linux.sh.syntax import Node


def script(
    text: str, aliases: Mapping[str, str] | None = None, *, final: bool = True, bash: bool = False
) -> Node:
    """The syntax of a text; aliases are replaced as the words are read.

    Like the real shell it takes a text line by line: what cannot be parsed is a `Rest` with its error behind what
    could be, and so is what follows a line that may change aliases. `final`: no more lines will come (the end closes
    a here-document); `bash`: it is bash's language. Raises ParseError only where not even the first line is one.
    """
    if len(text) > MAX_LINE:
        raise ParseError(f"a command line may have at most {MAX_LINE:,} characters")
    parser = BashParser(text, final=final) if bash else Parser(text, final=final)
    parser.aliases = aliases or {}
    return parser.lines()
