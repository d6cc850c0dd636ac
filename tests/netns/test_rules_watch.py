# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's rules and sets, held against the policy without anybody asking (ADR 814; Z1, Z6, L6). What others change is told by
the kernel at once (test_packets_altered.py). Here a set is changed by netfilter's own socket, of which the kernel tells nobody.
"""

import ctypes
import json
import os
import re
import socket
import struct

import pytest

from lib import processes
from lib.waiting import wait_until

ZONES = ("mynumber", "lgwan", "internet")
POLICY = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
"""
PIDFD_GETFD = 438
NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFT_MSG_DELSETELEM = 10, 16, 17, 14
NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET = 1, 2
NLM_F_REQUEST, AF_UNSPEC, NFPROTO_INET = 1, 0, 1


def descriptor_of(pid, number):
    """A copy of another process's descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        copy = libc.syscall(PIDFD_GETFD, handle, number, 0)
    finally:
        os.close(handle)
    assert copy >= 0, os.strerror(ctypes.get_errno())
    return copy


def rules_socket(net, gateway, zone):
    """A copy of the socket by which netfilter changes a zone's rules: the first of that zone's that it was given."""
    [pid] = gateway.pids("netfilter")
    rows = [line.split() for line in net.run(gateway.zone_namespace(zone), "cat", "/proc/net/netlink").stdout.splitlines()[1:]]
    here = {f"socket:[{row[9]}]" for row in rows if int(row[1]) == NETLINK_NETFILTER}
    first = min(number for number, target in processes.descriptors(pid).items() if target in here)
    return socket.socket(fileno=descriptor_of(pid, first))


def message(kind, family, resource, attributes=b""):
    """struct nlmsghdr and struct nfgenmsg (linux/netlink.h, linux/netfilter/nfnetlink.h)."""
    body = struct.pack("=BB", family, 0) + struct.pack(">H", resource) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST, 0, 0) + body


def text(number, value):
    """An attribute with a name."""
    data = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(data), number) + data + b"\0" * (-len(data) % 4)


def empty_set(net, gateway, zone, name):
    """What `nft flush set inet sekisho NAME` sends, by netfilter's own socket."""
    names = text(NFTA_SET_ELEM_LIST_TABLE, "sekisho") + text(NFTA_SET_ELEM_LIST_SET, name)
    with rules_socket(net, gateway, zone) as own:
        own.send(message(NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)
                 + message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSETELEM, NFPROTO_INET, 0, names)
                 + message(NFNL_MSG_BATCH_END, AF_UNSPEC, NFNL_SUBSYS_NFTABLES))


def sets_of(net, gateway, zone):
    """{name: elements} of the sets that a policy fills, as nft(8) reads them."""
    listed = json.loads(net.run(gateway.zone_namespace(zone), "nft", "-j", "list", "table", "inet", "sekisho").stdout)["nftables"]
    return {one["set"]["name"]: sorted(map(str, one["set"]["elem"])) for one in listed
            if "set" in one and one["set"].get("elem") and not {"timeout", "dynamic"} & set(one["set"].get("flags", []))}


def records(gateway, event, zone):
    """Its records of that zone, oldest first."""
    return [line for line in gateway.audit_lines() if f" {event} " in line and f'zone="{zone}"' in line]


def test_rules_watch_compares_each_zone_behind_a_load(make_gateway):
    """Z1, L6: behind the start and behind a commit each zone has a record with what was compared, and none that differs."""
    gateway = make_gateway(POLICY)
    for zone in ZONES:
        line = gateway.wait_event(" rules-compared ", f'zone="{zone}"', seconds=60)
        found = re.search(r'detail="(\d+) rules in (\d+) chains, (\d+) elements in (\d+) sets"', line)
        assert found and int(found[1]) > 80 and min(map(int, found.groups())) > 0, line
    console = gateway.open_console()
    console.commit("set crossing mynumber lgwan permit 30 destination 10.20.0.77", "set crossing mynumber lgwan permit 30 service echo")
    wait_until(lambda: all(len(records(gateway, "rules-compared", zone)) >= 2 for zone in ZONES), "the rules to be compared anew", 60)
    assert "rules-compared" in console.run("show compliance Z6 | no-more", timeout=60)
    assert not [line for line in gateway.audit_lines() if " rules-differ " in line or " rules-not-compared " in line]


@pytest.mark.limit(180)
def test_rules_watch_finds_a_set_that_was_changed_by_its_own_socket(net, make_gateway):
    """Z1, Z6, Z12: the zone is shut, the alarm names the place, the zone gets its set back, and the alarm ends."""
    gateway = make_gateway(POLICY)
    console = gateway.open_console()
    for zone in ZONES:
        gateway.wait_event(" rules-compared ", f'zone="{zone}"', seconds=60)
    before = sets_of(net, gateway, "mynumber")
    name = sorted(before)[0]
    empty_set(net, gateway, "mynumber", name)
    assert name not in sets_of(net, gateway, "mynumber"), "the set was not changed"
    console.run("isolate station 10.10.0.9")
    line = gateway.wait_event(" rules-differ ", 'zone="mynumber"', seconds=60)
    assert f"elements of family 1, table sekisho, set {name}" in line, line
    assert not [one for one in gateway.audit_lines() if " ruleset-altered " in one], "the kernel told of it"
    told = records(gateway, "rules-differ", "mynumber")[0]

    def is_ended():
        lines = [one for one in gateway.audit_lines() if 'zone="mynumber"' in one]
        return [one for one in lines[lines.index(told):] if " rules-compared " in one]
    wait_until(is_ended, "the rules to be compared again", 60)
    lines = [one for one in gateway.audit_lines() if 'zone="mynumber"' in one]
    events = [word for one in lines[lines.index(told):] for word in ("rules-differ", "rules-loaded", "rules-compared") if f" {word} " in one]
    assert events == ["rules-differ", "rules-loaded", "rules-compared"], events
    assert sets_of(net, gateway, "mynumber")[name] == before[name]
    wait_until(lambda: "rules-differ" not in console.run("show alarms | no-more"), "the alarm to end", 30)
    assert not records(gateway, "rules-differ", "lgwan")
