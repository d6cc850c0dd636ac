# SPDX-License-Identifier: GPL-2.0-or-later
"""Zones and paths read back from the kernel and put on record beside the policy (Z1, Z2, L6), and the report that is drawn from it.

    mynumber ==crossing== lgwan        internet: no path
"""

import re
import time

import pytest

from lib.net import run
from lib.reports import report, rows, section
from lib.waiting import wait_until

POLICY = """
service echo { tcp 7000; }
crossing mynumber lgwan { permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; } }
"""
FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
ZONES = ("mynumber", "lgwan", "internet")
HEADING = "== Zones and what crosses between them"


def newest(gateway, event, **fields):
    """The fields of the newest record of the event with these ones; None where there is none."""
    found = None
    for line in gateway.audit_lines():
        has = dict(re.findall(r' ([a-z0-9-]+)="((?:[^"\\]|\\.)*)"', line)) if f" {event} " in line else {}
        if has and all(has.get(name) == value for name, value in fields.items()):
            found = has
    return found


def record(gateway, event, **fields):
    found = [None]

    def came():
        found[0] = newest(gateway, event, **fields)
        return found[0]

    wait_until(came, f"{event} {fields}", 30)
    return found[0]


def path(gateway, event, *zones, **fields):
    """The same of a pair, whose zones stand in the order of their names."""
    return record(gateway, event, **{"from": min(zones), "to": max(zones)}, **fields)


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


def look_again(gateway, console):
    """An isolation and its end have the state read again, twice."""
    record(gateway, "zone-read", zone="mynumber")
    console.run("isolate zone lgwan")
    path(gateway, "path-read", "mynumber", "lgwan", name="shut", detail="none")
    console.run("restore zone lgwan")
    path(gateway, "path-read", "mynumber", "lgwan", name="open", detail="x-mynumber")


def drawn(gateway, tmp_path):
    """(the picture's lines, {zone or pair: (found, difference)}) of this month's report."""
    month = gateway.audit_lines()[-1].split(" ")[1][:7]
    _, text, _ = report(gateway.config_path, gateway.state / "audit", month, "--language", "en")
    lines = section(text, HEADING)
    table = rows([line for line in lines if line.count(" | ") == 5])
    return [line for line in lines if line.startswith("  ") and " | " not in line], {row[0]: row[1:3] for row in table}


def test_survey_puts_the_state_of_the_kernel_on_record(gateway, topology, tmp_path):
    """Every zone with its port and addresses, every pair with what joins it; the picture is drawn from them."""
    for name in ZONES:
        zone = topology.zones[name]
        found = record(gateway, "zone-read", zone=name)
        assert found["reason"] == ""
        assert found["detail"].startswith("up, carrier, ") and f"{zone.gateway4}/" in found["detail"], found
        shown = run("ip", "-netns", gateway.zone_namespace(name), "link", "show", "dev", found["port"]).stdout
        assert re.search(r"link/ether (\S+)", shown)[1] in found["detail"]
    assert path(gateway, "path-read", "mynumber", "lgwan")["name"] == "open"
    for name in ("mynumber", "lgwan"):
        pair = path(gateway, "path-read", name, "internet")
        assert (pair["detail"], pair["name"]) == ("none", "none")
    picture, table = drawn(gateway, tmp_path)
    assert "  lgwan <==> mynumber  packets: 1 permits" in picture
    assert table["internet - mynumber"] == ["none", "none"]
    assert not [line for line in picture if "[!]" in line], picture


def test_survey_names_what_no_policy_asks_for(gateway, tmp_path):
    """A path between two zones by hand, an address, a forwarding switch, a missing crossing: each is named, alarmed and drawn."""
    inside, outside = (gateway.zone_namespace(name) for name in ("mynumber", "internet"))
    port = record(gateway, "zone-read", zone="internet")["port"]
    run("ip", "-netns", inside, "link", "add", "leak", "up", "type", "veth", "peer", "name", "leak", "netns", outside)
    run("ip", "-netns", outside, "link", "set", "leak", "up")
    run("ip", "-netns", outside, "address", "add", "192.0.2.77/32", "dev", port)
    for switch in FORWARDING:
        run("ip", "netns", "exec", outside, "sysctl", "-q", "-w", f"{switch}=0")
    console = gateway.console()
    look_again(gateway, console)
    found = record(gateway, "zone-differs", zone="internet")["reason"]
    for what in ("device leak is up and no policy asks for it", "address 192.0.2.77/32", "net/ipv4/ip_forward is 0",
                 "net/ipv6/conf/all/forwarding is 0"):
        assert what in found, found
    pair = path(gateway, "path-differs", "mynumber", "internet")
    assert (pair["detail"], pair["reason"]) == ("leak", "joined by a device that no policy asks for")
    alarms = console.run("show alarms")
    assert "zone-differs  internet" in alarms and "path-differs  internet/mynumber" in alarms, alarms
    picture, table = drawn(gateway, tmp_path)
    assert any(line.startswith("  internet !==! mynumber  [!] NOT IN THE CONFIGURATION: leak") for line in picture), picture
    assert table["internet"][1].startswith("[!] device leak")
    run("ip", "-netns", inside, "link", "delete", "leak")
    run("ip", "-netns", outside, "address", "delete", "192.0.2.77/32", "dev", port)
    for switch in FORWARDING:
        run("ip", "netns", "exec", outside, "sysctl", "-q", "-w", f"{switch}=1")
    run("ip", "-netns", inside, "link", "delete", "x-lgwan")
    console.run("isolate zone internet")
    wait_until(lambda: "isolated" in (newest(gateway, "zone-read", zone="internet") or {"detail": ""})["detail"], "the isolation", 30)
    path(gateway, "path-read", "mynumber", "internet", name="none")
    assert "-differs" not in console.run("show alarms")
    assert path(gateway, "path-read", "mynumber", "lgwan")["name"] == "open"     # an isolation leads the kernel to the policy
    picture, _ = drawn(gateway, tmp_path)
    assert "  lgwan <==> mynumber  packets: 1 permits" in picture, picture


def separation(console, zone, other):
    """(crossing, devices in common, IP path) of two zones as show separation tells them."""
    shown = console.run("show separation | no-more")
    cells = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    found = [tuple(row[2:5]) for row in cells if row[:2] == [zone, other]]
    assert len(found) == 1, shown
    return found[0]


STRANGER = "joined by a device that no policy asks for"
NOT_SEPARATED = "NOT SEPARATED: a device that no policy asks for"


@pytest.mark.parametrize("holder, below", [("mynumber", "internet"), ("internet", "mynumber")])
def test_survey_sees_a_device_that_one_zone_alone_names(gateway, holder, below):
    """A macvlan names the other namespace only where it is held, and leads out of the one below all the same."""
    port = record(gateway, "zone-read", zone=below)["port"]
    console = gateway.console()
    assert path(gateway, "path-read", holder, below)["detail"] == "none"
    run("ip", "-netns", gateway.zone_namespace(below), "link", "add", "link", port, "name", "mv0",
        "netns", gateway.zone_namespace(holder), "type", "macvlan")
    look_again(gateway, console)
    pair = path(gateway, "path-differs", holder, below)
    assert (pair["detail"], pair["reason"], pair["name"]) == ("mv0", STRANGER, "none")
    for zone, other in ((holder, below), (below, holder)):
        assert separation(console, zone, other) == ("none", "mv0", NOT_SEPARATED)


def test_survey_and_show_separation_judge_alike(gateway):
    """A device beside the crossing, and one in the crossing's place: both say that no policy asks for it."""
    inside, outside = (gateway.zone_namespace(name) for name in ("mynumber", "lgwan"))
    console = gateway.console()
    look_again(gateway, console)
    assert separation(console, "lgwan", "mynumber") == ("configured", "x-mynumber", "by permits")
    run("ip", "-netns", inside, "link", "add", "leak", "type", "veth", "peer", "name", "leak", "netns", outside)
    console.run("isolate zone internet")    # leaves the pair alone and has all read again
    pair = path(gateway, "path-differs", "mynumber", "lgwan", name="open")
    assert (set(pair["detail"].split()), pair["reason"]) == ({"leak", "x-mynumber"}, STRANGER)
    for zone, other in (("mynumber", "lgwan"), ("lgwan", "mynumber")):
        assert separation(console, zone, other)[2] == NOT_SEPARATED
    run("ip", "-netns", inside, "link", "delete", "x-lgwan")
    assert separation(console, "lgwan", "mynumber") == ("configured", "leak", NOT_SEPARATED)
    run("ip", "-netns", inside, "link", "delete", "leak")
    assert separation(console, "lgwan", "mynumber") == ("configured", "none", "no path: the crossing is missing")


def test_survey_is_not_put_off_by_changes_without_end(gateway):
    """A change each second, and all is read again all the same: what is due is not put off."""
    console = gateway.console()
    record(gateway, "zone-read", zone="lgwan")

    def looks():
        return sum(" zone-read " in line and 'zone="lgwan"' in line for line in gateway.audit_lines())

    time.sleep(5.0)     # nothing is due any more
    before, end, changes = looks(), time.monotonic() + 12.0, 0
    while time.monotonic() < end:
        console.run(f"{('isolate', 'restore')[changes % 2]} zone internet")
        changes += 1
        time.sleep(0.7)
    found = looks() - before
    assert changes >= 8 and found >= 2, (changes, found)
