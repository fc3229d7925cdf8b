"""The two ends of soak/subscribers.sh: a source of events, and those who subscribe to it."""

import asyncio
import base64
import json
import os
import socket
import struct
import sys
import time


class Source:
    """Server-Sent Events on /ticks and /large, sent when /send asks for it; /count tells how many listen."""

    def __init__(self):
        self.listeners = {"/ticks": [], "/large": []}
        self.n = 0

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        if path in self.listeners:
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n:\n\n"
            )
            self.listeners[path].append(writer)
            await reader.read()
            self.listeners[path].remove(writer)
            return
        answer = {}
        if path.startswith("/send"):
            _, _, which, size = path.split("/")
            self.n += 1
            answer = {"n": self.n}
            event = f"data: {json.dumps({'n': self.n, 'text': 'x' * int(size)})}\n\n".encode()
            for listener in self.listeners["/" + which]:
                listener.write(event)
                await listener.drain()
        elif path == "/count":
            answer = {path: len(all) for path, all in self.listeners.items()}
        body = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()


async def ask(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: source\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def frame(message):
    """A client's frame (RFC 6455 section 5.2), with a mask that changes nothing."""
    data = json.dumps(message).encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
    return b"\x81" + length + b"\0\0\0\0" + data


class Subscriber:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, host, port, receive_buffer=None):
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 18)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /graphql HTTP/1.1\r\nhost: {host}:{port}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        it = cls(reader, writer)
        it.send({"type": "connection_init"})
        assert (await it.receive())["type"] == "connection_ack"
        return it

    def send(self, message):
        self.writer.write(frame(message))

    async def receive(self):
        """The next message; pings are answered. Messages may come in several frames."""
        whole = b""
        while True:
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            data = await self.reader.readexactly(length)
            code = first & 0x0F
            if code == 9:
                self.writer.write(bytes([0x8A, 0x80 | len(data)]) + b"\0\0\0\0" + data)
            elif code == 8:
                raise EOFError(data)
            elif code in (0, 1):
                whole += data
                if first & 0x80:
                    return json.loads(whole)

    def subscribe(self, field):
        query = f"subscription {{ {field} {{ n text }} }}"
        self.send({"type": "subscribe", "id": "1", "payload": {"query": query}})

    async def event(self, field):
        message = await self.receive()
        assert message["type"] == "next", message
        return message["payload"]["data"][field]["n"], time.monotonic()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


async def until(condition):
    while not await condition():
        await asyncio.sleep(0.05)


async def many(host, port, source, gateway, count):
    before = resident(gateway)
    subscribers = []
    for _ in range(0, count, 100):
        new = (Subscriber.connect(host, port) for _ in range(min(100, count - len(subscribers))))
        subscribers += await asyncio.gather(*new)
    connected = resident(gateway)
    for subscriber in subscribers:
        subscriber.subscribe("tick")
    # The stream is open when the first event reaches everybody; until then events may find fewer.
    await until(lambda: has_listeners(source, "/ticks"))
    await asyncio.sleep(2)
    slowest = 0.0
    for _ in range(20):
        started = time.monotonic()
        sent = (await ask(source, "/send/ticks/100"))["n"]
        received = await asyncio.gather(*(subscriber.event("tick") for subscriber in subscribers))
        assert {n for n, _ in received} == {sent}, "everybody gets each event once"
        slowest = max(slowest, max(at for _, at in received) - started)
    subscribed = resident(gateway)
    connections = (await ask(source, "/count"))["/ticks"]
    assert connections == 1, connections
    print(
        f"{count} subscribers, {connections} upstream connection: {(connected - before) / count:.1f} KiB "
        f"a socket, {(subscribed - before) / count:.1f} KiB a subscriber after 20 events "
        f"({before / 1024:.0f} -> {subscribed / 1024:.0f} MiB); the last of them has an event after "
        f"{slowest * 1000:.0f} ms at most"
    )
    for subscriber in subscribers:
        subscriber.writer.close()

    async def gone():
        return (await ask(source, "/count"))["/ticks"] == 0

    await until(gone)
    print("all gone: the upstream connection is closed")


async def has_listeners(source, path):
    return (await ask(source, "/count"))[path] > 0


async def slow(host, port, source):
    """How long 20 subscribers wait for an event, with and without one beside them that does not read."""
    times = {}
    for reads in (True, False):
        quick = [await Subscriber.connect(host, port) for _ in range(20)]
        other = await Subscriber.connect(host, port, receive_buffer=4096)
        for subscriber in [*quick, other]:
            subscriber.subscribe("large")
        await until(lambda: has_listeners(source, "/large"))
        await asyncio.sleep(0.5)
        if not reads:
            other.writer.transport.pause_reading()
        took = []
        for _ in range(300):
            started = time.monotonic()
            sent = (await ask(source, "/send/large/60000"))["n"]
            events = [subscriber.event("large") for subscriber in (quick + [other] if reads else quick)]
            received = await asyncio.gather(*events)
            assert {n for n, _ in received} == {sent}
            took.append(max(at for _, at in received) - started)
        times[reads] = sorted(took)
        if not reads:
            other.writer.transport.resume_reading()
            got = 0
            while (message := await other.receive())["payload"]["data"] is not None:
                got += 1
            error = message["payload"]["errors"][0]
            assert error["extensions"]["code"] == "EVENTS_LOST", error
            print(f"the one that did not read got {got} of 300 events, then: {error['message']}")
        for subscriber in [*quick, other]:
            subscriber.writer.close()
        await asyncio.sleep(0.5)
    median = {reads: took[150] * 1000 for reads, took in times.items()}
    print(f"20 others had each of 300 events of 60 kB after {median[True]:.1f} ms; beside it {median[False]:.1f} ms")


async def main():
    if sys.argv[1] == "upstream":
        server = await asyncio.start_server(Source().serve, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
    else:
        host, port = sys.argv[2].rsplit(":", 1)
        source, gateway, count = map(int, sys.argv[3:6])
        await slow(host, int(port), source)
        await many(host, int(port), source, gateway, count)


asyncio.run(main())
