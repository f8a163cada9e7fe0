"""The root CA publisher: the cluster's certificate in every namespace, for Pods to trust.

Models pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.root_certificate import CA_PEM

NAME = "kube-root-ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
    "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
)
_CONFIG_MAPS = "configmaps"


class RootCAPublisher(Controller):
    """Keeps the ConfigMap ``kube-root-ca.crt`` in every namespace."""

    name = "root-ca-cert-publisher"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.namespaces = ctx.informers.of("namespaces")
        self.maps = ctx.informers.of(_CONFIG_MAPS)
        self.namespaces.on(add=lambda namespace: self.queue.add(namespace["metadata"]["name"]))
        self.maps.on(update=lambda change: self._touched(change.new), delete=self._touched)

    def _touched(self, config_map: JSON) -> None:
        if config_map["metadata"]["name"] == NAME:
            self.queue.add(config_map["metadata"]["namespace"])

    def reconcile(self, key: str) -> None:
        namespace = self.namespaces.get(key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return
        data = {"ca.crt": CA_PEM}
        existing = self.maps.get(f"{key}/{NAME}")
        if existing is None:
            annotations = {"kubernetes.io/description": DESCRIPTION}
            meta = {"name": NAME, "namespace": key, "annotations": annotations}
            self.client.create(
                _CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            )
        elif existing.get("data") != data:
            self.client.update(_CONFIG_MAPS, {**existing, "data": data})
