"""The approving controller: kubelets' requests for client certificates are approved, if their askers may have one.

Models pkg/controller/certificates/approver.
"""

from __future__ import annotations

from cluster_engine.api.certificates.v1.certificatesigningrequest import (
    certificate_of,
    conditions,
    request_of,
)
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.certificates import read_request

from .certificates_signer import CSRS, kubelet_client_problem

_GROUP, _RESOURCE = "certificates.k8s.io", "certificatesigningrequests"
_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
_WAYS = (
    ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."),
    ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."),
)


class CSRApprovingController(Controller):
    """Approves what the subresource of a node's own, or of any node's, client certificate allows to create."""

    name = "certificatesigningrequest-approving-controller"
    account = "certificate-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.requests = ctx.informers.of(CSRS)
        self.requests.on(
            add=lambda csr: self.queue.add(csr["metadata"]["name"]),
            update=lambda change: self.queue.add(change.key),
        )

    def reconcile(self, key: str) -> None:
        csr = self.requests.get(key)
        if csr is None or certificate_of(csr) or conditions(csr, "Approved") or conditions(csr, "Denied"):
            return
        spec = csr["spec"]
        if spec.get("signerName") != _SIGNER:
            return
        asked = read_request(request_of(csr))
        if kubelet_client_problem(asked, spec.get("usages") or ()):
            return
        user = {name: spec[name] for name in ("username", "uid", "groups", "extra") if name in spec}
        for subresource, message in _WAYS:
            if subresource == "selfnodeclient" and spec.get("username") != asked.common_name:
                continue
            if self.client.may(user, "create", _GROUP, _RESOURCE, subresource):
                self._approve(csr, message)
                return

    def _approve(self, csr: JSON, message: str) -> None:
        approved = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
        status = {**(csr.get("status") or {}), "conditions": [*conditions(csr), approved]}
        self.client.update(CSRS, {**csr, "status": status}, "approval")
