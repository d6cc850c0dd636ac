# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho flatten on golden mails (Z4, M3, M8): the text is right to the letter, conforms, and nkf agrees on Japanese."""

import base64
import hashlib
import json
import os
import pathlib
import random
import resource
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import mail_docs  # noqa: E402
import make_mails  # noqa: E402

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
MAILS = sorted(path.stem for path in (HERE / "mail").glob("*.eml"))


def flatten(octets, *options):
    return subprocess.run([SEKISHO, "flatten", "--host", "gw.example.lg.jp", *options], input=octets, capture_output=True,
                          timeout=20, check=False)


def verify(octets):
    done = subprocess.run([SEKISHO, "verify-mail"], input=octets, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stdout.decode()


def body(octets):
    return octets.split(b"\n\n", 1)[1].decode()


def own_text(octets):
    """The body without the gateway's last block."""
    return body(octets).split("\n--------------------", 1)[0].rstrip("\n")


@pytest.mark.parametrize("name", MAILS)
def test_mail_golden_is_right_to_the_letter(name):
    done = flatten((HERE / "mail" / f"{name}.eml").read_bytes())
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode() == (HERE / "mail" / f"{name}.txt").read_text()
    assert verify(done.stdout) == (0, "")


def test_mail_golden_mails_are_what_the_generator_writes():
    assert [name for name, _ in make_mails.mails()] and subprocess.run(
        [sys.executable, "-B", HERE / "make_mails.py", "--check"], check=False).returncode == 0


def test_mail_crlf_and_lf_say_the_same():
    octets = (HERE / "mail" / "attachments.eml").read_bytes()
    assert own_text(flatten(octets).stdout) == own_text(flatten(octets.replace(b"\n", b"\r\n")).stdout)


@pytest.mark.parametrize("fill", ["a", "\x7f", "あ", "ÿ"])
def test_mail_text_is_a_file_from_one_control_character_in_ten_on(fill):
    """M3: counted to the last one, wherever they stand; what is binary is listed, and not shown as text."""
    for seed in range(30):
        octets = bytearray((fill.encode() * 300)[:300])
        places = random.Random(seed).sample(range(300), 31)
        for place in places:
            octets[place] = random.Random(place).choice(b"\x01\x08\x1f")
        head = make_mails.HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        assert "大きさ: 300 バイト" in body(flatten(head + octets).stdout), (fill, seed)
        octets[places[0]] = ord("a")
        assert "添付" not in body(flatten(head + octets).stdout), (fill, seed)


def test_mail_english_notices_and_defanged_links():
    done = flatten((HERE / "mail" / "deceit.eml").read_bytes(), "--language", "en", "--defang")
    assert "[Warning: the link goes elsewhere than it says]" in body(done.stdout)
    assert "<hxxps://login.evil.example.net/x>" in body(done.stdout)
    assert "注意" not in body(done.stdout).replace("名前", "")


def test_mail_what_was_changed_is_never_called_unchanged():
    """M8: addresses that were written in another way, or had a mark put behind them, are counted at the end of plain text, too."""
    mail = make_mails.single(b"x", "text/plain; charset=utf-8", "https://www.example.jp/ と http://例え.jp/ です\n".encode())
    for language, unchanged, marked, defanged in (
            ("ja", "変更なし", "国際化ドメイン名 1件に別の書き方を追記", "リンク 2件を開けない書き方に変更"),
            ("en", "nothing removed", "1 internationalised domains spelled out", "2 links written so that nothing opens them")):
        plain = body(flatten(mail, "--language", language).stdout)
        assert marked in plain and defanged not in plain and unchanged not in plain
        assert marked in (written := body(flatten(mail, "--language", language, "--defang").stdout)) and defanged in written


@pytest.mark.parametrize("name, notice", [("styles-unread", "[The HTML has styles that are not read"), ("moves-on", "[moves on to: <https://"),
                                          ("imitation-in-lists", "(text of the mail) 1. 【注意")])
def test_mail_told_in_english(name, notice):
    assert notice in body(flatten((HERE / "mail" / f"{name}.eml").read_bytes(), "--language", "en").stdout)


def of_sheet(sheet, before="", *options):
    """The text made of an HTML mail with a style sheet and two paragraphs."""
    html = f"{before}<style>{sheet}</style><input><p class='x:hover' data-x=':hover'>一</p><p>二</p>"
    return body(flatten(b"From: a@example.jp\nContent-Type: text/html; charset=utf-8\n\n" + html.encode(), *options).stdout)


UNREAD = "【HTMLのスタイル指定に読み取れないものがある"


@pytest.mark.parametrize("sheet", [
    r".x\:hover{display:none}",
    "p:nth-last-child(2)[data-x=':hover']{display:none}",
    "p:nth-last-child(2 of [data-x=':hover']){display:none}",
    "input:placeholder-shown~p{display:none}",
    "p:nth-last-child(2)::after{content:'足す'}",
    "p:nth-last-child(2)::before{content:attr(data-x)}",
    "@container (width > 1px){p::after{content :'足す'}}",
    "</style><svg><title><style>p:first-child{display:none}</style></title></svg><style>",
    r"</style><svg><title><style>p::after{con\74ent:'足す'}</style></title></svg><style>",
    "</style><svg><title><style>p{displa&#121;:non&#101;}</style></title></svg><style>",
    r"</style><style media='(foo: 1)'>p:first-child{display:n\6fne}",
    "p:nth-last-child(2)::after{content:var(--x)}",
    "p:nth-last-child(2){display:var(--x)}",
])
def test_mail_styles_that_are_not_read_are_told(sheet):
    assert UNREAD in of_sheet(sheet)


@pytest.mark.parametrize("sheet", [
    "p:hover{display:none}",
    "p[data-x=')']:hover{display:none}",
    "p:focus::after{content:'足す'}",
    "p:nth-last-child(2)::after{content:' - '}",
    "p:nth-last-child(2){content:'足す';align-content:center}",
    "@container (width > 1px){.content{align-content:center}}",
    "</style><title><style>p:first-child{display:none}</style></title><style>",
])
def test_mail_styles_that_change_no_text_are_not_told(sheet):
    assert UNREAD not in of_sheet(sheet)


@pytest.mark.parametrize("sheet", [
    r"""b::after{content:"\"/*"} p:first-of-type,[data-x]{display:none} b::after{content:"*/"}""",
    '[x="["],[data-x],b:hover{display:none}',
    "[x='('],[data-x],b:hover{display:none}",
])
def test_mail_styles_are_read_behind_a_string(sheet):
    text = of_sheet(sheet)
    assert "【HTMLで見えないように隠されていた文字】\n一\n" in text


def test_mail_policy_is_read_from_a_configuration():
    octets = (HERE / "mail" / "empty.eml").read_bytes()
    done = flatten(octets)
    ours = subprocess.run([SEKISHO, "flatten", "--policy", HERE / "config" / "three-tier.conf"], input=octets,
                          capture_output=True, timeout=20, check=False)
    assert ours.stdout == done.stdout.replace(b"gw.example.lg.jp", b"sekisho-1")
    broken = subprocess.run([SEKISHO, "flatten", "--policy", "/dev/null"], input=octets, capture_output=True, timeout=20,
                            check=False)
    assert broken.returncode == 2 and b"no mail entry" in broken.stderr


@pytest.mark.parametrize("statement, name, seen", [
    ("language en", "empty", "[This mail has no text]"),
    ("links defanged", "deceit", "<hxxps://login.evil.example.net/x>"),
    ("ambiguous show", "ambiguous", "構造があいまい"),
])
def test_mail_settings_of_a_mail_entry_reach_the_flattener(tmp_path, statement, name, seen):
    """Z4: language, defanging and what is ambiguous are settings of the configuration, not of the build."""
    text = (HERE / "config" / "three-tier.conf").read_text().replace("size-limit 5MB;", f"size-limit 5MB; {statement};")
    (tmp_path / "site.conf").write_text(text)
    done = flatten((HERE / "mail" / f"{name}.eml").read_bytes(), "--policy", str(tmp_path / "site.conf"))
    assert done.returncode == 0 and seen in body(done.stdout), done.stderr.decode()


@pytest.mark.parametrize("name, reason", [("ambiguous", "two content types"), ("deceit", "comes twice"), ("alternative", "")])
def test_mail_ambiguous_is_refused_where_the_policy_says_so(tmp_path, name, reason):
    """Z4, M3: one reading and a statement, or a refusal with its reason."""
    text = (HERE / "config" / "three-tier.conf").read_text().replace("size-limit 5MB;", "size-limit 5MB; ambiguous refuse;")
    (tmp_path / "site.conf").write_text(text)
    done = flatten((HERE / "mail" / f"{name}.eml").read_bytes(), "--policy", str(tmp_path / "site.conf"))
    assert (done.returncode, reason in done.stderr.decode()) == (3 if reason else 0, True), done.stderr.decode()


def test_mail_receipt_names_hashes_parts_and_drops(tmp_path):
    """M8: hashes of original and result, the part tree, each drop and why, charset decisions, counters, version."""
    octets = (HERE / "mail" / "attachments.eml").read_bytes()
    done = flatten(octets, "--receipt", str(tmp_path / "r.json"))
    receipt = json.loads((tmp_path / "r.json").read_text())
    assert receipt["input"]["sha256"] == hashlib.sha256(octets).hexdigest()
    assert receipt["output"]["sha256"] == hashlib.sha256(done.stdout).hexdigest()
    assert [part["fate"] for part in receipt["parts"]] == ["container", "text", "dropped", "dropped", "dropped"]
    assert [drop["kind"] for drop in receipt["drops"]] == ["PDF", "Windows executable", "ZIP archive"]
    assert [drop["encrypted"] for drop in receipt["drops"]] == [False, False, True]
    assert receipt["receipt"] in done.stdout.decode() and receipt["charsets"][0]["used"] == "UTF-8"


@pytest.mark.parametrize("name", MAILS)
def test_mail_receipt_is_whole_and_says_what_the_text_says(tmp_path, name):
    """M8, L1: every part has a fate, every drop a reason, and the counters are those of the text's last block."""
    octets = (HERE / "mail" / f"{name}.eml").read_bytes()
    done = flatten(octets, "--receipt", str(tmp_path / "r.json"))
    receipt = json.loads((tmp_path / "r.json").read_text())
    assert receipt["version"] and receipt["program"] and receipt["status"] == "flattened"
    assert receipt["policy"] == {"language": "ja", "defang": False, "ambiguous": "show"}
    assert [part["part"] for part in receipt["parts"]] == list(range(len(receipt["parts"])))
    attachments = [drop for drop in receipt["drops"] if drop["reason"] == "attachment"]
    assert len(attachments) == receipt["counters"]["attachments"]
    for drop in attachments:
        if "sha256" in drop:
            assert drop["sha256"] in body(done.stdout)
    others = [drop["part"] for drop in receipt["drops"] if drop["reason"] == "other-form"]
    assert others == [part["part"] for part in receipt["parts"] if part["fate"] == "other-form"]
    assert ("添付" in body(done.stdout).rsplit("無害化: ", 1)[1]) == bool(attachments)
    assert all(0 <= charset["part"] < len(receipt["parts"]) for charset in receipt["charsets"])


RUNS = (".py .sh .msc .xlsb .slk .iqy .rdp .jnlp .mht .mhtml .one .wsf .appx .msix .search-ms .library-ms .url .settingcontent-ms .ps1 .vhd "
        ".vhdx .img .iso .exe .js .hta .lnk .docm .xlsm .chm .scf .diagcab .appinstaller .website .webloc .desktop").split()


@pytest.mark.parametrize("end", RUNS)
def test_mail_names_that_run_where_they_are_opened_are_warned_of(end):
    """M3: by the end of the name alone, whatever the content is taken for; and at the end of it only."""
    def told(name):
        return "開くとプログラムが動く" in body(flatten(make_mails.HEAD + make_mails.multipart("mixed", "b", make_mails.part(
            f"Content-Type: text/plain\nContent-Disposition: attachment; filename=\"{name}\"", b"x"))).stdout)
    assert told("a" + end) and told("a" + end.upper() + ". ") and not told("a" + end + ".txt")


def test_mail_receipt_of_a_refusal_has_the_part_tree(tmp_path):
    done = flatten((HERE / "mail" / "ambiguous.eml").read_bytes(), "--refuse-ambiguous", "--receipt", str(tmp_path / "r.json"))
    receipt = json.loads((tmp_path / "r.json").read_text())
    assert done.returncode == 3 and receipt["reason"] == "ambiguous: two content types or boundaries"
    assert receipt["parts"][0]["conditions"] == ["two-types", "two-encodings"]


def test_mail_many_attachments_are_counted_where_they_are_not_listed(tmp_path):
    """Limits of the list and the receipt cut them; the mail still comes, with the number of what there was."""
    entry = "資" * 70 + ".exe"
    files = [make_mails.zip_of(entry + str(n), b"x", False) for n in range(3)]
    blocks = b"".join(b"begin 644 f%d\n#0V%%T\n`\nend\n" % n for n in range(99))
    parts = [make_mails.part("Content-Type: application/zip; name=\"" + "n" * 200 + "\"\nContent-Transfer-Encoding: base64",
                             base64.encodebytes(files[n % 3])) for n in range(300)]
    parts += [make_mails.part("Content-Type: text/plain", blocks) for _ in range(30)]
    done = flatten(make_mails.HEAD + b"Subject: many\n" + make_mails.multipart("mixed", "b", *parts), "--receipt",
                   str(tmp_path / "r.json"))
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((tmp_path / "r.json").read_text())["counters"]["attachments"] == 300 + 30 * 99
    assert f"添付ファイル (削除済み) {300 + 30 * 99}件" in body(done.stdout) and "\nほか 3070件\n" in body(done.stdout)
    assert verify(done.stdout) == (0, "")


def test_mail_refusal_has_its_status_and_reason(tmp_path):
    done = flatten(b"\n\n", "--receipt", str(tmp_path / "r.json"))
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"the message is empty" in done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "refused"


def japanese(seed, count):
    """Characters of all double-byte cells that CP932 has, kana and ASCII."""
    cells = []
    for lead in [*range(0x81, 0xA0), *range(0xE0, 0xFD)]:
        for trail in range(0x40, 0xFD):
            try:
                char = bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue
            # 7-bit JIS has rows 1 to 94 only; characters that CP932 has twice come back as one of the two.
            if len(char) == 1 and char.encode("cp932") == bytes((lead, trail)) and lead < 0xF0:
                cells.append(char)
    cells += [chr(c) for c in range(0xFF61, 0xFFA0)] + list("ABC xyz 0123")
    return "".join(random.Random(seed).choices(cells, k=count))


@pytest.mark.parametrize("charset, encode, nkf", [
    ("ISO-2022-JP", make_mails.jis, "-J"),
    ("Shift_JIS", lambda text: text.encode("cp932"), "-S"),
    ("EUC-JP", lambda text: subprocess.run(["nkf", "-W", "-e", "-x", "-m0"], input=text.encode(), capture_output=True,
                                           check=True).stdout, "-E"),
])
def test_mail_japanese_charsets_agree_with_nkf(charset, encode, nkf):
    """Every cell of the CP932 repertoire: our decoder and nkf's say the same, but for nkf's own view of ten signs."""
    wave = str.maketrans("〜‖−¢£¬—‾¦¥", "～∥－￠￡￢―￣￤￥")
    lines = [japanese(seed, 60).strip() or "x" for seed in range(200)]
    octets = b"\n".join(encode(line) for line in lines)
    theirs = subprocess.run(["nkf", nkf, "-w", "-x", "-m0"], input=octets, capture_output=True, check=True).stdout.decode()
    done = flatten(make_mails.HEAD + b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\n" + octets + b"\n")
    ours = own_text(done.stdout).translate(wave).split("\n")
    assert [(a, b) for a, b in zip(ours, theirs.translate(wave).split("\n"), strict=True) if a != b] == []


def test_mail_split_characters_in_words_are_joined():
    """Each way of cutting the octets of a subject into words gives the same subject."""
    octets = make_mails.jis("件名の漢字を分割する①")
    wanted = None
    for cut in range(1, len(octets) - 1):
        words = b" ".join(b"=?ISO-2022-JP?B?" + base64.b64encode(piece) + b"?=" for piece in (octets[:cut], octets[cut:]))
        done = flatten(b"From: a@example.jp\nSubject: " + words + b"\n\nx\n")
        subject = done.stdout.split(b"Subject: ")[1].split(b"\nMessage-ID")[0]
        wanted = wanted or subject
        assert subject == wanted


BOMBS = {name: octets for name, octets in [
    ("nested elements", b"<div>" * 100_000 + b"x"),
    ("closed wrongly", b"<div><table><td></div></table>" * 100_000 + b"x"),
    ("only less-than", b"<" * 5_000_000),
    ("attributes", b"<a " + b" ".join(b"a%d=1" % n for n in range(300_000)) + b">x</a>"),
    ("formatting", b"<b><i><u><font color=red>" * 50_000 + b"<p>x" * 20_000),
    ("open tables", b"<table><tr><td>" * 60_000 + b"x"),
    ("nested and closed", b"<div>" * 100_000 + b"x" + b"</div>" * 100_000),
    ("open comments", b"<!--" * 500_000),
    ("comments that nearly end", b"<!-- --!" * 300_000),
    ("open quotes", b"<a href=\"" * 300_000),
    ("half references", b"&" * 2_000_000),
    ("long references", b"&#" + b"1" * 2_000_000),
    ("open style sheets", b"<style>.a{" * 200_000),
    ("hiding style sheets", b"<style>" + b".x,#y{display:none}" * 50_000 + b"</style>" + b"<p class=\"" + b"a " * 200_000 + b"\">x" * 20),
    ("rules times elements", b"<style>" + b"*{color:red}" * 500 + b"</style>" + b"<b>x</b>" * 120_000),
    ("rules that follow", b"<style>" + b"b b b b b b b b~b+b{color:red}" * 50 + b"</style>" + b"<b>" * 200_000),
    ("rules of attributes", b"<style>" + b"[title*=zzzz]{color:red}" * 500 + b"</style><p title=\"" + b"z y " * 200_000 + b"\">x"),
    ("strings in style sheets", b"<style>" + b"\\\"'\\'" * 200_000 + b"</style>x"),
    ("media in style sheets", b"<style>" + b"@media(a:1){@media screen,(" * 50_000 + b"</style>x"),
    ("long values in a style sheet", b"<style>*{transform:" + b"a" * 100_000 + b";clip-path:" + b"a" * 9_000 + b"}</style>" + b"<b>x</b>" * 80_000),
    ("values of the longest that counts", b"<style>*{" + b";".join(name + b":" + b"a" * 250 for name in (
        b"transform", b"clip", b"clip-path", b"filter", b"overflow", b"background", b"background-image", b"background-clip"))
        + b"}</style>" + b"<b>x</b>" * 80_000),
    ("closing tags", b"<div>" * 300 + b"</p></li></td>" * 150_000),
    ("items", b"<ul>" * 300 + b"<li>x" * 150_000),
    ("links in links", b"<a href=http://x.jp/>x" * 80_000),
    ("lists of lists", b"<ul><li>" * 150_000 + b"x"),
    ("one attribute, long", b"<p style=\"" + b"color:#fff;" * 300_000 + b"\">x</p>"),
]}


TEXTS = {
    "files without an end": b"begin 644 x\n#0V%T\n" * 200_000,
    "files with a far end": b"begin 644 x\nabc\n" * 200_000 + b"end\n",
    "armour without an end": b"-----BEGIN PGP MESSAGE-----\n" * 100_000,
    "quotes": b">" * 3_000_000,
    "escapes": b"\x1b$B" * 700_000,
    "marks": "\u0301".encode() * 1_000_000,
    "joiners": "\u200d".encode() * 700_000,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.limit(120)
def test_mail_text_bombs_stay_within_time_and_memory(name):
    """The same for plain text, in each way that it may be looked at; the tool's own limits end it where it does not."""
    done = flatten(make_mails.HEAD + b"Content-Type: text/plain; format=flowed\n\n" + TEXTS[name] + b"\n")
    assert done.returncode == 0, done.stderr.decode()
    assert verify(done.stdout)[0] == 0


@pytest.mark.limit(120)
def test_mail_imitations_are_marked_where_the_text_is_cut():
    """Private use becomes four times as long: past the output limit the text ends, and what came before it is marked all the same."""
    warning = "【注意: 差出人の表示名が別のメールアドレスに見えます】\n"
    text = warning + ("\ue000" * 300 + "\n") * 4_000 + warning + ("\ue000" * 300 + "\n") * 5_000
    done = flatten(make_mails.HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text.encode())
    assert done.returncode == 0, done.stderr.decode()
    assert verify(done.stdout)[0] == 0
    lines = done.stdout.decode().splitlines(keepends=True)
    assert "【本文が長すぎるため、ここで打ち切りました】\n" in lines
    assert [line for line in lines if "【注意" in line] == ["(本文の表記) " + warning] * 2


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.limit(120)
def test_mail_html_bombs_stay_within_time_and_memory(name):
    """Within 1 s a megabyte (and half a second to start) of processor time; the tool itself limits its address space."""
    octets = BOMBS[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = flatten(make_mails.HEAD + b"Content-Type: text/html\n\n" + octets + b"\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr.decode()
    assert verify(done.stdout)[0] == 0
    assert after.ru_utime - before.ru_utime <= 0.5 + len(octets) / 1e6


SHEETS = {
    "classes": b".b.b{color:red}\n" * 500 + b"</style>" + (b'<i class="' + b"a " * 400 + b'b">x</i>\n') * 180,
    "attributes": b"[zz][zz]{color:red}\n" * 500 + b"</style>" + (
        b"<b " + b" ".join(b"%c%c" % (97 + i % 26, 97 + i // 26) for i in range(30)) + b" zz>x</b>\n") * 1_500,
    "declarations": b"*,\n" * 499 + b"*{" + b"top:1;" * 1_000 + b"}</style>" + b"<b>x</b>\n" * 100,
    "rules for all": b"*{color:red}\n" * 511 + b"</style>" + b"<p>x\n" * 12_000,
}


@pytest.mark.parametrize("parts", [1, 20])
@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.limit(120)
def test_mail_sheets_of_all_parts_stay_within_the_time_of_a_mail(name, parts):
    """Within 1 s a megabyte, however many documents have sheets of their own: they share the steps of a mail."""
    part = b"--b\nContent-Type: text/html\n\n<style>\n" + SHEETS[name] + b"\n"
    mail = make_mails.HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * parts + b"--b--\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = flatten(mail)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr.decode()
    assert after.ru_utime - before.ru_utime <= 0.1 + len(mail) / 1e6
    assert parts == 1 or "スタイル指定" in done.stdout.decode()


@pytest.mark.parametrize("flat, line, reason", [
    (b"Subject: x\n\n", 2, "required header field is missing"),
    (b"X-Other: 1\n", 1, "does not write"),
    (b"Received: by gw with Sekisho id 0\n\n", 2, "incomplete"),
])
def test_mail_verifier_says_line_and_reason(flat, line, reason):
    status, said = verify(flat)
    assert status == 1 and said.startswith(f"line {line}: ") and reason in said


@pytest.mark.parametrize("bad", ["\x1b", "\u202e", "\u200b", "\ue000", "\ufdd0", "\x85", "a\u200d", "\x07", "x" * 999])
def test_mail_verifier_refuses_what_must_not_pass(bad):
    good = (HERE / "mail" / "alternative.txt").read_text()
    assert verify(good.encode())[0] == 0
    assert verify((good + bad + "\n").encode())[0] == 1


def test_mail_verifier_refuses_every_changed_header_octet():
    """Each printable octet of the header changed into a control character, or each line doubled, is refused."""
    good = (HERE / "mail" / "deceit.txt").read_bytes()
    header = good.split(b"\n\n")[0]
    for at in range(0, len(header), 7):
        if header[at] != 10:
            assert verify(good[:at] + b"\x01" + good[at + 1:])[0] == 1
    lines = header.split(b"\n")
    for line in lines:
        if not line.startswith(b" "):
            assert verify(line + b"\n" + good)[0] == 1


def test_mail_examples_in_the_documentation_are_current():
    """What docs/mail-examples.md shows is what the product does today; `make docs` writes it."""
    source = HERE.parents[1]
    assert (source / "docs" / "mail-examples.md").read_text() == mail_docs.page(SEKISHO, source)
