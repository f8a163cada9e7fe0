"""IngressClass. Models pkg/apis/networking/validation (ValidateIngressClass)."""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_label, is_domain_prefixed_path

from .ingress import check_local_reference

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_CONTROLLER_LENGTH = 250
_SCOPES = ("Cluster", "Namespace")


def default(ingress_class: JSON) -> JSON:
    """Parameters are of the cluster unless they say otherwise."""
    spec = ingress_class.get("spec") or {}
    parameters = spec.get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        spec = {**spec, "parameters": {**parameters, "scope": "Cluster"}}
        return {**ingress_class, "spec": spec}
    return ingress_class if ingress_class.get("spec") is not None else {**ingress_class, "spec": {}}


def _check(ingress_class: JSON) -> list[FieldError]:
    spec = ingress_class.get("spec") or {}
    controller, path = spec.get("controller") or "", "spec.controller"
    problems: list[FieldError] = []
    if len(controller) > _CONTROLLER_LENGTH:
        problems.append(too_long(path, "", _CONTROLLER_LENGTH))
    problems += is_domain_prefixed_path(path, controller)
    parameters, where = spec.get("parameters"), "spec.parameters"
    if parameters is None:
        return problems
    problems += check_local_reference(parameters, where)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope not in _SCOPES:
        problems.append(not_supported(f"{where}.scope", scope, _SCOPES))
    elif scope == "Namespace":
        if namespace is None:
            problems.append(required(f"{where}.namespace", "`parameters.scope` is set to 'Namespace'"))
        else:
            wrong = is_dns1123_label(namespace)
            problems += [invalid_value(f"{where}.namespace", namespace, text) for text in wrong]
    elif namespace is not None:
        problems.append(forbidden_field(f"{where}.namespace", "`parameters.scope` is set to 'Cluster'"))
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Its controller stays."""
    now, was = new["spec"].get("controller"), old["spec"].get("controller")
    return check_immutable(now, was, "spec.controller") + _check(new)


def is_default(ingress_class: JSON) -> bool:
    """Whether Ingresses that name no class get this one."""
    return (ingress_class["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"


def row(ingress_class: JSON, now: int) -> list[Any]:
    """The cells of a class."""
    meta, spec = ingress_class["metadata"], ingress_class.get("spec") or {}
    parameters, told = spec.get("parameters"), NONE
    if parameters is not None:
        group = parameters.get("apiGroup")
        kind = f"{parameters['kind']}.{group}" if group else parameters["kind"]
        told = f"{kind}/{parameters['name']}"
    name = f"{meta['name']} (default)" if is_default(ingress_class) else meta["name"]
    return [name, spec.get("controller") or "", told, age(ingress_class, now)]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    resource="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    columns=(
        NAME,
        Column("Controller", description="Controller that is responsible for handling this class"),
        Column("Parameters", description=doc("networking.v1.IngressClassSpec", "parameters")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=lambda ingress_class: check_meta(ingress_class, namespaced=False) + _check(ingress_class),
    validate_update=validate_update,
)
