# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails through the whole gateway, flattened, against Postfix relaying the same mails untouched into the same sink.

    peer-internet (smtp-source) --+-- gateway --+-- peer-lgwan (smtp-sink)
                                  +-- relay ----+
                                      (Postfix)
"""

import re
import time

from lib.gateway import Gateway, config_text
from lib.mail_peers import Dialogue
from lib.net import Net, Topology
from lib.peers import Postfix
from lib.waiting import wait_until

from measure import Measure

MAILS = 600             # of one round
CONNECTIONS = 20
MAIL_BYTES = 20480
SINGLE = 150            # of one round of the delay
DELAY_LIMIT_S = 0.020   # of the 99th percentile, design/mail.md

HEADER = """\
From: <sender@example.jp>
To: <user@city.example.lg.jp>
Subject: =?UTF-8?B?5bqB5YaF44Gu44GK55+l44KJ44Gb?=
Date: Sun, 22 Nov 2026 09:00:00 +0900
Message-ID: <bench@example.jp>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

"""
LINE = "庁内の電話番号一覧を更新しました。次のとおり確認してください。\n"


def mail_text():
    lines = (MAIL_BYTES - len(HEADER)) // len(LINE.encode())
    return HEADER + LINE * lines


class Sink:
    """smtp-sink, and how many mails it has taken so far."""

    def __init__(self, net, namespace):
        self.process = net.popen(namespace, "smtp-sink", "-u", "nobody", "-c", "0.0.0.0:25", "400")
        net.wait_port(namespace, "127.0.0.1", 25)

    def count(self):
        found = re.findall(r"mesg=(\d+)", self.process.log()[-4096:])
        return int(found[-1]) if found else 0


def add_relay(net, zones):
    """Postfix between the two peers, on wires of its own."""
    net.namespace("relay")
    net.veth(zones["internet"].namespace, "relay", "relay", "in0")
    net.veth("relay", "out0", zones["lgwan"].namespace, "relay")
    net.address(zones["internet"].namespace, "relay", "192.0.2.2/24")
    net.address("relay", "in0", "192.0.2.1/24")
    net.address("relay", "out0", "198.51.100.1/24")
    net.address(zones["lgwan"].namespace, "relay", "198.51.100.2/24")
    Postfix(net, "relay", "192.0.2.1", "relay.example.jp", relay="[198.51.100.2]",
            settings={"inet_interfaces": "all", "smtpd_client_connection_rate_limit": "0",
                      "default_process_limit": "200", "default_destination_concurrency_limit": "100",
                      "initial_destination_concurrency": "20"})


class Bench:
    """What all rounds share."""

    def __init__(self, scratch):
        self.net = Net(scratch)
        self.topology = Topology(self.net)
        zones = self.topology.zones
        self.source = zones["internet"].namespace
        self.front = zones["internet"].gateway4
        self.sink = Sink(self.net, zones["lgwan"].namespace)
        self.mail = scratch / "mail"
        self.mail.write_text(mail_text())
        add_relay(self.net, zones)
        block = ("mail inbound { from internet; to lgwan; listen 25; domain city.example.lg.jp; "
                 f"next-hop {zones['lgwan'].peer4}; sessions 200; sessions-per-source 200; }}")
        self.gateway = Gateway(self.topology, config_text(self.topology, block))

    def rate(self, host):
        """Mails a second, from the first connection until the sink has all."""
        before, start = self.sink.count(), time.monotonic()
        self.net.run(self.source, "smtp-source", "-s", CONNECTIONS, "-m", MAILS, "-F", self.mail,
                     "-f", "sender@example.jp", "-t", "user@city.example.lg.jp", f"{host}:25", timeout=120)
        wait_until(lambda: self.sink.count() >= before + MAILS, f"{MAILS} mails at the sink", 120, 0.005)
        return MAILS / (time.monotonic() - start)

    def delay_p99(self, host):
        """One mail after the other on one connection: 1 / the 99th percentile of the time behind the final dot."""
        text = self.mail.read_bytes().replace(b"\n", b"\r\n") + b".\r\n"
        times = []
        with Dialogue(self.net, self.source, host) as peer:
            peer.reply()
            peer.ask("EHLO bench.example.jp")
            for _ in range(SINGLE):
                peer.ask("MAIL FROM:<sender@example.jp>")
                peer.ask("RCPT TO:<user@city.example.lg.jp>")
                peer.ask("DATA")
                start = time.monotonic()
                peer.send(text)
                assert peer.reply().startswith("250 ")
                times.append(time.monotonic() - start)
        return 1 / sorted(times)[int(len(times) * 0.99)]

    def close(self):
        self.gateway.stop()
        self.net.close()


def measures(scratch):
    bench = Bench(scratch)
    try:
        yield Measure("mails of 20 KB, 20 connections", "mails/s", lambda: bench.rate(bench.front),
                      {"Postfix, unfiltered": lambda: bench.rate("192.0.2.1")}, target=1.5)
        yield Measure("reply to one mail, 99 %", "1/s", lambda: bench.delay_p99(bench.front),
                      {"20 ms": lambda: 1 / DELAY_LIMIT_S,
                       "Postfix, unfiltered": lambda: bench.delay_p99("192.0.2.1")}, target=1.0)
    finally:
        bench.close()
