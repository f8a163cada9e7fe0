"""ResourceClaimTemplate: what a claim that is made for a Pod asks for.

Models pkg/registry/resource/resourceclaimtemplate and pkg/apis/resource/validation.
"""

from __future__ import annotations

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.resource.claims import check_spec, default_spec
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.apimachinery.validation import validate_annotations, validate_labels


def default(template: JSON) -> JSON:
    """The template with how many devices each request is for."""
    spec = template.get("spec") or {}
    inner = spec.get("spec") or {}
    made = default_spec(inner)
    return template if made is inner else {**template, "spec": {**spec, "spec": made}}


def _check(template: JSON) -> list[FieldError]:
    spec = template.get("spec") or {}
    meta = spec.get("metadata") or {}
    problems = validate_annotations(meta.get("annotations"), "spec.metadata.annotations")
    problems += validate_labels(meta.get("labels"), "spec.metadata.labels")
    return problems + check_spec(spec.get("spec") or {}, "spec.spec")


KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaimTemplate",
    resource="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    namespaced=True,
    columns=(NAME, AGE),
    row=lambda template, now: [template["metadata"]["name"], age(template, now)],
    default=default,
    validate=lambda template: check_meta(template) + _check(template),
    validate_update=lambda new, old: check_immutable(new.get("spec"), old.get("spec"), "spec"),
)
