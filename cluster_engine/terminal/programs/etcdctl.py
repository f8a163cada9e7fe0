"""`etcdctl`: that of etcd's own Pod, by way of kubectl, so that who may not look into the Pod is refused."""

from __future__ import annotations

from cluster_engine.linux.program import Program, Sys

_POD = ("exec", "-n", "kube-system", "etcd-control-plane", "--")
_USAGE = "etcdctl get|watch KEY [--prefix] [-w json] | etcdctl endpoint status|health [-w table]"


def _run(sys: Sys, argv: list[str]) -> int:
    sys.exec(["kubectl", *_POD, "etcdctl", *argv[1:]])


PROGRAM = Program("etcdctl", "look at what the API server keeps in etcd", _USAGE, run=_run)
