"""Time, chance and the journal: the only sources of both in the whole engine.

Nothing else in ``cluster_engine`` reads a wall clock or a global random generator, so that a seed and a
journal are the whole cluster.
"""

from cluster_engine.sim.causes import Causes, Link, Roots, merged
from cluster_engine.sim.chance import INSTALLATION_SEED, Chance, Draw
from cluster_engine.sim.clock import EVERYBODY, Clock
from cluster_engine.sim.failures import BudgetExceeded, Failure, Failures, digest_of
from cluster_engine.sim.journal import Entry, Journal
from cluster_engine.sim.times import SECOND, parse_rfc3339, rfc3339, rfc3339_micro, steady_clock, wall_clock

__all__ = [
    "EVERYBODY",
    "INSTALLATION_SEED",
    "SECOND",
    "BudgetExceeded",
    "Causes",
    "Chance",
    "Clock",
    "Draw",
    "Entry",
    "Failure",
    "Failures",
    "Journal",
    "Link",
    "Roots",
    "digest_of",
    "merged",
    "parse_rfc3339",
    "rfc3339",
    "rfc3339_micro",
    "steady_clock",
    "wall_clock",
]
