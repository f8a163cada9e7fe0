"""The addon manager: makes kubeadm's objects when the cluster starts.

Acts as the administrator who ran ``kubeadm init``; afterwards the objects are the learner's to change.
"""

from __future__ import annotations

from cluster_engine.addons.manifests import all_manifests
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component import Component, Context

_BOOT_DELAY = 0.01
"""Seconds after the start: the system namespaces and their service accounts are there by then."""


class AddonManager(Component):
    """Creates the manifests once; ``options.addons`` off makes none."""

    name = "addon-manager"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("kubernetes-admin", "kubeadm", ("kubeadm:cluster-admins",))
        self.queue = self.new_queue(self.reconcile)

    def start(self) -> None:
        if self.ctx.options.addons:
            self.queue.add_after("manifests", _BOOT_DELAY)

    def reconcile(self, key: str) -> None:
        for manifest in all_manifests():
            kind = self.ctx.scheme.of_object(manifest["apiVersion"], manifest["kind"])
            assert kind is not None, f"{manifest['kind']} is not served"
            try:
                self.client.create(kind.group_resource, manifest)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
