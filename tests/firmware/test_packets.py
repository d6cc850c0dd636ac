# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet path on the product's own kernel, with its real `queue` expression (Z1, Z8, C2)."""

import pytest

from lib import first_boot
from lib.appliance import PERMIT, PORT, SERVER, ZONES, commit, talks
from lib.peers import EchoServer
from lib.qemu import PATIENCE_SECONDS
from lib.waiting import wait_until


@pytest.mark.limit(240)
def test_packets_are_judged_through_the_queue_expression(machine, net, wires):
    EchoServer(net, "peer-lgwan", SERVER, PORT)
    board = machine(wires=wires)
    board.power_on()
    board.wait_ready(90)
    console = board.console
    first_boot.begin(console)
    commit(console, *ZONES, *PERMIT)
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", PATIENCE_SECONDS, 0.5)
    assert not talks(net, "peer-internet")
    assert "queue expression" in console.run("show log 1000 | match queue-kind | no-more")
    wait_until(lambda: "no-crossing" in console.run("show log 1000 | match flow- | no-more"), "the record of the refusal",
               PATIENCE_SECONDS, 0.5)

    kept = net.connect("peer-mynumber", SERVER, PORT, timeout=PATIENCE_SECONDS)
    kept.sendall(b"one")
    assert kept.recv(10) == b"one"
    commit(console, "set crossing mynumber lgwan permit 20 destination 10.20.0.9",
           "set crossing mynumber lgwan permit 20 service records")
    kept.sendall(b"two")
    assert kept.recv(10) == b"two", "a commit cut a flow that is still permitted"
    commit(console, "delete crossing mynumber lgwan permit 10")
    with pytest.raises(OSError):
        kept.sendall(b"three")
        kept.recv(10)
    assert not talks(net, "peer-mynumber")
