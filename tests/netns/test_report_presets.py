# SPDX-License-Identifier: GPL-2.0-or-later
"""The compliance report (L6) of each preset over the log of a gateway that ran a short day of real traffic."""

import pathlib
import smtplib

import pytest

from lib.gateway import Gateway
from lib.logs import verify
from lib.net import run
from lib.peers import EchoServer, SmtpSink, submit, tcp_talk, udp_talk
from lib.peers.browser import Chromium
from lib.reports import cells, counts, page, report, rows, section
from lib.waiting import PATIENCE_SECONDS, wait_until

CONFIGS = pathlib.Path(__file__).parents[1] / "golden" / "report"
PRESETS = ["three-tier", "two-tier-utility", "two-tier-association", "village", "city-general"]
LETTER = (b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: %s\r\nDate: Mon, 6 Apr 2026 09:00:00 +0900\r\n"
          b"Message-ID: <1@example.jp>\r\n\r\nHello.\r\n")
# Who sends what to which port of the gateway, and what becomes of it.
MAILS = {
    "three-tier": ("internet", "10.20.0.8", 25, [("a@example.jp", "b@city.example.lg.jp", b"hello", True),
                                                 ("a@example.jp", "b@elsewhere.example", b"relay", False)]),
    "two-tier-utility": ("internet", "10.10.0.5", 25, [("a@example.jp", "b@suido.example.jp", b"hello", True)]),
}


def send_mails(net, topology, preset):
    """Send what the preset's mail entry is tried with; return how many were delivered."""
    if preset not in MAILS:
        return 0
    source, sink, port, mails = MAILS[preset]
    zone = topology.zones[source]
    SmtpSink(net, next(z.namespace for z in topology.zones.values() if sink == z.peer4), sink)
    for sender, recipient, subject, passes in mails:
        letter = (LETTER % subject).replace(b"a@example.jp", sender.encode())
        try:
            code, _ = submit(net, zone.namespace, zone.gateway4, sender, [recipient], letter, port=port)
        except smtplib.SMTPException:
            code = 550
        assert (code == 250) == passes, (subject, code)
    return sum(mail[3] for mail in mails)


def be_denied(net, topology, gateway):
    """Try what nothing permits; return whether the log says so by now."""
    for port in range(3):
        udp_talk(net, topology.zones["internet"].namespace, "10.10.0.5", 9000 + port, timeout=0.05)
    return any(" flow-denied " in line for line in gateway.audit_lines())


def a_day(net, topology, gateway, preset):
    """Traffic that is permitted, denied and sent as mail; an isolation. Return how many mails were delivered."""
    wait_until(lambda: be_denied(net, topology, gateway), "a denied flow in the log", 30, 0.5)
    if "crossing" in gateway.config_path.read_text():
        EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
        assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
        gateway.wait_event("flow-permitted", "10.10.0.5")
    mails = send_mails(net, topology, preset)
    console = gateway.console()
    console.expect(console.PROMPT)
    console.run("isolate zone internet")
    gateway.wait_event("zone-isolated", "internet")
    console.run("restore zone internet")
    gateway.wait_event("zone-restored", "internet")
    return mails


@pytest.mark.limit(150)
@pytest.mark.parametrize("preset", PRESETS)
def test_report_of_each_preset_over_a_real_log(net, topology, preset, tmp_path):
    """L6: counts as an independent reader counts them; both languages and forms say the same; the chain is whole."""
    config = CONFIGS / f"{preset}.conf"
    with Gateway(topology, config.read_text()) as gateway:
        mails = a_day(net, topology, gateway, preset)
        gateway.stop()
        lines = gateway.audit_lines()
        log = next(iter(gateway.state.glob("**/*.log"))).parent
        verify(log)
        month = lines[0].split()[1][:7]
        status, text, message = report(config, log, month, "--language", "en")
        assert (status, message) == (0, "")
        check_counts(text, lines, month, mails)
        check_page(config, log, month)
        check_picture(net, topology, report(config, log, month, "--language", "ja", "--format", "html")[1], tmp_path)


def check_counts(text, lines, month, mails):
    records, stands_for = counts(lines, month)
    denied = sum(stands_for[event] for event in ("flow-denied", "flows-denied", "flow-not-conforming"))
    assert denied > 0
    assert f"Denied communication: {denied}" in text
    assert f"Mails delivered as text: {mails}" in text
    assert "Configuration: in force | since " in text
    assert "Log: hash chain | whole: records 1 to " in text
    incidents = [row[1] for row in rows(section(text, "== Isolations and incidents (Z11, Z12)"))]
    assert incidents == ["zone-isolated", "zone-restored"]
    gaps = {row[1] for row in rows(section(text, "== The log itself: gaps and faults (L1)"))}
    assert not gaps & {"silence", "clock-set-back"}, "a day without a gap has none"
    seen = {row[0]: row[2:4] for heading in text.splitlines() if heading.startswith("-- ")
            for row in rows(section(text, heading)) if len(row) == 5}
    for event in ("gateway-starts", "flow-denied", "commit-done", "zone-isolated", "log-anchor"):
        assert seen[event] == [str(records[event]), str(stands_for[event])], event


def check_page(config, log, month):
    for language in ("ja", "en"):
        _, text, _ = report(config, log, month, "--language", language)
        status, html, _ = report(config, log, month, "--language", language, "--format", "html")
        assert status == 0
        found = {" ".join(cell.split()) for cell in cells(page(html))}
        assert {" ".join(cell.split()) for line in text.splitlines() if " | " in line for cell in line.split(" | ")} <= found


# What is wrong with how the page is laid out, as sentences: boxes that leave their page or picture, texts over texts.
FAULTS = """(() => {
    const faults = [], box = e => e.getBoundingClientRect(), page = document.documentElement;
    const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
    if (page.scrollWidth > page.clientWidth) faults.push(`the page is ${page.scrollWidth} wide`);
    for (const cell of document.querySelectorAll('td, th'))
        if (cell.scrollWidth > cell.clientWidth + 1) faults.push(`cut: ${cell.textContent}`);
    for (const picture of document.querySelectorAll('svg')) {
        const texts = [...picture.querySelectorAll('text')];
        for (const text of texts)
            if (!inside(box(text), box(picture))) faults.push(`outside: ${text.textContent}`);
        texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
            if (!apart(box(a), box(b))) faults.push(`over each other: ${a.textContent}, ${b.textContent}`);
        }));
    }
    return faults;
})()"""


def check_picture(net, topology, html, directory):
    """The page in a browser: nothing leaves it, no text lies over another, and each drawing has ink of more than one colour."""
    path = directory / "report.html"
    path.write_text(html)
    browser = Chromium(net, topology.zones["lgwan"].namespace, size=(820, 1160))  # of A4 at 96 dots an inch, with its margins
    browser.open(path.as_uri())
    assert browser.evaluate(FAULTS) == []
    drawings = browser.evaluate("document.querySelectorAll('svg').length")
    assert drawings >= 2  # the zones, and counts by day
    for number in range(drawings):
        browser.evaluate(f"document.querySelectorAll('svg')[{number}].scrollIntoView()")
        shown = browser.screenshot(directory / f"drawing-{number}.png")
        colours = int(run("identify", "-format", "%k", shown, timeout=30).stdout)
        assert colours > 10, f"drawing {number} has {colours} colours"
