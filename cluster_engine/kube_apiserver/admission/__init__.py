"""Admission: what may be written, and what the cluster adds to it. One file per plugin.

The order is upstream's (pkg/kubeapiserver/options/plugins.go).
"""

from .default_toleration_seconds import DefaultTolerationSeconds
from .namespace_lifecycle import NamespaceLifecycle
from .plugin import Attributes, Chain, Plugin
from .priority import Priority
from .service_account import ServiceAccount
from .taint_nodes_by_condition import TaintNodesByCondition

PLUGINS: tuple[type[Plugin], ...] = (
    NamespaceLifecycle,
    ServiceAccount,
    TaintNodesByCondition,
    Priority,
    DefaultTolerationSeconds,
)

__all__ = ["PLUGINS", "Attributes", "Chain", "Plugin"]
