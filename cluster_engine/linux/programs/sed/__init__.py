"""`sed`: a parser (`script.py`), what it does with a line (`edit.py`), the program."""

from cluster_engine.linux.programs.sed.program import PROGRAM

__all__ = ["PROGRAM"]
