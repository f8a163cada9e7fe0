"""The two calls of etcd that are measured, over gRPC: unary KV.Put and the stream Watch.Watch."""

from __future__ import annotations

from bench.peers import PeerMissing
from bench.requests import connected

try:
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import DataReceived, StreamEnded
except ImportError:
    H2Connection = None


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    size, head = len(value), bytes([number << 3 | 2])
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + value


def _put(key: bytes, value: bytes) -> bytes:
    return _field(1, key) + _field(2, value)


class Etcd:
    """One connection."""

    def __init__(self, port: int, patience: float) -> None:
        """Raises PeerMissing without the package h2, which comes with the tests' requirements."""
        if H2Connection is None:
            raise PeerMissing(
                "the Python package h2 is needed to speak with etcd: pip install -r requirements-dev.txt"
            )
        self._sock = connected(port, patience)
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(1 << 30)
        self._flush()

    def put(self, key: bytes, value: bytes) -> None:
        self.send_put(key, value)
        self.answered()

    def send_put(self, key: bytes, value: bytes) -> None:
        self._send(b"/etcdserverpb.KV/Put", _put(key, value), last=True)

    def answered(self) -> None:
        """Until the answer of a put is there."""
        self._until(StreamEnded)

    def watch(self, key: bytes) -> None:
        """From now on; until etcd has said that it watches."""
        self._send(b"/etcdserverpb.Watch/Watch", _field(1, _field(1, key)), last=False)
        self._until(DataReceived)

    def heard(self) -> None:
        """Until an event is there."""
        self._until(DataReceived)

    def _send(self, path: bytes, message: bytes, last: bool) -> None:
        stream = self._h2.get_next_available_stream_id()
        headers = [
            (b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"etcd"),
            (b"content-type", b"application/grpc"), (b"te", b"trailers"),
        ]  # fmt: skip
        self._h2.send_headers(stream, headers)
        self._h2.send_data(stream, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=last)
        self._flush()

    def _flush(self) -> None:
        self._sock.sendall(self._h2.data_to_send())

    def _until(self, kind: type) -> None:
        while True:
            data = self._sock.recv(1 << 16)
            if not data:
                raise RuntimeError("etcd has hung up")
            events = self._h2.receive_data(data)
            for event in events:
                if isinstance(event, DataReceived) and event.flow_controlled_length:
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self._flush()
            if any(isinstance(event, kind) for event in events):
                return
