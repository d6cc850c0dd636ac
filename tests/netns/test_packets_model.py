# SPDX-License-Identifier: GPL-2.0-or-later
"""Three judges of generated policies agree: the datapath, `sekisho trace`, and the tests' own evaluator (Z1, Z8)."""

import collections
import contextlib
import copy
import datetime
import multiprocessing
import os
import subprocess
import time
import types

import pytest

from lib.gateway import SEKISHO, Gateway, config_text
from lib.net import Topology
from lib.policy_generator import KINDS, Generator
from lib.policy_wire import Exchange, first_bytes, pieces, silence
from lib.waiting import WaitedTooLong, wait_until

INTERNET = ["203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.14", "2001:db8:113::5", "2001:db8:113::14"]
INTERNET_NETWORKS = ["203.0.113.1/28", "2001:db8:113::1/64"]
# Where the gateway is a router, and where it stands between two parts of one network (transparent).
ROUTED = types.SimpleNamespace(
    hosts={"mynumber": ["10.10.0.5", "10.10.0.6", "10.10.0.7", "10.10.0.40", "fd00:10::5", "fd00:10::6", "fd00:10::40"],
           "lgwan": ["10.20.0.8", "10.20.0.9", "10.20.0.20", "10.20.0.25", "fd00:20::8", "fd00:20::9", "fd00:20::25"],
           "internet": INTERNET},
    networks={"mynumber": ["10.10.0.1/24", "fd00:10::1/64"], "lgwan": ["10.20.0.1/24", "fd00:20::1/64"], "internet": INTERNET_NETWORKS})
INLINE = types.SimpleNamespace(
    hosts={"mynumber": ["10.30.0.5", "10.30.0.6", "10.30.0.7", "10.30.0.40", "fd00:30::5", "fd00:30::6", "fd00:30::40"],
           "lgwan": ["10.30.0.1", "10.30.0.8", "10.30.0.9", "10.30.0.14", "fd00:30::8", "fd00:30::9", "fd00:30::f"],
           "internet": INTERNET},
    networks={"mynumber": ["10.30.0.0/24", "fd00:30::/120"], "lgwan": ["10.30.0.1", "10.30.0.8/29", "fd00:30::8/125"],
              "internet": INTERNET_NETWORKS})
POLICIES, PACKETS = int(os.environ.get("POLICIES", "30")), int(os.environ.get("PACKETS", "300"))
SENT = POLICIES if POLICIES > 30 else 12    # policies whose flows are sent
AT_ONCE = 2                                 # gateways
EXACT_SECONDS = 9.0     # from the first packet to the last: who has not gone on after 10 s has to begin anew (arbiter/conform.h)
TRIES = 3               # of a policy where the machine was slower than that

FEATURES = ["IPv4", "IPv6", "TCP", "UDP", "ICMP", "ICMPv6", "other protocols", "groups of addresses", "groups of stations",
            "lists of stations", "stations shut out", "schedules", "holidays", "expires", "transparent", "limit rate", "limit connections",
            "guard source-rate", "guard source-connections", "first bytes in segments", "segments out of order", "segments twice",
            *(f"conform {kind}" for kind in KINDS)]     # of policies and flows

# What each judge calls the same: the evaluator tells more of some, `trace` of others.
SAME = {"source": "address", "target": "address", "not-a-request": "no-permit", "spoofed": "address", "station-unknown": "station",
        "station-address": "station", "schedule": "time", "expired": "time"}
# Why a flow passes or not.
CAUSES = ["permitted", "source", "target", "station", "gateway", "same-zone", "no-crossing", "not-a-request", "no-permit", "time",
          "shut-out", "source-rate", "source-connections", "limit-rate", "limit-connections", "conform-protocol", "conform-hidden",
          "conform-name"]


def ground_of(seed):
    return INLINE if seed % 4 == 3 else ROUTED


def configuration(topology, policy, **more):
    """With zones that have networks in place of addresses where the policy's crossing is transparent."""
    zones, extra = {name: copy.copy(zone) for name, zone in topology.zones.items()}, policy.zone_extra()
    for name in ("mynumber", "lgwan") if policy.transparent else ():
        zones[name].gateway = ()
        extra[name] = " ".join([*(f"network {n};" for n in INLINE.networks[name]), extra.get(name, "")])
    return config_text(types.SimpleNamespace(zones=zones), policy.text(), zone_extra=extra, **more)


def traced(config, flows):
    """For each flow what `sekisho trace` says: (why, number of the permit or None)."""
    done = subprocess.run([SEKISHO, "trace", "--config", config, "--flows", "-"], capture_output=True, text=True,
                          input="".join(f"{flow.line()}\n" for flow in flows), timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [line.split() for line in done.stdout.splitlines()]
    assert len(answers) == len(flows)
    return [("permitted", int(words[1])) if words[0] == "permit" else (words[1].rstrip(":"), None) for words in answers]


def traces_as_evaluated(config, policy, flows, now=None):
    """Compare the two judges that look at nothing but the policy and the time; return the evaluator's answers.

    An address that IPv6 writes for IPv4 is none to `trace`: one host has one name (RFC 4038 4.2)."""
    flows = [flow for flow in flows if not flow.source.startswith("::ffff:")]
    answers = [policy.verdict(flow, now) for flow in flows]
    for flow, (why, permit), (reason, number) in zip(flows, answers, traced(config, flows)):
        want = SAME.get(why, why), permit and permit.number
        assert (SAME.get(reason, reason), number) == want, f"{flow}: evaluator {why} {want[1]}, trace {reason} {number}"
    return answers


def calm_zone():
    """(time zone, its time now): the one of the two that is further from midnight, where dates change."""
    utc = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    zones = {"UTC": utc, "Asia/Tokyo": utc + datetime.timedelta(hours=9)}
    return max(zones.items(), key=lambda item: min(item[1].hour, 23 - item[1].hour))


def features_of(policy, shut, drawn):
    """What a policy and the flows through it bring into play: {feature: how often}."""
    found = collections.Counter()
    for name, things in {"groups of addresses": policy.groups, "groups of stations": policy.station_groups, "holidays": policy.holidays,
                         "lists of stations": policy.stations, "stations shut out": shut, "schedules": policy.schedules}.items():
        found[name] += len(things)
    found["policies"] += 1
    found["transparent"] += policy.transparent
    found.update(f"conform {service.conform.kind}" for service in policy.services if service.conform)
    for guard in policy.guards.values():
        found["guard source-rate"] += guard.rate is not None
        found["guard source-connections"] += guard.connections is not None
    for permit in policy.permits:
        found["limit rate"] += permit.rate is not None
        found["limit connections"] += permit.connections is not None
        found["expires"] += permit.expires is not None
        found["permits"] += 1
    for number, (flow, _) in enumerate(drawn, 1):
        found["IPv6" if ":" in flow.source else "IPv4"] += 1
        found[{6: "TCP", 17: "UDP", 1: "ICMP", 58: "ICMPv6"}.get(flow.protocol, "other protocols")] += 1
        if flow.shown and flow.protocol == 6:
            sent = pieces(number, len(first_bytes(flow.shown)))
            found["first bytes in segments"] += len(set(sent)) > 1
            found["segments out of order"] += sent != sorted(sent)
            found["segments twice"] += len(set(sent)) < len(sent)
    return found


class TooSlow(Exception):
    """The packets of a policy took longer than limits and deadlines are exact for."""


def send_and_compare(exchange, drawn):
    """Send drawn flows through a gateway, and compare what arrives with why each passes or not."""
    causes = {number: why for number, (_, why) in enumerate(drawn, 1)}
    streams = {number for number, (flow, _) in enumerate(drawn, 1) if flow.shown and flow.protocol == 6}
    conforming = {n for n in streams if causes[n] == "permitted"}
    showing = conforming | {n for n in streams if causes[n].startswith("conform-")}
    passing = showing | {n for n, why in causes.items() if why == "permitted"}

    def compare(have, want, what):
        """have: tells the numbers of the flows of which it is true so far."""
        with contextlib.suppress(WaitedTooLong):
            wait_until(lambda: want <= have(), what)
        time.sleep(0.2 if streams else 0.1)     # for what must not come
        for number in sorted(want ^ have()):
            flow, why = drawn[number - 1]
            raise AssertionError(f"flow {number}, {flow}: evaluator {why}; {what}: {number not in want}")

    def in_time():
        if time.monotonic() - began > EXACT_SECONDS:
            raise TooSlow(f"{time.monotonic() - began:.1f} s for {len(drawn)} flows")
    began = time.monotonic()
    exchange.begin()
    in_time()
    compare(exchange.begun, passing, "its packet has arrived")
    exchange.answer(showing)
    compare(lambda: exchange.answered() & streams, showing, "its answer has arrived")
    exchange.speak(showing)
    in_time()
    compare(exchange.shown, conforming, "all that it says has arrived")


def isolate(gateway, stations):
    with gateway.console() as console:
        console.expect(console.PROMPT)
        for name in stations:
            assert "isolated" in console.run(f"isolate station {name}")


def rules_are_as_asked(gateway):
    """Of each zone: what the kernel tells of the rules is what the policy asks for, or netfilter would shut the zone (ADR 814)."""
    with gateway.console() as console:
        console.expect(console.PROMPT)
        said = console.run("show rules | match asks", timeout=60)
    assert said.count("# as the policy asks for: ") == 3, said


def judge_by_all(net, topology, prefix, seed):
    """One generated policy and its flows, by all three; ({feature: count}, {why: count})."""
    ground, (time_zone, now) = ground_of(seed), calm_zone()
    macs = {name: zone.mac for name, zone in topology.zones.items()}
    generator = Generator(seed, ground.networks, ground.hosts, macs, calm=now, counted=True, transparent=ground is INLINE)
    policy = generator.make_policy(10 + seed * 7 % 80, now.date())
    shut = generator.make_shut() if seed % 3 == 1 else []
    drawn = generator.draw(PACKETS, now, shut)
    gateway = Gateway(topology, configuration(topology, policy, system=f"time-zone {time_zone};"), prefix=prefix)
    exchange = None
    try:
        if shut:
            isolate(gateway, shut)
        exchange = Exchange(net, topology, gateway, [flow for flow, _ in drawn], policy.zone_of)
        send_and_compare(exchange, drawn)
        rules_are_as_asked(gateway)
        traces_as_evaluated(gateway.config_path, policy, [flow for flow, _ in drawn], now)
    except AssertionError as wrong:
        raise AssertionError(f"shut out {shut}: {wrong}\n{gateway.report()}") from wrong
    finally:
        if exchange:
            exchange.close()
        gateway.stop()
    return features_of(policy, shut, drawn), collections.Counter(why for _, why in drawn)


def judge_patiently(net, topology, prefix, seed):
    """judge_by_all, again where other work kept the machine from sending in time."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(TooSlow):
            return judge_by_all(net, topology, prefix, seed)
    return judge_by_all(net, topology, prefix, seed)


def judge_in_turn(net, topology, prefix, seeds):
    """One gateway after the other at one place: the sums of judge_by_all, and what the judges did not agree on."""
    features, causes, findings = collections.Counter(), collections.Counter(), []
    for seed in seeds:
        try:
            more_features, more_causes = judge_patiently(net, topology, prefix, seed)
        except (AssertionError, TooSlow) as wrong:
            findings.append(f"seed {seed}: {wrong}")
        else:
            features.update(more_features)
            causes.update(more_causes)
    return features, causes, findings


def judge_everywhere(net, places, seeds):
    """The policies of these seeds, divided among the places; the sums of judge_in_turn."""
    with multiprocessing.get_context("fork").Pool(len(places)) as processes:
        results = processes.starmap(judge_in_turn, [(net, place, f"gw{number}-", seeds[number::len(places)])
                                                    for number, place in enumerate(places)], chunksize=1)
    features, causes, findings = zip(*results)
    return sum(features, collections.Counter()), sum(causes, collections.Counter()), sum(findings, [])


def never_tried(features, causes):
    """What no policy brought into play and no flow met."""
    return [name for name in (*FEATURES, *CAUSES) if not features[name] + causes[name]]


def show(title, counted):
    print(f"\n{title}:")
    for name, count in sorted(counted.items()):
        print(f"{count:10,}  {name}")


@pytest.fixture
def places(net):
    """Topologies for as many gateways at once; every address of a ground is its zone's peer, which says so and nothing else."""
    made = [Topology(net, suffix=f"-{number}") for number in range(AT_ONCE)]
    for topology in made:
        for name, zone in topology.zones.items():
            for address in {*ROUTED.hosts[name], *INLINE.hosts[name]} - {a.partition("/")[0] for a in (*zone.peer, *zone.more)}:
                net.address(zone.namespace, "port", f"{address}/{128 if ':' in address else 32}")
        silence(net, topology)
    return made


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")    # the other thread is faulthandler's
@pytest.mark.limit(120 + 4 * SENT)
def test_packets_datapath_trace_and_evaluator_agree(net, places, capsys):
    """Z1, Z2, Z7, Z8, Z10, Z11, Z14: real packets of PACKETS flows through each of some generated policies, by two gateways at once.

    The long form: POLICIES=1000 PACKETS=1000 make check-netns TESTS=datapath_trace_and_evaluator_agree.
    """
    features, causes = collections.Counter(), collections.Counter()
    for first in (0, SENT):     # what is in force depends on the hour: as many again where something was not tried
        if first == 0 or never_tried(features, causes):
            more_features, more_causes, findings = judge_everywhere(net, places, range(first, first + SENT))
            assert not findings, "\n".join(findings)
            features.update(more_features)
            causes.update(more_causes)
    with capsys.disabled():
        show(f"{features['policies']:,} policies", features)
        show(f"{causes.total():,} flows", causes)
    assert not never_tried(features, causes)


@pytest.mark.limit(3600 if POLICIES > 30 else 120)
def test_packets_trace_and_evaluator_agree_on_many_policies(topology, tmp_path):
    """Z1, Z7, Z8, Z10, C2: POLICIES generated policies, PACKETS flows each, at times around them.

    The long form: POLICIES=1000 PACKETS=1000 make check-netns TESTS=many_policies.
    """
    config = tmp_path / "policy.conf"
    permitted = 0
    for seed in range(100, 100 + POLICIES):
        noon = datetime.datetime(2026, 11, 24, 12, 0) + datetime.timedelta(days=seed)
        ground = ground_of(seed)
        generator = Generator(seed, ground.networks, ground.hosts, counted=True, transparent=ground is INLINE)
        policy = generator.make_policy((1 + seed % 60) * (1 if seed % 10 else 5), noon.date())
        config.write_text(configuration(topology, policy))
        flows = [generator.make_flow(noon) for _ in range(PACKETS)]
        permitted += sum(permit is not None for _, permit in traces_as_evaluated(config, policy, flows))
    assert permitted > POLICIES * PACKETS // 200, "the generator made policies that try nothing"
