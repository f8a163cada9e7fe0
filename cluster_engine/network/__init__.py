"""The cluster's network: where a packet goes, and why.

It knows nothing of Pods or of processes: rules and addresses are handed in.
"""

from cluster_engine.network.datapath import Datapath, Packet, Policy, Rule, Services, Verdict, Way, is_address

__all__ = ["Datapath", "Packet", "Policy", "Rule", "Services", "Verdict", "Way", "is_address"]
