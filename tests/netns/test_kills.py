# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes killed at random moments under load: nothing forbidden passes, all is back, nothing is left over."""

import collections
import itertools
import random
import signal
import time

import pytest

from lib import processes
from lib.gateway import QUEUES
from lib.net import Background
from lib.peers import EchoServer, SmtpSink, submit, tcp_talk
from lib.waiting import wait_until

CONFIG = """
service echo { tcp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
mail inbound { from internet; to lgwan; listen 25; domain city.example.lg.jp; next-hop 10.20.0.8; }
"""
MESSAGE = b"From: <taro@example.jp>\r\nSubject: test\r\n\r\ntext\r\n"
CORE = {"accounts", "audit", "config", "netfilter", "arbiter"}
ALL = sorted([*CORE, *["netfilter", "arbiter"] * (QUEUES - 1)])
SECONDS = 25


def load(net, topology, outcomes):
    """Mail and flows without a pause, permitted and forbidden ones."""
    zones = topology.zones

    def mails(stopping):
        while not stopping.is_set():
            try:
                submit(net, zones["internet"].namespace, zones["internet"].gateway4, "taro@example.jp",
                       "hanako@city.example.lg.jp", MESSAGE)
                outcomes["mail"] += 1
            except OSError:     # smtplib's errors among them: the peer keeps the mail
                outcomes["no mail"] += 1
                time.sleep(0.05)

    def flows(stopping):
        while not stopping.is_set():
            answer = tcp_talk(net, zones["mynumber"].namespace, zones["lgwan"].peer4, 7000, timeout=0.5)
            outcomes["flow" if answer else "no flow"] += 1
            if tcp_talk(net, zones["internet"].namespace, zones["lgwan"].peer4, 7000, timeout=0.1) is not None:
                outcomes["forbidden flow"] += 1

    return [Background(mails), Background(flows)]


def resting_descriptors(gateway):
    """How many the supervisor has between two of its tasks; None while it has one."""
    looks = []
    for _ in range(2):
        looks.append((processes.waits(gateway.pid), len(processes.descriptors(gateway.pid))))
        time.sleep(0.1)
    return looks[0][1] if looks[0] == looks[1] and looks[0][0] else None


@pytest.mark.limit(120)
def test_kills_at_random_moments_under_load(net, topology, make_gateway):
    chance = random.Random(2026)
    EchoServer(net, topology.zones["lgwan"].namespace, topology.zones["lgwan"].peer4, 7000)
    SmtpSink(net, topology.zones["lgwan"].namespace, topology.zones["lgwan"].peer4)
    gateway = make_gateway(CONFIG)
    wait_until(lambda: 'process-ready process="accounts"' in gateway.log(), "accounts, which starts behind the zones", 20)
    gateway.wait_reserve()
    descriptors = wait_until(lambda: resting_descriptors(gateway), "a supervisor that starts nobody")
    outcomes, killed = collections.Counter(), collections.Counter()
    parts = load(net, topology, outcomes)
    end, turns = time.monotonic() + SECONDS, itertools.cycle(x for role in chance.sample(sorted(CORE), len(CORE)) for x in (role, None))
    role = next(turns)      # None: whoever runs just now. Chance alone misses one of CORE in one run of two hundred.
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.1, 0.6))
        pids = gateway.pids(role) if role else gateway.pids() + gateway.reserve()
        for pid in chance.sample(pids, min(1, len(pids))):
            program = processes.program(pid)
            if program and processes.send(pid, signal.SIGKILL):
                killed[program] += 1
                role = next(turns)
    for part in parts:
        part.stop()
    assert outcomes["forbidden flow"] == 0
    assert outcomes["mail"] and outcomes["flow"] and set(killed) >= CORE, (outcomes, killed)
    assert "channel-violation" not in gateway.log()

    def settled():
        programs = [processes.program(pid) or "" for pid in gateway.pids()]
        return sorted(programs) == ALL and len(processes.descriptors(gateway.pid)) == descriptors
    wait_until(settled, "the processes and descriptors of the beginning", 20, 0.2)
    assert tcp_talk(net, topology.zones["mynumber"].namespace, topology.zones["lgwan"].peer4, 7000) == b"hello"
