"""Two runs of one journal are one: whatever the hash seed, through forks, snapshots and replays."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cluster_engine import Cluster, wiring
from cluster_engine.component import ClusterOptions
from cluster_engine.kube_apiserver.authentication import ISSUER
from cluster_engine.sim import Journal
from cluster_engine.wiring import forget_installations

ROOT = Path(__file__).resolve().parents[2]

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: nginx, image: "nginx:1.27"}]
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
metadata: {name: crasher}
spec:
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo no; exit 3"]}]
"""

STORY = f"""
import json
from cluster_engine import Cluster
cluster = Cluster(nodes=3, seed=5)
cluster.apply({WEB!r})
cluster.advance(7.25)
cluster.delete("pods", cluster.list("pods", "default", "app=web")[0]["metadata"]["name"])
cluster.advance(90)
cluster.delete("deployments", "web")
cluster.advance(33)
print(json.dumps({{"hash": cluster.state_hash(), "journal": cluster.journal.as_dict()}}))
"""


def run_story(hash_seed: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", STORY],
        cwd=ROOT,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_hash_seeds_do_not_matter_and_the_journal_is_the_whole_cluster():
    one, two = run_story("1"), run_story("4711")
    assert one["hash"] == two["hash"]
    assert one["journal"] == two["journal"]
    assert Cluster.replay(Journal.from_dict(one["journal"])).state_hash() == one["hash"]


def test_no_result_depends_on_the_platforms_mathematics():
    """Beyond what IEEE defines to the last bit, floats differ from machine to machine."""
    exact = "floor|ceil|trunc|sqrt|fmod|inf|nan|isfinite|isnan|isinf|gcd|copysign"
    wild = re.compile(rf"\bmath\.(?!(?:{exact})\b)|from math import|import (?:cmath|statistics)")
    sources = (ROOT / "cluster_engine").rglob("*.py")
    assert [str(path) for path in sources if wild.search(path.read_text())] == []


def test_another_seed_is_another_cluster_from_its_first_pod_on():
    one, two = Cluster(seed=1), Cluster(seed=2)
    assert one.state_hash() == two.state_hash()  # both are copies of one installation
    for cluster in (one, two):
        cluster.apply(WEB)
        cluster.settle()
    uids = [{pod["metadata"]["uid"] for pod in cluster.list("pods", "default")} for cluster in (one, two)]
    assert not uids[0] & uids[1]


@pytest.mark.parametrize("options", [{"nodes": 1}, {"nodes": 3, "seed": 5}, {"addons": False}], ids=str)
def test_a_copied_installation_is_what_a_boot_of_its_own_gives(options):
    forget_installations()
    first, second, own = Cluster(**options), Cluster(**options), Cluster(**options, boot=False)
    own.boot()
    for cluster in (first, second, own):
        cluster.apply(WEB)
        cluster.advance(90)
    assert first.state_hash() == second.state_hash() == own.state_hash()
    assert Cluster.replay(second.journal).state_hash() == second.state_hash()


def test_nobody_changes_the_installation():
    before = Cluster(nodes=3).state_hash()
    used = Cluster(nodes=3)
    used.apply(WEB)
    used.delete("nodes", "worker-1")
    used.advance(400)
    assert Cluster(nodes=3).state_hash() == before


def test_few_installations_are_kept(monkeypatch):
    monkeypatch.setattr(wiring, "INSTALLATIONS_KEPT", 2)
    monkeypatch.setattr(wiring, "INSTALLATION_NODES", 1)
    options = [ClusterOptions(nodes=nodes, addons=False) for nodes in (0, 1, 2)]
    kept = [wiring.installed(each) for each in options]
    assert wiring.installed(options[2]) is not kept[2]  # it has too many nodes
    assert wiring.installed(options[0]) is kept[0]
    wiring.installed(replace(options[0], start="2026-03-01T00:00:00Z"))
    assert wiring.installed(options[0]) is kept[0]
    assert wiring.installed(options[1]) is not kept[1]  # it was the one not used for longest


def test_a_token_of_the_installation_goes_on_to_be_good():
    cluster = Cluster(nodes=1, seed=77)
    account = cluster.get("serviceaccounts", "kube-proxy", "kube-system")
    theirs = wiring.installed(cluster.options).server.authenticator
    issued = theirs.issue(account, [ISSUER], 3600, "1", None)
    user = cluster.server.authenticator.token_user(issued["token"])
    assert user.username == "system:serviceaccount:kube-system:kube-proxy"


@pytest.fixture(scope="module")
def young():
    """A cluster in the middle of things: Pods pulling, queues full."""
    cluster = Cluster(nodes=3, seed=9, freezing=True)
    cluster.apply(WEB)
    cluster.advance(1.7)
    return cluster


MOMENTS = [0.0, 0.011, 0.4, 2.0, 13.0, 61.0]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_fork_goes_on_as_the_original_would(young, moment):
    original = young.fork()
    original.advance(moment)
    fork = original.fork()
    assert fork.state_hash() == original.state_hash()
    before = original.state_hash()
    fork.advance(45)
    assert original.state_hash() == before, "a fork must not touch the cluster it came from"
    original.advance(45)
    assert fork.state_hash() == original.state_hash()


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_restored_snapshot_goes_on_as_the_original_would(young, moment):
    original = young.fork()
    original.advance(moment)
    restored = Cluster.restore(original.snapshot())
    assert restored.state_hash() == original.state_hash()
    original.advance(45)
    restored.advance(45)
    assert restored.state_hash() == original.state_hash()


def test_replay_stops_where_it_is_told(young):
    cluster = young.fork()
    cluster.advance(20)
    moment, expected = cluster.clock.now, cluster.state_hash()
    cluster.delete("pods", "crasher")
    cluster.advance(20)
    assert Cluster.replay(cluster.journal, until=moment).clock.now == moment
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    assert expected != cluster.state_hash()


def test_steps_of_any_size_lead_to_the_same_state(young):
    one, two = young.fork(), young.fork()
    one.advance(30)
    for _ in range(300):
        two.advance(0.1)
    assert one.state_hash() == two.state_hash()


def test_bytes_that_are_no_text_survive_a_snapshot():
    """A Secret may hold any bytes; in a mounted file they are part of the state."""
    cluster = Cluster(nodes=2, seed=4)
    cluster.apply(
        """
apiVersion: v1
kind: Secret
metadata: {name: keystore}
data: {key: "/v8A"}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  containers:
  - {name: c, image: "busybox:1.36", command: [sh, -c, "sleep 5; od -c /etc/keys/key || cat /etc/keys/key; sleep 600"],
     volumeMounts: [{name: keys, mountPath: /etc/keys}]}
  volumes: [{name: keys, secret: {secretName: keystore}}]
"""
    )
    cluster.advance(4)
    restored = Cluster.restore(cluster.snapshot())
    assert restored.state_hash() == cluster.state_hash()
    for one in (cluster, restored):
        one.advance(30)
    assert restored.state_hash() == cluster.state_hash()
    assert cluster.get("pods", "reader")["status"]["phase"] == "Running"


def test_a_command_in_a_container_is_in_the_journal(young):
    cluster = young.fork()
    cluster.advance(30)
    cluster.apply(
        """
apiVersion: v1
kind: Pod
metadata: {name: box}
spec: {containers: [{name: c, image: busybox, command: [sleep, 1d]}]}
"""
    )
    cluster.settle()
    before = len(cluster.journal)
    done = cluster.execute(
        "box", ["sh", "-c", "cat > /tmp/x; sleep 2; wc -c < /tmp/x; exit 3"], stdin=b"hello"
    )
    assert (done.exit_code, done.stdout) == (3, b"5\n")
    kinds = [entry.kind for entry in list(cluster.journal)[before:]]
    assert kinds == ["session/open", "session/input", "clock"]
    cluster.advance(5)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
