# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces, veth pairs and what runs in them.

    peer-mynumber             peer-lgwan              peer-internet
    10.10.0.5  fd00:10::5     10.20.0.8  fd00:20::8   203.0.113.5  2001:db8:113::5
        | port                    | port                  | port
        | eth0                    | eth1                  | eth2
    +---+-------------------------+-----------------------+---+
    |                namespace "gateway": sekishod            |
    +---------------------------------------------------------+

rootfs/enter.sh gives the tests network, mount and process namespaces of their own: what they leave behind ends with it.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

from . import processes
from .waiting import PATIENCE_SECONDS, wait_until

NETNS_DIR = pathlib.Path("/run/netns")


class CommandFailed(AssertionError):
    """A command that had to succeed did not."""


def run(*argv, timeout=15, check=True, stdin=None, env=None):
    """Run a command to its end; return CompletedProcess with text. Raise CommandFailed where `check` and it failed.

    timeout: after which it hangs; PATIENCE_SECONDS at least."""
    argv, timeout = [str(a) for a in argv], max(timeout, PATIENCE_SECONDS)
    full_env = {**os.environ, **env} if env else None
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout, env=full_env,
                              text=not isinstance(stdin, bytes), check=False)
    except subprocess.TimeoutExpired as late:
        raise CommandFailed(f"{' '.join(argv)}: no end after {timeout} s") from late
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Process:
    """A command that runs in the background, with its output in a file; always ended by stop()."""

    def __init__(self, argv, log, env=None, stdin=subprocess.DEVNULL):
        self.argv = [str(a) for a in argv]
        self.log_path = pathlib.Path(log)
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(self.argv, stdin=stdin, stdout=out, stderr=subprocess.STDOUT,
                                          env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text, seconds=5.0):
        """Wait until the output has `text`; fail at once if the command ends without it."""
        def seen():
            return text in self.log() or not self.running()
        wait_until(seen, f"{text!r} from {self.argv[0]}", seconds)
        assert text in self.log(), f"{' '.join(self.argv)} ended without {text!r}:\n{self.log()}"

    def stop(self, signo=signal.SIGTERM, seconds=5.0):
        """End it: `signo` first, SIGKILL to its whole group after `seconds`. Return its status."""
        if self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signo)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self.popen.wait(PATIENCE_SECONDS)


class Capture:
    """tcpdump on one device of one namespace."""

    def __init__(self, net, namespace, device, expression=""):
        self.path = net.scratch / f"capture-{namespace}-{device}-{time.monotonic_ns()}.pcap"
        argv = ["tcpdump", "-i", device, "-n", "-p", "-s", "0", "-U", "-B", "8192", "--immediate-mode",
                "-Z", "root", "-w", self.path]
        self.process = net.popen(namespace, *argv, *([expression] if expression else []))
        self.process.wait_log("listening on")

    def packets(self):
        """What has been captured so far, as scapy packets. The file is flushed for each packet."""
        from scapy.all import rdpcap  # slow to import: only where it is wanted
        return rdpcap(str(self.path)) if self.path.stat().st_size > 24 else []

    def wait(self, wanted, what):
        """Until a packet has been captured of which `wanted` is true."""
        wait_until(lambda: any(map(wanted, self.packets())), what, pause=0.2)

    def stop(self):
        """End the capture and return its packets: all that had come to the device.

        The signal makes tcpdump leave what the kernel has queued for it. It waits for packets only when it has written every
        one of them, and the next one makes it ready to run in the moment that it comes."""
        time.sleep(0.1)  # what is still on its way to the device
        wait_until(lambda: processes.waits(self.process.pid) or not self.process.running(), "tcpdump to have written all")
        self.process.stop(signal.SIGINT)
        return self.packets()


class Net:
    """All namespaces and background processes of one test; close() ends and removes them."""

    def __init__(self, scratch=None):
        self.scratch = pathlib.Path(scratch or tempfile.mkdtemp(prefix="net-"))
        self.namespaces = []
        self.processes = []
        self._closers = []
        self._count = 0

    def namespace(self, name):
        run("ip", "netns", "add", name)
        self.namespaces.append(name)
        self.run(name, "ip", "link", "set", "lo", "up")
        return name

    def veth(self, ns_a, device_a, ns_b, device_b, mac_a=None, mac_b=None):
        """Join two namespaces. Checksums are written out and packets not merged, as on a real wire: what the
        gateway's queue or a capture sees of an offloading veth would have unfinished checksums."""
        a = [device_a, *(["address", mac_a] if mac_a else []), "netns", ns_a]
        b = [device_b, *(["address", mac_b] if mac_b else []), "netns", ns_b]
        run("ip", "link", "add", *a, "type", "veth", "peer", *b)
        for namespace, device in ((ns_a, device_a), (ns_b, device_b)):
            self.plain_wire(namespace, device)
            self.run(namespace, "ip", "link", "set", device, "up")

    def plain_wire(self, namespace, device):
        self.run(namespace, "ethtool", "-K", device, "tx", "off", "gso", "off", "tso", "off", "gro", "off")

    def address(self, namespace, device, *addresses):
        """Add addresses with prefix length; IPv6 ones are usable at once (no duplicate detection)."""
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.run(namespace, "ip", "address", "add", address, "dev", device, *nodad)

    def route(self, namespace, *arguments):
        family = ["-6"] if any(":" in a for a in arguments) else []
        self.run(namespace, "ip", *family, "route", "replace", *arguments)

    def run(self, namespace, *argv, **kwargs):
        """Run a command in a namespace to its end; see run()."""
        return run("ip", "netns", "exec", namespace, *argv, **kwargs)

    def popen(self, namespace, *argv, env=None, log=None, stdin=subprocess.DEVNULL, own_mounts=True):
        """Start a command in a namespace in the background; close() ends it if the test did not.

        own_mounts=False: what it mounts (namespaces that it names) is seen by the test too.
        """
        self._count += 1
        log = log or self.scratch / f"{self._count:03}-{os.path.basename(str(argv[0]))}-{namespace}.log"
        enter = ["ip", "netns", "exec", namespace] if own_mounts else ["nsenter", f"--net={NETNS_DIR / namespace}"]
        process = Process([*enter, *argv], log, env, stdin)
        self.processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self, namespace):
        """The calling thread's new sockets belong to `namespace`; they stay there after the block."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(NETNS_DIR / namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.setns(there, os.CLONE_NEWNET)
            yield
        finally:
            os.setns(home, os.CLONE_NEWNET)
            os.close(home)
            os.close(there)

    def socket(self, namespace, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0, timeout=15.0):
        """A socket of this Python process inside a namespace."""
        with self.inside(namespace):
            made = socket.socket(family, kind, protocol)
        made.settimeout(timeout)
        return made

    def connect(self, namespace, host, port, timeout=15.0, source=None):
        """A connected TCP socket from a namespace; raises OSError as usual."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = self.socket(namespace, family, timeout=timeout)
        try:
            if source:
                made.bind((source, 0))
            made.connect((host, port))
        except OSError:
            made.close()
            raise
        return made

    def reaches(self, namespace, host, port, timeout=1.0):
        """Whether a TCP connection from a namespace is accepted."""
        try:
            self.connect(namespace, host, port, timeout).close()
        except OSError:
            return False
        return True

    def wait_port(self, namespace, host, port, seconds=10.0):
        wait_until(lambda: self.reaches(namespace, host, port), f"{host}:{port} to accept from {namespace}", seconds)

    def capture(self, namespace, device, expression=""):
        return Capture(self, namespace, device, expression)

    def packet_socket(self, namespace, device):
        """A socket that sends whole Ethernet frames from a device: for spoofed and malformed packets."""
        made = self.socket(namespace, socket.AF_PACKET, socket.SOCK_RAW, 0)
        made.bind((device, 0))
        return made

    def on_close(self, function):
        """Call `function` when the test ends, before the namespaces go; the last given is called first."""
        self._closers.append(function)

    def close(self):
        """All of it, in reverse order, also where a part of it raises: the next test uses the same names."""
        with contextlib.ExitStack() as rest:
            for name in self.namespaces:
                rest.callback(run, "ip", "netns", "delete", name, check=False)
            for process in self.processes:
                rest.callback(process.stop, seconds=2.0)
            for function in self._closers:
                rest.callback(function)
            self._closers, self.processes, self.namespaces = [], [], []


class Zone:
    """One zone of the topology: the peer's side and what the gateway is to be configured with."""

    def __init__(self, name, tier, port, gateway, peer, more=()):
        self.name, self.tier, self.port = name, tier, port
        self.gateway = gateway            # (IPv4, IPv6) with prefix length
        self.peer = peer                  # (IPv4, IPv6) with prefix length
        self.more = tuple(more)           # further addresses of the peer namespace
        self.namespace = f"peer-{name}"
        self.mac = f"02:00:00:00:{0x10 + int(port[-1]):02x}:05"

    @property
    def gateway4(self):
        return self.gateway[0].partition("/")[0]

    @property
    def gateway6(self):
        return self.gateway[1].partition("/")[0]

    @property
    def peer4(self):
        return self.peer[0].partition("/")[0]

    @property
    def peer6(self):
        return self.peer[1].partition("/")[0]


def three_zones():
    """The zones of every example in the documentation: mynumber, lgwan, internet."""
    return [
        Zone("mynumber", "sensitive", "eth0", ("10.10.0.1/24", "fd00:10::1/64"), ("10.10.0.5/24", "fd00:10::5/64")),
        Zone("lgwan", "business", "eth1", ("10.20.0.1/24", "fd00:20::1/64"), ("10.20.0.8/24", "fd00:20::8/64"),
             ("10.20.0.20/24", "10.20.0.25/24")),
        Zone("internet", "outside", "eth2", ("203.0.113.1/28", "2001:db8:113::1/64"),
             ("203.0.113.5/28", "2001:db8:113::5/64"), ("203.0.113.14/28",)),
    ]


class Topology:
    """The picture on top of this file. Peers route everything through the gateway, so that whatever they try reaches it.

    `topology.zones["lgwan"]` is a Zone; `topology.net` the Net. The gateway's namespace is `topology.gateway`.
    """

    DEVICE = "port"

    def __init__(self, net, zones=None, suffix=""):
        self.net = net
        self.zones = {zone.name: zone for zone in (zones or three_zones())}
        self.gateway = f"gateway{suffix}"
        net.namespace(self.gateway)
        for zone in self.zones.values():
            zone.namespace += suffix
            net.namespace(zone.namespace)
            self._join(zone)

    def _join(self, zone):
        net = self.net
        net.veth(zone.namespace, self.DEVICE, self.gateway, zone.port, mac_a=zone.mac)
        net.run(zone.namespace, "sysctl", "-qw", f"net.ipv6.conf.{self.DEVICE}.accept_ra=0")
        net.address(zone.namespace, self.DEVICE, *zone.peer, *zone.more)
        net.route(zone.namespace, "default", "via", zone.gateway4, "src", zone.peer4)
        net.route(zone.namespace, "default", "via", zone.gateway6)

    def restore_ports(self):
        """Make the ports anew after a gateway that ended without giving them back (a veth dies with its namespace)."""
        for zone in self.zones.values():
            if self.net.run(self.gateway, "ip", "link", "show", zone.port, check=False).returncode != 0:
                self.net.run(zone.namespace, "ip", "link", "delete", self.DEVICE, check=False)
                self._join(zone)


class Background:
    """A Python function in a thread with a stop event; for small servers inside a namespace."""

    def __init__(self, function, *arguments):
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=function, args=(self.stopping, *arguments), daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(5)
