"""Found again by identity; bounded; what is in use stays."""

from __future__ import annotations

from cluster_engine.apimachinery.identity_cache import IdentityCache


def test_an_equal_object_is_another_object() -> None:
    cache = IdentityCache(8)
    first, second = {"a": 1}, {"a": 1}
    cache.keep("seen", first, "made")
    assert (cache.of("seen", first), cache.of("seen", second), cache.of("other", first)) == (
        "made",
        None,
        None,
    )


def test_it_is_bounded_and_keeps_what_is_in_use() -> None:
    cache = IdentityCache(100)
    hot = ["hot"]
    cache.keep("seen", hot)
    for number in range(10_000):
        cache.keep("seen", [number])
        assert cache.of("seen", hot), number
        assert len(cache) <= 100
    cold: list[object] = [["cold", number] for number in range(200)]
    for value in cold:
        cache.keep("seen", value)
    assert cache.of("seen", hot) is None


def test_an_id_in_a_key_stays_its_objects() -> None:
    """However many objects come and go, none can take over the id of one that is remembered."""
    cache = IdentityCache(1_000)
    for number in range(5_000):
        value = {"number": number}
        known = cache.of("seen", value)
        assert known is None or known == number
        cache.keep("seen", value, number)


def test_two_objects_in_one_key() -> None:
    cache = IdentityCache(8)
    one, two = ["one"], ["two"]
    cache.put((id(one), id(two)), "both", one, two)
    assert cache.get((id(one), id(two))) == "both"
    assert cache.get((id(two), id(one))) is None
    cache.clear()
    assert len(cache) == 0
