"""In which version of its kind a write works, and in which an object is kept.

A kind of our own has one strategy, whatever the version of the request; the objects of a custom resource follow the
rules of the request's version, and a webhook may stand between that and the stored one (`conversion.py`).

Models k8s.io/apiserver/pkg/registry/rest (the storage version behind each endpoint) and ``GetResetFields``.
"""

from __future__ import annotations

from cluster_engine.apimachinery import managed_fields
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

from .conversion import Conversions
from .types import RequestContext

_SPEC_RESET = ("spec",)


def form(ctx: RequestContext, kind: Kind) -> Kind:
    """The kind in the version of the request."""
    if not ctx.api_version or ctx.api_version == kind.api_version:
        return kind
    found = kind.in_version(ctx.api_version)
    assert found is not None, f"{kind.kind} is not served in {ctx.api_version}"
    return found


def ruling(ctx: RequestContext, kind: Kind) -> Kind:
    """Whose strategy a write follows: that of a custom resource is its version's."""
    return kind if kind.custom is None else form(ctx, kind)


def stored(kind: Kind, obj: JSON) -> JSON:
    """An object of a request, of the version of ``kind``, as the strategy has it."""
    return obj if kind.form is None or kind.custom is not None else kind.taken(kind.default(obj))


def read(conversions: Conversions, ctx: RequestContext, kind: Kind, obj: JSON) -> JSON:
    """A stored object as the strategy of ``kind`` has it. Raises ApiError."""
    if kind.custom is None:
        return obj
    return conversions.shown(kind, obj, lasting=not ctx.dry_run)


def kept(conversions: Conversions, ctx: RequestContext, kind: Kind, obj: JSON) -> JSON:
    """The object in the version in which it is to be stored. Raises ApiError."""
    if kind.custom is None:
        return obj
    return conversions.converted(kind.stored or kind, obj, lasting=not ctx.dry_run)


def up_to_date(kind: Kind, obj: JSON) -> bool:
    """Whether an object is stored in the version in which it would be stored now."""
    return kind.custom is None or obj["apiVersion"] == (kind.stored or kind).api_version


def forms(conversions: Conversions, ctx: RequestContext, kind: Kind) -> managed_fields.Forms | None:
    """The versions of a kind, where it has several, between which field managers are compared."""
    if kind.custom is not None:
        return conversions.forms(kind, lasting=not ctx.dry_run)
    return kind if kind.versions else None


def reset_fields(ctx: RequestContext, kind: Kind) -> tuple[str, ...]:
    """The fields that the written (sub)resource never owns (GetResetFields)."""
    if "status" not in kind.subresources:
        return ()
    if ctx.subresource == "status":
        return _SPEC_RESET
    strategy = kind.strategies.get(ctx.subresource)
    return kind.reset if strategy is None else strategy.reset
