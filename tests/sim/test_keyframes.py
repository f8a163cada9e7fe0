"""Keyframes: a run goes on from its state and the journal's tail, in this engine and in later ones."""

import json
import re
from pathlib import Path

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.sim import keyframe
from cluster_engine.sim.upgrades import UPGRADES

GOLDEN = Path(__file__).parent / "golden"
RBAC = "rbac.authorization.k8s.io"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: looper}
spec:
  containers:
  - {name: c, image: "busybox:1.36", command: [sh, -c, "while true; do date >> /tmp/log; sleep 7; done"]}
---
apiVersion: v1
kind: Pod
metadata: {name: crasher}
spec:
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "sleep 2; exit 1"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: big}
spec:
  containers: [{name: c, image: "nginx:1.27", resources: {requests: {cpu: "64"}}}]
"""


def execute(cluster, command):
    path = "/api/v1/namespaces/default/pods/looper/exec"
    query = [("command", "sh"), ("command", "-c"), ("command", command), ("stdout", "true")]
    cluster.request(Request("POST", path, query, {}, b"", ADMIN))


def begun():
    cluster = Cluster(nodes=3, seed=11)
    cluster.apply(WEB)
    cluster.advance(42)
    execute(cluster, "echo hello > /tmp/hello")
    return cluster


def going_on(cluster):
    cluster.advance(3.5)
    cluster.delete("pods", cluster.list("pods", "default", "app=web")[0]["metadata"]["name"])
    cluster.advance(17)
    execute(cluster, "echo again >> /tmp/hello")
    cluster.advance(300)
    cluster.delete("deployments", "web")
    cluster.advance(1)


@pytest.fixture(scope="module")
def lived():
    """(a run's keyframe on its way, the run at its end)."""
    cluster = begun()
    data = cluster.keyframe()
    going_on(cluster)
    return data, cluster


def test_a_keyframe_and_the_tail_are_the_run(lived):
    data, cluster = lived
    resumed = Cluster.resume(data, cluster.journal)
    assert resumed.state_hash() == cluster.state_hash()
    assert resumed.journal.next_seq == cluster.journal.next_seq
    assert len(resumed.journal) < len(cluster.journal)
    chain = cluster.why("pods", "default", "looper")
    assert resumed.why("pods", "default", "looper") == chain
    assert chain[-1].entry is not None


@pytest.mark.parametrize("moved", [0.001, 5.0])
def test_the_clock_may_have_been_moved_since(moved):
    cluster = begun()
    cluster.advance(2)
    data = cluster.keyframe()
    cluster.advance(moved)
    resumed = Cluster.resume(data, cluster.journal.entries[-1:])
    assert resumed.state_hash() == cluster.state_hash()
    for one in (cluster, resumed):
        execute(one, "true")
        one.advance(1)
    assert resumed.state_hash() == cluster.state_hash()
    assert list(resumed.journal)[-2:] == list(cluster.journal)[-2:]


def test_without_a_tail_it_is_the_moment_itself():
    cluster = begun()
    resumed = Cluster.resume(cluster.keyframe())
    assert resumed.state_hash() == cluster.state_hash()
    with pytest.raises(ValueError, match="it needs its keyframe"):
        Cluster.replay(resumed.journal)


DAMAGED = [
    pytest.param(lambda data: b"", "these bytes are no keyframe", id="empty"),
    pytest.param(lambda data: b"x" + data, "these bytes are no keyframe", id="another file"),
    pytest.param(lambda data: data[:2000], "the keyframe is cut off", id="cut off"),
    pytest.param(lambda data: data[:99] + b"xxxx" + data[103:], "the keyframe is damaged", id="damaged"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGED)
def test_what_is_no_keyframe_is_refused(lived, damage, message):
    with pytest.raises(keyframe.KeyframeError, match=message):
        Cluster.resume(damage(lived[0]))


def test_formats(monkeypatch):
    old = keyframe.write({"saved": 1})
    monkeypatch.setattr(keyframe, "FORMAT", keyframe.FORMAT + 1)
    with pytest.raises(keyframe.KeyframeError, match=re.escape(f"has the format {keyframe.FORMAT - 1}")):
        keyframe.read(old)
    monkeypatch.setattr(keyframe, "UPGRADES", {keyframe.FORMAT - 1: lambda data: {**data, "saved": 2}})
    assert keyframe.read(old) == {"format": keyframe.FORMAT, "saved": 2}


def facts(cluster):
    """What must be the same in every later engine: who is there, under which identity."""
    return {
        f"{resource}/{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}": [
            obj["metadata"]["uid"],
            obj["metadata"]["resourceVersion"],
            (obj.get("status") or {}).get("podIP"),
        ]
        for resource in cluster.store.resources()
        for obj in cluster.store.range(resource)
    }


def test_the_golden_keyframe_of_this_format_can_be_written(update_goldens):
    if update_goldens:
        cluster = begun()
        (GOLDEN / f"keyframe-{keyframe.FORMAT}.bin").write_bytes(cluster.keyframe())
        text = json.dumps(facts(cluster), indent=0, sort_keys=True)
        (GOLDEN / f"keyframe-{keyframe.FORMAT}.json").write_text(text + "\n")
    assert (GOLDEN / f"keyframe-{keyframe.FORMAT}.bin").exists()


def test_a_role_that_was_deleted_before_roles_stood_from_the_beginning_stays_deleted():
    cluster = Cluster.resume((GOLDEN / "keyframe-3.bin").read_bytes())
    assert cluster.get("clusterroles", "view")
    data = {"saved": {"store": {"objects": {f"clusterroles.{RBAC}": {"edit": {}}}}}}
    gone = UPGRADES[3](data)["saved"]["store"]["gone"]
    assert gone[f"clusterrolebindings.{RBAC}"] == ["cluster-admin"]
    assert "view" in gone[f"clusterroles.{RBAC}"]
    assert "edit" not in gone[f"clusterroles.{RBAC}"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("keyframe-*.bin")), ids=lambda path: path.stem)
def test_keyframes_of_older_engines_go_on(path):
    """Fails when the state that components save has another shape than before.

    Then live runs of the engine before would be lost: raise FORMAT and write an upgrade. Only while no engine of
    the present format was ever released is ``--update`` the answer.
    """
    cluster = Cluster.resume(path.read_bytes())
    found, wanted = facts(cluster), json.loads(path.with_suffix(".json").read_text())
    assert {name: found.get(name) for name in wanted} == wanted
    # The roles that stand from the beginning have become more, and Services' addresses are stored.
    more = {name for name in found.keys() - wanted.keys() if not name.startswith("ipaddresses.")}
    assert {tuple(found[name][1:]) for name in more} <= {("1", None)}
    kept = [name for name in found if name.startswith("ipaddresses.")]
    assert len(kept) == sum(
        1 for service in cluster.list("services") if service["spec"]["clusterIP"] != "None"
    )
    cluster.advance(100)
    assert cluster.get("deployments", "web")["status"]["readyReplicas"] == 3
    cluster.delete("pods", cluster.list("pods", "default", "app=web")[0]["metadata"]["name"])
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}})
    cluster.advance(100)
    assert cluster.get("deployments", "web")["status"]["readyReplicas"] == 3
    phases = {name: cluster.get("pods", name)["status"]["phase"] for name in ("looper", "crasher", "big")}
    assert phases == {"looper": "Running", "crasher": "Running", "big": "Pending"}
    assert cluster.get("pods", "crasher")["status"]["containerStatuses"][0]["restartCount"] >= 2
    assert not cluster.failures


def test_a_draft_is_made_in_parts_with_others_turns_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, paused = list[int](), list[int]()

    class Watched(keyframe._Parts):
        def write(self, part: bytes) -> None:
            sizes.append(len(part))
            super().write(part)

    monkeypatch.setattr(keyframe, "_Parts", Watched)
    data = {"format": 4, "saved": {str(number): {"name": f"pod-{number}"} for number in range(20_000)}}
    assert keyframe.drafted(keyframe.draft(data, lambda: paused.append(len(sizes)))) == data
    assert len(sizes) > 5
    assert paused == [*range(1, len(sizes) + 1)], "each of them is followed by a pause"
    assert max(sizes) < 2**17
