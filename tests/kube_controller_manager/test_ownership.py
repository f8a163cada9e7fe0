"""Whose is it? By uid, as upstream."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_controller_manager.ownership import resolve

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
# id: (changes of the reference, whether the owner is found)
REFERENCES: dict[str, tuple[dict[str, Any], bool]] = {
    "the very one": ({}, True),
    "made again under its name": ({"uid": "another"}, False),
    "of another kind": ({"kind": "DaemonSet"}, False),
    "gone": ({"name": "gone"}, False),
    "no controller": ({"controller": False}, False),
}


@pytest.mark.parametrize(("change", "found"), REFERENCES.values(), ids=REFERENCES.keys())
def test_resolve(change: dict[str, Any], found: bool) -> None:
    cluster = Cluster(nodes=0, addons=False, control_plane=False)
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    made = cluster.apply(
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec}
    )
    uid = made[0]["metadata"]["uid"]
    pod = {
        "metadata": {
            "name": "p",
            "namespace": "default",
            "ownerReferences": [{**OWNER, "uid": uid, **change}],
        }
    }
    owner = resolve(cluster.informers.of("replicasets.apps"), "ReplicaSet", pod)
    assert (owner is not None) == found
    if owner is not None:
        assert owner["metadata"]["uid"] == uid
