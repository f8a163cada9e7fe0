"""Asks something inside the cluster: from a Pod that there is, from a new one, or from a node.

It acts; give it a fork.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.component_helpers.shapes import Schema
from cluster_engine.kube_apiserver import ExecResult
from labs.kit.checking import Fail, Reader
from labs.kit.checks.kind import LABELS, NAME, NAMESPACE, mapping
from labs.kit.words import Text, say

IMAGE = "busybox:1.36"
"""Of the Pod that asks; its programs are a real busybox's."""
POD = "drydock-asks"
START_SECONDS = 60.0
"""Virtual seconds in which the asking Pod must run."""
ASK_SECONDS = 60.0
"""Virtual seconds that one question may take."""

SCHEMA: Schema = {
    **mapping(
        (),
        pod=NAME,
        labels=LABELS,
        namespace=NAMESPACE,
        container=NAME,
        node={"type": "boolean", "description": "true: from a node's own address, as somebody outside asks"},
    ),
    "description": "the Pod that asks: {pod: name}, {labels: app=client}, {namespace: shop} (a new Pod), {node: true}",
}


@dataclass(frozen=True)
class Asker:
    """Who asks."""

    pod: str = ""
    labels: str = ""
    namespace: str = "default"
    container: str = ""
    node: bool = False

    @classmethod
    def of(cls, data: dict[str, Any] | None) -> Asker:
        """From data of the shape SCHEMA."""
        return cls(**(data or {}))

    def ready(self, reader: Reader) -> str:
        """The name of the Pod that can ask on this cluster. Raises Fail when it is not there."""
        if self.pod:
            reader.need("pods", self.pod, self.namespace)
            return self.pod
        if self.labels:
            pods = reader.list("pods", self.namespace, self.labels, "status.phase=Running")
            if not pods:
                things = say(
                    "things",
                    ready="",
                    kinds="Pod",
                    where="",
                    selector=say("things_selector", selector=self.labels),
                )
                expected = say("count_at_least", count=1, things=things)
                raise Fail(expected, say("nothing"), f"kubectl get pods -n {self.namespace} -l {self.labels}")
            return str(pods[0]["metadata"]["name"])
        self._make(reader.cluster)
        return POD

    def told(self, expected: Text) -> Text:
        """The expectation with who asks."""
        if self.pod or self.labels:
            return say("from_pod", expected=expected, pod=self.pod or self.labels)
        if self.node:
            return say("from_node", expected=expected)
        return say("from_new", expected=expected, namespace=self.namespace)

    def run(self, cluster: Cluster, pod: str, argv: list[str]) -> ExecResult:
        """The command's end in the Pod. A Pod that cannot run it, or in which it never ends, is told as status 126."""
        try:
            return cluster.execute(pod, argv, self.namespace, self.container, limit=ASK_SECONDS)
        except (ApiError, TimeoutError) as error:
            return ExecResult(126, b"", str(error).encode())

    def _make(self, cluster: Cluster) -> None:
        spec: dict[str, Any] = {
            "terminationGracePeriodSeconds": 0,
            "hostNetwork": self.node,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "asks", "image": IMAGE, "command": ["sleep", "86400"]}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD, "namespace": self.namespace}}
        cluster.apply({**pod, "spec": spec}, self.namespace)
        cluster.wait(self._runs, START_SECONDS)

    def _runs(self, cluster: Cluster) -> bool:
        found = cluster.get("pods", POD, self.namespace)
        return found is not None and found.get("status", {}).get("phase") == "Running"
