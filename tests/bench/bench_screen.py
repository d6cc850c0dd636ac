# SPDX-License-Identifier: GPL-2.0-or-later
"""Full 1280x800 changes and keys through the relay and through others, and from the same desktop directly: same work, same run.

Xvnc with its own limit lifted shows two pictures in turn (x11_flicker), each pixel different; rfb_load asks for updates as
fast as they come and counts them. The relay runs without the appliance's own limit of frames a second.

socat and haproxy pass bytes on; `x11vnc -reflect` is libvncserver's client and server back to back, as the relay's halves are.
Under TLS viewers log in at the relay with VeNCrypt's X509Plain; at a second Xvnc with X509None; socat and haproxy
end TLS before the first one's plain port. For keys a desktop of our own stands at the other end (key_delay), which notes when each one came.
"""

import contextlib
import pathlib
import re
import shutil
import time

from lib.certificates import Authority
from lib.net import Net, run
from lib.peers.rfb import Viewer, update_request
from lib.relay import DRIVER, LIBEXEC
from lib.waiting import wait_until

from measure import Measure

LOAD, FLICKER, KEY_DELAY = "/out/bench/rfb_load", "/out/bench/x11_flicker", "/out/bench/key_delay"
ZRLE, RAW = 16, 0
SECONDS = 3
WIDTH, HEIGHT = 1280, 800
DISPLAY, DESKTOP, RELAY, MARKING, SOCAT, HAPROXY, REFLECTOR = 50, 5950, 5960, 5961, 5970, 5971, 5972
DISPLAY_TLS, DESKTOP_TLS, RELAY_TLS, SOCAT_TLS, HAPROXY_TLS = 52, 5952, 5962, 5973, 5974
KEYS_DESKTOP, KEYS_RELAY, KEYS_RELAY_TLS, KEYS_SOCAT = 5951, 5963, 5964, 5975
FLICKERS_PER_S = 400
IDLE_SESSIONS, IDLE_S = 100, 3
SHARE_LEAST = 0.0001    # of a core; less cannot be told in IDLE_S. The supervisor's pings are not in it.
KEY_DELAY_LIMIT_S = 0.002
HAPROXY_CONF = f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen desktop
    bind 127.0.0.1:{HAPROXY}
    server desktop 127.0.0.1:{DESKTOP}
listen secured
    bind 127.0.0.1:{HAPROXY_TLS} ssl crt {{certificate}}
    server desktop 127.0.0.1:{DESKTOP}
"""


class Bench:
    """Desktop, relay, socat and haproxy on the loopback of one namespace."""

    def __init__(self, net):
        self.net = net
        self.idle_mib = 0.0     # of one of them, set by idle()
        self.namespace = net.namespace("bench")
        authority = Authority()
        self.authority, self.certificate = authority.certificate, authority.issue("127.0.0.1")
        self.start_xvnc(DISPLAY, DESKTOP, "None")
        self.start_xvnc(DISPLAY_TLS, DESKTOP_TLS, "X509None", "-X509Cert", self.certificate, "-X509Key", self.certificate)
        self.drivers = {port: self.start_driver(port, desktop, statements, certificate) for port, desktop, statements, certificate in (
            (RELAY, DESKTOP, "", ""), (MARKING, DESKTOP, "watermark faint;", ""), (RELAY_TLS, DESKTOP, "", self.certificate),
            (KEYS_RELAY, KEYS_DESKTOP, "", ""), (KEYS_RELAY_TLS, KEYS_DESKTOP, "", self.certificate))}
        self.start_socat(f"TCP-LISTEN:{SOCAT}", DESKTOP)
        self.start_socat(f"OPENSSL-LISTEN:{SOCAT_TLS},verify=0,cert={self.certificate}", DESKTOP)
        self.start_socat(f"TCP-LISTEN:{KEYS_SOCAT}", KEYS_DESKTOP)
        conf = net.scratch / "haproxy.cfg"
        conf.write_text(HAPROXY_CONF.format(certificate=self.certificate))
        net.popen(self.namespace, "haproxy", "-f", conf, "-db", "-q")
        for port in (SOCAT, SOCAT_TLS, KEYS_SOCAT, HAPROXY, HAPROXY_TLS):
            net.wait_port(self.namespace, "127.0.0.1", port)

    def start_xvnc(self, display, port, security, *options):
        self.net.popen(self.namespace, "Xvnc", f":{display}", "-geometry", f"{WIDTH}x{HEIGHT}", "-depth", "24",
                       "-SecurityTypes", security, *options, "-rfbport", port, "-AlwaysShared", "-ac", "-noreset",
                       "-FrameRate", "1000")
        self.net.wait_port(self.namespace, "127.0.0.1", port)

    def start_socat(self, listener, desktop):
        self.net.popen(self.namespace, "socat", f"{listener},fork,reuseaddr,nodelay", f"TCP:127.0.0.1:{desktop},nodelay")

    def start_driver(self, port, desktop, statements, certificate):
        driver = self.net.popen(self.namespace, DRIVER, LIBEXEC, port, "127.0.0.1", desktop, 1000, 0, 0, statements, "", "",
                                certificate)
        driver.wait_log("ready")
        return driver


    def values(self, *command):
        """What a program prints as NAME=NUMBER."""
        done = run("ip", "netns", "exec", self.namespace, *command, timeout=SECONDS + 20)
        return {name: float(number) for name, number in re.findall(r"(\w+)=([\d.]+)", done.stdout)}

    def load(self, port, encoding=ZRLE, security="none"):
        """Whole screens a second that a viewer at this port gets."""
        flicker = self.net.popen(self.namespace, FLICKER, DISPLAY_TLS if port == DESKTOP_TLS else DISPLAY, FLICKERS_PER_S)
        values = self.values(LOAD, "127.0.0.1", port, encoding, SECONDS, security, self.authority)
        flicker.stop()
        return values["pixels"] / (WIDTH * HEIGHT) / values["seconds"]

    def keys(self, port, share, security="none"):
        """1 / the time that this share of all keys keeps from the viewer's write to the desktop's read: "median" or "p99"."""
        values = self.values(KEY_DELAY, KEYS_DESKTOP, "127.0.0.1", port, SECONDS, security, self.authority)
        return 1e6 / values[f"{share}_us"]

    def load_reflector(self):
        """Through libvncserver's reflector, started for this alone: it asks for updates also when nobody looks."""
        reflector = self.net.popen(self.namespace, "x11vnc", "-reflect", f"127.0.0.1:{DESKTOP - 5900}", "-rfbport", REFLECTOR,
                                   "-forever", "-shared", "-nopw", "-quiet", "-localhost")
        self.net.wait_port(self.namespace, "127.0.0.1", REFLECTOR)
        frames = self.load(REFLECTOR)
        reflector.stop()
        return frames

    def frames_per_cpu_s(self, port, security="none"):
        """Whole screens that the halves of a relay's session pass on in a second of processor time, both together."""
        driver = self.drivers[port]
        ended = re.compile(r"^ended \d+ status 0 cpu-ms (\d+)$", re.M)
        before = len(ended.findall(driver.log()))
        frames = self.load(port, security=security) * SECONDS
        wait_until(lambda: len(ended.findall(driver.log())) >= before + 2, "the end of both halves")
        return frames / (sum(int(ms) for ms in ended.findall(driver.log())[before:]) / 1000)

    def idle(self):
        """IDLE_SESSIONS at once whose screen stands still: how many would fill a core. Their memory is noted."""
        driver = self.drivers[RELAY]
        started = re.compile(r"^started \d+ (\d+) (\d+)$", re.M)
        before = len(started.findall(driver.log()))
        with contextlib.ExitStack() as stack:
            for _ in range(IDLE_SESSIONS):
                viewer = Viewer(stack.enter_context(self.net.connect(self.namespace, "127.0.0.1", RELAY)))
                viewer.begin()
                viewer.read_update()
                viewer.send(update_request(WIDTH, HEIGHT, incremental=1))
            wait_until(lambda: len(started.findall(driver.log())) >= before + IDLE_SESSIONS, "all sessions")
            halves = [pathlib.Path("/proc", pid) for pair in started.findall(driver.log())[before:] for pid in pair]
            begin, used_ns = time.monotonic(), sum(map(run_time_ns, halves))
            time.sleep(IDLE_S)
            share = (sum(map(run_time_ns, halves)) - used_ns) / 1e9 / (time.monotonic() - begin)
            self.idle_mib = sum(map(memory_kib, halves)) / 1024 / IDLE_SESSIONS
            return IDLE_SESSIONS / max(share, SHARE_LEAST)


def run_time_ns(process):
    return int((process / "schedstat").read_text().split()[0])


def memory_kib(process):
    """Its own, and its share of what it has in common with others."""
    return int(re.search(r"^Pss:\s+(\d+) kB$", (process / "smaps_rollup").read_text(), re.M)[1])


def measures(scratch):
    if not shutil.which("Xvnc"):
        raise RuntimeError("Xvnc (package tigervnc-standalone-server) is needed as the desktop")
    net = Net(scratch)
    try:
        bench = Bench(net)
        yield Measure("screen: full 1280x800 changes, ZRLE", "frames/s", lambda: bench.load(RELAY),
                      {"Xvnc's ZRLE direct": lambda: bench.load(DESKTOP), "through socat": lambda: bench.load(SOCAT),
                       "through haproxy": lambda: bench.load(HAPROXY),
                       "libvncserver's reflector": bench.load_reflector}, target=3)
        yield Measure("screen: full 1280x800 changes, Raw", "frames/s", lambda: bench.load(RELAY, RAW),
                      {"Xvnc's Raw direct": lambda: bench.load(DESKTOP, RAW), "through socat": lambda: bench.load(SOCAT, RAW)})
        yield Measure("screen: full 1280x800 changes, ZRLE, TLS", "frames/s", lambda: bench.load(RELAY_TLS, security="x509-plain"),
                      {"Xvnc's ZRLE direct, TLS": lambda: bench.load(DESKTOP_TLS, security="x509-none"),
                       "TLS ended by socat": lambda: bench.load(SOCAT_TLS, security="tls"),
                       "TLS ended by haproxy": lambda: bench.load(HAPROXY_TLS, security="tls")}, target=3)
        yield Measure("screen: full changes a second of CPU, both halves", "frames/CPU-s",
                      lambda: bench.frames_per_cpu_s(RELAY), {"the limit of 3 ms each": lambda: 1000 / 3}, target=1)
        yield Measure("screen: the same under TLS", "frames/CPU-s", lambda: bench.frames_per_cpu_s(RELAY_TLS, "x509-plain"),
                      {"the limit of 6 ms each": lambda: 1000 / 6}, target=1)
        yield Measure("screen: the same under a watermark", "frames/CPU-s", lambda: bench.frames_per_cpu_s(MARKING),
                      {"without one": lambda: bench.frames_per_cpu_s(RELAY)})
        for share, target in (("median", None), ("p99", 1)):
            limit = {f"the limit of {KEY_DELAY_LIMIT_S * 1000:.0f} ms": lambda: 1 / KEY_DELAY_LIMIT_S} if target else {}
            yield Measure(f"screen: a key from viewer to desktop, {share}", "1/s", lambda share=share: bench.keys(KEYS_RELAY, share),
                          limit | {"direct": lambda share=share: bench.keys(KEYS_DESKTOP, share),
                                   "through socat": lambda share=share: bench.keys(KEYS_SOCAT, share),
                                   "the relay, TLS": lambda share=share: bench.keys(KEYS_RELAY_TLS, share, "x509-plain")}, target)
        yield Measure(f"screen: idle sessions, of {IDLE_SESSIONS} at once", "sessions/core",
                      bench.idle, {"the limit of 5 % for 100": lambda: 100 / 0.05}, target=1)
        yield Measure(f"screen: the memory of {IDLE_SESSIONS} idle sessions", "sessions/GiB",
                      lambda: 1024 / bench.idle_mib, {"the limit of 12 MiB each": lambda: 1024 / 12}, target=1)
    finally:
        net.close()
