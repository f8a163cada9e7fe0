"""``etcdctl`` in etcd's container: what the API server keeps, to be looked at and never to be changed."""

from cluster_engine.container_runtime.etcdctl.program import PROGRAM

__all__ = ["PROGRAM"]
