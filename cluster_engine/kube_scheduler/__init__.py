"""kube-scheduler: finds a node for each Pod that has none.

``scheduler`` is the loop (queue, one Pod at a time, binding), ``framework`` the seam between it and the
``plugins``, which hold every rule by which nodes are refused or preferred.
"""

from cluster_engine.kube_scheduler.scheduler import Scheduler

__all__ = ["Scheduler"]
