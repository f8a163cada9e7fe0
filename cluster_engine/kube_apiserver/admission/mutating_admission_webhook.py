"""MutatingAdmissionWebhook: what webhooks change.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/plugin.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from .plugin import CONNECT, CREATE, DELETE, UPDATE, Attributes, Plugin
from .policies import hooks, matching

_CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"


class MutatingAdmissionWebhook(Plugin):
    """Asks every webhook of every configuration, in the order of their names."""

    name = "MutatingAdmissionWebhook"
    operations = (CREATE, UPDATE, DELETE, CONNECT)
    subresources = True
    mutates = validates = True
    needs = _CONFIGURATIONS

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return resource not in matching.EXEMPT and super().concerns(resource, operation, subresource)

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        hooks.mutate(attributes, _CONFIGURATIONS, self.host)
        assert attributes.obj is not None
        return attributes.obj

    def validate(self, attributes: Attributes) -> None:
        if attributes.operation == DELETE:
            hooks.mutate(attributes, _CONFIGURATIONS, self.host)
