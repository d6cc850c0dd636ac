# SPDX-License-Identifier: GPL-2.0-or-later
"""`load preset`: each of the five starting configurations, loaded, adapted and committed at the console (Z1, Z3, C2)."""

import pathlib

import pytest

PRESETS = sorted(path.stem for path in (pathlib.Path(__file__).parents[2] / "src/config/presets").glob("*.conf"))
PORT_OF_TIER = {"sensitive": "mynumber", "business": "lgwan", "outside": "internet"}  # zones of the test's topology


def zones_of(console):
    """Name and tier of each zone of the candidate."""
    zones, name = {}, None
    for line in console.run("show | no-more").splitlines():
        words = line.rstrip(" {;").split()
        if line.startswith("zone "):
            name = words[1]
        elif name and words[:1] == ["tier"]:
            zones[name], name = words[1], None
    return zones


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_is_loaded_adapted_and_committed(make_gateway, topology, preset):
    """The notes are told in the reader's language; with the ports of this machine it takes effect, and nothing crosses."""
    console = make_gateway("", seconds=30).console(timeout=30)
    console.expect(r"> $")
    console.run("configure")
    assert "no such preset" in console.run("load preset four-tier")
    assert "Change: organization" in console.run(f"load preset {preset}")
    console.run("terminal language ja")
    assert "変更する箇所" in console.run(f"load preset {preset}")
    console.run("terminal language en")
    zones = zones_of(console)
    assert len(zones) == (2 if preset.startswith("two-tier") else 3)
    for zone, tier in zones.items():
        console.run(f"set zone {zone} port {topology.zones[PORT_OF_TIER[tier]].port}")
    assert "no errors" in console.run("check")
    assert "committed: configuration 2" in console.run("commit", timeout=40)
    console.run("exit")
    separation = console.run("show separation")
    assert all(zone in separation for zone in zones) and "crossing" not in console.run("show configuration | match crossing")


def test_preset_refuses_what_its_policy_does(make_gateway):
    """M1, A10: a finding of the table keeps a commit from taking effect, with its place and its requirement."""
    console = make_gateway("").console()
    console.expect(r"> $")
    console.run("configure")
    console.run("load preset village")
    console.run("set mail inbound size-limit 6MB")
    console.run("delete system organization")
    text = console.run("commit")
    assert "(M1)" in text and "(A10)" in text and "committed" not in text
    console.run("discard")
