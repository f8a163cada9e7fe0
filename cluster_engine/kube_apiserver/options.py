"""The options that come in the query or in a delete's body, checked as upstream checks them.

Models k8s.io/apimachinery/pkg/apis/meta/v1/validation and internalversion/validation.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster_engine.apimachinery import decode, errors, managed_fields
from cluster_engine.apimachinery.cow import JSON

from .deletion import check_options
from .negotiation import decode_body
from .requests import first, flag
from .types import Request, RequestContext, UserInfo

_META = "meta.k8s.io"
_DIGITS = 19
_VALIDATIONS = ("Ignore", "Warn", "Strict")


def write_context(request: Request, user: UserInfo, options_kind: str, subresource: str) -> RequestContext:
    """The context of a create, update or patch. Raises ApiError 422."""
    problems = []
    dry_run = [value for name, value in request.query if name == "dryRun" and value]
    for value in dry_run:
        if value != "All":
            problems.append(errors.not_supported("dryRun", value, ("All",)))
    validation = first(request, "fieldValidation") or "Warn"
    if validation not in _VALIDATIONS:
        problems.append(errors.not_supported("fieldValidation", validation, ("", *_VALIDATIONS)))
    if problems:
        raise errors.invalid(_META, options_kind, "", problems)
    manager = managed_fields.manager_name(
        first(request, "fieldManager"), request.headers.get("user-agent", "")
    )
    return RequestContext(
        user,
        manager=manager,
        dry_run=bool(dry_run),
        field_validation=validation,
        warnings=[],
        subresource=subresource,
        record=request.record,
    )


def is_dry_run(request: Request) -> bool:
    """Whether the query asks for a dry run (a delete's body may ask too)."""
    return any(name == "dryRun" and value for name, value in request.query)


def delete_options(request: Request) -> JSON:
    """DeleteOptions from the body, else from the query. Raises ApiError 400, 415, 422."""
    if request.body:
        options, _duplicates = decode_body(request, "DeleteOptions")
        if options.get("kind", "DeleteOptions") != "DeleteOptions":
            raise errors.bad_request(
                f'{options["kind"]} in version "v1" cannot be handled as a DeleteOptions'
            )
        checked, _warnings = decode.handle_body("v1", "DeleteOptions", options, "Ignore")
        options = {name: value for name, value in checked.items() if value is not None}
    else:
        options = {}
        grace = first(request, "gracePeriodSeconds")
        if grace:
            options["gracePeriodSeconds"] = integer("gracePeriodSeconds", grace)
        policy = first(request, "propagationPolicy")
        if policy:
            options["propagationPolicy"] = policy
        if first(request, "orphanDependents"):
            options["orphanDependents"] = flag(request, "orphanDependents")
    dry_run = [value for name, value in request.query if name == "dryRun" and value] or options.get("dryRun")
    if dry_run:
        bad = [errors.not_supported("dryRun", value, ("All",)) for value in dry_run if value != "All"]
        if bad:
            raise errors.invalid(_META, "DeleteOptions", "", bad)
        options["dryRun"] = list(dry_run)
    check_options(options)
    return options


def integer(name: str, text: str) -> int:
    """A decimal query parameter. Raises ApiError 400."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 18:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def revision(text: str) -> int | None:
    """A resource version as a number; None for what is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS else None


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list or watch."""

    label_selector: str
    field_selector: str
    resource_version: int | None  # None: not given
    match: str
    limit: int
    continue_token: str
    bookmarks: bool
    initial_events: bool | None
    timeout: (
        float | None
    )  # seconds; None: the server's own choice; 0: over at once, which a negative one asks for

    @classmethod
    def parse(cls, request: Request, resource: str, group: str, watch: bool) -> ListOptions:
        """Raises ApiError 400, 422."""
        version = first(request, "resourceVersion") or ""
        match = first(request, "resourceVersionMatch") or ""
        token = first(request, "continue") or ""
        asked = first(request, "sendInitialEvents")
        initial = None if asked is None else flag(request, "sendInitialEvents")
        problems = _list_problems(version, match, token, initial, watch)
        if problems:
            raise errors.invalid(_META, "ListOptions", "", problems)
        number = None
        if version:
            number = revision(version)
            if number is None:
                why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
                problem = errors.invalid_value("resourceVersion", version, why)
                raise errors.invalid(group, resource, "", [problem])
        limit = integer("limit", first(request, "limit") or "0")
        seconds = integer("timeoutSeconds", first(request, "timeoutSeconds") or "0")
        return cls(
            first(request, "labelSelector") or "",
            first(request, "fieldSelector") or "",
            number,
            match,
            max(limit, 0),
            token,
            flag(request, "allowWatchBookmarks"),
            initial,
            float(max(seconds, 0)) if seconds else None,
        )


def _list_problems(
    version: str, match: str, token: str, initial: bool | None, watch: bool
) -> list[errors.FieldError]:
    problems = []
    if watch:
        if initial is not None and match != "NotOlderThan":
            problems.append(
                errors.forbidden_field(
                    "resourceVersionMatch",
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                )
            )
        if match and initial is None:
            problems.append(
                errors.forbidden_field(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                )
            )
        if match and match != "NotOlderThan":
            problems.append(errors.not_supported("resourceVersionMatch", match, ("NotOlderThan",)))
        if match and token:
            problems.append(_continued())
        return problems
    if match:
        if not version:
            problems.append(
                errors.forbidden_field(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                )
            )
        if token:
            problems.append(_continued())
        if match not in ("Exact", "NotOlderThan"):
            problems.append(
                errors.not_supported("resourceVersionMatch", match, ("Exact", "NotOlderThan", ""))
            )
        if match == "Exact" and version == "0":
            problems.append(
                errors.forbidden_field(
                    "resourceVersionMatch",
                    'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
                )
            )
    if initial is not None:
        problems.append(
            errors.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")
        )
    return problems


def _continued() -> errors.FieldError:
    return errors.forbidden_field(
        "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"
    )
