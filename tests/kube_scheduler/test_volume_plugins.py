"""What volumes have against nodes: disks in use, claims of one Pod, limits of a driver, zones, free space."""

from __future__ import annotations

from typing import Any

import pytest
from test_scheduler_config import config as configuration
from test_scheduler_plugins import framework, node, pod

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.events import Event
from cluster_engine.kube_scheduler.framework.runtime import tell

STORAGE = ".storage.k8s.io"
CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", f"storageclasses{STORAGE}"
CSI_NODES, DRIVERS, ATTACHMENTS = f"csinodes{STORAGE}", f"csidrivers{STORAGE}", f"volumeattachments{STORAGE}"
CAPACITIES = f"csistoragecapacities{STORAGE}"
DRIVER = "disk.example.com"
BOUND = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
A, B = node("a"), node("b")
EAST, WEST = (node(n, {"topology.kubernetes.io/zone": n}) for n in ("east", "west"))

Objects = list[tuple[str, JSON]]


def thing(resource: str, name: str, meta: JSON | None = None, **fields: Any) -> tuple[str, JSON]:
    namespaced = {"namespace": "default"} if resource in (CLAIMS, CAPACITIES) else {}
    return resource, {"metadata": {"name": name, **namespaced, **(meta or {})}, **fields}


def claim(
    name: str = "c", to: str = "", size: str = "1Gi", kind: str = "late", **spec: Any
) -> tuple[str, JSON]:
    spec = {"storageClassName": kind, "resources": {"requests": {"storage": size}}, **spec}
    if to:
        return thing(CLAIMS, name, BOUND, spec={**spec, "volumeName": to})
    return thing(CLAIMS, name, spec=spec)


def volume(
    name: str, labels: dict[str, str] | None = None, csi: bool = True, **spec: Any
) -> tuple[str, JSON]:
    source = {"csi": {"driver": DRIVER, "volumeHandle": f"handle-{name}"}} if csi else {}
    return thing(VOLUMES, name, {"labels": labels or {}}, spec={**source, **spec})


def csi_node(name: str, count: int | None = None, driver: str = DRIVER) -> tuple[str, JSON]:
    allocatable = {} if count is None else {"allocatable": {"count": count}}
    return thing(CSI_NODES, name, spec={"drivers": [{"name": driver, "nodeID": name, **allocatable}]})


def capacity(
    name: str, zone: str | None, size: str, largest: str = "", kind: str = "late"
) -> tuple[str, JSON]:
    more: JSON = {"maximumVolumeSize": largest} if largest else {}
    if zone is not None:
        more["nodeTopology"] = {"matchLabels": {"topology.kubernetes.io/zone": zone}} if zone else {}
    return thing(CAPACITIES, name, storageClassName=kind, capacity=size, **more)


def attached(to: str, named: str) -> tuple[str, JSON]:
    source = {"persistentVolumeName": named}
    return thing(ATTACHMENTS, f"{to}-{named}", spec={"attacher": DRIVER, "nodeName": to, "source": source})


def user(name: str = "p", *claims: str, on: str = "", sources: JSON | None = None, **spec: Any) -> JSON:
    """A Pod with those claims, and a volume of each source."""
    volumes: list[JSON] = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    volumes += [{"name": kind, kind: source} for kind, source in (sources or {}).items()]
    return pod(name, on=on, volumes=volumes, **spec)


def refused(*counts: str) -> str:
    total = sum(int(each.split()[0]) for each in counts)
    return f"0/{total} nodes are available: {', '.join(counts)}."


def decide(nodes: list[JSON], placed: list[JSON], wanted: JSON, others: Objects) -> str:
    """The chosen node's name, or why there is none."""
    fw = framework(nodes, placed, others=others)
    found = fw.find(fw.cache.info(wanted))
    if found.diagnosis is not None:
        return tell(len(nodes), found.diagnosis.refusals, found.diagnosis.everywhere)
    assert found.node is not None
    return found.node.name


LATE = thing(CLASSES, "late", provisioner=DRIVER, volumeBindingMode="WaitForFirstConsumer")
COUNTS_SPACE = thing(DRIVERS, DRIVER, spec={"storageCapacity": True})
ALONE = claim(to="v", accessModes=["ReadWriteOncePod"])
NO_DISK = "node(s) had no available disk"
IN_USE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
FULL = "node(s) exceed max volume count"
NO_ZONE = "node(s) had no available volume zone"
NO_SPACE = "node(s) did not have enough free storage"
GCE, EBS = (
    {"gcePersistentDisk": {"pdName": "d"}},
    {"awsElasticBlockStore": {"volumeID": "d", "readOnly": True}},
)
READ = {"gcePersistentDisk": {"pdName": "d", "readOnly": True}}
ISCSI = {"iscsi": {"iqn": "iqn.2026-11.example:d", "targetPortal": "t", "lun": 0}}


def rbd(*monitors: str, **more: Any) -> JSON:
    return {"rbd": {"monitors": list(monitors), "image": "d", "pool": "rbd", **more}}


def two(source: JSON, other: JSON) -> tuple[list[JSON], list[JSON], JSON, Objects]:
    """One node with a Pod that has a volume, and another Pod with another."""
    return [A], [user("x", on="a", sources=source)], user(sources=other), []


# nodes, the Pods on them, the Pod that waits, what else there is; the node or why not
CASES: dict[str, tuple[tuple[list[JSON], list[JSON], JSON, Objects], str]] = {
    "disk: written by two": (two(GCE, GCE), refused(f"1 {NO_DISK}")),
    "disk: read by two": (two(READ, READ), "a"),
    "disk: written by one of two": (two(READ, GCE), refused(f"1 {NO_DISK}")),
    "disk: of EBS, even to read": (two(EBS, EBS), refused(f"1 {NO_DISK}")),
    "disk: of two kinds": (two(GCE, EBS), "a"),
    "disk: a target of iSCSI": (two(ISCSI, ISCSI), refused(f"1 {NO_DISK}")),
    "disk: an image by one monitor of several": (two(rbd("m", "n"), rbd("n", "o")), refused(f"1 {NO_DISK}")),
    "disk: an image of other monitors": (two(rbd("m"), rbd("o")), "a"),
    "disk: an image of another pool": (two(rbd("m"), rbd("m", pool="p")), "a"),
    "disk: of another node": (
        ([A, B], [user("x", on="a", sources=GCE)], user(sources=GCE), []),
        "b",
    ),
    "alone: nobody has it": (([A], [], user("p", "c"), [ALONE, volume("v")]), "a"),
    "alone: another has it, on any node": (
        ([A, B], [user("x", "c", on="a")], user("p", "c"), [ALONE, volume("v")]),
        refused(f"2 {IN_USE}"),
    ),
    "alone: not this mode": (
        ([A], [user("x", "c", on="a")], user("p", "c"), [claim(to="v", accessModes=["ReadWriteOnce"]), volume("v")]),
        "a",
    ),
    "alone: no such claim": (
        ([A], [], user("p", "c"), []),
        '0/1 nodes are available: persistentvolumeclaim "c" not found.',
    ),
    "limit: reached": (
        ([A], [user("x", "d", on="a")], user("p", "c"),
         [claim("c", "v"), claim("d", "w"), volume("v"), volume("w"), csi_node("a", 1)]),
        refused(f"1 {FULL}"),
    ),
    "limit: two at once": (
        ([A], [], user("p", "c", "d"),
         [claim("c", "v"), claim("d", "w"), volume("v"), volume("w"), csi_node("a", 1)]),
        refused(f"1 {FULL}"),
    ),
    "limit: a volume of several Pods counts once": (
        ([A], [user("x", "c", on="a"), user("y", "c", on="a")], user("p", "c"),
         [claim("c", "v"), volume("v"), csi_node("a", 1)]),
        "a",
    ),
    "limit: what its class will make counts": (
        ([A], [user("x", "d", on="a")], user("p", "c"), [claim("c"), claim("d"), LATE, csi_node("a", 1)]),
        refused(f"1 {FULL}"),
    ),
    "limit: what is attached counts, the same once": (
        ([A, B], [user("x", "d", on="a")], user("p", "c"),
         [claim("c", "v"), claim("d", "w"), volume("v"), volume("w"), volume("u"), csi_node("a", 2),
          csi_node("b", 1), attached("a", "w"), attached("a", "u"), attached("b", "v")]),
        "b",
    ),
    "limit: of another driver": (
        ([A], [user("x", "d", on="a")], user("p", "c"),
         [claim("c", "v"), claim("d", "w"), volume("v"), volume("w"), csi_node("a", 0, driver="other")]),
        "a",
    ),
    "limit: none said": (
        ([A], [], user("p", "c"), [claim("c", "v"), volume("v"), csi_node("a")]),
        "a",
    ),
    "limit: no volume of a driver": (
        ([A], [], user("p", "c"), [claim("c", "v"), volume("v", csi=False), csi_node("a", 0)]),
        "a",
    ),
    "limit: the driver is not there, and must be": (
        ([A, B], [], user("p", "c"),
         [claim("c", "v"), volume("v"), csi_node("a", driver="other"),
          thing(DRIVERS, DRIVER, spec={"preventPodSchedulingIfMissing": True})]),
        refused(f"2 {DRIVER} CSI driver is not installed on the node"),
    ),
    "limit: the driver is not there": (([A], [], user("p", "c"), [claim("c", "v"), volume("v")]), "a"),
    "zone: its own": (
        ([EAST, WEST], [], user("p", "c"),
         [claim("c", "v"), volume("v", {"topology.kubernetes.io/zone": "west"})]),
        "west",
    ),
    "zone: no node's": (
        ([EAST, WEST], [], user("p", "c"),
         [claim("c", "v"), volume("v", {"topology.kubernetes.io/zone": "north"})]),
        refused(f"2 {NO_ZONE}"),
    ),
    "zone: one of several, by the old label": (
        ([EAST, WEST], [], user("p", "c"),
         [claim("c", "v"), volume("v", {"failure-domain.beta.kubernetes.io/zone": "north__west"})]),
        "west",
    ),
    "zone: nodes that say nothing": (
        ([A], [], user("p", "c"), [claim("c", "v"), volume("v", {"topology.kubernetes.io/zone": "west"})]),
        "a",
    ),
    "zone: nodes that say the region alone": (
        ([node("n", {"topology.kubernetes.io/region": "r"})], [], user("p", "c"),
         [claim("c", "v"), volume("v", {"topology.kubernetes.io/zone": "west"})]),
        refused(f"1 {NO_ZONE}"),
    ),
    "zone: a label that is no list of zones": (
        ([EAST], [], user("p", "c"), [claim("c", "v"), volume("v", {"topology.kubernetes.io/zone": "a____b"})]),
        "east",
    ),
    "zone: the volume is gone": (
        ([EAST], [], user("p", "c"), [claim("c", "v")]),
        '0/1 nodes are available: persistentvolume "v" not found.',
    ),
    "zone: it has none yet": (([EAST], [], user("p", "c"), [claim("c"), LATE]), "east"),
    "space: in one zone": (
        ([EAST, WEST], [], user("p", "c"),
         [claim(), LATE, COUNTS_SPACE, capacity("e", "east", "500Mi"), capacity("w", "west", "5Gi")]),
        "west",
    ),
    "space: nowhere": (
        ([EAST, WEST], [], user("p", "c"), [claim(), LATE, COUNTS_SPACE, capacity("e", "east", "500Mi")]),
        refused(f"2 {NO_SPACE}"),
    ),
    "space: the largest volume is smaller": (
        ([EAST], [], user("p", "c"), [claim(), LATE, COUNTS_SPACE, capacity("e", "east", "5Gi", "500Mi")]),
        refused(f"1 {NO_SPACE}"),
    ),
    "space: exactly, everywhere": (
        ([EAST], [], user("p", "c"), [claim(), LATE, COUNTS_SPACE, capacity("e", "", "1Gi")]),
        "east",
    ),
    "space: no node reaches it": (
        ([EAST], [], user("p", "c"), [claim(), LATE, COUNTS_SPACE, capacity("e", None, "5Gi")]),
        refused(f"1 {NO_SPACE}"),
    ),
    "space: of another class": (
        ([EAST], [], user("p", "c"), [claim(), LATE, COUNTS_SPACE, capacity("e", "", "5Gi", kind="fast")]),
        refused(f"1 {NO_SPACE}"),
    ),
    "space: the driver does not count it": (([EAST], [], user("p", "c"), [claim(), LATE]), "east"),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES.keys())
def test_a_pod_with_volumes(case: tuple[list[JSON], list[JSON], JSON, Objects], expected: str) -> None:
    assert decide(*case) == expected


def test_a_claim_whose_volume_is_gone() -> None:
    """Where VolumeZone, which looks for it first, is off."""
    off = {"multiPoint": {"disabled": [{"name": "VolumeZone"}]}}
    fw = framework([A], [], configuration(profiles=[{"plugins": off}]), [claim("c", "v")])
    diagnosis = fw.find(fw.cache.info(user("p", "c"))).diagnosis
    assert diagnosis is not None
    told = tell(1, diagnosis.refusals, diagnosis.everywhere)
    assert told == refused("1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")


def test_a_claim_of_one_pod_may_be_taken_from_it() -> None:
    """On the node of the Pod that has it, its eviction would help; on no other."""
    fw = framework([A, B], [user("x", "c", on="a")], others=[ALONE, volume("v")])
    waiting = fw.cache.info(user("p", "c", priority=9))
    at_a, at_b = fw.cache.snapshot.nodes
    assert fw.dry_run(waiting, at_a.altered(without=["default/x"])) is None
    left = fw.dry_run(waiting, at_b)
    assert left is not None
    assert (left.reasons, left.resolvable) == ((IN_USE,), True)


GREW, SHRANK = (csi_node("a", 2), csi_node("a", 4)), (csi_node("a", 4), csi_node("a", 2))
HINTS: dict[str, tuple[str, JSON, tuple[str, str, JSON | None, JSON | None], bool | None]] = {
    "disk: its user went": (
        "VolumeRestrictions", user(sources=GCE), ("Pod", "Delete", user("x", on="a", sources=GCE), None), True),
    "disk: the user of another went": (
        "VolumeRestrictions", user(sources=GCE), ("Pod", "Delete", user("x", on="a", sources=EBS), None), False),
    "alone: its user went": (
        "VolumeRestrictions", user("p", "c"), ("Pod", "Delete", user("x", "c", on="a"), None), True),
    "alone: a user of another claim went": (
        "VolumeRestrictions", user("p", "c"), ("Pod", "Delete", user("x", "d", on="a"), None), False),
    "alone: the claim is there": (
        "VolumeRestrictions", user("p", "c"), ("PersistentVolumeClaim", "Add", None, claim()[1]), True),
    "limit: a Pod with a claim went": (
        "NodeVolumeLimits", user("p", "c"), ("Pod", "Delete", user("x", "d", on="a"), None), True),
    "limit: a Pod without one went": (
        "NodeVolumeLimits", user("p", "c"), ("Pod", "Delete", user("x", on="a"), None), False),
    "limit: it grew": (
        "NodeVolumeLimits", user("p", "c"), ("CSINode", "Update", GREW[0][1], GREW[1][1]), True),
    "limit: it shrank": (
        "NodeVolumeLimits", user("p", "c"), ("CSINode", "Update", SHRANK[0][1], SHRANK[1][1]), False),
    "limit: a node reports a driver": (
        "NodeVolumeLimits", user("p", "c"), ("CSINode", "Add", None, csi_node("a", 1)[1]), True),
    "zone: the volume moved": (
        "VolumeZone", user("p", "c"),
        ("PersistentVolume", "Update", volume("v", {"topology.kubernetes.io/zone": "a"})[1], volume("v")[1]), True),
    "zone: the volume changed otherwise": (
        "VolumeZone", user("p", "c"), ("PersistentVolume", "Update", volume("v")[1], volume("v", x=1)[1]), False),
    "zone: a class that waits": (
        "VolumeZone", user("p", "c"), ("StorageClass", "Add", None, LATE[1]), True),
    "zone: a class that does not": (
        "VolumeZone", user("p", "c"), ("StorageClass", "Add", None, thing(CLASSES, "fast")[1]), False),
    "space: more of it": (
        "VolumeBinding", user("p", "c"),
        ("CSIStorageCapacity", "Update", capacity("e", "", "1Gi")[1], capacity("e", "", "2Gi")[1]), True),
    "space: for other nodes": (
        "VolumeBinding", user("p", "c"),
        ("CSIStorageCapacity", "Update", capacity("e", "east", "1Gi")[1], capacity("e", "", "1Gi")[1]), True),
    "space: less of it": (
        "VolumeBinding", user("p", "c"),
        ("CSIStorageCapacity", "Update", capacity("e", "", "2Gi")[1], capacity("e", "", "1Gi")[1]), False),
    "space: it counts no more": (
        "VolumeBinding", user("p", "c"), ("CSIDriver", "Update", COUNTS_SPACE[1], {"spec": {}}), True),
    "space: it counts now": (
        "VolumeBinding", user("p", "c"), ("CSIDriver", "Update", {"spec": {}}, COUNTS_SPACE[1]), False),
}  # fmt: skip


@pytest.mark.parametrize(("plugin", "waiting", "event", "expected"), HINTS.values(), ids=HINTS.keys())
def test_what_may_help_a_pod_with_volumes(
    plugin: str, waiting: JSON, event: tuple[str, str, JSON | None, JSON | None], expected: bool
) -> None:
    fw, happened = framework([], []), Event(*event)
    asked = next(p for p in fw.plugins if p.name == plugin)
    interests = [interest for interest in asked.events() if interest.covers(happened)]
    info = fw.cache.info(waiting)
    assert any(i.hint is None or i.hint(info, happened) for i in interests) is expected
