# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance as its administrator sets it up over the serial line: three zones, one permitted flow."""

SERVER, PORT = "10.20.0.8", 7000
ZONES = """
system host-name sekisho-test
zone mynumber tier sensitive
zone mynumber port eth0
zone mynumber address 10.10.0.1/24
zone lgwan tier business
zone lgwan port eth1
zone lgwan address 10.20.0.1/24
zone internet tier outside
zone internet port eth2
zone internet address 203.0.113.1/28
""".strip().splitlines()
PERMIT = f"""
service records tcp {PORT}
crossing mynumber lgwan permit 10 destination {SERVER}
crossing mynumber lgwan permit 10 service records
""".strip().splitlines()


def commit(console, *statements):
    """Set these statements and commit them. A statement with a verb of its own (delete ...) is taken as it is."""
    console.run("", timeout=60)
    console.run("configure")
    for statement in statements:
        console.run(statement if statement.startswith(("set ", "delete ")) else f"set {statement}")
    assert "committed" in console.run("commit", timeout=90)
    console.run("exit")


def talks(net, namespace):
    """Whether a line sent over TCP to the echo server of the permit comes back."""
    done = net.run(namespace, "nc", "-N", "-w", "3", SERVER, str(PORT), stdin="sekisho\n", check=False, timeout=20)
    return done.stdout == "sekisho\n"
