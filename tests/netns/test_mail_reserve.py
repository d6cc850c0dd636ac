# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes in reserve (ADR 0204): they hold nothing, serve once, and their loss costs no session anything."""

import os
import pathlib
import re
import signal
import time

import pytest

from lib import processes
from lib.gateway import RESERVED
from lib.mail_peers import Dialogue, OrderSink
from lib.peers import submit
from lib.waiting import wait_until

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
PLAIN = b"From: <taro@example.jp>\r\nTo: <hanako@city.example.lg.jp>\r\nSubject: test\r\n\r\ntext\r\n"
START_DEADLINE_S = 8    # of a process that does not begin: nobody may have waited for that


@pytest.fixture
def zones(topology):
    return topology.zones


@pytest.fixture
def sink(net, zones):
    return OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)


def mail_block(zones, domain="city.example.lg.jp"):
    return (f"mail inbound {{ from internet; to lgwan; listen 25; domain {domain}; "
            f"next-hop {zones['lgwan'].peer4}; }}")


def dialogue(net, zones):
    return Dialogue(net, zones["internet"].namespace, zones["internet"].gateway4)


def send(net, zones, recipient=TO):
    """The reply's code and how many seconds it all took."""
    start = time.monotonic()
    code = submit(net, zones["internet"].namespace, zones["internet"].gateway4, FROM, recipient, PLAIN)[0]
    return code, time.monotonic() - start


def test_reserve_holds_nothing_but_its_channels(net, zones, make_gateway):
    """Decision 2, Z14: confined like those that serve, before anybody connects; no policy, key or message is mapped."""
    gateway = make_gateway(mail_block(zones))
    for pid in gateway.wait_reserve():
        # It is known by its program from exec on, and locks itself as its first act.
        wait_until(lambda p=pid: processes.status(p)["Seccomp"] == "2", "a process in reserve to lock itself")
        status = processes.status(pid)
        assert status["NoNewPrivs"] == "1" and status["CapBnd"] == "0000000000000000"
        assert {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")} == set(range(5))
        assert "memfd:" not in pathlib.Path(f"/proc/{pid}/maps").read_text()
        assert os.listdir(f"/proc/{pid}/root/") == []
        assert os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat(f"/proc/{gateway.pid}/ns/net").st_ino


def test_reserve_serves_one_session_each(net, zones, sink, make_gateway):
    """Decision 2: whoever waited serves a session or a message and ends; the next one gets others."""
    gateway = make_gateway(mail_block(zones))
    first = set(gateway.wait_reserve())
    with dialogue(net, zones) as peer:
        assert peer.reply().startswith("220 ")
        serving = {gateway.wait_role("mail-receiver", seconds=20), gateway.wait_role("mail-sender", seconds=20)}
        assert serving < first
        assert peer.ask("QUIT").startswith("221 ")
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in serving), "the session's processes to end", 20)
    waiting = set(gateway.wait_reserve(other_than=serving))
    assert send(net, zones)[0] == 250
    # The session took a receiver and a sender, its message a flattener.
    assert len(waiting - set(gateway.wait_reserve())) == 3


def state_of(pid):
    return re.search(r"State:\t(.)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]


def test_reserve_that_is_killed_costs_no_session(net, zones, sink, make_gateway):
    """The supervisor is halted meanwhile, so that the connection is there as soon as it learns of the deaths."""
    gateway = make_gateway(mail_block(zones))
    for _ in range(3):
        waiting = gateway.wait_reserve()
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            for pid in waiting:
                os.kill(pid, signal.SIGKILL)
            for pid in waiting:
                wait_until(lambda p=pid: state_of(p) == "Z", "its death", 10)
            peer = dialogue(net, zones)
        finally:
            os.kill(gateway.pid, signal.SIGCONT)
        with peer:
            peer.open_data()
            peer.send(PLAIN + b".\r\n")
            assert peer.reply().startswith("250 ")
        gateway.wait_reserve(other_than=waiting)
    assert len(sink.messages()) == 3


def test_reserve_that_is_stopped_costs_no_session(net, zones, sink, make_gateway):
    """Nobody waits for one that cannot answer: it is ended, and a new process serves."""
    gateway = make_gateway(mail_block(zones))
    waiting = gateway.wait_reserve()
    for pid in waiting:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda p=pid: state_of(p) == "T", "it to stop", 10)
    code, seconds = send(net, zones)
    assert code == 250 and seconds < START_DEADLINE_S
    assert gateway.log().count('reason="was stopped in reserve"') == len(waiting)
    gateway.wait_reserve(other_than=waiting)
    assert len(sink.messages()) == 1


def test_reserve_obeys_the_policy_of_the_session(net, zones, sink, topology, make_gateway):
    """A process that was started under one policy serves under the one that runs when its session begins."""
    gateway = make_gateway(mail_block(zones))
    waiting = set(gateway.wait_reserve())
    with gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("configure")
        console.run("set mail inbound domain town.example.lg.jp")
        console.run("delete mail inbound domain city.example.lg.jp")
        assert "committed" in console.run("commit")
    assert set(gateway.reserve()) == waiting, "the reserve knows no policy: nothing to renew"
    assert send(net, zones, "hanako@town.example.lg.jp")[0] == 250
    with dialogue(net, zones) as peer:
        peer.reply()
        peer.ask("EHLO mx.example.jp")
        peer.ask(f"MAIL FROM:<{FROM}>")
        assert peer.ask(f"RCPT TO:<{TO}>").startswith("550 ")


def test_reserve_is_kept_only_where_there_is_mail(net, zones, make_gateway):
    gateway = make_gateway(mail_block(zones))
    gateway.wait_reserve()
    with gateway.console() as console:
        console.expect(console.PROMPT)
        assert console.run("show processes").count(" reserve ") == sum(RESERVED.values())
        console.run("configure")
        console.run("delete mail inbound")
        assert "committed" in console.run("commit")
    wait_until(lambda: not gateway.reserve(), "the reserve to end", 20)
    assert "process-died" not in gateway.log()
