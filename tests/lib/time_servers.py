# SPDX-License-Identifier: GPL-2.0-or-later
"""Time servers in a zone: Debian's chronyd, which leaves this machine's clock alone, and one that misbehaves as told."""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


class Chronyd:
    """chronyd as a server of the time of this machine, at one address of either protocol."""

    def __init__(self, net, namespace, *addresses, stratum=3):
        pid_file = pathlib.Path(tempfile.mkdtemp(prefix="chronyd-")) / "pid"
        bound = [f"bindaddress {address}" for address in addresses]
        self.process = net.popen(namespace, "chronyd", "-x", "-d", "-U", "-u", "root", f"local stratum {stratum}", "allow",
                                 "cmdport 0", "bindcmdaddress /", f"pidfile {pid_file}", *bound)
        self.process.wait_log("Disabled control of system clock", 20)

    def stop(self):
        self.process.stop()


class TimeStub:
    """lib/ntp_stub.py; `mode` can be changed while it runs."""

    def __init__(self, net, namespace, address, mode):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ntp-stub-")) / "mode"
        self.mode(mode)
        self.process = net.popen(namespace, sys.executable, "-B", HERE / "ntp_stub.py", address, self.path)
        self.process.wait_log("serves", 20)

    def mode(self, mode):
        """Written whole or not at all: it may be read just now."""
        new = self.path.with_suffix(".new")
        new.write_text(str(mode))
        new.rename(self.path)
