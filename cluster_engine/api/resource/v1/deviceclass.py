"""DeviceClass: devices of a sort, by expressions.

Models pkg/registry/resource/deviceclass and pkg/apis/resource/validation (ValidateDeviceClass).
"""

from __future__ import annotations

from cluster_engine.api.core.v1.pod_spec.resources import is_extended
from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.resource.claims import MAX_REQUESTS, check_configuration, check_selectors
from cluster_engine.api.resource.names import check_list
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.scheme import Kind


def _check(found: JSON) -> list[FieldError]:
    spec = found.get("spec") or {}
    problems = check_selectors(spec.get("selectors") or [], "spec.selectors")
    problems += check_list(spec.get("config") or [], MAX_REQUESTS, check_configuration, "spec.config")
    extended = spec.get("extendedResourceName")
    if extended is not None and not is_extended(extended):
        text = "must be a valid extended resource name"
        problems.append(invalid_value("spec.extendedResourceName", extended, text))
    return problems


KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="DeviceClass",
    resource="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    columns=(NAME, AGE),
    row=lambda found, now: [found["metadata"]["name"], age(found, now)],
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=lambda found: check_meta(found, namespaced=False) + _check(found),
    validate_update=lambda new, old: _check(new),
)
