"""What a node may write, in upstream's words (plugin/pkg/admission/noderestriction); kubelets are held to it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from apiserver_bench import Bench
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import UserInfo

JSON = dict[str, Any]
PODS, NODES = "/api/v1/namespaces/default/pods", "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
CSI = "/apis/storage.k8s.io/v1/csinodes"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
POD_REQUESTS = "/apis/certificates.k8s.io/v1/namespaces/default/podcertificaterequests"
TOKEN = "/api/v1/namespaces/default/serviceaccounts/default/token"
CLAIM = "/api/v1/namespaces/default/persistentvolumeclaims/data"
MERGE = "application/merge-patch+json"
MIRROR = {"kubernetes.io/config.mirror": "abc"}
MINE, OTHER = "a", "b"
ME = UserInfo("system:node:a", groups=("system:nodes", "system:authenticated"))
NAMELESS = UserInfo("system:node:", groups=("system:nodes", "system:authenticated"))
ONLY = 'unexpected operation "UPDATE", node "a" can only create and delete mirror pods'
OWNER = 'node "a" can only create pods with an owner reference set to itself'


def csr(name: str, signer: str = "kubernetes.io/kubelet-serving") -> JSON:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject)
    asked = asked.add_extension(x509.SubjectAlternativeName([x509.DNSName("a")]), critical=False)
    pem = asked.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)
    spec = {
        "request": base64.b64encode(pem).decode(), "signerName": signer,
        "usages": ["digital signature", "server auth"],
    }  # fmt: skip
    return {"metadata": {"name": "asked"}, "spec": spec}


@pytest.fixture
def cluster() -> Bench:
    """Two nodes with a Pod each, and what they could want to write. But for the plugin they may do everything."""
    bench = Bench()
    for name in (MINE, OTHER):
        bench.ok("POST", NODES, {"metadata": {"name": name, "labels": {"disk": "ssd"}}})
        container = {"name": "c", "image": "nginx"}
        bench.ok(
            "POST", PODS, {"metadata": {"name": name}, "spec": {"nodeName": name, "containers": [container]}}
        )
        bench.ok("POST", CSI, {"metadata": {"name": name}, "spec": {"drivers": []}})
        for namespace in ("default", "kube-node-lease"):
            if bench.store.get("namespaces", namespace) is None:
                bench.ok("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            bench.ok(
                "POST",
                LEASES.format(namespace),
                {"metadata": {"name": name}, "spec": {"holderIdentity": name}},
            )
    bench.ok("POST", CLAIM.rpartition("/")[0], {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    })  # fmt: skip
    binding = {
        "metadata": {"name": "nodes-may-all"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}],
    }
    bench.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    return bench


def uid(bench: Bench, resource: str, key: str) -> str:
    found = bench.store.get(resource, key)
    assert found is not None
    return str(found["metadata"]["uid"])


def owner(bench: Bench, **fields: Any) -> JSON:
    made = {
        "apiVersion": "v1",
        "kind": "Node",
        "name": MINE,
        "uid": uid(bench, "nodes", MINE),
        "controller": True,
    }
    return {**made, **fields}


def mirror(bench: Bench, owners: list[JSON] | None = None, *, notes: JSON = MIRROR, **spec: Any) -> JSON:
    meta = {
        "name": "m",
        "annotations": notes,
        "ownerReferences": [owner(bench)] if owners is None else owners,
    }
    container = {"name": "c", "image": "nginx", **spec.pop("container", {})}
    return {"metadata": meta, "spec": {"nodeName": MINE, "containers": [container], **spec}}


def token(bench: Bench, pod: str = MINE, *audiences: str, **fields: Any) -> JSON:
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid(bench, "pods", f"default/{pod}")}
    bound = {name: value for name, value in {**bound, **fields}.items() if value}
    return {"spec": {"boundObjectRef": bound, "audiences": list(audiences)}}


def node(**labels: str) -> JSON:
    return {"metadata": {"name": MINE, "labels": {"disk": "ssd", **labels}}}


def labelled(name: str) -> str:
    return f"is not allowed to modify labels: {name}"


def asked(bench: Bench, **spec: Any) -> JSON:
    """A request for the certificate of the node's own Pod."""
    stub = (
        "MH8wMwIBADAAMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbigADAFBgMrZXADQQD+T6LD/tC3dgs1QpDKx4kUxYQE"
        "7xZe9aBnQUcZw2xzeoWgFx/pD/xHAMYHE4CCTNhwz2GdgvzsSlQWl8KwMroI"
    )
    usual = {
        "signerName": "example.com/signer",
        "podName": MINE,
        "podUID": uid(bench, "pods", f"default/{MINE}"),
        "serviceAccountName": "default",
        "serviceAccountUID": uid(bench, "serviceaccounts", "default/default"),
        "nodeName": MINE,
        "nodeUID": uid(bench, "nodes", MINE),
        "stubPKCS10Request": stub,
    }
    return {"metadata": {"name": "r"}, "spec": {**usual, **spec}}


Body = JSON | Callable[[Bench], JSON] | None
# id: (user, method, path, body, what is said of the refused object, or "" when it is let through)
Told = str | Callable[[Bench], str]
ROWS: dict[str, tuple[UserInfo, str, str, Body, Told]] = {
    "nobody's node": (NAMELESS, "DELETE", f"{PODS}/{MINE}", None, 'could not determine node from user "system:node:"'),
    # Pods
    "its mirror Pod": (ME, "POST", PODS, mirror, ""),
    "a Pod": (ME, "POST", PODS, lambda b: mirror(b, notes={}),
              'pod does not have "kubernetes.io/config.mirror" annotation, node "a" can only create mirror pods'),
    "a mirror Pod of another node": (ME, "POST", PODS, lambda b: mirror(b, nodeName=OTHER),
                                     'node "a" can only create pods with spec.nodeName set to itself'),
    "a mirror Pod of nobody": (ME, "POST", PODS, lambda b: mirror(b, []), OWNER),
    "of another node's": (ME, "POST", PODS, lambda b: mirror(b, [owner(b, name=OTHER)]), OWNER),
    "of a ReplicaSet": (ME, "POST", PODS, lambda b: mirror(b, [owner(b, kind="ReplicaSet")]), OWNER),
    "of another version": (ME, "POST", PODS, lambda b: mirror(b, [owner(b, apiVersion="v2")]), OWNER),
    "of two": (ME, "POST", PODS, lambda b: mirror(b, [owner(b), owner(b, name=OTHER, controller=False)]),
               'node "a" can only create pods with a single owner reference set to itself'),
    "of a node that does not control it": (
        ME, "POST", PODS, lambda b: mirror(b, [owner(b, controller=False)]),
        'node "a" can only create pods with a controller owner reference set to itself'),
    "of a node that it holds": (ME, "POST", PODS, lambda b: mirror(b, [owner(b, blockOwnerDeletion=True)]),
                                'node "a" must not set blockOwnerDeletion on an owner reference'),
    "with a service account": (ME, "POST", PODS, lambda b: mirror(b, serviceAccountName="default"),
                               'node "a" can not create pods that reference a service account'),
    "with a secret": (ME, "POST", PODS, lambda b: mirror(b, volumes=[{"name": "v", "secret": {"secretName": "s"}}]),
                      'node "a" can not create pods that reference secrets'),
    "with a secret to pull": (ME, "POST", PODS, lambda b: mirror(b, imagePullSecrets=[{"name": "s"}]),
                              'node "a" can not create pods that reference secrets'),
    "with a config map": (
        ME, "POST", PODS, lambda b: mirror(b, container={"envFrom": [{"configMapRef": {"name": "c"}}]}),
        'node "a" can not create pods that reference configmaps'),
    "with a claim": (
        ME, "POST", PODS, lambda b: mirror(b, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]),
        'node "a" can not create pods that reference persistentvolumeclaims'),
    "a change of its Pod": (ME, "PATCH", f"{PODS}/{MINE}", {"metadata": {"labels": {"x": "y"}}}, ONLY),
    "the end of its Pod": (ME, "DELETE", f"{PODS}/{MINE}", None, ""),
    "the end of another Pod": (ME, "DELETE", f"{PODS}/{OTHER}", None,
                               'node "a" can only delete pods with spec.nodeName set to itself'),
    "the state of its Pod": (ME, "PATCH", f"{PODS}/{MINE}/status", {"status": {"phase": "Running"}}, ""),
    "the state of another Pod": (ME, "PATCH", f"{PODS}/{OTHER}/status", {"status": {"phase": "Running"}},
                                 'node "a" can only update pod status for pods with spec.nodeName set to itself'),
    "labels by the state": (ME, "PATCH", f"{PODS}/{MINE}/status", {"metadata": {"labels": {"x": "y"}}},
                            'node "a" cannot update labels through pod status'),
    "claims by the state": (
        ME, "PATCH", f"{PODS}/{MINE}/status", {"status": {"resourceClaimStatuses": [{"name": "gpu"}]}},
        'node "a" cannot update resource claim statues'),
    "its Pod, resized": (
        ME, "PATCH", f"{PODS}/{MINE}/resize", {"metadata": {"labels": {"x": "y"}}},
        "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed"),
    "its Pod, evicted": (ME, "POST", f"{PODS}/{MINE}/eviction", {"metadata": {"name": MINE}}, ""),
    "another Pod, evicted": (ME, "POST", f"{PODS}/{OTHER}/eviction", {"metadata": {"name": OTHER}},
                             "node a can only evict pods with spec.nodeName set to itself"),
    # nodes
    "a label of its own": (ME, "PATCH", f"{NODES}/{MINE}", node(tier="x"), ""),
    "a kubelet's label": (
        ME, "PATCH", f"{NODES}/{MINE}",
        node(**{"kubelet.kubernetes.io/a": "x", "kubernetes.io/os": "y", "topology.kubernetes.io/zone": "z"}), ""),
    "a role": (ME, "PATCH", f"{NODES}/{MINE}", node(**{"node-role.kubernetes.io/control-plane": ""}),
               labelled("node-role.kubernetes.io/control-plane")),
    "a label that keeps nodes apart": (
        ME, "PATCH", f"{NODES}/{MINE}", node(**{"node-restriction.kubernetes.io/fips": "1"}),
        labelled("node-restriction.kubernetes.io/fips")),
    "one below it, and an unknown one": (
        ME, "PATCH", f"{NODES}/{MINE}", node(**{"x.node-restriction.kubernetes.io/a": "1", "k8s.io/b": "1"}),
        labelled("k8s.io/b, x.node-restriction.kubernetes.io/a")),
    "labels by the state of a node": (
        ME, "PATCH", f"{NODES}/{MINE}/status", node(**{"node-restriction.kubernetes.io/a": "1"}),
        labelled("node-restriction.kubernetes.io/a")),
    "a taint": (ME, "PATCH", f"{NODES}/{MINE}", {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}},
                'node "a" is not allowed to modify taints'),
    "an owner": (
        ME, "PATCH", f"{NODES}/{MINE}",
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "b", "uid": "u"}]}},
        'node "a" is not allowed to modify ownerReferences'),
    "its state": (ME, "PATCH", f"{NODES}/{MINE}/status", {"status": {"phase": "Running"}}, ""),
    "another node": (ME, "PATCH", f"{NODES}/{OTHER}", {"metadata": {"labels": {"x": "y"}}},
                     'node "a" is not allowed to modify node "b"'),
    "the state of another node": (ME, "PATCH", f"{NODES}/{OTHER}/status", {"metadata": {"labels": {"x": "y"}}},
                                  'node "a" is not allowed to modify node "b"'),
    "the end of another node": (ME, "DELETE", f"{NODES}/{OTHER}", None, 'node "a" is not allowed to modify node "b"'),
    "a node": (ME, "POST", NODES, {"metadata": {"name": "c"}}, 'node "a" is not allowed to modify node "c"'),
    # leases, CSINodes
    "its lease": (ME, "PATCH", LEASES.format("kube-node-lease") + "/a", {"spec": {"holderIdentity": "x"}}, ""),
    "another lease": (ME, "PATCH", LEASES.format("kube-node-lease") + "/b", {"spec": {"holderIdentity": "x"}},
                      "can only access node lease with the same name as the requesting node"),
    "another new lease": (ME, "POST", LEASES.format("kube-node-lease"), {"metadata": {"name": "c"}, "spec": {}},
                          "can only access node lease with the same name as the requesting node"),
    "the end of another lease": (ME, "DELETE", LEASES.format("kube-node-lease") + "/b", None,
                                 "can only access node lease with the same name as the requesting node"),
    "a lease elsewhere": (ME, "DELETE", LEASES.format("default") + "/a", None,
                          'can only access leases in the "kube-node-lease" system namespace'),
    "its CSINode": (ME, "DELETE", f"{CSI}/{MINE}", None, ""),
    "another CSINode": (ME, "DELETE", f"{CSI}/{OTHER}", None,
                        "can only access CSINode with the same name as the requesting node"),
    "another new CSINode": (ME, "POST", CSI, {"metadata": {"name": "c"}, "spec": {"drivers": []}},
                            "can only access CSINode with the same name as the requesting node"),
    # claims
    "a claim": (ME, "PATCH", CLAIM, {"metadata": {"labels": {"x": "y"}}}, "may only update PVC status"),
    "what a claim has": (ME, "PATCH", f"{CLAIM}/status", {"status": {"capacity": {"storage": "1Gi"}}}, ""),
    "the phase of a claim": (
        ME, "PATCH", f"{CLAIM}/status", {"status": {"phase": "Bound"}},
        'node "a" is not allowed to update fields other than status.quantity and status.conditions'),
    # tokens
    "a token of a Pod": (ME, "POST", TOKEN, token, ""),
    "a token of nobody": (ME, "POST", TOKEN, {"spec": {}}, "node requested token not bound to a pod"),
    "a token of a node": (ME, "POST", TOKEN, lambda b: token(b, kind="Node"),
                          "node requested token not bound to a pod"),
    "a token of a Pod without an uid": (ME, "POST", TOKEN, lambda b: token(b, uid=""),
                                        "node requested token with a pod binding without a uid"),
    "a token of an earlier Pod": (
        ME, "POST", TOKEN, lambda b: token(b, uid="u"),
        "the UID in the bound object reference (u) does not match the UID in record. The object might have been "
        "deleted and then recreated"),
    "a token of another Pod": (ME, "POST", TOKEN, lambda b: token(b, OTHER),
                               "node requested token bound to a pod scheduled on a different node"),
    "a token for two": (ME, "POST", TOKEN, lambda b: token(b, MINE, "x", "y"),
                        "node may only request 0 or 1 audiences"),
    # certificates
    "its certificate": (ME, "POST", REQUESTS, csr("system:node:a"), ""),
    "another certificate": (ME, "POST", REQUESTS, csr("system:node:b"),
                            "can only create a node CSR with CN=system:node:a"),
    # PodCertificateRequests
    "its Pod's certificate": (ME, "POST", POD_REQUESTS, lambda b: asked(b), ""),
    "that of another node's Pod": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, podName=OTHER, podUID=uid(b, "pods", f"default/{OTHER}")),
        'pod "default/b" is not running on node "a" named in the PodCertificateRequest'),
    "in another node's name": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, nodeName=OTHER),
        'PodCertificateRequest.Spec.NodeName="b", which is not the requesting node "a"'),
    "of a node of another time": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, nodeUID="u", podName="gone"),
        lambda b: 'PodCertificateRequest for pod "default/gone" names node UID "u", inconsistent with the running '
                  f'node ("{uid(b, "nodes", MINE)}")'),
    "of a Pod that is not there": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, podName="gone"),
        'while retrieving pod "default/gone" named in the PodCertificateRequest: pod "gone" not found'),
    "of a Pod of another time": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, podUID="u"),
        lambda b: 'PodCertificateRequest for pod "default/a" contains pod UID ("u") which differs from running pod '
                  f'"{uid(b, "pods", "default/a")}"'),
    "for another account": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, serviceAccountName="robot"),
        'PodCertificateRequest for pod "default/a" contains serviceAccountName ("robot") that differs from running '
        'pod ("default")'),
    "for an account of another time": (
        ME, "POST", POD_REQUESTS, lambda b: asked(b, serviceAccountUID="u"),
        lambda b: 'PodCertificateRequest for pod "default/a" names service account UID "u", which differs from the '
                  f'running service account ("{uid(b, "serviceaccounts", "default/default")}")'),
}  # fmt: skip
NAMES = {
    "pods": "pods", "nodes": "nodes", "leases": "leases.coordination.k8s.io", "csinodes": "csinodes.storage.k8s.io",
    "persistentvolumeclaims": "persistentvolumeclaims", "serviceaccounts": "serviceaccounts",
    "certificatesigningrequests": "certificatesigningrequests.certificates.k8s.io",
    "podcertificaterequests": "podcertificaterequests.certificates.k8s.io",
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_what_a_node_may_write(cluster: Bench, row: tuple[UserInfo, str, str, Body, Told]) -> None:
    user, method, path, body, said = row
    told = said(cluster) if callable(said) else said
    sent = body(cluster) if callable(body) else body
    media = MERGE if method == "PATCH" else "application/json"
    if not told:
        cluster.ok(method, path, sent, user=user, content_type=media)
        return
    parts = path.split("/")
    at = next(index for index, part in enumerate(parts) if part in NAMES)
    name = parts[at + 1] if len(parts) > at + 1 else (sent or {})["metadata"]["name"]
    found = cluster.error(method, path, sent, user=user, content_type=media)
    assert found == (403, "Forbidden", f'{NAMES[parts[at]]} "{name}" is forbidden: {told}')


def test_a_token_for_an_audience_that_no_volume_asks_for(cluster: Bench) -> None:
    """Only who may ask for any gets it: here the binding is taken away."""
    cluster.ok("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/nodes-may-all")
    found = cluster.error("POST", TOKEN, token(cluster, MINE, "vault"), user=ME)
    assert found == (
        403,
        "Forbidden",
        'serviceaccounts "default" is forbidden: audience "vault" not found in pod spec volume, system:node:a is not '
        "authorized to request tokens for this audience",
    )


def test_a_token_for_the_audience_of_a_volumes_driver(cluster: Bench) -> None:
    cluster.ok("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/nodes-may-all")
    cluster.ok("POST", "/apis/storage.k8s.io/v1/csidrivers", {
        "metadata": {"name": "disk.example.com"}, "spec": {"tokenRequests": [{"audience": "vault"}]},
    })  # fmt: skip
    volume = {"name": "v", "csi": {"driver": "disk.example.com"}}
    spec = {"nodeName": MINE, "containers": [{"name": "c", "image": "nginx"}], "volumes": [volume]}
    cluster.ok("POST", PODS, {"metadata": {"name": "driven"}, "spec": spec})
    cluster.ok("POST", TOKEN, token(cluster, "driven", "vault"), user=ME)


def test_who_is_no_node_is_asked_nothing(cluster: Bench) -> None:
    cluster.ok("DELETE", f"{PODS}/{OTHER}")


def test_a_mirror_pod_of_a_node_that_is_gone(cluster: Bench) -> None:
    made = mirror(cluster)
    cluster.ok("DELETE", f"{NODES}/{MINE}")
    assert cluster.error("POST", PODS, made, user=ME)[2] == 'nodes "a" not found'


def test_a_mirror_pod_of_an_earlier_node(cluster: Bench) -> None:
    made = mirror(cluster, [owner(cluster, uid="old")])
    told = f"node a UID mismatch: expected old got {uid(cluster, 'nodes', MINE)}"
    assert cluster.error("POST", PODS, made, user=ME)[2] == f'pods "m" is forbidden: {told}'


def test_kubelets_are_held_to_it() -> None:
    """Who takes the kubelet's identity from the machine writes no more than the kubelet could."""
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    kubelets: Any = cluster.components["kubelet"]
    found = cluster.get("nodes", "control-plane")
    assert found is not None
    with pytest.raises(ApiError, match='node "worker-1" is not allowed to modify node "control-plane"'):
        kubelets.core.nodes["worker-1"].client.update_status("nodes", found)
