# SPDX-License-Identifier: GPL-2.0-or-later
"""The screen relay with real viewers and desktops: pixels come out as they went in, keys arrive, nothing else does."""

import contextlib
import itertools
import re
import time

import pytest

from lib import watermark
from lib.net import run
from lib.peers import Desktop, capture_screen, difference
from lib.peers.desktops import X11vnc, tell_qemu
from lib.peers.rfb import RAW, ZRLE, Viewer, key, pointer, update_request
from lib.peers.viewers import ViewerScreen, tigervnc, tightvnc
from lib.peers.xserver import focus_window
from lib.relay import Relay
from lib.waiting import wait_until

SIZE = "640x480"


@pytest.fixture(params=["encodings automatic;", "encodings zrle;"])
def relay_of_each(request, net, ground):
    """A relay that asks its desktops for Raw, and one that asks for ZRLE and TRLE."""
    return Relay(net, ground, statements=request.param)


def xvnc(relay, size=SIZE, options=()):
    zone = relay.desktops
    return Desktop(relay.net, zone.namespace, zone.peer4, size=size, options=options)


def viewer_screen(relay):
    return ViewerScreen(relay.net, relay.viewers.namespace)


def wait_same(desktop, screen, tmp_path, seconds=10.0):
    """Until the viewer's screen shows what the desktop shows; both are sampled until they agree."""
    shots = itertools.count()

    def same():
        true = desktop.screenshot(tmp_path / f"true-{next(shots)}.png")
        seen = screen.screenshot(tmp_path / f"seen-{next(shots)}.png")
        return difference(true, seen) == 0
    wait_until(same, "the same picture on both sides", seconds, pause=0.3)


@pytest.mark.parametrize("size", ["640x480", "1280x800", "333x127"])
def test_screen_gvnccapture_sees_every_pixel(relay, tmp_path, size):
    """Z4: what a viewer is shown equals what the desktop shows, at sizes that tiles do not divide too."""
    desktop = xvnc(relay, size)
    if size == "333x127":
        run("xsetroot", "-mod", "5", "7", "-fg", "#123456", "-bg", "#fedcba", env=desktop.env)
    else:
        desktop.show_test_picture()
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0


def rgb(picture):
    """A picture file's pixels as bytes, three each."""
    raw = picture.with_suffix(".rgb")
    run("convert", picture, "-depth", "8", raw)
    return raw.read_bytes()


@pytest.mark.parametrize("strength, eighths", [("faint", 1), ("strong", 3)])
def test_screen_watermark_is_over_what_a_viewer_is_shown(net, ground, tmp_path, strength, eighths):
    """Z5 L1: viewer, gateway and minute over each pixel as drawn apart from the gateway's code; the desktop has none of it."""
    relay = Relay(net, ground, statements=f"watermark {strength};")
    desktop = xvnc(relay, "700x300")
    desktop.show_test_picture()
    true, seen = tmp_path / "desktop.png", tmp_path / "viewer.png"

    def minutes_of_a_capture():
        begin = time.time()
        capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, seen)
        return watermark.minutes(begin, time.time())

    def within_one_minute():
        """The mark says the minute at which each part of the picture went out, which may be two in one picture."""
        minutes = minutes_of_a_capture()
        return minutes[0] if len(minutes) == 1 else None
    mark = watermark.points(relay.viewers.peer4, "sekisho", wait_until(within_one_minute, "a capture within one minute"))
    plain = rgb(desktop.screenshot(true))
    assert rgb(seen) == watermark.over(plain, 700, mark, eighths)
    assert difference(true, seen) > 700 * 300 / 20, "a mark that is not to be overlooked"


@pytest.mark.parametrize("encoding", ["ZRLE", "Hextile", "Raw"])
def test_screen_tigervnc_sees_every_pixel_of_a_moving_picture(relay, tmp_path, encoding):
    """Z4: still and after much movement (terminal, windows that move: CopyRect), in each encoding of ours."""
    desktop, screen = xvnc(relay), viewer_screen(relay)
    desktop.show_test_picture()
    viewer = tigervnc(screen, relay.host, relay.PORT, encoding)
    wait_same(desktop, screen, tmp_path)
    with moving_picture(desktop):
        time.sleep(4)
    wait_same(desktop, screen, tmp_path)
    assert viewer.running(), viewer.log()


def test_screen_compressed_link_to_the_desktop_loses_no_pixel(net, ground, tmp_path):
    """Z4: `encodings zrle`: Xvnc's own ZRLE, in a fraction of Raw's bytes, and one deflate stream over a moving picture."""
    relay = Relay(net, ground, statements="encodings zrle;")
    desktop, screen = xvnc(relay), viewer_screen(relay)
    run("xsetroot", "-mod", "5", "7", "-fg", "#123456", "-bg", "#fedcba", env=desktop.env)
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0
    assert int(relay.wait_end("desktop")["bytes"]) < 640 * 480 * 4 / 4
    viewer = tigervnc(screen, relay.host, relay.PORT, "Raw")
    with moving_picture(desktop):
        time.sleep(3)
    wait_same(desktop, screen, tmp_path)
    assert viewer.running(), viewer.log()


@contextlib.contextmanager
def moving_picture(desktop):
    started = [
        desktop.net.popen(desktop.namespace, "xterm", "-geometry", "70x20+30+30", "-e",
                          "while :; do ls -lR /usr/share | head -300; done", env=desktop.env),
        desktop.net.popen(desktop.namespace, "xeyes", "-geometry", "120x90+480+300", env=desktop.env),
    ]
    time.sleep(0.5)
    for i in range(12):
        desktop.run("xdotool", "search", "--class", "xeyes", "windowmove", 30 * i, 20 * i, check=False)
    yield
    for process in started:
        process.stop()


def test_screen_keys_and_pointer_of_a_real_viewer_arrive(relay, tmp_path):
    """Z5: what is typed in the viewer's window is typed on the desktop; so is the pointer's place and button."""
    desktop, screen = xvnc(relay), viewer_screen(relay)
    xev = desktop.net.popen(desktop.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=desktop.env)
    tigervnc(screen, relay.host, relay.PORT, "ZRLE")
    relay.wait_line("screen-desktop")
    wait_same(desktop, screen, tmp_path)
    left, top = screen.window()

    def moved():
        """xtigervncviewer holds movements back for a while; a button sends them."""
        for x, y in ((40, 50), (123, 234)):
            screen.run("xdotool", "mousemove", left + x, top + y, "click", "1")
        return "root:(123,234)" in xev.log()
    wait_until(moved, "the pointer's place in xev", pause=0.2)
    for side, title in ((screen, "Sekisho - TigerVNC"), (desktop, "Event Tester")):
        focus_window(side, title)
    screen.run("xdotool", "type", "aZ9@")
    screen.run("xdotool", "key", "Return", "F5", "Henkan", "Zenkaku_Hankaku", "ctrl+c")
    screen.run("xdotool", "click", "3")
    for name in ("a", "Z", "9", "at", "Return", "F5", "Henkan_Mode", "Zenkaku_Hankaku", "Control_L"):
        wait_until(lambda n=name: f", {n})" in xev.log(), f"{name} in xev")
    wait_until(lambda: "button 3" in xev.log(), "the button in xev")


@pytest.mark.parametrize("start", [tigervnc, tightvnc])
def test_screen_shift_and_tab_of_a_real_viewer_go_back_one_field(relay, start):
    """Z5: Shift+Tab, which X calls ISO_Left_Tab and xtightvncviewer sends as such: what moves backwards through a form.

    Xvnc gives it the name that its own keymap has for Tab under Shift, as a keyboard of its own would. Shift is let go
    first, so that the viewer may call the key by another name than it was pressed by: it is not left held.
    """
    desktop, screen = xvnc(relay), viewer_screen(relay)
    xev = desktop.net.popen(desktop.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=desktop.env)
    focus_window(desktop, "Event Tester")
    start(screen, relay.host, relay.PORT)
    relay.wait_line("screen-desktop")
    title = "Sekisho"
    left, top = wait_until(lambda: screen.window(title), "the viewer's window")

    def arrives():
        """Pressed again until the viewer has the keyboard, which it takes in its own time. The pointer is over its picture:
        of a window and those inside it, X gives keys to the one under the pointer."""
        focus_window(screen, title)
        screen.run("xdotool", "mousemove", left + 60, top + 70, "keydown", "shift", "keydown", "Tab", "keyup", "shift", "keyup", "Tab")
        return any("KeyRelease" in event and "Tab)" in event
                   for event in xev.log().split("\n\n"))
    wait_until(arrives, "the key's release in xev", pause=0.3)
    pressed = [event for event in xev.log().split("\n\n") if "KeyPress" in event and "Tab)" in event]
    assert pressed and all("(keysym 0xfe20, ISO_Left_Tab)" in event and "state 0x1," in event for event in pressed), xev.log()
    assert not relay.lines("screen-dropped", "detail=key")


# Keys of Japanese keyboards and what input methods type, as X keysyms.
JAPANESE_KEYS = {
    0xFF21: "Kanji", 0xFF22: "Muhenkan", 0xFF23: "Henkan_Mode", 0xFF24: "Romaji", 0xFF25: "Hiragana", 0xFF26: "Katakana",
    0xFF27: "Hiragana_Katakana", 0xFF28: "Zenkaku", 0xFF29: "Hankaku", 0xFF2A: "Zenkaku_Hankaku", 0xFF2D: "Kana_Lock",
    0xFF2F: "Eisu_Shift", 0xFF30: "Eisu_toggle", 0xFF31: "Hangul", 0xFF34: "Hangul_Hanja", 0xFF37: "Kanji_Bangou",
    0xFF3C: "SingleCandidate", 0xFF3D: "Zen_Koho", 0xFF3E: "Mae_Koho", 0xA5: "yen", 0x5C: "backslash", 0x5F: "underscore", 0x4B1: "kana_A",
    0x1003042: "U3042", 0x10030AB: "U30AB", 0x1006F22: "U6F22", 0x100FF21: "UFF21", 0x1003001: "U3001",
}


def test_screen_keys_of_japanese_keyboards_arrive(relay):
    """Z5: each key of a Japanese keyboard, and hiragana, katakana and kanji as typed by an input method, in xev."""
    desktop = xvnc(relay)
    xev = desktop.net.popen(desktop.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=desktop.env)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    focus_window(desktop, "Event Tester")

    def arrives(keysym):
        """Pressed again until it is seen: Xvnc makes room in its keymap at the first press, which xev may see too late."""
        viewer.send(key(keysym, 1) + key(keysym, 0))
        return f"(keysym {keysym:#x}," in xev.log()
    for keysym, name in JAPANESE_KEYS.items():
        wait_until(lambda k=keysym: arrives(k), f"{name} in xev", 10, pause=0.1)
    assert not relay.lines("screen-dropped", "detail=key")


@pytest.mark.limit(120)
def test_screen_updates_never_stall_at_full_speed(net, ground):
    """Z4: sessions that begin and end at once while the desktop draws at full speed: none of them stands still.

    An acknowledgement that came in the same round as pixels was once taken without asking for the next update.
    """
    relay = Relay(net, ground, frame_rate=1000)
    desktop = xvnc(relay, "1280x800", options=("-FrameRate", "1000"))
    net.popen(desktop.namespace, "/out/bench/x11_flicker", desktop.display[1:], 400)
    for i in range(30):
        done = net.run(relay.viewers.namespace, "/out/bench/rfb_load", relay.host, relay.PORT, (16, 5, 0)[i % 3], "0.2",
                       timeout=15)
        assert "updates=" in done.stdout


@pytest.mark.parametrize("encoding", [RAW, ZRLE])
def test_screen_bandwidth_is_never_more_than_the_cap(net, ground, tmp_path, encoding):
    """Z14: while a desktop draws as fast as it can, a viewer gets the cap's bytes of each time, and one tile; whole pictures."""
    relay = Relay(net, ground, statements="bandwidth 8000;")
    desktop = xvnc(relay, options=("-FrameRate", "1000"))
    drawing = net.popen(desktop.namespace, "/out/bench/x11_flicker", desktop.display[1:], 400)
    done = net.run(relay.viewers.namespace, "/out/bench/rfb_load", relay.host, relay.PORT, encoding, 4, timeout=60)
    values = dict(re.findall(r"(\w+)=([\d.]+)", done.stdout))
    # Received in this time may be what was sent before: one update, because the next one is asked for behind its head.
    update_bytes = 640 * 480 * 4 + 80 * 16
    assert float(values["bytes"]) <= 1_000_000 * float(values["seconds"]) + update_bytes + 64 * 64 * 4
    assert float(values["pixels"]) >= 640 * 480, "updates go on"
    drawing.stop()
    desktop.show_test_picture()
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0


def test_screen_x11vnc_desktop_is_shown_pixel_by_pixel(relay_of_each, tmp_path):
    """Z4: a second kind of desktop: x11vnc on an X server of its own."""
    relay = relay_of_each
    zone = relay.desktops
    desktop = X11vnc(relay.net, zone.namespace, zone.peer4, relay.DESKTOP_PORT, SIZE)
    true = desktop.screenshot(tmp_path / "desktop.png")
    seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0
    assert int(run("identify", "-format", "%k", seen).stdout) == 2, "the picture has its two colours"


@pytest.mark.limit(180)
def test_screen_qemu_desktop_is_shown_pixel_by_pixel(relay_of_each, tmp_path):
    """Z4: a third kind: a virtual machine's screen as QEMU serves it, against QEMU's own dump of it."""
    relay = relay_of_each
    zone, monitor, dump = relay.desktops, tmp_path / "monitor", tmp_path / "desktop.ppm"
    relay.net.popen(zone.namespace, "qemu-system-x86_64", "-accel", "tcg", "-m", "32", "-nodefaults", "-vga", "std",
                    "-vnc", f"{zone.peer4}:0", "-monitor", f"unix:{monitor},server,nowait", "-boot", "menu=on")
    relay.net.wait_port(zone.namespace, zone.peer4, relay.DESKTOP_PORT)

    def shows_text():
        dump.unlink(missing_ok=True)
        tell_qemu(monitor, f"screendump {dump}")
        return int(run("identify", "-format", "%k", dump).stdout) > 1
    wait_until(shows_text, "text on the machine's screen", 120, pause=0.5)
    tell_qemu(monitor, "stop")  # its text cursor blinks, and on a busy machine faster than two pictures of it are taken

    def same():
        seen = capture_screen(relay.net, relay.viewers.namespace, relay.host, relay.PORT, tmp_path / "viewer.png")
        return shows_text() and difference(dump, seen) == 0
    wait_until(same, "the machine's screen in the viewer", 60, pause=0.5)


def test_screen_resize_of_the_desktop_reaches_the_viewer(relay, tmp_path):
    """Z4: a viewer that knows DesktopSize goes on with the new size; one that does not is ended, with the reason."""
    desktop = xvnc(relay)
    desktop.show_test_picture()
    knows, does_not = Viewer(relay.connect()), Viewer(relay.connect())
    knows.begin(RAW, -223)
    does_not.begin(RAW)
    knows.read_update()
    does_not.read_update()
    desktop.run("xrandr", "--fb", "800x600")
    knows.send(update_request(knows.width, knows.height, 1))
    while (knows.width, knows.height) != (800, 600):
        knows.read_update()
        knows.send(update_request(knows.width, knows.height, 1))
    assert relay.wait_end("viewer")["reason"] == "viewer-cannot-resize"
    run("xsetroot", "-solid", "#a0b0c0", env=desktop.env)
    knows.wait_pixel(799, 599, 0xa0b0c0)


@pytest.mark.parametrize("version", [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"])
def test_screen_serves_each_protocol_version(relay, version):
    """Z4: 3.3 and 3.7 viewers too; the name is the gateway's own."""
    xvnc(relay, options=("-desktop", "secret name of the desktop"))
    viewer = Viewer(relay.connect(), version)
    assert viewer.name == b"Sekisho"
    viewer.begin()
    assert viewer.read_update()


def test_screen_sessions_end_by_idleness_and_by_age(net, ground):
    """A3: idle is counted by input: a desktop that moves keeps nobody logged in; the absolute limit ends all."""
    relay = Relay(net, ground, idle_s=4, limit_s=9)
    desktop = xvnc(relay)
    least_from = time.monotonic()     # their times began behind this one
    idle, busy = Viewer(relay.connect()), Viewer(relay.connect())
    for viewer in (idle, busy):
        viewer.begin()
    begin = time.monotonic()
    ends, least = {}, {}
    while len(ends) < 2 and time.monotonic() - begin < 14:
        run("xsetroot", "-solid", f"#{int(time.monotonic() * 1000) % 0xffffff:06x}", env=desktop.env)
        if "busy" not in ends:
            with contextlib.suppress(OSError):
                busy.send(pointer(5, 5))
        for name, viewer in (("idle", idle), ("busy", busy)):
            if name not in ends and viewer.drain(0.1):
                ends[name] = time.monotonic() - begin
                least[name] = time.monotonic() - least_from
    assert 3.5 < least["idle"] and ends["idle"] < 7 and 8.5 < least["busy"] and ends["busy"] < 12, (least, ends)
    for reason in ("idle-timeout", "session-limit"):
        relay.wait_line("screen-ended ", "peer=viewer", f"reason={reason}")
