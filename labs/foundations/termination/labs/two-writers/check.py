"""Reads the ledger: who wrote when."""

import re
from itertools import pairwise

from labs.kit.checking import Fail, Reader

LINE = re.compile(r":(\d\d):(\d\d):(\d\d) [^]]*\] \"GET /(\w+) ")
GAP = 90
"""Seconds that may pass without a line."""


def one_pen(cluster: Reader) -> None:
    """No second has two writers, and no gap between them is too long."""
    written: dict[str, list[int]] = {}
    for line in cluster.logs("ledger", "ledger"):
        if (read := LINE.search(line)) is not None:
            hours, minutes, seconds = (int(part) for part in read.groups()[:3])
            pen = read[4]
            written.setdefault(pen, []).append(hours * 3600 + minutes * 60 + seconds)
    spans = sorted((min(times), max(times)) for times in written.values())
    look = "kubectl logs ledger --tail=30"
    for (_, end), (begin, _) in pairwise(spans):
        if begin <= end:
            raise Fail(cluster.say("one"), cluster.say("two", seconds=end - begin + 1), look)
        if begin - end > GAP:
            raise Fail(cluster.say("short", most=GAP), cluster.say("gap", seconds=begin - end), look)
