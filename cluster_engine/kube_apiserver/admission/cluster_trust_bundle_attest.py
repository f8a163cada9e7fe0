"""ClusterTrustBundleAttest: who writes a bundle of a signer may ``attest`` for that signer.

Models plugin/pkg/admission/certificates/ctbattest.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors

from .certificate_approval import may_for_signer
from .plugin import CREATE, UPDATE, Attributes, Plugin


class ClusterTrustBundleAttest(Plugin):
    """Looks at the bundles of signers."""

    name = "ClusterTrustBundleAttest"
    operations = (CREATE, UPDATE)
    resources = ("clustertrustbundles.certificates.k8s.io",)
    validates = True

    def validate(self, attributes: Attributes) -> None:
        spec = (attributes.obj or {}).get("spec") or {}
        signer = spec.get("signerName") or ""
        unchanged = attributes.old is not None and spec == attributes.old.get("spec")
        if not signer or unchanged or may_for_signer(self, attributes, "attest", signer):
            return
        why = f'user not permitted to attest for signerName "{signer}"'
        raise errors.forbidden(attributes.resource, attributes.name, why)
