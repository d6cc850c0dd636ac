# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit log and syslog with real syslog servers (L1): gapless, in order, through absences and kills.

What is special about TLS is in test_audit_tls.py.
"""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import time

import pytest

from lib.log_server import (ADDRESS, SERVERS, in_order, numbers, received_log, send_by, start_log_server,
                            wait_caught_up)
from lib.logs import SEKISHO, Log, records, verify
from lib.net import run
from lib.peers import EchoServer, tcp_talk, udp_talk
from lib.waiting import PATIENCE_SECONDS, wait_until

TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
KINDS = pytest.mark.parametrize("kind", list(SERVERS))
PERMIT = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; log; } }
"""


def log_directory(gateway):
    return next(iter(gateway.state.glob("**/*.log"))).parent


def verify_log(gateway, *copy):
    return verify(log_directory(gateway), *copy)


def some_events(net, topology, count=5):
    """Each of these flows is refused by its own event or counted in one."""
    zone = topology.zones["internet"]
    for port in range(count):
        udp_talk(net, zone.namespace, topology.zones["lgwan"].peer4, 9000 + port, timeout=0.05)


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    return path


def test_audit_log_is_whole_and_readable(net, topology, make_gateway):
    EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
    gateway = make_gateway(PERMIT, system="retention 30d;")
    gateway.wait_event("log-reach", 'reach-days="0" keep-days="30"')
    assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
    some_events(net, topology)
    gateway.wait_event("flow-permitted", "10.10.0.5")
    gateway.stop()
    assert verify_log(gateway).startswith("whole: records 1 to ")


def device_key(gateway, path):
    """The public key that the console shows, in a file."""
    shown = ask(gateway, "show device-key").replace("\r", "")
    path.write_text(re.search(r"(?s)-----BEGIN PUBLIC KEY-----.*-----END PUBLIC KEY-----\n", shown)[0])
    return path


def seal_anew(directory, old, new):
    """Alter the first record that has `old` and seal the log anew, as whoever owns the disk can."""
    digest, altered = bytes(32), False
    for path in sorted(directory.glob("*.log")):
        lines = []
        for line in path.read_bytes().splitlines():
            body = line[:-len(b" sha256=") - 64]
            if not altered and old in body:
                body, altered = body.replace(old, new), True
            digest = hashlib.sha256(digest + body).digest()
            lines.append(body + b" sha256=" + digest.hex().encode() + b"\n")
        path.write_bytes(b"".join(lines))
    assert altered


def test_audit_anchors_the_log_with_the_device_key(make_gateway, tmp_path):
    """L1: signed at each start and each orderly end, by the same key; an alteration that was sealed anew is named."""
    gateway = make_gateway(PERMIT)
    key = device_key(gateway, tmp_path / "device.pub")
    pid = gateway.kill("audit")
    gateway.wait_answering("audit", other_than=pid, seconds=10)
    assert device_key(gateway, tmp_path / "again.pub").read_text() == key.read_text()
    gateway.stop()
    directory = log_directory(gateway)
    said = verify(directory, "--key", key)
    assert "3 times" in said and said.endswith("as expected")
    secret = gateway.state / "device" / "device-key"
    assert (secret.stat().st_mode & 0o777, secret.parent.stat().st_mode & 0o077) == (0o600, 0)
    seal_anew(directory, b"policy-applied", b"policy-refused")
    verify_anew = subprocess.run([SEKISHO, "verify-log", directory], capture_output=True, text=True, timeout=60, check=False)
    assert verify_anew.returncode == 1
    assert "the anchor is of another log: records before it were altered" in verify_anew.stdout


def test_audit_without_a_whole_key_says_so_and_makes_another(make_gateway, tmp_path):
    """L1, L4: a damaged key is never used; the log names the new one."""
    state = tmp_path / "state"
    first = make_gateway(PERMIT, state=state)
    old = device_key(first, tmp_path / "old.pub").read_text()
    first.stop()
    secret = state / "device" / "device-key"
    secret.write_bytes(secret.read_bytes()[:-1] + b"x")
    second = make_gateway(PERMIT, state=state)
    second.wait_event("device-key-made", "the one before was damaged")
    assert device_key(second, tmp_path / "new.pub").read_text() != old


def ask(gateway, *commands):
    """What a console shows for the last of these commands; it has ended by then, for there are only a few."""
    console = gateway.open_console()
    shown = [console.run(command) for command in commands]
    gateway.hang_up(console)
    return shown[-1]


def alarms(gateway, language="en"):
    return ask(gateway, f"terminal language {language}", "show alarms")


def test_audit_shows_what_is_wrong_until_it_is_right(make_gateway):
    """Z12: an alarm stands from its event on, over a restart of audit, in both languages, until the event that ends it."""
    gateway = make_gateway(PERMIT)
    assert "zone-isolated" not in alarms(gateway)
    ask(gateway, "isolate zone internet")
    wait_until(lambda: "zone-isolated  internet" in alarms(gateway), "the alarm", 10)
    kept = log_directory(gateway) / "alarms"
    wait_until(lambda: kept.exists() and b"zone-isolated" in kept.read_bytes(), "the alarm on the disk", 10)
    pid = gateway.kill("audit")
    gateway.wait_answering("audit", other_than=pid, seconds=10)
    shown = alarms(gateway, "ja")
    assert "zone-isolated  internet" in shown and "復旧は restore zone で行います。" in shown
    ask(gateway, "restore zone internet")
    wait_until(lambda: "zone-isolated" not in alarms(gateway), "the end of the alarm", 10)


def test_audit_source_is_the_channel(make_gateway):
    """Every record names a process of the gateway as its source."""
    gateway = make_gateway(PERMIT)
    gateway.wait_event("log-opened")
    sources = {line.split()[4].partition("/")[0] for line in gateway.audit_lines()}
    assert {"audit", "supervisor"} <= sources
    assert sources <= {"audit", "supervisor", "netfilter", "arbiter", "config", "console"}


@KINDS
@TRANSPORTS
@pytest.mark.limit(90)
def test_syslog_gets_every_record_in_order(net, topology, make_gateway, state, transport, kind):
    syslog, system = start_log_server(net, state, transport, kind)
    gateway = make_gateway(PERMIT, system=system, state=state)
    some_events(net, topology, 20)
    wait_caught_up(gateway, syslog)
    assert in_order(syslog.lines())[0] == 1
    assert list(records(syslog.lines()).values())[:5] == gateway.audit_lines()[:5]
    fields = syslog.parsed()[-1].split("|")
    assert fields[0] == "local0" and fields[2] == "sekisho-test" and fields[3] == "sekisho"
    gateway.stop()
    verify_log(gateway, received_log(syslog))


@KINDS
@TRANSPORTS
@pytest.mark.limit(120)
def test_syslog_server_away_loses_nothing(net, topology, make_gateway, state, transport, kind):
    """The server is stopped, things happen, it comes back: all arrives, in order."""
    syslog, system = start_log_server(net, state, transport, kind)
    gateway = make_gateway(PERMIT, system=system, state=state)
    wait_caught_up(gateway, syslog)
    syslog.stop()
    some_events(net, topology, 10)
    gateway.wait_event("syslog-away", seconds=15)
    some_events(net, topology, 10)
    before = numbers(gateway.audit_lines())[-1]
    time.sleep(3)
    syslog.start()
    gateway.wait_event("syslog-back", seconds=30)
    wait_caught_up(gateway, syslog, 30)
    assert in_order(syslog.lines())[-1] >= before


@KINDS
@pytest.mark.limit(120)
def test_syslog_server_with_default_room_that_stands_still_loses_nothing_of_a_backlog(make_gateway, net, state, kind):
    """A log of 3,000 records to a server whose socket is as the kernel makes it, and which stands still for 200 ms again and again."""
    gateway = make_gateway(PERMIT, system=send_by("udp"), state=state)
    gateway.stop()
    log = Log.of(log_directory(gateway))
    for _ in range(3000):
        log.record("heartbeat", f' comment="{"x" * 200}"')
    server = SERVERS[kind](net, "peer-lgwan", ADDRESS, room_bytes=None)
    make_gateway(PERMIT, system=send_by("udp"), state=state)
    end = time.monotonic() + 60
    while max(numbers(server.lines()), default=0) < log.next:
        assert time.monotonic() < end, "the backlog never came"
        os.killpg(server.process.pid, signal.SIGSTOP)
        time.sleep(0.2)
        os.killpg(server.process.pid, signal.SIGCONT)
        time.sleep(0.3)
    assert in_order(server.lines())[0] == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])      # to a network TLS is TCP
@pytest.mark.limit(120)
def test_syslog_link_down_loses_nothing(net, topology, make_gateway, state, transport):
    """No neighbour answers: the kernel reports it after its own probes, a connection when nothing is acknowledged."""
    syslog, system = start_log_server(net, state, transport)
    gateway = make_gateway(PERMIT, system=system, state=state)
    wait_caught_up(gateway, syslog)
    net.run("peer-lgwan", "ip", "link", "set", topology.DEVICE, "arp", "off")
    net.run("peer-lgwan", "ip", "address", "del", "10.20.0.20/24", "dev", topology.DEVICE)
    net.run(gateway.zone_namespace("lgwan"), "ip", "neigh", "flush", "all")
    some_events(net, topology, 10)
    gateway.wait_event("syslog-away", seconds=40)
    net.address("peer-lgwan", topology.DEVICE, "10.20.0.20/24")
    net.run("peer-lgwan", "ip", "link", "set", topology.DEVICE, "arp", "on")
    gateway.wait_event("syslog-back", seconds=40)
    wait_caught_up(gateway, syslog, 30)
    in_order(syslog.lines())


@TRANSPORTS
@pytest.mark.limit(120)
def test_audit_killed_goes_on_with_the_chain(net, topology, make_gateway, state, transport):
    """kill -9 of audit, ten times under events: the chain is whole and the server misses nothing."""
    syslog, system = start_log_server(net, state, transport)
    gateway = make_gateway(PERMIT, system=system, state=state)
    for _ in range(10):
        some_events(net, topology, 3)
        gone = gateway.kill("audit")
        gateway.wait_role("audit", other_than=gone, seconds=10)
    some_events(net, topology, 3)
    wait_caught_up(gateway, syslog, 30)
    in_order(syslog.lines())
    gateway.stop()
    verify_log(gateway)


@pytest.mark.limit(90)
def test_audit_stopped_process_does_not_hold_up_traffic(net, topology, make_gateway):
    """Logging never blocks: with audit stopped (SIGSTOP) a permitted flow is judged and passes at once."""
    EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
    gateway = make_gateway(PERMIT)
    stopped = gateway.kill("audit", signal.SIGSTOP)
    try:
        tries = []
        while len(tries) < 3 and min(tries, default=1.0) >= 1.0:    # a busy machine may have a SYN sent twice, but not each
            begin = time.monotonic()
            assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
            tries.append(time.monotonic() - begin)
        assert min(tries) < 1.0, tries
    finally:
        for pid in stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # the supervisor ended it for its silence


def test_audit_restart_of_the_gateway_continues_the_chain(topology, make_gateway):
    first = make_gateway(PERMIT)
    first.stop()
    before = numbers(first.audit_lines())[-1]
    topology.restore_ports()
    second = make_gateway(PERMIT, state=first.state)
    second.wait_event(f'seq="{before + 1}"')
    second.stop()
    verify_log(second)


def test_audit_torn_record_is_set_aside(topology, make_gateway):
    """A power cut in the middle of a write: the rest of the record is kept, said, and the chain goes on."""
    first = make_gateway(PERMIT)
    first.stop()
    newest = sorted(log_directory(first).glob("*.log"))[-1]
    newest.write_bytes(newest.read_bytes()[:-40])
    topology.restore_ports()
    second = make_gateway(PERMIT, state=first.state)
    second.wait_event("log-torn")
    second.stop()
    verify_log(second)
    assert len(list(log_directory(second).glob("*.torn"))) == 1


@pytest.mark.limit(90)
def test_audit_full_disk_refuses_commits_and_counts(net, topology, make_gateway, tmp_path):
    """A full disk: traffic goes on as configured, a commit is refused, and the records that found no room are counted,
    at the syslog server too, which has all others in order."""
    EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
    state = tmp_path / "state"
    state.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state)
    syslog, system = start_log_server(net, state, "tcp")
    gateway = make_gateway(PERMIT, system=system, state=state)
    (state / "ballast").write_bytes(bytes(180 << 10))
    with contextlib.suppress(OSError), open(state / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))

    def full():
        some_events(net, topology, 40)
        return "log cannot be written" in gateway.log()
    wait_until(full, "the disk to be full", 30, 0.2)
    assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
    console = gateway.console()
    console.expect(r"> $")
    console.run("configure")
    console.run("set zone lgwan hold 2s")
    assert "committed" not in console.run("commit", timeout=40)
    (state / "filler").unlink()
    (state / "ballast").unlink()
    some_events(net, topology, 3)
    assert re.search(r'count="[1-9]', gateway.wait_event("log-unwritten", seconds=15))
    wait_caught_up(gateway, syslog, 30)
    gateway.stop()
    in_order(syslog.lines())
    verify_log(gateway, received_log(syslog))
    run("umount", "--lazy", state)


@pytest.mark.limit(120)
def test_audit_heartbeat_every_minute(make_gateway):
    gateway = make_gateway(PERMIT)
    gateway.wait_event(" heartbeat ", "records=", seconds=70)
