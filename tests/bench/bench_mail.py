# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails through the whole gateway, flattened, against Postfix relaying the same mails untouched into the same sink.

    peer-internet (smtp-source, Postfix) --+-- gateway --+-- peer-lgwan (smtp-sink)
                                           +-- relay ----+
                                               (Postfix)

Under TLS the mails come from a Postfix that has them in its queue and is told where to take them: smtp-source knows no
TLS. Each connection brings one mail, so that every mail costs a handshake.
"""

import os
import pathlib
import re
import ssl
import time

from lib.certificates import Authority, put_slot
from lib.gateway import Gateway, config_text
from lib.mail_peers import Dialogue
from lib.net import Net, Topology, run
from lib.peers import Postfix
from lib.waiting import wait_until

from measure import Measure

MAILS = 600             # of one round
CONNECTIONS = 20
SECURED_MAILS = 400     # of one round under TLS
MAIL_BYTES = 20480
SINGLE = 150            # of one round of the delay
DELAY_LIMIT_S = 0.020   # of the 99th percentile
SESSION_MIB = 4         # that a connection may take, beside its message
MANY = 200              # connections

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


def program_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def private_kib(pid):
    """Memory that a process shares with nobody; 0 for one that has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


class Sink:
    """smtp-sink, and how many mails it has taken so far."""

    def __init__(self, net, namespace):
        self.process = net.popen(namespace, "smtp-sink", "-u", "nobody", "-c", "0.0.0.0:25", "400")
        net.wait_port(namespace, "127.0.0.1", 25)

    def count(self):
        found = re.findall(r"mesg=(\d+)", self.process.log()[-4096:])
        return int(found[-1]) if found else 0


def add_relay(net, zones, certificate):
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
                      "smtpd_client_connection_count_limit": "0",
                      "smtpd_tls_security_level": "may", "smtpd_tls_chain_files": certificate,
                      "smtpd_tls_session_cache_timeout": "0", "tls_ssl_options": "NO_TICKET",
                      "default_process_limit": "400", "default_destination_concurrency_limit": "100",
                      "initial_destination_concurrency": "20"})


class SecuredSource:
    """A Postfix that sends one mail a connection under TLS: mails wait in its queue until release() says where to."""

    def __init__(self, net, namespace, address):
        self.net, self.namespace = net, namespace
        settings = {
            "smtp_tls_security_level": "encrypt", "smtp_connection_cache_on_demand": "no",
            "smtp_bind_address": "0.0.0.0",
            "smtp_tls_session_cache_timeout": "0", "defer_transports": "smtp", "default_process_limit": "200",
            "smtp_destination_concurrency_limit": str(CONNECTIONS), "initial_destination_concurrency": str(CONNECTIONS),
            "smtp_destination_concurrency_failed_cohort_limit": "1000000", "queue_run_delay": "300s",
            "minimal_backoff_time": "300s", "maximal_backoff_time": "600s"}
        self.postfix = Postfix(net, namespace, address, "source.example.jp", relay="[127.0.0.9]:9", port=2525,
                               settings=settings)

    def fill(self, mail, count):
        self.net.run(self.namespace, "smtp-source", "-s", 10, "-m", count, "-F", mail, "-f", "sender@example.jp",
                     "-t", "user@city.example.lg.jp", f"{self.postfix.address}:2525", timeout=120)
        wait_until(lambda: len(self.postfix.queued()) >= count, "mails in the source's queue", 60, 0.2)

    def release(self, host):
        config = ["-c", self.postfix.config]
        self.net.run(self.namespace, "postconf", *config, "-e", f"relayhost=[{host}]", "defer_transports=")
        self.net.run(self.namespace, "postfix", *config, "reload", timeout=30)
        self.net.run(self.namespace, "postqueue", *config, "-f", timeout=30)

    def hold(self):
        config = ["-c", self.postfix.config]
        self.net.run(self.namespace, "postconf", *config, "-e", "defer_transports=smtp")
        self.net.run(self.namespace, "postfix", *config, "reload", timeout=30)


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
        authority = Authority()
        state = scratch / "state"
        put_slot(state, "mail", authority.issue("sekisho-test").read_text())
        add_relay(self.net, zones, authority.issue("relay.example.jp"))
        block = ("mail inbound { from internet; to lgwan; listen 25; domain city.example.lg.jp; "
                 f"next-hop {zones['lgwan'].peer4}; sessions 200; sessions-per-source 200; "
                 "tls { certificate mail; } }")
        self.gateway = Gateway(self.topology, config_text(self.topology, block), state=state)
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.secured = SecuredSource(self.net, self.source, zones["internet"].peer4)

    def rate(self, host):
        """Mails a second, from the first connection until the sink has all."""
        before, start = self.sink.count(), time.monotonic()
        self.net.run(self.source, "smtp-source", "-s", CONNECTIONS, "-m", MAILS, "-F", self.mail,
                     "-f", "sender@example.jp", "-t", "user@city.example.lg.jp", f"{host}:25", timeout=120)
        wait_until(lambda: self.sink.count() >= before + MAILS, f"{MAILS} mails at the sink", 120, 0.005)
        return MAILS / (time.monotonic() - start)

    def secured_rate(self, host):
        """Mails a second under TLS, a connection each, between the sink's first and last one of the round."""
        self.secured.fill(self.mail, SECURED_MAILS)
        before = self.sink.count()
        self.secured.release(host)
        wait_until(lambda: self.sink.count() > before, "the first mail", 60, 0.002)
        first, start = self.sink.count(), time.monotonic()
        wait_until(lambda: self.sink.count() >= before + SECURED_MAILS, "all mails at the sink", 120, 0.005)
        taken = time.monotonic() - start
        self.secured.hold()
        return (before + SECURED_MAILS - first) / taken

    def delay(self, host, share, secured=False):
        """One mail after the other on one connection: 1 / the time behind the final dot that `share` of them keep."""
        text = self.mail.read_bytes().replace(b"\n", b"\r\n") + b".\r\n"
        times = []
        with Dialogue(self.net, self.source, host) as peer:
            peer.reply()
            peer.ask("EHLO bench.example.jp")
            if secured:
                assert peer.ask("STARTTLS").startswith("220 ")
                peer.socket = self.context.wrap_socket(peer.socket)
                peer.ask("EHLO bench.example.jp")
            for _ in range(SINGLE):
                peer.ask("MAIL FROM:<sender@example.jp>")
                peer.ask("RCPT TO:<user@city.example.lg.jp>")
                peer.ask("DATA")
                start = time.monotonic()
                peer.send(text)
                assert peer.reply().startswith("250 ")
                times.append(time.monotonic() - start)
        return 1 / sorted(times)[int(len(times) * share)]

    def sessions_per_mib(self, host, connections, pids, processes):
        """Connections that each have brought a mail but for its final dot, in a MiB that no process shares.

        pids: a function that tells the processes of all connections; processes: how many of them a connection has.
        """
        held = [Dialogue(self.net, self.source, host) for _ in range(connections)]
        for peer in held:
            peer.open_data()
            peer.send(self.mail.read_bytes().replace(b"\n", b"\r\n"))
        wait_until(lambda: len(pids()) >= connections * processes, "the processes of all connections", 60, 0.1)
        kib = sum(private_kib(pid) for pid in pids())
        for peer in held:
            peer.socket.close()
        wait_until(lambda: not self.gateway.pids("mail-receiver") + self.gateway.pids("mail-sender"),
                   "the sessions to end", 60, 0.1)
        return connections * 1024 / kib

    def gateway_pids(self):
        return self.gateway.pids("mail-receiver") + self.gateway.pids("mail-sender")

    def relay_pids(self):
        """Of Postfix's processes those that a connection has: smtpd, and cleanup from the first recipient on."""
        found = run("ip", "netns", "pids", "relay").stdout.split()
        return [pid for pid in found if program_of(pid) in ("smtpd", "cleanup")]

    def close(self):
        self.gateway.stop()
        self.net.close()


def measures(scratch):
    bench = Bench(scratch)
    relay = "192.0.2.1"
    try:
        yield Measure(f"mails of 20 KB, {CONNECTIONS} connections", "mails/s", lambda: bench.rate(bench.front),
                      {"Postfix, unfiltered": lambda: bench.rate(relay)}, target=1.5)
        yield Measure("mails of 20 KB under TLS, a handshake each", "mails/s",
                      lambda: bench.secured_rate(bench.front),
                      {"Postfix, unfiltered": lambda: bench.secured_rate(relay)}, target=1.5)
        for secured, under in ((False, ""), (True, " under TLS")):
            yield Measure(f"reply to one mail{under}, 50 %", "1/s",
                          lambda s=secured: bench.delay(bench.front, 0.5, s),
                          {"Postfix, unfiltered": lambda s=secured: bench.delay(relay, 0.5, s)})
            yield Measure(f"reply to one mail{under}, 99 %", "1/s",
                          lambda s=secured: bench.delay(bench.front, 0.99, s),
                          {"20 ms": lambda: 1 / DELAY_LIMIT_S,
                           "Postfix, unfiltered": lambda s=secured: bench.delay(relay, 0.99, s)}, target=1.0)
        yield Measure(f"memory, {MANY} connections", "1/MiB",
                      lambda: bench.sessions_per_mib(bench.front, MANY, bench.gateway_pids, 2),
                      {f"{SESSION_MIB} MiB each": lambda: 1 / SESSION_MIB,
                       "1 connection": lambda: bench.sessions_per_mib(bench.front, 1, bench.gateway_pids, 2),
                       "Postfix, smtpd and cleanup":
                           lambda: bench.sessions_per_mib(relay, MANY, bench.relay_pids, 2)}, target=1.0)
    finally:
        bench.close()
