"""A deterministic, event-sourced simulation of Kubernetes that speaks the real HTTP API.

``Cluster`` is the only public name: one simulated cluster, wired and ready.
"""

from cluster_engine.version import ENGINE_VERSION, KUBERNETES_VERSION

__all__ = ["ENGINE_VERSION", "KUBERNETES_VERSION", "Cluster"]


def __getattr__(name: str) -> object:
    # Importing the facade pulls in every room; leaf rooms (the shell, the selectors) stay cheap to import alone.
    if name == "Cluster":
        from cluster_engine.cluster import Cluster

        return Cluster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
