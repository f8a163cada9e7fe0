"""ValidatingAdmissionWebhook: what webhooks refuse.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/validating/plugin.go.
"""

from __future__ import annotations

from .plugin import CONNECT, CREATE, DELETE, UPDATE, Attributes, Plugin
from .policies import hooks, matching

_CONFIGURATIONS = "validatingwebhookconfigurations.admissionregistration.k8s.io"


class ValidatingAdmissionWebhook(Plugin):
    """Asks every webhook of every configuration, in the order of their names."""

    name = "ValidatingAdmissionWebhook"
    operations = (CREATE, UPDATE, DELETE, CONNECT)
    subresources = True
    validates = True
    needs = _CONFIGURATIONS

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return resource not in matching.EXEMPT and super().concerns(resource, operation, subresource)

    def validate(self, attributes: Attributes) -> None:
        hooks.validate(attributes, _CONFIGURATIONS, self.host)
