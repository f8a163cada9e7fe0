"""Which backend an Ingress gives a request to: the table that the controller makes of the objects, and what nginx
does by it. Pure.

Models internal/ingress/controller/{controller,location}.go and template.go of ingress-nginx.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cluster_engine.container_runtime.images._ingress.objects import CLASS, PREFIX
from cluster_engine.linux import regex

JSON = dict[str, Any]
DEFAULT = "_"
"""The server of requests for hosts that no rule names."""
NO_BACKEND = "upstream-default-backend"
MAX_LOCATIONS = 2_000
"""Paths of all Ingresses that are told apart; further ones are left out."""


class Settings(NamedTuple):
    """What the controller's arguments and its ConfigMap say."""

    controller: str
    class_name: str
    without_class: bool
    ssl_redirect: bool = True
    default: str = ""
    """``namespace/name`` of the Service for what no rule is about."""


def is_ours(settings: Settings, found: JSON, classes: Mapping[str, JSON]) -> bool:
    """Whether an Ingress is this controller's."""
    name = found["class"]
    if name is not None:
        return name in classes and bool(classes[name]["controller"] == settings.controller)
    note = found["annotations"].get(CLASS)
    return settings.without_class if note is None else note in ("", settings.class_name)


def in_order(ingresses: Mapping[str, JSON]) -> list[tuple[str, JSON]]:
    """The oldest comes first: of two that say something about the same, it counts."""
    return sorted(ingresses.items(), key=lambda item: (item[1]["created"], item[0]))


def note(found: JSON, name: str) -> str:
    """One of the controller's annotations; "" when it is not there."""
    return str(found["annotations"].get(PREFIX + name) or "")


# ---- the table ---------------------------------------------------------------------------------------------


def table(settings: Settings, seen: Mapping[str, Mapping[str, JSON]]) -> tuple[JSON, list[str]]:
    """The servers with their locations and the backends with their endpoints, and what is wrong, as klog is told it."""
    problems: list[str] = []
    ours = [
        (key, each)
        for key, each in in_order(seen["ingresses"])
        if is_ours(settings, each, seen["ingressclasses"])
    ]
    upstreams: JSON = {}
    servers: JSON = {DEFAULT: _server(_default(settings, seen, upstreams))}
    left = MAX_LOCATIONS
    for key, found in ours:
        namespace = key.partition("/")[0]
        fallback = _upstream(namespace, found["default"], seen, upstreams, problems)
        if fallback:
            root = servers[DEFAULT]["locations"][0]
            if root["default"]:
                servers[DEFAULT]["locations"][0] = {
                    **root,
                    "upstream": fallback,
                    "default": False,
                    "ingress": key,
                }
        for host, paths in found["rules"]:
            server = servers.get(host or DEFAULT)
            if server is None:
                server = servers[host] = _server(fallback or NO_BACKEND, key if fallback else "")
            _secure(server, host, namespace, found, seen["secrets"], problems)
            for path, kind, backend in paths:
                left -= 1
                upstream = _upstream(namespace, backend, seen, upstreams, problems)
                if left >= 0 and upstream:
                    _add(server, _location(settings, key, found, path, kind, upstream))
    for server in servers.values():
        server["locations"] = list(_arranged(server["locations"]))
    return {"servers": servers, "upstreams": upstreams}, list(dict.fromkeys(problems))


_ROOT: JSON = {
    "path": "/", "type": "", "upstream": NO_BACKEND, "default": True, "ingress": "", "target": "", "regex": False,
    "redirects": [], "root": "", "ssl": [True, False],
}  # fmt: skip
_NOWHERE: JSON = {**_ROOT, "how": ""}


def _server(upstream: str, ingress: str = "") -> JSON:
    return {"locations": [{**_ROOT, "upstream": upstream, "ingress": ingress}], "tls": None}


def _default(settings: Settings, seen: Mapping[str, Mapping[str, JSON]], upstreams: JSON) -> str:
    found = seen["services"].get(settings.default)
    if found is None or not found["ports"]:
        return NO_BACKEND
    namespace, _, name = settings.default.partition("/")
    return _upstream(namespace, [name, found["ports"][0][1]], seen, upstreams, []) or NO_BACKEND


def _upstream(
    namespace: str,
    backend: list[Any] | None,
    seen: Mapping[str, Mapping[str, JSON]],
    upstreams: JSON,
    problems: list[str],
) -> str:
    """The backend's name; "": the Ingress names none."""
    if backend is None:
        return ""
    service, port = backend
    name, key = f"{namespace}-{service}-{port}", f"{namespace}/{service}"
    if name not in upstreams:
        found, endpoints = seen["services"].get(key), []
        if found is None:
            problems.append(
                f'Error obtaining Endpoints for Service "{key}": no object matching key "{key}" in local store'
            )
        else:
            endpoints = list(_endpoints(key, found, port, seen["endpointslices"]))
            if not endpoints:
                problems.append(f'Service "{key}" does not have any active Endpoint.')
        upstreams[name] = endpoints
    return name


def _endpoints(key: str, service: JSON, port: Any, slices: Mapping[str, JSON]) -> Iterator[list[Any]]:
    names = [name for name, number in service["ports"] if port in (name, number)]
    for _, each in sorted(slices.items()):
        if each["service"] == key and names and each["ports"].get(names[0]):
            for ip in each["ready"]:
                yield [ip, each["ports"][names[0]]]


def _secure(
    server: JSON, host: str, namespace: str, found: JSON, secrets: Mapping[str, JSON], problems: list[str]
) -> None:
    """The certificate of a host, of the first Ingress that has one for it; "": the controller's own."""
    if server["tls"] is not None or not host:
        return
    for hosts, name in found["tls"]:
        key = f"{namespace}/{name}"
        names = secrets[key]["shows"][1] if key in secrets else []
        if host not in hosts and not (not hosts and host in names):
            continue
        if name and key not in secrets:
            missing = f"local SSL certificate {key} was not found. Using default certificate"
            problems.append(f'Error getting SSL certificate "{key}": {missing}')
        server["tls"] = key if key in secrets else ""
        return


def _location(settings: Settings, key: str, found: JSON, path: str, kind: str, upstream: str) -> JSON:
    target = note(found, "rewrite-target")
    redirects: list[Any] = []
    if note(found, "permanent-redirect"):
        code = note(found, "permanent-redirect-code")
        redirects = [
            int(code) if code in ("301", "302", "303", "307", "308") else 301,
            note(found, "permanent-redirect"),
        ]
    elif note(found, "temporal-redirect"):
        redirects = [302, note(found, "temporal-redirect")]
    return {
        "path": path,
        "type": kind,
        "upstream": upstream,
        "default": False,
        "ingress": key,
        "target": target if target != path else "",
        "regex": note(found, "use-regex") == "true",
        "redirects": redirects,
        "root": note(found, "app-root"),
        "ssl": [
            (note(found, "ssl-redirect") or ("true" if settings.ssl_redirect else "false")) == "true",
            note(found, "force-ssl-redirect") == "true",
        ],
    }


def _add(server: JSON, location: JSON) -> None:
    """A path that is there already, of an older Ingress, stays; the root's default gives way."""
    for at, known in enumerate(server["locations"]):
        if known["path"] == location["path"] and (known["default"] or known["type"] == location["type"]):
            if known["default"]:
                server["locations"][at] = location
            return
    server["locations"].append(location)


def _arranged(locations: list[JSON]) -> Iterator[JSON]:
    """As nginx looks at them (updateServerLocations, buildLocation): regular expressions, where one Ingress of the
    server wants them, else exact paths, then beginnings; the longest comes first."""
    patterns = any(each["target"] or each["regex"] for each in locations)
    ordered = sorted(locations, key=lambda each: str(each["path"]), reverse=True)
    ordered.sort(key=lambda each: len(each["path"]), reverse=True)
    exact = {each["path"] for each in locations if each["type"] == "Exact"}
    for each in ordered:
        if patterns:
            yield {**each, "how": "~*"}
        elif each["type"] == "Exact":
            yield {**each, "how": "="}
        elif each["type"] == "Prefix" and each["path"] != "/":
            path = each["path"].rstrip("/")
            yield {**each, "how": "", "path": f"{path}/"}
            if path not in exact:
                yield {**each, "how": "=", "path": path}
        else:
            yield {**each, "how": ""}


# ---- what nginx does by it ---------------------------------------------------------------------------------


def server_of(found: JSON, host: str) -> JSON:
    """The server for a host: its own, that of a wildcard for one label, or the one for all others."""
    servers: JSON = found["servers"]
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
    name = name.lower()
    wild = f"*.{name.partition('.')[2]}"
    server: JSON = servers.get(name) or servers.get(wild) or servers[DEFAULT]
    return server


def location_of(server: JSON, path: str) -> JSON:
    """The location of a path; the root is always there."""
    locations: list[JSON] = server["locations"]
    for each in locations:
        if each["how"] == "=" and each["path"] == path:
            return each
    if locations[0]["how"] == "~*":
        return next((each for each in locations if _matches(f"^{each['path']}", path)), _NOWHERE)
    begins = [each for each in locations if each["how"] == "" and path.startswith(each["path"])]
    return max(begins, key=lambda each: len(each["path"]), default=_NOWHERE)


def _matches(pattern: str, path: str) -> bool:
    try:
        return regex.found(regex.perl(pattern, ignore_case=True), path)
    except regex.PatternError:
        return False


def pattern_problem(path: str) -> str:
    """Why a path is no pattern that can be matched; "": it is one."""
    try:
        regex.perl(f"^{path}", ignore_case=True)
    except regex.PatternError as problem:
        return str(problem)
    return ""


def rewritten(location: JSON, uri: str) -> str:
    """The path and query with which the backend is asked: nginx's ``rewrite "(?i)PATH" TARGET break``."""
    target, path = location["target"], location["path"]
    if not target:
        return uri
    asked, mark, query = uri.partition("?")
    try:
        match = regex.perl(path, ignore_case=True).search(asked.encode("utf-8", "surrogateescape"))
    except regex.PatternError:
        return uri
    if match is None:
        return uri
    made, at = "", 0
    while at < len(target):
        following = target[at + 1 : at + 2]
        if target[at] == "$" and following.isdigit() and following.isascii():
            number = int(following)
            made += _group(match, number)
            at += 2
        else:
            made += target[at]
            at += 1
    made = made if made.startswith("/") else f"/{made}"
    if made.endswith("?"):
        return made[:-1]  # whoever ends so wants no arguments added
    return f"{made}&{query}" if mark and "?" in made else f"{made}{mark}{query}"


def _group(match: Any, number: int) -> str:
    try:
        found = match.group(number)
    except IndexError:
        return ""
    return (found or b"").decode("utf-8", "surrogateescape")
