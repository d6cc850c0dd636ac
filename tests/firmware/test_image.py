# SPDX-License-Identifier: GPL-2.0-or-later
"""What the firmware consists of: its size, its checksums, its bill of materials, and nothing that was not meant to be in it."""

import hashlib
import json
import pathlib
import re
import stat
import subprocess

import pytest

from lib.qemu import FIRMWARE

MAX_BYTES = 12 * 1024 * 1024


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The image's file tree, unpacked."""
    where = tmp_path_factory.mktemp("image") / "root"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", where, FIRMWARE / "root.img"], check=True, timeout=60)
    return where


def files_of(root):
    return [p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink()]


def test_image_kernel_and_root_at_most_12_mb():
    size = sum((FIRMWARE / name).stat().st_size for name in ("bzImage", "root.img"))
    assert size <= MAX_BYTES, f"{size} bytes"


def test_image_checksums_match():
    listed = [line.split("  ") for line in (FIRMWARE / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in listed} == {"bzImage", "root.img", "cmdline", "sbom.spdx.json"}
    for expected, name in listed:
        assert hashlib.sha256((FIRMWARE / name).read_bytes()).hexdigest() == expected, name


def test_image_bill_of_materials_names_every_file(root):
    bill = json.loads((FIRMWARE / "sbom.spdx.json").read_text())
    assert bill["spdxVersion"] == "SPDX-2.3"
    named = {f["fileName"]: f["checksums"][1]["checksumValue"] for f in bill["files"]}
    found = {"./" + str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files_of(root)}
    assert named == found
    packages = {p["name"]: p["versionInfo"] for p in bill["packages"]}
    for expected in ("linux-source-6.12", "e2fsprogs", "mbedtls", "musl-dev", "libc6-dev", "libmnl-dev", "libgumbo-dev"):
        assert re.match(r"[0-9]", packages[expected]), expected


def test_image_has_no_set_uid_file_and_nothing_writable(root):
    for path in [root, *root.rglob("*")]:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and not stat.S_ISCHR(mode):
            assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH | stat.S_IWGRP), path


def test_image_has_only_two_device_nodes(root):
    devices = [p for p in root.rglob("*") if stat.S_ISCHR(p.lstat().st_mode) or stat.S_ISBLK(p.lstat().st_mode)]
    assert sorted(d.relative_to(root).as_posix() for d in devices) == ["dev/console", "dev/null"]


def test_image_links_end_in_the_image(root):
    """A link that leads nowhere would be a tool that is missing when it is needed."""
    for path in root.rglob("*"):
        if path.is_symlink():
            target = pathlib.Path(str(path.parent / path.readlink()).replace(str(root), "", 1))
            assert (root / str(target).lstrip("/")).exists(), path


def test_image_has_no_shell_and_no_login(root):
    """The serial console of sekishod is the only way in: no shell, no getty, no password, no server."""
    names = {p.name for p in root.rglob("*")}
    assert not names & {"sh", "bash", "busybox", "getty", "login", "su", "sshd", "telnetd", "httpd", "inetd", "udhcpc", "ifup", "nc", "wget"}
    for line in (root / "etc/passwd").read_text().splitlines():
        assert line.split(":")[1] == "*" and line.endswith("/bin/false")
