# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory sticks as files, made and read by other implementations of FAT and exFAT than the appliance's: mtools, dosfstools,
exfatprogs."""

import os
import pathlib
import subprocess

MEGA = 1 << 20
ENVIRONMENT = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}


def _run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def make(path, *options, mega_bytes=64, files=()):
    """A stick with one FAT file system over all of it, and files in its top directory: (name, bytes)."""
    path = pathlib.Path(path)
    with open(path, "wb") as image:
        image.truncate(mega_bytes * MEGA)
    _run("mkfs.vfat", *options, path)
    for name, content in files:
        put(path, name, content)
    return path


def make_exfat(path, mega_bytes=64):
    path = pathlib.Path(path)
    with open(path, "wb") as image:
        image.truncate(mega_bytes * MEGA)
    _run("mkfs.exfat", path)
    return path


def put(image, name, content):
    source = pathlib.Path(image).with_suffix(".put")
    source.write_bytes(content)
    _run("mcopy", "-o", "-i", image, source, f"::{name}")


def get(image, name):
    """A file's content, as mtools reads it."""
    target = pathlib.Path(image).with_suffix(".got")
    target.unlink(missing_ok=True)
    _run("mcopy", "-n", "-i", image, f"::{name}", target)
    return target.read_bytes()


def names(image):
    """What is in the top directory."""
    return [line.strip().removeprefix("::/") for line in _run("mdir", "-b", "-i", image, "::").stdout.splitlines()]


def is_sound(image):
    """Whether fsck.fat has nothing to say about it."""
    done = _run("fsck.fat", "-n", image, check=False)
    return done.returncode == 0, done.stdout
