"""The limits and the constants of the simulated network. Times are virtual µs."""

from cluster_engine.sim import SECOND

WINDOW = 64 * 1024
"""Bytes of one direction of a connection that the peer has not yet taken; a sender holds the rest back."""
CONNECTIONS = 1_024
"""Connections that one host may have; one more is refused."""
IN_FLIGHT = 4 * 1024 * 1024
"""Bytes of one host that are on their way or not taken; the connection that goes beyond is reset."""
DATAGRAMS = 1_024
"""Datagrams on their way in one cluster; one more is lost, as a full queue loses it."""
DATAGRAM_BYTES = 65_507
"""The largest UDP payload; a longer one is lost."""

SYN_RETRY = 1 * SECOND
"""Pause before a lost connection request is sent again; it doubles (net.ipv4.tcp_syn_retries = 6)."""
SYN_TRIES = 7
"""Connection requests before ETIMEDOUT: after 127 s."""
UNREACHABLE_AFTER = 3 * SECOND
"""How long the kernel asks for a neighbour that is not there (three ARP requests)."""
RETRANSMIT = SECOND // 5
"""Pause before a lost segment is sent again; it doubles up to RETRANSMIT_MAX."""
RETRANSMIT_MAX = 120 * SECOND
RETRANSMIT_TRIES = 15
"""Retransmissions before an established connection is given up (net.ipv4.tcp_retries2)."""

FOREGROUND = 5 * SECOND
"""``settle`` waits for deliveries that are nearer than this."""

FIRST_PORT, LAST_PORT = 32_768, 60_999
"""Ephemeral ports (net.ipv4.ip_local_port_range)."""

GRPC_HELLO = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""With what a gRPC client begins (HTTP/2's preface). Then comes a line, a method and its argument; the answer is a line
too, gRPC's code and what it says: frames are not simulated."""
TLS_HELLO = "\x16\x03\x01"
"""What stands before the plain text of a conversation that would be encrypted: TLS itself is not simulated."""
