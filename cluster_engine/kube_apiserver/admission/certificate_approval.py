"""CertificateApproval: who approves a request may ``approve`` for its signer.

Models plugin/pkg/admission/certificates/approval and plugin/pkg/admission/certificates/util.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors

from ..authorization import Access
from .plugin import UPDATE, Attributes, Plugin

REQUESTS = "certificatesigningrequests.certificates.k8s.io"
POD_REQUESTS = "podcertificaterequests.certificates.k8s.io"


def may_for_signer(plugin: Plugin, attributes: Attributes, verb: str, signer: str) -> bool:
    """Whether the user may do this for the signer, or for all signers of its domain."""
    domain = signer.partition("/")[0]
    user, authorizer = attributes.ctx.user, plugin.host.authorizer
    asked = (
        Access(user, verb, "certificates.k8s.io", "signers", name=name) for name in (signer, f"{domain}/*")
    )
    return any(authorizer.decide(access).allowed for access in asked)


class CertificateApproval(Plugin):
    """Looks at updates of the subresource approval."""

    name = "CertificateApproval"
    operations = (UPDATE,)
    resources = (REQUESTS,)
    subresources = True
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return subresource == "approval" and super().concerns(resource, operation, subresource)

    def validate(self, attributes: Attributes) -> None:
        signer = (attributes.old or {})["spec"].get("signerName") or ""
        if not may_for_signer(self, attributes, "approve", signer):
            why = f'user not permitted to approve requests with signerName "{signer}"'
            raise errors.forbidden(attributes.resource, attributes.name, why)
