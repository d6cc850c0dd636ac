# SPDX-License-Identifier: GPL-2.0-or-later
"""What else may happen while a commit is half way: an isolation, a connection (F, Z6, Z12)."""

import os
import re
import signal
import time

from lib import processes
from lib.net import NETNS_DIR
from lib.waiting import PATIENCE_SECONDS, wait_until

SERVICES = "service echo { tcp 7000; }\n"
ADD_INTERNET = ("set zone internet tier outside", "set zone internet port eth2",
                "set zone internet address 203.0.113.1/28",
                "set crossing internet lgwan permit 10 source 203.0.113.5",
                "set crossing internet lgwan permit 10 destination 10.20.0.8",
                "set crossing internet lgwan permit 10 service echo")


def policies(pid):
    """The policies that a process has in its memory, as inodes."""
    return set(re.findall(r"(\d+) +/memfd:policy\b", processes.text(pid, "maps") or ""))


def wait_prepared(gateway, pid, before):
    """Until a process has prepared a policy that was not among `before`, and the supervisor has read of it: both sleep again, and
    a message that had not been read yet would have woken its reader."""
    wait_until(lambda: policies(pid) - before and processes.waits(pid), f"process {pid} to have prepared the policy")
    wait_until(lambda: processes.waits(gateway.pid), "the supervisor to have heard of it")


def has_rules(net, namespace):
    # A name is there a moment before its namespace is.
    return "sekisho" in net.run(namespace, "nft", "list", "tables", check=False).stdout


def test_isolation_while_a_zone_is_prepared_leaves_no_zone_without_rules(net, topology, make_gateway):
    """F: a zone that a commit prepares is not made anew behind the back of netfilter, without its rules."""
    gateway = make_gateway(SERVICES)
    first, second, zone = gateway.open_console(), gateway.open_console(), gateway.zone_namespace("internet")
    assert "committed" in first.commit("delete zone internet")
    assert not (NETNS_DIR / zone).exists()
    first.edit(*ADD_INTERNET)
    arbiter = gateway.stand("arbiter")
    first.send("commit\r")
    wait_until((NETNS_DIR / zone).exists, "the new zone's namespace")
    wait_until(lambda: has_rules(net, zone), "netfilter's first rules of the new zone")
    second.run("isolate zone mynumber")
    os.kill(arbiter, signal.SIGCONT)
    first.expect(first.PROMPT, timeout=30)
    assert not (NETNS_DIR / zone).exists() or has_rules(net, zone)
    second.run("restore zone mynumber")
    first.run("discard")
    first.run("exit")
    assert "committed" in first.commit(*ADD_INTERNET)
    assert has_rules(net, zone)


def mail_lines(name, source, target, port, hop):
    return [f"set mail {name} {line}" for line in
            (f"from {source}", f"to {target}", f"listen {port}", "domain city.example.lg.jp", f"next-hop {hop}")]


def greeting(net, zone, seconds):
    """What a mail server says first; empty where it closes or refuses, None where it says nothing for so long."""
    try:
        with net.connect(zone.namespace, zone.gateway4, 25, timeout=seconds) as connection:
            return connection.recv(200)
    except TimeoutError:
        return None
    except OSError:
        return b""


def commit_without_netfilter(gateway, console):
    """All have prepared what is edited, the supervisor says that it is to be applied, and netfilter stands. Return (arbiter,
    netfilter)."""
    [netfilter] = gateway.pids("netfilter")
    arbiter = gateway.stand("arbiter")
    before = policies(arbiter) | policies(netfilter)
    console.send("commit\r")
    wait_prepared(gateway, netfilter, before)
    assert gateway.stand("netfilter") == netfilter
    os.kill(arbiter, signal.SIGCONT)
    wait_prepared(gateway, arbiter, before)
    return arbiter, netfilter


def test_connection_while_a_policy_is_applied_gets_no_other_entry(net, topology, make_gateway):
    """F: a listener of the policy before serves no entry of the next one that happens to stand in its place."""
    zones = topology.zones
    gateway = make_gateway(SERVICES)
    console = gateway.open_console()
    assert "committed" in console.commit(*mail_lines("first", "internet", "lgwan", 25, zones["lgwan"].peer4))
    assert greeting(net, zones["internet"], PATIENCE_SECONDS).startswith(b"220")
    # Prepared by all but the arbiter; then netfilter is stopped, so that it cannot apply what all have prepared.
    console.edit("delete mail first", *mail_lines("second", "lgwan", "mynumber", 26, zones["mynumber"].peer4))
    commit_without_netfilter(gateway, console)
    said = greeting(net, zones["internet"], 1.5)
    gateway.resume()
    console.expect(console.PROMPT, timeout=30)
    assert not (said or b"").startswith(b"220"), said


def test_session_ends_when_its_next_hop_is_replaced(net, topology, make_gateway):
    """F: a session that began under the policy before does not go to a next hop that the running one does not name."""
    zones = topology.zones
    gateway = make_gateway(SERVICES)
    console = gateway.open_console()
    assert "committed" in console.commit(*mail_lines("first", "internet", "lgwan", 25, zones["lgwan"].peer4))
    with net.connect(zones["internet"].namespace, zones["internet"].gateway4, 25) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(200).startswith(b"220")
        assert "committed" in console.commit(f"delete mail first next-hop {zones['lgwan'].peer4}",
                                     "set mail first next-hop 10.20.0.77")
        assert connection.recv(200) == b""


def test_failed_rollback_stays_shut_until_a_policy_is_whole(net, topology, make_gateway):
    """F C2: an unrelated process that dies and comes back does not open what a failed rollback has shut."""
    zones = topology.zones
    # One queue, whatever QUEUES says: the one netfilter and the one arbiter have to stand in their turn.
    crossing = "crossing mynumber lgwan { queues 1; permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }"
    gateway = make_gateway(SERVICES, crossing)
    console, other = gateway.open_console(), gateway.open_console()

    def joined():
        return "x-lgwan" in net.run(gateway.zone_namespace("mynumber"), "ip", "-br", "link").stdout

    def has_address(address):
        return address in net.run(gateway.zone_namespace("internet"), "ip", "-br", "address").stdout

    assert joined()
    holder = net.socket(gateway.zone_namespace("internet"))
    holder.bind((zones["internet"].gateway4, 25))
    holder.listen(1)
    # The commit fails at its last step, behind which its way back begins at once. That meets an isolation.
    console.edit("set zone internet address 203.0.113.3/28", *mail_lines("first", "internet", "lgwan", 25, zones["lgwan"].peer4))
    arbiter, netfilter = commit_without_netfilter(gateway, console)
    assert gateway.stand("arbiter") == arbiter and not has_address("203.0.113.3")
    os.kill(netfilter, signal.SIGCONT)
    wait_until(lambda: has_address("203.0.113.3"), "the last step of the commit")
    other.run("isolate zone internet")
    gateway.resume()
    console.expect(console.PROMPT, timeout=30)
    gateway.wait_event("rollback-failed")
    assert not joined()
    gateway.wait_answering("audit", gateway.kill("audit"))
    time.sleep(2.5)
    assert not joined()
    holder.close()
    other.run("restore zone internet")
    assert not joined()
    console.run("discard")
    console.run("exit")
    assert "committed" in console.commit("set zone internet address 203.0.113.2/28")
    assert joined()
