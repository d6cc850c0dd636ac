# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho trace --flows and sekisho replay: flows from text, their verdicts, and what a change would change (C2)."""

import os
import pathlib
import subprocess

import pytest

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
BASE = (pathlib.Path(__file__).parent / "config" / "three-tier.conf").read_text()
OFFICE = "from=mynumber src=10.10.0.5 dst=10.20.0.8 proto=tcp dport=443"
PING = "from=mynumber src=10.10.0.6 dst=10.20.0.8 proto=icmp"
BACK = "from=lgwan src=10.20.0.8 dst=10.10.0.5 proto=6 dport=443"
OUTSIDE = "from=internet src=203.0.113.5 dst=10.20.0.8 proto=tcp dport=22"


def record(event, **fields):
    pairs = " ".join(f'{name}="{value}"' for name, value in {"seq": 9, **fields}.items())
    return f"<134>1 2026-11-24T10:00:00.000000+09:00 gate sekisho arbiter {event} [sekisho@32473 {pairs}] A flow."


def run(*args, flows):
    done = subprocess.run([SEKISHO, *map(str, args)], input="\n".join(flows) + "\n", capture_output=True, text=True,
                          timeout=20, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture
def config(tmp_path):
    """A function that writes a configuration: three-tier.conf with the replacements given."""
    def write(name="base.conf", *replacements):
        text = BASE
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def test_trace_of_many_flows_gives_a_verdict_a_line(config):
    flows = [f"{OFFICE} at=2026-11-24T10:00", "# not one", f"{OFFICE} at=2026-11-24T20:00", "",
             f"{OFFICE} at=2027-04-01T10:00", PING, f"{PING} icmp-type=0", BACK, OUTSIDE,
             f"{PING} mac=02:00:00:00:00:99", "from=internet src=203.0.113.5 dst=203.0.113.1 proto=tcp dport=25"]
    status, lines, _ = run("trace", "--config", config(), "--flows", "-", flows=flows)
    assert status == 0
    assert lines == [
        "permit 100 of crossing lgwan mynumber: mynumber -> lgwan",
        "deny: schedule: mynumber -> lgwan (permit 100 at another time)",
        "deny: expired: mynumber -> lgwan (permit 100 at another time)",
        "permit 20 of crossing lgwan mynumber: mynumber -> lgwan",
        "deny: not-a-request: mynumber -> lgwan",
        "permit 30 of crossing lgwan mynumber: lgwan -> mynumber",
        "deny: no-crossing: internet -> lgwan",
        "deny: station-unknown: mynumber -> lgwan",
        "permit: the gateway's own mail inbound listens on port 25",
    ]


def test_trace_tells_what_the_first_payload_must_show(config):
    """Z8: a permit with conformance is only half of the answer."""
    path = config("tls.conf", ("service jukinet { tcp 443; }", "service jukinet { tcp 443; conform tls; }"))
    assert run("trace", "--config", path, "--flows", "-", flows=[BACK])[1] == [
        "permit 30 of crossing lgwan mynumber: lgwan -> mynumber, if it shows tls"]


@pytest.mark.parametrize("line", ["from=lgwan", "tcp 443", f"{BACK} at=noon", f"{OFFICE} dport=0x1bb",
                                  "from=nowhere src=10.20.0.8 dst=10.10.0.5 proto=47"])
def test_trace_refuses_a_line_that_is_no_flow(config, line):
    status, lines, errors = run("trace", "--config", config(), "--flows", "-", flows=[BACK, line])
    assert status == 2 and len(lines) == 1 and errors


def test_replay_of_the_running_configuration_changes_nothing(config):
    flows = [record("flow-permitted", **{"from": "lgwan", "src": "10.20.0.8", "dst": "10.10.0.5", "proto": 6, "dport": 443,
                                     "permit": 30}),
             record("flow-ended", **{"from": "lgwan", "src": "10.20.0.8", "dst": "10.10.0.5", "proto": 6, "dport": 443}),
             record("flow-denied", **{"from": "internet", "src": "203.0.113.5", "dst": "10.20.0.8", "proto": 6,
                                      "dport": 22, "reason": "no-crossing"}),
             record("heartbeat"), f"{PING} permit=20"]
    status, lines, _ = run("replay", config(), "-", flows=flows)
    assert (status, lines) == (0, ["3 flows: 3 as before, 0 now denied, 0 now permitted, 0 by another permit"])


def test_replay_goes_on_behind_a_record_of_any_address(config):
    """Whoever sends to ::ffff:10.1.1.1 must not end a replay with it; by hand such an address stays refused (RFC 4038 4.2)."""
    strange = {"from": "lgwan", "src": "fd00:20::8", "dst": "::ffff:10.10.0.5", "proto": 6, "dport": 443, "reason": "no-permit"}
    flows = [record("flow-denied", **strange), f"{BACK} permit=30"]
    status, lines, errors = run("replay", config(), "-", flows=flows)
    assert (status, lines, errors) == (0, ["2 flows: 2 as before, 0 now denied, 0 now permitted, 0 by another permit"], "")
    by_hand = "from=lgwan src=fd00:20::8 dst=::ffff:10.10.0.5 proto=tcp dport=443 permit=30"
    assert run("replay", config(), "-", flows=[by_hand])[0] == 2


def test_replay_names_each_flow_that_changes_once(config):
    new = config("new.conf", ("permit 30 { from lgwan;", "permit 35 { from lgwan;"), ("service ping; log; }", "service jukinet; log; }"))
    flows = [f"{BACK} permit=30"] * 3 + [f"{PING} permit=20"] * 2 + [
        record("flow-denied", **{"from": "mynumber", "src": "10.10.0.9", "dst": "10.20.0.8", "proto": 6, "dport": 443})]
    status, lines, _ = run("replay", new, "-", flows=flows)
    assert status == 1
    assert lines[:-1] == [
        "mynumber 10.10.0.6 -> 10.20.0.8 icmp 8: permit 20 -> deny no-permit (2)",
        "mynumber 10.10.0.9 -> 10.20.0.8 tcp 443: deny recorded -> permit 20 (1, last 2026-11-24T10:00:00)",
        "lgwan 10.20.0.8 -> 10.10.0.5 tcp 443: permit 30 -> permit 35 (3)"]
    assert lines[-1] == "6 flows: 0 as before, 2 now denied, 1 now permitted, 3 by another permit"


def test_replay_against_another_configuration_needs_no_outcome(config):
    new = config("new.conf", ("mon-fri 08:30-17:15", "mon-fri 08:30-21:00"))
    flows = [f"{OFFICE} at=2026-11-24T10:00", f"{OFFICE} at=2026-11-24T20:00"]
    status, lines, _ = run("replay", "--against", config(), new, "-", flows=flows)
    assert (status, lines) == (1, [
        "mynumber 10.10.0.5 -> 10.20.0.8 tcp 443: deny schedule -> permit 100 (1, last 2026-11-24T20:00)",
        "2 flows: 1 as before, 0 now denied, 1 now permitted, 0 by another permit"])
    assert run("replay", new, "-", flows=flows)[0] == 2


def test_operator_guide_example_compiles_and_answers_as_it_says(tmp_path):
    """docs/arbiter.md's whole configuration, with the preset of three tiers around it."""
    guide = (pathlib.Path(__file__).parents[2] / "docs" / "arbiter.md").read_text()
    path = tmp_path / "guide.conf"
    path.write_text("system { preset three-tier; }\n" + guide.split("```\n")[1])
    counter = "from=mynumber src=10.10.0.5 dst=10.20.0.17 proto=tcp dport=443 mac=02:00:00:10:00:05"
    flows = [f"{counter} at=2027-01-08T23:30", f"{counter} at=2027-01-11T10:00", f"{counter} at=2027-03-31T10:00",
             f"{counter} at=2027-04-01T00:00", counter.replace("00:05", "00:06")]
    status, lines, errors = run("trace", "--config", path, "--flows", "-", flows=flows)
    assert status == 0, errors
    assert [line.split()[:2] for line in lines] == [
        ["permit", "10"], ["deny:", "schedule:"], ["permit", "10"], ["deny:", "expired:"], ["deny:", "station-address:"]]
