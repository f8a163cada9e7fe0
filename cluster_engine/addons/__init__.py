"""What kubeadm puts into a cluster: static Pods, kube-proxy, CoreDNS, a few ConfigMaps."""

from cluster_engine.addons.manager import AddonManager
from cluster_engine.addons.static_pods import DEFAULT_IP, DEFAULT_NODE, STATIC_PODS, static_pods

__all__ = ["DEFAULT_IP", "DEFAULT_NODE", "STATIC_PODS", "AddonManager", "static_pods"]
