# SPDX-License-Identifier: GPL-2.0-or-later
"""The processes that hold connections to syslog servers (ADR 811): locked up, killed at any moment, and what a hostile server reaches.

    audit (the log, no socket)  <--link-->  log-sender  --UDP, TCP, TLS-->  10.20.0.21, .22, .23 in peer-lgwan
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import signal
import socket
import time

import pytest

from lib import processes
from lib.certificates import Authority, put_slot
from lib.log_server import NAME, TLS_PORT, in_order, received_log, start_log_server, start_log_servers, wait_caught_up
from lib.logs import verify
from lib.net import Background
from lib.peers import udp_talk
from lib.waiting import wait_until

HANDSHAKE_RECORD, ALERT_RECORD, TLS_1_2 = b"\x16", b"\x15", b"\x03\x03"
WARNING, USER_CANCELLED = 1, 90
RECORD_BYTES = 16384
HANDED_OVER_SECONDS = 1.5     # the log is brought to the disk each second, and then handed over
SERVER_HELLO, CERTIFICATE = 2, 11
LIBC, SYS_PIDFD_GETFD = ctypes.CDLL(None, use_errno=True), 438
LINK_BROKEN = 'reason="broke the rules of its link"'
HELD_MOST = 5                 # two that leave, the one behind them, the next, and one that is being ended (src/supervisor/log_senders.c)
ENDED = (" process-killed ", 'process="log-sender"', 'reason="took too long"')


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    return path


def some_events(net, topology, count=5):
    for port in range(count):
        udp_talk(net, "peer-internet", topology.zones["lgwan"].peer4, 9000 + port, timeout=0.05)


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def descriptors(pid):
    """What each open descriptor of a process is, as the kernel names it."""
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]


def sockets_in(net, namespace):
    """The sockets of IP in a network namespace, named as descriptors of a process are."""
    tables = net.run(namespace, "cat", "/proc/self/net/tcp", "/proc/self/net/udp").stdout.splitlines()
    return {f"socket:[{line.split()[9]}]" for line in tables if ":" in line.split()[0]}


def each_caught_up(gateway, servers):
    for server in servers:
        wait_caught_up(gateway, server, 60)
        in_order(server.lines())


def wait_senders(gateway, servers, gone=()):
    """The log-senders, one for each server, none of them among `gone`."""
    def others():
        pids = [pid for pid in gateway.pids("log-sender") if pid not in gone]
        return len(pids) == len(servers) and pids
    return wait_until(others, "a log-sender for each server", 30)


def check_confined(gateway, audit, sender, of_zone):
    """Own uid, no capability, seccomp, no new privileges, empty root and namespace, one socket of the zone and no file of the state."""
    status = status_of(sender)
    assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == "0000000000000000"
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    assert "0" not in status["Uid"].split() and set(status["Uid"].split()).isdisjoint(status_of(audit)["Uid"].split())
    assert os.listdir(f"/proc/{sender}/root") == []
    devices = pathlib.Path(f"/proc/{sender}/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    assert all(line.strip().startswith("lo:") for line in devices)
    files = [name for name in descriptors(sender) if name.startswith("/") and name != "/dev/null"]
    assert not [name for name in files if str(gateway.state) in name], "keys are closed behind the session, the log was never there"
    assert len(of_zone.intersection(descriptors(sender))) == 1


@pytest.mark.limit(90)
def test_log_sender_holds_the_socket_and_goes_behind_its_link(net, topology, make_gateway, state):
    """Each holds the socket to its one server, and nothing of the log, whose files are audit's. One that stands still, or was taken over,
    keeps no socket that audit does not want: here audit itself is another."""
    servers, system = start_log_servers(net, topology, state)
    gateway = make_gateway("", system=system, state=state)
    each_caught_up(gateway, servers)
    senders = wait_senders(gateway, servers)
    [audit] = gateway.pids("audit")
    of_zone = sockets_in(net, gateway.zone_namespace("lgwan"))
    assert of_zone.isdisjoint(descriptors(audit))
    for sender in senders:
        check_confined(gateway, audit, sender, of_zone)
    assert len(of_zone.intersection(sum(map(descriptors, senders), []))) == len(servers), "each has one of its own"
    assert set(gateway.kill("log-sender", signal.SIGSTOP)) == set(senders)
    gateway.kill("audit")
    wait_until(lambda: sum(all(part in line for part in ENDED) for line in gateway.audit_lines()) == len(servers), "each to be ended", 30)
    wait_senders(gateway, servers, senders)
    each_caught_up(gateway, servers)


@pytest.mark.limit(120)
def test_log_sender_killed_loses_and_reorders_nothing(net, topology, make_gateway, state):
    """kill -9 of all log-senders while they hold records that they have not written: they are handed to others, in order."""
    servers, system = start_log_servers(net, topology, state)
    gateway = make_gateway("", system=system, state=state)
    each_caught_up(gateway, servers)
    for _ in range(3):
        gone = gateway.kill("log-sender", signal.SIGSTOP)
        assert len(gone) == len(servers)
        some_events(net, topology, 3)
        time.sleep(HANDED_OVER_SECONDS)
        assert set(gateway.kill("log-sender")) == set(gone)
        some_events(net, topology, 3)
        wait_senders(gateway, servers, gone)
        each_caught_up(gateway, servers)
    gateway.wait_event(" process-died ", 'process="log-sender"')
    gateway.stop()
    for server in servers:
        verify(next(iter(gateway.state.glob("**/*.log"))).parent, received_log(server))


@pytest.mark.limit(60)
def test_log_sender_calls_nobody_else_with_its_socket(net, topology, make_gateway, state):
    """A connection that its peer has reset is a socket like a new one, and sendto() could connect it to another peer that the zone's
    rules let the gateway reach: TCP Fast Open, which needs no connect(), is off in a zone."""
    servers, system = start_log_servers(net, topology, state)
    gateway = make_gateway("", system=system, state=state)
    each_caught_up(gateway, servers)
    zone, other = gateway.zone_namespace("lgwan"), ("10.20.0.23", TLS_PORT)
    net.connect(zone, *other).close()   # the rules let it
    with net.socket(zone) as reset, pytest.raises(OSError) as refused:
        reset.sendto(b"x", socket.MSG_FASTOPEN, other)
    assert refused.value.errno == errno.EOPNOTSUPP


def steal(pid, number):
    """The socket that is the descriptor `number` of another process."""
    holder = os.pidfd_open(pid)
    try:
        got = LIBC.syscall(SYS_PIDFD_GETFD, holder, number, 0)
        assert got >= 0, os.strerror(ctypes.get_errno())
        return socket.socket(fileno=got)
    finally:
        os.close(holder)


def break_link(pid):
    """Say to audit, on the link that came behind the other channels, what nobody may say."""
    numbers = sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd") if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"))
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(steal(pid, number)) for number in numbers]
        [one for one in sockets if one.family == socket.AF_UNIX][-1].send(b"nothing")


@pytest.mark.limit(90)
def test_log_sender_that_breaks_its_links_and_stays_is_not_gathered(net, topology, make_gateway, state):
    """A server that takes one log-sender after the other over holds a few of them at a time, however fast it goes on, and loses no record."""
    server, system = start_log_server(net, state, "tcp")
    gateway = make_gateway("", system=system, state=state)
    held = []
    for turn in range(8):
        wait_caught_up(gateway, server, 60)
        [sender] = wait_until(lambda: [pid for pid in gateway.pids("log-sender") if pid not in held], "another log-sender", 30)
        processes.send(sender, signal.SIGSTOP)
        break_link(sender)
        held.append(sender)
        wait_until(lambda turn=turn: sum(LINK_BROKEN in line for line in gateway.audit_lines()) > turn, "the link to be ended", 30)
        assert len(gateway.pids("log-sender")) <= HELD_MOST
    wait_caught_up(gateway, server, 60)
    in_order(server.lines())


# ---- a hostile server

def garbage():
    """What is no TLS at all."""
    while True:
        yield os.urandom(4096)


def records(message):
    """A message of the handshake in records of the largest size."""
    while True:
        piece, message = message[:RECORD_BYTES], message[RECORD_BYTES:]
        if not piece:
            return
        yield HANDSHAKE_RECORD + TLS_1_2 + len(piece).to_bytes(2, "big") + piece


def endless_warnings():
    """Alerts that end nothing, one behind the other, for ever."""
    while True:
        yield (ALERT_RECORD + TLS_1_2 + (2).to_bytes(2, "big") + bytes([WARNING, USER_CANCELLED])) * 256


def slow_hello():
    """A ServerHello of which an octet comes now and then."""
    yield HANDSHAKE_RECORD + TLS_1_2 + (512).to_bytes(2, "big") + bytes([SERVER_HELLO]) + (508).to_bytes(3, "big") + TLS_1_2
    while True:
        time.sleep(0.2)
        yield b"\x00"


def huge_chain():
    """A ServerHello of TLS 1.2, then 16 MiB of certificates."""
    hello = TLS_1_2 + bytes(32) + b"\x00" + b"\xc0\x2b" + b"\x00"
    yield from records(bytes([SERVER_HELLO]) + len(hello).to_bytes(3, "big") + hello)
    one = (1 << 16).to_bytes(3, "big") + bytes(1 << 16)
    chain = one * 250
    yield from records(bytes([CERTIFICATE]) + (len(chain) + 3).to_bytes(3, "big") + len(chain).to_bytes(3, "big") + chain)


class HostileServer:
    """Answers each connection with what `says` gives, until the other side has had enough."""

    def __init__(self, net, address, says):
        self.address, self.says, self.calls = address, says, 0
        self.listener = net.socket("peer-lgwan", socket.AF_INET, socket.SOCK_STREAM, timeout=0.1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, TLS_PORT))
        self.listener.listen(4)
        self.part = Background(self._serve)
        net.on_close(self.stop)

    def statement(self):
        return f"server {self.address} {{ transport tls; ca log-ca; name {NAME}; }}"

    def _serve(self, stopping):
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                raw, _ = self.listener.accept()
                self.calls += 1
                with raw:
                    raw.settimeout(1)
                    for piece in self.says():
                        raw.sendall(piece)
                        if stopping.is_set():
                            return

    def stop(self):
        self.part.stop()
        self.listener.close()


@pytest.mark.limit(120)
def test_log_sender_bears_what_hostile_servers_say(net, topology, make_gateway, state):
    """They cost one log-sender after the other: audit is the same process, answers, and records; the log says why nothing is sent."""
    put_slot(state, "log-ca", Authority().pem, "authority")
    hostile = []
    for host, says in enumerate((garbage, endless_warnings, slow_hello, huge_chain), start=31):
        net.address("peer-lgwan", topology.DEVICE, f"10.20.0.{host}/24")
        hostile.append(HostileServer(net, f"10.20.0.{host}", says))
    servers = " ".join(server.statement() for server in hostile)
    gateway = make_gateway("", system=f"syslog {{ zone lgwan; {servers} }}", state=state)
    audit = gateway.pids("audit")
    for server in hostile:
        gateway.wait_event(" syslog-tls-failed ", f'server="{server.address}-{TLS_PORT}"', seconds=30)
    wait_until(lambda: all(server.calls >= 2 for server in hostile), "another try at each", 60)
    before = len(gateway.audit_lines())
    some_events(net, topology)
    wait_until(lambda: len(gateway.audit_lines()) > before, "a record of what happens meanwhile", 30)
    assert gateway.pids("audit") == audit
    assert not [line for line in gateway.audit_lines() if " syslog-tls " in line or " process-died " in line]
    gateway.stop()
    verify(next(iter(gateway.state.glob("**/*.log"))).parent)
