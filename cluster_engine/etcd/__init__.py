"""etcd: the cluster's only state. Revisions, compare-and-set, watch, compaction, leases."""

from cluster_engine.etcd.renewals import Stamp
from cluster_engine.etcd.store import Compacted, CompareFailed, Standing, Store, Watcher
from cluster_engine.etcd.table import WatchEvent

__all__ = ["Compacted", "CompareFailed", "Stamp", "Standing", "Store", "WatchEvent", "Watcher"]
