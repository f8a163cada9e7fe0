"""kubectl in containers: what people run in Pods, over the network, as the Pod's service account."""

from cluster_engine.container_runtime.kubectl.program import PROGRAM

__all__ = ["PROGRAM"]
