"""`jq`: the common part of its language. `parse` reads a program, `interpret` runs it, `program` is the tool."""

from cluster_engine.linux.programs.jq.program import PROGRAM

__all__ = ["PROGRAM"]
