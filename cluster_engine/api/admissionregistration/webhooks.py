"""What the two kinds of webhook configurations have in common: defaults, validation, columns.

Models pkg/apis/admissionregistration/validation/validation.go (validateMutatingWebhook),
pkg/apis/admissionregistration/v1/defaults.go and k8s.io/apiserver/pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery import validation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column

REVIEW_VERSIONS = ("v1", "v1beta1")
REINVOCATIONS = ("IfNeeded", "Never")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_FORM = "; desired format: https://host[/path]"
_HOOK = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": 10}

COLUMNS = (
    NAME,
    Column(
        "Webhooks",
        "integer",
        description="Webhooks indicates the number of webhooks registered in this configuration",
    ),
    AGE,
)


def row(configuration: JSON, now: int) -> list[Any]:
    """The cells of a configuration."""
    return [
        configuration["metadata"]["name"],
        len(configuration.get("webhooks") or ()),
        age(configuration, now),
    ]


def default(configuration: JSON, **more: Any) -> JSON:
    """With the defaults of each webhook; ``more`` are those of one of the two kinds."""
    hooks = configuration.get("webhooks")
    if not hooks:
        return configuration
    made = [_default(hook, more) for hook in hooks]
    return configuration if made == hooks else {**configuration, "webhooks": made}


def _default(hook: JSON, more: JSON) -> JSON:
    add = {name: value for name, value in {**_HOOK, **more}.items() if hook.get(name) is None}
    add |= {name: {} for name in ("namespaceSelector", "objectSelector") if hook.get(name) is None}
    made = {**hook, **add}
    if made.get("rules"):
        made["rules"] = [rule if rule.get("scope") else {**rule, "scope": "*"} for rule in made["rules"]]
    config = made.get("clientConfig") or {}
    service = config.get("service")
    if service is not None and not service.get("port"):
        made["clientConfig"] = {**config, "service": {**service, "port": 443}}
    return made


def prepare_update(new: JSON, old: JSON) -> JSON:
    """Changed webhooks count one generation more."""
    if same(new.get("webhooks"), old.get("webhooks")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


def validate(configuration: JSON) -> list[FieldError]:
    """What is wrong with a new configuration; conditions are compiled."""
    return check_meta(configuration, namespaced=False) + _check(configuration, None)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one; conditions that stay as they are, are not compiled again."""
    return _check(new, old)


def _check(configuration: JSON, old: JSON | None) -> list[FieldError]:
    problems: list[FieldError] = []
    hooks = configuration.get("webhooks") or ()
    conditions = [hook.get("matchConditions") for hook in hooks]
    known = None if old is None else [hook.get("matchConditions") for hook in old.get("webhooks") or ()]
    names: list[str] = []
    for at, hook in enumerate(hooks):
        path = f"webhooks[{at}]"
        problems += _check_hook(hook, path)
        if conditions != known:
            place = f"{path}.matchConditions"
            problems += rules.check_conditions(hook.get("matchConditions"), params=False, path=place)
        problems += _check_versions(
            hook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions"
        )
        name = hook.get("name") or ""
        if name in names:
            problems.append(duplicate(f"{path}.name", name))
        if name:
            names.append(name)
    return problems


def _check_hook(hook: JSON, path: str) -> list[FieldError]:
    problems = _check_name(hook.get("name") or "", f"{path}.name")
    for at, rule in enumerate(hook.get("rules") or ()):
        problems += rules.check_rule(rule, f"{path}.rules[{at}]")
    for name, choices in (("failurePolicy", rules.FAILURE_POLICIES), ("matchPolicy", rules.MATCH_POLICIES)):
        if hook.get(name) not in choices:
            problems.append(not_supported(f"{path}.{name}", hook.get(name) or "", choices))
    effects = hook.get("sideEffects")
    if effects is None:
        told = f"must specify one of {', '.join(_SIDE_EFFECTS)}"
        problems.append(required(f"{path}.sideEffects", told))
    elif effects not in _SIDE_EFFECTS:
        problems.append(not_supported(f"{path}.sideEffects", effects, _SIDE_EFFECTS))
    if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
        told = "the timeout value must be between 1 and 30 seconds"
        problems.append(invalid_value(f"{path}.timeoutSeconds", hook["timeoutSeconds"], told))
    for name in ("namespaceSelector", "objectSelector"):
        problems += validation.validate_label_selector(hook.get(name), f"{path}.{name}")
    if hook.get("reinvocationPolicy") not in (None, *REINVOCATIONS):
        found = hook["reinvocationPolicy"]
        problems.append(not_supported(f"{path}.reinvocationPolicy", found, REINVOCATIONS))
    return problems + check_client(hook.get("clientConfig") or {}, f"{path}.clientConfig")


def _check_name(name: str, path: str) -> list[FieldError]:
    """IsFullyQualifiedName."""
    if not name:
        return [required(path)]
    if wrong := validation.is_dns1123_subdomain(name):
        return [invalid_value(path, name, ",".join(wrong))]
    if name.count(".") < 2:
        told = "should be a domain with at least three segments separated by dots"
        return [invalid_value(path, name, told)]
    return []


def _check_versions(versions: list[str], path: str) -> list[FieldError]:
    if not versions:
        return [required(path, f"must specify one of {', '.join(REVIEW_VERSIONS)}")]
    problems: list[FieldError] = []
    for at, version in enumerate(versions):
        if version in versions[:at]:
            problems.append(invalid_value(f"{path}[{at}]", version, "duplicate version"))
            continue
        problems += [
            invalid_value(f"{path}[{at}]", version, wrong) for wrong in validation.is_dns1035_label(version)
        ]
    if not any(version in REVIEW_VERSIONS for version in versions):
        told = f"must include at least one of {', '.join(REVIEW_VERSIONS)}"
        problems.append(invalid_value(path, versions, told))
    return problems


def check_client(config: JSON, path: str) -> list[FieldError]:
    """Where a webhook is: at a URL or behind a Service."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(path, "exactly one of url or service is required")]
    if service is not None:
        return check_service(service, f"{path}.service")
    return check_url(url or "", f"{path}.url")


def check_url(url: str, path: str) -> list[FieldError]:
    """What is wrong with the address of a webhook (ValidateWebhookURL)."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return [required(path, f"url must be a valid URL: {error}{_FORM}")]
    problems: list[FieldError] = []
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme != "https":
        told = f"'https' is the only allowed URL scheme{_FORM}"
        problems.append(invalid_value(path, parts.scheme, told))
    if not host:
        problems.append(invalid_value(path, host, f"host must be provided{_FORM}"))
    if at:
        problems.append(invalid_value(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        problems.append(invalid_value(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        problems.append(invalid_value(path, parts.query, "query parameters are not permitted in the URL"))
    return problems


def check_service(service: JSON, path: str) -> list[FieldError]:
    """What is wrong with the Service of a webhook (ValidateWebhookService)."""
    problems: list[FieldError] = []
    # Upstream hands name and namespace over the wrong way round, which the messages show.
    for field, given in (("name", "namespace"), ("namespace", "name")):
        if not service.get(given):
            problems.append(required(f"{path}.{field}", f"service {field} is required"))
    port = service.get("port", 443)
    if wrong := validation.is_port_number(port):
        problems.append(invalid_value(f"{path}.port", port, f"port is not valid: {', '.join(wrong)}"))
    text = service.get("path") or "/"
    return problems + ([] if text == "/" else _check_path(text, f"{path}.path"))


def _check_path(text: str, path: str) -> list[FieldError]:
    if text == "//":
        return [invalid_value(path, text, "segment[0] may not be empty")]
    problems: list[FieldError] = []
    if not text.startswith("/"):
        problems.append(invalid_value(path, text, "must start with a '/'"))
    for at, step in enumerate(text[1:].removesuffix("/").split("/")):
        if not step:
            problems.append(invalid_value(path, text, f"segment[{at}] may not be empty"))
            continue
        problems += [
            invalid_value(path, text, f"segment[{at}]: {wrong}")
            for wrong in validation.is_dns1123_subdomain(step)
        ]
    return problems
