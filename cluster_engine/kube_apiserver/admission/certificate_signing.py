"""CertificateSigning: who issues a certificate, or says that it cannot be, may ``sign`` for its signer.

Models plugin/pkg/admission/certificates/signing, and of PodCertificateRequests what their registry asks itself
(pkg/registry/certificates/podcertificaterequest/strategy.go).
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .certificate_approval import POD_REQUESTS, REQUESTS, may_for_signer
from .plugin import UPDATE, Attributes, Plugin


def _issued(csr: JSON | None) -> tuple[str, list[JSON]]:
    status = (csr or {}).get("status") or {}
    return status.get("certificate") or "", status.get("conditions") or []


def _status(request: JSON | None) -> JSON:
    status: JSON = (request or {}).get("status") or {}
    return status


class CertificateSigning(Plugin):
    """Looks at updates of the subresource status."""

    name = "CertificateSigning"
    operations = (UPDATE,)
    resources = (REQUESTS, POD_REQUESTS)
    subresources = True
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return subresource == "status" and super().concerns(resource, operation, subresource)

    def validate(self, attributes: Attributes) -> None:
        signer = (attributes.old or {})["spec"].get("signerName") or ""
        if attributes.resource == POD_REQUESTS:
            if _status(attributes.obj) != _status(attributes.old) and not may_for_signer(
                self, attributes, "sign", signer
            ):
                who = f'User "{attributes.ctx.user.username}"'
                refused = errors.forbidden_field(
                    "spec.signerName", f'{who} is not permitted to "sign" for signer "{signer}"'
                )
                raise errors.invalid(attributes.kind.group, attributes.kind.kind, attributes.name, [refused])
            return
        if _issued(attributes.obj) == _issued(attributes.old):
            return
        if not may_for_signer(self, attributes, "sign", signer):
            why = f'user not permitted to sign requests with signerName "{signer}"'
            raise errors.forbidden(attributes.resource, attributes.name, why)
