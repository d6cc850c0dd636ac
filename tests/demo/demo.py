#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make run: the firmware in QEMU between three zones with real peers, doing its job.

usage: demo.py [auto]      auto: without a person; status 0 only if every step did what it should
Results go to /out/demo: mail-in.eml, mail-out.eml, desktop.png, viewer.png, refused.txt, syslog.txt, console.txt,
summary.txt. It runs inside the test root (rootfs/enter.sh test), which ends everything that it started.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import barrier
import letter
from attach import attach
from lib import first_boot
from lib.gateway import SEKISHO
from lib.logs import number_of, rebuild, verify
from lib.net import CommandFailed
from lib.peers import capture_screen, difference
from lib.qemu import PATIENCE_SECONDS, Machine, blank_disk
from lib.waiting import WaitedTooLong, wait_until
from site_of_demo import CONFIGURATION, Site

OUT = pathlib.Path("/out/demo")


class Failed(Exception):
    """A step did not do what it should; the text says what."""


class Demo:
    """The steps, in order; each returns a line for the summary or raises."""

    def __init__(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="demo-"))
        self.site = Site(self.scratch)
        (self.scratch / "machine").mkdir()
        self.machine = Machine(self.scratch / "machine", data=blank_disk(self.scratch / "data.img"),
                               wires=self.site.wires)
        self.summary = []

    def steps(self):
        yield "the machine boots", self.boot
        yield "it is configured over its serial console", self.configure
        yield "the peers of the three zones start", self.start_peers
        yield "records reach the syslog server", self.records
        yield "the one permitted flow passes", self.permitted_flow
        yield "a Japanese HTML mail arrives as text", self.mail
        yield "the desktop's picture arrives at the viewer", self.screen
        yield "the forbidden paths are refused", self.forbidden
        yield "spoofed sources are refused", self.spoofed
        yield "the gateway's own ports are shut", self.own_ports
        yield "the syslog server's copy of the log is whole", self.whole_log

    # -- the steps

    def boot(self):
        self.machine.power_on()
        started = self.machine.wait_started(90)
        ready = self.machine.wait_ready(90)
        return f"user space after {started:.1f} s, enforcing after {ready:.1f} s"

    def configure(self):
        console = self.machine.console
        first_boot.begin(console, "sekisho-demo")
        console.run("configure")
        for statement in CONFIGURATION:
            answer = console.run(f"set {statement}", timeout=30)
            if "console:" in answer:
                raise Failed(f"set {statement}: {answer}")
        console.run("compare | no-more", timeout=90)
        answer = console.run('commit comment "demo"', timeout=90)
        if "committed: " not in answer:
            raise Failed(answer)
        console.run("exit")
        console.run("show separation | no-more", timeout=30)
        console.run("show zones | no-more", timeout=30)
        return f"{len(CONFIGURATION)} statements; {answer.strip()}"

    def start_peers(self):
        self.site.start_peers()
        self.site.desktop.show_test_picture()
        return "Postfix in two zones, Xvnc, rsyslog, servers in all three"

    def records(self):
        line = self.site.syslog.wait_line("sekisho-demo", seconds=PATIENCE_SECONDS)
        return line[:100]

    def permitted_flow(self):
        wait_until(lambda: barrier.permitted(self.site), "the permitted flow", PATIENCE_SECONDS, 0.5)
        return "mynumber -> lgwan 10.20.0.8:7000, echoed to the letter"

    def mail(self):
        message = letter.original()
        (OUT / "mail-in.eml").write_bytes(message)
        self.site.outside_mta.send(letter.SENDER, letter.RECIPIENT, message)
        delivered = self.site.inside_mta.wait_messages(1, PATIENCE_SECONDS)[0]
        received = letter.as_received(delivered)
        (OUT / "mail-out.eml").write_bytes(received)
        print(indent(readable(received)))
        verdict = subprocess.run([SEKISHO, "verify-mail"], input=received, capture_output=True, timeout=20, check=False)
        problems = letter.problems(received)
        if verdict.returncode != 0:
            problems.append(f"verify-mail: {(verdict.stdout + verdict.stderr).decode().strip()}")
        if problems:
            raise Failed("; ".join(problems))
        return f"{len(message)} bytes of HTML and attachment in, {len(received)} bytes of text out; verify-mail accepts it"

    def late_starts(self):
        """How many halves of screen sessions the gateway has ended since they were not ready in time, by the numbers of records."""
        return len({number_of(line) for line in self.site.syslog.lines()
                    if " process-killed " in line and 'process="screen-' in line and "not ready in time" in line})

    def view(self):
        """Whether a viewer was shown a picture. An emulator that a busy host starves may not start a session's halves within
        the 8 s that the gateway gives them: a viewer may connect again only where the log says that this is what happened."""
        lgwan, before = self.site.zones["lgwan"], self.late_starts()
        try:
            capture_screen(self.site.net, lgwan.namespace, lgwan.gateway4, 5900, OUT / "viewer.png", timeout=90)
        except CommandFailed as refused:
            try:
                wait_until(lambda: self.late_starts() > before, "the record of a late start")
            except WaitedTooLong:
                raise refused from None
            return False
        return True

    def screen(self):
        true = self.site.desktop.screenshot(OUT / "desktop.png")
        wait_until(self.view, "a picture at the viewer", PATIENCE_SECONDS, 0.5)
        pixels = difference(true, OUT / "viewer.png")
        if pixels != 0:
            raise Failed(f"{pixels} pixels differ")
        return "compare -metric AE desktop.png viewer.png: 0"

    def write_outcomes(self, outcomes):
        with open(OUT / "refused.txt", "a", encoding="utf-8") as file:
            for outcome in outcomes:
                print(f"    {outcome}", flush=True)
                print(outcome, file=file)
        bad = [outcome for outcome in outcomes if not outcome.refused]
        if bad:
            raise Failed(f"{len(bad)} of {len(outcomes)} not refused as they should be; first: {bad[0]}")
        return f"all {len(outcomes)} attempts refused and recorded"

    def forbidden(self):
        zones = self.site.zones.values()
        outcomes = [barrier.try_pair(self.site, attempt, source, target)
                    for source in zones for target in zones if source is not target for attempt in barrier.ATTEMPTS]
        return self.write_outcomes(outcomes)

    def spoofed(self):
        zone = self.site.zones
        cases = [("internet", "lgwan", "lgwan"), ("internet", "mynumber", "lgwan"), ("internet", "lgwan", "mynumber"),
                 ("lgwan", "mynumber", "mynumber"), ("lgwan", "internet", "mynumber"),
                 ("mynumber", "lgwan", "lgwan")]
        return self.write_outcomes([barrier.spoof(self.site, zone[a], zone[b], zone[c]) for a, b, c in cases])

    def own_ports(self):
        offered = {"mynumber": [], "lgwan": [5900], "internet": [25]}
        outcomes = [one for zone in self.site.zones.values()
                    for one in barrier.own_ports(self.site, zone, offered[zone.name])]
        return self.write_outcomes(outcomes)

    def whole_log(self):
        """The server has every record from the first on: cut into files again, the chain is whole."""
        directory = self.scratch / "copy"
        rebuild(self.site.syslog.lines(), directory)
        return verify(directory)

    # -- around them

    def run(self):
        """All steps; those that depend on a failed boot or configuration are not tried. Return whether all went well."""
        well = True
        for number, (what, step) in enumerate(self.steps(), 1):
            print(f"[{number:2}] {what} ...", flush=True)
            begin = time.monotonic()
            try:
                line, good = step(), True
            except Exception as error:  # whatever it was: it is this step's failure, and the rest is still shown
                line, good = describe(error), False
            well = well and good
            self.summary.append(f"{'ok  ' if good else 'FAIL'} {what}: {line} ({time.monotonic() - begin:.1f} s)")
            print(f"     {'ok' if good else 'FAIL'}: {line}", flush=True)
            if not good and number <= 2:
                break
        self.collect()
        return well

    def collect(self):
        """Leave what was seen."""
        syslog = getattr(self.site, "syslog", None)
        (OUT / "syslog.txt").write_text("\n".join(syslog.lines() if syslog else []) + "\n")
        (OUT / "console.txt").write_text(self.machine.transcript())
        (OUT / "summary.txt").write_text("\n".join(self.summary) + "\n")

    def close(self):
        self.machine.stop()
        self.site.close()


def describe(error):
    if isinstance(error, (Failed, AssertionError)):
        return str(error) or repr(error)
    return "".join(traceback.format_exception(error)[-3:]).strip()


def indent(text):
    return "\n".join(f"     | {line}" for line in text.splitlines())


def readable(received):
    """Head and text of a mail, decoded for a terminal."""
    import email
    import email.policy
    message = email.message_from_bytes(received, policy=email.policy.default)
    head = "".join(f"{name}: {message[name]}\n" for name in ("From", "To", "Subject"))
    return head + "\n" + message.get_content()


def main(arguments):
    automatic = arguments == ["auto"]
    if arguments and not automatic:
        print("usage: make run [DEMO=auto]", file=sys.stderr)
        return 2
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    demo = Demo()
    try:
        well = demo.run()
        print("\n" + "\n".join(demo.summary))
        print(f"what was seen is in build/demo/; {'every step did what it should' if well else 'NOT every step did'}")
        if not automatic and demo.machine.running():
            print(f"\nthe gateway's serial console (Ctrl-A X ends it); its administrator is {first_boot.ADMINISTRATOR}, "
                  f"with the password {first_boot.PASSWORD}:", flush=True)
            attach(demo.machine)
            demo.collect()
        return 0 if well else 1
    finally:
        demo.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
