# SPDX-License-Identifier: GPL-2.0-or-later
"""The firmware in QEMU, under plain emulation: serial console, disks, ports as devices in the peers' namespaces.

    peer-mynumber            peer-lgwan            peer-internet
        | eth0 (tap)             | eth0 (tap)          | eth0 (tap)
    +---+------------------------+---------------------+---+
    |  slot 0x10: eth0       0x11: eth1          0x12: eth2 |      machine
    |  ttyS0 -- socket       vda: root.img    vdb: data.img |
    +-------------------------------------------------------+

A machine never outlives its test: stop() kills it, and rootfs/enter.sh ends whatever is left.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import time

from . import processes
from .gateway import Console
from .net import three_zones
from .waiting import wait_until

BOARD = os.environ.get("BOARD", "qemu-x86_64")
FIRMWARE = pathlib.Path(os.environ.get("FIRMWARE", f"/out/firmware/{BOARD}"))
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
STARTED = "sekisho: user space"
INIT = "/usr/lib/sekisho/libexec/init"
PATIENCE_SECONDS = 180  # no wait for the machine gives up sooner: an emulator on a busy host may need it all
# The console's escape sequences may stand before it on its line: two processes write to one terminal.
READY = r"(?:\x1b[78]|(?<![-\w]))ready[\r\n]"
# The watch script starts before anything is mounted; its output goes to the second serial line once that is there.
WATCH_WAIT = "until [ -c /dev/ttyS1 ]; do sleep 1; done"


def until_runs(program):
    """For a watch script: wait until a program of this name runs, however slowly the machine gets there."""
    return f"until grep -qsx {program} /proc/[0-9]*/comm; do sleep 1; done"


@contextlib.contextmanager
def inside(namespace):
    """Be in a named network namespace (the calling thread) for a moment; None: stay."""
    if namespace is None:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as there:
        os.setns(there.fileno(), os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(home.fileno(), os.CLONE_NEWNET)


def open_tap(namespace, device="eth0"):
    """Make a tap device in a namespace; return the descriptor that is the other end of its wire."""
    with inside(namespace):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    os.set_inheritable(fd, True)
    return fd


def plug_three_zones(net):
    """A namespace with a tap for each zone of three_zones(); return what the machine's three ports are plugged into."""
    made = []
    for zone in three_zones():
        net.namespace(zone.namespace)
        made.append(open_tap(zone.namespace))
        net.run(zone.namespace, "ip", "link", "set", "eth0", "up")
        net.address(zone.namespace, "eth0", *zone.peer, *zone.more)
        net.route(zone.namespace, "default", "via", zone.gateway4)
    return made


def blank_disk(path, mega_bytes=64):
    """A disk of zeros, as it comes out of its box."""
    with open(path, "wb") as disk:
        disk.truncate(mega_bytes << 20)
    return pathlib.Path(path)


def copy_disk(disk, to):
    """A copy with the same holes; return where."""
    subprocess.run(["cp", "--sparse=always", disk, to], check=True)
    return pathlib.Path(to)


def port_mac(index):
    """The address of port `index` (eth0 is 0) of the machine."""
    return f"52:54:00:00:00:{0x10 + index:02x}"


class Monitor:
    """QEMU's own line (QMP): one question, one answer."""

    def __init__(self, path):
        self.line = socket.socket(socket.AF_UNIX)
        wait_until(lambda: self._connected(path), "QEMU's monitor", 30)
        self.stream = self.line.makefile("rw", encoding="utf-8")
        assert "QMP" in json.loads(self.stream.readline())
        self.ask("qmp_capabilities")

    def _connected(self, path):
        try:
            self.line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def ask(self, command, errors=False, **arguments):
        """Events that come in between are passed over. Return: what it answered; errors: None where it refuses, which else is
        an error of the test."""
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while "event" in (answer := json.loads(self.stream.readline())):
            pass
        if errors and "error" in answer:
            return None
        assert "error" not in answer, f"{command} {arguments}: {answer}"
        return answer["return"]

    def close(self):
        self.stream.close()
        self.line.close()


class Machine:
    """One board. Use as a context manager; power_on() starts it, stop() or power_cut() ends it at once.

    directory: takes the console transcript and captures.   data: the data disk, or None for a machine without one.
    wires: for each port a descriptor of open_tap(), or None for a wire that ends nowhere. Every frame on a wire is
    captured from power-on in DIRECTORY/port-N.pcap.   root: another root.img than the firmware's.   watch: a shell command
    that runs inside beside everything else; for that the machine gets the inspection image (rootfs/inspect.links).
    rtc: what its RTC shows at power-on (UTC), as 2016-01-02T03:04:05; None: the time of this machine.
    terminal: the serial line is a pseudo-terminal, whose speed the guest sets, and not a socket.
    disks: further ones, which the appliance does not look at: vdc, vdd, ...
    stands_at, an attribute: from the next power-on the machine stands still at the first access of the kind ("read", "write") to a
    sector (512 octets) of its data disk, for good; None: it does not.
    usb: it has a USB controller, into which plug() puts memory sticks and other devices; usb_traffic() is what they were asked.
    """

    def __init__(self, directory, data=None, wires=(None, None, None), root=None, memory_mb=256, watch=None,
                 models=(), rtc=None, disks=(), terminal=False, usb=False):
        self.directory = pathlib.Path(directory)
        self.image = FIRMWARE / "inspect" if watch else FIRMWARE
        self.data, self.wires, self.root, self.memory_mb = data, list(wires), root or self.image / "root.img", memory_mb
        self.watch, self.models = watch, list(models) or ["virtio-net-pci"] * len(self.wires)
        self.rtc, self.disks, self.terminal, self.usb = rtc, list(disks), terminal, usb
        self.stands_at = None
        self.monitor = None
        self.process = self.console = None
        self.hosts = set()
        self.power_on_at = None
        self.boots = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def serial_log(self):
        return self.directory / "serial.log"

    @property
    def watch_path(self):
        return self.directory / "watch.log"

    def watched(self):
        """What the watch script has printed in this boot."""
        return self.watch_path.read_text(errors="replace").replace("\r", "") if self.watch_path.exists() else ""

    def wait_watched(self, seconds=60):
        """Wait until the watch script has printed END on a line of its own; return all that it has printed."""
        wait_until(lambda: re.search(r"^END$", self.watched(), re.MULTILINE), "the end of the watch script",
                   max(seconds, PATIENCE_SECONDS), 0.2)
        return self.watched()

    def capture_path(self, port):
        return self.directory / f"port-{port}.pcap"

    def _arguments(self, serial):
        cmdline = (self.image / "cmdline").read_text().strip()
        if self.watch:
            assert not set('="') & set(self.watch), "cannot travel on the kernel command line"
            cmdline += f' init=/usr/bin/sh -- -c "({WATCH_WAIT}; {{ {self.watch}; }} >/dev/ttyS1 2>&1) & exec {INIT}"'
        yield from ("qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "Nehalem", "-m", str(self.memory_mb),
                    "-nodefaults", "-display", "none", "-no-user-config", "-action", "reboot=shutdown",
                    "-action", "watchdog=reset", "-kernel", str(FIRMWARE / "bzImage"), "-append", cmdline,
                    "-device", "virtio-rng-pci", "-device", "i6300esb", "-chardev",
                    f"{serial},id=serial,logfile={self.serial_log},logappend=on",
                    "-serial", "chardev:serial", "-serial", f"file:{self.watch_path}", "-drive", f"file={self.root},format=raw,if=virtio,readonly=on")
        if self.usb:
            yield from ("-device", "qemu-xhci,id=xhci", "-qmp", f"unix:{self.directory / f'monitor-{self.boots}'},server=on,wait=off")
            for event in ("usb_xhci_reset", "usb_desc_device", "usb_set_config", "usb_msd_cmd_submit"):
                yield from ("-trace", f"enable={event}")
        if self.rtc:
            yield from ("-rtc", f"base={self.rtc}")
        for disk in [*([self._data_file()] if self.data else []), *self.disks]:
            yield from ("-drive", f"file={disk},format=raw,if=virtio,cache=writeback")
        for port, (wire, model) in enumerate(zip(self.wires, self.models)):
            yield from ("-netdev", f"hubport,id=n{port},hubid={port}" if wire is None else f"tap,id=n{port},fd={wire}",
                        "-device", f"{model},netdev=n{port},mac={port_mac(port)},addr={0x10 + port:#x},romfile=",
                        "-object", f"filter-dump,id=d{port},netdev=n{port},file={self.capture_path(port)}")

    def _data_file(self):
        """What QEMU opens for the data disk. An error that it injects there (blkdebug) has it stop the machine (rerror, werror)."""
        if self.stands_at is None:
            return self.data
        kind, sector = self.stands_at
        rule = self.directory / "stands-at"
        rule.write_text(f'[inject-error]\nevent = "none"\niotype = "{kind}"\nsector = "{sector}"\n')
        return f"blkdebug:{rule}:{self.data},rerror=stop,werror=stop"

    def power_on(self):
        """Start it. Its console is connected before the first instruction runs, so nothing that it prints is lost."""
        assert not self.running(), "the machine is on"
        self.boots += 1
        self.watch_path.unlink(missing_ok=True)
        self._start(*(self._plug_terminal() if self.terminal else self._plug_socket()))
        return self

    def _plug_terminal(self):
        """Return: what QEMU connects its serial line to, and a function that waits for it and gives our end."""
        master, slave = os.openpty()
        name = os.ttyname(slave)

        def is_open():
            return any(os.path.realpath(fd) == name for fd in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir())

        def connected():
            wait_until(is_open, "QEMU's serial line", 10)
            os.close(slave)     # its settings are QEMU's now, and its end is the end of the line
            return master

        return f"serial,path={name}", connected

    def _plug_socket(self):
        """The same for a socket."""
        path = self.directory / f"serial-{self.boots}"
        line = socket.socket(socket.AF_UNIX)

        def connected():
            wait_until(lambda: self._connected(line, path), "QEMU's serial line", 10)
            return line.detach()

        return f"socket,path={path},server=on,wait=on", connected

    def _start(self, serial, our_end):
        with open(self.directory / "qemu.log", "ab") as log:
            self.process = subprocess.Popen([*self._arguments(serial)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=[w for w in self.wires if w is not None], start_new_session=True)
        end = our_end()
        self.power_on_at = time.monotonic()
        # Process 1 and the kernel write to this line as well.
        self.console = Console(end, self.directory / "console.txt", 120, self.hosts, alone=False)
        self.hosts = self.console.hosts
        if self.usb:
            self.monitor = Monitor(self.directory / f"monitor-{self.boots}")

    def _connected(self, line, path):
        assert self.running(), f"QEMU ended: {(self.directory / 'qemu.log').read_text()}"
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_line(self, text, seconds=30):
        """Wait until the console prints `text`; return the seconds since power-on."""
        self.console.expect_exact(text, timeout=max(seconds, PATIENCE_SECONDS))
        return time.monotonic() - self.power_on_at

    def wait_started(self, seconds=60):
        """Wait for the kernel to hand over to user space; return the seconds since power-on."""
        return self.wait_line(STARTED, seconds)

    def wait_ready(self, seconds=30):
        """Wait until every zone enforces; return the seconds since power-on."""
        self.console.expect(READY, timeout=max(seconds, PATIENCE_SECONDS))
        return time.monotonic() - self.power_on_at

    def starved_seconds(self):
        """How long the emulated processor has stood in the host's queue since power-on. A machine on a busy host is slow
        for reasons that are not its own: what a test measures, it measures without this."""
        delays = []
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                delays.append(int((thread / "schedstat").read_text().split()[1]))
        return max(delays, default=0) / 1e9

    def wait_off(self, seconds=60):
        """Wait until it has switched itself off (or wanted to start anew, which is the same here)."""
        wait_until(lambda: not self.running(), "the machine to stop", max(seconds, PATIENCE_SECONDS), pause=0.1)

    def plug(self, name, image=None, driver="usb-storage", bytes_a_second=None, read_only=False, **options):
        """Plug in a USB device: a memory stick that is the file `image`, as slow as said, or something else."""
        if image:
            below = {"driver": "raw", "node-name": f"{name}-image", "read-only": read_only, "file": {"driver": "file", "filename": str(image)}}
            if bytes_a_second:
                self.monitor.ask("object-add", **{"qom-type": "throttle-group", "id": f"{name}-slow",
                                                  "limits": {"bps-total": bytes_a_second}})
                below = {"driver": "throttle", "node-name": name, "throttle-group": f"{name}-slow", "file": below}
            else:
                below["node-name"] = name
            self.monitor.ask("blockdev-add", **below)
            options["drive"] = name
        self.monitor.ask("device_add", driver=driver, id=name, bus="xhci.0", **options)

    def unplug(self, name, image=True):
        """Pull it out; what was written to it is in its file then."""
        self.monitor.ask("device_del", id=name)
        wait_until(lambda: not any(one["name"] == name for one in self.monitor.ask("qom-list", path="/machine/peripheral")),
                   f"{name} to be out", PATIENCE_SECONDS, 0.2)
        if image:
            wait_until(lambda: self.monitor.ask("blockdev-del", errors=True, **{"node-name": name}) is not None,
                       f"{name} to be let go of", PATIENCE_SECONDS, 0.2)

    def usb_traffic(self):
        """What the devices themselves were asked since the kernel took the controller over (before, the BIOS looks for disks to
        start from), as QEMU saw it: how often one was asked what it is, was configured (which is what makes it usable), and got
        a SCSI command."""
        log = re.split(r"^(?:\S+:)?usb_xhci_reset\b", (self.directory / "qemu.log").read_text(errors="replace"), flags=re.MULTILINE)[-1]
        return {"described": len(re.findall(r"^(?:\S+:)?usb_desc_device ", log, re.MULTILINE)),
                "configured": len(re.findall(r"^(?:\S+:)?usb_set_config .*\bconfig [1-9]", log, re.MULTILINE)),
                "commands": len(re.findall(r"^(?:\S+:)?usb_msd_cmd_submit ", log, re.MULTILINE))}

    def power_cut(self):
        """End it as a power cut does: nothing is flushed that the guest has not flushed."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
        if self.console is not None:
            self.console.close()
            self.console = None
        if self.monitor is not None:
            self.monitor.close()
            self.monitor = None

    stop = power_cut

    @contextlib.contextmanager
    def frozen(self):
        """Every thread of the machine stands still meanwhile: its disk is what a power cut now would leave."""
        def stands():
            """A thread that has ended meanwhile writes nothing either: QEMU lets those go that it has no work for."""
            tasks = [processes.text(self.process.pid, f"task/{task}/stat") for task in os.listdir(f"/proc/{self.process.pid}/task")]
            return all(stat.rpartition(")")[2].split()[0] == "T" for stat in tasks if stat)

        self.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(stands, "the machine to stand still")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def transcript(self):
        """Everything that the machine has printed on its console in all its boots."""
        text = self.serial_log.read_text(errors="replace") if self.serial_log.exists() else ""
        return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|#\d|[78c])", "", text)

    def frames_sent(self, port):
        """Frames that left the machine through a port since power-on, as scapy packets with their time."""
        from scapy.all import Ether, rdpcap  # slow to import: only where it is wanted
        path = self.capture_path(port)
        if not path.exists() or path.stat().st_size <= 24:
            return []
        return [p for p in rdpcap(str(path)) if Ether in p and p[Ether].src == port_mac(port)]
