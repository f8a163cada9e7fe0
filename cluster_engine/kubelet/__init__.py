"""The kubelets: each node's agent, which takes the Pods bound to its node from Pending to their end.

``Kubelets`` is one component for all nodes (one queue, one table of Pods), with one identity per node towards
the API server. ``node`` registers and renews, ``worker`` runs Pods, ``status`` says how they are (pure),
``prober`` and ``lifecycle`` look after containers, ``server`` answers for logs and exec. ``runtime`` is the client
of the container runtime: all others know containers through it.
"""

from cluster_engine.kubelet.faults import FAULTS
from cluster_engine.kubelet.flags import FlagError, kubelets_of
from cluster_engine.kubelet.kubelets import Kubelets

__all__ = ["FAULTS", "FlagError", "Kubelets", "kubelets_of"]
