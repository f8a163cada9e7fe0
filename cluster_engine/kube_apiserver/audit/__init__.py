"""The audit log: which requests are told of, how much of each, and the events that tell it.

What is told, the `policy` says; how, `events`. Where the lines lie is for whoever keeps the machine's files
(`Log.sink`). Models k8s.io/apiserver/pkg/audit and pkg/endpoints/filters/audit.go.
"""

from .log import Log
from .policy import PolicyError, loaded

__all__ = ["Log", "PolicyError", "loaded"]
