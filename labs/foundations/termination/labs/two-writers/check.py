"""Reads the ledger: who wrote when."""

from itertools import pairwise

from labs.kit.checking import Fail, Reader

GAP = 90
"""Seconds that may pass without a line."""


def one_pen(cluster: Reader) -> None:
    """No second has two writers, no gap is too long, and the new pen has written."""
    written: dict[str, list[int]] = {}
    for line in cluster.logs("ledger", "ledger"):
        pen, _, clock = line.partition(" ")
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        written.setdefault(pen, []).append(hours * 3600 + minutes * 60 + seconds)
    spans = sorted((min(times), max(times)) for times in written.values())
    look = "kubectl logs ledger --tail=30"
    for (_, end), (begin, _) in pairwise(spans):
        if begin <= end:
            raise Fail(cluster.say("one"), cluster.say("two", seconds=end - begin + 1), look)
        if begin - end > GAP:
            raise Fail(cluster.say("short", most=GAP), cluster.say("gap", seconds=begin - end), look)
