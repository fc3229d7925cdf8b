"""The upstream and the clients of isolation.sh.

    isolation.py upstream              prints its port, and serves until it is ended
    isolation.py clients URL UPSTREAM  asks, compares every answer, prints one line

Every request's id names the caller it belongs to, so that the upstream knows of each call whose it
is, whatever it is told of the caller. Only Python's own library is used.
"""

import asyncio, base64, hashlib, hmac, json, os, random, sys, time, urllib.parse

SECRET = b"one secret of thirty-two bytes or more"
REQUESTS = int(os.environ.get("REQUESTS", 10_000))
CONCURRENCY = int(os.environ.get("CONCURRENCY", 256))
CALLERS = int(os.environ.get("CALLERS", 200))
# What is kept comes to its end and is asked for anew while all the others ask.
CACHE_CONTROL = {
    "/account": "max-age=1",
    "/private": "private, max-age=60",
    "/rows": "max-age=2",
}


async def read_message(reader):
    """First line, headers by lower-case name (all values), body; None at the end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    headers = {}
    for line in head[1:-2]:
        name, value = line.split(":", 1)
        headers.setdefault(name.lower(), []).append(value.strip())
    if "transfer-encoding" in headers:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", ["0"])[0]))
    return head[0], headers, body


class Upstream:
    """Answers with whoever it is told asks, after a moment in which others ask."""

    def __init__(self):
        self.calls, self.mixed, self.asked, self.renewed = 0, [], set(), 0

    async def serve(self):
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def connected(self, reader, writer):
        while message := await read_message(reader):
            line, headers, _ = message
            path, _, query = line.split(" ")[1].partition("?")
            extra = ""
            if path == "/stats":
                body = {"calls": self.calls, "mixed": self.mixed, "renewed": self.renewed}
            else:
                body = self.answer(path, query, headers)
                if path in CACHE_CONTROL:
                    extra = f"cache-control: {CACHE_CONTROL[path]}\r\n"
                await asyncio.sleep(random.uniform(0.020, 0.200))
            text = json.dumps(body).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{extra}"
            writer.write(f"{head}content-length: {len(text)}\r\n\r\n".encode() + text)
            await writer.drain()
        writer.close()

    def answer(self, path, query, headers):
        self.calls += 1
        told = headers.get("x-user-id", [])
        (request_id,) = headers["x-request-id"]
        caller = request_id.split(".")[1]
        if told != ([caller] if caller != "nobody" else []) or "authorization" in headers:
            self.mixed.append(f"{path} of {request_id}: {told}")
        if path in CACHE_CONTROL:
            self.renewed += (path, query, caller) in self.asked
            self.asked.add((path, query, caller))
        owner = told[0] if told else None
        if path == "/rows":
            ids = urllib.parse.parse_qs(query)["id"]
            return [{"id": id, "owner": owner} for id in ids]
        return {"owner": owner}


def token(caller):
    """A bearer token (RFC 7519) of this caller."""
    encode = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=")
    claims = {"sub": caller, "exp": int(time.time()) + 3600}
    text = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    return (text + b"." + encode(hmac.digest(SECRET, text, hashlib.sha256))).decode()


# Queries, and how many calls each of them takes where nothing is kept.
QUERIES = [
    ("{ account { owner } private { owner } rows(ids: [1, 2, 3]) { owner } }", 3),
    ("{ rows(ids: [2, 3]) { owner } account { owner } }", 2),
    ("query($n: ID!) { fresh(n: $n) { owner } private { owner } }", 2),
    ("query($n: ID!) { rows(ids: [$n, 1]) { owner } }", 1),
]


def owners(answer):
    """Every owner that an answer names, wherever."""
    if isinstance(answer, dict):
        return [o for k, v in answer.items() for o in ([v] if k == "owner" else owners(v))]
    return [o for item in answer for o in owners(item)] if isinstance(answer, list) else []


class Clients:
    def __init__(self, url, upstream):
        self.address, self.upstream = url.split(":"), upstream
        self.tokens = {f"user-{n}": token(f"user-{n}") for n in range(CALLERS)}
        self.tokens["nobody"] = None
        self.wrong, self.fetches, self.chance = [], 0, random.Random(1)

    async def run(self):
        callers = list(self.tokens)
        # Everybody once, so that plans, answers and tokens are known.
        await self.ask_all([(f"warm-{n}", caller, n % 2) for n, caller in enumerate(callers)])
        before = (await self.stats())["calls"]
        self.fetches, started = 0, time.monotonic()
        await self.ask_all(
            [(n, self.chance.choice(callers), self.chance.randrange(6)) for n in range(REQUESTS)]
        )
        seconds, stats = time.monotonic() - started, await self.stats()
        calls, mixed, renewed = stats["calls"] - before, stats["mixed"], stats["renewed"]
        kept = self.fetches - calls
        print(
            f"{REQUESTS} requests of {len(callers)} callers, {CONCURRENCY} at once: "
            f"{len(self.wrong)} wrong answers, {len(mixed)} calls for another, "
            f"{calls} upstream calls, {renewed} of them for what had run out, "
            f"{kept} answers from what is kept or under way, {seconds:.1f} s"
        )
        for line in self.wrong[:5] + mixed[:5]:
            print(line, file=sys.stderr)
        # Where nothing is kept, or nothing of it runs out, nothing was tried.
        tried = kept >= REQUESTS / 10 and renewed > 0
        return 0 if tried and not self.wrong and not mixed else 1

    async def ask_all(self, asks):
        asks = iter(asks)
        await asyncio.gather(*(self.work(asks) for _ in range(CONCURRENCY)))

    async def work(self, asks):
        """One connection, over which callers ask in turn."""
        reader, writer = await asyncio.open_connection(*self.address)
        for number, caller, kind in asks:
            writer.write(self.request(number, caller, kind))
            message = await asyncio.wait_for(read_message(reader), 60)
            status, body = (message[0], message[2]) if message else ("", b"{}")
            self.compare(number, caller, status, json.loads(body))
        writer.close()

    def request(self, number, caller, kind):
        lines = ["host: shop", f"x-request-id: {number}.{caller}"]
        if self.tokens[caller]:
            lines.append(f"authorization: Bearer {self.tokens[caller]}")
        if self.chance.random() < 0.2:
            lines.append(f"x-user-id: user-{self.chance.randrange(CALLERS)}")
        if kind < len(QUERIES):
            query, fetches = QUERIES[kind]
            variables = {"n": f"n{number}"} if "$n" in query else {}
            body = json.dumps({"query": query, "variables": variables})
            start = "POST /graphql"
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        else:
            start, body, fetches = f"GET /api/plain/{number if kind == 4 else 1}", "", 1
        self.fetches += fetches
        return "\r\n".join([f"{start} HTTP/1.1", *lines, "", body]).encode()

    def compare(self, number, caller, status, answer):
        own = caller if caller != "nobody" else None
        found = owners(answer)
        if " 200 " not in status or "errors" in answer or not found or set(found) != {own}:
            self.wrong.append(f"{number} of {caller}: {status} {answer}")

    async def stats(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(b"GET /stats HTTP/1.1\r\nhost: upstream\r\n\r\n")
        _, _, body = await read_message(reader)
        writer.close()
        return json.loads(body)


if sys.argv[1] == "upstream":
    asyncio.run(Upstream().serve())
else:
    sys.exit(asyncio.run(Clients(*sys.argv[2:4]).run()))
