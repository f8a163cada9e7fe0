"""``/nginx-ingress-controller``: it watches the API as its service account and serves what the Ingresses say.

nginx itself is this program too: what its workers would do is done here, by the table that ``rules.py`` makes. Once a
minute the addresses under which it is reached are written into the Ingresses' status. There is no election: every
replica would write the same.

Models cmd/nginx, internal/ingress/controller and internal/ingress/status of ingress-nginx.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from cluster_engine.container_runtime import api_client
from cluster_engine.container_runtime.api_client import Told
from cluster_engine.container_runtime.http import Line, Reply, Request, Server, log_time, server
from cluster_engine.container_runtime.image import Variant
from cluster_engine.container_runtime.images._ingress import admission, flags, objects, proxying, rules
from cluster_engine.container_runtime.images._ingress.objects import JSON, Watched
from cluster_engine.container_runtime.images._web import error_page
from cluster_engine.container_runtime.images._webhook import certificate
from cluster_engine.linux import tls
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.sim import SECOND, rfc3339

NETWORKING = "/apis/networking.k8s.io/v1"
UPDATE = 60 * SECOND
"""How often the status of the Ingresses is looked at, while anything changes."""
RETRY = 2 * SECOND
OUTBOX = 256
"""What is still to be told to the API server; more is left out (events) or told a minute later (status)."""
_STARTS = 200_000
_HTTP, _HTTPS, _HEALTH, _WEBHOOK = 80, 443, 10254, 8443
_BANNER = """-------------------------------------------------------------------------------
NGINX Ingress controller
  Release:       {release}
  Build:         simulated
  Repository:    https://github.com/kubernetes/ingress-nginx
  nginx version: nginx/1.27.1

-------------------------------------------------------------------------------
"""
_FAKE = tls.Certificate("Kubernetes Ingress Controller Fake Certificate", ("ingress.local",))


def watched(sys: Sys, state: State) -> Iterator[Watched]:
    """What it lists and watches."""
    given = state["flags"]
    scope = f"/namespaces/{given['watch-namespace']}" if given["watch-namespace"] else ""
    yield Watched(
        "ingresses",
        "*v1.Ingress",
        "ingresses.networking.k8s.io",
        f"{NETWORKING}{scope}/ingresses",
        objects.ingress,
    )
    yield Watched(
        "ingressclasses",
        "*v1.IngressClass",
        "ingressclasses.networking.k8s.io",
        f"{NETWORKING}/ingressclasses",
        objects.ingress_class,
    )
    yield Watched("services", "*v1.Service", "services", f"/api/v1{scope}/services", objects.service)
    yield Watched(
        "endpointslices",
        "*v1.EndpointSlice",
        "endpointslices.discovery.k8s.io",
        f"/apis/discovery.k8s.io/v1{scope}/endpointslices",
        objects.slice_of,
    )
    yield Watched("secrets", "*v1.Secret", "secrets", f"/api/v1{scope}/secrets", objects.secret)
    if given["configmap"]:
        namespace, _, name = given["configmap"].partition("/")
        path = f"/api/v1/namespaces/{quote(namespace)}/configmaps"
        query = f"?fieldSelector=metadata.name%3D{quote(name)}"
        yield Watched("configmaps", "*v1.ConfigMap", "configmaps", path + query, objects.config_map)


def log(sys: Sys, text: str, level: str = "I") -> None:
    """A line as klog writes it."""
    stamp = rfc3339(sys.now)
    head = f"{level}{stamp[5:7]}{stamp[8:10]} {stamp[11:19]}.{sys.now % SECOND:06d}"
    sys.err(f"{head}       {sys.pid} {octets(text)}\n")


# ---- its life ----------------------------------------------------------------------------------------------


def program(variant: Variant) -> Program:
    """The program of one release."""
    given = Server(
        _handle,
        ports=lambda state: (
            _HTTP,
            _HTTPS,
            _HEALTH,
            *((_WEBHOOK,) if state["flags"]["validating-webhook"] else ()),
        ),
        unanswered=lambda status: error_page("nginx", status),
        after=_STARTS,
        access=_access,
        stops={"TERM": (10 * SECOND, 0)},
        secure=(_HTTPS, _WEBHOOK),
        presents=_presented,
        in_use=lambda sys, port, reason: (
            f"Port {port} is already in use. Please check the flag --http-port\n"
        ),
    )
    serves = server("nginx-ingress-controller", given).on
    assert serves is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        if event[0] == "start":
            return _start(sys, serves(sys, state, event), variant)
        told = api_client.happened(sys, state, event)
        if told is not None:
            for each in told:
                _told(sys, state, each)
            return state
        if event[0] == "timer" and (what := _due(state, event[1])):
            _timer(sys, state, what)
            return state
        if event[0] == "signal":
            log(sys, 'sigterm.go:36] "Received SIGTERM, shutting down"')
        return serves(sys, state, event)

    return Program("nginx-ingress-controller", on=on, memory=60 << 20)


def _start(sys: Sys, state: State, variant: Variant) -> State:
    sys.out(_BANNER.format(release=variant.version))
    try:
        state["flags"] = flags.read(sys.argv[1:])
    except flags.FlagError as problem:
        log(sys, f"main.go:57] {problem}", "F")
        sys.exit(255)
    log(sys, f'main.go:205] "Creating API client" host="https://{api_client.address(sys)}"')
    log(
        sys,
        'main.go:101] "SSL fake certificate created" file="/etc/ingress-controller/ssl/default-fake-certificate.pem"',
    )
    state |= {"seen": {}, "later": {}, "outbox": [], "doing": [], "turns": {}, "synced": False, "said": []}
    for each in watched(sys, state):
        _list(sys, state, each.name)
    return state


def _later(sys: Sys, state: State, after: int, what: list[Any]) -> None:
    state["later"] = {**state["later"], str(sys.sleep(after)): what}


def _due(state: State, timer: int) -> list[Any] | None:
    what: list[Any] | None = state["later"].get(str(timer))
    if what is not None:
        state["later"] = {key: each for key, each in state["later"].items() if key != str(timer)}
    return what


def _timer(sys: Sys, state: State, what: list[Any]) -> None:
    match what:
        case ["list", name]:
            _list(sys, state, name)
        case ["status"]:
            _find_addresses(sys, state)


# ---- what it sees ------------------------------------------------------------------------------------------


def _list(sys: Sys, state: State, name: str) -> None:
    found = next(each for each in watched(sys, state) if each.name == name)
    api_client.ask(sys, state, ["list", name], "GET", found.path)


def _watch(sys: Sys, state: State, name: str, version: str) -> None:
    path = next(each for each in watched(sys, state) if each.name == name).path
    target = f"{path}{'&' if '?' in path else '?'}watch=1&resourceVersion={version}"
    api_client.ask(sys, state, ["watch", name], "GET", target, follow=True)


def _told(sys: Sys, state: State, told: Told) -> None:
    match told.tag:
        case ["list", name]:
            _listed(sys, state, name, told)
        case ["watch", name]:
            _watching(sys, state, name, told)
        case _:
            _replied(sys, state, told)


def _refusal(told: Told) -> str:
    if not told.status:
        return told.text
    found = _parsed(told.text)
    return str(found.get("message") or told.text.strip())


def _parsed(text: str) -> JSON:
    try:
        found = json.loads(text.encode("latin-1"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _listed(sys: Sys, state: State, name: str, told: Told) -> None:
    found = next(each for each in watched(sys, state) if each.name == name)
    if told.status != 200:
        why = f"failed to list {found.kind}: {_refusal(told)}"
        log(
            sys, f'reflector.go:205] "Failed to watch" err="{why}" reflector="store" type="{found.kind}"', "E"
        )
        _later(sys, state, RETRY, ["list", name])
        return
    listing = _parsed(told.text)
    kept: JSON = {}
    for each in listing.get("items") or ():
        reduced = found.keeps(each) if len(kept) < objects.MAX_OBJECTS else None
        if reduced is not None:
            kept[objects.key_of(each)] = reduced
    before = state["seen"].get(name) or {}
    state["seen"] = {**state["seen"], name: kept}
    _watch(sys, state, name, listing["metadata"]["resourceVersion"])
    if name == "ingresses":
        for key, each in kept.items():
            _ingress_came(sys, state, key, each, before.get(key))
    _changed(sys, state)


def _watching(sys: Sys, state: State, name: str, told: Told) -> None:
    found = next(each for each in watched(sys, state) if each.name == name)
    kept = dict(state["seen"][name])
    lost = told.status != 200
    for line in told.text.split("\n") if told.status == 200 else ():
        event = _parsed(line)
        obj = event.get("object") or {}
        if event.get("type") == "ERROR" or not event:
            lost = bool(event) or lost
        elif event["type"] == "DELETED":
            kept.pop(objects.key_of(obj), None)
        elif event["type"] in ("ADDED", "MODIFIED"):
            key, reduced = objects.key_of(obj), found.keeps(obj)
            before = kept.get(key)
            if reduced is None:
                kept.pop(key, None)
            elif key in kept or len(kept) < objects.MAX_OBJECTS:
                kept[key] = reduced
                if name == "ingresses":
                    _ingress_came(sys, state, key, reduced, before)
    if kept != state["seen"][name]:
        state["seen"] = {**state["seen"], name: kept}
        _changed(sys, state)
    if told.over or lost:
        _later(sys, state, SECOND, ["list", name])


def _settings(state: State) -> rules.Settings:
    given, data = state["flags"], {}
    for each in (state["seen"].get("configmaps") or {}).values():
        data = each["data"]
    return rules.Settings(
        given["controller-class"],
        given["ingress-class"],
        given["watch-ingress-without-class"] == "true",
        data.get("ssl-redirect", "true") == "true",
        given["default-backend-service"],
    )


def _ours(state: State, found: JSON) -> bool:
    return rules.is_ours(_settings(state), found, state["seen"].get("ingressclasses") or {})


def _ingress_came(sys: Sys, state: State, key: str, found: JSON, before: JSON | None) -> None:
    """Who made an Ingress is told that it was seen."""

    def said(each: JSON | None) -> Any:
        return each and {name: each[name] for name in each if name not in ("status", "version")}

    if said(found) == said(before):
        return
    if not _ours(state, found):
        name = found["class"] or found["annotations"].get(objects.CLASS) or ""
        why = (
            "no IngressClass of this controller" if name else "ingress does not contain a valid IngressClass"
        )
        told = "Ignoring ingress because of error while validating ingress class"
        log(sys, f'store.go:425] "{told}" ingress="{key}" error="{why}"')
        return
    if found["class"]:
        log(sys, f'store.go:440] "Found valid IngressClass" ingress="{key}" ingressclass="{found["class"]}"')
    namespace, _, name = key.partition("/")
    about = {
        "kind": "Ingress",
        "namespace": namespace,
        "name": name,
        "uid": found["uid"],
        "apiVersion": "networking.k8s.io/v1",
        "resourceVersion": found["version"],
    }
    shown = ", ".join(f'{field}:"{value}"' for field, value in (
        ("Kind", "Ingress"), ("Namespace", namespace), ("Name", name), ("UID", found["uid"]),
        ("APIVersion", "networking.k8s.io/v1"), ("ResourceVersion", found["version"]), ("FieldPath", ""),
    ))  # fmt: skip
    log(
        sys,
        f"event.go:377] Event(v1.ObjectReference{{{shown}}}): type: 'Normal' reason: 'Sync' Scheduled for sync",
    )
    at, mark = (
        rfc3339(sys.now),
        hashlib.sha256(f"{key}/{found['version']}/{sys.hostname}".encode()).hexdigest()[:16],
    )
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{name}.{mark}", "namespace": namespace},
        "involvedObject": about, "type": "Normal", "reason": "Sync", "message": "Scheduled for sync", "count": 1,
        "firstTimestamp": at, "lastTimestamp": at, "source": {"component": "nginx-ingress-controller"},
        "reportingComponent": "nginx-ingress-controller", "reportingInstance": sys.hostname,
    }  # fmt: skip
    _send(sys, state, ["event", f"/api/v1/namespaces/{namespace}/events", octets(json.dumps(event))])


def _changed(sys: Sys, state: State) -> None:
    """The table anew."""
    seen = state["seen"]
    if any(each.name not in seen for each in watched(sys, state)):
        return
    table, problems = rules.table(_settings(state), seen)
    for each in problems:
        if each not in state["said"]:
            log(sys, f"controller.go:1216] {each}", "W")
    state["said"] = problems
    if not state["synced"] or table["servers"] != state["table"]["servers"]:
        log(sys, 'controller.go:196] "Configuration changes detected, backend reload required"')
        log(sys, 'controller.go:216] "Backend successfully reloaded"')
    state["table"], state["synced"] = table, True
    state["turns"] = {name: n for name, n in state["turns"].items() if not name or name in table["upstreams"]}
    if state["flags"]["update-status"] == "true" and ["status"] not in state["later"].values():
        _later(sys, state, UPDATE - (sys.now - state["started"]) % UPDATE, ["status"])


# ---- what it tells the API server --------------------------------------------------------------------------


def _send(sys: Sys, state: State, what: list[Any]) -> None:
    """One thing after the other."""
    if len(state["outbox"]) < OUTBOX:
        state["outbox"] = [*state["outbox"], what]
    _next(sys, state)


def _next(sys: Sys, state: State) -> None:
    if state["doing"] or not state["outbox"]:
        return
    what, *state["outbox"] = state["outbox"]
    state["doing"] = what
    match what:
        case ["event", path, body]:
            api_client.ask(sys, state, ["sent"], "POST", path, body)
        case ["addresses", method, path, *_]:
            api_client.ask(sys, state, what, method, path)
        case ["update", key, addresses]:
            api_client.ask(sys, state, ["read", key, addresses], "GET", _path(key))


def _path(key: str) -> str:
    namespace, _, name = key.partition("/")
    return f"{NETWORKING}/namespaces/{quote(namespace)}/ingresses/{quote(name)}"


def _replied(sys: Sys, state: State, told: Told) -> None:
    found = _parsed(told.text)
    if told.status not in (200, 201):
        log(sys, f"status.go:265] error: {_refusal(told)}", "W")
    else:
        match told.tag:
            case ["read", key, addresses]:
                found["status"] = {**(found.get("status") or {}), "loadBalancer": {"ingress": addresses}}
                was = ((state["seen"]["ingresses"].get(key) or {}).get("status")) or []
                namespace, _, name = key.partition("/")
                values = f"currentValue={json.dumps(was)} newValue={json.dumps(addresses)}"
                log(
                    sys,
                    f'status.go:304] "updating Ingress status" namespace="{namespace}" ingress="{name}" {values}',
                )
                api_client.ask(sys, state, ["sent"], "PUT", f"{_path(key)}/status", octets(json.dumps(found)))
                return
            case ["addresses", _, path, "pod"]:
                labels = {
                    name: value
                    for name, value in (found["metadata"].get("labels") or {}).items()
                    if name
                    not in ("pod-template-hash", "controller-revision-hash", "pod-template-generation")
                }
                chosen = quote(",".join(f"{name}={value}" for name, value in labels.items()), safe="")
                _ahead(
                    state, ["addresses", "GET", f"{path.rpartition('/')[0]}?labelSelector={chosen}", "pods"]
                )
            case ["addresses", _, _, "pods"]:
                nodes = [pod["node"] for pod in map(objects.pod, found.get("items") or ()) if pod is not None]
                _ahead(state, ["addresses", "GET", "/api/v1/nodes", "nodes", sorted(set(nodes))])
            case ["addresses", _, _, "nodes", names]:
                _update(sys, state, list(_of_nodes(found, names)))
    state["doing"] = []
    _next(sys, state)


def _ahead(state: State, what: list[Any]) -> None:
    state["outbox"] = [what, *state["outbox"]]


def _of_nodes(listing: JSON, names: list[str]) -> Iterator[JSON]:
    for node in listing.get("items") or ():
        if node["metadata"]["name"] in names:
            known = {
                each["type"]: each["address"] for each in (node.get("status") or {}).get("addresses") or ()
            }
            address = known.get("ExternalIP") or known.get("InternalIP")
            if address:
                yield {"ip": address}


def _find_addresses(sys: Sys, state: State) -> None:
    """Under which addresses it is reached: of a Service, as it is told, or of the nodes on which it runs."""
    given = state["flags"]
    if not any(_ours(state, each) for each in state["seen"]["ingresses"].values()):
        return
    if given["publish-status-address"]:
        _update(sys, state, [_as_address(each) for each in given["publish-status-address"].split(",")])
    elif given["publish-service"]:
        service = state["seen"]["services"].get(given["publish-service"])
        _update(sys, state, list(service["addresses"]) if service is not None else [])
    elif not any(each[0] == "addresses" for each in (*state["outbox"], state["doing"] or [""])):
        namespace, pod = sys.env.get("POD_NAMESPACE", ""), sys.env.get("POD_NAME", "")
        _send(sys, state, ["addresses", "GET", f"/api/v1/namespaces/{namespace}/pods/{pod}", "pod"])


def _as_address(text: str) -> JSON:
    return {"ip": text} if text.replace(".", "").isdigit() or ":" in text else {"hostname": text}


def _update(sys: Sys, state: State, addresses: list[JSON]) -> None:
    """Writes them wherever something else stands."""
    for key, each in rules.in_order(state["seen"]["ingresses"]):
        shown = [
            {name: value for name, value in at.items() if name in ("ip", "hostname")} for at in each["status"]
        ]
        if _ours(state, each) and shown != addresses:
            _send(sys, state, ["update", key, addresses])


# ---- what it serves ----------------------------------------------------------------------------------------


def _handle(sys: Sys, state: State, request: Request) -> Any:
    if request.port == _HEALTH:
        if request.path != "/healthz":
            return Reply(404, "404 page not found\n")
        return (
            Reply(200, "ok")
            if state["synced"]
            else Reply(500, "[-]nginx-ingress-controller failed: reason withheld\n")
        )
    if request.port == _WEBHOOK:
        known = state.get("table") or {"servers": {}}
        return admission.answer(sys, request, known, lambda found: _ours(state, found), log)
    if not state["synced"]:
        return error_page("nginx", 404)
    return proxying.answer(sys, state, request, secure=request.port == _HTTPS)


def _presented(sys: Sys, state: State, port: int, name: str) -> tls.Certificate:
    """Its own certificate as a webhook; of a host that has one in an Ingress that; else its fake one."""
    if port == _WEBHOOK:
        return certificate(state["flags"]["validating-webhook-certificate"], sys)
    if not state["synced"]:
        return _FAKE
    chosen = rules.server_of(state["table"], name)["tls"] or state["flags"]["default-ssl-certificate"]
    found = state["seen"]["secrets"].get(chosen)
    if found is None:
        return _FAKE
    subject, names, *rest = found["shows"]
    return tls.Certificate(subject, tuple(names), *rest)


def _access(sys: Sys, request: Request, reply: Reply) -> Line | None:
    """A line of nginx's access log in the controller's own format; of its other servers there is none."""
    if not reply.note:
        return None
    upstream, began, server_at, ident = reply.note
    agent, referer = request.headers.get("user-agent", "-"), request.headers.get("referer", "-")
    taken = f"{(sys.now - began) / SECOND:.3f}"
    of_upstream = f"{server_at} {len(reply.body)} {taken} {reply.status}" if server_at else "- - - -"
    size = sum(len(name) + len(value) + 4 for name, value in request.headers.items()) + len(request.body) + 20
    return (
        "stdout",
        f'{request.peer} - - [{log_time(sys.now)}] "{request.method} {request.path} {request.version}" {reply.status} '
        f'{len(reply.body)} "{referer}" "{agent}" {size} {taken} [{upstream}] [] {of_upstream} {ident}',
    )
