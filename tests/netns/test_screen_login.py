# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may see a screen: TLS, passwords, certificates, groups, hours, limits; and nothing of the desktop before that.

    viewers in lgwan  --VeNCrypt-->  screen-viewer -> supervisor -> accounts
                                     screen-source  --RFB-->  desktops in internet

Hours are shut by a commit; HOURS=clock waits for the minute in which they end by themselves:
    HOURS=clock make check-netns TESTS=hours_end
"""

import contextlib
import os
import re
import signal
import ssl
import struct
import time

import pytest

from lib.certificates import Authority, put_slot
from lib.hours import ALWAYS, shut_for_days, until_soon
from lib.peers.rfb import FakeDesktop, key
from lib.peers.vencrypt import Refused, SecureViewer, client_context
from lib.tls_scan import assert_nothing_weak, scan, serve_tls_alone
from lib.waiting import PATIENCE_SECONDS, wait_until

PORT = 5900
USERS = """
screen-user suzuki { group staff; }
screen-user sato { group staff guests; }
screen-user tanaka { group others; }
screen-user kato { group staff; expires 2020-03-31; }
screen-user ito { group staff; suspended; }
"""
PLAIN = "security x509-plain; tls { certificate screen; } group staff;"


def screen(topology, extra=PLAIN, desktops=None):
    listed = " ".join(f"desktop {d};" for d in desktops or [f'{topology.zones["internet"].peer4}:5900'])
    return f"screen web {{ from lgwan; to internet; listen {PORT}; {listed} {extra} }}\n" + USERS


def fake_desktop(topology, **kwargs):
    zone = topology.zones["internet"]

    def still(desktop, stream):
        desktop.show(stream, 0x112233)
        desktop.serve(stream)
    return FakeDesktop(topology.net, zone.namespace, kwargs.pop("address", zone.peer4), script=still, **kwargs)


def connect(topology, timeout=PATIENCE_SECONDS, port=PORT, source=None):
    zone = topology.zones["lgwan"]
    return topology.net.connect(zone.namespace, zone.gateway4, port, timeout, source)


def password_of(gateway, user):
    """Give a screen user a password at the console, as an administrator does."""
    console = gateway.console()
    console.expect("> $")
    found = re.search(rf"screen password of {user}: (\S+)", console.run(f"account screen-password {user}"))
    console.close()
    return found.group(1)


def state_files(gateway):
    """{path: octets} of everything that the gateway keeps; what is replaced meanwhile is left out."""
    files = {}
    for path in gateway.state.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                files[path] = path.read_bytes()
    return files


def viewer_of(topology, *args, **kwargs):
    viewer = SecureViewer(connect(topology), *args, **kwargs)
    viewer.begin()
    return viewer


@pytest.fixture(scope="module")
def authority():
    return Authority()


def test_login_with_the_right_password_shows_the_desktop(make_gateway, topology):
    """Z4, A8: TLS and a password; the log names who, from where, how long, how much; no password lies anywhere."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secret = password_of(gateway, "suzuki")
    viewer = viewer_of(topology, "suzuki", secret)
    viewer.wait_pixel(319, 239, 0x112233)
    assert viewer.sock.version() == "TLSv1.3"
    viewer.send(key(0x61) + key(0x61, 0))
    viewer.wait_pixel(0, 0, 0x112233)
    viewer.close()
    gateway.wait_event("screen-tls ", 'version="TLSv1.3"')
    gateway.wait_event("screen-login ", 'user="suzuki"', 'name="web"', 'src="10.20.0.')
    end = gateway.wait_event("screen-ended ", 'peer="viewer"', 'user="suzuki"', 'reason="viewer-left"')
    assert re.search(r'duration-ms="\d+"', end) and re.search(r'bytes="\d+"', end) and 'keys="1"' in end
    kept = state_files(gateway)
    assert len(kept) > 1 and not any(secret.encode() in octets for octets in kept.values()) and secret not in gateway.log()


def refused(topology, name, password):
    """Try to log in; return how long the refusal took."""
    viewer = SecureViewer(connect(topology), name, login=False)
    begin = time.monotonic()
    with pytest.raises(Refused, match="^login refused$"):
        viewer.log_in(name, password)
    took = time.monotonic() - begin
    assert viewer.drain(), "the session did not end"
    return took


@pytest.mark.limit(120)
def test_login_refuses_everybody_else_alike(make_gateway, topology):
    """A3, A7: one answer after one delay; the log has the reason; the desktop hears nothing of any of them."""
    desktop = fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "tanaka", "kato", "ito")}
    tries = [("suzuki", "wrong", "suzuki", "wrong password"),
             ("nobody", "wrong", "unknown", "no such user"),
             (secrets["suzuki"], "", "unknown", "no such user"),
             ("", "", "unknown", "no such user"),
             ("x" * 900, "y" * 900, "unknown", "no such user"),
             ("suzuki\0", secrets["suzuki"], "unknown", "no such user"),
             ("sato", "wrong", "sato", "no password yet"),
             ("tanaka", secrets["tanaka"], "tanaka", "not in a group of this screen"),
             ("kato", secrets["kato"], "kato", "user has expired"),
             ("ito", secrets["ito"], "ito", "user is suspended")]
    for name, password, user, reason in tries:
        assert refused(topology, name, password) >= 1.9
        gateway.wait_event("screen-login-refused", f'user="{user}"', f'reason="{reason}"', 'name="web"')
    assert desktop.streams == []
    assert not any(secrets["suzuki"] in line for line in gateway.audit_lines()), "a password typed as a name"
    viewer_of(topology, "suzuki", secrets["suzuki"]).wait_pixel(0, 0, 0x112233)


@pytest.mark.limit(90)
def test_login_locks_a_user_after_three_failures(make_gateway, topology):
    """A3: as at the consoles; a new password opens the account again, and other users are not touched."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secret, other = password_of(gateway, "suzuki"), password_of(gateway, "sato")
    for _ in range(3):
        refused(topology, "suzuki", "wrong")
    refused(topology, "suzuki", secret)
    gateway.wait_event("screen-login-refused", 'user="suzuki"', "account locked")
    viewer_of(topology, "sato", other).wait_pixel(0, 0, 0x112233)
    console = gateway.console()
    console.expect("> $")
    assert re.search(r"^suzuki +locked", console.run("account screen-show"), re.MULTILINE)
    viewer_of(topology, "suzuki", password_of(gateway, "suzuki")).wait_pixel(0, 0, 0x112233)


def test_login_fails_closed_without_accounts(make_gateway, topology):
    """reliability.md: accounts is halted, then killed, with a login on its way: it is refused; the next one works."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secret = password_of(gateway, "suzuki")
    console = gateway.console()
    console.expect("> $")
    halted = gateway.kill("accounts", signal.SIGSTOP)
    viewer = SecureViewer(connect(topology), "suzuki", login=False)
    viewer.send(struct.pack(">II", 6, len(secret)) + b"suzuki" + secret.encode())
    wait_until(lambda: " judged " in console.run("show screen sessions"), "the login at accounts", 15)
    gateway.kill("accounts")
    with pytest.raises(Refused):
        viewer.log_in(None, "")
    gateway.wait_event("screen-login-refused", 'user="suzuki"', "accounts")
    gateway.wait_role("accounts", other_than=halted, seconds=15)

    def admitted():
        try:
            return viewer_of(topology, "suzuki", secret)
        except Refused:
            return None
    wait_until(admitted, "a login with the new accounts", 30)


# ---- how long, how many, and which desktop ----

def admitted(topology, name, password, **where):
    """A viewer that has logged in and sees its desktop."""
    viewer = SecureViewer(connect(topology, **where), name, password)
    viewer.begin()
    viewer.wait_pixel(0, 0, 0x112233, seconds=20)
    return viewer


def sessions_shown(console):
    """(user, desktop's port) of each session that was admitted, in the order of the desktops."""
    rows = re.findall(r":(\d+) +(\w+) +admitted ", console.run("show screen sessions"))
    return sorted((user, int(port)) for port, user in rows)


def wait_sessions(console, *expected):
    wait_until(lambda: sessions_shown(console) == sorted(expected), f"the sessions {expected}", 20)


def wait_both_ends(gateway, user, reason):
    """The viewer's half and the desktop's half say why; the first one also whose session it was. Return both lines."""
    ended = gateway.wait_event("screen-ended ", 'peer="viewer"', f'user="{user}"', seconds=30)
    [session] = re.findall(r'session="(\d+)"', ended)
    other = gateway.wait_event("screen-ended ", 'peer="desktop"', f'session="{session}"', seconds=20)
    assert f'reason="{reason}"' in ended and f'reason="{reason}"' in other, (ended, other)
    return ended, other


@pytest.mark.limit(180)
def test_hours_end_a_session_and_let_nobody_in(make_gateway, topology):
    """A4, C2: once its schedule is shut a session ends with that reason, and the right password no longer helps."""
    fake_desktop(topology)
    by_clock = os.environ.get("HOURS") == "clock"
    hours = f"schedule open {{ window {until_soon(20) if by_clock else ALWAYS}; }}\nschedule shut {{ window {shut_for_days()}; }}\n"
    gateway = make_gateway(hours + screen(topology, PLAIN + "schedule open;"))
    secret = password_of(gateway, "suzuki")
    viewer = admitted(topology, "suzuki", secret)
    if not by_clock:
        assert "committed" in gateway.open_console().commit("set screen web schedule shut")
    assert viewer.drain(100)
    wait_both_ends(gateway, "suzuki", "outside-hours")
    refused(topology, "suzuki", secret)
    gateway.wait_event("screen-login-refused", 'user="suzuki"', 'reason="outside permitted hours"', seconds=20)


@pytest.mark.limit(90)
def test_user_who_expires_or_is_suspended_loses_the_session(make_gateway, topology):
    """A7: it is the user who goes, not the policy: the log says so, other users stay, and there is no way back in."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "sato")}
    viewers = {user: admitted(topology, user, secret) for user, secret in secrets.items()}
    console = gateway.open_console()
    assert "committed" in console.commit("set screen-user suzuki expires 2020-03-31")
    assert viewers["suzuki"].drain()
    wait_both_ends(gateway, "suzuki", "account-changed")
    wait_sessions(console, ("sato", 5900))
    refused(topology, "suzuki", secrets["suzuki"])
    gateway.wait_event("screen-login-refused", 'user="suzuki"', 'reason="user has expired"', seconds=20)
    assert "committed" in console.commit("set screen-user sato suspended")
    assert viewers["sato"].drain()
    wait_both_ends(gateway, "sato", "account-changed")


@pytest.mark.limit(90)
def test_pool_gives_the_least_used_desktop_and_a_user_his_own(make_gateway, topology):
    """Z5: of two desktops a session gets the one with fewer sessions; who has a desktop of his own gets no other."""
    address = topology.zones["internet"].peer4
    for port in (5901, 5902):
        fake_desktop(topology, port=port)
    own = f"screen-user yamada {{ group staff; desktop {address}:5902; }}\n"
    limits = "sessions-per-user 3; sessions-per-source 10;"
    gateway = make_gateway(own + screen(topology, PLAIN + limits, [f"{address}:5901", f"{address}:5902"]))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "sato", "yamada")}
    console = gateway.open_console()
    first = admitted(topology, "suzuki", secrets["suzuki"])
    wait_sessions(console, ("suzuki", 5901))
    kept = [admitted(topology, "sato", secrets["sato"])]
    wait_sessions(console, ("suzuki", 5901), ("sato", 5902))
    kept += [admitted(topology, "yamada", secrets["yamada"]) for _ in range(2)]
    wait_sessions(console, ("suzuki", 5901), ("sato", 5902), ("yamada", 5902), ("yamada", 5902))
    kept.append(admitted(topology, "sato", secrets["sato"]))
    wait_sessions(console, ("suzuki", 5901), ("sato", 5901), ("sato", 5902), ("yamada", 5902), ("yamada", 5902))
    first.close()
    kept[0].close()
    wait_sessions(console, ("sato", 5901), ("yamada", 5902), ("yamada", 5902))
    kept.append(admitted(topology, "suzuki", secrets["suzuki"]))
    wait_sessions(console, ("sato", 5901), ("suzuki", 5901), ("yamada", 5902), ("yamada", 5902))


@pytest.mark.limit(90)
def test_limits_of_a_user_and_of_a_source(make_gateway, topology):
    """Z14: a user's second session is a refused login, a source's third connection is closed; both in the log."""
    fake_desktop(topology)
    gateway = make_gateway(screen(topology, PLAIN + "sessions-per-user 1; sessions-per-source 2;"))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "sato")}
    console = gateway.open_console()
    first = admitted(topology, "suzuki", secrets["suzuki"])
    refused(topology, "suzuki", secrets["suzuki"])
    gateway.wait_event("screen-login-refused", 'user="suzuki"', 'reason="sessions of one user"', seconds=20)
    wait_until(lambda: console.run("show screen sessions").count(" web ") == 1, "the end of the refused session", 20)
    stays = admitted(topology, "sato", secrets["sato"])
    assert connect(topology).recv(1) == b"", "a third connection of one source was served"
    gateway.wait_event("session-refused", 'reason="sessions of one source"', seconds=20)
    assert connect(topology, source=topology.zones["lgwan"].more[0].partition("/")[0]).recv(3) == b"RFB"
    first.close()
    wait_sessions(console, ("sato", 5900))
    admitted(topology, "suzuki", secrets["suzuki"])
    stays.wait_pixel(0, 0, 0x112233)


@pytest.mark.limit(90)
def test_sessions_end_by_idleness_and_by_age(make_gateway, topology):
    """A3, A4: without a key the one screen ends, after its time in any case the other; each reason is logged."""
    fake_desktop(topology)
    desktop = f'desktop {topology.zones["internet"].peer4}:5900;'
    aged = f"screen aged {{ from lgwan; to internet; listen {PORT + 1}; {desktop} {PLAIN} session-limit 9s; }}\n"
    gateway = make_gateway(aged + screen(topology, PLAIN + "idle-timeout 8s;"))
    secrets = {user: password_of(gateway, user) for user in ("suzuki", "sato")}
    idle = admitted(topology, "suzuki", secrets["suzuki"])
    old = admitted(topology, "sato", secrets["sato"], port=PORT + 1)
    assert idle.drain() and old.drain()
    for user, reason, least_ms in (("suzuki", "idle-timeout", 8000), ("sato", "session-limit", 9000)):
        lines = wait_both_ends(gateway, user, reason)  # the half that began first is the one whose time was over
        assert max(int(re.search(r'duration-ms="(\d+)"', line).group(1)) for line in lines) >= least_ms


# ---- what comes instead of a login ----

def plain_viewer(topology, security):
    """A connection that has said its version and chosen `security`."""
    stream = SecureViewer.__new__(SecureViewer)
    super(SecureViewer, stream).__init__(connect(topology), handshake=False)
    assert stream.read(12) == b"RFB 003.008\n"
    stream.send(b"RFB 003.008\n")
    assert stream.read(2) == b"\1\x13"
    stream.send(security)
    return stream


HOSTILE = {
    "none": (b"\1", "security-type-not-offered"),
    "vnc-auth": (b"\2", "security-type-not-offered"),
    "tight": (b"\x10", "security-type-not-offered"),
    "version-0.1": (b"\x13\0\1", "vencrypt-version"),
    "subtype-plain": (b"\x13\0\2" + struct.pack(">I", 256), "security-type-not-offered"),
    "subtype-tls-plain": (b"\x13\0\2" + struct.pack(">I", 259), "security-type-not-offered"),
    "subtype-x509-none": (b"\x13\0\2" + struct.pack(">I", 260), "security-type-not-offered"),
    "plain-text-behind": (b"\x13\0\2" + struct.pack(">I", 262) + b"\x16\3\1", "plain-text-before-tls"),
}


@pytest.mark.limit(120)
def test_login_takes_no_way_around(make_gateway, topology):
    """Z4: other types, other subtypes, plain text where TLS must be: the session ends, nothing reaches the desktop."""
    desktop = fake_desktop(topology)
    gateway = make_gateway(screen(topology, PLAIN + "sessions-per-source 50;"))
    for hostile, detail in HOSTILE.values():
        assert plain_viewer(topology, hostile).drain(), detail
        gateway.wait_event("screen-ended ", 'peer="viewer"', f'detail="{detail}"')
    old = SecureViewer.__new__(SecureViewer)
    super(SecureViewer, old).__init__(connect(topology), handshake=False)
    old.read(12)
    old.send(b"RFB 003.003\n")
    assert old.drain()
    gateway.wait_event("screen-ended ", 'detail="version-without-vencrypt"')
    not_tls = SecureViewer.__new__(SecureViewer)
    super(SecureViewer, not_tls).__init__(connect(topology), handshake=False)
    not_tls.negotiate(262)
    not_tls.send(struct.pack(">II", 6, 6) + b"suzukisecret" + b"\1" * 100)
    assert not_tls.drain()
    gateway.wait_event("screen-tls-failed", "not TLS")
    long = SecureViewer(connect(topology), "suzuki", login=False)
    long.send(struct.pack(">II", 0xffffffff, 1))
    assert long.drain()
    gateway.wait_event("screen-ended ", 'detail="credentials-length"')
    early = SecureViewer(connect(topology), "suzuki", login=False)
    early.send(struct.pack(">II", 1, 1) + b"xy" + b"\1" + key(0x61) * 100)
    assert early.drain()
    gateway.wait_event("screen-ended ", 'reason="login-refused"')
    assert desktop.streams == []


def test_login_needs_tls_1_2_and_gives_no_tickets(make_gateway, topology, authority, tmp_path):
    """Z4: TLS 1.2 and 1.3 with a certificate that a viewer can verify; no session ticket."""
    fake_desktop(topology)
    state = tmp_path / "state"
    put_slot(state, "screen", authority.issue(topology.zones["lgwan"].gateway4).read_text())
    gateway = make_gateway(screen(topology), state=state)
    secret = password_of(gateway, "suzuki")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = client_context(authority.pem)
        context.minimum_version = context.maximum_version = version
        viewer = viewer_of(topology, "suzuki", secret, context)
        viewer.wait_pixel(0, 0, 0x112233)
        assert viewer.sock.session is None or not viewer.sock.session.has_ticket
        viewer.close()
    context = client_context(authority.pem)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        SecureViewer(connect(topology), "suzuki", secret, context)
    gateway.wait_event("screen-tls-failed")


def behind_vencrypt(topology, source=None):
    """A socket to the gateway's viewers' port, just behind VeNCrypt's plain text."""
    viewer = SecureViewer.__new__(SecureViewer)
    super(SecureViewer, viewer).__init__(connect(topology, source=source), handshake=False)
    viewer.negotiate(262)
    return viewer.sock


@pytest.mark.limit(90)
def test_login_listener_has_nothing_weak(make_gateway, topology):
    """Z4: sslscan behind VeNCrypt's plain text, as at the browsers' listener."""
    make_gateway(screen(topology, PLAIN + "sessions-per-source 50; sessions 50;"))
    namespace = topology.zones["lgwan"].namespace
    serve_tls_alone(topology.net, namespace, 4433, lambda: behind_vencrypt(topology))
    assert_nothing_weak(scan(topology.net, namespace, "127.0.0.1", 4433))


# ---- certificates ----

CERTIFICATES = "security x509-none; tls { certificate screen; client-authority staff; }"


@pytest.mark.limit(90)
def test_certificate_admits_and_everything_else_does_not(make_gateway, topology, authority, tmp_path):
    """Z4, A9: X509None: only a certificate of the configured authority gets in; the log has its hash."""
    desktop = fake_desktop(topology)
    state = tmp_path / "state"
    put_slot(state, "staff", authority.pem, "authority")
    gateway = make_gateway(screen(topology, CERTIFICATES), state=state)
    mine = authority.issue("suzuki")
    bad = [None, Authority("Another").issue("suzuki"), authority.issue("suzuki", not_after="20210101000000Z")]
    for certificate in bad:
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            SecureViewer(connect(topology), context=client_context(certificate=certificate))
    for reason in ("no certificate was shown", "unknown authority", "has expired"):
        gateway.wait_event("screen-tls-failed", reason)
    assert desktop.streams == []
    viewer = viewer_of(topology, context=client_context(certificate=mine))
    viewer.wait_pixel(0, 0, 0x112233)
    gateway.wait_event("screen-login ", 'user="cert-', "sha256=")


def test_certificate_and_password_together(make_gateway, topology, authority, tmp_path):
    """A9: X509Plain with a client authority: the password alone is not enough, nor is the certificate."""
    fake_desktop(topology)
    state = tmp_path / "state"
    put_slot(state, "staff", authority.pem, "authority")
    both = "security x509-plain; tls { certificate screen; client-authority staff; } group staff;"
    gateway = make_gateway(screen(topology, both), state=state)
    secret, mine = password_of(gateway, "suzuki"), authority.issue("suzuki")
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        SecureViewer(connect(topology), "suzuki", secret)
    with pytest.raises(Refused):
        SecureViewer(connect(topology), "suzuki", "wrong", client_context(certificate=mine))
    viewer_of(topology, "suzuki", secret, client_context(certificate=mine)).wait_pixel(0, 0, 0x112233)


def test_certificate_without_its_authority_nobody_gets_in(make_gateway, topology, authority, tmp_path):
    """Fail closed: the slot of the authorities is empty, or holds nothing."""
    desktop = fake_desktop(topology)
    state = tmp_path / "state"
    put_slot(state, "staff", "", "authority")
    gateway = make_gateway(screen(topology, CERTIFICATES), state=state)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        SecureViewer(connect(topology), context=client_context(certificate=authority.issue("suzuki")))
    gateway.wait_event("screen-tls-failed", "authority certificates cannot be used")
    assert desktop.streams == []
