"""The Common Expression Language as Kubernetes 1.37 speaks it, with its costs and its errors.

    program = cel.compile("self.spec.replicas <= self.spec.max", ["self"])
    program.evaluate({"self": obj})  # True

No clock, no chance, no host: an expression's value follows from its variables alone. What it may cost is limited.
"""

from cluster_engine.cel.errors import (
    CelCompileError,
    CelCostError,
    CelError,
    CelFault,
    CelSyntaxError,
    CelTypeError,
)
from cluster_engine.cel.program import PER_CALL_LIMIT, Budget, Program, compile
from cluster_engine.cel.values import to_json

__all__ = [
    "PER_CALL_LIMIT",
    "Budget",
    "CelCompileError",
    "CelCostError",
    "CelError",
    "CelFault",
    "CelSyntaxError",
    "CelTypeError",
    "Program",
    "compile",
    "to_json",
]
