"""Columns give back what was written, whatever it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.sim import columns

UID = "f86ccf71-37eb-404e-9493-4679a8042e29"
DIGEST = "671ff35ab34dfb0ba345c3a5583d4b035ee3683ed0e00285ef1cde078243d0e9"

VALUES = [
    pytest.param(value, id=name)
    for name, value in {
        "nothing": None,
        "empty": {"a": {}, "b": [], "c": "", "d": [[]]},
        "kinds of values": [
            None,
            True,
            False,
            0,
            -1,
            1.5,
            1e300,
            "x",
            {"a": 1},
            [1],
            2**63,
            -(2**63),
            2**64 - 1,
            1,
        ],
        "more numbers than are told inline": list(range(30)) + [2**40, -5, 2**62],
        "numbers that differ by more than an array takes": [{"n": n} for n in [2**62, -(2**62) - 9] * 9],
        "digits": ["0", "7", "007", "123456789012345678", "1234567890123456", "٣", "-5", "1.5"],
        "uids": [UID, UID.upper(), UID.replace("-", "."), UID[:-1], "spec/" + UID],
        "digests": [DIGEST, DIGEST.upper(), f"containerd://{DIGEST}", f"message/{DIGEST}"],
        "stamped": [
            "web.18867254dd0265c7",
            "default/web.18867254dd0265c7",
            "a.18867254dd0265c7.18867254dd0265c7",
        ],
        "long text": ["a/b" * 300, "-----\n" * 90, "x = 1\n" * 200, "/" * 500],
        "any text": ["\0", "é/ü", "\ud800", "a\udcff/b", " /\n", "\u2028", "=" * 20],
        "many keys": {f"k{n}": n for n in range(100)},
        "many shapes": [{f"k{n}": n, "same": [n]} for n in range(30)],
        "long lists": [[{"a": n} for n in range(count)] for count in (39, 40, 41, 42, 90)],
        "tuples": ((1, 2), [3]),
    }.items()
]


@pytest.mark.parametrize("value", VALUES)
def test_there_and_back(value):
    found = columns.unpack(columns.pack(value))
    assert repr(found) == repr(json.loads(json.dumps(value)))


def test_one_object_is_one_object_again():
    shared = {"a": [1]}
    value = [{"it": shared, "n": n} for n in range(50)]
    found = columns.unpack(columns.pack(value))
    assert found == value
    assert all(each["it"] is found[0]["it"] for each in found)


def test_order_of_keys_is_kept():
    value = [{"b": 1, "a": 2}, {"a": 2, "b": 1}]
    assert [list(each) for each in columns.unpack(columns.pack(value))] == [["b", "a"], ["a", "b"]]


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError, match="no JSON: set"):
        columns.pack({"a": {1}})


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
NAMES = st.sampled_from(["a", "b", UID, DIGEST, "12", "web.18867254dd0265c7", f"default/Pod/{UID}"])
TREES = st.recursive(
    ATOMS | NAMES,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(max_size=3), inner),
    max_leaves=60,
)


@given(TREES)
def test_random_trees(value):
    found = columns.unpack(columns.pack(value))
    assert repr(found) == repr(value)
