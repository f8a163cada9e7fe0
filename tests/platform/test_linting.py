"""What the editor is told of a file before it is applied."""

from __future__ import annotations

import pytest
from runs.host import linting
from runs.host.linting import findings

from cluster_engine.cluster import Cluster

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: nginx, image: "nginx:1.27"}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
DEFINITION = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ships.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Ship, plural: ships, singular: ship}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, required: [hull], properties: {hull: {type: string}}}}
"""
SHIP = "apiVersion: example.com/v1\nkind: Ship\nmetadata: {name: ark}\nspec: {hull: %s}\n"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=1, seed=3)
    cluster.apply(DEFINITION)
    cluster.apply(CONFIG)
    cluster.settle()
    return cluster


CASES = [
    ("right", DEPLOYMENT, []),
    ("there already", CONFIG, []),
    ("what is there cannot become this", CONFIG + "data: [a]\n", [(0, "data", True)]),
    ("nothing", "# later\n", []),
    ("no manifest", "replicas: 3\nimage: nginx\n", []),
    ("no kind", "apiVersion: v1\nmetadata: {name: x}\n", [(0, "", True)]),
    ("another program's", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: X\n", [(0, "kind", False)]),
    (
        "two unknown fields",
        DEPLOYMENT.replace("spec:\n  sel", "spec:\n  replica: 2\n  pause: true\n  sel"),
        [(0, "spec.pause", True), (0, "spec.replica", True)],
    ),
    (
        "a value of another type",
        DEPLOYMENT.replace("spec:\n  sel", "spec:\n  replicas: two\n  sel"),
        [(0, "spec.replicas", True)],
    ),
    (
        "fields that are refused, of the second document",
        f"---\n---\n{CONFIG}---\n"
        + DEPLOYMENT.replace("nginx,", "Nginx,").replace("{app: web}}\n    s", "{}}\n    s"),
        [(1, "spec.template.metadata.labels", True), (1, "spec.template.spec.containers[0].name", True)],
    ),
    ("a custom resource", SHIP % "1", [(0, "spec.hull", True)]),
    ("a right custom resource", SHIP % "oak", []),
    ("no such namespace", CONFIG.replace("settings", "settings, namespace: far"), [(0, "", True)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_findings(cluster: Cluster, text: str, expected: list[tuple[int, str, bool]]) -> None:
    before = cluster.state_hash()
    found = findings(cluster, text, "default")
    assert sorted((each["document"], each["field"], each["sure"]) for each in found) == expected
    assert all(each["message"] and "line" not in each for each in found)
    assert cluster.state_hash() == before


def test_a_text_that_is_no_yaml_names_its_line(cluster: Cluster) -> None:
    (found,) = findings(cluster, "a: 1\nb: [1\nc: 2\n", "default")
    assert found["line"] == 2
    assert found["message"].startswith("error converting YAML to JSON: yaml: line 2")


def test_of_many_documents_and_findings_the_first_are_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linting, "DOCUMENTS", 2)
    monkeypatch.setattr(linting, "FINDINGS_TOLD", 1)
    monkeypatch.setattr(linting, "MESSAGE", 5)
    text = "---\n".join([CONFIG, CONFIG + "x: 1\n", CONFIG + "y: 1\n"])
    assert [
        (each["document"], each["field"], each["message"]) for each in findings(cluster, text, "default")
    ] == [(1, "x", "unkno")]
    monkeypatch.setattr(linting, "DOCUMENTS", 3)
    monkeypatch.setattr(linting, "FINDINGS_TOLD", 9)
    assert len(findings(cluster, text, "default")) == 2
