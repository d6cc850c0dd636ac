# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing but pixels and keys: random canaries wherever a peer can put bytes, searched for on the other side.

ROWS says which test holds which row of the two message tables (docs/screen.md) and which known error of other
implementations.
"""

import base64
import pathlib
import random
import struct

import pytest

from lib.peers.rfb import (COPY_RECT, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, FORMAT, HEXTILE, LAST_RECT, RAW,
                           FakeDesktop, Viewer, key, pointer, rect, set_encodings, set_format, solid, update,
                           update_request)
from lib.screen_entry import still
from lib.waiting import wait_until

import test_screen_hostile as hostile

WINDOW = 6  # bytes of a canary that are looked for: by chance they are not met once in a thousand years of runs
BYTES = bytes(range(0xA1, 0xFF, 2))  # of a canary: no number of the log looks like their hex digits, no size or place like them
FOREIGN = (6, 7, 8, 17, 21, -26, -240, -257, -258, -259, -305, -307, -309, -312, -313, -314, -0x3F5E1A32,
           -65536, 0x574D5664, 0x574D5669)

# Row -> tests, as names in test_screen_hostile (where with [case], of its parametrized table) or here.
ROWS = {
    "client 0, 2, 3: end here": ("test_screen_only_allowed_values_reach_the_desktop", "HOSTILE_VIEWER[format-24-bit]",
                                 "HOSTILE_VIEWER[encodings-257]", "test_screen_requests_for_anything_are_served"),
    "client 4, 5: rewritten": ("test_screen_only_five_messages_reach_the_desktop", "test_screen_key_flood_is_limited",
                               "HOSTILE_VIEWER[key-down-2]"),
    "client 6: discarded, event": ("test_screen_only_five_messages_reach_the_desktop", "HOSTILE_VIEWER[cut-text-wrap]",
                                   "test_screen_no_canary_of_a_viewer_reaches_the_desktop"),
    "client 251: ignored": ("test_screen_only_five_messages_reach_the_desktop", "HOSTILE_VIEWER[resize-screens]"),
    "client, all others: close and event": tuple(
        f"HOSTILE_VIEWER[message-{t}]"
        for t in (7, *range(8, 16), 20, 21, 80, 127, 128, 150, 160, 248, 249, 250, 252, 253, 254, 255)),
    "server 0: decoded, checked": ("HOSTILE_DESKTOP[rectangle-right]", "HOSTILE_DESKTOP[encoding-7]",
                                   "HOSTILE_TILES[zrle-outside]", "test_screen_no_canary_of_a_desktop_reaches_the_viewer"),
    "server 1, 2, 3: swallowed": ("test_screen_nothing_but_pixels_reaches_the_viewer", "HOSTILE_DESKTOP[cut-text-2-gib]"),
    "server, all others: close and event": tuple(f"HOSTILE_DESKTOP[message-{t}]"
                                                 for t in (4, 7, 128, 150, 173, 248, 250, 252, 253, 255)),
    "server, Cursor: drawn anew, at most 128 x 128": ("test_screen_cursors_arrive_whole", "HOSTILE_DESKTOP[cursor-wide]",
                                                      "HOSTILE_DESKTOP[cursor-high]", "HOSTILE_DESKTOP[cursor-huge]"),
    "pseudo-encodings that are not ours": ("test_screen_viewer_that_offers_everything_gets_ours_only",
                                           *(f"HOSTILE_DESKTOP[encoding-{e}]"
                                             for e in (-257, -258, -307, -312, -313, -314, -1063131698))),
    "error: rectangle outside": ("HOSTILE_DESKTOP[rectangle-huge]",),
    "error: resize to zero or huge": ("HOSTILE_DESKTOP[size-zero]", "HOSTILE_DESKTOP[size-huge]",
                                      "HOSTILE_DESKTOP[extended-size-huge]"),
    "error: length+1 wraps": ("HOSTILE_DESKTOP[cut-text-wrap]", "HOSTILE_VIEWER[cut-text-wrap]",
                              "BAD_HANDSHAKE[reason-wraps]"),
    "error: cursor size": ("HOSTILE_DESKTOP[cursor-65535]",),
    "error: run overrun": ("HOSTILE_TILES[zrle-run-overrun]", "HOSTILE_TILES[trle-run-endless]"),
    "error: Hextile sub-rectangle": ("HOSTILE_DESKTOP[hextile-in-cut-tile]",),
    "error: CopyRect source": ("HOSTILE_DESKTOP[copy-from-far]",),
    "error: security type not offered": ("BAD_HANDSHAKE[tight-only]",
                                         "test_screen_stranger_at_the_viewers_port_reaches_no_desktop"),
    "error: 65,535 encodings": ("HOSTILE_VIEWER[encodings-65535]",),
    "error: name of 4 GiB": ("BAD_HANDSHAKE[name-4-gib]",),
    "error: data in padding": ("test_screen_no_canary_of_a_desktop_reaches_the_viewer",
                               "test_screen_no_canary_of_a_viewer_reaches_the_desktop"),
}


@pytest.mark.parametrize("row", ROWS)
def test_screen_row_of_the_message_tables_has_its_tests(row):
    """Z5: each row is held by tests that exist; a case that is renamed or dropped is missed here."""
    for name in ROWS[row]:
        table, _, case = name.partition("[")
        found = globals().get(table) or getattr(hostile, table)
        assert callable(found) or case[:-1] in found, name


def documented(row):
    """The row as docs/verification.md has it: tests by their names, and the cases of each table of theirs."""
    cases = {}
    for name in ROWS[row]:
        table, _, case = name.partition("[")
        cases.setdefault(table.removeprefix("test_screen_"), []).append(case[:-1])
    return f"| {row} | " + "; ".join(
        f"`{table}`" + (": " + ", ".join(f"`{name}`" for name in names) if names[0] else "") for table, names in cases.items()) + " |"


def test_screen_rows_are_those_of_the_documentation():
    """L6: each row stands in docs/verification.md as it is here, in this order, and no other does."""
    page = (pathlib.Path(__file__).parents[2] / "docs/verification.md").read_text()
    _, _, table = page.partition("| line of the message tables, or known error | tests and their cases |\n|---|---|\n")
    assert table.partition("\n\n")[0].splitlines() == [documented(row) for row in ROWS]


def desktop_of(relay, script, **kwargs):
    zone = relay.desktops
    return FakeDesktop(relay.net, zone.namespace, zone.peer4, script=script, **kwargs)


def swapped(data, size):
    return b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))


def forms(canary):
    """The canary as it may have been carried: as it is, turned round, inverted, as text, as colours."""
    yield from (canary, canary[::-1], swapped(canary, 2), swapped(canary, 4), bytes(b ^ 0xFF for b in canary))
    yield from (canary.hex().encode(), canary.hex().upper().encode())
    yield from (base64.b64encode(canary[i:i + 9]) for i in range(3))
    yield b"".join(bytes([b, 0]) for b in canary)
    yield bytes(b if i % 4 < 3 else 0 for i, b in enumerate(canary))  # as colours


def crossed(canary, received):
    """The pieces of any form of the canary that are found in what was received."""
    return [form[i:i + WINDOW] for form in forms(canary) for i in range(len(form) - WINDOW + 1)
            if form[i:i + WINDOW] in received]


def fresh_canary():
    """Random bytes of those."""
    return bytes(random.SystemRandom().choices(BYTES, k=16))


def test_screen_search_for_canaries_finds_them():
    """The search itself: a canary in any of its forms, and cut, is found; what is not one is not."""
    canary = fresh_canary()
    for form in forms(canary):
        assert crossed(canary, b"\0" * 50 + form + b"\0" * 50)
    assert crossed(canary, canary[3:9]) and not crossed(canary, bytes(1000) + canary[:5])


def pixels_with(canary, count, colour):
    """Pixels of one colour whose fourth bytes spell the canary."""
    return b"".join(struct.pack("<I", colour | canary[i % len(canary)] << 24) for i in range(count))


def hidden_in_rectangles(canary):
    """Updates that carry the canary in every field that draws nothing."""
    coloured = bytes([8 | 16, 1]) + struct.pack("<I", 0x445566 | canary[0] << 24) + b"\x00\xff"
    hextile = bytes([1]) + pixels_with(canary, 256, 0x445566) + bytes([2 | 4]) + \
        pixels_with(canary, 2, 0x445566) + coloured
    cursor = (canary * 5)[:9 * 2 * 4] + b"\x00\x7f" * 2  # the mask's last seven bits are nobody's
    yield update(rect(0, 0, 320, 240, RAW, pixels_with(canary, 320 * 240, 0x445566)), padding=canary[:1])
    yield update(rect(0, 0, 48, 16, HEXTILE, hextile), rect(1, 1, 9, 2, CURSOR, cursor))
    yield update(rect(0, 0, 9, 9, COPY_RECT, b"\0\0\0\0"),
                 struct.pack(">8s", canary) + struct.pack(">i", LAST_RECT), count=0xFFFF)
    yield update(struct.pack(">4sHHi", canary, 300, 200, DESKTOP_SIZE),
                 rect(0, 0, 320, 240, EXTENDED_DESKTOP_SIZE, b"\2" + canary[:3] + canary * 2),
                 rect(0, 0, 320, 240, RAW, pixels_with(canary, 320 * 240, 0x445566)))


def test_screen_no_canary_of_a_desktop_reaches_the_viewer(relay):
    """Z4, Z5: from name, padding, colour map, cut text, hidden pixels and screens nothing comes out, in no simple form."""
    canary = fresh_canary()

    def script(desktop, stream):
        desktop.show(stream)
        stream.send(b"\1" + canary[:1] + struct.pack(">HH", 0, 8) + canary * 3)
        stream.send(b"\3" + canary[:3] + struct.pack(">I", len(canary) * 500) + canary * 500)
        for message in hidden_in_rectangles(canary):
            desktop.wait_request(stream)
            stream.send(message)
        desktop.wait_request(stream)
        stream.send(b"\xf8" + canary[:3] + b"\x80\0\0\0\x10" + canary)  # a fence, with its data
        desktop.serve(stream)

    desktop_of(relay, script, name=canary * 200)
    viewer = Viewer(relay.connect())
    viewer.begin(RAW, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT, *FOREIGN)
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            assert viewer.read_update()
            assert not any(viewer.picture[3::4])
            viewer.send(update_request(viewer.width, viewer.height, 1))
    end = relay.wait_end("desktop")
    assert (end["detail"], end["code"]) == ("message-type", "248")
    assert not crossed(canary, bytes(viewer.received)) and not crossed(canary, relay.process.log().encode())


def test_screen_no_canary_of_a_viewer_reaches_the_desktop(relay):
    """Z5: from padding, encodings, cut texts, screens, keys that are not allowed and a fence nothing comes out."""
    canary = fresh_canary()
    desktop = desktop_of(relay, still)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    numbers = struct.unpack(">4i", canary)
    viewer.send(set_format(FORMAT[:13] + canary[:3], padding=canary[3:6]) + set_encodings(RAW, *numbers))
    viewer.send(b"\6" + canary[:3] + struct.pack(">I", 1600) + canary * 100)
    viewer.send(b"\6" + canary[:3] + struct.pack(">i", -1600) + canary * 100)
    viewer.send(b"\xfb" + canary[:1] + struct.pack(">HHB", 640, 480, 2) + canary[:1] + canary * 2)
    for number in numbers:
        viewer.send(key(number & 0xFFFFFFFF | 0x80000000, padding=canary[:2]))
    viewer.send(key(0x61, 1, canary[:2]) + key(0x61, 0, canary[2:4]) + pointer(5, 5))
    wait_until(lambda: (5, pointer(5, 5)[1:]) in desktop.messages, "what came last")
    viewer.send(b"\xf8" + canary[:3] + b"\0\0\0\1\x10" + canary)
    assert viewer.drain()
    assert relay.wait_end("viewer")["code"] == "248"
    wait_until(lambda: not desktop.streams[0].sock.fileno() >= 0, "the end at the desktop")
    assert not crossed(canary, desktop.received()) and not crossed(canary, relay.process.log().encode())
    assert [m for m in desktop.messages if m[0] == 4] == [(4, key(0x61, 1)[1:]), (4, key(0x61, 0)[1:])]


ASKED = set_encodings(RAW, COPY_RECT, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT)
ASKED_SLOW = set_encodings(HEXTILE, COPY_RECT, RAW, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT)


def allowed(desktop, kind, body):
    """Whether a message that reached the desktop has only values that the gateway may send, to the byte."""
    if kind == 3:
        return body[0] <= 1 and body[1:] == struct.pack(">HHHH", 0, 0, desktop.WIDTH, desktop.HEIGHT)
    if kind == 4:
        return body[0] <= 1 and body[1:3] == b"\0\0"
    if kind == 5:
        _, x, y = struct.unpack(">BHH", body)
        return x < desktop.WIDTH and y < desktop.HEIGHT
    return bytes([kind]) + body in (set_format(), ASKED, ASKED_SLOW)


def test_screen_only_allowed_values_reach_the_desktop(relay):
    """Z5: formats, encodings and requests are the gateway's own, whatever the viewer asks for; a recording desktop."""
    def script(desktop, stream):
        while True:
            desktop.show(stream, 0x112233)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin(*FOREIGN, RAW)
    viewer.read_update()
    small = struct.pack(">BBBBHHHBBB3x", 8, 8, 0, 1, 7, 7, 3, 5, 2, 0)
    for message in (set_format(small), set_encodings(*FOREIGN), set_encodings(), update_request(7, 9, 1, 300, 200)):
        viewer.send(message)
    for x, y, buttons in ((0, 0, 0), (319, 239, 255), (320, 240, 1), (65535, 0, 2), (0, 65535, 128)):
        viewer.send(pointer(x, y, buttons))
    viewer.send(key(0x61) + key(0x61, 0) + pointer(11, 12, 0))
    wait_until(lambda: (5, pointer(11, 12)[1:]) in desktop.messages, "what came last")
    assert not [m for m in desktop.messages if not allowed(desktop, *m)]
    assert {kind for kind, _ in desktop.messages} == {0, 2, 3, 4, 5} and not desktop.errors


def test_screen_viewer_that_offers_everything_gets_ours_only(relay):
    """Z5: of all pseudo-encodings there are, only cursor and sizes come back; and neither fence nor bell nor text."""
    def script(desktop, stream):
        desktop.show(stream)
        desktop.wait_request(stream)
        stream.send(update(rect(1, 1, 8, 8, CURSOR, solid(8, 8) + b"\xff" * 8), rect(0, 0, 1, 1, RAW, solid(1, 1, 7)),
                           rect(0, 0, 330, 250, DESKTOP_SIZE), rect(0, 0, 330, 250, RAW, solid(330, 250, 9))))
        desktop.serve(stream)

    desktop = desktop_of(relay, script)
    viewer = Viewer(relay.connect())
    viewer.begin(*FOREIGN, CURSOR, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT, RAW)
    seen = set()
    viewer.sock.settimeout(10)
    while viewer.width != 330 or viewer.pixel(329, 249) != 9:
        seen |= {encoding for encoding, _ in viewer.read_update()}
        viewer.send(update_request(viewer.width, viewer.height, 1))
    assert seen == {RAW, CURSOR, EXTENDED_DESKTOP_SIZE} and not desktop.errors


REQUESTS = {"outside": update_request(100, 100, 0, 60000, 60000), "huge": update_request(65535, 65535),
            "across": update_request(65535, 65535, 0, 200, 100), "empty": update_request(0, 0)}


@pytest.mark.parametrize("request_name", REQUESTS)
def test_screen_requests_for_anything_are_served(relay, request_name):
    """Z5: a request is cut to the screen; one for nothing gets nothing, and the session goes on."""
    desktop_of(relay, still)
    viewer = Viewer(relay.connect())
    viewer.begin()
    viewer.read_update()
    viewer.send(REQUESTS[request_name] + update_request(320, 240))
    viewer.sock.settimeout(10)
    assert {encoding for encoding, _ in viewer.read_update()} == {RAW}
    assert viewer.pixel(319, 239) == 0x112233
