# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop that changes its size while an auditor looks on, by a scripted viewer and in a real browser; and who sees the pointer."""

import re
import select
import struct

import pytest

from lib.certificates import Authority, put_slot
from lib.peers import Desktop, difference
from lib.peers.browser import Chromium
from lib.peers.rfb import (CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, RAW, FakeDesktop, key, pointer, rect, solid, update,
                           update_request)
from lib.peers.vencrypt import SecureViewer
from lib.peers.xserver import focus_window
from lib.waiting import wait_until
from test_screen_chromium import log_in as type_login, message_begins, spki_of
from test_screen_login import connect
from test_screen_recording import colour, files, log_of, pictures, replay
from test_screen_shadow import BLUE, RED, SHADOW, office, pass_to, session_of, typed

assert office   # the fixture of the tests below

# What the desktop becomes with each key; neither is a whole number of tiles, and they grow and shrink by both sides.
SIZES = ((321, 241), (640, 130), (130, 480), (500, 333), (64, 64), (321, 241))
SPOT = 8    # px, the pointer's picture


def resized(number):
    """The colour that it has then."""
    return 0x203040 + 0x0a0b0c * number


def resizing(desktop, stream):
    """A script of a desktop that takes its next size, and another colour, with each key; its pointer is a red square."""
    desktop.wait_request(stream)
    stream.send(update(rect(0, 0, SPOT, SPOT, CURSOR, solid(SPOT, SPOT, RED) + b"\xff" * SPOT),
                       rect(0, 0, desktop.WIDTH, desktop.HEIGHT, RAW, solid(desktop.WIDTH, desktop.HEIGHT, BLUE))))
    for number, (width, height) in enumerate(SIZES):
        while desktop.next_message(stream)[0] != 4:
            pass
        stream.send(update(rect(0, 0, width, height, DESKTOP_SIZE),
                           rect(0, 0, width, height, RAW, solid(width, height, resized(number)))))
        while desktop.next_message(stream)[0] != 4:     # the key's release
            pass
    desktop.serve(stream)


@pytest.fixture
def desktop(topology):
    zone = topology.zones["internet"]
    return FakeDesktop(topology.net, zone.namespace, zone.peer4, script=resizing)


class Looker:
    """A viewer that has logged in, knows `encodings`, and remembers which ones it was sent."""

    def __init__(self, topology, login, *encodings, size=(320, 240), shown=BLUE):
        self.viewer, self.seen = SecureViewer(connect(topology, timeout=60), *login), set()
        assert (self.viewer.width, self.viewer.height) == size
        self.viewer.begin(RAW, *encodings)
        self.wait_shows(size, shown)

    def wait_shows(self, size, shown):
        """Ask for updates until the whole picture has this size and this colour."""
        viewer = self.viewer
        while (viewer.width, viewer.height) != size or viewer.picture != solid(*size, shown):
            self.seen |= {encoding for encoding, _ in viewer.read_update()}
            viewer.send(update_request(viewer.width, viewer.height, 1))

    def press(self, keysym=0x67):
        self.viewer.send(key(keysym) + key(keysym, 0))


def suzuki(bureau, *encodings):
    """Who works, and the number of the session."""
    worker = Looker(bureau.topology, ("suzuki", bureau.secrets["suzuki"]), *encodings)
    return worker, session_of(bureau, "suzuki")


@pytest.mark.usefixtures("desktop")
@pytest.mark.parametrize("way", [DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE], ids=["size", "extended-size"])
def test_shadow_follows_the_desktops_size(office, topology, way):
    """A6, Z4: grown and shrunk while the auditor looks on: each time every pixel, in his viewer and in the watched one; who looks
    on later begins with the size of then."""
    bureau = office(SHADOW)
    worker, session = suzuki(bureau, way)
    shadow = Looker(topology, pass_to(bureau, session), way)
    for number, size in enumerate(SIZES):
        worker.press()
        worker.wait_shows(size, resized(number))
        shadow.wait_shows(size, resized(number))
    later = Looker(topology, pass_to(bureau, session), size=SIZES[-1], shown=resized(len(SIZES) - 1))
    later.viewer.close()


@pytest.mark.usefixtures("desktop")
def test_shadow_that_knows_no_sizes_ends_alone(office, topology):
    """A6, Z11: a viewer without DesktopSize is ended with that reason; the watched session and another shadow go on."""
    bureau = office(SHADOW)
    worker, session = suzuki(bureau, DESKTOP_SIZE)
    does_not, knows = (Looker(topology, pass_to(bureau, session), *encodings) for encodings in ((), (DESKTOP_SIZE,)))
    does_not.viewer.send(update_request(320, 240, 1))
    worker.press()
    assert does_not.viewer.drain(30)
    bureau.gateway.wait_event("screen-ended ", 'reason="viewer-cannot-resize"', f'user="shadow:{session}"')
    for looker in (worker, knows):
        looker.wait_shows(SIZES[0], resized(0))
    worker.press()
    for looker in (worker, knows):
        looker.wait_shows(SIZES[1], resized(1))


@pytest.mark.usefixtures("desktop")
def test_shadow_that_is_seen_is_seen_at_each_size(office, topology):
    """A6, L1: `notice live`: the red edge is at the borders of the new size, and nothing of it is left within."""
    bureau = office("shadow { notice live; }")
    worker, session = suzuki(bureau, DESKTOP_SIZE)
    shadow = Looker(topology, pass_to(bureau, session), DESKTOP_SIZE)
    worker.viewer.wait_pixel(319, 239, RED, 30)
    worker.press()
    shadow.wait_shows(SIZES[0], resized(0))
    (width, height), within, edge = SIZES[0], struct.pack("<I", resized(0)), struct.pack("<I", RED)
    row = edge * 4 + within * (width - 8) + edge * 4
    framed = edge * (4 * width) + row * (height - 8) + edge * (4 * width)
    viewer = worker.viewer
    while (viewer.width, viewer.height) != SIZES[0] or viewer.picture != framed:
        viewer.read_update()
        viewer.send(update_request(viewer.width, viewer.height, 1))


def test_shadow_and_recording_have_no_pointer(office, topology, desktop, tmp_path):
    """A6, Z5, ADR 709, ADR 710: the pointer's picture goes to who works and to nobody else, and no place of it to anybody."""
    bureau = office(SHADOW, "record { size-limit 8MB; total-limit 64MB; }")
    worker, session = suzuki(bureau, CURSOR, DESKTOP_SIZE)
    assert CURSOR in worker.seen
    shadow = Looker(topology, pass_to(bureau, session), CURSOR, DESKTOP_SIZE)
    worker.viewer.send(pointer(100, 100) + pointer(120, 130, 1) + pointer(120, 130))
    worker.press()
    for looker in (worker, shadow):
        looker.wait_shows(SIZES[0], resized(0))
    assert [struct.unpack(">BHH", body) for kind, body in typed(desktop) if kind == 5] == \
        [(0, 100, 100), (1, 120, 130), (0, 120, 130)]
    assert CURSOR not in shadow.seen and RED.to_bytes(3, "little") not in shadow.viewer.received
    worker.viewer.close()
    bureau.gateway.wait_event("screen-recording-ended ", 'name="web"')
    (file,) = files(bureau.gateway)
    status, said = replay(file, tmp_path / "out", "--every", "0.001", "--log", log_of(bureau.gateway))
    assert status == 0, said
    assert {colour(p) for p in pictures(tmp_path / "out")} - {"000000"} == {f"{BLUE:06x}".upper(), f"{resized(0):06x}".upper()}


def keep_up(viewer):
    """Take what has come, and ask for more: the desktop is asked for as much as the watched viewer takes."""
    while viewer.sock.pending() or select.select([viewer.sock], [], [], 0)[0]:
        viewer.read_update()
        viewer.send(update_request(viewer.width, viewer.height, 1))


@pytest.mark.limit(120)
def test_shadow_in_chromium_follows_the_desktop_and_has_no_hand_in_it(office, topology, tmp_path):
    """A6, Z4: the pass at the page of a real browser: Xvnc's every pixel, and again at another size; what is typed and clicked
    there comes nowhere; the page says in both languages why it ended."""
    zone, lgwan = topology.zones["internet"], topology.zones["lgwan"]
    certificate = Authority().issue(lgwan.gateway4)
    put_slot(tmp_path / "state", "screen", certificate.read_text())
    real = Desktop(topology.net, zone.namespace, zone.peer4, size="640x480")
    real.show_test_picture()
    bureau = office(SHADOW, "browser { listen 443; }", state=tmp_path / "state")
    worker = SecureViewer(connect(topology, timeout=60), "suzuki", bureau.secrets["suzuki"])
    worker.begin(RAW, DESKTOP_SIZE)
    worker.read_update()
    worker.send(update_request(640, 480, 1))
    session = session_of(bureau, "suzuki")
    browser = Chromium(topology.net, lgwan.namespace, spki_of(certificate), size=(1000, 800))
    browser.open(f"https://{lgwan.gateway4}/")
    browser.wait("document.querySelector('h1').textContent")
    type_login(browser, *pass_to(bureau, session))
    browser.wait("!document.getElementById('session').hidden")

    def same_at(*size):
        def same():
            keep_up(worker)
            drawn = browser.evaluate("(c => c && [c.width, c.height])(document.querySelector('#screen canvas'))")
            return drawn == [*size] and difference(real.screenshot(tmp_path / "true.png"), browser.canvas(tmp_path / "seen.png")) == 0
        wait_until(same, f"the desktop's picture of {size} in the page", pause=0.3)

    same_at(640, 480)
    xev = topology.net.popen(zone.namespace, "stdbuf", "-oL", "xev", "-geometry", "640x480+0+0", env=real.env)
    focus_window(real, "Event Tester")
    browser.click("#screen canvas")
    browser.press("b", "KeyB", 66, "b")
    bureau.gateway.wait_event("screen-dropped ", 'detail="key-of-a-shadow"')

    def arrives():
        worker.send(key(0x61) + key(0x61, 0))
        return "(keysym 0x61," in xev.log()
    wait_until(arrives, "the user's own key in xev", pause=0.3)
    assert "(keysym 0x62," not in xev.log() and "ButtonPress" not in xev.log()
    xev.stop()
    real.run("xrandr", "--fb", "800x600")
    same_at(800, 600)
    worker.close()
    browser.wait("!document.getElementById('entrance').hidden")
    if browser.evaluate("document.documentElement.lang") == "en":
        browser.evaluate("document.getElementById('language').click()")
    message_begins(browser, "閲覧していたセッションが終了しました。")
    browser.evaluate("document.getElementById('language').click()")
    message_begins(browser, "The session that you looked at has ended.")
    ended = bureau.gateway.wait_event("screen-shadow-ended ", f'watched="{session}"', 'auditor="kansa"')
    assert re.search(r'duration-ms="\d+"', ended)
