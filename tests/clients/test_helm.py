"""Helm: the chart that `helm create` makes, and one with hooks and a definition, from install to uninstall."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from journey import CRONTABS, JSON, Column, crontab, definition
from test_kubernetes import Kubernetes

pytestmark = pytest.mark.kubectl

COLUMN = Kubernetes
BINARY = Path(sys.executable).with_name("helm")
PATIENCE = 120


class Helm:
    """The binary, with a home of its own."""

    def __init__(self, kubeconfig: Path, home: Path, namespace: str) -> None:
        self._environment = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "HELM_NAMESPACE": namespace}
        self._home = home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if not BINARY.is_file():
            pytest.fail("Helm is not installed: run `python deploy/install.py --tests`")
        return subprocess.run(
            [str(BINARY), *arguments], env=self._environment, cwd=self._home, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> str:
        """Its output; fails the test when it fails."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def history(self, release: str) -> list[tuple[int, str, str]]:
        """(revision, status, description) of each."""
        found: list[dict[str, Any]] = json.loads(self("history", release, "--output", "json"))
        return [(each["revision"], each["status"], each["description"]) for each in found]


@pytest.fixture
def helm(kubeconfig: Path, tmp_path: Path, namespace: str) -> Helm:
    return Helm(kubeconfig, tmp_path, namespace)


def test_the_chart_of_helm_create(helm: Helm, client: Column, namespace: str) -> None:
    def replicas() -> tuple[int, int]:
        found = client.read("deployments", namespace, "web")
        return found["spec"]["replicas"], found["status"]["readyReplicas"]

    helm("create", "web")
    said = helm("install", "web", "web", "--wait", "--timeout", "100s")
    assert "STATUS: deployed" in said
    assert replicas() == (1, 1)
    found = client.read("deployments", namespace, "web")
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"

    helm("upgrade", "web", "web", "--set", "replicaCount=2", "--wait", "--timeout", "100s")
    assert replicas() == (2, 2)
    helm("rollback", "web", "1", "--wait", "--timeout", "100s")
    assert replicas()[0] == 1
    assert helm.history("web") == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]
    assert "Phase:          Succeeded" in helm("test", "web", "--timeout", "100s")

    helm("uninstall", "web", "--wait", "--timeout", "100s")
    assert client.select("deployments", namespace) == []
    assert client.select("secrets", namespace, labels="owner=helm") == []


GROUP = "charts.example.com"
CHART = {"apiVersion": "v2", "name": "hooked", "version": "1.0.0"}


def hook(name: str, when: str, script: str) -> JSON:
    """A Job that runs at that moment of a release's life."""
    container = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "annotations": {"helm.sh/hook": when, "helm.sh/hook-delete-policy": "before-hook-creation"},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def chart(folder: Path, before: str) -> None:
    """A chart with a definition, an object of it, and hooks; `before` is the script of the one before an upgrade."""
    crd = json.loads(json.dumps(definition()).replace("clients.example.com", GROUP))
    custom = {**crontab("nightly", schedule="@daily", replicas=1), "apiVersion": f"{GROUP}/v1"}
    files = {
        "Chart.yaml": CHART,
        "crds/crontabs.yaml": crd,
        "templates/crontab.yaml": custom,
        "templates/before.yaml": hook("before", "pre-install", "echo prepared"),
        "templates/change.yaml": hook("change", "pre-upgrade", before),
        "templates/after.yaml": hook("after", "post-delete", "echo cleaned"),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def test_a_chart_with_hooks_and_a_definition(
    helm: Helm, client: Column, namespace: str, tmp_path: Path
) -> None:
    name = CRONTABS.replace("clients.example.com", GROUP)
    chart(tmp_path / "hooked", "true")
    helm("install", "hooked", "hooked", "--wait", "--timeout", "100s")
    done = [
        client.select("pods", namespace, labels=f"batch.kubernetes.io/job-name={job}")
        for job in ("before", "change")
    ]
    assert [len(pods) for pods in done] == [1, 0]
    assert client.logs(namespace, done[0][0]) == "prepared\n"
    assert client.read("customresourcedefinitions", "", name)["spec"]["group"] == GROUP
    assert f"{GROUP}/v1" in helm("get", "manifest", "hooked")

    chart(tmp_path / "hooked", "exit 1")
    failed = helm.run("upgrade", "hooked", "hooked", "--timeout", "100s")
    assert failed.returncode == 1
    assert "pre-upgrade hooks failed" in failed.stderr
    assert [status for _, status, _ in helm.history("hooked")] == ["deployed", "failed"]
    helm("rollback", "hooked", "1", "--timeout", "100s")

    helm("uninstall", "hooked", "--timeout", "100s")
    pods = client.select("pods", namespace, labels="batch.kubernetes.io/job-name=after")
    assert client.logs(namespace, pods[0]) == "cleaned\n"
    # As upstream's: definitions are left behind, and what they define is not asked for any more.
    assert client.read("customresourcedefinitions", "", name)["spec"]["group"] == GROUP
    assert client.select("secrets", namespace, labels="owner=helm") == []
