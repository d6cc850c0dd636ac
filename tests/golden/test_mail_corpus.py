# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho flatten on public test mails of ten projects (M8), where they are at hand: each is flattened or refused with a
reason, conforms, comes out the same twice, and keeps within its time and memory. They are no part of this repository."""

import collections
import email
import os
import pathlib
import subprocess
import sys

import pytest

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
CORPUS = pathlib.Path(os.environ.get("SEKISHO_CORPUS", "/shared/corpus/mail"))
# The only reasons for which a mail may be refused: nothing can be said of no octets.
STRUCTURAL = {"the message is empty"}
EMPTY = "【本文はありません】"
NOTICES = (EMPTY, "【本文は画像だけです。画像は削除しました】", "【本文はなく、添付ファイルだけです】")
WORKING_BYTES = 64 << 20    # beyond the message itself
FLOOR_SECONDS = 0.5


# What a child's peak memory counts begins with that of the process which started it: so a small one starts them all.
STARTER = """
import os, subprocess, sys, tempfile
for line in sys.stdin:
    mail, out = line.rstrip("\\n").split("\\t")
    with open(mail, "rb") as given, open(out, "wb") as flat, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([sys.argv[1], "flatten"], stdin=given, stdout=flat, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode().strip().replace("\\n", " ")
        print(child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, said, sep="\\t", flush=True)
"""


class Starter:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-S", "-c", STARTER, SEKISHO], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, path, out):
        """Flatten once. Return: status, reason, processor seconds, peak resident bytes."""
        self.process.stdin.write(f"{path}\t{out}\n")
        self.process.stdin.flush()
        status, seconds, peak, said = self.process.stdout.readline().rstrip("\n").split("\t")
        return int(status), said, float(seconds), int(peak)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def only_notice(flat):
    """The notice that stands in the place of a text; None where there is a text."""
    own = flat.read_text().partition("\n\n")[2].partition("\n----------------")[0].strip()
    return next((notice for notice in NOTICES if own.partition("\n")[0] == notice), None)


def has_words(path):
    """Does another reader of mail find a text in it that is to be shown?"""
    message = email.message_from_bytes(path.read_bytes())
    return any(part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment"
               and (part.get_payload(decode=True) or b"").strip() for part in message.walk() if not part.is_multipart())


def judge(starter, path, scratch):
    """What is wrong with one mail: a list; and the reason where it was refused."""
    first, second = scratch / "first", scratch / "second"
    status, said, seconds, peak = starter.run(path, first)
    size = path.stat().st_size
    wrong = []
    if status not in (0, 3) or (status == 3 and ": refused: " not in said):
        wrong.append(f"status {status}: {said}")
    if seconds > FLOOR_SECONDS + size / 1e6:
        wrong.append(f"{seconds:.2f} s for {size} bytes")
    if peak > WORKING_BYTES + 2 * size:
        wrong.append(f"{peak >> 20} MiB for {size} bytes")
    if status == 0:
        starter.run(path, second)
        if first.read_bytes() != second.read_bytes():
            wrong.append("not the same twice")
        with open(first, "rb") as flat:
            check = subprocess.run([SEKISHO, "verify-mail"], stdin=flat, capture_output=True, text=True, check=False)
        if check.returncode != 0:
            wrong.append(f"verifier: {check.stdout.strip()}")
        wrong += ["came out empty, and is not"] if only_notice(first) == EMPTY and has_words(path) else []
    reason = said.partition(": refused: ")[2] if status == 3 else ""
    if reason == "the message is empty" and path.read_bytes().strip():
        wrong.append("refused as empty, and is not")
    return wrong, reason


@pytest.mark.limit(600)
def test_mail_corpus_flattens_or_is_refused_with_a_reason(tmp_path, capsys):
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not at {CORPUS}: nothing was tried")
    paths = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    refused, wrong, wordless = collections.Counter(), [], collections.defaultdict(list)
    starter = Starter()
    for path in paths:
        faults, reason = judge(starter, path, tmp_path)
        wrong += [f"{path.relative_to(CORPUS)}: {fault}" for fault in faults]
        if reason:
            refused[reason] += 1
        elif not faults and (notice := only_notice(tmp_path / "first")):
            wordless[notice] += [str(path.relative_to(CORPUS))]
    starter.close()
    with capsys.disabled():
        print(f"\n  {len(paths)} mails, {len(paths) - sum(refused.values())} flattened, {sum(refused.values())} refused")
        for reason, count in refused.most_common():
            print(f"  {count:6}  {reason}")
        for notice, names in wordless.items():
            print(f"  {len(names):6}  {notice}", *names, sep="\n          ")
    assert paths and not wrong, "\n".join(wrong)
    assert set(refused) <= STRUCTURAL, refused
