"""The kind that a CustomResourceDefinition defines.

Models k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go and
pkg/registry/customresource/strategy.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cluster_engine.api.apiextensions import columns, rules, scale, values
from cluster_engine.api.printing import NAME, age
from cluster_engine.api.strategy import keep_status, same, with_generation, without_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import INVALID, FieldError
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.scheme import Kind, ScalePaths, Version
from cluster_engine.apimachinery.validation import standard_finalizer, validate_object_meta
from cluster_engine.apimachinery.versions import version_rank

_TERMINATING = "create not allowed while custom resource definition is terminating"
_NOT_ASKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)

_OFFERED = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
"""The verbs that discovery names, in upstream's order (customresource_discovery_controller.go)."""
_OFFERED_LAST = ("delete", "deletecollection", "get", "list", "watch")
"""The verbs that discovery names of a definition that goes."""


class CustomVersions:
    """The versions of a definition, and how objects come from one to another (``scheme.Custom``).

    Models pkg/apiserver/customresource_handler.go (crdConversionRESTOptionsGetter, schemaCoercingDecoder) and
    pkg/apiserver/conversion/nop_converter.go.
    """

    def __init__(self, name: str, spec: JSON) -> None:
        group, conversion = spec["group"], spec.get("conversion") or {}
        self._schemas = {f"{group}/{version['name']}": _schema(version) for version in spec["versions"]}
        webhook = conversion.get("webhook") if conversion.get("strategy") == "Webhook" else None
        self.webhook: JSON | None = None if webhook is None else {"name": name, **webhook}

    def as_read(self, obj: JSON) -> JSON:
        """A stored object as its own version has it now."""
        schema = self._schemas.get(obj["apiVersion"])
        if schema is None:
            return obj
        found: JSON = values.defaulted(values.pruned(obj, schema), schema)
        return found

    def converted(self, obj: JSON, api_version: str) -> JSON:
        """The object in that version, if need be with another apiVersion. Raises LookupError."""
        if obj["apiVersion"] == api_version:
            return obj
        if self.webhook is not None:
            raise LookupError(f"{obj['apiVersion']} of {self.webhook['name']} is for the webhook to convert")
        return self.pruned({**obj, "apiVersion": api_version})

    def pruned(self, obj: JSON) -> JSON:
        """What the object's version knows of it."""
        schema = self._schemas.get(obj["apiVersion"])
        if schema is None:
            return obj
        found: JSON = values.pruned(obj, schema)
        return found


def custom_kind(crd: JSON) -> Kind:
    """The kind of a definition, as it is stored from now on. The same one for the same definition."""
    terminating = crd["metadata"].get("deletionTimestamp") is not None
    key = ("custom-kind", id(crd["spec"]), terminating)
    found: Kind | None = RULE_CACHE.get(key)
    if found is None:
        found = _kind(crd["metadata"]["name"], crd["spec"], terminating)
        RULE_CACHE.put(key, found, crd["spec"])
    return found


def _kind(name: str, spec: JSON, terminating: bool) -> Kind:
    main = next(version for version in spec["versions"] if version.get("storage"))
    custom = CustomVersions(name, spec)
    others = tuple(
        Version(version["name"], _as_it_is, _as_it_is, whole=_in_version(version, spec, custom, terminating))
        for version in spec["versions"]
        if version is not main and version.get("served")
    )
    return replace(
        _in_version(main, spec, custom, terminating), versions=others, served=bool(main.get("served"))
    )


def _in_version(version: JSON, spec: JSON, custom: CustomVersions, terminating: bool) -> Kind:
    """The kind in one of its versions: nothing of it need be the same in another one."""
    names, schema = spec["names"], _schema(version)
    status = "status" in (version.get("subresources") or {})
    scaled = scale.paths((version.get("subresources") or {}).get("scale"))
    printed = version.get("additionalPrinterColumns")
    return Kind(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        resource=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec["scope"] == "Namespaced",
        openapi=schema,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources={**(SCALE if scaled else {}), **(STATUS if status else {})},
        scale=scaled,
        columns=(NAME, *columns.columns(printed)),
        row=columns.cells(printed) if printed else _name_and_age,
        default=_default(schema),
        prepare_create=_prepare_create(spec, status, terminating),
        prepare_update=_prepare_update(status),
        prepare_status=_only_status,
        validate=_validate(schema, spec["scope"] == "Namespaced", scaled),
        validate_update=_validate_update(schema, scaled, scale.check),
        validate_status=_validate_update(schema, scaled, scale.check_status),
        any_finalizers=True,
        warnings=_finalizer_warnings,
        warns_on_update=_finalizers_changed,
        update_warnings=_finalizer_warnings,
        deprecated=_deprecation(version, spec),
        field_labels=_selectable(version),
        custom=custom,
        offered=_OFFERED_LAST if terminating else _OFFERED,
    )


def _schema(version: JSON) -> JSON:
    found: JSON = (version.get("schema") or {}).get("openAPIV3Schema") or {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    return found


def _as_it_is(obj: JSON) -> JSON:
    return obj


def _deprecation(version: JSON, spec: JSON) -> str:
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    kind = f" {spec['names']['kind']}"
    told = f"{spec['group']}/{version['name']}{kind} is deprecated"
    known = [v["name"] for v in spec["versions"] if v.get("served") and not v.get("deprecated")]
    newer = [name for name in known if version_rank(name) < version_rank(version["name"])]
    return f"{told}; use {spec['group']}/{min(newer, key=version_rank)}{kind}" if newer else told


def _name_and_age(obj: JSON, now: int) -> list[Any]:
    return [obj["metadata"]["name"], age(obj, now)]


def _selectable(version: JSON) -> dict[str, Callable[[JSON], str]]:
    found: dict[str, Callable[[JSON], str]] = {}
    for field in version.get("selectableFields") or ():
        path = columns.parse(field["jsonPath"])
        if path is not None:
            found[field["jsonPath"].removeprefix(".")] = _selected(path)
    return found


def _selected(path: columns.Path) -> Callable[[JSON], str]:
    def value(obj: JSON) -> str:
        found = path.first(obj)
        if isinstance(found, bool):
            return "true" if found else "false"
        return "" if found is None else str(found)

    return value


# Strategy


def _default(schema: JSON) -> Callable[[JSON], JSON]:
    def default(obj: JSON) -> JSON:
        found: JSON = values.defaulted(obj, schema)
        return found

    return default


def _prepare_create(spec: JSON, status: bool, terminating: bool) -> Callable[[JSON], JSON]:
    resource = f"{spec['names']['plural']}.{spec['group']}"

    def prepare(obj: JSON) -> JSON:
        if terminating:
            raise errors.forbidden(resource, obj["metadata"].get("name", ""), _TERMINATING)
        return with_generation(without_status(obj) if status else obj, 1)

    return prepare


def _prepare_update(status: bool) -> Callable[[JSON, JSON], JSON]:
    apart = ("metadata", "status") if status else ("metadata",)

    def prepare(new: JSON, old: JSON) -> JSON:
        if status:
            new = keep_status(new, old)
        names = [name for name in sorted(new.keys() | old.keys()) if name not in apart]
        if all(same(new.get(name), old.get(name)) for name in names):
            return with_generation(new, old["metadata"].get("generation", 1))
        return with_generation(new, old["metadata"].get("generation", 0) + 1)

    return prepare


def _only_status(new: JSON, old: JSON) -> JSON:
    """The stored object with the new status."""
    if "status" not in new:
        return without_status(old)
    meta = {**old["metadata"]}
    if "managedFields" in new["metadata"]:
        meta["managedFields"] = new["metadata"]["managedFields"]
    return {**old, "metadata": meta, "status": new["status"]}


# Validation


def _validate(
    schema: JSON, namespaced: bool, scaled: ScalePaths | None
) -> Callable[[JSON], list[FieldError]]:
    def validate(obj: JSON) -> list[FieldError]:
        problems = values.check(obj, schema, "") + scale.check(obj, scaled)
        meta = validate_object_meta(obj["metadata"], namespaced=namespaced)
        return meta + _with_rules(schema, obj, None, problems)

    return validate


def _finalizer_warnings(obj: JSON, old: JSON | None = None) -> list[str]:
    """Of names without a domain that are new (generateWarningsFromObj)."""
    advice = (
        "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other "
        "finalizer writers"
    )
    before = () if old is None else old["metadata"].get("finalizers") or ()
    found = sorted(name for name in obj["metadata"].get("finalizers") or () if name not in before)
    return [f'metadata.finalizers: "{name}": {advice}' for name in found if not standard_finalizer(name)]


def _finalizers_changed(new: JSON, old: JSON) -> bool:
    before = old["metadata"].get("finalizers") or ()
    return any(name not in before for name in new["metadata"].get("finalizers") or ())


def _validate_update(
    schema: JSON,
    scaled: ScalePaths | None,
    check_scale: Callable[[JSON, ScalePaths | None], list[FieldError]],
) -> Callable[[JSON, JSON], list[FieldError]]:
    def validate(new: JSON, old: JSON) -> list[FieldError]:
        problems = values.check(new, schema, "", old) + check_scale(new, scaled)
        return _with_rules(schema, new, old, problems)

    return validate


def _with_rules(schema: JSON, obj: JSON, old: JSON | None, problems: list[FieldError]) -> list[FieldError]:
    """The problems, and those that the rules in CEL find."""
    if any(problem.type in values.BLOCKING for problem in problems):
        if not rules.validator(schema):
            return problems
        return [*problems, FieldError(INVALID, "<nil>", None, _NOT_ASKED)]
    return problems + rules.check(rules.validator(schema), obj, old)
