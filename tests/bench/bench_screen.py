# SPDX-License-Identifier: GPL-2.0-or-later
"""Full 1280x800 changes through the relay and through others, and from the same desktop directly: same work, same run.

Xvnc with its own limit lifted shows two pictures in turn (x11_flicker), each pixel different; rfb_load asks for updates as
fast as they come and counts them. The relay runs without the appliance's own limit of frames a second.

socat and haproxy pass bytes on; `x11vnc -reflect` is libvncserver's client and server back to back, as the relay's halves are.
"""

import re
import shutil

from lib.net import Net, run
from lib.relay import DRIVER, LIBEXEC
from lib.waiting import wait_until

from measure import Measure

LOAD, FLICKER = "/out/bench/rfb_load", "/out/bench/x11_flicker"
ZRLE, RAW = 16, 0
SECONDS = 3
WIDTH, HEIGHT = 1280, 800
DISPLAY, DESKTOP, RELAY, MARKING, SOCAT, HAPROXY, REFLECTOR = 50, 5950, 5960, 5961, 5970, 5971, 5972
FLICKERS_PER_S = 400
HAPROXY_CONF = f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen desktop
    bind 127.0.0.1:{HAPROXY}
    server desktop 127.0.0.1:{DESKTOP}
"""


class Bench:
    """Desktop, relay, socat and haproxy on the loopback of one namespace."""

    def __init__(self, net):
        self.net = net
        self.namespace = net.namespace("bench")
        net.popen(self.namespace, "Xvnc", f":{DISPLAY}", "-geometry", f"{WIDTH}x{HEIGHT}", "-depth", "24",
                  "-SecurityTypes", "None", "-rfbport", DESKTOP, "-AlwaysShared", "-ac", "-noreset", "-FrameRate", "1000")
        net.wait_port(self.namespace, "127.0.0.1", DESKTOP)
        self.drivers = {port: self.start_driver(port, statements)
                        for port, statements in ((RELAY, ""), (MARKING, "watermark faint;"))}
        net.popen(self.namespace, "socat", f"TCP-LISTEN:{SOCAT},fork,reuseaddr,nodelay", f"TCP:127.0.0.1:{DESKTOP},nodelay")
        net.wait_port(self.namespace, "127.0.0.1", SOCAT)
        conf = net.scratch / "haproxy.cfg"
        conf.write_text(HAPROXY_CONF)
        net.popen(self.namespace, "haproxy", "-f", conf, "-db", "-q")
        net.wait_port(self.namespace, "127.0.0.1", HAPROXY)

    def start_driver(self, port, statements):
        driver = self.net.popen(self.namespace, DRIVER, LIBEXEC, port, "127.0.0.1", DESKTOP, 1000, 0, 0, statements)
        driver.wait_log("ready")
        return driver

    def flicker(self):
        return self.net.popen(self.namespace, FLICKER, DISPLAY, FLICKERS_PER_S)

    def load(self, port, encoding=ZRLE, seconds=SECONDS):
        """Whole screens a second that a viewer at this port gets."""
        flicker = self.flicker()
        done = run("ip", "netns", "exec", self.namespace, LOAD, "127.0.0.1", port, encoding, seconds, timeout=seconds + 20)
        flicker.stop()
        values = dict(re.findall(r"(\w+)=([\d.]+)", done.stdout))
        return float(values["pixels"]) / (WIDTH * HEIGHT) / float(values["seconds"])

    def load_reflector(self):
        """Through libvncserver's reflector, started for this alone: it asks for updates also when nobody looks."""
        reflector = self.net.popen(self.namespace, "x11vnc", "-reflect", f"127.0.0.1:{DESKTOP - 5900}", "-rfbport", REFLECTOR,
                                   "-forever", "-shared", "-nopw", "-quiet", "-localhost")
        self.net.wait_port(self.namespace, "127.0.0.1", REFLECTOR)
        frames = self.load(REFLECTOR)
        reflector.stop()
        return frames

    def frames_per_cpu_s(self, port):
        """Whole screens that the halves of a relay's session pass on in a second of processor time, both together."""
        driver = self.drivers[port]
        before = driver.log().count("screen-ended")
        frames = self.load(port) * SECONDS
        wait_until(lambda: driver.log().count("screen-ended") >= before + 2, "the end of the session")
        cpu = [int(ms) for ms in re.findall(r"^ended \d+ status 0 cpu-ms (\d+)", driver.log(), re.M)[-2:]]
        return frames / (sum(cpu) / 1000)


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
        yield Measure("screen: full changes a second of CPU, both halves", "frames/CPU-s",
                      lambda: bench.frames_per_cpu_s(RELAY), {"the limit of 3 ms each": lambda: 1000 / 3}, target=1)
        yield Measure("screen: the same under a watermark", "frames/CPU-s", lambda: bench.frames_per_cpu_s(MARKING),
                      {"without one": lambda: bench.frames_per_cpu_s(RELAY)})
    finally:
        net.close()
