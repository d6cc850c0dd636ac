# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho report (L6) over logs sealed here: what it counts, what it says of a log that is not whole, both forms."""

import pathlib
import re

import pytest

from lib.logs import Log
from lib.reports import cells, page, report, rows, section

CONFIGS = pathlib.Path(__file__).parent / "report"
THREE_TIER = CONFIGS / "three-tier.conf"
CLAUSES = 46
NOV = "2026-11-05T10:00:00"


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path)
    made.segment(3, time="2026-10-31T23:59:59")
    made.segment(0, time=NOV)
    made.record("flow-denied", ' count="40" src="203.0.113.5"', "arbiter", NOV)
    made.record("flows-denied", ' count="2"', "arbiter", "2026-11-06T00:00:00")
    made.record("flow-denied", ' count="7"', "arbiter", "2026-12-01T00:00:00")
    return made


def english(log, *options, month="2026-11", config=THREE_TIER):
    return report(config, log.directory, month, "--language", "en", *options)


def test_report_counts_the_month_and_nothing_else(log):
    """L6, Z12: aggregated records count for what they stand for."""
    status, text, _ = english(log)
    assert status == 0
    assert "Denied communication: 42" in text
    days = section(text, "== Counts by day")
    assert next(line for line in days if line.startswith("  05: ")).endswith(" 40")
    assert next(line for line in days if line.startswith("  06: ")).endswith(" 2")
    z12 = rows(section(text, [line for line in text.splitlines() if line.startswith("-- Z12 ")][0]))
    assert ["flow-denied", "1", "40", NOV] in [[row[0], *row[2:]] for row in z12 if len(row) == 5]


def test_report_has_each_clause_in_both_languages(log):
    """L6: every clause of the table of requirements, with a state of its own."""
    for language in ("ja", "en"):
        _, text, _ = report(THREE_TIER, log.directory, "2026-11", "--language", language)
        assert len(re.findall(r"^-- (?:Z|M|A|L|C)\d+  \S", text, re.MULTILINE)) == CLAUSES
        assert len(re.findall(r"^\[[^\]/]+\]$", text, re.MULTILINE)) == CLAUSES
    assert "マイナンバー利用事務系" in text


def test_report_of_an_altered_log_says_so_and_fails(log):
    """L1: only what fits the chain is counted; what does not is named, and the status is 1."""
    path = sorted(log.directory.glob("*.log"))[1]
    path.write_bytes(path.read_bytes().replace(b'count="2"', b'count="3"'))
    status, text, _ = english(log)
    assert status == 1
    assert "NOT WHOLE after record 6" in text
    assert "Denied communication: 40" in text


def test_report_names_permits_without_use(log):
    """Z10: used, not used for long, never used; only what a permit's records can tell."""
    log.record("flow-permitted", ' from="mynumber" to="lgwan" permit="10"', "arbiter", "2026-12-02T00:00:00")
    assert [row[2] for row in rows(section(english(log)[1], "== Permits and their use"))] == ["NEVER in this log"] * 2
    log.record("heartbeat", "", "audit", "2027-01-31T00:00:00")
    _, text, _ = english(log, month="2027-01")
    used, never = rows(section(text, "== Permits and their use"))
    assert used == ["mynumber lgwan 10", '住基ネット <接続> & "照会"', "NOT for 60 days", "2026-12-02T00:00:00", "0",
                    "2099-03-31"]
    assert never[2:] == ["NEVER in this log", "-", "0", "-"]
    _, text, _ = english(log, "--unused", "61", month="2027-01")
    assert rows(section(text, "== Permits and their use"))[0][2] == "used"


def commit(log, time, number, name, comment, policy):
    log.record("commit-requested", f' commit="{number}" name="{name}" comment="{comment}" sha256="{policy}"', "config", time)
    log.record("commit-done", f' commit="{number}" epoch="{number}"', "config", time)


def test_report_says_since_when_the_configuration_is_in_force(log):
    """C1: by the commits of the log; a restart commits the same again and does not count as a change."""
    policy = re.search(r"SHA-256 \| ([0-9a-f]{64})", english(log)[1])[1]
    assert "the log has no commit" in english(log)[1]
    commit(log, "2026-12-03T09:00:00", 7, "yamada", "新しい許可", policy)
    commit(log, "2026-12-04T09:00:00", 8, "calendar", "", policy)
    _, text, _ = english(log, month="2026-12")
    assert "since 2026-12-03T09:00:00: commit 7 by yamada 新しい許可" in text
    assert ["2026-12-03T09:00:00", "commit-requested"] in [row[:2] for row in rows(section(
        text, "== Changes: who, what, why (C1)"))]
    commit(log, "2026-12-05T09:00:00", 9, "suzuki", "", "00" * 31 + "01")
    assert "NOT IN FORCE at the month's end: another one was, since 2026-12-05" in english(log, month="2026-12")[1]


def test_report_names_silences_and_clocks_set_back(log):
    """L1, L2: a heartbeat comes each minute, so its absence is a gap."""
    log.record("heartbeat", "", "audit", "2026-12-01T00:02:29")
    log.record("heartbeat", "", "audit", "2026-12-01T00:05:00")
    log.record("heartbeat", ' lost="5"', "audit", "2026-12-01T00:04:00")
    _, text, _ = english(log, month="2026-12")
    found = [row for row in rows(section(text, "== The log itself: gaps and faults (L1)")) if row[0] > "2026-12-01T00:01"]
    assert found == [["2026-12-01T00:05:00", "silence", "151 s"], ["2026-12-01T00:04:00", "clock-set-back", "-60 s"]]
    assert "Events that could not be recorded | 5" in text


def test_report_takes_another_time_zone_for_no_silence(log):
    """L1, L2: before the first policy of a start the gateway knows no time zone, and its records are in UTC."""
    log.record("gateway-stops", "", "supervisor", "2026-12-01T09:00:00")
    log.record("gateway-starts", "", "supervisor", "2026-12-01T00:01:00", "+00:00")
    log.record("policy-applied", "", "supervisor", "2026-12-01T09:02:00")
    log.record("heartbeat", "", "audit", "2026-12-01T00:06:00", "+00:00")
    _, text, _ = english(log, month="2026-12")
    before = ("2026-12-01T00:00:00", "2026-12-01T09:00:00")
    found = [row for row in rows(section(text, "== The log itself: gaps and faults (L1)")) if row[0] not in before]
    assert found == [["2026-12-01T00:06:00", "silence", "240 s"]]


def test_report_counts_logins_by_person_within_bounds(log):
    """A3: as many names as anybody tries need a bounded memory; the rest is counted together."""
    for number in range(230):
        log.record("login-refused", f' user="u{number}" console="0"', "accounts", NOV)
    log.record("login", ' user="u3" console="0"', "accounts", NOV)
    _, text, _ = english(log)
    people = rows(section(text, "== Logins by person"))
    assert ["u3", "1", "0", "1"] in people
    assert people[-1] == ["(others together)", "0", "0", "30"]
    assert len(people) == 201


def test_report_lists_incidents_within_bounds(log):
    """Z11: the first of them one by one, how many more there are."""
    for number in range(230):
        log.record("zone-isolated", f' zone="z{number}"', "supervisor", NOV)
    _, text, _ = english(log)
    incidents = section(text, "== Isolations and incidents (Z11, Z12)")
    assert len(rows(incidents)) == 200
    assert incidents[-1] == "And 30 more, which the log has."


def test_report_page_holds_what_the_text_holds(log):
    """The page is well-formed, loads nothing, and whatever stood in the log is text in it."""
    log.record("zone-isolated", ' zone="<script>alert(1)</script>&amp;\'x\'"', "supervisor", NOV)
    for language in ("ja", "en"):
        _, text, _ = report(THREE_TIER, log.directory, "2026-11", "--language", language)
        status, html, _ = report(THREE_TIER, log.directory, "2026-11", "--language", language, "--format", "html")
        assert status == 0
        found = {" ".join(cell.split()) for cell in cells(page(html))}
        wanted = {" ".join(cell.split()) for line in text.splitlines() if " | " in line for cell in line.split(" | ")}
        assert wanted <= found
        assert any("<script>alert(1)</script>" in cell for cell in found)


ZONES = "== Zones and what crosses between them"
DRILLS = "== Drills and work that is due"


def read_back(log, time, paths, zones=("mynumber", "lgwan", "internet")):
    """Records of what the kernel had. paths: {(zone, zone): (devices, how they stand by the policy, what differs)}."""
    for zone in zones:
        log.record("zone-read", f' zone="{zone}" port="eth0" detail="up, carrier, 02:00:00:00:00:01" reason=""', "supervisor",
                   time)
    for (one, other), (devices, state, reason) in paths.items():
        log.record("path-differs" if reason else "path-read",
                   f' from="{one}" to="{other}" detail="{devices}" reason="{reason}" name="{state}"', "supervisor", time)


AS_CONFIGURED = {("lgwan", "mynumber"): ("x-mynumber", "open", ""), ("internet", "mynumber"): ("none", "none", ""),
                 ("internet", "lgwan"): ("none", "none", "")}


def test_report_draws_charts_and_zones(log):
    read_back(log, "2026-11-06T01:00:00", AS_CONFIGURED)
    _, html, _ = english(log, "--format", "html")
    root = page(html)
    drawings = list(root.iter("{http://www.w3.org/2000/svg}svg"))
    assert len(drawings) == 2
    zones, denied = drawings
    words = ["".join(element.itertext()) for element in zones.iter("{http://www.w3.org/2000/svg}text")]
    assert {"mynumber", "lgwan", "internet", "packets: 2 permits", "screen transfer: browse", "up, carrier"} <= set(words)
    assert len(list(zones.iter("{http://www.w3.org/2000/svg}path"))) == 3
    assert len(list(denied.iter("{http://www.w3.org/2000/svg}rect"))) == 30


def picture(log, *options, month="2026-11"):
    """(the lines of the picture, {zone or pair: further cells}) of the text form."""
    lines = section(english(log, *options, month=month)[1], ZONES)
    table = {row[0]: row[1:] for row in rows([line for line in lines if line.count(" | ") == 5])}
    return [line for line in lines if line.startswith("  ") and " | " not in line], table


def test_report_draws_what_the_kernel_had(log):
    """L6, Z6: a path is drawn where the kernel had one; where that is not as configured, the picture says so."""
    lines, table = picture(log)
    assert "  lgwan <==> mynumber  packets: 2 permits (not read)" in lines
    assert table["internet"] == ["[!] no record: the log does not know", "-", "-", "0", "0"]
    read_back(log, "2026-11-07T01:00:00", AS_CONFIGURED)
    lines, table = picture(log)
    assert "  lgwan <==> mynumber  packets: 2 permits" in lines
    assert "[!]" not in "".join(lines)
    assert table["internet - mynumber"] == ["none", "none", "2026-11-07T01:00:00", "1", "0"]
    read_back(log, "2026-11-08T01:00:00", {
        ("lgwan", "mynumber"): ("none", "open", "the crossing is missing"),
        ("internet", "mynumber"): ("leak", "none", "joined by a device that no policy asks for")})
    lines, table = picture(log)
    assert "  lgwan =/ /= mynumber  packets: 2 permits [!] NOT IN THE KERNEL" in lines
    assert "  internet !==! mynumber  [!] NOT IN THE CONFIGURATION: leak" in lines
    assert table["internet - mynumber"] == ["leak", "[!] joined by a device that no policy asks for", "2026-11-08T01:00:00",
                                            "2", "1"]
    log.record("zone-differs", ' zone="lgwan" port="eth1" detail="down, no carrier" reason="the port is down"', "supervisor",
               "2026-11-09T01:00:00")
    read_back(log, "2026-12-01T01:00:00", {("lgwan", "mynumber"): ("none", "shut", "")}, zones=())
    lines, table = picture(log)
    assert "  [lgwan / business, eth1 / [!] down, no carrier / LGWAN接続系]" in lines
    assert table["lgwan"][1:] == ["[!] the port is down", "2026-11-09T01:00:00", "3", "1"]
    lines, table = picture(log, month="2026-12")
    assert "  lgwan =/ /= mynumber  packets: 2 permits (shut)" in lines
    assert table["internet"][3:] == ["0", "0"]


def test_report_calls_saved_configurations_checked_only_where_the_month_shows_it(log):
    """L3: not without a check in the month, and not where one found damage."""
    missing = "no check of the saved configurations was seen"
    assert missing in english(log)[1]
    log.record("config-checked", ' reason="daily" count="3"', "config", "2026-11-20T09:00:00")
    assert missing not in english(log)[1]
    log.record("saved-damaged", ' commit="2"', "config", "2026-11-20T09:00:01")
    assert missing in english(log)[1]


def test_report_names_drills_that_are_due(log):
    """L6, C4: when each was done last by the log, also before the month, and whether it is due by then."""
    def drills(month="2026-11"):
        found = rows(section(english(log, month=month)[1], DRILLS))
        return {row[0]: row[3:] for row in found}

    isolating, export = "isolating a zone and restoring it", "backup of the configuration (export)"
    assert drills()["failover test"] == ["-", "no record: DUE"]
    assert drills()[isolating] == ["-", "DUE"]
    log.record("zone-restored", ' zone="internet"', "supervisor", "2026-11-20T09:00:00")
    log.record("config-exported", "", "config", "2026-11-20T10:00:00")
    assert drills()[isolating] == ["2026-11-20T09:00:00", "done"]
    assert drills()[export] == ["2026-11-20T10:00:00", "done"]
    commit(log, "2026-11-21T09:00:00", 7, "yamada", "", "11" * 32)
    assert drills()[export] == ["2026-11-20T10:00:00", "DUE"]
    log.record("heartbeat", "", "audit", "2027-11-20T09:00:00")
    assert drills("2027-11")[isolating] == ["2026-11-20T09:00:00", "done"]
    log.record("heartbeat", "", "audit", "2027-11-21T09:00:00")
    assert drills("2027-11")[isolating] == ["2026-11-20T09:00:00", "DUE"]


@pytest.mark.parametrize("options", [["--month", "2026-13"], ["--month", "2026"], ["--format", "pdf"], ["--language", "fr"],
                                     ["--unused", "many"], ["--key", "12ab"], ["--config", "/none"], ["--log", "/none"]])
def test_report_refuses_what_it_cannot_do(log, options):
    status, text, message = english(log, *options)
    assert (status, text) == (2, "")
    assert message != ""
