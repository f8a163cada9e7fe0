"""Defaults of a Pod's spec, as ``kubectl get -o yaml`` shows them.

Every function returns the object that it was given when there is nothing to add, so that Pods made from one
template keep sharing it; what was complete once is recognised by identity.

Models pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE

from .images import pull_policy
from .sharing import default_env_source, mapped
from .volumes_defaults import default_volume

_SPEC_DEFAULTS: tuple[tuple[str, Any], ...] = (
    ("dnsPolicy", "ClusterFirst"),
    ("restartPolicy", "Always"),
    ("schedulerName", "default-scheduler"),
    ("securityContext", {}),
    ("terminationGracePeriodSeconds", 30),
)
_PROBE_DEFAULTS = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def _round_up(text: Any) -> Any:
    """A quantity as it is stored: canonical, and no finer than a thousandth."""
    try:
        exact = quantity.parse(text) * 1000
        if exact.denominator != 1:
            text = quantity.from_milli(quantity.milli(text), like=str(text))
        canonical = quantity.canonical(text)
    except quantity.QuantityError:
        return text  # not ours to report: the body's decoding refuses it
    return canonical


def quantities(resources: JSON) -> JSON:
    """A resource list in canonical form."""
    made = {name: _round_up(value) for name, value in resources.items()}
    return resources if made == resources else made


def default_requirements(requirements: JSON, *, pod: bool) -> JSON:
    """Canonical quantities; in a Pod, what has a limit but no request requests the limit."""
    out = requirements
    for name in ("limits", "requests"):
        if requirements.get(name):
            made = quantities(requirements[name])
            if made is not requirements[name]:
                out = {**out, name: made}
    if pod and out.get("limits"):
        requests = out.get("requests") or {}
        missing = {name: value for name, value in out["limits"].items() if name not in requests}
        if missing:
            out = {**out, "requests": {**requests, **missing}}
    return out


def _default_port(port: JSON) -> JSON:
    return port if port.get("protocol") else {**port, "protocol": "TCP"}


def _host_port(port: JSON) -> JSON:
    return port if port.get("hostPort") else {**port, "hostPort": port.get("containerPort", 0)}


def _default_env(variable: JSON) -> JSON:
    source = variable.get("valueFrom")
    if not source:
        return variable
    made = default_env_source(source)
    return variable if made is source else {**variable, "valueFrom": made}


_OFF = (("httpGet", "protocol"), ("grpc", "mode"))
"""Dropped, as with the gates H2CContainerProbe and GRPCContainerProbeTLS off: that is their state in 1.37."""


def _default_handler(handler: JSON) -> JSON:
    for name, field in _OFF:
        if field in (handler.get(name) or ()):
            kept = {key: value for key, value in handler[name].items() if key != field}
            handler = {**handler, name: kept}
    http = handler.get("httpGet")
    if http is not None and not (http.get("path") and http.get("scheme")):
        made = {**http, "path": http.get("path") or "/", "scheme": http.get("scheme") or "HTTP"}
        handler = {**handler, "httpGet": made}
    grpc = handler.get("grpc")
    if grpc is not None and grpc.get("service") is None:
        handler = {**handler, "grpc": {**grpc, "service": ""}}
    return handler


def _default_probe(probe: JSON) -> JSON:
    probe = _default_handler(probe)
    missing = {name: value for name, value in _PROBE_DEFAULTS if not probe.get(name)}
    return {**probe, **missing} if missing else probe


_ALPHA = "stopSignal"
"""Dropped, as with the feature gate ContainerStopSignals off: that is its state in 1.37."""


def _default_lifecycle(lifecycle: JSON) -> JSON:
    out = lifecycle
    if _ALPHA in lifecycle:
        out = {name: value for name, value in lifecycle.items() if name != _ALPHA}
    for name in ("postStart", "preStop"):
        hook = lifecycle.get(name)
        if hook:
            made = _default_handler(hook)
            if made is not hook:
                out = {**out, name: made}
    return out


def default_container(container: JSON, *, pod: bool, host_network: bool = False) -> JSON:
    """A container of any sort with its defaults."""
    add: JSON = {}
    if not container.get("imagePullPolicy"):
        add["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        add["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        add["terminationMessagePolicy"] = "File"
    requirements = container.get("resources")
    if requirements is None:
        add["resources"] = {}
    elif requirements:
        made = default_requirements(requirements, pod=pod)
        if made is not requirements:
            add["resources"] = made
    ports = container.get("ports")
    if ports:
        made_list = mapped(ports, _default_port)
        if host_network:
            made_list = mapped(made_list, _host_port)
        if made_list is not ports:
            add["ports"] = made_list
    env = container.get("env")
    if env:
        made_list = mapped(env, _default_env)
        if made_list is not env:
            add["env"] = made_list
    for name in _PROBES:
        probe = container.get(name)
        if probe is not None:
            made = _default_probe(probe)
            if made is not probe:
                add[name] = made
    lifecycle = container.get("lifecycle")
    if lifecycle:
        made = _default_lifecycle(lifecycle)
        if made is not lifecycle:
            add["lifecycle"] = made
    return {**container, **add} if add else container


def _default_containers(containers: list[JSON], *, pod: bool, host_network: bool) -> list[JSON]:
    what = "containers of a Pod" if pod else "containers of a template"
    if host_network:
        return mapped(containers, lambda c: default_container(c, pod=pod, host_network=True))
    made: list[JSON] | None = RULE_CACHE.of(what, containers)
    if made is None:
        made = mapped(containers, lambda c: default_container(c, pod=pod))
        RULE_CACHE.keep(what, containers, made)
        if made is not containers:
            RULE_CACHE.keep(what, made, made)
    return made


def default_pod_spec(spec: JSON, *, pod: bool) -> JSON:
    """A Pod's spec with its defaults. `pod`: it is a Pod's own, not a template's."""
    add: JSON = {}
    for field, value in _SPEC_DEFAULTS:
        if spec.get(field) is None or spec[field] == "":
            add[field] = value
    if pod and spec.get("enableServiceLinks") is None:
        add["enableServiceLinks"] = True
    account, old_name = spec.get("serviceAccountName"), spec.get("serviceAccount")
    if account != old_name:
        # The deprecated field mirrors the new one in every answer.
        add["serviceAccountName"] = add["serviceAccount"] = account or old_name
    host_network = bool(spec.get("hostNetwork"))
    for name in ("containers", "initContainers"):
        containers = spec.get(name)
        if containers:
            made = _default_containers(containers, pod=pod, host_network=host_network)
            if made is not containers:
                add[name] = made
    containers = spec.get("ephemeralContainers")
    if containers:
        made = mapped(containers, lambda c: default_container(c, pod=pod))
        if made is not containers:
            add["ephemeralContainers"] = made
    volumes = spec.get("volumes")
    if volumes:
        made = RULE_CACHE.of("volumes", volumes)
        if made is None:
            made = mapped(volumes, default_volume)
            RULE_CACHE.keep("volumes", volumes, made)
        if made is not volumes:
            add["volumes"] = made
    for name in ("resources", "overhead"):
        if spec.get(name):
            change = (
                default_requirements(spec[name], pod=False) if name == "resources" else quantities(spec[name])
            )
            if change is not spec[name]:
                add[name] = change
    return {**spec, **add} if add else spec


def default_template(template: JSON) -> JSON:
    """A PodTemplateSpec with its defaults. Its metadata shows creationTimestamp: null no longer (1.34)."""
    made: JSON | None = RULE_CACHE.of("template", template)
    if made is not None:
        return made
    made = template
    spec = default_pod_spec(template.get("spec") or {}, pod=False)
    if spec is not template.get("spec"):
        made = {**made, "spec": spec}
    if made.get("metadata") is None:
        made = {**made, "metadata": {}}
    RULE_CACHE.keep("template", template, made)
    if made is not template:
        RULE_CACHE.keep("template", made, made)
    return made
