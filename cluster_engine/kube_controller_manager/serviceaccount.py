"""The service account controller: every namespace has a ``default`` one.

Models pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller

_ACCOUNTS = "serviceaccounts"


class ServiceAccountController(Controller):
    """Creates the ``default`` ServiceAccount, and creates it again when somebody deletes it."""

    name = "service-account-controller"
    latency = 0.001  # before the first Pods of a new namespace ask for it

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.namespaces = ctx.informers.of("namespaces")
        self.accounts = ctx.informers.of(_ACCOUNTS)
        self.namespaces.on(add=lambda namespace: self.queue.add(namespace["metadata"]["name"]))
        self.accounts.on(delete=self._deleted)

    def _deleted(self, account: JSON) -> None:
        if account["metadata"]["name"] == "default":
            self.queue.add(account["metadata"]["namespace"])

    def reconcile(self, key: str) -> None:
        namespace = self.namespaces.get(key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return
        if self.accounts.get(f"{key}/default") is None:
            meta = {"name": "default", "namespace": key}
            self.client.create(_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
