"""A kubelet's flags and configuration, edited on its machine: they count from its next start on."""

from __future__ import annotations

from typing import Any

import pytest
from test_kubelet_flags import made, node, ready
from test_kubelet_service import same, systemctl
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.kubelet.configuration import wrong_type
from cluster_engine.kubelet.flag_files import environment_of, given_by
from cluster_engine.kubelet.flags import FlagError
from cluster_engine.sim import SECOND, parse_rfc3339

FOLDER = "/var/lib/kubelet"
CONFIG = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def do(cluster: Cluster, command: str, host: str = "worker-1") -> str:
    login = Login(cluster, host, ["bash", "-c", command])
    assert login.status == 0, login.said
    return login.said


def start_with(cluster: Cluster, *arguments: str, config: str = "") -> None:
    """Adds to both files of worker-1 and starts its kubelet anew."""
    do(cluster, f"echo 'KUBELET_KUBEADM_ARGS=\"{' '.join(arguments)}\"' > {FOLDER}/kubeadm-flags.env")
    do(cluster, f"printf '{config}' >> {FOLDER}/config.yaml")
    assert systemctl(cluster, "restart kubelet") == ("", 0)


def test_a_node_is_registered_anew_with_what_its_files_say(cluster: Cluster) -> None:
    """As upstream, labels and taints are given where the node is made: one that is there keeps what it has."""
    assert do(cluster, f"cat {FOLDER}/kubeadm-flags.env") == 'KUBELET_KUBEADM_ARGS=""\n'
    taints = r"registerWithTaints:\n- {key: gpu, value: present, effect: NoSchedule}\n"
    start_with(cluster, "--node-labels=disk=ssd", config=taints)
    cluster.advance(30)
    assert "disk" not in node(cluster)["metadata"]["labels"]
    cluster.delete("nodes", "worker-1")
    assert systemctl(cluster, "restart kubelet") == ("", 0)
    cluster.advance(30)
    assert node(cluster)["metadata"]["labels"]["disk"] == "ssd"
    assert node(cluster)["spec"]["taints"] == [{"effect": "NoSchedule", "key": "gpu", "value": "present"}]
    assert ready(cluster)["status"] == "True"
    same(cluster)


def test_how_often_it_reports(cluster: Cluster) -> None:
    start_with(cluster, config=r"nodeStatusUpdateFrequency: 20s\n")
    cluster.advance(120)
    assert cluster.clock.now - parse_rfc3339(ready(cluster)["lastHeartbeatTime"]) <= 20 * SECOND


def test_the_files_of_a_profile_say_its_flags() -> None:
    cluster = made(node_labels="disk=ssd", register_node=True)
    said = do(cluster, f"cat {FOLDER}/kubeadm-flags.env")
    assert said == 'KUBELET_KUBEADM_ARGS="--node-labels=disk=ssd --register-node=true"\n'
    assert systemctl(cluster, "restart kubelet") == ("", 0)
    cluster.advance(30)
    assert ready(cluster)["status"] == "True"


def test_with_a_bad_file_it_does_not_start(cluster: Cluster) -> None:
    start_with(cluster, "--colour=blue")
    assert systemctl(cluster, "is-active kubelet") == ("activating\n", 3)
    said, status = systemctl(cluster, "status kubelet")
    assert ("Active: activating (auto-restart) (Result: exit-code)" in said, status) == (True, 3)
    lines = do(cluster, "journalctl -u kubelet --no-pager").splitlines()
    assert lines[0].endswith('"command failed" err="failed to parse kubelet flag: unknown flag: --colour"')
    assert lines[1].endswith("kubelet.service: Main process exited, code=exited, status=1/FAILURE")
    cluster.advance(60)
    assert ready(cluster)["status"] == "Unknown"
    same(cluster)
    start_with(cluster)
    cluster.advance(30)
    assert ready(cluster)["status"] == "True"
    assert Login(cluster, "worker-1", ["journalctl", "-u", "kubelet"]).status == 1
    same(cluster)


def test_one_that_failed_is_started_again_until_its_files_are_good(cluster: Cluster) -> None:
    start_with(cluster, "--colour=blue")
    first = do(cluster, "journalctl -u kubelet").splitlines()[0]
    cluster.advance(12)
    again = do(cluster, "journalctl -u kubelet").splitlines()
    assert again[0].endswith("systemd[1]: kubelet.service: Scheduled restart job, restart counter is at 1.")
    assert again[1].endswith("systemd[1]: Started kubelet.service - kubelet: The Kubernetes Node Agent.")
    assert again[2] != first
    cluster.advance(10)
    assert "restart counter is at 2." in do(cluster, "journalctl -u kubelet")
    do(cluster, f"echo 'KUBELET_KUBEADM_ARGS=\"\"' > {FOLDER}/kubeadm-flags.env")
    same(cluster)
    cluster.advance(30)
    assert systemctl(cluster, "is-active kubelet") == ("active\n", 0)
    assert ready(cluster)["status"] == "True"
    same(cluster)


def test_one_that_failed_can_be_stopped(cluster: Cluster) -> None:
    start_with(cluster, "--colour=blue")
    assert systemctl(cluster, "stop kubelet") == ("", 0)
    assert systemctl(cluster, "is-active kubelet") == ("inactive\n", 3)
    do(cluster, f"echo 'KUBELET_KUBEADM_ARGS=\"\"' > {FOLDER}/kubeadm-flags.env")
    cluster.advance(60)
    assert systemctl(cluster, "is-active kubelet") == ("inactive\n", 3)


FIELD = "json: cannot unmarshal {} into Go struct field KubeletConfiguration.{} of type {}"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "text for a number": ({"maxPods": "50"}, FIELD.format("string", "maxPods", "int32")),
    "a part of one": ({"maxPods": 1.5}, FIELD.format("number 1.5", "maxPods", "int32")),
    "too large a number": ({"maxPods": 1 << 31}, FIELD.format(f"number {1 << 31}", "maxPods", "int32")),
    "not for more bits": ({"maxOpenFiles": 1 << 31}, ""),
    "text for a boolean": (
        {"serializeImagePulls": "no"},
        FIELD.format("string", "serializeImagePulls", "bool"),
    ),
    "a number for a text": ({"clusterDomain": 5}, FIELD.format("number", "clusterDomain", "string")),
    "a text for a list": ({"clusterDNS": "10.96.0.10"}, FIELD.format("string", "clusterDNS", "[]string")),
    "in a list": ({"clusterDNS": [10]}, FIELD.format("number", "clusterDNS", "string")),
    "a list for a map": ({"evictionHard": []}, FIELD.format("array", "evictionHard", "map[string]string")),
    "in a map": ({"featureGates": {"X": "true"}}, FIELD.format("string", "featureGates", "bool")),
    "a boolean for a structure": (
        {"authentication": True},
        FIELD.format("bool", "authentication", "v1beta1.KubeletAuthentication"),
    ),
    "a number for a duration": (
        {"syncFrequency": 10},
        "json: cannot unmarshal number into Go value of type string",
    ),
    "no duration": (
        {"imageMinimumGCAge": "2 minutes"},
        'time: unknown unit " minutes" in duration "2 minutes"',
    ),
    "without a unit": ({"imageMinimumGCAge": "120"}, 'time: missing unit in duration "120"'),
    "nothing": ({"maxPods": None}, ""),
    "what there is none": ({"colour": 1}, ""),
    "what is right": ({"maxPods": 50, "syncFrequency": "1m30s", "featureGates": {"X": True}}, ""),
}


@pytest.mark.parametrize(("config", "said"), WRONG.values(), ids=WRONG)
def test_fields_of_another_type(config: dict[str, Any], said: str) -> None:
    assert wrong_type(config) == said


def test_it_does_not_start_with_a_field_of_another_type(cluster: Cluster) -> None:
    start_with(cluster, config=r"maxPods: many\n")
    first = do(cluster, "journalctl -u kubelet").splitlines()[0]
    assert first.endswith(
        f'err="failed to load kubelet config file, path: {FOLDER}/config.yaml, error: failed to load Kubelet config '
        f"file {FOLDER}/config.yaml, error failed to decode: "
        'json: cannot unmarshal string into Go struct field KubeletConfiguration.maxPods of type int32"'
    )
    same(cluster)


def test_fields_that_there_are_none_are_told_and_change_nothing(cluster: Cluster) -> None:
    """Strict decoding fails, and a lenient one is tried (pkg/kubelet/kubeletconfig/util/codec)."""
    start_with(cluster, config=r"colour: blue\nmaxPods: 50\nsize: 4\n")
    assert systemctl(cluster, "is-active kubelet") == ("active\n", 0)
    (line,) = do(cluster, "journalctl -u kubelet").splitlines()
    assert line.endswith(
        '"Using lenient decoding as strict decoding failed" '
        'err="strict decoding error: unknown field \\"colour\\", unknown field \\"size\\""'
    )
    cluster.advance(30)
    assert ready(cluster)["status"] == "True"
    same(cluster)


def pulls(cluster: Cluster, *images: str) -> list[tuple[str, float, float]]:
    """(image, seconds that its pull took, seconds with waiting) of Pods that come to worker-1 at once."""
    for number, image in enumerate(images):
        inner = {"containers": [{"name": "c", "image": image}], "nodeName": "worker-1"}
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"}, "spec": inner})
    cluster.advance(30)
    found = []
    for event in cluster.list("events", "default"):
        if event["message"].startswith("Successfully pulled image"):
            words = event["message"].split()
            found.append((words[3].strip('"'), seconds(words[5]), seconds(words[6].strip("("))))
    return found


def seconds(text: str) -> float:
    return float(text.removesuffix("ms")) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


IMAGES = ("nginx:1.27", "redis:7", "postgres:16", "httpd:2.4")
PULLS: dict[str, tuple[str, int]] = {
    "one after the other": ("", 3),
    "all at once": (r"serializeImagePulls: false\n", 0),
    "two at a time": (r"serializeImagePulls: false\nmaxParallelImagePulls: 2\n", 2),
}


@pytest.mark.parametrize(("config", "waiting"), PULLS.values(), ids=PULLS.keys())
def test_how_many_images_are_pulled_at_a_time(cluster: Cluster, config: str, waiting: int) -> None:
    if config:
        start_with(cluster, config=config)
        cluster.advance(20)
    found = pulls(cluster, *IMAGES)
    assert sorted(image for image, _, _ in found) == sorted(IMAGES)
    assert sum(waited - took > 0.1 for _, took, waited in found) == waiting
    same(cluster)


def test_without_its_configuration_it_does_not_start(cluster: Cluster) -> None:
    do(cluster, f"rm {FOLDER}/config.yaml; systemctl restart kubelet")
    assert f"open {FOLDER}/config.yaml: no such file or directory" in do(cluster, "journalctl -xeu kubelet")


GIVEN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "nothing": ('KUBELET_KUBEADM_ARGS=""', "", {}),
    "both forms": (
        "KUBELET_KUBEADM_ARGS=--node-ip=1.2.3.4 --node-labels a=b",
        "",
        {"node-ip": "1.2.3.4", "node-labels": "a=b"},
    ),
    "a flag alone": ('KUBELET_KUBEADM_ARGS="--register-node"', "", {"register-node": True}),
    "the flag goes before the file": (
        'KUBELET_KUBEADM_ARGS="--register-node=false"',
        "registerNode: true\n",
        {"register-node": False},
    ),
    "another variable": ("OTHER=--node-ip=1.2.3.4", "", {}),
    "how images are pulled and collected": (
        'KUBELET_KUBEADM_ARGS="--serialize-image-pulls=false"',
        "maxParallelImagePulls: 3\nimageGCHighThresholdPercent: 90\nimageMinimumGCAge: 1m\n",
        {
            "serialize-image-pulls": False,
            "max-parallel-image-pulls": 3,
            "image-gc-high-threshold": 90,
            "minimum-image-ttl-duration": "1m",
        },
    ),
    "quotes that do not close": ('KUBELET_KUBEADM_ARGS="--node-ip=1.2.3.4', "", {}),
}


@pytest.mark.parametrize(("environment", "config", "expected"), GIVEN.values(), ids=GIVEN.keys())
def test_what_the_files_say(environment: str, config: str, expected: dict[str, Any]) -> None:
    assert given_by(environment, CONFIG + config) == expected


@pytest.mark.parametrize(
    ("environment", "config", "why"),
    [
        pytest.param(
            "KUBELET_KUBEADM_ARGS=--node-ip", CONFIG, "flag needs an argument: --node-ip", id="no value"
        ),
        pytest.param("KUBELET_KUBEADM_ARGS=now", CONFIG, "unknown command now", id="a word"),
        pytest.param("", "", "was empty", id="empty"),
        pytest.param("", "a: [", "failed to decode: ", id="no YAML"),
        pytest.param("", "kind: Pod\n", "no KubeletConfiguration", id="another kind"),
        pytest.param("", CONFIG + "registerWithTaints: gpu\n", r"of type \[\]v1.Taint", id="taints"),
    ],
)
def test_with_what_it_does_not_start(environment: str, config: str, why: str) -> None:
    with pytest.raises(FlagError, match=why):
        given_by(environment, config)


def test_what_kubeadm_writes_is_read_again() -> None:
    given = {"register-node": False, "node-labels": "a=b,c=d", "cloud-provider": ""}
    assert given_by(environment_of(given), CONFIG) == given
