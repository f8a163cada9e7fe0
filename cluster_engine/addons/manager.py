"""The addon manager: makes kubeadm's objects when the cluster starts.

Acts as the administrator who ran ``kubeadm init``; afterwards the objects are the learner's to change.
"""

from __future__ import annotations

from cluster_engine.addons.manifests import all_manifests
from cluster_engine.api import KINDS
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component import Component, Context

_RESOURCES = {(kind.api_version, kind.kind): kind.group_resource for kind in KINDS}
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
            try:
                self.client.create(_RESOURCES[(manifest["apiVersion"], manifest["kind"])], manifest)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
