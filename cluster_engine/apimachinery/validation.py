"""Names, labels and other plain values: what is allowed, and what Kubernetes says when it is not.

Models k8s.io/apimachinery/pkg/util/validation and pkg/api/validation/objectmeta.go. All patterns are
fixed and linear in the length of the text, which is bounded by the request size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    required,
    too_long,
)

from .ip_validation import is_strict_ip

_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL1123}(\.{_LABEL1123})*"
_LABEL1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"
_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_qualified = re.compile(_QUALIFIED)
_label1123 = re.compile(_LABEL1123)
# Linear whatever the text: what a part has matched it never gives back.
_subdomain = re.compile(r"[a-z0-9]++(?:(?:-++|\.)[a-z0-9]++)*+")
_label1035 = re.compile(_LABEL1035)
_env_name = re.compile(r"[^=\x00-\x1f\x7f-\U0010ffff]+")
_config_key = re.compile(_CONFIG_KEY)
_header = re.compile(_HEADER)
_percent = re.compile(_PERCENT)
_path = re.compile(_PATH)
_port_charset = re.compile("[-a-z0-9]+")
_port_letter = re.compile("[a-z]")


def regex_error(message: str, pattern: str, *examples: str) -> str:
    """validation.RegexError: the rule, examples, and the pattern."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    # Upstream ends each example with a comma, hence the two blanks: "'a',  or 'b', regex".
    told = f"'{examples[0]}'" + "".join(f",  or '{example}'" for example in examples[1:])
    return f"{message} (e.g. {told}, regex used for validation is '{pattern}')"


def max_length(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def empty_error() -> str:
    return "must be non-empty"


def in_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


SUBDOMAIN_ERROR = regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start"
    " and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
WILDCARD_ERROR = regex_error(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which"
    " must consist of lower case alphanumeric characters, '-' or '.' and end with an"
    " alphanumeric character",
    rf"\*\.{_SUBDOMAIN}",
    "*.example.com",
)
LABEL_ERROR = regex_error(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
    " must start and end"
    " with an alphanumeric character",
    _LABEL1123,
    "my-name",
    "123-abc",
)
LABEL1035_ERROR = regex_error(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character,"
    " and end with an alphanumeric character",
    _LABEL1035,
    "my-name",
    "abc-123",
)
QUALIFIED_ERROR = regex_error(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character",
    _QUALIFIED,
    "MyName",
    "my.name",
    "123-abc",
)
VALUE_ERROR = regex_error(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or"
    " '.', and must start and"
    " end with an alphanumeric character",
    _VALUE,
    "MyValue",
    "my_value",
    "12345",
)


def _bytes(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


def _is_subdomain(value: str) -> bool:
    return _subdomain.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _namespace_problems(value: str) -> tuple[str, ...]:
    """As ``is_dns1123_label``, of a text of which there are few."""
    return tuple(is_dns1123_label(value))


def is_dns1123_label(value: str) -> list[str]:
    problems = [max_length(63)] if _bytes(value) > 63 else []
    if not _label1123.fullmatch(value):
        # A valid subdomain gets the shorter message: the dots are what is wrong.
        problems.append("must not contain dots" if _is_subdomain(value) else LABEL_ERROR)
    return problems


def is_dns1123_subdomain(value: str) -> list[str]:
    problems = [max_length(253)] if _bytes(value) > 253 else []
    if not _is_subdomain(value):
        problems.append(SUBDOMAIN_ERROR)
    return problems


def is_wildcard_dns1123_subdomain(value: str) -> list[str]:
    """A subdomain with ``*.`` before it."""
    problems = [max_length(253)] if _bytes(value) > 253 else []
    if not (value.startswith("*.") and _is_subdomain(value[2:])):
        problems.append(WILDCARD_ERROR)
    return problems


def is_domain_prefixed_path(path: str, value: str) -> list[FieldError]:
    """A name such as acme.io/foo, at the field ``path`` (IsDomainPrefixedPath)."""
    if not value:
        return [required(path)]
    host, slash, rest = value.partition("/")
    if not slash or not host or not rest:
        return [invalid_value(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    problems = [invalid_value(path, host, text) for text in is_dns1123_subdomain(host)]
    if not problems and not _path.fullmatch(rest):
        problems.append(invalid_value(path, rest, f"Invalid path (regex used for validation is '{_PATH}')"))
    return problems


def is_dns1035_label(value: str) -> list[str]:
    problems = [max_length(63)] if _bytes(value) > 63 else []
    if not _label1035.fullmatch(value):
        problems.append(LABEL1035_ERROR)
    return problems


@lru_cache(maxsize=8192)
def _qualified_problems(value: str) -> tuple[str, ...]:
    problems: list[str] = []
    prefix, slash, name = value.partition("/")
    if not slash:
        name = value
    elif "/" in name:
        return (
            "a qualified name "
            + regex_error(
                "must consist of alphanumeric characters, '-', '_' or '.', and must start and"
                " end with an alphanumeric"
                " character",
                _QUALIFIED,
                "MyName",
                "my.name",
                "123-abc",
            )
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    elif not prefix:
        problems.append("prefix part " + empty_error())
    else:
        problems.extend("prefix part " + problem for problem in is_dns1123_subdomain(prefix))
    if not name:
        problems.append("name part " + empty_error())
    elif _bytes(name) > 63:
        problems.append("name part " + max_length(63))
    if not _qualified.fullmatch(name):
        problems.append("name part " + QUALIFIED_ERROR)
    return tuple(problems)


def is_qualified_name(value: str) -> list[str]:
    return list(_qualified_problems(value))


@lru_cache(maxsize=8192)
def _label_value_problems(value: str) -> tuple[str, ...]:
    problems = [max_length(63)] if _bytes(value) > 63 else []
    if value and not _qualified.fullmatch(value):
        problems.append(VALUE_ERROR)
    return tuple(problems)


def is_label_value(value: str) -> list[str]:
    return list(_label_value_problems(value))


def is_env_var_name(value: str) -> list[str]:
    """Relaxed rule of 1.34 and later: any printable ASCII but '='."""
    if not value:
        return ["environment variable name " + empty_error()]
    if not _env_name.fullmatch(value):
        return [
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        ]
    return []


def is_config_map_key(value: str) -> list[str]:
    problems = [max_length(253)] if _bytes(value) > 253 else []
    if not _config_key.fullmatch(value):
        message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(regex_error(message, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value == ".":
        problems.append("must not be '.'")
    elif value == "..":
        problems.append("must not be '..'")
    elif value.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def is_port_number(port: int) -> list[str]:
    return [] if 1 <= port <= 65535 else [in_range(1, 65535)]


def is_port_name(value: str) -> list[str]:
    problems = [max_length(15)] if _bytes(value) > 15 else []
    if not _port_charset.fullmatch(value):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _port_letter.search(value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def is_http_header_name(value: str) -> list[str]:
    if _header.fullmatch(value):
        return []
    message = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_error(message, _HEADER, "X-Header-Name")]


def is_percent(value: str) -> list[str]:
    if _percent.fullmatch(value):
        return []
    message = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(message, _PERCENT, "1%", "93%")]


def is_path_segment_name(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in ("/", "%") if char in value]


NAME_RULES: Mapping[str, Callable[[str], list[str]]] = {
    "subdomain": is_dns1123_subdomain,
    "label": is_dns1123_label,
    "label1035": is_dns1035_label,
    "path_segment": is_path_segment_name,
    "ip": is_strict_ip,
}

ANNOTATIONS_LIMIT = 256 * 1024
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
_BANNED_OWNERS = {("v1", "Event")}


def validate_name(rule: str, name: str, path: str = "metadata.name") -> list[FieldError]:
    return [invalid_value(path, name, problem) for problem in NAME_RULES[rule](name)]


def validate_label_name(key: str, path: str) -> list[FieldError]:
    return [invalid_value(path, key, problem) for problem in _qualified_problems(key)]


def validate_labels(labels: Mapping[str, str] | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in (labels or {}).items():
        if problems := _qualified_problems(key):
            errors.extend(invalid_value(path, key, problem) for problem in problems)
        if problems := _label_value_problems(value):
            errors.extend(invalid_value(path, value, problem) for problem in problems)
    return errors


def validate_annotations(annotations: Mapping[str, str] | None, path: str) -> list[FieldError]:
    if not annotations:
        return []
    errors: list[FieldError] = []
    size = 0
    for key, value in annotations.items():
        # Prefixes of annotations may be upper case: only labels are strict.
        if problems := _qualified_problems(key.lower()):
            errors.extend(invalid_value(path, key, problem) for problem in problems)
        size += _bytes(key) + _bytes(value)
    if size > ANNOTATIONS_LIMIT:
        errors.append(too_long(path, "", ANNOTATIONS_LIMIT))
    return errors


def standard_finalizer(finalizer: str) -> bool:
    """Whether it has a domain, or is one of Kubernetes' own."""
    return "/" in finalizer or finalizer in _STANDARD_FINALIZERS


def validate_standard_finalizers(
    finalizers: Sequence[str] | None, path: str, indexed: bool = True
) -> list[FieldError]:
    """What built-in kinds ask of finalizers beside their form (validateKubeFinalizerName)."""
    detail = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid_value(f"{path}[{index}]" if indexed else path, finalizer, detail)
        for index, finalizer in enumerate(finalizers or ())
        if not standard_finalizer(finalizer)
    ]


def validate_finalizers(finalizers: Sequence[str] | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for finalizer in finalizers or ():
        errors.extend(invalid_value(path, finalizer, problem) for problem in _qualified_problems(finalizer))
    found = finalizers or ()
    if "orphan" in found and "foregroundDeletion" in found:
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid_value(path, list(found), detail))
    return errors


def validate_label_selector(
    selector: Mapping[str, Any] | None, path: str, *, require_non_empty: bool = False
) -> list[FieldError]:
    """A metav1.LabelSelector (ValidateLabelSelector)."""
    if selector is None:
        return []
    errors = validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                errors.append(
                    required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
                )
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                errors.append(forbidden_field(f"{at}.values", detail))
        else:
            errors.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
        errors.extend(validate_label_name(expression.get("key", ""), f"{at}.key"))
        for number, value in enumerate(values):
            for problem in _label_value_problems(value):
                errors.append(invalid_value(f"{at}.values[{number}]", value, problem))
    if require_non_empty and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(invalid_value(path, dict(selector), "empty selector is invalid"))
    return errors


def validate_owner_references(references: Sequence[JSON] | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    controller = ""
    for index, reference in enumerate(references or ()):
        at = f"{path}[{index}]"
        version = reference.get("apiVersion", "")
        if not version or version.count("/") > 1:
            errors.append(invalid_value(f"{at}.apiVersion", version, "version must not be empty"))
        if not reference.get("kind"):
            errors.append(invalid_value(f"{at}.kind", "", "must not be empty"))
        if not reference.get("name"):
            errors.append(invalid_value(f"{at}.name", "", "must not be empty"))
        if not reference.get("uid"):
            errors.append(invalid_value(f"{at}.uid", "", "must not be empty"))
        if (version, reference.get("kind")) in _BANNED_OWNERS:
            detail = f"{version}, Kind={reference.get('kind')} is disallowed from being an owner"
            errors.append(invalid_value(at, reference, detail))
        if reference.get("controller"):
            if controller:
                detail = (
                    'Only one reference can have Controller set to true. Found "true" in references for'
                    f" {controller} and {reference.get('name', '')}"
                )
                errors.append(invalid_value(path, list(references or ()), detail))
            else:
                controller = reference.get("name", "")
    return errors


def validate_object_meta(
    meta: JSON, *, namespaced: bool, name_rule: str = "subdomain", path: str = "metadata"
) -> list[FieldError]:
    """What every object's metadata must keep to on creation (ValidateObjectMeta)."""
    errors: list[FieldError] = []
    name, generate, namespace = meta.get("name"), meta.get("generateName"), meta.get("namespace")
    if generate:
        # Generation adds a suffix: the prefix may end in a dash.
        prefix = generate[:-1] + "a" if generate.endswith("-") else generate
        for problem in NAME_RULES[name_rule](prefix):
            errors.append(invalid_value(f"{path}.generateName", generate, problem))
    if not name:
        errors.append(required(f"{path}.name", "name or generateName is required"))
    elif problems := NAME_RULES[name_rule](name):
        errors.extend(invalid_value(f"{path}.name", name, problem) for problem in problems)
    if namespaced:
        if not namespace:
            errors.append(required(f"{path}.namespace", ""))
        else:
            for problem in _namespace_problems(namespace):
                errors.append(invalid_value(f"{path}.namespace", namespace, problem))
    elif namespace:
        errors.append(forbidden_field(f"{path}.namespace", "not allowed on this type"))
    if meta.get("generation", 0) < 0:
        errors.append(
            invalid_value(f"{path}.generation", meta["generation"], "must be greater than or equal to 0")
        )
    return errors + _common(meta, path)


def _common(meta: JSON, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if labels := meta.get("labels"):
        errors += validate_labels(labels, f"{path}.labels")
    if annotations := meta.get("annotations"):
        errors += validate_annotations(annotations, f"{path}.annotations")
    if references := meta.get("ownerReferences"):
        errors += validate_owner_references(references, f"{path}.ownerReferences")
    if finalizers := meta.get("finalizers"):
        errors += validate_finalizers(finalizers, f"{path}.finalizers")
    for index, entry in enumerate(meta.get("managedFields") or ()):
        sort = entry.get("operation"), entry.get("fieldsType"), entry.get("manager", "")
        if not _is_good_entry(*sort):
            errors += _entry_problems(entry, f"{path}.managedFields[{index}]")
    return errors


@lru_cache(maxsize=1024)
def _is_good_entry(operation: str | None, fields_type: str | None, manager: str) -> bool:
    """Whether an entry of managedFields of that sort, of which there are few, has no problems."""
    entry = {"operation": operation, "fieldsType": fields_type, "manager": manager}
    return not _entry_problems(entry, "")


def _entry_problems(entry: JSON, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if entry.get("operation") not in ("Apply", "Update"):
        detail = "must be `Apply` or `Update`"
        errors.append(invalid_value(f"{at}.operation", entry.get("operation", ""), detail))
    if entry.get("fieldsType") != "FieldsV1":
        errors.append(invalid_value(f"{at}.fieldsType", entry.get("fieldsType", ""), "must be `FieldsV1`"))
    errors += validate_field_manager(entry.get("manager", ""), f"{at}.manager")
    return errors


def validate_field_manager(manager: str, path: str) -> list[FieldError]:
    if len(manager) <= 128 and manager.isprintable():
        return []
    errors = []
    if len(manager) > 128:
        errors.append(too_long(path, manager, 128))
    for index, char in enumerate(manager[:129]):
        if not char.isprintable():
            detail = f"should only contain printable characters (found {ord(char)} at index {index})"
            errors.append(invalid_value(path, manager, detail))
    return errors


_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp")


def validate_object_meta_update(new: JSON, old: JSON, path: str = "metadata") -> list[FieldError]:
    """What may not change in metadata (ValidateObjectMetaUpdate). Missing uid and times are already filled
    in."""
    errors: list[FieldError] = []
    if new.get("generation", 0) < old.get("generation", 0):
        errors.append(
            invalid_value(f"{path}.generation", new.get("generation", 0), "must not be decremented")
        )
    for field in (*_IMMUTABLE, "deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(field) != old.get(field):
            errors.append(invalid_value(f"{path}.{field}", new.get(field), "field is immutable"))
    if old.get("deletionTimestamp"):
        added = [item for item in new.get("finalizers") or () if item not in (old.get("finalizers") or ())]
        if added:
            detail = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{', '.join(chr(34) + item + chr(34) for item in added)}}}"
            )
            errors.append(forbidden_field(f"{path}.finalizers", detail))
    for field in ("labels", "annotations", "ownerReferences", "finalizers", "managedFields"):
        if new.get(field) is not old.get(field):
            return errors + _common(new, path)
    return errors
