"""A webhook in a cluster: agnhost's, with certificates of an authority of its own."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cluster_engine import Cluster
from cluster_engine.component_helpers.certificates import Authority
from cluster_engine.sim import parse_rfc3339

JSON = dict[str, Any]
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
HOST = "hooks.default.svc"
NOW = parse_rfc3339("2026-01-01T00:00:00Z")


@lru_cache
def certificate(seed: int, *names: str) -> tuple[str, str]:
    """(the authority's certificate, one for these names), PEM."""
    authority = Authority(seed)
    key = ec.derive_private_key(4711, ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks")])
    )
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(san, critical=False)
    request = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.PEM)
    made = authority.issue(request, ["server auth"], NOW, 3600 * 24 * 365, 2)
    return authority.certificate.decode(), made.decode()


def bundle(seed: int = 1) -> str:
    """A ``caBundle``."""
    return base64.b64encode(certificate(seed)[0].encode()).decode()


def objects(*names: str, command: str = "webhook") -> list[JSON]:
    """The webhook's Secret, Pod and Service; its certificate is good for ``names`` (HOST)."""
    pem = certificate(1, *(names or (HOST,)))[1]
    data = {"tls.crt": base64.b64encode(pem.encode()).decode(), "tls.key": ""}
    container = {
        "name": "hooks",
        "image": AGNHOST,
        "args": [
            command,
            "-v=4",
            "--port=8444",
            "--tls-cert-file=/certs/tls.crt",
            "--tls-private-key-file=/certs/tls.key",
        ],
        "volumeMounts": [{"name": "certs", "mountPath": "/certs"}],
        "readinessProbe": {
            "httpGet": {"scheme": "HTTPS", "path": "/readyz", "port": 8444},
            "periodSeconds": 1,
        },
    }
    meta = {"name": "hooks", "namespace": "default"}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls", "data": data},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**meta, "labels": {"app": "hooks"}},
            "spec": {
                "nodeName": "worker-1",
                "containers": [container],
                "volumes": [{"name": "certs", "secret": {"secretName": "hooks"}}],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": {"app": "hooks"}, "ports": [{"port": 443, "targetPort": 8444}]},
        },
    ]


def hook(path: str, *rules: JSON, name: str = "a.hooks.example.com", **more: Any) -> JSON:
    """One webhook; without rules it is about ConfigMaps."""
    about = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
    service = {"namespace": "default", "name": "hooks", "path": path}
    return {
        "name": name,
        "admissionReviewVersions": ["v1", "v1beta1"],
        "sideEffects": "None",
        "clientConfig": {"service": service, "caBundle": bundle()},
        "rules": [{**about, **rule} for rule in rules or ({},)],
        **more,
    }


def configuration(kind: str, *hooks: JSON, name: str = "c", labels: JSON | None = None) -> JSON:
    """A Mutating or ValidatingWebhookConfiguration."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name, "labels": labels or {}},
        "webhooks": list(hooks),
    }


def conversion(path: str = "/crdconvert", **client: Any) -> JSON:
    """A definition's ``conversion`` by that webhook."""
    config = {"service": {"namespace": "default", "name": "hooks", "path": path}, "caBundle": bundle()}
    webhook = {"clientConfig": {**config, **client}, "conversionReviewVersions": ["v1", "v1beta1"]}
    return {"strategy": "Webhook", "webhook": webhook}


def hosts(stored: str = "v1", **more: Any) -> JSON:
    """The definition of upstream's test: a host and its port, together (v1) or apart (v2)."""
    fields = {"v1": ("hostPort",), "v2": ("host", "port")}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tests.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "tests", "singular": "test", "kind": "Test", "listKind": "TestList"},
            "versions": [
                {
                    "name": name,
                    "served": True,
                    "storage": name == stored,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {field: {"type": "string"} for field in fields[name]},
                        }
                    },
                    **more.get(name, {}),
                }
                for name in ("v1", "v2")
            ],
            "conversion": more.get("conversion") or conversion(),
        },
    }


def cluster_with_webhook(command: str = "webhook") -> Cluster:
    """A cluster in which the webhook is ready."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    for obj in objects(command=command):
        cluster.apply(obj)
    assert cluster.settle()
    return cluster
