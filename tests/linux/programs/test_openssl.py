# ruff: noqa: E501 (one case a line)
"""`openssl` makes keys, requests and certificates that others can read, of its machine's own chance."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cluster_engine.linux.programs.openssl import primes
from tests.linux.programs.box import Box

USER = (
    "openssl genrsa -out u.key 1024; openssl req -new -key u.key -out u.csr -subj '/CN=ann/O=dev/O=ops'; "
    "openssl req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 10; "
)
SIGN = "openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out u.crt -days 5 2>&1; "


def run(line: str, **files: str) -> tuple[str, str, Any]:
    box = Box("busybox", names=("openssl",))
    result = box.sh(line)
    return result.out, result.err, box


def test_a_user_of_a_certificate_request() -> None:
    out, err, _ = run(USER + "cat u.key u.csr; stat -c %a u.key")
    assert err == ""
    key_text, mark, rest = out.partition("-----BEGIN CERTIFICATE REQUEST-----")
    request_text, end, mode = rest.partition("-----END CERTIFICATE REQUEST-----\n")
    key = load_pem_private_key(key_text.encode(), None)
    request = x509.load_pem_x509_csr((mark + request_text + end).encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 1024
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    assert request.subject.rfc4514_string() == "O=ops,O=dev,CN=ann"
    assert mode == "600\n"


def test_an_authority_signs() -> None:
    out, err, _ = run(
        USER
        + SIGN
        + "openssl verify -CAfile ca.crt u.crt; openssl x509 -in u.crt -noout -subject -issuer; wc -c < ca.srl"
    )
    assert (out, err) == (
        "Certificate request self-signature ok\nsubject=CN=ann, O=dev, O=ops\nu.crt: OK\n"
        "subject=CN=ann, O=dev, O=ops\nissuer=CN=ca\n41\n",
        "",
    )


def test_a_certificate_for_a_site() -> None:
    line = (
        "openssl req -x509 -nodes -days 365 -newkey rsa:1024 -keyout tls.key -out tls.crt -subj '/CN=foo.example/O=x' "
        "-addext 'subjectAltName=DNS:foo.example,IP:10.0.0.1'; cat tls.crt"
    )
    out, err, _ = run(line)
    found = x509.load_pem_x509_certificate(out.encode())
    found.verify_directly_issued_by(found)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["foo.example"]
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 365
    assert err == ""


SHOWN = [
    "Certificate:",
    "    Data:",
    "        Version: 3 (0x2)",
    "        Serial Number:",
    "        Signature Algorithm: ecdsa-with-SHA256",
    "        Issuer: CN=a, O=b",
    "        Validity",
    "        Subject: CN=a, O=b",
    "        Subject Public Key Info:",
    "            Public Key Algorithm: id-ecPublicKey",
    "                Public-Key: (256 bit)",
    "                pub:",
    "                ASN1 OID: prime256v1",
    "                NIST CURVE: P-256",
    "        X509v3 extensions:",
    "            X509v3 Subject Key Identifier: ",
    "            X509v3 Authority Key Identifier: ",
    "            X509v3 Basic Constraints: critical",
    "                CA:TRUE",
    "    Signature Algorithm: ecdsa-with-SHA256",
    "    Signature Value:",
]
"""As OpenSSL 3.0.19 printed it of the same certificate, but for names, which 3.2 and later write without blanks, and what
is another one each time."""


def test_a_certificate_as_text() -> None:
    line = (
        "openssl ecparam -name prime256v1 -genkey -noout -out e.key; "
        "openssl req -x509 -key e.key -subj /CN=a/O=b -out e.crt; openssl x509 -in e.crt -noout -text"
    )
    out, _, _ = run(line)
    rows = [row for row in out.splitlines() if "Not " not in row]
    found = [row for row in rows if row.strip()[2:3] != ":" or row.strip() == "CA:TRUE"]
    assert found == SHOWN


SAYS = {
    "dates": (
        "openssl req -x509 -newkey ed25519 -noenc -keyout k -out c -subj /CN=a -days 1; openssl x509 -in c -noout -dates"
        " | sed 's/ [0-9:]* 20.. GMT//'",
        "notBefore=Nov 24\nnotAfter=Nov 25\n",
        "",
    ),
    "a request's subject": ("openssl req -in u.csr -noout -subject -verify", "subject=CN=ann\n", "Certificate request self-signature verify OK\n"),
    "a public key": ("openssl pkey -in u.key -pubout | head -1", "-----BEGIN PUBLIC KEY-----\n", ""),
    "a check": ("openssl rsa -in u.key -check -noout", "RSA key ok\n", ""),
    "it will expire": ("openssl x509 -in u.crt -noout -checkend 86400000; echo $?", "Certificate will expire\n1\n", ""),
    "nobody has signed it": ("openssl verify -CAfile u.crt s.crt; echo $?", "2\n", "CN=other\nerror 20 at 0 depth lookup: unable to get local issuer certificate\nerror s.crt: verification failed\n"),
    "no file": ("openssl req -new -key none -subj /CN=a", "", "req: Could not open file or uri for loading private key from none: No such file or directory\n"),
    "no key": ("echo x > x; openssl req -new -key x -subj /CN=a", "", "req: Unable to load private key\n"),
    "no subject": ("openssl req -new -key u.key", "", 'req: questions are not asked here: say who it is for, -subj "/CN=name/O=group"\n'),
    "a subject in another form": ("openssl req -new -key u.key -subj CN=a", "", "req: subject name is expected to be in the format /type0=value0/type1=value1/type2=... where characters may be escaped by \\. This name is not in that format: 'CN=a'\n"),
    "too long a name": (f"openssl req -new -key u.key -subj /CN={'a' * 65} 2>&1 | cut -c1-8", "req: CN:\n", ""),
    "too long a key": ("openssl genrsa 4096", "", "genrsa: RSA keys of 1024 to 2048 bits are made here, not of 4096\n"),
    "no number": ("openssl genrsa x", "", "genrsa: Can't parse \"x\" as a number\n"),
    "an encrypted key": ("openssl req -x509 -newkey ed25519 -keyout k -subj /CN=a", "", "req: encrypted keys are not made here: say -nodes\n"),
    "an option of the real one": ("openssl req -config x", "", "req: the option -config is not simulated here; a real openssl may have it\n"),
    "an option without its value": ("openssl genrsa -out", "", "genrsa: Option -out needs a value\ngenrsa: Use -help for summary.\n"),
    "a command of the real one": ("openssl s_client", "", "openssl: s_client is not simulated here; a real openssl has it\n"),
    "a large file": ("yes | head -c 70000 > big; openssl x509 -in big -noout", "", "x509: big: a file of more than 65536 bytes is not read here\n"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "out", "err"), SAYS.values(), ids=SAYS)
def test_says(line: str, out: str, err: str) -> None:
    made = (
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out u.key; "
        "openssl req -new -key u.key -subj /CN=ann -out u.csr; openssl x509 -req -in u.csr -key u.key -out u.crt 2>/dev/null; "
        "openssl req -x509 -newkey ed25519 -nodes -keyout s.key -out s.crt -subj /CN=other; "
    )
    needed = made if any(name in line for name in ("u.", "s.crt")) else ""
    found = run(needed + line)
    assert found[:2] == (out, err)


def test_the_same_machine_makes_the_same_key() -> None:
    line = "openssl genrsa 1024; openssl genrsa 1024"
    first, second = run(line)[0], run(line)[0]
    assert first == second
    one, two, _ = first.split("-----END PRIVATE KEY-----\n")
    assert one != two


def test_a_search_is_cut_at_any_step() -> None:
    search = primes.begin("seed", 512)
    steps = 0
    while len(search["found"]) < 2:
        search = primes.step(search)
        steps += 1
    p, q = (int(prime, 16) for prime in search["found"])
    assert (p * q).bit_length() == 512
    assert pow(3, p - 1, p) == pow(3, q - 1, q) == 1
    assert steps > 2


REFUSED = {
    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp384r1": "the option ec_paramgen_curve:secp384r1 of a key is not simulated here",
    "openssl genpkey -algorithm ED25519 -pkeyopt a:b": "the option a:b of a key is not simulated here",
    USER
    + "openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key -set_serial 0x10": 'Can\'t parse "0x10" as a number',
    USER
    + "openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key -copy_extensions some": "Invalid extension copy option: some",
    USER + "openssl x509 -in ca.crt -noout -checkend soon": 'Can\'t parse "soon" as a number',
    USER + "openssl x509 -in ca.crt -days 10": "-days is simulated for requests alone (-req)",
    "openssl x509 -in ca.crt -CAserial a": "the option -CAserial is not simulated here",
    "openssl req -x509 -newkey ed25519 -nodes -subj /CN=a -text": "a certificate is not shown while it is made here (-text)",
}


@pytest.mark.parametrize(("line", "told"), REFUSED.items(), ids=[line[-40:] for line in REFUSED])
def test_an_option_that_would_do_nothing_is_refused(line: str, told: str) -> None:
    assert told in run(line)[1]


def test_options_of_keys_and_of_new_requests() -> None:
    out, err, _ = run(
        "openssl genrsa -traditional 1024 | head -n 1; openssl req -new -newkey ed25519 -nodes -subj /CN=ann -noout -subject"
    )
    assert (out, err) == ("-----BEGIN RSA PRIVATE KEY-----\nsubject=CN=ann\n", "")
