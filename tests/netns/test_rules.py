# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel enforces, read back from it: rules.txt of an evidence archive against nft(8) in the same namespace (C7, Z1)."""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from lib import processes, rules
from lib.waiting import wait_until
from test_evidence import MEMBERS, WHOLE, checks, collect

ZONES = ("mynumber", "lgwan", "internet")
POLICY = """
service echo { tcp 7000; udp 7000; }
crossing mynumber lgwan { offload; permit 10 { source 10.10.0.5; destination 10.20.0.8; service echo; limit { connections 5; } }
                          permit 20 { destination 10.20.0.0/28; service echo; } }
"""
STATIONS = {"internet": "station-policy enforce; station 02:00:00:00:00:09 { address 203.0.113.9; }"}


def text_of(gateway, directory):
    """{zone: lines} of rules.txt in a new archive."""
    console = gateway.open_console()
    bundle = collect(console, directory)
    console.close()
    assert checks(bundle) == WHOLE
    return rules.zones_of((bundle / "rules.txt").read_text())


def same_sets(mine, theirs):
    """Whether a set has the same type, size, flags and elements in both readings."""
    types = theirs["type"] if isinstance(theirs["type"], list) else [theirs["type"]]
    lines = [line for line in mine if isinstance(line, str)]
    flags = next((line.split()[1].split(",") for line in lines if line.startswith("flags ")), [])
    assert lines[0] == "type " + " . ".join(types)
    assert sorted(set(flags) - {"concat"}) == sorted(theirs.get("flags", [])), theirs
    assert "size" not in theirs or f'size {theirs["size"]}' in lines
    if "timeout" in theirs:
        assert f'timeout {theirs["timeout"] * 1000}ms' in lines
    if "interval" in flags and len(types) == 1 and types[0].startswith("ipv"):
        assert rules.ranges(lines) == rules.ranges_of_nft(theirs)
    elif "interval" not in flags and "timeout" not in flags:
        assert len(rules.elements(lines)) == len(theirs.get("elem", []))
    return True


def test_rules_in_evidence_are_those_that_nft_reads(net, make_gateway, tmp_path):
    """C7, Z1: each table, counter, set, chain and rule of each zone, expression by expression, and nothing besides."""
    gateway = make_gateway(POLICY, zone_extra=STATIONS)
    texts = text_of(gateway, tmp_path / "bundle")
    assert set(texts) == set(ZONES)
    for zone in ZONES:
        namespace = gateway.zone_namespace(zone)
        mine = rules.ours(texts[zone])
        theirs = rules.objects_of_nft(net.run(namespace, "nft", "-j", "list", "ruleset").stdout)
        expressions = rules.rules_of_nft(net.run(namespace, "nft", "--debug=netlink", "list", "ruleset").stdout)
        assert "has the rules of the running policy" in texts[zone][0]
        asked = [line for line in texts[zone] if line.startswith("#") and "policy asks for" in line]
        chains, sets = (sum(key[0] == kind for key in theirs) for kind in ("chain", "set"))
        (said,) = asked
        found = re.fullmatch(r"# as the policy asks for: (\d+) rules in (\d+) chains, (\d+) elements in (\d+) sets", said)
        assert found, "\n".join(texts[zone][:400])
        assert [int(found[i]) for i in (1, 2, 4)] == [len(expressions), chains, sets] and int(found[3]) > 0
        assert set(mine) == set(theirs)
        ours = [(*key[1:], *one) for key, lines in mine.items() if key[0] == "chain" for one in lines if isinstance(one, tuple)]
        assert [one for one in ours if one not in expressions] == [one for one in expressions if one not in ours] == []
        assert len(ours) == len(expressions) > 80
        for key, value in theirs.items():
            if key[0] == "chain" and "hook" in value:
                assert mine[key][0].startswith(f'type {value["type"]} hook {value["hook"]} ')
                assert mine[key][0].endswith(f'priority {value["prio"]}; policy {value["policy"]};')
            assert key[0] != "set" or same_sets(mine[key], value)
        assert not [line for line in texts[zone] if "attribute" in line or "malformed" in line], "the printer's tables lack something"


@contextlib.contextmanager
def somebody_else(net, gateway, table, content):
    """A program that owns a table of mynumber, which netfilter can only shut the zone beside."""
    owner = net.popen(gateway.zone_namespace("mynumber"), "nft", "-i", stdin=subprocess.PIPE)
    owner.popen.stdin.write(f"add table ip {table} {{ flags owner; {content} }}\n".encode())
    owner.popen.stdin.flush()
    gateway.wait_event("rules-refused", 'zone="mynumber"', "another program owns a table")
    yield
    owner.popen.stdin.close()
    owner.stop()


def test_rules_of_somebody_else_are_in_evidence(net, make_gateway, tmp_path):
    """C7, Z1: a table that another program owns, its chain and its rule, and that netfilter holds the zone shut beside it."""
    gateway = make_gateway(POLICY)
    with somebody_else(net, gateway, "other", "chain open { type filter hook forward priority -7; policy accept; "
                                              "ip saddr 10.10.0.66 counter accept; };"):
        texts = text_of(gateway, tmp_path / "bundle")
    mine = rules.ours(texts["mynumber"])
    assert "shut beside a table that another program owns" in texts["mynumber"][0]
    assert "has the rules of the running policy" in texts["lgwan"][0]
    assert any(line.strip().startswith("flags owner # netlink port of its owner ") for line in texts["mynumber"])
    hook, (_, rule) = mine["chain", "ip", "other", "open"]
    assert hook == "type filter hook forward priority -7; policy accept;"
    assert "[ cmp eq reg 1 0x42000a0a ]" in rule and rule[-1] == "[ immediate reg 0 accept ]"
    assert re.search(r"chain .* hook forward .*policy drop", " ".join(texts["mynumber"]))


def addresses(count):
    """So many different ones, as nft(8) takes them."""
    return ", ".join(f"198.18.{n // 250}.{n % 250 + 1}" for n in range(count))


def test_rules_show_some_elements_of_a_set_that_packets_fill_and_count_the_others(net, make_gateway, tmp_path):
    """C7: whoever sends packets of many addresses does not make rules.txt so long that there is none; what a policy fills is whole."""
    gateway = make_gateway(POLICY)
    sets = "".join(f"set {name} {{ type ipv4_addr; size 65535; {flags} elements = {{ {addresses(3000)} }}; }}; "
                   for name, flags in (("filled", "flags dynamic;"), ("kept", "")))
    with somebody_else(net, gateway, "other", sets):
        mine = rules.ours(text_of(gateway, tmp_path / "bundle")["mynumber"])
    filled, kept = mine["set", "ip", "other", "filled"], mine["set", "ip", "other", "kept"]
    (more,) = [int(match[1]) for line in filled if (match := re.match(r"# (\d+) more elements that packets put there are not shown$", line))]
    assert 128 <= len(rules.elements(filled)) < 2000 and len(rules.elements(filled)) + more == 3000
    assert len(rules.elements(kept)) == 3000 and not [line for line in kept if "not shown" in line]


def test_rules_of_the_longest_names_are_read(net, make_gateway):
    """C7: a name of 255 bytes, which the kernel takes, hides nothing."""
    gateway = make_gateway(POLICY)
    table, name = "t" * 255, "s" * 255
    with somebody_else(net, gateway, table, f"set {name} {{ type ipv4_addr; elements = {{ 198.18.0.77 }}; }};"):
        console = gateway.open_console()
        shown = console.run("show rules mynumber")
        console.close()
    assert "198.18.0.77" in shown and "# zone mynumber: " in shown


@pytest.mark.limit(240)
def test_evidence_without_a_member_is_signed_and_says_which_and_why(net, make_gateway, tmp_path):
    """C7: rules that are too long for an archive do not prevent it: all else is there, and it says what is not."""
    gateway = make_gateway(POLICY)
    commented = ", ".join(f'198.{18 + n // 62500}.{n // 250 % 250}.{n % 250 + 1} comment "{"c" * 127}"' for n in range(29000))
    with somebody_else(net, gateway, "other", f"set kept {{ type ipv4_addr; elements = {{ {commented} }}; }};"):
        console = gateway.open_console()
        directory = collect(console, tmp_path / "bundle", timeout=180)
        assert "lgwan" in console.run("show zones")
        console.close()
    assert checks(directory) == WHOLE
    assert (directory / "rules.txt").read_text() == "an answer is too long\n"
    assert (directory / "missing.txt").read_text() == "rules.txt: an answer is too long\n"
    members = {line.split()[1] for line in (directory / "manifest.sha256").read_text().splitlines()}
    assert MEMBERS < members and [name for name in members if name.startswith("log/")]
    assert "lgwan\tlink\t" in (directory / "links.txt").read_text()


def test_rules_are_shown_at_a_prompt_by_zone(make_gateway):
    """C7: `show rules ZONE` has that zone's only."""
    console = make_gateway(POLICY).open_console()
    shown = console.run("show rules lgwan")
    assert "# zone lgwan: " in shown and "chain forward {" in shown and "[ lookup reg 1 set alive ]" in shown
    assert "# zone mynumber" not in shown
    assert "there is no such zone" in console.run("show rules nowhere")
    assert "allowed: [ZONE]" in console.run("show rules lgwan mynumber")


def slow_down(pid, seconds):
    """A process runs for a millisecond of each forty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        processes.send(pid, signal.SIGSTOP)
        time.sleep(0.039)
        processes.send(pid, signal.SIGCONT)
        time.sleep(0.001)


def test_rules_are_of_one_moment_however_long_they_are_read(net, make_gateway):
    """C7: what netfilter does to stay alive while a zone is read is no change of its rules."""
    gateway = make_gateway(POLICY)
    console = gateway.open_console()
    [pid] = gateway.pids("netfilter")

    def signs_of_life_while_read():
        slow = threading.Thread(target=slow_down, args=(pid, 2))
        slow.start()
        shown = console.run("show rules lgwan | match # | no-more", timeout=60)
        slow.join()
        found = re.search(r"^# the kernel says: as of its transaction \d+, and (\d+) signs of life", shown, re.MULTILINE)
        assert found and "# as the policy asks for: " in shown, shown
        return int(found[1]) > 0
    wait_until(signs_of_life_while_read, "a reading of more than 200 ms")


def links_of(directory):
    """{(zone, kind): {(device, state)}} of links.txt."""
    found = {}
    for line in (directory / "links.txt").read_text().splitlines()[1:]:
        zone, kind, device, state = line.split("\t")
        found.setdefault((zone, kind), set()).add((device, state))
    return found


def test_links_in_evidence_are_those_that_the_kernel_has(net, topology, make_gateway, tmp_path):
    """C7, Z1: devices with their carrier, addresses, routes, rules, neighbours and sysctls as ip(8) and sysctl(8) read them, also what
    somebody has added by hand, and the ports that no zone has."""
    gateway = make_gateway(POLICY)
    namespace = gateway.zone_namespace("mynumber")

    def ip(*words):
        return json.loads(net.run(namespace, "ip", "-j", *words).stdout)

    net.run(namespace, "ip", "link", "add", "sneaky", "type", "veth", "peer", "name", "sneaky-end")
    net.run(namespace, "ip", "address", "add", "192.0.2.77/25", "dev", "sneaky")
    net.run(namespace, "ip", "link", "set", "sneaky", "up")
    net.run(namespace, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.1", "dev", "sneaky", "table", "77", "metric", "5")
    net.run(namespace, "ip", "neighbour", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:aa", "dev", "sneaky")
    net.run(namespace, "ip", "neighbour", "add", "proxy", "192.0.2.10", "dev", "sneaky")
    net.run(namespace, "ip", "neighbour", "add", "proxy", "2001:db8::10", "dev", "sneaky")
    net.run(namespace, "ip", "rule", "add", "priority", "77", "from", "198.51.100.0/25", "iif", "sneaky", "fwmark", "0x5/0xff", "table", "77")
    net.run(namespace, "ip", "-6", "rule", "add", "priority", "78", "not", "to", "2001:db8::/48", "ipproto", "tcp", "prohibit")
    net.run(namespace, "sysctl", "-q", "-w", "net.ipv4.conf.sneaky.accept_source_route=1")
    net.run(topology.zones["lgwan"].namespace, "ip", "link", "set", topology.DEVICE, "down")

    def addresses():
        return {(one["ifname"], f'{a["local"]}/{a["prefixlen"]}') for one in ip("address") for a in one["addr_info"]}

    def route_count():
        return len(ip("-4", "route", "show", "table", "all")) + len(ip("-6", "route", "show", "table", "all"))

    console = gateway.open_console()
    before = addresses(), route_count()     # a link-local address may still be on its way
    found = links_of(collect(console, tmp_path / "bundle"))
    after = addresses(), route_count()
    console.close()
    for link in ip("link"):
        state = next(state for device, state in found["mynumber", "link"] if device == link["ifname"])
        assert state.split(", ")[0] == ("up" if "UP" in link["flags"] else "down")
        assert state.split(", ")[1] == ("carrier" if "LOWER_UP" in link["flags"] else "no carrier")
        assert f'mtu {link["mtu"]}, {link["address"]}' in state
    assert len(found["mynumber", "link"]) == len(ip("link"))
    shown = {(device, state.split()[0]) for device, state in found["mynumber", "address"]}
    assert ("sneaky", "192.0.2.77/25") in shown and before[0] & after[0] <= shown <= before[0] | after[0]
    assert ("sneaky", "unicast 198.51.100.0/24 via 192.0.2.1 table 77 protocol 3 metric 5") in found["mynumber", "route"]
    assert min(before[1], after[1]) <= len(found["mynumber", "route"]) <= max(before[1], after[1])
    assert ("sneaky", "192.0.2.9 02:00:00:00:00:aa permanent") in found["mynumber", "neighbour"]
    assert {("sneaky", "192.0.2.10 answered for"), ("sneaky", "2001:db8::10 answered for")} <= found["mynumber", "neighbour"]
    rules_shown = {state for _, state in found["mynumber", "rule"]}
    assert {"ipv4 priority 77 from 198.51.100.0/25 to all in sneaky mark 0x5/0xff table 77",
            "ipv6 priority 78 not from all to 2001:db8::/48 under further conditions prohibit"} <= rules_shown
    assert len(rules_shown) == len(ip("rule")) + len(ip("-6", "rule"))
    sysctls = dict(found["mynumber", "sysctl"])
    assert sysctls["net/ipv4/conf/sneaky/accept_source_route"] == "1"
    for name, value in sysctls.items():
        if value not in ("not in this kernel", "cannot be read"):
            assert net.run(namespace, "sysctl", "-n", name.replace("/", ".")).stdout.strip() == value, name
    assert not [value for value in sysctls.values() if value == "cannot be read"]
    assert [state for device, state in found["lgwan", "link"] if state.startswith("up, no carrier")]
    assert ("lo" in dict(found["(no zone)", "link"])) and sysctls["net/ipv4/ip_forward"] == "1"


def test_neighbours_of_one_zone_hide_nothing_of_another(net, make_gateway, tmp_path):
    """C7: 2,000 lines of all zones together: neighbours, which stations make, have what the rest leaves, each zone its share; how
    many more there are is said, and the console goes on."""
    gateway = make_gateway(POLICY)
    batch = tmp_path / "neighbours"
    batch.write_text("".join(f"neighbour replace 10.10.{n // 250}.{n % 250 + 1} lladdr 02:00:00:01:{n // 250:02x}:{n % 250:02x} dev eth0 nud permanent\n"
                             for n in range(2500)))
    net.run(gateway.zone_namespace("mynumber"), "ip", "-batch", batch)
    net.run(gateway.zone_namespace("internet"), "ip", "neighbour", "replace", "203.0.113.77", "lladdr", "02:00:00:00:00:bb", "dev", "eth2")
    directory = tmp_path / "bundle"
    console = gateway.open_console()
    found = links_of(collect(console, directory))
    assert "lgwan" in console.run("show zones")
    console.close()
    for zone in (*ZONES, "(no zone)"):
        assert {"link", "address", "route", "sysctl"} <= {kind for of, kind in found if of == zone}
    assert ("eth2", "203.0.113.77 02:00:00:00:00:bb permanent") in found["internet", "neighbour"]
    more = {(zone, kind, state) for (zone, kind), rows in found.items() for device, state in rows if state.endswith("more are not shown")}
    (zone, kind, state), = more
    assert (zone, kind) == ("mynumber", "neighbour")
    shown = len(found["mynumber", "neighbour"]) - 1
    assert shown > 100 and shown + int(state.split()[0]) >= 2500
    assert len((directory / "links.txt").read_text().splitlines()) <= 2000 + len(more)


def test_devices_beyond_those_that_are_named_are_counted(net, make_gateway):
    """C7: sysctls are shown of 64 devices; what is not shown of the others is said, and their addresses have their numbers."""
    gateway = make_gateway(POLICY)
    namespace = gateway.zone_namespace("lgwan")
    for n in range(35):
        net.run(namespace, "ip", "link", "add", f"near{n}", "type", "veth", "peer", "name", f"far{n}")
    net.run(namespace, "ip", "address", "add", "192.0.2.77/25", "dev", "far34")
    shown = gateway.open_console().run("show links")
    devices = json.loads(net.run(namespace, "ip", "-j", "link").stdout)
    index = next(device["ifindex"] for device in devices if device["ifname"] == "far34")
    assert f"those of {len(devices) - 64} more devices are not shown" in shown
    assert re.search(rf"lgwan\s+address\s+device {index}\s+192\.0\.2\.77/25", shown)


def test_names_of_devices_cannot_command_a_terminal(net, make_gateway):
    """C7: a name's unprintable bytes and its backslashes are shown as \\xNN, wherever it stands."""
    gateway = make_gateway(POLICY)
    namespace = gateway.zone_namespace("lgwan")
    name = "e\x1b[31m\\\u95a2"
    net.run(namespace, "ip", "link", "add", name, "type", "veth", "peer", "name", "far")
    net.run(namespace, "ip", "rule", "add", "priority", "77", "iif", name, "table", "77")
    shown = gateway.open_console().run("show links")
    safe = r"e\x1b[31m\x5c\xe9\x96\xa2"
    assert re.search(rf"lgwan\s+link\s+{re.escape(safe)}\s", shown)
    assert f"net/ipv4/conf/{safe}/rp_filter" in shown
    assert f"ipv4 priority 77 from all to all in {safe} table 77" in shown
    assert name not in shown and "cannot be read" not in shown


def test_rules_are_as_asked_over_what_changes_while_they_run(net, make_gateway):
    """Z1: isolated stations, a commit, another life of netfilter: what the kernel has is what the policy asks for."""
    gateway = make_gateway(POLICY, zone_extra=STATIONS)
    console = gateway.open_console()

    def as_asked():
        shown = console.run("show rules | match policy | no-more", timeout=60)
        assert "NOT AS" not in shown and len(re.findall("^# as the policy asks for: ", shown, re.MULTILINE)) == len(ZONES), shown

    as_asked()
    console.run("isolate station 10.10.0.9")
    console.run("isolate station 02:00:00:00:00:33")
    as_asked()
    console.commit("set crossing mynumber lgwan permit 30 destination 10.20.0.77", "set crossing mynumber lgwan permit 30 service echo")
    as_asked()
    before = gateway.pids("netfilter")
    gateway.kill("netfilter")
    gateway.wait_role("netfilter", before)
    wait_until(lambda: console.run("show rules | match policy | no-more", timeout=60).count("# as the policy") == len(ZONES), "the rules", 30)

    def compared(zone):
        words = [word for line in gateway.audit_lines() if f'zone="{zone}"' in line
                 for word in ("loaded", "compared", "differ") if f" rules-{word} " in line]
        assert "differ" not in words, "netfilter's own comparison found what is not there"
        return words[-1] == "compared"
    wait_until(lambda: all(compared(zone) for zone in ZONES), "the rules of the new life to be compared", 60)
