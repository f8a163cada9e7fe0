"""Quantities, durations, names."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.apimachinery import duration, quantity, validation

FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


@pytest.mark.parametrize(
    ("text", "canonical", "value", "milli"),
    [
        ("1000m", "1", 1, 1000),
        ("0.5", "500m", 1, 500),
        ("1.5Gi", "1536Mi", 1610612736, 1610612736000),
        ("1024Mi", "1Gi", 2**30, 2**30 * 1000),
        ("1000Ki", "1000Ki", 1024000, 1024000000),
        ("1e3", "1e3", 1000, 1000000),
        ("1E", "1E", 10**18, 10**21),
        ("1000000", "1M", 10**6, 10**9),
        ("128974848", "128974848", 128974848, 128974848000),
        ("100u", "100u", 1, 1),
        ("-5", "-5", -5, -5000),
        (".5", "500m", 1, 500),
        ("+7.", "7", 7, 7000),
        ("0", "0", 0, 0),
        (2, "2", 2, 2000),
        (0.1, "100m", 1, 100),
    ],
)
def test_quantity(text: str, canonical: str, value: int, milli: int) -> None:
    assert quantity.canonical(text) == canonical
    assert (quantity.value(text), quantity.milli(text)) == (value, milli)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", FORMAT),
        ("", FORMAT),
        ("1GB", FORMAT),
        ("1..2", FORMAT),
        ("1Gi2", "unable to parse quantity's suffix"),
        ("1kk", "unable to parse quantity's suffix"),
        ("9" * 1000, FORMAT),
    ],
)
def test_quantity_errors(text: str, said: str) -> None:
    with pytest.raises(quantity.QuantityError) as caught:
        quantity.parse(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [("100m", "900m", "1"), ("1Gi", "512Mi", "1536Mi"), ("0", "1Gi", "1Gi"), ("1", "1Ki", "1025")],
)
def test_quantity_sum(left: str, right: str, total: str) -> None:
    assert quantity.add(left, right) == total
    assert quantity.compare(quantity.sub(total, right), left) == 0


@given(st.integers(-(10**15), 10**15), st.sampled_from(["n", "u", "m", "", "k", "M", "Ki", "Mi"]))
def test_canonical_keeps_the_amount(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    again = quantity.canonical(text)
    assert quantity.parse(again) == quantity.parse(text)
    assert quantity.canonical(again) == again


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_sums_are_exact(left: int, right: int) -> None:
    assert quantity.parse(quantity.add(f"{left}m", f"{right}m")) == Fraction(left + right, 1000)


@pytest.mark.parametrize(
    ("seconds", "long"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (47 * 3600, "47h"),
        (86400 * 3 + 7200, "3d2h"),
        (86400 * 8, "8d"),
        (86400 * 800, "2y70d"),
        (86400 * 365 * 9, "9y"),
    ],
)
def test_human_duration(seconds: int, long: str) -> None:
    assert duration.human_duration(seconds) == long


@pytest.mark.parametrize(
    ("nanoseconds", "printed"),
    [
        (90 * 10**9, "1m30s"),
        (3_723_500_000_000, "1h2m3.5s"),
        (-5_400 * 10**9, "-1h30m0s"),
        (0, "0s"),
        (250 * 10**6, "250ms"),
    ],
)
def test_go_duration(nanoseconds: int, printed: str) -> None:
    assert duration.go_duration(nanoseconds) == printed


SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start"
    " and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end"
    " with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    " '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("rule", "name", "problems"),
    [
        ("subdomain", "a.b-c.d", []),
        ("subdomain", "A_b", [SUBDOMAIN]),
        ("subdomain", "a" * 254, ["must be no more than 253 bytes"]),
        ("label", "a-b", []),
        ("label", "a.b", ["must not contain dots"]),
        ("label", "-a", [LABEL]),
        ("label1035", "1a", [LABEL1035]),
        ("path_segment", "..", ["may not be '..'"]),
        ("path_segment", "a/b", ["may not contain '/'"]),
    ],
)
def test_names(rule: str, name: str, problems: list[str]) -> None:
    said = [str(error) for error in validation.validate_name(rule, name)]
    assert said == [f'metadata.name: Invalid value: "{name}": {problem}' for problem in problems]


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        pytest.param({"name": "a", "namespace": "b"}, [], id="good"),
        pytest.param(
            {"namespace": "b"},
            ["metadata.name: Required value: name or generateName is required"],
            id="no name",
        ),
        pytest.param({"name": "a"}, ["metadata.namespace: Required value"], id="no namespace"),
        pytest.param(
            {"name": "a", "namespace": "b", "finalizers": ["orphan", "foregroundDeletion"]},
            [
                'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
                "finalizer orphan and foregroundDeletion cannot be both set"
            ],
            id="finalizers",
        ),
    ],
)
def test_object_meta(meta: dict[str, object], said: list[str]) -> None:
    assert [str(error) for error in validation.validate_object_meta(meta, namespaced=True)] == said


def test_immutable_metadata() -> None:
    old = {"name": "a", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    errors = validation.validate_object_meta_update({**old, "uid": "2"}, old)
    assert [str(error) for error in errors] == ['metadata.uid: Invalid value: "2": field is immutable']
