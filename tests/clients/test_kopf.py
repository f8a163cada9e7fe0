"""An operator in kopf: it reconciles, sets status, holds by a finalizer, and outlives a line that is cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from cutting import Cutting
from journey import Column, Refused, crontab, defined, eventually
from test_kubernetes import Kubernetes

pytestmark = pytest.mark.kubectl

COLUMN = Kubernetes
OPERATOR = Path(__file__).with_name("operator_of_crontabs.py")
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"


@pytest.fixture
def line(kubeconfig: Path, tmp_path: Path) -> Iterator[Cutting]:
    """The operator's way to the cluster; its kubeconfig is `kubeconfig` in the test's folder."""
    own = yaml.safe_load(kubeconfig.read_text())
    cluster = own["clusters"][0]["cluster"]
    with Cutting(urlsplit(cluster["server"]).port or 0) as cutting:
        cluster["server"] = f"https://127.0.0.1:{cutting.port}"
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(own))
        yield cutting


@pytest.fixture
def operated(client: Column, namespace: str, line: Cutting, tmp_path: Path) -> Iterator[str]:
    """A namespace with an operator in it."""
    defined(client)
    command = [sys.executable, "-m", "kopf", "run", str(OPERATOR), "--standalone", "--namespace", namespace]
    with (tmp_path / "log").open("w") as log:
        operator = subprocess.Popen(
            command,
            env={"KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path)},
            stdout=log,
            stderr=log,
        )
    try:
        yield namespace
    finally:
        operator.terminate()
        operator.wait(timeout=60)
        print((tmp_path / "log").read_text()[-3000:])


def ready(client: Column, namespace: str, count: int) -> bool:
    found = client.read("crontabs", namespace, "nightly")
    return bool(found.get("status", {}).get("ready") == count)


def test_an_operator(client: Column, operated: str, line: Cutting) -> None:
    namespace = operated
    client.create("crontabs", namespace, crontab("nightly", schedule="0 0 * * *", replicas=2))
    eventually(lambda: ready(client, namespace, 2), "the operator to report")
    found = client.read("crontabs", namespace, "nightly")
    assert found["metadata"]["finalizers"] == [FINALIZER]
    child = client.read("configmaps", namespace, "nightly")
    assert child["data"] == {"schedule": "0 0 * * *"}
    assert [owner["uid"] for owner in child["metadata"]["ownerReferences"]] == [found["metadata"]["uid"]]

    line.cut()
    client.patch("crontabs", namespace, "nightly", "merge", {"spec": {"schedule": "@hourly", "replicas": 3}})
    eventually(lambda: ready(client, namespace, 3), "the operator to come back")
    assert client.read("configmaps", namespace, "nightly")["data"] == {"schedule": "@hourly"}
    assert line.cuts > 0

    client.delete("crontabs", namespace, "nightly")

    def gone() -> bool:
        try:
            client.read("crontabs", namespace, "nightly")
        except Refused as refused:
            return refused.code == 404
        return False

    eventually(gone, "the finalizer to be taken off")
    assert client.read("configmaps", namespace, "farewell-nightly")["metadata"]["name"] == "farewell-nightly"
    eventually(lambda: "nightly" not in client.select("configmaps", namespace), "the dependent to go")
