"""AlwaysPullImages: every image is asked for at its registry, whoever has it already. Off unless it is asked for.

Models plugin/pkg/admission/alwayspullimages.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..budgets import CONTAINERS
from .plugin import CREATE, UPDATE, Attributes, Plugin

_ALWAYS = "Always"


class AlwaysPullImages(Plugin):
    """Pods pull always; none that would not is let through."""

    name = "AlwaysPullImages"
    optional = True
    operations = (CREATE, UPDATE)
    resources = ("pods",)
    subresources = True
    mutates = True
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return subresource in ("", "ephemeralcontainers") and super().concerns(
            resource, operation, subresource
        )

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj["spec"]
        if attributes.old is not None and set(_images(obj)) <= set(_images(attributes.old)):
            return obj
        changed = {
            field: [{**container, "imagePullPolicy": _ALWAYS} for container in spec[field]]
            for field in CONTAINERS
            if any(container.get("imagePullPolicy") != _ALWAYS for container in spec.get(field) or ())
        }
        return {**obj, "spec": {**spec, **changed}} if changed else obj

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        assert obj is not None
        if attributes.old is not None and set(_images(obj)) <= set(_images(attributes.old)):
            return
        spec = obj["spec"]
        problems = [
            errors.not_supported(
                f"spec.{field}[{index}].imagePullPolicy", container.get("imagePullPolicy") or "", (_ALWAYS,)
            )
            for field in CONTAINERS
            for index, container in enumerate(spec.get(field) or ())
            if container.get("imagePullPolicy") != _ALWAYS
        ]
        if problems:
            raise errors.forbidden("pods", attributes.name, ", ".join(map(str, problems)))


def _images(pod: JSON) -> list[str]:
    return [
        container.get("image") or "" for field in CONTAINERS for container in pod["spec"].get(field) or ()
    ]
