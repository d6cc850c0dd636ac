# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail ledger: a load sender and a next hop that each write down every message id, so that both ends can be compared.

    python3 -m lib.mail_load sink ADDRESS PORT LEDGER [--trouble SHARE] [--seed N] [--keep DIRECTORY] [--certificate PEM]
    python3 -m lib.mail_load send ADDRESS PORT LEDGER --count N --at-once N [--seed N] [--patience SECONDS]
                             [--authority PEM --name HOST]

With --certificate the sink takes mail under TLS only; with --authority the sender says MAIL only under TLS that it has verified.

The ledgers are lines of JSON. The sink's: {"id", "whole", "told"}: a message that was taken; whether it is complete;
whether 250 was said for it. The sender's: {"id", "code", "stage"}: how one attempt ended; code 0 is a lost connection.

What the sink does is chosen by the local part of a sender or recipient, "at-STAGE-CODE", "at-STAGE-CODE-ENHANCED" or
"at-STAGE-drop" (STAGE: mail, rcpt, data, dot), or by chance with --trouble.
"""

import argparse
import asyncio
import json
import random
import re
import ssl
import sys

TOKEN = re.compile(rb"ledger-id=(\d+)")
END = re.compile(rb"ledger-end=(\d+)")
ORDER = re.compile(r"<at-(mail|rcpt|data|dot)-(?:drop|(\d{3})(?:-(\d\.\d+\.\d+))?)@")

TEXT = """\
From: =?UTF-8?B?5biC5b255omA?= <sender@example.jp>
To: <%(recipient)s>
Subject: ledger %(id)d
Date: Sun, 22 Nov 2026 09:00:00 +0900
Message-ID: <ledger-%(id)d@example.jp>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

ledger-id=%(id)d
%(filling)s
ledger-end=%(id)d
"""


class Ledger:
    """Lines that are on the file before anybody is told of what they record."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="ascii")

    def write(self, **record):
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()


# ---- the next hop ----

DROP = "drop"


class Dropped(Exception):
    """The sink closes this connection on purpose."""


class Session:
    """One SMTP session of the sink."""

    def __init__(self, sink, reader, writer):
        self.sink, self.reader, self.writer = sink, reader, writer
        self.orders = {}
        self.plain = sink.context is not None  # and so not to be trusted with mail yet

    async def say(self, text):
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def refused(self, stage):
        """What is to happen at this stage by order or by chance; whether that was said instead of yes."""
        order = self.orders.pop(stage, None) or self.sink.chance(stage)
        if order == DROP:
            raise Dropped
        if order:
            await self.say(f"{order} as ordered")
        return bool(order)

    def take_order(self, line):
        found = ORDER.search(line)
        if found:
            stage, code, enhanced = found.groups()
            self.orders[stage] = f"{code} {enhanced or code[0] + '.0.0'}" if code else DROP

    async def data(self):
        if await self.refused("data"):
            return
        await self.say("354 go")
        text = await self.reader.readuntil(b"\r\n.\r\n")
        if await self.refused("dot"):
            return
        told = not self.sink.happens("untold")
        self.sink.take(text, told)
        if not told:
            raise Dropped
        await self.say("250 2.0.0 taken")

    async def command(self, line):
        """Serve one command; return whether the session goes on."""
        verb = line[:4].upper()
        if verb == "EHLO":
            offer = "250-STARTTLS\r\n" if self.plain else ""
            await self.say(f"250-sink\r\n{offer}250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 20000000")
        elif verb == "STAR" and self.plain:
            await self.say("220 go")
            await asyncio.wait_for(self.writer.start_tls(self.sink.context), 60)
            self.plain = False
        elif verb in ("MAIL", "RCPT", "DATA") and self.plain:
            await self.say("530 5.7.0 not in plain text")
        elif verb in ("MAIL", "RCPT"):
            self.take_order(line)
            if not await self.refused(verb.lower()):
                await self.say("250 2.1.0 ok")
        elif verb == "DATA":
            await self.data()
        elif verb == "QUIT":
            await self.say("221 2.0.0 bye")
        else:
            self.orders.clear()
            await self.say("250 2.0.0 ok")
        return verb != "QUIT"

    async def run(self):
        try:
            await self.say("220 sink ESMTP")
            while line := await self.reader.readline():
                if not await self.command(line.decode("ascii", "replace").rstrip()):
                    break
        except (Dropped, OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.writer.close()


class Sink:
    """The next hop. Trouble: the share of commands that meet a 4xx or a lost connection."""

    def __init__(self, options):
        self.ledger = Ledger(options.ledger)
        self.random = random.Random(options.seed)
        self.trouble, self.keep = options.trouble, options.keep
        self.taken = 0
        self.context = None
        if options.certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options.certificate)

    def happens(self, _what):
        return self.random.random() < self.trouble

    def chance(self, stage):
        if not self.happens(stage):
            return None
        return self.random.choice([DROP, "451 4.0.0", "421 4.0.0" if stage != "dot" else "452 4.0.0"])

    def take(self, text, told):
        token, end = TOKEN.search(text), END.search(text)
        whole = bool(token and end and token[1] == end[1])
        self.taken += 1
        if self.keep:
            with open(f"{self.keep}/{self.taken:05}.eml", "wb") as out:
                out.write(text[:-3])
        self.ledger.write(id=int(token[1]) if token else -1, whole=whole, told=told)

    async def serve(self, options):
        async def session(reader, writer):
            await Session(self, reader, writer).run()
        server = await asyncio.start_server(session, options.address, options.port, limit=32 << 20, backlog=512)
        print("listening", flush=True)
        async with server:
            await server.serve_forever()


# ---- the sender ----

class Attempt(Exception):
    """The attempt ended: code (0: connection lost) and stage."""

    def __init__(self, code, stage):
        super().__init__(code, stage)
        self.code, self.stage = code, stage


async def reply(reader, stage, wanted):
    """Read one reply; raise Attempt unless its first digit is the wanted one."""
    try:
        while True:
            line = await asyncio.wait_for(reader.readline(), 60)
            if not line:
                raise Attempt(0, stage)
            if line[3:4] != b"-":
                break
    except (ConnectionError, TimeoutError) as lost:
        raise Attempt(0, stage) from lost
    if line[:1] != wanted:
        raise Attempt(int(line[:3]), stage)


class Sender:
    """Sends N messages, some at once, each until it is taken or refused for good."""

    def __init__(self, options):
        self.options = options
        self.ledger = Ledger(options.ledger)
        self.random = random.Random(options.seed)
        self.left = list(range(options.count))
        self.end = None
        self.context = ssl.create_default_context(cafile=options.authority) if options.authority else None

    def message(self, number):
        recipient = "at-rcpt-550@city.example.lg.jp" if number % 40 == 7 else f"user{number % 9}@city.example.lg.jp"
        filling = "\n".join("庁内の電話番号一覧を更新しました。" * 3 for _ in range(self.random.randrange(1, 40)))
        text = TEXT % {"id": number, "recipient": recipient, "filling": filling}
        return recipient, text.replace("\n", "\r\n").encode()

    async def say(self, writer, stage, data):
        try:
            writer.write(data)
            await asyncio.wait_for(writer.drain(), 60)
        except (ConnectionError, TimeoutError) as lost:
            raise Attempt(0, stage) from lost

    async def secure(self, reader, writer):
        """Verified TLS, and not one command of a mail before it."""
        await self.say(writer, "starttls", b"STARTTLS\r\n")
        await reply(reader, "starttls", b"2")
        try:
            await asyncio.wait_for(writer.start_tls(self.context, server_hostname=self.options.name), 60)
        except ssl.SSLCertVerificationError:
            raise  # no trouble of this test makes another certificate
        except (OSError, TimeoutError) as lost:
            raise Attempt(0, "tls") from lost
        await self.say(writer, "ehlo", b"EHLO load.example.jp\r\n")
        await reply(reader, "ehlo", b"2")

    async def dialogue(self, reader, writer, number):
        recipient, text = self.message(number)
        await reply(reader, "greeting", b"2")
        await self.say(writer, "ehlo", b"EHLO load.example.jp\r\n")
        await reply(reader, "ehlo", b"2")
        if self.context:
            await self.secure(reader, writer)
        steps = [("mail", b"MAIL FROM:<sender@example.jp> BODY=8BITMIME\r\n", b"2"),
                 ("rcpt", f"RCPT TO:<{recipient}>\r\n".encode(), b"2"), ("data", b"DATA\r\n", b"3"),
                 ("dot", text + b".\r\n", b"2")]
        for stage, data, wanted in steps:
            await self.say(writer, stage, data)
            await reply(reader, stage, wanted)
        raise Attempt(250, "dot")

    async def attempt(self, number):
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(self.options.address, self.options.port), 20)
        except (OSError, TimeoutError):
            return Attempt(0, "connect")
        try:
            await self.dialogue(reader, writer, number)
        except Attempt as ended:
            if ended.code == 250:
                writer.write(b"QUIT\r\n")
            return ended
        finally:
            writer.close()
        raise AssertionError("a dialogue ends with an Attempt")

    async def worker(self):
        while self.left and asyncio.get_running_loop().time() < self.end:
            number = self.left.pop()
            ended = await self.attempt(number)
            self.ledger.write(id=number, code=ended.code, stage=ended.stage)
            if ended.code // 100 not in (2, 5):
                self.left.insert(0, number)
                await asyncio.sleep(self.random.uniform(0.02, 0.2))

    async def run(self):
        self.end = asyncio.get_running_loop().time() + self.options.patience
        await asyncio.gather(*(self.worker() for _ in range(self.options.at_once)))
        return 1 if self.left else 0


def parse(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["sink", "send"])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("ledger")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trouble", type=float, default=0.0)
    parser.add_argument("--keep")
    parser.add_argument("--certificate")
    parser.add_argument("--authority")
    parser.add_argument("--name")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--patience", type=float, default=180.0)
    return parser.parse_args(argv)


def main(argv):
    options = parse(argv)
    if options.what == "sink":
        asyncio.run(Sink(options).serve(options))
        return 0
    return asyncio.run(Sender(options).run())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
