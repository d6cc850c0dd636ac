# SPDX-License-Identifier: GPL-2.0-or-later
"""Records, counts and ends of flows (Z8, Z10, Z11, Z12, L1)."""

import os
import pathlib
import re
import signal
import socket
import tempfile
import time

import pytest

from lib.first_payload import Responder
from lib.gateway import Gateway, config_text
from lib.traffic import connecting, in_the_middle
from lib.waiting import wait_until

POLICY = """
service talk { tcp 7000-7010; udp 7000; }
service quiet { tcp 7100; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.0/24; destination 10.20.0.8; service talk; log; }
    permit 20 { source 10.10.0.0/24; destination 10.20.0.8; service quiet; comment "nobody uses it"; }
}
"""
SERVER = "10.20.0.8"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


def talk(net, topology, port=7000, size=100, source=None):
    """A TCP connection that says `size` bytes, hears as many, and is closed."""
    client = net.connect(topology.zones["mynumber"].namespace, SERVER, port, source=source)
    client.sendall(b"x" * size)
    got = b""
    while len(got) < min(size, 100):
        got += client.recv(65536)
    return client


def echo(net, topology, port=7000):
    return Responder(net, topology.zones["lgwan"].namespace, SERVER, port, answer=b"y" * 100)


def field(line, name):
    return re.search(rf' {name}="([^"]*)"', line).group(1)


def counts(console, permit, words=""):
    """(flows, packets, bytes, last hit) of a permit, as the console shows them; None: it is not shown."""
    for line in console.run(f"show permits {words}".strip()).splitlines():
        found = re.match(rf"mynumber +lgwan +{permit} +(\d+) +(\d+) +(\d+) +(never|\S+ \S+)", line)
        if found:
            return (*map(int, found.groups()[:3]), found.group(4))
    return None


def end_flows(net, topology):
    """Closed TCP flows stay in the kernel's table for a while: end them all, in every zone."""
    for zone in topology.zones:
        net.run(f"gw-zone-{zone}", "conntrack", "-F", check=False)


def test_flows_end_is_recorded_once_with_its_size(net, topology, gateway):
    """L1: a flow by a permit that logs leaves two lines, at its begin and its end, with bytes of both directions."""
    echo(net, topology)
    talk(net, topology).close()
    begin = gateway.wait_event("flow-permitted", 'dport="7000"', 'permit="10"', seconds=10)
    end_flows(net, topology)
    end = gateway.wait_event("flow-ended", 'permit="10"', seconds=15)
    for name in ("from", "to", "src", "dst", "proto", "sport", "dport"):
        assert field(begin, name) == field(end, name)
    assert 0 < int(field(end, "duration-ms")) < 60000
    # 100 bytes each way, three or more segments without data, and 40 bytes of headers (more with options) for each.
    packets, total, back = (int(field(end, n)) for n in ("packets", "bytes", "bytes-back"))
    assert 7 <= packets <= 20 and 200 + 40 * packets <= total <= 200 + 64 * packets
    assert 100 + 2 * 40 <= back < total - 100
    assert len([x for x in gateway.audit_lines() if "flow-ended" in x]) == 1


def test_flows_are_counted_by_permit_over_commits_kills_and_restarts(net, topology, gateway, console):
    """Z10: counts outlive a commit, kill -9 of netfilter, and a restart of everything; a changed permit begins anew."""
    echo(net, topology)
    assert counts(console, 10) == (0, 0, 0, "never")
    for _ in range(5):
        talk(net, topology).close()
    flows, packets, total, last = counts(console, 10)
    assert flows == 5 and packets >= 35 and total >= 1000 and last != "never"
    assert counts(console, 20) == (0, 0, 0, "never")
    end_flows(net, topology)
    wait_until(lambda: counts(console, 10)[:3] == (flows, packets, total) or counts(console, 10)[0] == 5, "the same counts", 10)
    before = counts(console, 10)
    console.run("configure")
    console.run("set crossing mynumber lgwan permit 5 destination 10.20.0.9")
    console.run("set crossing mynumber lgwan permit 5 service quiet")
    console.run("commit", timeout=20)
    console.run("exit")
    assert counts(console, 10) == before
    # Killed, with a flow that ends while netfilter is away: the kernel's message waits for its next life.
    talk(net, topology).close()
    gateway.kill("netfilter")
    end_flows(net, topology)
    wait_until(lambda: (counts(console, 10) or (0,))[0] == 6, "six flows", 15)
    before = counts(console, 10)
    console.run("configure")
    console.run("set crossing mynumber lgwan permit 20 destination 10.20.0.9")
    console.run("commit", timeout=20)
    console.run("exit")
    assert counts(console, 10) == before
    state = gateway.state
    assert gateway.stop() == 0
    with Gateway(topology, config_text(topology, POLICY), state=state) as again, again.console() as more:
        more.expect(more.PROMPT)
        more.run("terminal length 0")
        assert counts(more, 10) == before


def fill_table(net, zone, flows, source=lambda n: f"10.10.0.{16 + n // 10000}"):
    """As many running UDP flows with the mark of the one that there is; the nth from source(n)."""
    shown = net.run(zone, "conntrack", "-L", "-p", "tcp", "--dport", "7000").stdout
    mark = re.search(r"mark=(\d+)", shown)[1]
    lines = [f"-I -p udp -s {source(n)} -d {SERVER} --sport {1024 + n % 10000} --dport 7000 --timeout 600 --mark {mark}"
             for n in range(flows)]
    with tempfile.NamedTemporaryFile("w", suffix=".flows") as batch:
        batch.write("\n".join(lines) + "\n")
        batch.flush()
        net.run(zone, "conntrack", "--load-file", batch.name, timeout=90)


@pytest.mark.limit(120)
def test_flows_that_end_in_a_rush_are_all_counted(net, topology, gateway, console):
    """Z10: 20,000 flows end at once while netfilter stands still. The kernel has no room to tell of all of them; it keeps them, and
    tells of each later. None is lost."""
    zone = gateway.zone_namespace("mynumber")
    echo(net, topology)
    talk(net, topology).close()
    fill_table(net, zone, 20000)
    wait_until(lambda: counts(console, 10)[0] == 20001, "20,001 running flows", 30)
    gateway.halt("netfilter")   # and the supervisor, which would end it before the flows have ended on a slow machine
    net.run(zone, "conntrack", "-F", timeout=60)
    with net.inside(zone):
        lines = pathlib.Path("/proc/thread-self/net/netlink").read_text().splitlines()[1:]
    assert any(int(line.split()[8]) > 0 for line in lines), "there was room for all: this test tries nothing"
    # The supervisor ends what does not answer; the kernel's messages wait for the next life.
    os.kill(gateway.pid, signal.SIGCONT)
    wait_until(lambda: (counts(console, 10) or (0,))[0] == 20001, "all of them to be counted", 60)


def test_flows_of_a_crossing_and_use_of_limits_are_shown(net, topology, make_gateway):
    """Z10, Z14: `show crossing` adds up both directions; `show permits` shows how much of a limit is in use."""
    gateway = make_gateway(POLICY.replace("log;", "limit { connections 3; rate 600/m; } log;")
                           .replace("comment", "limit { rate 1/m; } comment"))
    for port in (7000, 7100):
        echo(net, topology, port)
    held = [talk(net, topology) for _ in range(2)]
    with gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("terminal length 0")

        def trial(port):
            said = console.run(f"test flow mynumber 10.10.0.5 10.20.0.8 tcp {port}")
            return " ".join(said.splitlines()[-1].split())
        shown = console.run("show crossing")
        assert re.search(r"lgwan - mynumber +up +2 +\d+ +\d+ +[1-9]\d+ +[1-9]\d+", shown), shown
        running, ever, packets, total = map(int, re.search(r"mynumber +lgwan +(\d+) +(\d+) +(\d+) +(\d+)", shown).groups())
        assert running == ever == 2 and packets >= 10 and total >= 2 * 200
        assert re.search(r"lgwan +mynumber +0 +0 +0 +0", shown), shown
        assert re.search(r"mynumber +lgwan +10 +2 .* 2 of 3 +\d+ of 600/m", console.run("show permits"))
        assert re.fullmatch(r"permit permitted mynumber lgwan 10 2 of 3 \d+ of 600/m", trial(7000))
        assert trial(7100) == "permit permitted mynumber lgwan 20 any 1 of 1/m"
        held += [talk(net, topology), talk(net, topology, 7100)]
        assert re.fullmatch(r"deny limit-connections mynumber lgwan 10 3 of 3 \d+ of 600/m", trial(7000))
        assert trial(7100) == "deny limit-rate mynumber lgwan 20 any 0 of 1/m"
        assert trial(7011) == "deny no-permit mynumber lgwan none"
    for one in held:
        one.close()


@pytest.mark.limit(180)
def test_flows_begin_while_a_large_table_is_shown(net, topology, gateway, console):
    """Z10: 60,000 flows are counted and ended for a console while others begin: their first packets do not wait for the table. In the
    middle halves of the waits for the answers, where nothing but the table is read, twenty connections and more begin and end."""
    zone = gateway.zone_namespace("mynumber")
    peer = topology.zones["mynumber"].namespace
    Responder(net, topology.zones["lgwan"].namespace, SERVER, 7100, answer=b"y")
    echo(net, topology)
    held = talk(net, topology)
    fill_table(net, zone, 60000)
    wait_until(lambda: counts(console, 10)[0] == 60001, "60,001 running flows", 30)
    with connecting(net, peer, SERVER, 7100) as begun:
        middles = {}
        for words, said in (("show permits", r" 10 +60001 "), ("show crossing", r"mynumber +lgwan +6\d{4} "),
                            ("show flows top 1", r"8:7[01]00 "), ("clear flow port 7000", "60001 flows ended")):
            first = time.monotonic()
            answer = console.run(words)
            length = time.monotonic() - first
            assert re.search(said, answer), answer
            middles[words] = len(in_the_middle(begun, first, length))
        assert sum(middles.values()) >= 20, f"{middles} of {len(begun)}"
    wait_until(lambda: counts(console, 10)[0] == 60000, "all that have ended to be counted", 60)
    held.close()


@pytest.mark.limit(180)
def test_flows_are_shown_to_several_at_once_and_again_after_an_interrupt(net, topology, gateway, console):
    """Z10: tables are read one after the other; every console has its whole answer, and one that is interrupted asks anew."""
    zone = gateway.zone_namespace("mynumber")
    echo(net, topology)
    held = talk(net, topology)
    fill_table(net, zone, 20000)
    with gateway.open_console() as other:
        other.run("terminal length 0")
        for _ in range(20):
            other.send("show permits\r")
            other.send("\x03")
            other.expect(other.PROMPT)
        other.send("show flows permit 20\r")
        assert counts(console, 10)[0] == 20001
        other.expect(r"left +path[-\s]+" + other.PROMPT)
        assert re.search(r"mynumber +lgwan +20001 ", other.run("show crossing"))
    held.close()


def test_flows_permits_not_used_for_days(net, topology, gateway, console):
    """Z10: permits that nobody has used."""
    echo(net, topology)
    talk(net, topology).close()
    assert counts(console, 20, "unused 0") is not None
    assert counts(console, 20, "unused 1") is None, "it is in force since just now"
    assert counts(console, 10, "unused 1") is None
    assert "allowed" in console.run("show permits unused soon")


def test_flows_show_filters_and_top_talkers(net, topology, gateway, console):
    """Z12: flows by zone, addresses, port and permit; those with most bytes first."""
    echo(net, topology)
    echo(net, topology, 7001)
    clients = [talk(net, topology, size=s) for s in (300, 60000, 5000)] + [talk(net, topology, port=7001)]

    def ports(words):
        return re.findall(r"10\.10\.0\.5:(\d+) ", console.run(f"show flows {words}"))
    mine = [str(c.getsockname()[1]) for c in clients]
    assert sorted(ports("zone mynumber")) == sorted(mine)
    assert ports("zone lgwan") == []
    assert ports("port 7001") == [mine[3]]
    assert sorted(ports("source 10.10.0.5 permit 10")) == sorted(mine)
    assert ports("source 10.10.0.6") == [] and ports("permit 20") == [] and ports("destination 10.20.0.9") == []
    assert ports("top 2") == [mine[1], mine[2]]
    assert "allowed" in console.run("show flows top 0")
    for client in clients:
        client.close()


def talkers(console, words):
    """[(zone, address, flows, packets, bytes)] as `show flows` adds them up."""
    shown = console.run(f"show flows {words} | no-more", timeout=30)
    return [(zone, address, *map(int, numbers)) for zone, address, *numbers in
            re.findall(r"^(\S+) +(\S+) +(\d+) +(\d+) +(\d+)\s*$", shown, re.MULTILINE)]


def test_flows_are_added_up_by_address(net, topology, gateway, console):
    """Z12: who has most: the sums of flows, packets and bytes for each address at one end, most bytes first; what is not shown is in
    the last row, so that the rows add up to all flows."""
    echo(net, topology)
    station = topology.zones["mynumber"].namespace
    for address in ("10.10.0.6", "10.10.0.7"):
        net.address(station, topology.DEVICE, f"{address}/24")
    held = [talk(net, topology, size=size, source=address)
            for address, size in (("10.10.0.5", 300), ("10.10.0.6", 60000), ("10.10.0.6", 200), ("10.10.0.7", 5000))]

    def told():     # late segments and acknowledgements are counted between two questions
        first, others = talkers(console, "by source top 1")
        everything = [("lgwan", SERVER, 4, first[3] + others[3], first[4] + others[4])]
        return (first, others) if talkers(console, "by destination") == everything else None
    first, others = wait_until(told, "the same sums by source and by destination")
    assert first[:3] == ("mynumber", "10.10.0.6", 2) and first[4] > 60200 and others[:3] == ("-", "others", 2)
    assert [row[:3] for row in talkers(console, "by source")] == [
        ("mynumber", "10.10.0.6", 2), ("mynumber", "10.10.0.7", 1), ("mynumber", "10.10.0.5", 1)]
    assert [row[:3] for row in talkers(console, "source 10.10.0.7 by destination")] == [("lgwan", SERVER, 1)]
    assert talkers(console, "zone lgwan by source") == []
    for wrong in ("show flows by permit", "show flows by", "show flows nowhere"):
        assert "[by source|destination]" in console.run(wrong)
    assert "say which" in console.run("clear flow by source")
    for one in held:
        one.close()


@pytest.mark.limit(120)
def test_flows_of_more_addresses_than_are_told_apart_are_in_the_sum(net, topology, gateway, console):
    """Z12: of 5,000 sources 4,096 are told apart; not one flow of the others is left out of the last row."""
    echo(net, topology)
    held = talk(net, topology, size=60000)
    fill_table(net, gateway.zone_namespace("mynumber"), 5000, lambda n: f"10.10.{n // 200}.{16 + n % 200}")
    rows = talkers(console, "by source top 2")
    assert len(rows) == 3 and rows[-1][:2] == ("-", "others")
    assert sum(row[2] for row in rows) == 5001
    assert sum(row[2] for row in talkers(console, "by source")) == 5001
    assert [row[1:3] for row in talkers(console, "by destination")] == [(SERVER, 5001)]
    held.close()


def test_flows_clear_resets_both_ends(net, topology, gateway, console):
    """Z11: a cleared flow is reset at both ends as soon as they speak, others go on; the log says who and what."""
    server = echo(net, topology)
    cut, kept = talk(net, topology), talk(net, topology)
    assert "say which" in console.run("clear flow")
    echo(net, topology, 7002)
    other = talk(net, topology, port=7002)
    assert "2 flows ended" in console.run("clear flow port 7000")
    gateway.wait_event("flows-cleared", 'count="2"', 'detail="port 7000"', seconds=10)
    for client in (cut, kept):
        with pytest.raises(OSError):
            for _ in range(20):
                client.sendall(b"x")
                client.recv(100)
                time.sleep(0.1)
    assert server.resets <= 2
    other.sendall(b"x" * 100)
    assert other.recv(100)
    again = talk(net, topology)
    again.close()
    other.close()


def test_flows_clear_of_udp_begins_anew(net, topology, gateway, console):
    """A UDP flow that is cleared is forgotten, and judged again."""
    sink = net.socket(topology.zones["lgwan"].namespace, kind=socket.SOCK_DGRAM, timeout=5)
    sink.bind((SERVER, 7000))
    client = net.socket(topology.zones["mynumber"].namespace, kind=socket.SOCK_DGRAM, timeout=5)
    client.connect((SERVER, 7000))
    client.send(b"1")
    sink.sendto(b"1", sink.recvfrom(10)[1])
    assert client.recv(10) == b"1"
    assert "1 flows ended" in console.run("clear flow source 10.10.0.5")
    gateway.wait_event("flow-ended", 'proto="17"', seconds=10)
    client.send(b"2")
    assert sink.recvfrom(10)[0] == b"2"


def test_flows_scans_raise_alarms(net, topology, make_gateway):
    """Z12: nmap over many ports, and over many hosts, and refused packets in a rush: one alarm each, with who and what."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { scan-ports 50; scan-hosts 20; denied-rate 400/s; }"})
    peer = topology.zones["mynumber"].namespace
    net.run(peer, "nmap", "-n", "-Pn", "-sS", "--max-retries", "0", "--min-rate", "300", "-p", "1-200", SERVER, timeout=60)
    line = gateway.wait_event("scan-detected", 'detail="port-scan"', 'zone="mynumber"', 'src="10.10.0.5"', seconds=15)
    assert field(line, "mac") == topology.zones["mynumber"].mac and field(line, "count") == "50"
    net.run(peer, "nmap", "-n", "-Pn", "-sS", "--max-retries", "0", "--min-rate", "100", "-p", "80", "10.20.0.0/26", timeout=60)
    gateway.wait_event("scan-detected", 'detail="host-scan"', 'count="20"', seconds=15)
    out = net.socket(peer, kind=socket.SOCK_DGRAM)
    for port in range(10000, 12000):
        out.sendto(b"x", ("10.20.0.8", port))
    gateway.wait_event("scan-detected", 'detail="denied-rate"', seconds=15)
    assert len([x for x in gateway.audit_lines() if 'detail="port-scan"' in x]) == 1


def test_flows_isolated_station_is_shut_out_until_restored(net, topology, gateway, console):
    """Z11: by address or hardware address, over a commit and a killed netfilter; `restore station` ends it."""
    echo(net, topology)
    mac = topology.zones["mynumber"].mac
    assert "allowed" in console.run("isolate station nobody")
    for name in ("10.10.0.5", mac):
        running = talk(net, topology)
        assert "isolated" in console.run(f"isolate station {name}")
        gateway.wait_event("station-isolated", f'name="{name}"', 'reason="operator"', seconds=10)
        assert name in console.run("show isolated")
        wait_until(lambda: not net.reaches(topology.zones["mynumber"].namespace, SERVER, 7000), "the station to be shut out", 10)
        running.settimeout(1)
        with pytest.raises(OSError):
            running.sendall(b"x")
            running.recv(100)
        killed = gateway.kill("netfilter")
        gateway.wait_answering("netfilter", other_than=killed, seconds=10)
        assert not net.reaches(topology.zones["mynumber"].namespace, SERVER, 7000)
        assert "restored" in console.run(f"restore station {name}")
        wait_until(lambda: net.reaches(topology.zones["mynumber"].namespace, SERVER, 7000), "the station to be admitted", 15)


def test_flows_guard_isolates_a_scanner(net, topology, make_gateway):
    """Z12: with `isolate-station` a listed station that raises an alarm is shut out at once, by its hardware address."""
    mac = topology.zones["mynumber"].mac
    listed = f"station {mac} {{ address 10.10.0.5; address fd00:10::5; }} guard {{ scan-ports 50; isolate-station; }}"
    gateway = make_gateway(POLICY, zone_extra={"mynumber": listed})
    echo(net, topology)
    peer = topology.zones["mynumber"].namespace
    running = talk(net, topology)
    net.run(peer, "nmap", "-n", "-Pn", "-sS", "--max-retries", "0", "--min-rate", "300", "-p", "1-200", SERVER, timeout=60)
    gateway.wait_event("station-isolated", f'name="{mac}"', 'reason="port-scan"', seconds=15)
    gateway.wait_event("flow-cut", f'name="{mac}"', 'src="10.10.0.5"', f'sport="{running.getsockname()[1]}"')
    wait_until(lambda: not net.reaches(peer, SERVER, 7000), "the scanner to be shut out", 10)


def test_flows_alarms_leave_the_last_places_of_the_list_to_operators(net, topology, make_gateway):
    """Z11, Z12: with 768 stations shut out an alarm shuts out no more, and says so; an operator still can."""
    mac = topology.zones["mynumber"].mac
    listed = f"station {mac} {{ address 10.10.0.5; }} guard {{ scan-ports 50; isolate-station; }}"
    state = pathlib.Path(tempfile.mkdtemp(prefix="state-"))
    (state / "isolated").mkdir()
    for number in range(768):
        (state / "isolated" / f"station-198.51.{number // 256}.{number % 256}").touch()
    gateway = Gateway(topology, config_text(topology, POLICY, zone_extra={"mynumber": listed}), state=state)
    net.on_close(gateway.stop)
    peer = topology.zones["mynumber"].namespace
    net.run(peer, "nmap", "-n", "-Pn", "-sS", "--max-retries", "0", "--min-rate", "300", "-p", "1-200", SERVER, timeout=60)
    gateway.wait_event("station-not-isolated", f'name="{mac}"', "too many", seconds=15)
    assert not [line for line in gateway.audit_lines() if "station-isolated" in line]
    with gateway.console() as console:
        console.expect(console.PROMPT)
        assert "isolated" in console.run(f"isolate station {mac}")
    gateway.wait_event("station-isolated", f'name="{mac}"', 'reason="operator"', seconds=10)


def test_flows_isolating_needs_no_disk(net, topology):
    """Z11: with a state that cannot be written the gateway starts and shuts out, over a killed netfilter too, and says that it is not kept."""
    state = pathlib.Path(tempfile.mkdtemp(prefix="state-"))
    (state / "emergencies").touch()  # no directory: the list cannot be opened
    gateway = Gateway(topology, config_text(topology, POLICY), state=state)
    net.on_close(gateway.stop)
    gateway.wait_event("emergency-unsaved", "cannot be opened", seconds=15)
    echo(net, topology)
    station = topology.zones["mynumber"].namespace
    net.connect(station, SERVER, 7000).close()
    (state / "isolated").rmdir()  # the supervisor still has it open, and can make no file in it
    with gateway.console() as console:
        console.expect(console.PROMPT)
        assert "only until the next start" in console.run("isolate station 10.10.0.5")
        gateway.wait_event("station-isolated", 'name="10.10.0.5"', "only until the next start", seconds=10)
        wait_until(lambda: not net.reaches(station, SERVER, 7000), "the station to be shut out", 10)
        killed = gateway.kill("netfilter")
        gateway.wait_answering("netfilter", other_than=killed, seconds=10)
        assert not net.reaches(station, SERVER, 7000)
        assert "10.10.0.5" in console.run("show isolated")
        assert "restored" in console.run("restore station 10.10.0.5")
        wait_until(lambda: net.reaches(station, SERVER, 7000), "the station to be admitted", 15)
        assert "only until the next start" in console.run("isolate zone mynumber")
        assert "mynumber" in console.run("show isolated")
        wait_until(lambda: not net.reaches(station, SERVER, 7000), "the zone to be shut", 10)
        assert "restored" in console.run("restore zone mynumber")


def test_flows_cut_by_a_commit_raise_no_alarm(net, topology, make_gateway):
    """Z12: 40 connections of one station that a commit denies are no scan, whoever keeps talking on them; 40 new ones are."""
    mac = topology.zones["mynumber"].mac
    listed = f"station {mac} {{ address 10.10.0.5; }} guard {{ denied-rate 20/m; isolate-station; }}"
    gateway = make_gateway(POLICY, zone_extra={"mynumber": listed})
    echo(net, topology)
    held = [talk(net, topology) for _ in range(40)]
    with gateway.console(timeout=30) as console:
        console.expect(console.PROMPT)
        for line in ("configure", "delete crossing mynumber lgwan permit 10"):
            console.run(line)
        assert "committed" in console.run("commit")
    for one in held:
        one.settimeout(10)
        with pytest.raises(OSError):
            one.sendall(b"x" * 100)
            one.recv(100)
            one.sendall(b"x" * 100)
            one.recv(100)
    gateway.wait_event("flow-denied", 'reason="no-permit"', seconds=15)
    assert not [line for line in gateway.audit_lines() if "scan-detected" in line or "station-isolated" in line]
    for number in range(40):
        net.socket(topology.zones["mynumber"].namespace, kind=socket.SOCK_DGRAM).sendto(b"x", (SERVER, 9000 + number))
    gateway.wait_event("station-isolated", f'name="{mac}"', 'reason="denied-rate"', seconds=15)
