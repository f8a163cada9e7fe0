"""Connections and datagrams between hosts, as data with delivery events on the virtual clock.

A connection is a request that finds its way once (and then sticks to its endpoint, as conntrack does), two flows
of segments in order, and two ends that are closed one by one. What a wire does to packets (latency, loss,
partition) is looked at when they leave and when they arrive; a lost segment is sent again as TCP does.

Nothing here runs a process: a host is told what arrived and goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cluster_engine.network.affinity import Affinities
from cluster_engine.network.conversation import CLIENT, SERVER, Connection
from cluster_engine.network.datapath import Datapath, Packet, Policy, Rule, Services, Verdict, Way
from cluster_engine.network.deliveries import Deliveries
from cluster_engine.network.hosts import Hosts
from cluster_engine.network.limits import (
    CONNECTIONS,
    DATAGRAM_BYTES,
    DATAGRAMS,
    FIRST_PORT,
    IN_FLIGHT,
    LAST_PORT,
    RETRANSMIT,
    RETRANSMIT_MAX,
    RETRANSMIT_TRIES,
    SYN_RETRY,
    SYN_TRIES,
    UNREACHABLE_AFTER,
)
from cluster_engine.network.traffic import Traffic
from cluster_engine.network.wires import NONE, Wire, Wires
from cluster_engine.sim import Chance, Clock, Draw

REFUSED, TIMEOUT, UNREACHABLE, RESET = "refused", "timeout", "unreachable", "reset"
NAT_ENTRIES = 1_024
"""Rewritten datagram conversations that are remembered; the oldest is forgotten."""


class _Attached(NamedTuple):
    ip: str
    node: str
    kind: str


class Network:
    """One cluster's. ``kinds`` holds those who stand behind the hosts, by kind; the wiring fills it."""

    def __init__(
        self, clock: Clock, services: Services, chance: Chance, policies: tuple[Policy, ...] = ()
    ) -> None:
        self.wires = Wires()
        self.kinds: dict[str, Hosts] = {}
        self.served: Callable[[str, int], str] = lambda _node, _port: ""
        """What a node itself answers to HTTP requests at a port; "": nobody listens there. The wiring sets it."""
        self._clock = clock
        self._chance = chance
        self._datapath = Datapath(services, self.node_of, policies)
        self._guarded = bool(policies)
        self._hosts: dict[str, _Attached] = {}
        self._by_ip: dict[str, tuple[str, ...]] = {}
        self._ends: dict[str, dict[str, int]] = {}  # host -> socket -> connection
        self._in_flight: dict[str, int] = {}
        self._connections: dict[int, Connection] = {}
        self._serial = 0
        self._ports: dict[str, int] = {}
        self._nat: dict[tuple[str, int, str, int], tuple[str, int]] = {}
        self._affinities = Affinities()
        self._datagrams = 0
        self._sent: dict[str, int] = {}  # datagrams that a host has sent
        handlers: dict[str, Callable[..., None]] = {
            "ask": self._ask,
            "arrive": self._arrive,
            "connected": self._connected,
            "failed": self._failed,
            "flow": self._flow,
            "acked": self._acked,
            "datagram": self._datagram,
        }
        self.deliveries = Deliveries(clock, handlers)
        self.traffic = Traffic()

    # ---- who is there ----------------------------------------------------------------------------------

    def attach(self, key: str, ip: str, node: str, kind: str) -> None:
        """Gives a host its address. Several may share one (host network): the first that listens answers."""
        if key not in self._hosts:
            self._by_ip[ip] = (*self._by_ip.get(ip, ()), key)
        self._hosts[key] = _Attached(ip, node, kind)

    def detach(self, key: str) -> None:
        """The host is gone: what it has sent still arrives, what is sent to it does not."""
        attached = self._hosts.pop(key, None)
        if attached is None:
            return
        ends = self._ends.pop(key, {})
        for sock, number in ends.items():
            connection = self._connections[number]
            connection.flows[connection.side(key, sock)].gone = True
        for number in dict.fromkeys(ends.values()):
            self._tidy(number, self._connections[number])
        left = tuple(other for other in self._by_ip[attached.ip] if other != key)
        if left:
            self._by_ip[attached.ip] = left
        else:
            del self._by_ip[attached.ip]
        for table in (self._ports, self._sent, self._in_flight):
            table.pop(key, None)

    def node_of(self, ip: str) -> str | None:
        """The node of whoever has the address."""
        keys = self._by_ip.get(ip)
        return self._hosts[keys[0]].node if keys else None

    def is_node(self, ip: str) -> bool:
        """Whether the address is a node's own, which all that is on the host's network shares."""
        return any(self._hosts[key].kind == "node" for key in self._by_ip.get(ip, ()))

    def way(self, source: str, ip: str, port: int, protocol: str = "TCP") -> Way:
        """The way that a connection would take now, with its reasons; of several endpoints the first."""
        packet = Packet(source, ip, port, protocol, self.node_of(source) or "")
        return self._datapath.way(packet, lambda rule, _: rule.endpoints[0])

    def hosts_at(self, ip: str) -> tuple[str, ...]:
        """The keys of those that have the address."""
        return self._by_ip.get(ip, ())

    def instantly(self, node: str, ip: str) -> bool:
        """Whether what lies between a node and that address lets everything through at once, there and back."""
        other = self.node_of(ip)
        ways = ((node, other), (other, node))
        return not self.wires.any or all(
            wire.latency == 0 and not wire.partition for wire in (self.wires.between(*way) for way in ways)
        )

    @property
    def asked(self) -> int:
        """How many connections were asked for so far."""
        return self._serial

    def peer(self, key: str, sock: str) -> tuple[str, str] | None:
        """The host at the other end of a connection that stands, and its socket."""
        number = self._number(key, sock)
        if number is None or not self._connections[number].open:
            return None
        connection = self._connections[number]
        side = 1 - connection.side(key, sock)
        return connection.keys[side], connection.socks[side]

    def sockets(self, key: str) -> list[str]:
        """A host's sockets, in the order in which their connections began."""
        return list(self._ends.get(key, ()))

    def connections(self, key: str) -> list[dict[str, Any]]:
        """A host's connections, for people: sockets, addresses, whether they stand, the way they took."""
        numbers = sorted(self._ends.get(key, {}).values())
        return [
            {
                "from": "{}:{}".format(*c.source),
                "to": "{}:{}".format(*c.target),
                "open": c.open,
                "steps": c.steps,
            }
            for c in (self._connections[n] for n in numbers)
        ]

    # ---- what hosts ask for ----------------------------------------------------------------------------

    def connect(self, key: str, sock: str, ip: str, port: int) -> None:
        """Asks for a connection; ``connected`` or ``failed`` tells the outcome."""
        attached = self._hosts[key]
        self._serial = number = self._serial + 1
        local = self._ports.get(key, FIRST_PORT)
        self._ports[key] = local + 1 if local < LAST_PORT else FIRST_PORT
        connection = Connection(
            [key, ""], [sock, ""], [attached.node, ""], [attached.ip, local], [ip, port], self._clock.now
        )
        self._connections[number] = connection
        ends = self._ends.setdefault(key, {})
        ends[sock] = number
        full = len(ends) > CONNECTIONS
        self.deliveries.send(0, ("failed", number, REFUSED) if full else ("ask", number))

    def send(self, key: str, sock: str, data: str) -> None:
        """Byte text to the peer. What is sent to a closed end resets the connection."""
        number = self._number(key, sock)
        if number is None or not data:
            return
        connection = self._connections[number]
        side = connection.side(key, sock)
        flow = connection.flows[side]
        if flow.ended or flow.gone:
            return
        flow.unacked += len(data)
        self._in_flight[key] = in_flight = self._in_flight.get(key, 0) + len(data)
        if in_flight > IN_FLIGHT:
            self.deliveries.send(0, ("failed", number, RESET))
            return
        self._push(number, connection, side, data)

    def shutdown(self, key: str, sock: str) -> None:
        """Nothing more will be sent; reading goes on."""
        number = self._number(key, sock)
        if number is not None:
            connection = self._connections[number]
            self._end(number, connection, connection.side(key, sock))

    def close(self, key: str, sock: str) -> None:
        """The host forgets the socket: it neither sends nor reads any more."""
        number = self._number(key, sock)
        if number is None:
            return
        self._forget(key, sock)
        connection = self._connections[number]
        side = connection.side(key, sock)
        self._end(number, connection, side)
        connection.flows[side].gone = True
        self._tidy(number, connection)

    def took(self, key: str, sock: str, count: int) -> None:
        """The host's process has read so many bytes: the peer may send as many more."""
        number = self._number(key, sock)
        if number is None:
            return
        connection = self._connections[number]
        side = 1 - connection.side(key, sock)
        self._release(connection, side, count)
        self.deliveries.send(self._wire(connection, 1 - side).latency, ("acked", number, side, count))

    def datagram(self, key: str, port: int, ip: str, to_port: int, data: str) -> None:
        """A datagram from a local port; nobody tells whether it arrived."""
        attached = self._hosts.get(key)
        if attached is None or self._datagrams >= DATAGRAMS or len(data) > DATAGRAM_BYTES:
            return
        self._sent[key] = sent = self._sent.get(key, 0) + 1
        now = self._clock.now

        def draw(what: str) -> Draw:
            return self._chance.of(f"datagram-{what}", key, now, sent)

        packet = Packet(attached.ip, ip, to_port, "UDP", attached.node)
        known = (ip, to_port, attached.ip, port) in self._nat  # an answer: the question was let through

        def choose(rule: Rule, packet: Packet) -> tuple[str, int]:
            return self._endpoint(rule, packet, lambda count: draw("endpoint").randrange(count))

        way = self._datapath.way(packet, choose, known)
        if way.verdict != Verdict.DELIVER:
            return
        wire = self.wires.between(attached.node, self.node_of(way.ip)) if self.wires.any else NONE
        if wire.partition or (wire.loss and draw("loss").randrange(1_000) < wire.loss):
            return
        if (way.ip, way.port) != (ip, to_port) or (self._guarded and not known):
            if len(self._nat) >= NAT_ENTRIES:
                del self._nat[next(iter(self._nat))]
            self._nat[attached.ip, port, way.ip, way.port] = (ip, to_port)
        source = self._nat.get((ip, to_port, attached.ip, port), (attached.ip, port))
        self._datagrams += 1
        self.deliveries.send(wire.latency, ("datagram", way.ip, way.port, *source, data))

    # ---- the handlers of tokens ------------------------------------------------------------------------

    def _ask(self, number: int) -> None:
        """The connection request leaves; it is sent again as long as nobody answers."""
        connection = self._connections.get(number)
        if connection is None:
            return
        ip, port = connection.target
        packet = Packet(connection.source[0], ip, port, "TCP", connection.nodes[CLIENT])

        def choose(rule: Rule, packet: Packet) -> tuple[str, int]:
            return self._endpoint(rule, packet, lambda n: self._draw(connection, "endpoint").randrange(n))

        way = self._datapath.way(packet, choose)
        connection.steps = way.steps
        if way.verdict != Verdict.DELIVER and connection.tries == 0:
            self.traffic.note(self._clock.now, way.steps, way.ip, answered=False)
        if way.verdict == Verdict.REJECT:
            self.deliveries.send(0, ("failed", number, REFUSED))
            return
        if way.verdict == Verdict.UNREACHABLE:
            self.deliveries.send(UNREACHABLE_AFTER, ("failed", number, UNREACHABLE))
            return
        connection.nodes[SERVER] = self.node_of(way.ip) or ""
        wire = self._wire(connection, CLIENT)
        if way.verdict == Verdict.DROP or wire.partition or self._lost(wire, connection, "request"):
            if wire.partition:
                connection.steps = [*way.steps, ["wire", "partitioned"]]
            pause = SYN_RETRY << connection.tries
            connection.tries += 1
            last = connection.tries >= SYN_TRIES
            self.deliveries.send(pause, ("failed", number, TIMEOUT) if last else ("ask", number))
            return
        self.deliveries.send(wire.latency, ("arrive", number, way.ip, way.port, way.masked))

    def _arrive(self, number: int, ip: str, port: int, masked: str = "") -> None:
        """The request is there: somebody accepts it, or nobody listens."""
        connection = self._connections.get(number)
        if connection is None:
            return
        back = self._wire(connection, SERVER).latency
        for key in self._by_ip.get(ip, ()):
            ends = self._ends.setdefault(key, {})
            if len(ends) >= CONNECTIONS:
                continue
            sock = self._host(key).accept(key, port, ip, masked or connection.source[0], connection.source[1])
            if sock is not None:
                connection.keys[SERVER], connection.socks[SERVER] = key, sock
                connection.open = True
                ends[sock] = number
                self.traffic.note(self._clock.now, connection.steps, ip, answered=True)
                self.deliveries.send(back, ("connected", number))
                return
        self.traffic.note(self._clock.now, connection.steps, ip, answered=False)
        self.deliveries.send(back, ("failed", number, REFUSED))

    def _connected(self, number: int) -> None:
        connection = self._connections.get(number)
        if connection is not None and not connection.flows[CLIENT].gone:
            key = connection.keys[CLIENT]
            self._host(key).connected(key, connection.socks[CLIENT])

    def _failed(self, number: int, reason: str) -> None:
        """The connection is no more; both ends that still care are told."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        for side in (CLIENT, SERVER):
            key, sock, flow = connection.keys[side], connection.socks[side], connection.flows[side]
            self._release(connection, side, flow.unacked)
            if key in self._hosts and not flow.gone:
                self._forget(key, sock)
                self._host(key).failed(key, sock, reason)

    def _flow(self, number: int, side: int) -> None:
        """The first segment of a flow arrives, or is lost and sent again."""
        connection = self._connections.get(number)
        if connection is None:
            return
        flow = connection.flows[side]
        due, data = flow.queue[0]
        now = self._clock.now
        if due > now:
            self.deliveries.send(due - now, ("flow", number, side))
            return
        if self.wires.any:
            wire = self._wire(connection, side)
            flow.sent += 1
            if wire.partition or self._lost(wire, connection, f"flow-{side}", flow.sent):
                if flow.tries >= RETRANSMIT_TRIES:
                    self._failed(number, TIMEOUT)
                    return
                pause = min(RETRANSMIT << flow.tries, RETRANSMIT_MAX)
                flow.tries += 1
                flow.queue[0] = [now + pause, data]
                self.deliveries.send(pause, ("flow", number, side))
                return
        flow.tries = 0
        del flow.queue[0]
        peer = 1 - side
        key, sock = connection.keys[peer], connection.socks[peer]
        attached = self._hosts.get(key)
        if attached is None or connection.flows[peer].gone:
            if data is not None:
                # A closed end answers what it is sent with a reset.
                self.deliveries.send(self._wire(connection, peer).latency, ("failed", number, RESET))
        elif data is None:
            self.kinds[attached.kind].closed(key, sock)
        else:
            self.kinds[attached.kind].received(key, sock, data)
        if data is None:
            self._tidy(number, connection)

    def _acked(self, number: int, side: int, count: int) -> None:
        connection = self._connections.get(number)
        if connection is None or connection.flows[side].gone:
            return
        key = connection.keys[side]
        if key in self._hosts:
            self._host(key).acked(key, connection.socks[side], count)

    def _datagram(self, ip: str, port: int, peer_ip: str, peer_port: int, data: str) -> None:
        self._datagrams -= 1
        for key in self._by_ip.get(ip, ()):
            if self._host(key).datagram_in(key, port, peer_ip, peer_port, data):
                return

    # ---- small things ----------------------------------------------------------------------------------

    def _endpoint(self, rule: Rule, packet: Packet, choose: Callable[[int], int]) -> tuple[str, int]:
        """One of a rule's endpoints: the one that the client had, where the Service wants that."""
        if rule.sticky:
            return self._affinities.endpoint(rule, packet, self._clock.now, choose)
        return rule.endpoints[choose(len(rule.endpoints))]

    def _wire(self, connection: Connection, side: int) -> Wire:
        """What lies between the sender of that side and its peer."""
        if not self.wires.any:
            return NONE
        return self.wires.between(connection.nodes[side], connection.nodes[1 - side])

    def _draw(self, connection: Connection, what: str, number: int = 0) -> Draw:
        """The chance of one packet of a connection, whatever else the network carries."""
        key, began = connection.keys[CLIENT], connection.began
        return self._chance.of(what, key, *connection.source, began, connection.tries, number)

    def _lost(self, wire: Wire, connection: Connection, what: str, number: int = 0) -> bool:
        return wire.loss > 0 and self._draw(connection, what, number).randrange(1_000) < wire.loss

    def _push(self, number: int, connection: Connection, side: int, data: str | None) -> None:
        """A segment leaves; it does not overtake those before it."""
        queue, now = connection.flows[side].queue, self._clock.now
        due = now + self._wire(connection, side).latency if self.wires.any else now
        if queue and queue[-1][0] > due:
            due = queue[-1][0]
        queue.append([due, data])
        self.deliveries.send(due - now, ("flow", number, side))

    def _end(self, number: int, connection: Connection, side: int) -> None:
        flow = connection.flows[side]
        if flow.ended:
            return
        flow.ended = True
        if connection.open:
            self._push(number, connection, side, None)
        elif side == CLIENT:
            # Given up before anybody answered.
            self._connections.pop(number, None)
            self._forget(connection.keys[CLIENT], connection.socks[CLIENT])

    def _release(self, connection: Connection, side: int, count: int) -> None:
        flow = connection.flows[side]
        count = min(count, flow.unacked)
        flow.unacked -= count
        key = connection.keys[side]
        if count and key in self._in_flight:
            self._in_flight[key] -= count

    def _tidy(self, number: int, connection: Connection) -> None:
        """Forgets a connection when both directions have ended and everything has arrived."""
        one, other = connection.flows
        if one.queue or other.queue or not ((one.ended or one.gone) and (other.ended or other.gone)):
            return
        if self._connections.pop(number, None) is None:
            return
        for side in (CLIENT, SERVER):
            self._release(connection, side, connection.flows[side].unacked)
            self._forget(connection.keys[side], connection.socks[side])

    def _number(self, key: str, sock: str) -> int | None:
        return self._ends[key].get(sock) if key in self._ends else None

    def _forget(self, key: str, sock: str) -> None:
        ends = self._ends.get(key)
        if ends is not None:
            ends.pop(sock, None)
            if not ends:
                del self._ends[key]

    def _host(self, key: str) -> Hosts:
        return self.kinds[self._hosts[key].kind]

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """JSON data; who is attached is not part of it: hosts attach themselves anew."""
        return {
            "wires": self.wires.state(),
            "serial": self._serial,
            "ports": list(self._ports.items()),
            "sent": list(self._sent.items()),
            "connections": [[number, *c.as_list()] for number, c in self._connections.items()],
            "nat": [[*key, *value] for key, value in self._nat.items()],
            "datagrams": self._datagrams,
            **({"affinities": affinities} if (affinities := self._affinities.state()) else {}),
            **self.deliveries.state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave. Hosts may attach before or after that."""
        self.wires.load(state["wires"])
        self._serial = state["serial"]
        self._ports = dict(state["ports"])
        self._connections = {number: Connection.from_list(rest) for number, *rest in state["connections"]}
        self._nat = {(a, b, c, d): (ip, port) for a, b, c, d, ip, port in state["nat"]}
        self._datagrams = state["datagrams"]
        self._affinities.load(state.get("affinities", []))
        self.deliveries.load(state)
        self._sent = dict(state["sent"])
        self._ends, self._in_flight = {}, {}
        for number, connection in self._connections.items():
            for side in (CLIENT, SERVER):
                key, flow = connection.keys[side], connection.flows[side]
                if key and not flow.gone:
                    self._ends.setdefault(key, {})[connection.socks[side]] = number
                    self._in_flight[key] = self._in_flight.get(key, 0) + flow.unacked

    def share(self, other: Network) -> None:
        """As ``load`` of what ``other`` would save; its hosts are ours as well."""
        self._hosts, self._by_ip = other._hosts.copy(), other._by_ip.copy()
        self.load(other.state())
