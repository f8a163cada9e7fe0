"""Certificate requests over HTTP: whose they are, who may approve and sign them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from apiserver_bench import Bench

from cluster_engine import Cluster
from cluster_engine.component_helpers.certificates import Authority
from cluster_engine.component_helpers.root_certificate import CA_PEM
from cluster_engine.kube_apiserver import Request, UserInfo

JSON = dict[str, Any]
PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"
JANE = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIV01IOENBUUF3SFRFTU1Bb0dBMVVFQ2d3RFpHVjJNUTB3"
    "Q3dZRFZRUUREQVJxWVc1bE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVQdGVpanNaSTdjNWRXMzRsTDJz"
    "cXI3dEVnMUVVb2tzOHFvOXhEMlNaCk84SlhFYU5NM0pJcENBdGpud21YZit0OHFSN000V1NiL3FpdGhjY3JJR3JlZnFBQU1B"
    "b0dDQ3FHU000OUJBTUMKQTBjQU1FUUNJRkhWQXF4M2pTdWRqMnVZaEZaS25QUGJBMFZUeEFEU0V6TUFGUEhjL2R2eEFpQlVQ"
    "WVkxdWpCMApLOWxGSnBkM00yMHQyc1dmY3lQL0gzYk9qSzU2SStVMHdRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVT"
    "VC0tLS0tCg=="
)
MASTERS = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIa01JR0tBZ0VBTUNneEZ6QVZCZ05WQkFvTURuTjVjM1Js"
    "YlRwdFlYTjBaWEp6TVEwd0N3WURWUVFEREFScQpZVzVsTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFUHRl"
    "aWpzWkk3YzVkVzM0bEwyc3FyN3RFCmcxRVVva3M4cW85eEQyU1pPOEpYRWFOTTNKSXBDQXRqbndtWGYrdDhxUjdNNFdTYi9x"
    "aXRoY2NySUdyZWZxQUEKTUFvR0NDcUdTTTQ5QkFNQ0Ewa0FNRVlDSVFEaFNBT25pVGRWWmx3MW13QjRMc0l6NG5obXB5Nkx6"
    "UkVOS2dHSgp6THkvNVFJaEFMcm9iZTdRUDgrMEpIcTIwa2tUZTlYL2IyTzdBQTU5ajdOdlFvOW85Z05ECi0tLS0tRU5EIENF"
    "UlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
)
USER = UserInfo("jane", uid="7", groups=("dev", "system:authenticated"), extra={"a": ("b",)})


def csr(request: str, signer: str = CLIENT) -> JSON:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "asked"},
        "spec": {
            "request": request,
            "signerName": signer,
            "usages": ["client auth"],
            "username": "root",
            "groups": ["system:masters"],
        },
        "status": {"conditions": [{"type": "Approved", "status": "True"}]},
    }


def allow(bench: Bench, *rules: tuple[str, str, list[str]]) -> None:
    """Jane may do this: verb, resource, names."""
    made = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "verbs": [verb],
            "resources": [resource],
            **({"resourceNames": names} if names else {}),
        }
        for verb, resource, names in rules
    ]
    roles = "/apis/rbac.authorization.k8s.io/v1"
    bench.ok("POST", f"{roles}/clusterroles", {"metadata": {"name": "r"}, "rules": made})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
    bench.ok(
        "POST",
        f"{roles}/clusterrolebindings",
        {"metadata": {"name": "b"}, "roleRef": ref, "subjects": [subject]},
    )


def test_who_asks_is_written_down_by_the_server(bench: Bench) -> None:
    allow(bench, ("create", "certificatesigningrequests", []))
    made = bench.ok("POST", PATH, csr(JANE), user=USER)
    assert {name: made["spec"].get(name) for name in ("username", "uid", "groups", "extra")} == {
        "username": "jane", "uid": "7", "groups": ["dev", "system:authenticated"], "extra": {"a": ["b"]},
    }  # fmt: skip
    assert made["status"] == {}
    changed = {**made, "spec": {**made["spec"], "username": "root"}, "status": {"certificate": ""}}
    assert bench.ok("PUT", f"{PATH}/asked", changed)["spec"] == made["spec"]
    found = bench.ok("GET", PATH, fieldSelector=f"spec.signerName={CLIENT}")["items"]
    assert [each["metadata"]["name"] for each in found] == ["asked"]
    assert bench.ok("GET", PATH, fieldSelector="spec.signerName=a.b/c")["items"] == []


def test_nobody_asks_to_be_a_master(bench: Bench) -> None:
    assert bench.error("POST", PATH, csr(MASTERS)) == (
        403,
        "Forbidden",
        'certificatesigningrequests.certificates.k8s.io "asked" is forbidden: '
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
    )
    bench.ok("POST", PATH, csr(MASTERS, "example.com/own"))


APPROVAL = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Yes"}]}}
CERTIFICATE = {"status": {"certificate": base64.b64encode(Authority(0).certificate).decode()}}
UPDATE = (
    ("patch", "certificatesigningrequests/approval", []),
    ("patch", "certificatesigningrequests/status", []),
)
# id: (what else jane may, whether she may then approve, and sign)
RIGHTS = {
    "nothing": ((), False, False),
    "this signer": ((("approve", "signers", [CLIENT]),), True, False),
    "all of the domain": ((("sign", "signers", ["kubernetes.io/*"]),), False, True),
    "another signer": ((("approve", "signers", ["example.com/*"]), ("sign", "signers", ["a.b/c"])), False, False),
    "all signers": ((("approve", "signers", []), ("sign", "signers", [])), True, True),
}  # fmt: skip


@pytest.mark.parametrize(("rights", "approves", "signs"), RIGHTS.values(), ids=RIGHTS)
def test_who_may_approve_and_sign(bench: Bench, rights: Any, approves: bool, signs: bool) -> None:
    allow(bench, *UPDATE, *rights)
    bench.ok("POST", PATH, csr(JANE))
    merge = "application/merge-patch+json"

    def refused(part: str, body: JSON) -> str:
        response = bench.call("PATCH", f"{PATH}/asked/{part}", body, user=USER, content_type=merge)
        return response.body.decode() if response.status == 403 else ""

    told = refused("approval", APPROVAL)
    assert ("user not permitted to approve requests with signerName" in told) is not approves
    told = refused("status", CERTIFICATE)
    assert ("user not permitted to sign requests with signerName" in told) is not signs


def test_the_approval_owns_its_conditions_alone(bench: Bench) -> None:
    bench.ok("POST", PATH, csr(JANE))
    made = bench.ok("PATCH", f"{PATH}/asked/approval", APPROVAL, content_type="application/merge-patch+json")
    [condition] = made["status"]["conditions"]
    assert condition["lastUpdateTime"] == condition["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    [entry] = [each for each in made["metadata"]["managedFields"] if each.get("subresource") == "approval"]
    assert list(entry["fieldsV1"]) == ["f:status"]
    assert list(entry["fieldsV1"]["f:status"]) == ["f:conditions"]


ATTEST: dict[str, tuple[str, list[dict[str, Any]], bool]] = {
    # id: whose bundle it is, what its writer may do beside, whether it is written
    "nobody's": ("", [], True),
    "a signer's": ("example.com/mine", [], False),
    "that of whom one attests for": ("example.com/mine", [{"resourceNames": ["example.com/mine"]}], True),
    "that of another": ("example.com/mine", [{"resourceNames": ["example.com/yours"]}], False),
    "any of the domain": ("example.com/mine", [{"resourceNames": ["example.com/*"]}], True),
}


@pytest.mark.parametrize(("signer", "signers", "written"), ATTEST.values(), ids=ATTEST)
def test_who_attests_for_a_signer(signer: str, signers: list[dict[str, Any]], written: bool) -> None:
    """Models plugin/pkg/admission/certificates/ctbattest."""
    cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)
    group = "certificates.k8s.io"
    rules = [{"apiGroups": [group], "resources": ["clustertrustbundles"], "verbs": ["create", "update"]}]
    rules += [
        {"apiGroups": [group], "resources": ["signers"], "verbs": ["attest"], **each} for each in signers
    ]
    rbac = "rbac.authorization.k8s.io"
    head = {"apiVersion": f"{rbac}/v1", "metadata": {"name": "trust"}}
    cluster.apply({**head, "kind": "ClusterRole", "rules": rules})
    subject = {"kind": "User", "name": "jane", "apiGroup": rbac}
    ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": "trust"}
    cluster.apply({**head, "kind": "ClusterRoleBinding", "roleRef": ref, "subjects": [subject]})
    spec = {"trustBundle": CA_PEM, **({"signerName": signer} if signer else {})}
    name = f"{signer.replace('/', ':')}:a" if signer else "a"
    body = orjson.dumps(
        {"apiVersion": f"{group}/v1", "kind": "ClusterTrustBundle", "metadata": {"name": name}, "spec": spec}
    )
    jane = UserInfo("jane", groups=("system:authenticated",))
    headers = {"content-type": "application/json"}
    reply = cluster.request(Request("POST", f"/apis/{group}/v1/clustertrustbundles", [], headers, body, jane))
    assert (reply.status == 201) == written
    if not written:
        refused = f'clustertrustbundles.{group} "{name}" is forbidden: '
        told = f'{refused}user not permitted to attest for signerName "{signer}"'
        assert orjson.loads(reply.body)["message"] == told


STUB = (
    "MH8wMwIBADAAMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbigADAFBgMrZXADQQD+T6LD/tC3dgs1QpDKx4kUxYQE7x"
    "Ze9aBnQUcZw2xzeoWgFx/pD/xHAMYHE4CCTNhwz2GdgvzsSlQWl8KwMroI"
)
POD_REQUEST = {
    "signerName": "example.com/mine",
    **{f"{who}Name": "a" for who in ("pod", "serviceAccount", "node")},
    **{f"{who}UID": "u" for who in ("pod", "serviceAccount", "node")},
    "stubPKCS10Request": STUB,
}
POD_REQUESTS = "/apis/certificates.k8s.io/v1/namespaces/default/podcertificaterequests"


@pytest.mark.parametrize("signs", [True, False], ids=["a signer", "nobody"])
def test_who_answers_a_pods_request(bench: Bench, signs: bool) -> None:
    """Models the status strategy of pkg/registry/certificates/podcertificaterequest."""
    rbac, jane = "rbac.authorization.k8s.io", UserInfo("jane", groups=("system:authenticated",))
    group = ["certificates.k8s.io"]
    rules = [
        {"apiGroups": group, "resources": ["podcertificaterequests/status"], "verbs": ["get", "patch"]},
        {"apiGroups": group, "resources": ["signers"], "verbs": ["sign"] if signs else ["attest"]},
    ]
    bench.ok("POST", f"/apis/{rbac}/v1/clusterroles", {"metadata": {"name": "s"}, "rules": rules})
    bench.ok("POST", f"/apis/{rbac}/v1/clusterrolebindings", {
        "metadata": {"name": "s"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "s"},
        "subjects": [{"kind": "User", "name": "jane", "apiGroup": rbac}],
    })  # fmt: skip
    made = bench.ok("POST", POD_REQUESTS, {"metadata": {"name": "r"}, "spec": POD_REQUEST})
    assert made["spec"]["maxExpirationSeconds"] == 86_400
    denied = {"status": {"conditions": [{"type": "Denied", "status": "True", "reason": "No"}]}}
    path = f"{POD_REQUESTS}/r/status"
    merge = {"content_type": "application/merge-patch+json", "user": jane}
    if signs:
        [condition] = bench.ok("PATCH", path, denied, **merge)["status"]["conditions"]
        assert condition["lastTransitionTime"] == made["metadata"]["creationTimestamp"]
        return
    code, reason, told = bench.error("PATCH", path, denied, **merge)
    refused = (
        'spec.signerName: Forbidden: User "jane" is not permitted to "sign" for signer "example.com/mine"'
    )
    assert (code, reason) == (422, "Invalid")
    assert told == f'PodCertificateRequest.certificates.k8s.io "r" is invalid: {refused}'
