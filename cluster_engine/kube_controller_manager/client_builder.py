"""The service accounts as which the controllers act, in kube-system.

Models staging/src/k8s.io/controller-manager/pkg/clientbuilder: a controller's account is made when its client first
needs it, and made again when somebody has deleted it.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Component, Context

_ACCOUNTS = "serviceaccounts"
_NAMESPACE = "kube-system"


class ClientBuilder(Component):
    """Sees to it that the service account of each controller is there."""

    name = "client-builder"
    process = "kube-controller-manager"
    reads_as = "system:kube-controller-manager"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.queue = self.new_queue(self.reconcile)
        self.client = ctx.client("system:kube-controller-manager", manager="kube-controller-manager")
        self.informer = ctx.informers.of(_ACCOUNTS)
        self.informer.on(delete=self._deleted)
        ctx.informers.of("namespaces").on(add=self._namespace)

    def _namespace(self, namespace: JSON) -> None:
        if namespace["metadata"]["name"] == _NAMESPACE:
            for account in self.ctx.accounts:
                self.queue.add(account)

    def _deleted(self, account: JSON) -> None:
        if (
            account["metadata"]["namespace"] == _NAMESPACE
            and account["metadata"]["name"] in self.ctx.accounts
        ):
            self.queue.add(account["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        if self.informer.get(f"{_NAMESPACE}/{key}") is None:
            meta = {"name": key, "namespace": _NAMESPACE}
            self.client.create(_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
