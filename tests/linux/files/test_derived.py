"""Files that follow from a few words are full while a machine has them, and empty wherever they are kept."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.files import derived, emptied, filled, tree


def ask(name: str, args: list[Any]) -> str:
    return f"{name} {args}" * 1_000


def volume() -> tree.Node:
    file = derived(["token", "a", "b"], mode=0o600, uid=7, mtime=3_000_000)
    inside = tree.directory({"token": file, "plain": tree.file("x"), "deep": tree.directory({"token": file})})
    links = {"..data": tree.link("..1"), "token": tree.link("..data/token")}
    return tree.directory({"..1": inside, **links})


def test_there_and_back() -> None:
    kept = volume()
    full = filled(kept, ask)
    file = full["e"]["..1"]["e"]["deep"]["e"]["token"]
    assert tree.content(file) == "token [3, 'a', 'b']" * 1_000
    assert (file["n"], file["m"], file["u"]) == (19_000, 0o600, 7)
    assert emptied(full) == kept == volume()
    assert full["e"]["..1"]["e"]["plain"] is kept["e"]["..1"]["e"]["plain"]


def test_what_has_none_stays_the_same_object() -> None:
    plain = tree.directory({"..data": tree.link("..1"), "..1": tree.directory({"a": tree.file("x")})})
    assert filled(plain, ask) is plain
    assert emptied(plain) is plain
    assert emptied(volume()) == volume()
    elsewhere = tree.directory({"token": derived(["token"], mode=0o600, uid=0, mtime=0)})
    assert filled(elsewhere, ask) is elsewhere
    assert filled(tree.file("x"), ask) == tree.file("x")


def test_nobody_knows() -> None:
    assert filled(volume(), lambda name, args: None)["e"]["..1"]["e"]["token"]["n"] == 0
