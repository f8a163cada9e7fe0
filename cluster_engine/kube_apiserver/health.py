"""How an API server says it is.

Models k8s.io/apiserver/pkg/server/healthz: its checks are the hooks that run when it starts, of which none fails here,
and what it asks of etcd.
"""

from __future__ import annotations

from .types import Request, Response

PATHS = ("/healthz", "/livez", "/readyz")
"""Where an API server tells how it is."""
_HOOKS = tuple(
    f"poststarthook/{name}"
    for name in (
        "start-apiserver-admission-initializer",
        "generic-apiserver-start-informers",
        "priority-and-fairness-config-consumer",
        "priority-and-fairness-filter",
        "storage-object-count-tracker-hook",
        "start-apiextensions-informers",
        "start-apiextensions-controllers",
        "crd-informer-synced",
        "start-system-namespaces-controller",
        "start-cluster-authentication-info-controller",
        "start-kube-apiserver-identity-lease-controller",
        "start-kube-apiserver-identity-lease-garbage-collector",
        "start-legacy-token-tracking-controller",
        "start-service-ip-repair-controllers",
        "rbac/bootstrap-roles",
        "scheduling/bootstrap-system-priority-classes",
        "priority-and-fairness-config-producer",
        "bootstrap-controller",
        "start-kubernetes-service-cidr-controller",
        "aggregator-reload-proxy-client-cert",
        "start-kube-aggregator-informers",
        "apiservice-status-local-available-controller",
        "apiservice-status-remote-available-controller",
        "apiservice-registration-controller",
        "apiservice-discovery-controller",
        "kube-apiserver-autoregistration",
    )
)
_LAST = (
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
)
_ALIVE = ("ping", "log", "etcd", *_HOOKS, *_LAST)
_READY = ("ping", "log", "etcd", "etcd-readiness", "informer-sync", *_HOOKS, *_LAST, "shutdown")
CHECKS: dict[str, tuple[str, ...]] = {"healthz": _ALIVE, "livez": _ALIVE, "readyz": _READY}
"""What an API server asks itself when somebody asks for its health there, in order."""
OF_ETCD = ("etcd", "etcd-readiness")
"""Those that fail without etcd."""


def health(request: Request, path: str, failing: tuple[str, ...] = ()) -> Response | None:
    """How the API server is; ``failing``: those of its CHECKS that do. None for a check that there is not."""
    name, _, one = path.strip("/").partition("/")
    plain = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    checks = CHECKS[name]
    if one and one not in checks:
        return None
    if one in failing:
        return Response(500, plain, f"internal server error: {one} failed: reason withheld\n".encode())
    if one:
        return Response(200, plain, b"ok")
    excluded = [value for key, value in request.query if key == "exclude"]
    bad = [check for check in checks if check in failing and check not in excluded]
    if not bad and not any(key == "verbose" for key, _value in request.query):
        return Response(200, plain, b"ok")
    said = [_line(check, check in excluded, check in bad) for check in checks]
    unknown = sorted({f'"{each}"' for each in excluded if each not in checks})
    if unknown:
        said.append(f"warn: some health checks cannot be excluded: no matches for {', '.join(unknown)}\n")
    said.append(f"{name} check {'failed' if bad else 'passed'}\n")
    return Response(500 if bad else 200, plain, "".join(said).encode())


def _line(check: str, excluded: bool, failed: bool) -> str:
    if excluded:
        return f"[+]{check} excluded: ok\n"
    return f"[-]{check} failed: reason withheld\n" if failed else f"[+]{check} ok\n"


def is_asked(path: str) -> bool:
    """Whether it is asked there how the API server is."""
    return path in PATHS or path.startswith(tuple(f"{one}/" for one in PATHS))
