"""ValidatingWebhookConfiguration: who outside the API server is asked about a write.

Models pkg/registry/admissionregistration/validatingwebhookconfiguration/strategy.go.
"""

from __future__ import annotations

from cluster_engine.api.admissionregistration import webhooks
from cluster_engine.api.strategy import first_generation
from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    resource="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    columns=webhooks.COLUMNS,
    row=webhooks.row,
    default=lambda obj: webhooks.default(obj),
    prepare_create=first_generation,
    prepare_update=webhooks.prepare_update,
    validate=webhooks.validate,
    validate_update=webhooks.validate_update,
)
