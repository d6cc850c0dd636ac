# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/linux.md: the gateway on a machine without our firmware, by the very commands of the page."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from lib.gateway import SEKISHOD, Console
from lib.waiting import wait_until

PAGE = (pathlib.Path(__file__).parents[2] / "docs/linux.md").read_text()
NAMESPACES = {"trial-pc", "trial-server", "trial-gate"}


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def namespaces():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True, timeout=20).stdout
    return {line.split()[0] for line in listed.splitlines()}


@pytest.fixture
def place(tmp_path):
    """A directory with what `make tools` leaves in a clone; afterwards no namespace of the page is left."""
    (tmp_path / "build").symlink_to(pathlib.Path(SEKISHOD).parent)
    before = namespaces()
    yield tmp_path
    for name in namespaces() - before:
        subprocess.run(["ip", "netns", "delete", name], check=True, timeout=20)


def run(place, commands):
    """Each line of a block by itself: all must succeed, also one that begins with `!`."""
    for line in commands.splitlines():
        done = subprocess.run(["sh", "-c", line], cwd=place, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_linux_page_makes_a_gateway_that_keeps_its_policy(place):
    prepare, start, cross, clean = blocks("sh")
    (configuration,) = blocks("conf")
    before = namespaces()
    run(place, prepare)
    assert namespaces() - before == NAMESPACES
    (place / "trial.conf").write_text(configuration)
    said = place / "said.txt"
    with said.open("w") as out:
        gateway = subprocess.Popen(["sh", "-e", "-c", start], cwd=place, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "ready" in said.read_text().splitlines() or gateway.poll() is not None, "the gateway's `ready`", 60)
        assert gateway.poll() is None, said.read_text()
        assert namespaces() - before == NAMESPACES | {"trial-zone-mynumber", "trial-zone-lgwan"}
        run(place, cross)
        with socket.socket(socket.AF_UNIX) as line:
            wait_until((place / "trial.console").exists, "the console", 30)
            line.connect(str(place / "trial.console"))
            console = Console(os.dup(line.fileno()), place / "console.txt", 30, hosts=["trial"])
            console.expect(console.PROMPT)
            command = re.search(r"`(test flow [^`]*)`", PAGE).group(1)
            assert re.search("^deny +no-permit ", console.run(command), re.MULTILINE)
            assert re.search("^permit +permitted .* 10 ", console.run(command.replace("20.0.9", "20.0.8")), re.MULTILINE)
            console.close()
    finally:
        if gateway.poll() is None:
            gateway.send_signal(signal.SIGINT)
        gateway.wait(30)
    assert gateway.returncode == 0, said.read_text()
    assert namespaces() - before == NAMESPACES
    run(place, clean)
    assert namespaces() == before and not (place / "trial-state").exists()
