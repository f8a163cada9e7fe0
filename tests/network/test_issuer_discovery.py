"""OIDC discovery: whoever reads the issuer's documents can verify a service account's token by himself."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, UserInfo
from cluster_engine.kube_apiserver.authentication import ISSUER
from cluster_engine.kube_apiserver.signing_keys import CONFIGURATION_PATH, KEYS_PATH

CREDENTIALS = "/var/run/secrets/kubernetes.io/serviceaccount"
READ = f'curl -s --cacert {CREDENTIALS}/ca.crt -H "Authorization: Bearer $(cat {CREDENTIALS}/token)"'
POD = """
apiVersion: v1
kind: Pod
metadata: {name: verifies, namespace: default}
spec: {containers: [{name: c, image: nicolaka/netshoot, command: [sleep, 100d]}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, seed=21, freezing=True)
    cluster.apply(POD)
    cluster.settle()
    return cluster


def says(cluster: Cluster, line: str) -> str:
    return cluster.execute("verifies", ["sh", "-c", line]).stdout.decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """As a library does it: the key by its id, the signature by the key. Raises InvalidSignature."""
    head, body, signature = token.split(".")
    asked = orjson.loads(decoded(head))
    key = next(each for each in keys["keys"] if each["kid"] == asked["kid"])
    assert (asked["alg"], key["alg"], key["crv"]) == ("ES256", "ES256", "P-256")
    x, y = (int.from_bytes(decoded(key[name])) for name in ("x", "y"))
    made = decoded(signature)
    der = utils.encode_dss_signature(int.from_bytes(made[:32]), int.from_bytes(made[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    found: dict[str, Any] = orjson.loads(decoded(body))
    return found


def test_a_pod_verifies_its_token_against_the_issuers_documents(cluster: Cluster) -> None:
    token = says(cluster, f"cat {CREDENTIALS}/token")
    found = orjson.loads(says(cluster, f"{READ} {ISSUER}{CONFIGURATION_PATH}"))
    assert (found["issuer"], found["id_token_signing_alg_values_supported"]) == (ISSUER, ["ES256"])
    keys = orjson.loads(says(cluster, f"{READ} {found['jwks_uri']}"))
    verified = claims(token, keys)
    assert verified["iss"] == found["issuer"]
    assert verified["sub"] == "system:serviceaccount:default:default"
    assert verified["kubernetes.io"]["pod"]["name"] == "verifies"


def test_a_token_that_was_changed_is_nobodys(cluster: Cluster) -> None:
    head, body, signature = says(cluster, f"cat {CREDENTIALS}/token").split(".")
    other = base64.urlsafe_b64encode(decoded(body).replace(b":default", b":robot")).decode().rstrip("=")
    keys = orjson.loads(cluster.request(Request("GET", KEYS_PATH, user=ADMIN)).body)
    for changed in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:-6]}AAAAAA",
        f"{head}.{body}.",
    ):
        with pytest.raises((InvalidSignature, ValueError)):
            claims(changed, keys)
        request = Request("GET", "/api", headers={"authorization": f"Bearer {changed}"})
        assert cluster.request(request).status == 401


ROBOT = UserInfo(
    "system:serviceaccount:default:robot", groups=("system:serviceaccounts", "system:authenticated")
)
READERS = {
    "a service account": (ROBOT, 200),
    "a user": (UserInfo("alice", groups=("system:authenticated",)), 403),
    "nobody": (None, 403),
}


@pytest.mark.parametrize("path", [CONFIGURATION_PATH, KEYS_PATH])
@pytest.mark.parametrize(("user", "status"), READERS.values(), ids=READERS)
def test_who_may_read_them(cluster: Cluster, path: str, user: UserInfo | None, status: int) -> None:
    assert cluster.request(Request("GET", path, user=user)).status == status


def test_the_documents_as_they_are_served(cluster: Cluster) -> None:
    found = cluster.request(Request("GET", KEYS_PATH, user=ADMIN))
    assert found.headers["content-type"] == "application/jwk-set+json"
    assert found.headers["cache-control"] == "public, max-age=3600"
    configured = orjson.loads(cluster.request(Request("GET", CONFIGURATION_PATH, user=ADMIN)).body)
    assert configured["jwks_uri"] == "https://172.18.0.2:6443/openid/v1/jwks"
    paths = orjson.loads(cluster.request(Request("GET", "/", user=ADMIN)).body)["paths"]
    assert {CONFIGURATION_PATH, KEYS_PATH} <= set(paths)


def test_keys_are_a_clusters_own(cluster: Cluster) -> None:
    def keys(of: Cluster) -> list[str]:
        found = orjson.loads(of.request(Request("GET", KEYS_PATH, user=ADMIN)).body)["keys"]
        return [key["kid"] for key in found]

    assert keys(cluster.fork()) == keys(cluster)
    assert keys(Cluster(nodes=1, seed=22))[0] != keys(cluster)[0]
