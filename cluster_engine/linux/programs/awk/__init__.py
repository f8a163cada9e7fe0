"""`awk`: a parser (`parse.py`), values (`values.py`), a walker of the syntax tree (`interpret.py`), the program."""

from cluster_engine.linux.programs.awk.program import PROGRAM

__all__ = ["PROGRAM"]
