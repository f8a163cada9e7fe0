"""The cluster's network: packets find their way by rules, connections live on the virtual clock.

``datapath`` says where a packet goes and why; ``wires`` what lies between two nodes; ``connections`` carries
streams and datagrams between *hosts*, whatever those are (containers' machines, a kubelet, a test).
It knows nothing of Pods or of processes.
"""

from cluster_engine.network.client import REPLY_LIMIT, Clients
from cluster_engine.network.connections import RESET, Network
from cluster_engine.network.datapath import Datapath, Packet, Policy, Rule, Services, Verdict, Way, is_address
from cluster_engine.network.hosts import Hosts
from cluster_engine.network.instant import Instant
from cluster_engine.network.limits import FIRST_PORT, GRPC_HELLO, IN_FLIGHT, LAST_PORT, TLS_HELLO, WINDOW
from cluster_engine.network.outside import API_SERVER, WORKSTATION, WORKSTATION_IP, LinkListener, Outside
from cluster_engine.network.wires import Wire, Wires

__all__ = [
    "API_SERVER",
    "FIRST_PORT",
    "GRPC_HELLO",
    "IN_FLIGHT",
    "LAST_PORT",
    "REPLY_LIMIT",
    "RESET",
    "TLS_HELLO",
    "WINDOW",
    "WORKSTATION",
    "WORKSTATION_IP",
    "Clients",
    "Datapath",
    "Hosts",
    "Instant",
    "LinkListener",
    "Network",
    "Outside",
    "Packet",
    "Policy",
    "Rule",
    "Services",
    "Verdict",
    "Way",
    "Wire",
    "Wires",
    "is_address",
]
