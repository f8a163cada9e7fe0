"""CertificateSubjectRestriction: nobody asks for a client certificate of the group system:masters.

Models plugin/pkg/admission/certificates/subjectrestriction.
"""

from __future__ import annotations

import base64

from cluster_engine.apimachinery import errors
from cluster_engine.component_helpers.certificates import Problem, read_request

from ..authorization.privileged_groups import MASTERS
from .certificate_approval import REQUESTS
from .plugin import CREATE, Attributes, Plugin

_SIGNER = "kubernetes.io/kube-apiserver-client"


class CertificateSubjectRestriction(Plugin):
    """Looks at new requests for the signer of clients."""

    name = "CertificateSubjectRestriction"
    operations = (CREATE,)
    resources = (REQUESTS,)
    validates = True

    def validate(self, attributes: Attributes) -> None:
        spec = (attributes.obj or {}).get("spec") or {}
        if spec.get("signerName") != _SIGNER:
            return
        try:
            asked = read_request(base64.b64decode(spec.get("request") or ""))
        except Problem as problem:
            why = f"failed to parse CSR: {problem}"
            raise errors.forbidden(attributes.resource, attributes.name, why) from problem
        if MASTERS in asked.organizations:
            why = f"use of {_SIGNER} signer with {MASTERS} group is not allowed"
            raise errors.forbidden(attributes.resource, attributes.name, why)
