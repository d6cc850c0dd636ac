# SPDX-License-Identifier: GPL-2.0-or-later
"""Shadows: an auditor looks on at a running screen session, sees its pixels, and can do nothing to it.

    suzuki's viewer --> screen-viewer <==> screen-source --> desktop
                                                | the session's memory, read only
    the auditor's viewer --> screen-viewer <----+
"""

import os
import re
import signal
import struct
import time
import types
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import processes
from lib.certificates import Authority, put_slot
from lib.hours import ALWAYS, shut_for_days
from lib.peers import Desktop, difference
from lib.peers.browser import BrowserViewer
from lib.peers.rfb import RAW, FakeDesktop, key, pointer, rect, solid, update, update_request
from lib.peers.vencrypt import Refused, SecureViewer, client_context
from lib.peers.viewers import ViewerScreen, tigervnc
from lib.waiting import kept_within, wait_until
from test_accounts import leave, log_in
from test_screen_login import connect, password_of, refused
from test_screen_recording import person

PORT = 5900
PEOPLE = f"""
schedule open {{ window {ALWAYS}; }}
schedule shut {{ window {shut_for_days()}; }}
login {{ user yamada {{ role administrator; }} user kansa {{ role auditor; }} }}
screen-user suzuki {{ group staff; }}
screen-user sato {{ group guests; }}
"""
SECRETS = {"yamada": "Karasu-no-7-tsu", "kansa": "Umi/ni-36-fune"}
SHADOW = "shadow { group staff; }"
BLUE, GREEN, RED = 0x112233, 0x117733, 0xd01020


def screen(topology, *statements):
    return (f'screen web {{ from lgwan; to internet; listen {PORT}; desktop {topology.zones["internet"].peer4}:5900; '
            f'security x509-plain; tls {{ certificate screen; }} group staff guests; {" ".join(statements)} }}')


def painted(desktop, stream):
    """A script of a desktop that changes its one colour with each key: to green with g, to blue with every other."""
    desktop.show(stream, BLUE)
    while True:
        kind, body = desktop.next_message(stream)
        if kind == 4 and body[0]:
            colour = GREEN if body[-1] == ord("g") else BLUE
            stream.send(update(rect(0, 0, desktop.WIDTH, desktop.HEIGHT, RAW, solid(desktop.WIDTH, desktop.HEIGHT, colour))))


def typed(desktop):
    """The keys and pointer events that the desktop has received."""
    return [message for message in desktop.messages if message[0] in (4, 5)]


@pytest.fixture
def office(make_gateway, topology):
    """open(statements, users): the gateway with its people, the passwords of these screen users, an auditor's console."""
    def open_(*statements, users=("suzuki",), state=None):
        gateway = make_gateway(PEOPLE, screen(topology, *statements), state=state)
        secrets = {user: password_of(gateway, user) for user in users}
        administrator = person(gateway, gateway.open_console(), "yamada", SECRETS["yamada"])
        auditor = person(gateway, administrator, "kansa", SECRETS["kansa"])
        return types.SimpleNamespace(gateway=gateway, topology=topology, secrets=secrets, auditor=auditor)
    return open_


def fake_desktop(topology):
    zone = topology.zones["internet"]
    return FakeDesktop(topology.net, zone.namespace, zone.peer4, script=painted)


def work(office, user="suzuki"):
    """The viewer of somebody who works, and the number of the session."""
    viewer = SecureViewer(connect(office.topology), user, office.secrets[user])
    viewer.begin()
    viewer.read_update()
    return viewer, session_of(office, user)


def session_of(office, user):
    rows = [row for row in office.auditor.run("show screen sessions").splitlines() if f" {user} " in row and " admitted " in row]
    return re.match(r"\d+", rows[-1])[0]


def pass_to(office, session):
    """The name and password that the console gives the auditor for one look."""
    shown = office.auditor.run(f"observe screen session {session}")
    return re.search(rf"(shadow:{session}) +([0-9a-f]{{20}})\b", shown).groups()


def watch(office, session):
    """The auditor's viewer."""
    viewer = SecureViewer(connect(office.topology), *pass_to(office, session))
    viewer.begin()
    viewer.read_update()
    return viewer


def glance(office, session):
    """The auditor's viewer that awaits no picture: its time may be over before one is here."""
    name, secret = pass_to(office, session)
    viewer = SecureViewer(connect(office.topology), name, login=False)
    viewer.log_in(name, secret)
    viewer.send(b"\1")
    return viewer


@pytest.mark.limit(90)
def test_shadow_shows_the_same_pixels(office, topology, tmp_path):
    """A6, L1: Xvnc's picture in the auditor's TigerVNC, difference 0, and again once it has changed; the log says who, whose,
    how long; its user is told by the title."""
    zone = topology.zones["internet"]
    desktop = Desktop(topology.net, zone.namespace, zone.peer4, size="640x480")
    desktop.show_test_picture()
    lgwan, authority = topology.zones["lgwan"], Authority()
    put_slot(tmp_path / "state", "screen", authority.issue(lgwan.gateway4).read_text())
    bureau = office(SHADOW, state=tmp_path / "state")
    worker, session = work(bureau)
    assert b"may be watched" in worker.name
    window = ViewerScreen(topology.net, lgwan.namespace)
    running = tigervnc(window, lgwan.gateway4, PORT, login=pass_to(bureau, session), authority=authority.certificate)
    title = "Sekisho - shadow"

    def same():
        assert running.running(), running.log()
        true = desktop.screenshot(tmp_path / "desktop.png")
        return window.window(title) and difference(true, window.screenshot(tmp_path / "seen.png", title=title)) == 0

    wait_until(same, "the picture in the auditor's window", pause=0.3)
    desktop.show_test_picture("another")

    def same_again():
        worker.send(update_request(640, 480, 1))  # the desktop is asked for as much as its user takes
        return same()
    wait_until(same_again, "the new picture in the auditor's window", pause=0.3)
    running.stop()
    who = f'watched="{session}" name="web" user="suzuki" auditor="kansa"'
    bureau.gateway.wait_event("screen-shadow-opened ", who)
    bureau.gateway.wait_event("screen-shadow ", who)
    assert re.search(r'duration-ms="\d+"', bureau.gateway.wait_event("screen-shadow-ended ", who))


def descriptors(pid):
    """What a process has open, as (what it is, how: os.O_RDONLY, O_WRONLY or O_RDWR)."""
    def mode(number):
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as info:
            return int(re.search(r"^flags:\s*(\d+)", info.read(), re.MULTILINE)[1], 8) & os.O_ACCMODE
    return [(os.readlink(f"/proc/{pid}/fd/{number}"), mode(number)) for number in os.listdir(f"/proc/{pid}/fd")]


@pytest.mark.limit(90)
def test_shadow_has_no_hand_in_the_session(office, topology):
    """A6, Z5: keys, pointer, cut text and unknown messages of a hostile shadow reach neither desktop nor viewer; what is
    not allowed ends the shadow alone; its process has neither a link nor a way to write."""
    desktop = fake_desktop(topology)
    bureau = office(SHADOW)
    worker, session = work(bureau)
    (own,) = bureau.gateway.pids("screen-viewer")
    shadow = watch(bureau, session)
    assert shadow.pixel(319, 239) == BLUE
    (pid,) = set(bureau.gateway.pids("screen-viewer")) - {own}
    wait_until(lambda: len(bureau.gateway.pids("screen-source")) == 1, "the end of the shadow's own source")
    with open(f"/proc/{pid}/smaps", encoding="ascii") as smaps:
        maps = re.findall(r"^\S+ (\S+) [^\n]*memfd:screen.*?^VmFlags:([^\n]*)", smaps.read(), re.MULTILINE | re.DOTALL)
    assert [mode for mode, _ in maps] == ["r--s"] * 2, "one of them was never drawn in"
    assert not any("mw" in flags.split() for _, flags in maps), "a mapping that could be made writable"
    assert all(mode == os.O_RDONLY for what, mode in descriptors(pid) if "memfd" in what)

    def sockets(number):
        return sum("socket:" in what for what in processes.descriptors(number).values())
    wait_until(lambda: sockets(pid) == sockets(own) - 1, "what the watched viewer holds, but for the link to a source")
    canary = b"c4n4ry-of-the-shadow"
    cut = struct.pack(">B3xI", 6, len(canary)) + canary
    shadow.send(key(0x67) + key(0x67, 0) + pointer(5, 6, 1) + pointer(5, 6) + cut + update_request(320, 240))
    shadow.read_update()
    assert shadow.pixel(0, 0) == BLUE
    worker.send(key(0x67) + key(0x67, 0))
    worker.wait_pixel(0, 0, GREEN)
    shadow.wait_pixel(0, 0, GREEN)
    wait_until(lambda: len(typed(desktop)) >= 2, "the release, which the desktop takes behind the picture")
    assert [body[-1] for _, body in typed(desktop)] == [0x67] * 2, "one press by the user, and its release"
    for unknown in (150, 248, 250, 255):
        shadow.send(struct.pack(">B", unknown) + canary)
        assert shadow.drain()
        bureau.gateway.wait_event("screen-ended ", 'reason="viewer-protocol"', f'code="{unknown}"')
        shadow = watch(bureau, session)
    worker.send(key(0x61))
    worker.wait_pixel(0, 0, BLUE)
    assert len(typed(desktop)) == 3 and canary not in desktop.received() + bytes(worker.received)
    bureau.gateway.wait_event("screen-dropped ", 'detail="key-of-a-shadow"')


@pytest.mark.limit(90)
def test_shadow_is_refused_to_everybody_else(office, topology):
    """A6: administrators get no pass; auditors none to users of other groups; a pass is good for one login and no other
    secret; nothing of it shows the picture."""
    fake_desktop(topology)
    bureau = office(SHADOW, "sessions-per-source 16;", users=("suzuki", "sato"))
    _worker, session = work(bureau)
    _guest, other = work(bureau, "sato")
    assert "none of the groups" in bureau.auditor.run(f"observe screen session {other}")
    assert "no screen session of that number" in bureau.auditor.run("observe screen session 9999")
    administrator = log_in(bureau.gateway, "yamada", SECRETS["yamada"])
    administrator.expect(administrator.PROMPT)
    assert "does not allow" in administrator.run(f"observe screen session {session}")
    name, secret = pass_to(bureau, session)
    wrong = ((name, "0" * 20), (name, ""), (name, secret + "0"), (f"shadow:{other}", secret), ("shadow:", secret),
             ("suzuki", secret))
    with ThreadPoolExecutor(len(wrong)) as at_once:
        list(at_once.map(lambda login: refused(topology, *login), wrong))
    shadow = SecureViewer(connect(topology), name, secret)
    refused(topology, name, secret)
    bureau.gateway.wait_event("screen-login-refused", 'reason="no pass for a shadow"')
    number = session_of_shadow(bureau, session)
    assert "it is a shadow itself" in bureau.auditor.run(f"observe screen session {number}")
    shadow.close()


def session_of_shadow(office, session):
    return re.search(rf"^(\d+) .* watches {session} ", office.auditor.run("show screen sessions"), re.MULTILINE)[1]


def test_shadow_is_seen_by_its_user_where_the_policy_says_so(office, topology):
    """A6, L1: `notice live`: a red edge in the watched picture for as long as somebody looks on, and not in the auditor's."""
    fake_desktop(topology)
    bureau = office("shadow { notice live; }")
    worker, session = work(bureau)
    assert worker.pixel(0, 0) == BLUE
    shadow = watch(bureau, session)
    for x, y in ((3, 3), (316, 3), (3, 236), (160, 239)):
        worker.wait_pixel(x, y, RED)
    assert worker.pixel(4, 4) == worker.pixel(315, 235) == BLUE
    assert shadow.pixel(0, 0) == BLUE
    shadow.close()
    worker.wait_pixel(0, 0, BLUE)
    worker.wait_pixel(160, 239, BLUE)


def test_shadow_is_off_by_default(office, topology):
    """A6: without the statement no auditor gets a pass, and no user is told of what cannot happen."""
    fake_desktop(topology)
    bureau = office()
    worker, session = work(bureau)
    assert "has no shadow" in bureau.auditor.run(f"observe screen session {session}")
    assert b"watched" not in worker.name
    with pytest.raises(Refused):
        SecureViewer(connect(topology), f"shadow:{session}", "0" * 20)


@pytest.mark.limit(120)
def test_shadow_ends_with_what_allows_it(office, topology):
    """A3, A6, Z11: it ends with its session, by its limit, by `clear screen session`, and by a commit that withdraws the
    statement; the session itself goes on through the last three."""
    fake_desktop(topology)
    bureau = office("shadow { limit 4s; }")
    worker, session = work(bureau)

    def ends(shadow, reason):
        assert shadow.drain()
        bureau.gateway.wait_event("screen-ended ", f'reason="{reason}"', f'user="shadow:{session}"')

    ends(glance(bureau, session), "session-limit")
    administrator = log_in(bureau.gateway, "yamada", SECRETS["yamada"])
    administrator.expect(administrator.PROMPT)
    administrator.commit("set screen web shadow limit 1h")
    shadow = watch(bureau, session)
    administrator.run(f"clear screen session {session_of_shadow(bureau, session)}")
    ends(shadow, "cleared")
    shadow = watch(bureau, session)
    administrator.commit("delete screen web shadow")
    ends(shadow, "policy-changed")
    worker.send(key(0x67))
    worker.wait_pixel(0, 0, GREEN)
    leave(bureau.gateway, administrator)


@pytest.mark.limit(90)
@pytest.mark.parametrize("change, reason", [
    (["set login user kansa suspended"], "account-changed"),
    (["set login user kansa role operator"], "account-changed"),
    (["delete screen web shadow group staff", "set screen web shadow group guests"], "policy-changed"),
    (["set screen web schedule shut"], "outside-hours")], ids=["suspended", "role", "group", "hours"])
def test_shadow_ends_with_a_commit(office, topology, change, reason):
    """A4, A6, A7: as soon as it is committed that the auditor is none, that this user is not watched, or not at this hour."""
    fake_desktop(topology)
    bureau = office(SHADOW, "schedule open;")
    _worker, session = work(bureau)
    shadow = watch(bureau, session)
    administrator = log_in(bureau.gateway, "yamada", SECRETS["yamada"])
    administrator.expect(administrator.PROMPT)
    assert "committed" in administrator.commit(*change)
    assert shadow.drain()
    bureau.gateway.wait_event("screen-ended ", f'reason="{reason}"', f'user="shadow:{session}"')


def test_shadow_of_idle_hands_ends_alone(office, topology):
    """A3: without input of the auditor's hand; the session, which began under a longer time, goes on."""
    fake_desktop(topology)
    bureau = office(SHADOW)
    worker, session = work(bureau)
    administrator = log_in(bureau.gateway, "yamada", SECRETS["yamada"])
    administrator.expect(administrator.PROMPT)
    assert "committed" in administrator.commit("set screen web idle-timeout 8s")
    assert glance(bureau, session).drain()
    bureau.gateway.wait_event("screen-ended ", 'reason="idle-timeout"', f'user="shadow:{session}"')
    worker.send(key(0x67))
    worker.wait_pixel(0, 0, GREEN)


def test_shadow_in_a_browser(office, topology):
    """A6, Z4: the same pass at the same screen's page: the picture, its changes, and no hand in it."""
    desktop = fake_desktop(topology)
    bureau = office(SHADOW, "browser { name screen.lg.example; }")
    worker, session = work(bureau)
    host = topology.zones["lgwan"].gateway4
    socket = client_context().wrap_socket(connect(topology, port=443))
    shadow = BrowserViewer(socket, host, *pass_to(bureau, session))
    shadow.begin()
    shadow.read_update()
    assert shadow.pixel(0, 0) == BLUE
    shadow.send(key(0x61) + pointer(5, 6, 1))
    bureau.gateway.wait_event("screen-shadow ", f'watched="{session}"', 'auditor="kansa"')
    worker.send(key(0x67))
    worker.wait_pixel(0, 0, GREEN)
    shadow.wait_pixel(0, 0, GREEN)
    assert [body[-1] for _, body in typed(desktop)] == [0x67]
    worker.close()
    assert shadow.wait_close() == (1000, "watched-session-ended")


def test_shadow_ends_with_the_watched_session(office, topology):
    """A6, Z11: whoever is watched leaves, and the auditor's session ends with that reason; so it does with the isolation of
    a zone."""
    fake_desktop(topology)
    bureau = office(SHADOW)
    worker, session = work(bureau)
    shadow = watch(bureau, session)
    worker.close()
    assert shadow.drain()
    bureau.gateway.wait_event("screen-ended ", 'reason="watched-session-ended"', f'user="shadow:{session}"')
    bureau.gateway.wait_event("screen-shadow-ended ", f'watched="{session}"')
    _worker, session = work(bureau)
    shadow = watch(bureau, session)
    administrator = log_in(bureau.gateway, "yamada", SECRETS["yamada"])
    administrator.expect(administrator.PROMPT)
    administrator.run("isolate zone internet")
    assert shadow.drain()
    bureau.gateway.wait_event("screen-ended ", 'reason="zone-isolated"', f'user="shadow:{session}"')


def test_shadow_and_session_survive_each_other(office, topology):
    """reliability.md: kill -9 of the shadow's process, and one that stands still, leave the session as it was; kill -9 of
    the session's viewer ends the shadow within two seconds."""
    fake_desktop(topology)
    bureau = office(SHADOW)

    def shadowed():
        before = set(bureau.gateway.pids("screen-viewer"))
        worker, session = work(bureau)
        (own,) = set(bureau.gateway.pids("screen-viewer")) - before
        shadow = watch(bureau, session)
        (pid,) = set(bureau.gateway.pids("screen-viewer")) - before - {own}
        return worker, own, shadow, pid

    worker, _, shadow, pid = shadowed()
    os.kill(pid, signal.SIGSTOP)
    worker.send(key(0x67))
    worker.wait_pixel(0, 0, GREEN)
    os.kill(pid, signal.SIGKILL)
    assert shadow.drain()
    worker.send(key(0x61))
    worker.wait_pixel(0, 0, BLUE)
    bureau.gateway.wait_event("screen-shadow-ended ")
    worker.close()
    wait_until(lambda: not bureau.gateway.pids("screen-viewer"), "the end of the session")

    _worker, own, shadow, _ = shadowed()

    def ends():
        begin = time.monotonic()
        os.kill(own, signal.SIGKILL)
        assert shadow.drain()
        return time.monotonic() - begin

    kept_within(ends, 2)


@pytest.mark.limit(120)
def test_shadow_shows_nothing_before_its_record_is_on_the_disk(office, topology):
    """A6, L1: while audit does not answer nobody looks on; it is killed for it, and the login is refused; the next one is let in."""
    fake_desktop(topology)
    bureau = office(SHADOW)
    _worker, session = work(bureau)
    name, secret = pass_to(bureau, session)
    audit = bureau.gateway.kill("audit", signal.SIGSTOP)
    shadow = SecureViewer(connect(topology, timeout=60), name, login=False)
    with pytest.raises(Refused):
        shadow.log_in(name, secret)
    bureau.gateway.wait_role("audit", other_than=audit, seconds=30)
    bureau.gateway.wait_event("screen-login-refused", 'reason="its record cannot be written"')
    assert watch(bureau, session).pixel(0, 0) == BLUE
