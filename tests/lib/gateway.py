# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway under test: sekishod in the topology's gateway namespace, its console, its processes, its log."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import stat
import tempfile

from pexpect import fdpexpect

from . import processes
from .files import whole_lines
from .waiting import PATIENCE_SECONDS, wait_until

SEKISHOD = os.environ.get("SEKISHOD", "/out/sekishod")
SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
SUPERVISOR = os.path.basename(SEKISHOD)  # what its child is called between fork and exec, too
QUEUES = int(os.environ.get("QUEUES") or 1)     # that every configuration divides its packets over
CROSSING = re.compile(r"^(\s*crossing \S+ \S+ \{)", re.MULTILINE)
HOST = "sekisho-test"
HOSTS = "sekisho(?:-[a-z0-9]+)?"    # of the tests, the presets, the factory
HOST_NAME = re.compile(r"host-name\s+([a-z0-9.-]+)")
RESERVED = {"mail-receiver": 2, "mail-flattener": 2, "mail-sender": 2}  # how many wait where there is mail

# Gateways of the running test: conftest.py adds their logs to the report of a failure.
started = []


def zone_text(zone, extra=""):
    """A zone's block of the configuration, as the documentation's examples write it."""
    addresses = " ".join(f"address {a};" for a in zone.gateway)
    return f"zone {zone.name} {{ tier {zone.tier}; port {zone.port}; {addresses} {extra} }}\n"


def config_text(topology, *blocks, system="", zone_extra=None):
    """A whole configuration: the topology's zones and the blocks given (crossing, service, mail, screen, ...).

    system: further statements of the system block. zone_extra: {zone name: further statements of its block}.
    """
    extra = zone_extra or {}
    head = f'system {{ organization "試験市"; host-name {HOST}; {system} }}\n'
    zones = "".join(zone_text(z, extra.get(z.name, "")) for z in topology.zones.values())
    return head + zones + with_queues("\n".join(blocks), QUEUES) + "\n"


def with_queues(blocks, queues):
    """The blocks, whose crossings divide their packets over so many queues; those that say so themselves stay."""
    return blocks if queues == 1 or " queues " in blocks else CROSSING.sub(rf"\1 queues {queues};", blocks)


class Gateway:
    """One running sekishod; use as a context manager or call stop(). Start waits for `ready` at most `seconds`.

    prefix: of the namespaces that it makes, so that two can run side by side.
    state: directory that survives a restart; a new one by default. options: further ones of the command line.
    console: an existing terminal; by default a socket that sekishod makes.
    """

    def __init__(self, topology, config, prefix="gw-", state=None, seconds=15.0, env=None, options=(),
                 console=None):
        self.topology, self.net, self.prefix = topology, topology.net, prefix
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gateway-"))
        self.state = pathlib.Path(state or self.directory / "state")
        self.state.mkdir(exist_ok=True)
        self.config_path = self.directory / "sekisho.conf"
        self.config_path.write_text(config)
        self.hosts = set(HOST_NAME.findall(config))
        self.console_path = pathlib.Path(console or self.directory / "console")
        self.log_path = self.directory / "sekishod.log"
        started.append(self)
        self.halted = []
        self.process = self.net.popen(
            topology.gateway, SEKISHOD, "--config", self.config_path, "--state", self.state,
            "--netns-prefix", prefix, "--console", self.console_path, *options,
            log=self.log_path, env=env, own_mounts=False)
        if seconds:
            self.wait_ready(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self, seconds=15.0):
        """Every zone enforces: the line `ready` of its own."""
        def ready():
            return "ready" in self.log().splitlines() or not self.process.running()
        wait_until(ready, "the gateway's `ready`", seconds)
        assert "ready" in self.log().splitlines(), f"sekishod ended before it was ready:\n{self.log()}"

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def zone_namespace(self, zone_name):
        """The name of the namespace that holds a zone's port."""
        return f"{self.prefix}zone-{zone_name}"

    @property
    def pid(self):
        return self.process.pid

    def pids(self, role=None):
        """Process ids of the running children by the name of their program, such as "arbiter"; None: of all.

        Those in reserve serve nobody and are not among them: see reserve().
        """
        return [pid for pid, program in self._children() if role in (None, program) and _serves(pid, program)]

    def reserve(self, role=None):
        """Process ids of those that wait for a session or message."""
        return [pid for pid, program in self._children() if role in (None, program) and _in_reserve(pid, program)]

    def wait_reserve(self, other_than=(), seconds=20.0):
        """Wait until as many wait as should, none of them among `other_than`; return their ids."""
        def full():
            waiting = {role: self.reserve(role) for role in RESERVED}
            pids = sum(waiting.values(), [])
            return pids if {role: len(found) for role, found in waiting.items()} == RESERVED and \
                not set(pids) & set(other_than) else None
        return wait_until(full, "processes in reserve", seconds)

    def _children(self):
        """(id, program) of all that descend from the supervisor, and have a program of their own by now."""
        seen, family = sorted(_processes()), {self.pid}
        while grown := {pid for pid, parent, _ in seen if parent in family} - family:
            family |= grown     # ids start anew one day: a child's may be below its parent's
        return [(pid, program) for pid, _, program in seen if pid in family and program != SUPERVISOR]

    def wait_role(self, role, other_than=(), seconds=5.0):
        """Wait for a process of `role` whose id is not among `other_than` (the killed ones); return its id."""
        def new():
            return [p for p in self.pids(role) if p not in other_than]
        return wait_until(new, f"a running {role}", seconds)[0]

    def wait_answering(self, role, other_than=(), seconds=5.0):
        """The same, until the supervisor knows that it is ready: before that it is asked nothing."""
        pid = self.wait_role(role, other_than, seconds)
        wait_until(lambda: f'process-ready process="{role}" pid={pid}\n' in self.log(), f"a ready {role}", seconds)
        return pid

    def kill(self, role, signo=signal.SIGKILL):
        """Send a signal to every process of a role; return the ids of those that it reached."""
        pids = [pid for pid in self.pids(role) if processes.send(pid, signo)]
        assert pids, f"no {role} is running"
        return pids

    def halt(self, *roles):
        """Every process of these roles stands, and the supervisor, which would start others; stop() lets them go on."""
        self._stand(self.pid)   # first: from then on nobody starts one that the list lacks
        for pid in (pid for role in roles for pid in self.pids(role)):
            self._stand(pid)

    def stand(self, role):
        """The one process of this role stands; the supervisor goes on, and will not wait for ever. Return its id."""
        [pid] = self.pids(role)
        self._stand(pid)
        return pid

    def _stand(self, pid):
        if processes.send(pid, signal.SIGSTOP):
            self.halted.append(pid)
            wait_until(lambda: processes.stands(pid) or not processes.alive(pid), f"process {pid} to stand")

    def resume(self):
        """What halt() stopped goes on."""
        for pid in reversed(self.halted):
            processes.send(pid, signal.SIGCONT)
        self.halted = []

    def console(self, timeout=30):
        """A pexpect session on the gateway's console (a terminal or a socket, as sekishod offers it).

        timeout: of one answer; the console itself waits 10 s for a process that does not answer, and then says so.
        """
        wait_until(self.console_path.exists, "the console", 5)
        if stat.S_ISSOCK(self.console_path.stat().st_mode):
            fd = self._connect().detach()
        else:
            fd = os.open(self.console_path, os.O_RDWR | os.O_NOCTTY)
        return Console(fd, self.directory / "console.txt", timeout, hosts=self.hosts)

    def _connect(self):
        """The console's socket has its name a moment before somebody listens there."""
        def connected():
            with contextlib.suppress(ConnectionRefusedError):
                line.connect(str(self.console_path))
                return True
            return False
        line = socket.socket(socket.AF_UNIX)
        wait_until(connected, "the console to listen")
        return line

    def hang_up(self, console):
        """Close a console, and wait until the gateway has noticed: there is one administrator at a time (A5)."""
        serving = self.pids("console")
        console.close()
        wait_until(lambda: not all(pathlib.Path(f"/proc/{pid}").exists() for pid in serving), "the end of a console")

    def open_console(self):
        """A console that has shown its prompt, by itself: a key would bring another, which a later run() takes for its own."""
        console = self.console()
        console.expect(console.PROMPT)
        return console

    def audit_lines(self):
        """The lines of the local log, oldest first; without one that is still being written, or a segment that had to go."""
        return [line for segment in sorted(self.state.glob("**/*.log")) for line in whole_lines(segment)]

    def wait_event(self, *parts, seconds=5.0):
        """Wait for a line of the local log that has every one of `parts`; return it."""
        def found():
            return next((line for line in self.audit_lines() if all(p in line for p in parts)), None)
        return wait_until(found, f"an event with {parts}", seconds)

    def stop(self, seconds=10.0):
        """SIGTERM: the gateway ends all its processes and removes what it made. Return its status."""
        self.resume()
        if self in started and not self.process.running():
            return self.process.stop()
        return self.process.stop(signal.SIGTERM, max(seconds, PATIENCE_SECONDS))

    def report(self):
        """What a failed test shows."""
        return f"--- configuration\n{self.config_path.read_text()}--- log\n{self.log()}"


class Console(fdpexpect.fdspawn):
    """pexpect on a terminal or socket, with everything seen kept in a file.

    hosts: names that the gateway may have beside HOSTS; those that are typed behind `host-name` are added. alone: nobody but the
    console writes to this terminal, so that what is typed in one piece is echoed in one piece.
    """

    def __init__(self, fd, transcript, timeout, hosts=(), alone=True):
        super().__init__(fd, timeout=timeout, encoding="utf-8", codec_errors="replace")
        self.logfile_read = open(transcript, "a", encoding="utf-8")
        self.hosts, self.alone = set(hosts), alone

    @property
    def PROMPT(self):   # pylint: disable=invalid-name
        """The gateway's name at the beginning of a line (or of a row drawn anew), at the end of all that has been read. Any word
        would not do: what is read ends anywhere, so in the middle of an answer too, for instance behind `10.10.0.5 -> `."""
        names = "|".join([HOSTS, *map(re.escape, sorted(self.hosts))])
        return rf"(?:\A|(?<=[\r\n])|(?<=\x1b\[[JK])|(?<=\x1b8))(?:{names})\*?[>#] \Z"

    def send(self, s):
        self.hosts.update(HOST_NAME.findall(s))
        return super().send(s)

    def run(self, line, timeout=-1):
        """Type a line, return what is printed up to the next prompt (without the echo).

        A prompt in front of the echo is not the answer's: it belongs to what was typed before.
        timeout: as wait_until() has it; by default that of the console."""
        timeout = timeout if timeout < 0 else max(timeout, PATIENCE_SECONDS)
        self.send(line + "\r")
        echoed = self.alone and line.isprintable() and "?" not in line  # other keys draw what they like
        if echoed:
            self.expect(_echo(line), timeout=timeout)
        self.expect(self.PROMPT, timeout=timeout)
        return "\n".join(self.before.splitlines()[0 if echoed else 1:])

    def edit(self, *lines):
        """Enter configuration mode and type the lines, each of which must be taken."""
        self.run("configure")
        for line in lines:
            said = self.run(line)
            assert "error" not in said.lower(), f"{line}: {said}"

    def commit(self, *lines, timeout=30):
        """Edit, commit and leave configuration mode; return what the commit said, whatever it was."""
        self.edit(*lines)
        said = self.run("commit", timeout=timeout)
        self.run("discard")
        self.run("exit")
        return said


def _echo(line):
    """What the line editor shows of a line that was typed at its end: behind the right margin the row goes on (` \\r`)."""
    return "".join(re.escape(c) + "(?: \r)?" for c in line) + "\r\n"


def _in_reserve(pid, program):
    """Whether a process of a role that is kept in reserve has nothing but standard descriptors, control and events. One that has
    none at all is about to end."""
    return program in RESERVED and bool(fds := set(processes.descriptors(pid))) and fds <= set(range(5))


def _serves(pid, program):
    """Whether it is neither in reserve nor about to end."""
    return program not in RESERVED or not set(processes.descriptors(pid)) <= set(range(5))


def _processes():
    """(pid, parent, program) of everything that runs; what ends meanwhile is left out."""
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        stat, program = processes.text(pid, "stat"), processes.program(pid)
        if stat and program:
            yield pid, int(stat.rpartition(")")[2].split()[1]), program
