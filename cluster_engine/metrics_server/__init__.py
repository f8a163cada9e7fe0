"""The metrics-server: what nodes' containers use, asked of their kubelets every 15 seconds, served as metrics.k8s.io.

It works while its APIService is there and available, which is while a Pod of it is ready: a cluster that kubeadm makes
has none. Two looks make a rate; what it serves is worked out when somebody asks.

Models sigs.k8s.io/metrics-server (pkg/scraper, pkg/storage, pkg/api).
"""

from cluster_engine.metrics_server.server import RESOLUTION, MetricsServer

__all__ = ["RESOLUTION", "MetricsServer"]
