# SPDX-License-Identifier: GPL-2.0-or-later
"""Desktops and viewers that lie: each line of the two message tables (docs/screen.md), and what must never cross."""

import contextlib
import fcntl
import itertools
import os
import pathlib
import signal
import socket
import struct
import termios
import time
import zlib

import pytest

from lib.peers.rfb import (COPY_RECT, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, FORMAT, HEXTILE, LAST_RECT, RAW, TRLE, ZRLE,
                           FakeDesktop, Stream, Viewer, key, pointer, rect, set_encodings, set_format, solid, update,
                           update_request)
from lib.relay import Relay
from lib.waiting import holds_for, kept_within, wait_until

# Never in any form on the other side; no byte of it is a plausible pixel, length or name of ours.
CANARY = bytes.fromhex("ca5e1a7badc0ffee")
SOURCE_IN_BYTES = 256 << 10  # what a source reads ahead
MEMORY_MAX_KIB = 12 * 1024 + 4096  # a session's half while it works
SO_TIMESTAMPNS = 35  # asm-generic/socket.h


def desktop_of(relay, script=None, **kwargs):
    zone = relay.desktops
    return FakeDesktop(relay.net, zone.namespace, zone.peer4, script=script, **kwargs)


def resident_kib(pid):
    return int(pathlib.Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def unacknowledged(stream):
    """Bytes that were sent and have not arrived at the other end's kernel."""
    return struct.unpack("i", fcntl.ioctl(stream.sock, termios.TIOCOUTQ, bytes(4)))[0]


def processor_ns(pid):
    """Processor time that a process has used: constant, to the nanosecond, while it waits for something."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def waits(pid, seconds=0.3):
    """Whether a process has slept through a while: it used no processor time, and it is not one that only gets none."""
    before = processor_ns(pid)
    time.sleep(seconds)
    return "(sleeping)" in pathlib.Path(f"/proc/{pid}/status").read_text().partition("State:")[2] and processor_ns(pid) == before


def assert_works(relay):
    """The next session is served as if nothing had been; the desktop must serve its next connection well."""
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.wait_pixel(319, 239, 0x112233)
    viewer.close()


def once(bad):
    """A desktop's script: `bad` on the first connection, an honest picture on all others."""
    def script(desktop, stream):
        if len(desktop.streams) == 1:
            bad(desktop, stream)
        else:
            desktop.show(stream, 0x112233)
        desktop.serve(stream)
    return script


def big(kind, length, body=b""):
    return bytes([kind, 0, 0, 0]) + struct.pack(">I", length) + body


def pixel(value):
    return struct.pack("<I", value)


# What a desktop sends once its picture is shown -> detail of the session's end.
HOSTILE_DESKTOP = {
    "rectangle-right": (update(rect(319, 0, 2, 1, RAW, solid(2, 1))), "rectangle-outside"),
    "rectangle-below": (update(rect(0, 239, 1, 2, HEXTILE)), "rectangle-outside"),
    "rectangle-huge": (update(rect(65535, 65535, 65535, 65535, RAW)), "rectangle-outside"),
    "copy-from-outside": (update(rect(0, 0, 9, 9, COPY_RECT, struct.pack(">HH", 312, 0))), "copy-source-outside"),
    "copy-from-far": (update(rect(0, 0, 9, 9, COPY_RECT, struct.pack(">HH", 65535, 65535))), "copy-source-outside"),
    "copy-of-everything": (update(*[rect(0, 0, 320, 240, COPY_RECT, bytes(4))] * 17), "drawn-too-often"),
    "hextile-subrectangle": (update(rect(0, 0, 16, 16, HEXTILE, b"\x08\x01\xff\x10")), "subrectangle-outside"),
    "hextile-in-cut-tile": (update(rect(304, 0, 8, 16, HEXTILE, b"\x08\x01\x70\x10")), "subrectangle-outside"),
    "hextile-flags": (update(rect(0, 0, 16, 16, HEXTILE, b"\x40")), "hextile-flags"),
    "size-zero": (update(rect(0, 0, 0, 100, DESKTOP_SIZE)), "desktop-size"),
    "size-huge": (update(rect(0, 0, 65535, 65535, DESKTOP_SIZE)), "desktop-size"),
    "extended-size-huge": (update(rect(0, 0, 4097, 1, EXTENDED_DESKTOP_SIZE, b"\1\0\0\0" + bytes(16))), "desktop-size"),
    "extended-size-screens": (update(rect(0, 0, 320, 240, EXTENDED_DESKTOP_SIZE, b"\xff\0\0\0")), "too-many-screens"),
    "cursor-huge": (update(rect(0, 0, 129, 129, CURSOR)), "cursor-size"),
    "cursor-wide": (update(rect(0, 0, 129, 1, CURSOR)), "cursor-size"),
    "cursor-high": (update(rect(0, 0, 1, 129, CURSOR)), "cursor-size"),
    "cursor-65535": (update(rect(0, 0, 65535, 65535, CURSOR)), "cursor-size"),
    "cut-text-2-gib": (big(3, 0x7FFFFFFF), "cut-text-length"),
    "cut-text-wrap": (big(3, 0x80000000), "cut-text-length"),
    "cut-text-plus-one-wrap": (big(3, 0x100001), "cut-text-length"),
    **{f"encoding-{e}": (update(rect(0, 0, 1, 1, e)), "encoding")
       for e in (2, 4, 6, 7, 8, 15, 16, 17, 21, 50, -26, -240, -257, -258, -307, -309, -312, -313, -314, 0x574D5664, -1063131698)},
    **{f"message-{t}": (bytes([t]) + CANARY * 8, "message-type") for t in (4, 7, 11, 15, 128, 150, 173, 248, 250, 252, 253, 255)},
}


@pytest.mark.parametrize("name", HOSTILE_DESKTOP)
def test_screen_hostile_desktop_ends_its_own_session_only(relay, name):
    """Z5: the session ends with the reason in the log, nothing of it is shown, and the next one works."""
    hostile, detail = HOSTILE_DESKTOP[name]

    def bad(desktop, stream):
        desktop.show(stream)
        desktop.wait_request(stream)
        desktop.go.wait()
        stream.send(hostile)

    desktop = desktop_of(relay, once(bad))
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    desktop.go.set()
    assert viewer.drain(), "the session did not end"
    end = relay.wait_end("desktop")
    assert (end["reason"], end["detail"]) == ("desktop-protocol", detail)
    assert relay.wait_end("viewer")["reason"] == "desktop-protocol"
    assert CANARY[:4] not in viewer.received
    assert_works(relay)
    assert not desktop.errors, desktop.errors


def zrle(data, flush=zlib.Z_SYNC_FLUSH, excess=0):
    packer = zlib.compressobj(9)
    packed = packer.compress(data) + packer.flush(flush)
    return struct.pack(">I", len(packed) + excess) + packed


def tile(encoding, data):
    """An update of one tile of 16 x 16."""
    return update(rect(0, 0, 16, 16, encoding, zrle(data) if encoding == ZRLE else data))


OVERRUN, OVERRUN_FOR_EVER = b"\x80\1\2\3\xff\1", b"\x80\1\2\3" + b"\xff" * 40
INDEX, INDEX_OF_RUN = b"\3" + bytes(9) + b"\xff" * 64, b"\x82" + bytes(6) + b"\x82\xfe" + bytes(9)

# The same, of a desktop that was asked for ZRLE and TRLE.
HOSTILE_TILES = {
    **{f"{name}-{kind}": (tile(encoding, data), detail)
       for name, encoding in (("trle", TRLE), ("zrle", ZRLE))
       for kind, data, detail in (("run-overrun", OVERRUN, "run-overrun"), ("run-endless", OVERRUN_FOR_EVER, "run-overrun"),
                                  ("index", INDEX, "palette-index"), ("index-of-run", INDEX_OF_RUN, "palette-index"),
                                  ("unused-17", b"\x11" + bytes(99), "tile-subencoding"),
                                  ("unused-126", b"\x7e" + bytes(99), "tile-subencoding"))},
    "trle-palette-of-nobody": (tile(TRLE, b"\x7f" + bytes(32)), "palette-reuse"),
    "zrle-palette-again": (tile(ZRLE, b"\x7f" + bytes(32)), "tile-subencoding"),
    "zrle-outside": (update(rect(310, 0, 16, 16, ZRLE, zrle(b"\1\1\2\3"))), "rectangle-outside"),
    "zrle-length-4-gib": (update(rect(0, 0, 16, 16, ZRLE, b"\xff\xff\xff\xff")), "zrle-length"),
    "zrle-too-short": (tile(ZRLE, b"\0" + bytes(700)), "zrle-too-short"),
    "zrle-bomb": (tile(ZRLE, b"\1\1\2\3" + bytes(50 << 20)), "zrle-too-long"),
    "zrle-stream-ends": (update(rect(0, 0, 16, 16, ZRLE, zrle(b"\1\1\2\3", zlib.Z_FINISH, 16) + bytes(16))), "zlib-stream"),
    "zrle-no-stream": (update(rect(0, 0, 16, 16, ZRLE, struct.pack(">I", 64) + CANARY * 8)), "zlib-stream"),
    "zlib-not-asked-for": (update(rect(0, 0, 16, 16, 6, zrle(bytes(1024)))), "encoding"),
}


@pytest.mark.parametrize("name", HOSTILE_TILES)
def test_screen_hostile_compression_ends_its_own_session_only(net, ground, name):
    """Z5: with `encodings zrle`: run overruns, indices outside palettes, bombs and broken streams end the session."""
    hostile, detail = HOSTILE_TILES[name]
    relay = Relay(net, ground, statements="encodings zrle;")

    def bad(desktop, stream):
        desktop.show(stream)
        desktop.wait_request(stream)
        stream.send(hostile)

    desktop = desktop_of(relay, once(bad))
    viewer = Viewer(relay.connect())
    viewer.begin()
    assert viewer.drain(), "the session did not end"
    end = relay.wait_end("desktop")
    assert (end["reason"], end["detail"]) == ("desktop-protocol", detail)
    assert CANARY[:4] not in viewer.received
    asked = [body for kind, body in desktop.messages if kind == 2]
    assert asked == [set_encodings(ZRLE, TRLE, HEXTILE, COPY_RECT, RAW, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE,
                                   LAST_RECT)[1:]]
    assert_works(relay)


# What a desktop says in its handshake -> reason and detail of the session's end.
BAD_HANDSHAKE = {
    "not-rfb": ({"version": b"HTTP/1.1 200"}, "desktop-protocol", "version-syntax"),
    "version-2": ({"version": b"RFB 002.009\n"}, "desktop-refused", "version"),
    "tight-only": ({"security": b"\1\x10"}, "desktop-refused", "security-type-not-offered"),
    "password-only": ({"security": b"\1\2"}, "desktop-refused", "security-type-not-offered"),
    "no-type-reason": ({"security": b"\0" + struct.pack(">I", 8) + CANARY}, "desktop-refused", "refused-by-desktop"),
    "reason-wraps": ({"security": b"\0\xff\xff\xff\xff" + CANARY}, "desktop-refused", "refused-by-desktop"),
    "result-bad": ({"security": b"\1\1\0\0\0\1\0\0\0\x08" + CANARY}, "desktop-refused", "refused-by-desktop"),
    "name-4-gib": ({"init": struct.pack(">HH", 320, 240) + FORMAT + b"\xff\xff\xff\xff" + CANARY},
                   "desktop-protocol", "name-length"),
    "size-zero": ({"init": struct.pack(">HH", 0, 240) + FORMAT + bytes(4)}, "desktop-protocol", "desktop-size"),
    "size-huge": ({"init": struct.pack(">HH", 65535, 65535) + FORMAT + bytes(4)}, "desktop-protocol", "desktop-size"),
}


@pytest.mark.parametrize("name", BAD_HANDSHAKE)
def test_screen_bad_desktop_handshake_is_refused(relay, name):
    """Z5: a viewer of a desktop that fails in its handshake is ended before it is shown anything."""
    kwargs, reason, detail = BAD_HANDSHAKE[name]
    desktop_of(relay, **kwargs)
    viewer = Viewer(relay.connect(), handshake=False)
    viewer.send(b"RFB 003.008\n\1\1")
    assert viewer.drain()
    assert bytes(viewer.received) == b"RFB 003.008\n\1\1\0\0\0\0"
    end = relay.wait_end("desktop")
    assert (end["reason"], end["detail"]) == (reason, detail)


def test_screen_desktop_that_does_not_answer_is_given_up(relay):
    """Z5: neither half waits for ever; an unreachable desktop ends the session at once."""
    viewer = Viewer(relay.connect(), handshake=False)
    viewer.send(b"RFB 003.008\n\1\1")
    assert viewer.drain()
    assert relay.wait_end("desktop")["reason"] == "desktop-unreachable"


# What a viewer sends once its picture is shown -> detail of the session's end.
HOSTILE_VIEWER = {
    "encodings-65535": (b"\2\0\xff\xff" + bytes(400), "too-many-encodings"),
    "encodings-257": (set_encodings(*range(257)), "too-many-encodings"),
    "cut-text-2-gib": (big(6, 0x7FFFFFFF), "cut-text-length"),
    "cut-text-wrap": (big(6, 0x80000000), "cut-text-length"),
    "format-24-bit": (set_format(b"\x18" + FORMAT[1:]), "pixel-format"),
    "format-shift": (set_format(FORMAT[:10] + b"\xff" + FORMAT[11:]), "pixel-format"),
    "format-max": (set_format(FORMAT[:4] + b"\0\xfe" + FORMAT[6:]), "pixel-format"),
    "key-down-2": (key(0x61, down=2), "key-down-flag"),
    "resize-screens": (b"\xfb\0\1\0\1\0\xff\0", "too-many-screens"),
    **{f"message-{t}": (bytes([t]) + CANARY * 8, "message-type")
       for t in (1, *range(7, 16), 20, 21, 80, 127, 128, 150, 160, 248, 249, 250, 252, 253, 254, 255)},
}


@pytest.mark.parametrize("name", HOSTILE_VIEWER)
def test_screen_hostile_viewer_ends_its_own_session_only(relay, name):
    """Z5: the session ends with the reason in the log, the desktop gets nothing of it, and the next one works."""
    hostile, detail = HOSTILE_VIEWER[name]

    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    with contextlib.suppress(ConnectionError):
        viewer.send(hostile)
    assert viewer.drain(), "the session did not end"
    end = relay.wait_end("viewer")
    assert (end["reason"], end["detail"]) == ("viewer-protocol", detail)
    assert relay.wait_end("desktop")["reason"] == "viewer-protocol"
    assert_works(relay)
    assert not desktop.errors, desktop.errors
    assert CANARY[:4] not in desktop.received()


STRANGERS = {"http": b"GET / HTTP/1.1\r\n\r\n", "version-4": b"RFB 004.001\n", "tight": b"RFB 003.008\n\x10",
             "password": b"RFB 003.008\n\x02", "zeros": bytes(64), "ones": b"\xff" * 64}


@pytest.mark.parametrize("first", STRANGERS.values(), ids=STRANGERS.keys())
def test_screen_stranger_at_the_viewers_port_reaches_no_desktop(relay, first):
    """Z14: whoever does not finish the handshake causes no connection to the desktop."""
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    stranger = Stream(relay.connect())
    stranger.send(first)
    stranger.drain()
    assert relay.wait_end("viewer")["reason"] == "viewer-protocol"
    assert not desktop.streams
    assert_works(relay)


def test_screen_nothing_but_pixels_reaches_the_viewer(relay):
    """Z4, Z5: canaries in padding, name, cut text, colour map, cursor and hidden pixels do not cross in any form."""
    hidden = CANARY[0]

    def script(desktop, stream):
        desktop.show(stream, 0x112233, padding=hidden)
        desktop.wait_request(stream)
        stream.send(b"\2")  # Bell
        stream.send(b"\1" + CANARY[:1] + struct.pack(">HH", 0, 8) + CANARY * 6)
        stream.send(bytes([3]) + CANARY[:3] + struct.pack(">I", len(CANARY) * 5000) + CANARY * 5000)
        tile = bytes([1 | 0]) + b"".join(pixel(0x445566 | b << 24) for b in CANARY * 32)
        background = bytes([2 | 4 | 8]) + pixel(0xCA000001) + pixel(0xCA000002) + b"\1\x00\x00"
        cursor = b"".join(pixel(int.from_bytes(CANARY[:4], "little")) for _ in range(64)) + b"\0" * 8
        stream.send(update(rect(0, 0, 16, 16, HEXTILE, tile), rect(16, 0, 16, 16, HEXTILE, background),
                           rect(3, 3, 8, 8, CURSOR, cursor), rect(0, 0, 0, 0, LAST_RECT), count=0xFFFF,
                           padding=CANARY[:1]))
        desktop.serve(stream)

    desktop_of(relay, script, name=CANARY * 500)
    viewer = Viewer(relay.connect())
    viewer.begin(RAW, CURSOR)
    viewer.wait_pixel(0, 0, 0x445566)
    viewer.wait_pixel(16, 0, 2)
    assert viewer.name == b"Sekisho"
    assert not any(viewer.picture[3::4]), "the byte that means nothing carries something"
    for size in (2, 3, 4):
        assert all(CANARY[i:i + size] not in viewer.received for i in range(len(CANARY) - size))
    assert hidden not in viewer.received
    for what in ("bell", "colour-map", "cut-text"):
        relay.wait_line("screen-dropped", "peer=desktop", f"detail={what}")


@pytest.mark.parametrize("width, height, hot", [(128, 128, (127, 127)), (65, 97, (40, 96)), (16, 16, (0, 0))])
def test_screen_cursors_arrive_whole(relay, width, height, hot):
    """Z4: a cursor of up to 128 x 128, as desktops have for people who see badly: each pixel of it, its mask and its hot spot."""
    colour = [(x * 7919 + y * 104729) & 0xFFFFFF for y in range(height) for x in range(width)]
    drawn = [(x + y) % 3 != 0 for y in range(height) for x in range(width)]
    mask = b"".join(int("".join("01"[d] for d in drawn[y * width:(y + 1) * width]).ljust((width + 7) // 8 * 8, "0"), 2)
                    .to_bytes((width + 7) // 8, "big") for y in range(height))
    pixels = struct.pack(f"<{width * height}I", *colour)
    seen = struct.pack(f"<{width * height}I", *(c if d else 0 for c, d in zip(colour, drawn)))

    def script(desktop, stream):
        desktop.wait_request(stream)
        stream.send(update(rect(*hot, width, height, CURSOR, pixels + mask),
                           rect(0, 0, 320, 240, RAW, solid(320, 240, 0x112233))))
        desktop.serve(stream)

    desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin(RAW, CURSOR)
    viewer.wait_pixel(0, 0, 0x112233)
    assert bytes(viewer.received).count(rect(*hot, width, height, CURSOR, seen + mask)) == 1


def test_screen_only_five_messages_reach_the_desktop(relay):
    """Z5: a recording desktop gets SetPixelFormat, SetEncodings, requests, allowed keys and clamped pointers only."""
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(set_format(FORMAT[:13] + CANARY[:3], padding=CANARY[:3]) + set_encodings(RAW, -0x35A1E500, 0x4A5EBADC))
    viewer.send(big(6, len(CANARY) * 100, CANARY * 100) + big(6, 2**32 - len(CANARY), CANARY))
    viewer.send(b"\xfb\0\4\0\3\0\1\0" + CANARY * 2)
    refused = (0x1008FF2A, 0xFED5, 0xCA5E1A7B, 0x01000041, 0, 0xFFFFFFFF, 0x0100E000)
    for keysym in refused:
        viewer.send(key(keysym, 1) + key(keysym, 0))
    viewer.send(pointer(65535, 65535, 1) + pointer(10, 20, 0))
    allowed = (0x61, 0xA5, 0xFF2A, 0xFF23, 0xFF22, 0xFF27, 0xFF30, 0x01003042, 0x01006F22, 0xFFE3)
    for keysym in allowed:
        viewer.send(key(keysym, 1, padding=CANARY[:2]) + key(keysym, 0))
    wait_until(lambda: sum(k == 4 for k, _ in desktop.messages) == 2 * len(allowed), "all allowed keys")
    assert [struct.unpack(">B2xI", body)[1] for kind, body in desktop.messages if kind == 4] == \
        [k for keysym in allowed for k in (keysym, keysym)]
    assert all(body[1:3] == b"\0\0" for kind, body in desktop.messages if kind == 4)
    assert [struct.unpack(">BHH", body) for kind, body in desktop.messages if kind == 5] == [(1, 319, 239), (0, 10, 20)]
    assert {kind for kind, _ in desktop.messages} == {0, 2, 3, 4, 5}
    assert not desktop.errors, desktop.errors
    assert not any(CANARY[i:i + 3] in desktop.received() for i in range(6))
    relay.wait_line("screen-dropped", "peer=viewer", "detail=cut-text")
    relay.wait_line("screen-dropped", "peer=viewer", "detail=key-not-allowed")
    viewer.close()
    assert relay.wait_end("viewer")["keys"] == str(len(allowed))
    relay.wait_line("screen-dropped", "detail=key-not-allowed", f"count={2 * len(refused)}")


def test_screen_keys_held_at_the_end_are_released(relay):
    """Z5: a viewer that leaves with Ctrl and a button held does not leave them held on the desktop."""
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(key(0xFFE3) + key(0x63) + pointer(5, 5, 4))
    wait_until(lambda: any(kind == 5 for kind, _ in desktop.messages), "the button")
    viewer.close()
    wait_until(lambda: sum(kind == 4 for kind, _ in desktop.messages) == 4, "the releases")
    assert {body for kind, body in desktop.messages if kind == 4 and body[0] == 0} == {key(0xFFE3, 0)[1:], key(0x63, 0)[1:]}
    wait_until(lambda: desktop.messages[-1] == (5, pointer(5, 5, 0)[1:]), "the button's release")


def test_screen_keys_let_go_by_another_name_are_released(relay):
    """Z5: Shift let go before the key: some viewers press A and ISO_Left_Tab and release a and Tab. Each press has its release.

    X calls Alt Meta and Eisu Caps_Lock while Shift is held; a modifier is let go by its own two names only.
    A key that repeats by its other name once Shift is let go is let go by the first: it is released only once.
    A release that no press belongs to is none, whatever modifiers are held.
    """
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    shift, control, tab, left_tab = 0xFFE1, 0xFFE3, 0xFF09, 0xFE20
    alt, meta, right_alt, eisu, caps = 0xFFE9, 0xFFE7, 0xFFEA, 0xFF30, 0xFFE5
    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(key(shift) + key(0x41) + key(shift, 0) + key(0x62) + key(0x61, 0) + key(0x62, 0))
    viewer.send(key(shift) + key(left_tab) + key(shift, 0) + key(tab, 0))
    viewer.send(key(shift) + key(meta) + key(right_alt, 0) + key(shift, 0) + key(alt, 0))
    viewer.send(key(alt) + key(shift) + key(meta, 0) + key(caps) + key(shift, 0) + key(eisu, 0))
    viewer.send(key(0x44) + key(0x41) + key(0x61, 0) + key(0x64, 0))
    viewer.send(key(0x41) + key(0x41) + key(0x61) + key(0x61, 0) + key(meta) + key(alt) + key(alt, 0))
    viewer.send(key(control) + key(0x63, 0) + key(shift, 0) + key(control, 0) + pointer(7, 7))
    wait_until(lambda: any(kind == 5 for kind, _ in desktop.messages), "all before the pointer")
    assert [struct.unpack(">B2xI", body) for kind, body in desktop.messages if kind == 4] == [
        (1, shift), (1, 0x41), (0, shift), (1, 0x62), (0, 0x41), (0, 0x62),
        (1, shift), (1, tab), (0, shift), (0, tab),
        (1, shift), (1, meta), (0, shift), (0, meta), (1, alt), (1, shift), (0, alt), (1, caps), (0, shift), (0, caps),
        (1, 0x44), (1, 0x41), (0, 0x41), (0, 0x44),
        (1, 0x41), (1, 0x41), (0, 0x41), (1, 0x61), (0, 0x61), (1, meta), (0, meta), (1, alt), (0, alt),
        (1, control), (0, control)]
    assert not relay.lines("screen-dropped")


def test_screen_key_flood_is_limited(relay):
    """Z5: more presses than anybody types are dropped and counted; each press that passed is also released."""
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send((key(0x61) + key(0x61, 0)) * 5000)
    viewer.send(pointer(7, 7))
    wait_until(lambda: any(kind == 5 for kind, _ in desktop.messages), "the end of the flood", 20)
    downs = sum(kind == 4 and body[0] == 1 for kind, body in desktop.messages)
    ups = sum(kind == 4 and body[0] == 0 for kind, body in desktop.messages)
    assert 400 <= downs < 3000 and downs == ups
    relay.wait_line("screen-dropped", "peer=desktop", "detail=key-rate")


@pytest.mark.parametrize("half", [0, 1])
def test_screen_death_of_one_half_ends_the_other_within_a_second(relay, half):
    """reliability.md: kill -9 of either half; the session's other half says so and ends, other sessions go on."""
    def script(desktop, stream):
        for i in range(10**6):
            desktop.show(stream, 0x112233 + i % 2)

    desktop_of(relay, script)
    other, numbers = ("desktop", "viewer")[half], itertools.count(1, 2)

    def ends():
        number = next(numbers)
        first, second = Viewer(relay.connect()), Viewer(relay.connect())
        for viewer in (first, second):
            viewer.begin()
            viewer.read_update()
        pids = relay.pids(number)
        begin = time.monotonic()
        os.kill(pids[half], signal.SIGKILL)
        relay.wait_line(f"screen-ended session={number} ", f"peer={other}", "reason=other-half-died")
        relay.wait_line(f"ended {pids[1 - half]} ")
        took = time.monotonic() - begin
        second.send(update_request(second.width, second.height, 0))
        assert second.read_update()
        second.close()
        return took

    kept_within(ends, 1)


@pytest.mark.parametrize("half", [0, 1])
def test_screen_stopped_half_stops_its_session_only(relay, half):
    """reliability.md: SIGSTOP of either half: nothing passes in its session, others go on; it goes on after SIGCONT."""
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    first, second = Viewer(relay.connect()), Viewer(relay.connect())
    for viewer in (first, second):
        viewer.begin()
        viewer.read_update()
    os.kill(relay.pids(1)[half], signal.SIGSTOP)
    first.send(key(0x62))
    second.send(key(0x63))
    wait_until(lambda: (4, key(0x63)[1:]) in desktop.messages, "the other session's key")
    holds_for(lambda: (4, key(0x62)[1:]) not in desktop.messages, "no key passes a stopped half", 0.5)
    os.kill(relay.pids(1)[half], signal.SIGCONT)
    wait_until(lambda: (4, key(0x62)[1:]) in desktop.messages, "the key after SIGCONT")


@pytest.fixture
def uneven_buffers(ground):
    """The gateway's kernel takes megabytes from desktops and little for viewers."""
    wanted = {"net.ipv4.tcp_wmem": "4096 16384 16384", "net.ipv4.tcp_rmem": "4096 4194304 4194304"}
    before = {name: ground.net.run(ground.gateway, "sysctl", "-n", name).stdout.strip() for name in wanted}
    for values in (wanted, before):
        for name, value in values.items():
            ground.net.run(ground.gateway, "sysctl", "-qw", f"{name}={value}")
        if values is wanted:
            yield


@pytest.mark.usefixtures("uneven_buffers")
def test_screen_desktop_that_hangs_up_behind_a_full_buffer_costs_no_time(relay):
    """reliability.md: while its viewer is slow, a source waits; a broken connection behind its full buffer is no work.

    The viewer does not read its picture, so the source may read no more than its buffer holds, and the connection that
    its desktop has broken off behind it is ready for ever. It was once asked about that connection again and again.
    """
    def bad(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.wait_request(stream)
        desktop.go.wait()
        for colour in (0x445566, 0x556677):  # one is on its way to the viewer, one waits for that
            stream.send(update(rect(0, 0, 320, 240, RAW, solid(320, 240, colour))))
        stream.send(b"\2" * SOURCE_IN_BYTES * 2)
        wait_until(lambda: not unacknowledged(stream), "all in the gateway's buffers", 10)
        reset(stream)
        desktop.gone.set()

    desktop = desktop_of(relay, once(bad))
    sock = relay.connect()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer = Viewer(sock)
    viewer.begin()
    viewer.read_update()
    viewer.send(update_request(320, 240, 1))
    desktop.go.set()
    assert desktop.gone.wait(30), desktop.errors
    source_pid = relay.pids(1)[1]
    wait_until(lambda: waits(source_pid), "a source that waits for its viewer", 10)
    viewer.send(key(0x61))
    wait_until(lambda: waits(source_pid), "a source that has a key to write and nobody to write it to", 10)
    viewer.read_update()
    assert relay.wait_end("desktop")["reason"] == "desktop-left"


def reset(stream):
    """Break a connection off, whatever waits in it."""
    stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def assert_both_say(relay, reason):
    assert [relay.wait_end(side, 20)["reason"] for side in ("viewer", "desktop")] == [reason, reason]


@pytest.mark.usefixtures("uneven_buffers")
def test_screen_viewer_that_leaves_tiles_unread_is_told_of_by_both_halves(relay):
    """reliability.md: a new size waits for a slow viewer, tiles behind it wait in the link; then the viewer leaves.

    The viewer's half closes a link that it has not read to its end. That error once hid the reason that it had sent.
    """
    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.show(stream, 0x445566)  # on its way to a viewer that does not read
        desktop.wait_request(stream)
        stream.send(update(rect(0, 0, 640, 480, DESKTOP_SIZE), rect(0, 0, 320, 240, RAW, solid(320, 240, 0x556677))))
        wait_until(lambda: not unacknowledged(stream), "the new size in the gateway", 20)
        desktop.gone.set()
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    sock = relay.connect()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer = Viewer(sock)
    viewer.begin(RAW, DESKTOP_SIZE)
    viewer.read_update()
    viewer.send(update_request(320, 240, 1))
    assert desktop.gone.wait(30), desktop.errors
    viewer_pid, source_pid = relay.pids(1)
    wait_until(lambda: waits(source_pid), "a source that has handed everything on", 20)
    os.kill(source_pid, signal.SIGSTOP)  # so that it finds both: the error and the reason
    viewer.close()
    relay.wait_line(f"ended {viewer_pid} ", seconds=20)
    os.kill(source_pid, signal.SIGCONT)
    assert_both_say(relay, "viewer-left")


@pytest.mark.usefixtures("uneven_buffers")
def test_screen_viewer_that_leaves_a_full_link_is_told_of_by_both_halves(relay):
    """reliability.md: the desktop reads nothing, so clicks fill the link; the reason of the end finds room and is read."""
    def script(desktop, stream):
        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        desktop.show(stream, 0x112233)
        desktop.go.wait()

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(b"".join(pointer(1, 1, i % 2) for i in range(20000)))
    for pid in relay.pids(1):
        wait_until(lambda p=pid: waits(p), "a half that waits for room", 20)
    reset(viewer)
    assert_both_say(relay, "viewer-left")
    desktop.go.set()


def test_screen_desktop_that_leaves_a_full_link_is_told_of_by_both_halves(relay):
    """reliability.md: the viewer's half is halted, so tiles fill the link; the reason of the end finds room and is read."""
    noise = bytes(x * y % 251 for y in range(240) for x in range(320 * 4))

    def script(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.wait_request(stream)
        desktop.go.wait()
        stream.send(update(rect(0, 0, 320, 240, RAW, noise)))
        wait_until(lambda: not unacknowledged(stream), "the picture in the gateway", 20)
        desktop.go.clear()
        desktop.gone.set()
        desktop.go.wait()
        reset(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer_pid, source_pid = relay.pids(1)
    os.kill(viewer_pid, signal.SIGSTOP)
    desktop.go.set()
    assert desktop.gone.wait(30), desktop.errors
    wait_until(lambda: waits(source_pid), "a source whose link is full", 20)
    desktop.go.set()
    assert relay.wait_end("desktop", 20)["reason"] == "desktop-left"
    os.kill(viewer_pid, signal.SIGCONT)
    assert_both_say(relay, "desktop-left")


def test_screen_memory_is_bounded_against_floods(relay):
    """reliability.md: cut texts, resizes and pictures without end, and a viewer that reads nothing, cost no memory."""
    def script(desktop, stream):
        desktop.show(stream)
        text = big(3, 1 << 20, bytes(1 << 20))
        while True:
            stream.send(text)
            stream.send(update(rect(0, 0, 320, 240, RAW, solid(320, 240, int(time.monotonic() * 1e6) & 0xFFFFFF))))

    desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(update_request(320, 240, 1) * 200)
    viewer_pid, source_pid = relay.pids(1)
    time.sleep(3)
    assert resident_kib(viewer_pid) < MEMORY_MAX_KIB and resident_kib(source_pid) < MEMORY_MAX_KIB


def test_screen_resize_storm_ends_the_session(relay):
    """Z5: sizes that change faster than anybody's screen end the session."""
    def bad(desktop, stream):
        desktop.show(stream)
        desktop.wait_request(stream)
        stream.send(update(*(rect(0, 0, 400 + i % 2, 300, DESKTOP_SIZE) for i in range(1000))))

    desktop_of(relay, once(bad))
    viewer = Viewer(relay.connect())
    viewer.begin(RAW, DESKTOP_SIZE)
    assert viewer.drain()
    assert relay.wait_end("desktop")["detail"] == "resize-rate"
    assert_works(relay)


def arrival(sock):
    """When the kernel took in what is read next, in seconds: whenever that is read (socket(7), SO_TIMESTAMPNS)."""
    _, [(_, kind, stamp)], _, _ = sock.recvmsg(1, socket.CMSG_SPACE(16), socket.MSG_PEEK)
    assert kind == SO_TIMESTAMPNS
    seconds, nanoseconds = struct.unpack("qq", stamp)
    return seconds + nanoseconds / 1e9


def test_screen_updates_leave_at_fixed_ticks(net, ground):
    """docs/trust.md: how often and in how many pieces the desktop draws does not show; only at most one update a tick.

    The viewer's half goes before what else runs on the machine, and its updates are timed when they arrive and not when
    they are read: how long a processor lets either wait is not what is asked here.
    """
    relay = Relay(net, ground, frame_rate=10)

    def script(desktop, stream):
        desktop.show(stream)
        for i in range(10**6):
            desktop.wait_request(stream)
            for part in range(8):  # eight updates where one was asked for
                stream.send(update(rect(part * 40, 0, 40, 240, RAW, solid(40, 240, i * 8 + part))))

    desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    os.setpriority(os.PRIO_PROCESS, relay.pids(1)[0], -20)
    viewer.begin()
    times = []
    for _ in range(12):
        times.append(arrival(viewer.sock))
        rects = viewer.read_update()
        assert [r[1] for r in rects] == sorted((r[1] for r in rects), key=lambda r: (r[1], r[0])), "tiles in fixed order"
        viewer.send(update_request(viewer.width, viewer.height, 1))
    gaps = [b - a for a, b in zip(times[1:], times[2:])]
    assert all(gap % 0.1 < 0.04 or gap % 0.1 > 0.06 for gap in gaps), gaps
    assert sum(gaps) >= 0.1 * len(gaps) - 0.05
    # At most one a tick: between any two, their number's worth of ticks, less one by which the first may have come late.
    for i, first in enumerate(times):
        for j, later in enumerate(times[i + 1:], start=i + 1):
            assert later - first > 0.1 * (j - i - 1), (i, j, times)
