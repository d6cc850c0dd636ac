# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits on a running gateway: by differences, all or nothing, with the reason (C2, Z6, Z11)."""

import json
import signal
import time

import pytest

from lib import processes
from lib.gateway import with_queues
from lib.net import NETNS_DIR
from lib.peers import EchoServer, tcp_talk
from lib.waiting import PATIENCE_SECONDS, wait_until

SERVICES = "service echo { tcp 7000; }\nservice other { tcp 7001; }\n"
PERMIT = "crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }"
SET_PERMIT = [f"set crossing mynumber lgwan permit 10 {line}" for line in
              ("source 10.10.0.5", "destination 10.20.0.8", "service echo")]


@pytest.fixture
def echo(net, topology):
    return EchoServer(net, topology.zones["lgwan"].namespace, topology.zones["lgwan"].peer4, 7000)


def links(net, namespace):
    """{name: (index, MAC)} of the devices of a namespace."""
    shown = json.loads(net.run(namespace, "ip", "-j", "link").stdout)
    return {link["ifname"]: (link["ifindex"], link["address"]) for link in shown}


def answered(net, topology, seconds):
    """What the echo server answers to a connection; None where it cannot be reached so long."""
    zones = topology.zones
    return tcp_talk(net, zones["mynumber"].namespace, zones["lgwan"].peer4, 7000, timeout=seconds)


def flow_passes(net, topology):
    return answered(net, topology, PATIENCE_SECONDS) == b"hello"


def flow_is_shut(net, topology):
    return answered(net, topology, 1.0) is None


def alive(connection):
    """An established connection still carries data both ways."""
    connection.sendall(b"still there?")
    return connection.recv(100) == b"still there?"


def test_commit_adds_and_removes_a_crossing(net, topology, make_gateway, echo):
    """Z6: the veth pair exists only while the configuration has the crossing."""
    gateway = make_gateway(SERVICES)
    lgwan, console = gateway.zone_namespace("lgwan"), gateway.open_console()
    assert "x-mynumber" not in links(net, lgwan) and flow_is_shut(net, topology)
    assert "committed" in console.commit(*SET_PERMIT)
    assert "x-mynumber" in links(net, lgwan) and flow_passes(net, topology)
    assert "committed" in console.commit("delete crossing mynumber lgwan")
    assert "x-mynumber" not in links(net, lgwan) and flow_is_shut(net, topology)


def test_commit_leaves_what_did_not_change(net, topology, make_gateway, echo):
    """Ports, crossing and an established flow of other zones live through changes of one zone."""
    gateway = make_gateway(SERVICES, PERMIT)
    console, zones = gateway.open_console(), topology.zones
    before = {name: links(net, gateway.zone_namespace(name)) for name in zones}
    with net.connect(zones["mynumber"].namespace, zones["lgwan"].peer4, 7000) as flow:
        assert alive(flow)
        assert "committed" in console.commit("set zone internet address 203.0.113.2/28")
        assert alive(flow)
        assert {name: links(net, gateway.zone_namespace(name)) for name in zones} == before
        shown = net.run(gateway.zone_namespace("internet"), "ip", "-br", "address").stdout
        assert "203.0.113.2/28" in shown and "203.0.113.1/28" in shown


def test_commit_removes_a_zone_and_returns_its_port(net, topology, make_gateway, echo):
    """The other zones take other places in the policy; their flows do not notice."""
    gateway = make_gateway(SERVICES, PERMIT)
    console, zones = gateway.open_console(), topology.zones
    with net.connect(zones["mynumber"].namespace, zones["lgwan"].peer4, 7000) as flow:
        assert "committed" in console.commit("delete zone internet")
        assert "eth2" in links(net, topology.gateway)
        assert not (NETNS_DIR / gateway.zone_namespace("internet")).exists()
        assert alive(flow) and flow_passes(net, topology)
        assert "committed" in console.commit("set zone internet tier outside", "set zone internet port eth2",
                                     "set zone internet address 203.0.113.1/28")
        assert "eth2" in links(net, gateway.zone_namespace("internet"))
        assert alive(flow) and flow_passes(net, topology)
    assert tcp_talk(net, zones["internet"].namespace, zones["lgwan"].peer4, 7000, timeout=0.5) is None


def test_commit_refused_before_it_applies_changes_nothing(net, topology, make_gateway, echo):
    gateway = make_gateway(SERVICES, PERMIT)
    console, zones = gateway.open_console(), topology.zones
    before = {name: links(net, gateway.zone_namespace(name)) for name in zones}
    with net.connect(zones["mynumber"].namespace, zones["lgwan"].peer4, 7000) as flow:
        said = console.commit("delete crossing mynumber lgwan", "set zone fourth tier business",
                      "set zone fourth port eth9", "set zone fourth address 10.40.0.1/24")
        assert "committed" not in said and "eth9" in said
        assert {name: links(net, gateway.zone_namespace(name)) for name in zones} == before
        assert not (NETNS_DIR / gateway.zone_namespace("fourth")).exists()
        assert alive(flow) and flow_passes(net, topology)


@pytest.mark.parametrize("queues", [1, 2])
def test_commit_refused_after_it_applied_is_taken_back(net, topology, make_gateway, echo, queues):
    """The last step, listening, fails: the crossing that the same commit removed is there again, and all its queues (ADR 414)."""
    gateway = make_gateway(SERVICES, with_queues(PERMIT, queues))
    console, zones = gateway.open_console(), topology.zones
    internet = gateway.zone_namespace("internet")
    holder = net.socket(internet)
    holder.bind((zones["internet"].gateway4, 25))
    holder.listen(1)
    said = console.commit("delete crossing mynumber lgwan",
                  *[f"set mail inbound {line}" for line in
                    ("from internet", "to lgwan", "listen 25", "domain city.example.lg.jp", "next-hop 10.20.0.25")])
    assert "committed" not in said and "25" in said
    assert "x-lgwan" in links(net, gateway.zone_namespace("mynumber"))
    assert flow_passes(net, topology)
    holder.close()
    assert "committed" in console.commit("delete crossing mynumber lgwan")
    assert flow_is_shut(net, topology)


def test_commit_moves_a_port_between_zones(net, topology, make_gateway):
    gateway = make_gateway(SERVICES)
    console = gateway.open_console()
    said = console.commit("set zone mynumber port eth2", "set zone internet port eth0")
    assert "committed" in said
    assert set(links(net, gateway.zone_namespace("mynumber"))) == {"lo", "void", "eth2"}
    assert set(links(net, gateway.zone_namespace("internet"))) == {"lo", "void", "eth0"}


def test_commit_isolate_and_restore(net, topology, make_gateway, echo):
    """Z11: the port goes down, the crossing with it; both come back, with their routes."""
    gateway = make_gateway(SERVICES, PERMIT)
    console = gateway.open_console()
    assert flow_passes(net, topology)
    console.run("isolate zone lgwan")
    assert "x-lgwan" not in links(net, gateway.zone_namespace("mynumber"))
    assert "state DOWN" in net.run(gateway.zone_namespace("lgwan"), "ip", "link", "show", "eth1").stdout
    assert flow_is_shut(net, topology)
    console.run("restore zone lgwan")
    assert "x-lgwan" in links(net, gateway.zone_namespace("mynumber"))
    wait_until(lambda: answered(net, topology, 1.0) == b"hello", "the flow after the port's carrier is back", 5)
    shown = net.run(gateway.zone_namespace("lgwan"), "ip", "-br", "address", "show", "eth1").stdout
    assert all(address in shown for address in topology.zones["lgwan"].gateway)


def test_isolation_lasts_over_commits_and_a_restart(net, topology, make_gateway, echo):
    """Z11: only an operator ends it; a zone that is removed and made again, or a new start, does not."""
    mail = f"mail inbound {{ from lgwan; to mynumber; listen 25; domain a.example; next-hop {topology.zones['mynumber'].peer4}; }}"
    gateway = make_gateway(SERVICES, PERMIT, mail)
    console = gateway.open_console()
    console.run("isolate zone lgwan")
    gateway.stop()
    gateway = make_gateway(SERVICES, PERMIT, mail, state=gateway.state)
    gateway.wait_event("zone-isolated", "not restored since")
    assert "x-lgwan" not in links(net, gateway.zone_namespace("mynumber"))
    assert "state DOWN" in net.run(gateway.zone_namespace("lgwan"), "ip", "link", "show", "eth1").stdout
    assert flow_is_shut(net, topology)
    console = gateway.open_console()
    console.run("isolate zone internet")
    assert "committed" in console.commit("delete zone internet")
    assert "committed" in console.commit("set zone internet tier outside", "set zone internet port eth2",
                                 "set zone internet address 203.0.113.1/28")
    assert "state DOWN" in net.run(gateway.zone_namespace("internet"), "ip", "link", "show", "eth2").stdout
    console.run("restore zone lgwan")
    wait_until(lambda: answered(net, topology, 1.0) == b"hello", "the flow after the zone is restored", 5)


def test_commit_mends_a_crossing_that_was_deleted_by_hand(net, topology, make_gateway, echo):
    gateway = make_gateway(SERVICES, PERMIT)
    console = gateway.open_console()
    net.run(gateway.zone_namespace("lgwan"), "ip", "link", "delete", "x-mynumber")
    assert flow_is_shut(net, topology)
    assert "committed" in console.commit("set zone internet address 203.0.113.2/28")
    assert flow_passes(net, topology)


@pytest.mark.limit(150)
@pytest.mark.parametrize("role", ["netfilter", "arbiter", "audit", "config"])
def test_commit_survives_the_death_of_a_process_at_any_moment(net, topology, make_gateway, echo, role):
    """Whatever the console is told, the kernel enforces one policy whole: the one that was, or the one that is."""
    gateway = make_gateway(SERVICES)
    console = gateway.open_console()
    console.run("configure")
    for step in range(8):
        lines = SET_PERMIT if step % 2 == 0 else ["delete crossing mynumber lgwan"]
        for line in lines:
            console.run(line)
        console.send("commit\r")
        time.sleep(0.004 * step)
        for pid in gateway.pids(role):
            processes.send(pid, signal.SIGKILL)
        console.expect(console.PROMPT, timeout=40)
        gateway.wait_role(role)

        def settled():
            joined = "x-lgwan" in links(net, gateway.zone_namespace("mynumber"))
            return answered(net, topology, 1.0) == (b"hello" if joined else None)
        wait_until(settled, "flows to follow the crossing", 5)
        console.run("configure")    # a config process that came back knows of no editor
        console.run("discard")
