# SPDX-License-Identifier: GPL-2.0-or-later
"""On a host that is no appliance the gateway leaves USB alone, whatever its policy says, and the console says so (C6)."""

import pytest

NOT_HERE = "memory sticks are used by the appliance only, not on this host"
BAD_NAME = "a file's name has letters"


@pytest.mark.parametrize("policy", ["off", "on"])
def test_usb_of_a_host_is_not_the_gateways(make_gateway, policy):
    gateway = make_gateway(system=f"usb {policy};")
    console = gateway.open_console()
    assert NOT_HERE in console.run("show usb")
    assert NOT_HERE in console.run("show version | usb version.txt")
    assert BAD_NAME in console.run("show version | usb ../version.txt")
    console.run("configure")
    assert NOT_HERE in console.run("load replace usb gateway.conf")
    assert console.run("compare").strip() == ""
    assert not gateway.pids("stick")
    assert "allowed" in console.run("show | usb")
