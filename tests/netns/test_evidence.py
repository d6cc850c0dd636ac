# SPDX-License-Identifier: GPL-2.0-or-later
"""evidence create (C7): what another machine makes of the archive with tar, sha256sum and openssl alone."""

import base64
import os
import re
import subprocess
import tarfile

import pytest

from lib.gateway import Gateway
from lib.logs import SEKISHO, Log
from lib.peers import EchoServer, tcp_talk
from lib.waiting import PATIENCE_SECONDS

PERMIT = """
service echo { tcp 7000; }
crossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; log; comment "証拠の試験"; } }
"""
MEMBERS = {"version.txt", "configuration.conf", "separation.txt", "zones.txt", "isolated.txt", "emergencies.txt", "crossings.txt", "permits.txt",
           "rules.txt", "links.txt", "flows.txt", "mail-sessions.txt", "screen-sessions.txt", "processes.txt", "alarms.txt", "timeline-en.txt",
           "timeline-ja.txt", "watch.txt", "missing.txt"}
UNSIGNED = {"manifest.sha256", "statement.txt", "signature.bin", "device-key.pem"}


def collect(console, directory, command="evidence create", title="EVIDENCE", timeout=60):
    """Make an archive at a prompt, decode it with base64 and tar as an operator would; return the directory."""
    console.send(command + "\r")
    console.expect(f"END SEKISHO {title}-----", searchwindowsize=100, timeout=timeout)
    shown = console.before + console.after
    console.expect(console.PROMPT)
    text = re.search(rf"-----BEGIN SEKISHO {title}-----\s(.*?)-----END SEKISHO {title}-----", shown, re.DOTALL)
    assert text, shown[-500:]
    directory.mkdir()
    archive = directory / "evidence.tar"
    archive.write_bytes(base64.b64decode("".join(text[1].split()), validate=True))
    subprocess.run(["tar", "-xf", archive, "-C", directory], check=True, timeout=20)
    return directory


def create(gateway, directory, console=None):
    """The same on a console that is about to show its prompt; by default a new one."""
    console = console or gateway.console(timeout=60)
    console.expect(console.PROMPT)
    return collect(console, directory)


def checks(directory):
    """{tool: whether it is content}."""
    def content(*command):
        return subprocess.run(command, cwd=directory, capture_output=True, timeout=20, check=False).returncode == 0

    manifest = subprocess.run(["sha256sum", "manifest.sha256"], cwd=directory, capture_output=True, text=True, timeout=20,
                              check=True).stdout.split()[0]
    return {"members": content("sha256sum", "--strict", "-c", "manifest.sha256"),
            "signature": content("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "device-key.pem", "-rawin",
                                 "-in", "statement.txt", "-sigfile", "signature.bin"),
            "manifest": f"manifest {manifest}\n" in (directory / "statement.txt").read_text()}


WHOLE = {"members": True, "signature": True, "manifest": True}


@pytest.fixture
def bundle(net, make_gateway, tmp_path):
    EchoServer(net, "peer-lgwan", "10.20.0.8", 7000)
    gateway = make_gateway(PERMIT)
    assert tcp_talk(net, "peer-mynumber", "10.20.0.8", 7000, timeout=PATIENCE_SECONDS) == b"hello"
    gateway.wait_event("flow-permitted")
    return gateway, create(gateway, tmp_path / "bundle")


def test_evidence_verifies_with_public_tools_and_fails_for_each_altered_member(bundle):
    """C7: the manifest names every member, the signature the manifest; one flipped byte of any is found, and one more in an empty one."""
    _, directory = bundle
    assert checks(directory) == WHOLE
    with tarfile.open(directory / "evidence.tar") as archive:
        names = set(archive.getnames())
        assert {m.mode for m in archive.getmembers()} == {0o600}
    log = {name for name in names if name.startswith("log/")}
    assert names == MEMBERS | UNSIGNED | log and len(log) == 1
    for name in sorted(names - {"device-key.pem"}):
        path = directory / name
        whole = path.read_bytes()
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:] if whole else b"x")
        assert checks(directory) != WHOLE, name
        path.write_bytes(whole)
    assert checks(directory) == WHOLE


def test_evidence_holds_state_configuration_and_a_log_that_verifies(bundle):
    """C7, L1: what ran, what was configured, and the log up to an anchor of just now."""
    gateway, directory = bundle
    assert 'comment "証拠の試験";' in (directory / "configuration.conf").read_text()
    done = subprocess.run([SEKISHO, "check", directory / "configuration.conf"], capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, (directory / "configuration.conf").read_bytes())
    assert re.search(r"^arbiter\t\d+\tready\t", (directory / "processes.txt").read_text(), re.MULTILINE)
    assert "lgwan" in (directory / "separation.txt").read_text()
    assert "mynumber\tlgwan\t10\t1\t" in (directory / "permits.txt").read_text()
    done = subprocess.run([SEKISHO, "verify-log", "--key", directory / "device-key.pem", directory / "log"],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = next((directory / "log").iterdir()).read_text().splitlines()
    assert " log-anchor " in log[-1] and any(" flow-permitted " in line for line in log)
    digest = (directory / "statement.txt").read_text().split()[3]
    gateway.wait_event("evidence-created", f'sha256="{digest}"', 'console="')


@pytest.mark.limit(120)
def test_evidence_of_a_long_log_has_its_newest_files(topology, make_gateway, tmp_path):
    """C7, L1: two files of a megabyte each, whose lines travel in pieces; the newest ends with the anchor."""
    first = make_gateway(PERMIT)
    first.stop()
    directory = next(first.state.glob("**/*.log")).parent
    owner = directory.stat()
    for path in directory.glob("*.log"):
        path.unlink()
    log = Log(directory)
    for _ in range(3):
        log.segment(0)
        for _ in range(900):
            log.record("commit-refused", f' reason="{"長い理由" * 80}"', "config")
    for path in directory.glob("*.log"):
        os.chown(path, owner.st_uid, owner.st_gid)
    with Gateway(topology, first.config_path.read_text(), state=first.state) as gateway:
        bundle = create(gateway, tmp_path / "bundle")
        local = "\n".join(gateway.audit_lines())
    assert checks(bundle) == WHOLE
    files = sorted((bundle / "log").iterdir())
    assert len(files) == 2 and sum(path.stat().st_size for path in files) > 1_000_000
    assert all(path.read_text() in local + "\n" for path in files)
    done = subprocess.run([SEKISHO, "verify-log", "--part", bundle / "log"], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_evidence_is_not_divided_by_what_a_record_says(make_gateway, tmp_path):
    """C7, L1: whoever may write a comment cannot make the log of the archive unverifiable."""
    gateway = make_gateway(PERMIT)
    console = gateway.open_console()
    console.edit("set system host-name sekisho-2")
    assert "committed" in console.run('commit comment "x audit log-segment [ y"', timeout=30)
    gateway.wait_event("audit log-segment [ y")
    console.close()
    directory = create(gateway, tmp_path / "bundle")
    assert len(list((directory / "log").iterdir())) == 1 and checks(directory) == WHOLE
    done = subprocess.run([SEKISHO, "verify-log", directory / "log"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_evidence_can_be_interrupted_and_asked_for_again(make_gateway, tmp_path):
    gateway = make_gateway(PERMIT)
    console = gateway.console(timeout=60)
    console.expect(console.PROMPT)
    console.send("evidence create\r\x03")
    console.expect(console.PROMPT)
    console.send("\r")
    console.expect(console.PROMPT)
    console.close()
    assert checks(create(gateway, tmp_path / "again")) == WHOLE


def records_of(bundle):
    """{number: line} of the log in an archive."""
    lines = [line for path in sorted((bundle / "log").iterdir()) for line in path.read_text().splitlines()]
    return {re.search(r' seq="(\d+)"', line)[1]: line for line in lines}


def test_evidence_tells_the_course_of_an_incident_by_records_that_verify(net, topology, bundle, tmp_path):
    """C7, Z11: who isolated what, the flow that ended with it, what was restored, in order, each line under the number of its record,
    in both languages."""
    gateway, _ = bundle
    console = gateway.open_console()
    running = net.connect(topology.zones["mynumber"].namespace, "10.20.0.8", 7000)
    running.sendall(b"hello")
    assert running.recv(5) == b"hello"
    console.run("isolate zone lgwan suspicious traffic")
    gateway.wait_event("zone-isolated", 'zone="lgwan"')
    gateway.wait_event("flow-cut", 'zone="lgwan"', 'src="10.10.0.5"', 'dport="7000"', f'sport="{running.getsockname()[1]}"')
    gateway.wait_event("flows-cut", 'zone="lgwan"', 'count="1"')
    console.run("restore zone lgwan")
    gateway.wait_event("zone-restored", 'zone="lgwan"')
    shown = console.run("show timeline")
    assert shown.index("| zone-isolated | A zone was isolated") < shown.index("| zone-restored | An isolated zone")
    year = re.search(r"\| (\d{4}-\d\d-\d\d)T", shown)[1]
    assert "zone-isolated" in console.run(f"show timeline since {year}")
    assert "zone-isolated" not in console.run("show timeline since 2999-01-01")
    assert "as the log writes it" in console.run("show timeline since yesterday")
    console.close()
    directory = create(gateway, tmp_path / "course")
    assert checks(directory) == WHOLE
    log = records_of(directory)
    for language, meaning in (("en", "A zone was isolated"), ("ja", "ゾーンを隔離した")):
        told = [line.split(" | ") for line in (directory / f"timeline-{language}.txt").read_text().splitlines()[1:]]
        numbers = [int(line[0]) for line in told]
        assert numbers == sorted(set(numbers))
        events = [line[2] for line in told]
        assert events.index("gateway-starts") < events.index("zone-isolated") < events.index("flow-cut") < events.index("zone-restored")
        assert any(line[2] == "zone-isolated" and meaning in line[3] for line in told)
        for number, time, event, _, *fields in told:
            assert f" {event} " in log[number] and time in log[number] and " | ".join(fields) in log[number], number
    done = subprocess.run([SEKISHO, "verify-log", "--key", directory / "device-key.pem", directory / "log"],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
