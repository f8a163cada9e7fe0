"""``/kube-webhook-certgen``: makes an authority and a certificate, keeps them in a Secret, and tells webhooks of the
authority. Models images/kube-webhook-certgen of ingress-nginx.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from cluster_engine.component_helpers.certificates import Authority, seeded_key
from cluster_engine.container_runtime import api_client
from cluster_engine.container_runtime.api_client import Told
from cluster_engine.linux.program import Event, Exit, Program, State, Sys
from cluster_engine.linux.text import octets

JSON = dict[str, Any]
YEARS = 100
_SECONDS = YEARS * 365 * 24 * 3600
_HOOKS = "/apis/admissionregistration.k8s.io/v1/{}webhookconfigurations/{}"
_USAGE = "Use this to create a ca and signed certificates and patch admission webhooks\n"


def _say(sys: Sys, message: str, level: str = "info", **more: str) -> None:
    fields = {"level": level, "msg": message, "source": "cmd/create.go:28", **more}
    sys.err(octets(json.dumps(fields)) + "\n")


def _flags(words: Sequence[str]) -> dict[str, str]:
    found = {
        "host": "", "namespace": "", "secret-name": "", "webhook-name": "", "cert-name": "cert", "key-name": "key",
        "ca-name": "ca", "patch-mutating": "true", "patch-validating": "true", "patch-failure-policy": "",
    }  # fmt: skip
    for word in words:
        name, mark, value = word.lstrip("-").partition("=")
        if word.startswith("--"):
            found[name] = value if mark else "true"
    return found


def _secret(given: dict[str, str]) -> str:
    return f"/api/v1/namespaces/{given['namespace']}/secrets/{given['secret-name']}"


def made(seed: int, hosts: list[str], now: int) -> tuple[bytes, bytes, bytes]:
    """(the authority's certificate, a certificate for these hosts, its key), PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    authority, key = Authority(seed), seeded_key("webhook", seed)
    builder = x509.CertificateSigningRequestBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    )
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    request = builder.add_extension(names, critical=False).sign(
        key, hashes.SHA256(), ecdsa_deterministic=True
    )
    pem = request.public_bytes(serialization.Encoding.PEM)
    issued = authority.issue(pem, ["digital signature", "key encipherment", "server auth"], now, _SECONDS, 2)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return authority.certificate, issued, private


def _start(sys: Sys, state: State) -> State:
    words = sys.argv[1:]
    if not words or words[0] not in ("create", "patch"):
        sys.err(_USAGE)
        sys.exit(0 if not words or words[0] in ("--help", "help") else 1)
    state["flags"] = given = _flags(words[1:])
    needed = {
        "create": ("host", "namespace", "secret-name"),
        "patch": ("webhook-name", "namespace", "secret-name"),
    }
    missing = [name for name in needed[words[0]] if not given[name]]
    if missing:
        listed = ", ".join(f'"{name}"' for name in missing)
        sys.err(f"Error: required flag(s) {listed} not set\n")
        sys.exit(1)
    state["hooks"] = [each for each in ("validating", "mutating") if given[f"patch-{each}"] == "true"]
    _say(sys, f"getting secret '{given['secret-name']}' in namespace '{given['namespace']}'")
    api_client.ask(sys, state, [words[0]], "GET", _secret(given))
    return state


def _told(sys: Sys, state: State, told: Told) -> State:
    """What follows from an answer; the end, where it is none that was hoped for."""
    given = state["flags"]
    found = _parsed(told.text)
    match told.tag:
        case ["create"] if told.status == 404:
            return _create(sys, state)
        case ["create"] if told.status == 200:
            _say(sys, "secret already exists")
            sys.exit(0)
        case ["created"] if told.status == 201:
            sys.exit(0)
        case ["patch"] if told.status == 200:
            state["ca"] = (found.get("data") or {}).get(given["ca-name"]) or ""
            return _patch(sys, state)
        case ["hook", kind] if told.status == 200:
            for hook in found.get("webhooks") or ():
                hook["clientConfig"] = {**(hook.get("clientConfig") or {}), "caBundle": state["ca"]}
                if given["patch-failure-policy"]:
                    hook["failurePolicy"] = given["patch-failure-policy"]
            path = _HOOKS.format(kind, given["webhook-name"])
            api_client.ask(sys, state, ["patched"], "PUT", path, octets(json.dumps(found)))
            return state
        case ["patched"] if told.status == 200:
            return _patch(sys, state)
    _say(sys, "error", "fatal", err=str(found.get("message") or told.text.strip()))
    raise Exit(1)


def _parsed(text: str) -> JSON:
    try:
        found = json.loads(text.encode("latin-1"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _create(sys: Sys, state: State) -> State:
    given = state["flags"]
    _say(
        sys,
        f"no secret with name '{given['secret-name']}' in namespace '{given['namespace']}' found, creating it",
    )
    state["fd"] = sys.open("/dev/urandom")
    sys.read(state["fd"])
    return state


def _created(sys: Sys, state: State, chunk: str) -> State:
    """With the machine's chance the keys are made."""
    given = state["flags"]
    sys.close(state["fd"])
    seed = int.from_bytes(chunk[:16].encode("latin-1"))
    files = made(seed, given["host"].split(","), sys.now)
    names = (given["ca-name"], given["cert-name"], given["key-name"])
    data = {name: base64.b64encode(text).decode() for name, text in zip(names, files, strict=True)}
    meta = {"name": given["secret-name"], "namespace": given["namespace"]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}
    target = f"/api/v1/namespaces/{given['namespace']}/secrets"
    api_client.ask(sys, state, ["created"], "POST", target, octets(json.dumps(secret)))
    return state


def _patch(sys: Sys, state: State) -> State:
    given = state["flags"]
    if not state["hooks"]:
        _say(sys, "Patched hook(s)")
        sys.exit(0)
    kind, *state["hooks"] = state["hooks"]
    _say(sys, f"patching webhook configurations '{given['webhook-name']}' {kind}")
    api_client.ask(sys, state, ["hook", kind], "GET", _HOOKS.format(kind, given["webhook-name"]))
    return state


def _on(sys: Sys, state: State, event: Event) -> State:
    if event[0] == "start":
        return _start(sys, {})
    told = api_client.happened(sys, state, event)
    for each in told or ():
        state = _told(sys, state, each)
    if told is None and event[0] == "data":
        return _created(sys, state, event[2])
    return state


PROGRAM = Program("kube-webhook-certgen", "makes a webhook's certificate", on=_on, memory=16 << 20)
