# SPDX-License-Identifier: GPL-2.0-or-later
"""STARTTLS on both sides of the gateway with real peers, and with peers that try what none would.

    peer-internet                        gateway                            peer-lgwan
    Postfix, openssl         --TLS-->  receiver -> flattener -> sender  --TLS-->  Postfix, or a server of our own
"""

import contextlib
import re
import ssl

import pytest

from lib import files
from lib.certificates import Authority, put_slot
from lib.mail_peers import Dialogue, OrderSink, ScriptedHop
from lib.peers import Postfix, submit, swaks
from lib.waiting import wait_until

TO = "hanako@city.example.lg.jp"
FROM = "taro@example.jp"
PLAIN = b"From: <taro@example.jp>\r\nTo: <hanako@city.example.lg.jp>\r\nSubject: test\r\n\r\ntext\r\n"
OWN_NAME = "sekisho-test"
HOP_NAME = "mx.city.example.lg.jp"
OFFERED = "tls { certificate mail; }"
REQUIRED = "tls { certificate mail; required; }"
VERIFIED = f"next-hop-tls {{ authority inner; name {HOP_NAME}; }}"


@pytest.fixture
def zones(topology):
    return topology.zones


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    return path


def mail_block(zones, extra, next_hops=None):
    hops = " ".join(f"next-hop {h};" for h in (next_hops or [zones["lgwan"].peer4]))
    return f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; {hops} {extra} }}"


def dialogue(net, zones):
    return Dialogue(net, zones["internet"].namespace, zones["internet"].gateway4)


def sink_in_lgwan(net, zones, **options):
    return OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4, **options)


def send(net, zones):
    return submit(net, zones["internet"].namespace, zones["internet"].gateway4, FROM, TO, PLAIN)


def client_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def secured(peer):
    """STARTTLS on a dialogue that has had its EHLO; what it speaks afterwards is under TLS."""
    assert peer.ask("STARTTLS").startswith("220 2.0.0")
    peer.socket = client_context().wrap_socket(peer.socket)
    return peer


def greeted(peer):
    assert peer.reply().startswith("220 ")
    peer.send(b"EHLO mx.example.jp\r\n")
    lines = [peer.line()]
    while lines[-1][3] == "-":
        lines.append(peer.line())
    return [line[4:] for line in lines[1:]]


# ---- with the sender ----

@pytest.mark.limit(90)
@pytest.mark.parametrize("level", ["encrypt", "secure"])
def test_tls_postfix_sends_under_tls(net, zones, make_gateway, authority, state, level):
    """Z4: a real MTA that wants TLS, and one that verifies our certificate."""
    sink = sink_in_lgwan(net, zones)
    put_slot(state, "mail", authority.issue(OWN_NAME).read_text())
    gateway = make_gateway(mail_block(zones, REQUIRED), state=state)
    near = Postfix(net, zones["internet"].namespace, zones["internet"].peer4, "mx.example.jp",
                   relay=f"[{zones['internet'].gateway4}]",
                   settings={"smtp_tls_security_level": level, "smtp_tls_loglevel": "1",
                             "smtp_tls_CAfile": authority.certificate, "smtp_tls_secure_cert_match": OWN_NAME})
    near.send(FROM, [TO], PLAIN)
    near.wait_sent(1)
    assert len(sink.messages()) == 1
    assert "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384" in near.log()
    if level == "secure":
        assert "Verified TLS connection established" in near.log()
    gateway.wait_event("mail-tls", 'version="TLSv1.3"', "src=")


def test_tls_swaks_verifies_the_gateway_and_sends(net, zones, make_gateway, authority, state):
    """Z4: a second client's reading of the offer, the chain and the name; without --tls it is refused."""
    sink = sink_in_lgwan(net, zones)
    put_slot(state, "mail", authority.issue(OWN_NAME).read_text())
    make_gateway(mail_block(zones, REQUIRED), state=state)
    mail = ("--ehlo", "mx.example.jp", "--from", FROM, "--to", TO, "--data", PLAIN.decode())
    there = (net, zones["internet"].namespace, zones["internet"].gateway4)
    out = swaks(*there, *mail, "--tls", "--tls-verify", "--tls-ca-path", authority.certificate,
                "--tls-verify-target", OWN_NAME).stdout
    assert "TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256" in out
    assert "<~  250 2.0.0 Delivered to the next hop" in out
    out = swaks(*there, *mail, "--tls", "--tls-verify", "--tls-ca-path", authority.certificate,
                "--tls-verify-target", "other.example.jp", check=False).stdout
    assert "<~  250 2.0.0" not in out, "the certificate names another host"
    out = swaks(*there, *mail, check=False).stdout
    assert "<** 530 5.7.0" in out
    assert len(sink.messages()) == 1


def test_tls_required_refuses_mail_without_it(net, zones, make_gateway):
    """Z4: 530 5.7.0 before STARTTLS, for MAIL and nothing else; TLS lifts it, and what was said before is forgotten."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones, REQUIRED))
    with dialogue(net, zones) as peer:
        assert "STARTTLS" in greeted(peer)
        assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("530 5.7.0 ")
        assert peer.ask("NOOP").startswith("250 ")
        secured(peer)
        assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("503 5.5.1"), "EHLO was forgotten"
        peer.send(b"EHLO mx.example.jp\r\n")
        lines = [peer.line()]
        while lines[-1][3] == "-":
            lines.append(peer.line())
        assert not any("STARTTLS" in line for line in lines)
        assert peer.ask("STARTTLS").startswith("503 ")
        for command, code in ((f"MAIL FROM:<{FROM}>", "250"), (f"RCPT TO:<{TO}>", "250"), ("DATA", "354")):
            assert peer.ask(command).startswith(code)
        peer.send(PLAIN + b".\r\n")
        assert peer.reply().startswith("250 2.0.0")
        assert peer.ask("QUIT").startswith("221 ")
    assert len(sink.messages()) == 1


def test_tls_is_not_offered_where_it_is_not_configured(net, zones, make_gateway):
    make_gateway(mail_block(zones, ""))
    with dialogue(net, zones) as peer:
        assert "STARTTLS" not in greeted(peer)
        assert peer.ask("STARTTLS").startswith("502 5.5.1")


def test_tls_ends_where_plain_text_stands_behind_starttls(net, zones, make_gateway):
    """RFC 3207 4.2, CVE-2011-0411: nothing that came in plain text is read under TLS."""
    gateway = make_gateway(mail_block(zones, OFFERED))
    for behind in (b"NOOP\r\n", b"MAIL FROM:<evil@example.net>\r\n", b"E", b"\x16\x03\x01"):
        with dialogue(net, zones) as peer:
            greeted(peer)
            peer.send(b"STARTTLS\r\n" + behind)
            assert peer.reply().startswith("554 5.5.0"), behind
            assert peer.ended(), behind
    gateway.wait_event("mail-tls-injected", "src=")


def test_tls_ends_where_plain_text_comes_instead_of_a_handshake(net, zones, make_gateway):
    gateway = make_gateway(mail_block(zones, OFFERED))
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert peer.ask("STARTTLS").startswith("220 ")
        peer.send(b"NOOP\r\nMAIL FROM:<evil@example.net>\r\n")
        rest = b""
        with contextlib.suppress(ConnectionError):
            while more := peer.socket.recv(4096):
                rest += more
        assert not re.search(rb"^\d\d\d ", rest, re.MULTILINE), "no SMTP reply in plain text"
    gateway.wait_event("mail-tls-failed", "src=")


def test_tls_versions_and_suites_by_sslscan(net, zones, make_gateway, tmp_path):
    """No TLS below 1.2, no suite without forward secrecy and AEAD, no renegotiation, no compression."""
    make_gateway(mail_block(zones, OFFERED))
    inside = zones["internet"]
    report = net.run(inside.namespace, "sslscan", "--no-colour", "--starttls-smtp", f"{inside.gateway4}:25",
                     timeout=50).stdout
    for version, state in (("SSLv2", "disabled"), ("SSLv3", "disabled"), ("TLSv1.0", "disabled"),
                           ("TLSv1.1", "disabled"), ("TLSv1.2", "enabled"), ("TLSv1.3", "enabled")):
        assert re.search(rf"^{re.escape(version)} +{state}", report, re.MULTILINE), report
    suites = re.findall(r"^(?:Preferred|Accepted) +(\S+) +\d+ bits +(\S+)", report, re.MULTILINE)
    assert {v for v, _ in suites} == {"TLSv1.2", "TLSv1.3"}
    for version, suite in suites:
        assert version == "TLSv1.3" or suite.startswith("ECDHE-"), suite
        assert "GCM" in suite or "CHACHA20" in suite, suite
    assert "Compression disabled" in report
    assert "Session renegotiation not supported" in report


def test_tls_with_openssl_by_version(net, zones, make_gateway, authority, state):
    """Z4: TLS 1.2 and 1.3 only, whatever a client asks for; our chain verifies."""
    put_slot(state, "mail", authority.issue(OWN_NAME).read_text())
    gateway = make_gateway(mail_block(zones, REQUIRED), state=state)
    inside = zones["internet"]
    for version, works in (("tls1", False), ("tls1_1", False), ("tls1_2", True), ("tls1_3", True)):
        done = net.run(inside.namespace, "openssl", "s_client", "-starttls", "smtp", f"-{version}", "-cipher",
                       "ALL:@SECLEVEL=0", "-CAfile", authority.certificate, "-verify_return_error",
                       "-verify_hostname", OWN_NAME, "-connect", f"{inside.gateway4}:25", stdin="", timeout=40,
                       check=False)
        assert ("Verify return code: 0 (ok)" in done.stdout and "Cipher is (NONE)" not in done.stdout) == works, done
    gateway.wait_event("mail-tls-failed", "no common TLS version")


def test_tls_session_is_not_resumed(net, zones, make_gateway, tmp_path):
    """No tickets, no session identifiers: `openssl s_client -reconnect` begins anew each time."""
    make_gateway(mail_block(zones, OFFERED))
    inside = zones["internet"]
    report = net.run(inside.namespace, "openssl", "s_client", "-starttls", "smtp", "-tls1_2", "-reconnect", "-connect",
                     f"{inside.gateway4}:25", stdin="", timeout=40, check=False).stdout
    assert report.count("New, TLSv1.2") >= 1, report
    assert "Reused" not in report and "TLS session ticket:" not in report


def test_tls_carries_large_mail_in_small_records(net, zones, make_gateway):
    """The data of a whole message, cut as the peer likes: nothing is lost between record and line."""
    sink = sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones, REQUIRED))
    with dialogue(net, zones) as peer:
        greeted(peer)
        secured(peer)
        assert peer.ask("EHLO mx.example.jp").startswith("250 ")
        peer.send(f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode(), segment=7)
        assert [peer.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        body = b"".join(b"line %06d of a long message\r\n" % n for n in range(60000))
        peer.send(PLAIN + body, segment=16000)
        peer.send(b".\r\n")
        assert peer.reply().startswith("250 2.0.0")
    assert b"line 059999 of a long message" in sink.messages()[0]


def test_tls_receivers_key_cannot_be_used(net, zones, make_gateway, state):
    """Fail closed: a slot that is damaged means 454, never mail in plain text where TLS is required."""
    put_slot(state, "mail", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    gateway = make_gateway(mail_block(zones, REQUIRED), state=state)
    gateway.wait_event("certificate-defect", 'name="mail"')
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert peer.ask("STARTTLS").startswith("454 4.7.0")
        assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("530 5.7.0")
    gateway.wait_event("mail-tls-failed", "own certificate or key cannot be used")


# ---- with the next hop ----

class Hop(ScriptedHop):
    """A next hop that does as told. starttls: how it answers the command, or None: it is not offered.

    context: for the handshake; behind: bytes in plain text behind the answer; instead: bytes instead of a handshake.
    """

    def __init__(self, net, zones, starttls=b"220 go ahead\r\n", context=None, behind=b"", instead=None, address=None):
        self.starttls, self.context, self.behind, self.instead = starttls, context, behind, instead
        self.said = []      # (under TLS, command)
        self.mails = 0
        super().__init__(net, zones, address)

    def dialogue(self, connection):
        connection.sendall(b"220 hop ESMTP\r\n")
        secure, in_data, buffer = False, False, b""
        while True:
            while b"\r\n" not in buffer:
                more = connection.recv(65536)
                if not more:
                    return
                buffer += more
            line, _, buffer = buffer.partition(b"\r\n")
            if in_data:
                if line == b".":
                    in_data, self.mails = False, self.mails + 1
                    connection.sendall(b"250 2.0.0 taken\r\n")
                continue
            self.said.append((secure, line.decode()))
            verb = line[:4].upper()
            if verb == b"EHLO":
                offer = b"250-STARTTLS\r\n" if self.starttls is not None and not secure else b""
                connection.sendall(b"250-hop\r\n" + offer + b"250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif verb == b"STAR":
                connection.sendall(self.starttls + self.behind)
                if not self.starttls.startswith(b"220"):
                    continue
                if self.instead is not None:
                    connection.recv(1)      # its handshake has begun
                    connection.sendall(self.instead)
                    return
                connection = self.context.wrap_socket(connection, server_side=True)
                secure, buffer = True, b""
            elif verb == b"DATA":
                in_data = True
                connection.sendall(b"354 go on\r\n")
            elif verb == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 2.0.0 ok\r\n")

    def mail_in_plain(self):
        return [c for secure, c in self.said if not secure and c[:4] in ("MAIL", "RCPT", "DATA")]


def server_context(path, maximum=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if maximum:
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = maximum
    return context


@pytest.mark.limit(90)
@pytest.mark.parametrize("key", ["ec", 2048])
def test_tls_delivers_to_a_verified_postfix(net, zones, make_gateway, authority, state, key):
    """Z4: a next hop that takes mail under TLS only; its certificate is verified with the authority loaded."""
    leaf = authority.issue(HOP_NAME, key=key)
    far = Postfix(net, zones["lgwan"].namespace, zones["lgwan"].peer4, HOP_NAME, domains=["city.example.lg.jp"],
                  settings={"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": leaf,
                            "smtpd_tls_loglevel": "1"})
    put_slot(state, "inner", authority.pem, "authority")
    gateway = make_gateway(mail_block(zones, VERIFIED), state=state)
    assert send(net, zones)[0] == 250
    assert len(far.wait_messages()) == 1
    wait_until(lambda: "TLSv1.3 with cipher" in far.log(), "the far server's word on TLS")
    gateway.wait_event("mail-tls", f'name="{HOP_NAME}"', 'version="TLSv1.3"')


@pytest.mark.limit(90)
def test_tls_postfix_to_postfix_under_tls_on_both_sides(net, zones, make_gateway, authority, state):
    leaf = authority.issue(HOP_NAME)
    far = Postfix(net, zones["lgwan"].namespace, zones["lgwan"].peer4, HOP_NAME, domains=["city.example.lg.jp"],
                  settings={"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": leaf})
    put_slot(state, "inner", authority.pem, "authority")
    put_slot(state, "mail", authority.issue(OWN_NAME).read_text())
    make_gateway(mail_block(zones, REQUIRED + VERIFIED), state=state)
    near = Postfix(net, zones["internet"].namespace, zones["internet"].peer4, "mx.example.jp",
                   relay=f"[{zones['internet'].gateway4}]",
                   settings={"smtp_tls_security_level": "secure", "smtp_tls_CAfile": authority.certificate,
                             "smtp_tls_secure_cert_match": OWN_NAME})
    for number in range(3):
        near.send(FROM, [TO], PLAIN + b"number %d\r\n" % number)
    near.wait_sent(3)
    assert len(far.wait_messages(3)) == 3
    near.wait_empty()


def failing(authority):
    """What a next hop does wrong, and the reason in the event."""
    other = Authority("Another Authority")
    good = authority.issue(HOP_NAME)
    return {
        "no-offer": (dict(starttls=None), "offers no TLS"),
        "refused": (dict(starttls=b"454 4.7.0 not now\r\n"), "refuses TLS"),
        "wrong-name": (dict(context=server_context(authority.issue("mx.town.example.lg.jp"))),
                       "certificate is for another name"),
        "untrusted": (dict(context=server_context(other.issue(HOP_NAME))), "certificate is of an unknown authority"),
        "expired": (dict(context=server_context(authority.issue(HOP_NAME, not_after="20210101000000Z"))),
                    "certificate has expired"),
        "not-yet": (dict(context=server_context(authority.issue(HOP_NAME, not_before="20390101000000Z"))),
                    "certificate does not hold yet"),
        "old-version": (dict(context=server_context(good, ssl.TLSVersion.TLSv1_1)), "alert"),
        "injected": (dict(context=server_context(good), behind=b"250 2.1.0 sender ok\r\n"), "plain text behind"),
        "not-tls": (dict(instead=b"250 hello\r\n" * 20), "not TLS"),
        "cut": (dict(instead=b""), "cut off"),
    }


@pytest.mark.limit(120)
def test_tls_next_hop_that_cannot_be_trusted_gets_no_mail(net, zones, make_gateway, authority, state):
    """Z4: each fault is 451 to the peer and an event; not one command of the mail is said in plain text."""
    put_slot(state, "inner", authority.pem, "authority")
    gateway = make_gateway(mail_block(zones, VERIFIED), state=state)
    for fault, (options, reason) in failing(authority).items():
        hop = Hop(net, zones, **options)
        with dialogue(net, zones) as peer:
            greeted(peer)
            assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("451 4.4.1"), fault
        event = gateway.wait_event("mail-tls-injected" if fault == "injected" else "mail-tls-failed", reason,
                                   seconds=20)
        assert 'next-hop="1"' in event, fault
        assert not any(command.startswith("MAIL") for _, command in hop.said) and hop.mails == 0, fault
        hop.stop()


def test_tls_without_its_authority_nothing_is_sent(net, zones, make_gateway, authority, state):
    """The slot is empty at start: an event, and 451 until it is loaded; then mail flows without a restart."""
    hop = Hop(net, zones, context=server_context(authority.issue(HOP_NAME)))
    gateway = make_gateway(mail_block(zones, VERIFIED), state=state)
    gateway.wait_event("certificate-defect", 'name="inner"', "it is empty")
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert peer.ask(f"MAIL FROM:<{FROM}>").startswith("451 4.4.1")
    assert hop.mail_in_plain() == []
    console = gateway.open_console()
    assert "loaded: CN=Test Authority" in paste(console, "load authority inner", authority.pem)
    assert send(net, zones)[0] == 250
    assert hop.mails == 1


def test_tls_goes_on_to_the_next_hop_that_can_be_verified(net, zones, make_gateway, authority, state):
    """Preference and failover: the first one shows another's certificate, the second one the right one."""
    net.address(zones["lgwan"].namespace, "port", "10.20.0.9/24")
    bad = Hop(net, zones, context=server_context(authority.issue("mx.other.example")))
    good = Hop(net, zones, context=server_context(authority.issue(HOP_NAME)), address="10.20.0.9")
    put_slot(state, "inner", authority.pem, "authority")
    gateway = make_gateway(mail_block(zones, VERIFIED, [zones["lgwan"].peer4, "10.20.0.9"]), state=state)
    assert send(net, zones)[0] == 250
    assert good.mails == 1 and bad.mails == 0
    gateway.wait_event("mail-tls-failed", "another name")


# ---- keys ----

def paste(console, command, text):
    console.send(command + "\r")
    console.expect("Ctrl-D")
    console.send(text + "\x04")
    console.expect(console.PROMPT)
    return console.before


def verified(net, zones, trusted, name):
    """STARTTLS by a sender that trusts nothing else and expects this name or address; raises where the certificate does not do."""
    with dialogue(net, zones) as peer:
        greeted(peer)
        peer.ask("STARTTLS")
        context = ssl.create_default_context(cadata=trusted)
        peer.socket = context.wrap_socket(peer.socket, server_hostname=name)


def test_keys_are_made_shown_and_loaded_but_never_exported(net, zones, make_gateway, authority, state):
    """L4: a slot is filled at first need; what is loaded is checked; a key appears nowhere but in its own directory."""
    gateway = make_gateway(mail_block(zones, OFFERED), state=state)
    gateway.wait_event("certificate-made", 'name="mail"', f'detail="{OWN_NAME}, ')
    key_file = state / "keys" / "mail.certificate.pem"
    made = key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600 and (state / "keys").stat().st_mode & 0o777 == 0o700
    secret = re.search(r"KEY-----\n(.{40})", made)[1]
    console = gateway.open_console()
    assert f"CN={OWN_NAME}" in console.run("show certificates")
    shown = console.run("show certificates mail")
    assert "BEGIN CERTIFICATE" in shown and "KEY" not in shown
    for name in (OWN_NAME, zones["internet"].gateway4):
        verified(net, zones, made[:made.index("-----BEGIN EC")], name)
    leaf = authority.issue(OWN_NAME).read_text()
    key, certificate = leaf[:leaf.index("-----BEGIN CERT")], leaf[leaf.index("-----BEGIN CERT"):]
    assert "not that of the first certificate" in paste(console, "load certificate mail",
                                                        certificate + made[made.index("-----BEGIN EC"):])
    assert "no private key" in paste(console, "load certificate mail", certificate)
    assert "no certificate" in paste(console, "load certificate mail", key)
    old = authority.issue(OWN_NAME, not_after="20210101000000Z").read_text()
    assert "has expired" in paste(console, "load certificate mail", old)
    weak = authority.issue(OWN_NAME, key=1024).read_text()
    assert "too weak" in paste(console, "load certificate mail", weak)
    assert key_file.read_text() == made, "what was refused has changed nothing"
    seen = paste(console, "load certificate mail", leaf)
    assert f"loaded: CN={OWN_NAME}" in seen and key.splitlines()[1] not in seen, "a key is not echoed"
    gateway.wait_event("certificate-loaded", 'name="mail"', "sha256=")
    assert key_file.read_text() == leaf
    secrets = (secret, key.splitlines()[1])
    for path in state.glob("**/*"):
        if path.is_file() and path.parent.name != "keys":
            text = files.text(path)
            assert not any(s in text for s in secrets), path
    assert not any(s in console.run("show configuration") for s in secrets)
    verified(net, zones, authority.pem, OWN_NAME)


def test_keys_missing_authority_is_refused_at_commit(net, zones, make_gateway):
    """C1: the place and what to do; nothing is changed."""
    gateway = make_gateway(mail_block(zones, ""))
    console = gateway.open_console()
    console.run("configure")
    console.run("set mail inbound next-hop-tls authority inner")
    console.run(f"set mail inbound next-hop-tls name {HOP_NAME}")
    text = console.run("commit")
    assert re.search(r"candidate:\d+:\d+: no authority is loaded as 'inner'; use: load authority inner", text), text
    console.run("terminal language ja")
    assert "認証局「inner」が読み込まれていません" in console.run("check")


# ---- what the peers' clocks and addresses may do ----

def test_utf8_addresses_pass_only_where_they_are_understood(net, zones, make_gateway):
    """RFC 6531: passed on to a next hop that offers it, refused with 5.6.7 otherwise."""
    hop = Hop(net, zones)
    make_gateway(mail_block(zones, ""))
    with dialogue(net, zones) as peer:
        assert "SMTPUTF8" in greeted(peer)
        assert peer.ask("MAIL FROM:<太郎@example.jp>").startswith("501 5.1.7"), "not without the parameter"
        assert peer.ask("MAIL FROM:<太郎@example.jp> SMTPUTF8").startswith("250 ")
        assert peer.ask("RCPT TO:<花子@city.example.lg.jp>").startswith("250 ")
    assert (False, "MAIL FROM:<太郎@example.jp> BODY=8BITMIME SMTPUTF8") in hop.said
    assert (False, "RCPT TO:<花子@city.example.lg.jp>") in hop.said


def test_utf8_addresses_are_refused_by_a_next_hop_without_it(net, zones, make_gateway):
    sink_in_lgwan(net, zones)
    make_gateway(mail_block(zones, ""))
    with dialogue(net, zones) as peer:
        greeted(peer)
        assert peer.ask("MAIL FROM:<太郎@example.jp> SMTPUTF8").startswith("550 5.6.7")
        assert peer.ask(f"MAIL FROM:<{FROM}> SMTPUTF8").startswith("250 ")
        assert peer.ask("RCPT TO:<花子@city.example.lg.jp>").startswith("553 5.6.7")
        assert peer.ask(f"RCPT TO:<{TO}>").startswith("250 ")
