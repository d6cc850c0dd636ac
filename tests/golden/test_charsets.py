# SPDX-License-Identifier: GPL-2.0-or-later
"""Charsets (M3): every label and encoding of the WHATWG Encoding Standard, and the Japanese variants that mail really has, each
with the text it stands for. glibc's iconv and nkf are the independent readers."""

import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import make_mails  # noqa: E402

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
# Encoding Standard 4.2: name of the encoding, our name where it differs, labels.
LABELS = """
UTF-8: unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
IBM866: 866 cp866 csibm866 ibm866
ISO-8859-2: csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
ISO-8859-3: csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
ISO-8859-4: csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
ISO-8859-5: csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
ISO-8859-6: arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
ISO-8859-7: csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek
ISO-8859-8: csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical
ISO-8859-10: csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
ISO-8859-13: iso-8859-13 iso8859-13 iso885913
ISO-8859-14: iso-8859-14 iso8859-14 iso885914
ISO-8859-15: csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
ISO-8859-16: iso-8859-16
KOI8-R: cskoi8r koi koi8 koi8-r koi8_r
KOI8-U: koi8-ru koi8-u
macintosh: csmacintosh mac macintosh x-mac-roman
windows-874: dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
windows-1250: cp1250 windows-1250 x-cp1250
windows-1251: cp1251 windows-1251 x-cp1251
windows-1252: ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
windows-1253: cp1253 windows-1253 x-cp1253
windows-1254: cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254
windows-1255: cp1255 windows-1255 x-cp1255
windows-1256: cp1256 windows-1256 x-cp1256
windows-1257: cp1257 windows-1257 x-cp1257
windows-1258: cp1258 windows-1258 x-cp1258
x-mac-cyrillic: x-mac-cyrillic x-mac-ukrainian
GB18030: gb18030 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk
Big5: big5 big5-hkscs cn-big5 csbig5 x-x-big5
EUC-JP: cseucpkdfmtjapanese euc-jp x-euc-jp
ISO-2022-JP: csiso2022jp iso-2022-jp
Shift_JIS: csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
EUC-KR: cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
ISO-2022-KR: csiso2022kr iso-2022-kr
ISO-2022-CN: iso-2022-cn iso-2022-cn-ext
HZ-GB-2312: hz-gb-2312
UTF-16BE: unicodefffe utf-16be
UTF-16LE: csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
"""
ENCODINGS = dict(line.split(": ") for line in LABELS.strip().split("\n"))
SINGLE = {  # name: iconv's
    **{f"ISO-8859-{n}": f"ISO-8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-125{n}": f"CP125{n}" for n in range(9)}, "IBM866": "CP866", "KOI8-R": "KOI8-R", "KOI8-U": "KOI8-U",
    "windows-874": "CP874", "macintosh": "MACINTOSH", "x-mac-cyrillic": "MAC-CYRILLIC",
}


def flatten(label, octets, *options):
    mail = b"From: a@example.jp\nContent-Type: text/plain" + (b"; charset=" + label.encode() if label else b"") + b"\n\n"
    done = subprocess.run([SEKISHO, "flatten", *options], input=mail + octets, capture_output=True, timeout=20, check=True)
    return done.stdout.decode().split("\n\n", 1)[1].split("\n--------------------", 1)[0].rstrip("\n")


def converted(command, lines):
    done = subprocess.run(command, input=b"\n".join(lines) + b"\n", capture_output=True, check=False)
    return done.stdout.decode().split("\n")[:len(lines)]


@pytest.mark.parametrize("name", ENCODINGS)
def test_charset_labels_of_the_encoding_standard_are_known(tmp_path, name):
    """US-ASCII is read as what it says, and looked at where it says more; all others as the standard says."""
    for label in ENCODINGS[name].split():
        octets = "x日".encode("utf-16le") if name == "UTF-16LE" else "x日".encode("utf-16be") if name == "UTF-16BE" else b"x\n"
        flatten(label, octets, "--receipt", str(tmp_path / "r.json"))
        used = json.loads((tmp_path / "r.json").read_text())["charsets"][0]
        wanted = "UTF-8" if label in ("ascii", "us-ascii", "ansi_x3.4-1968") else name
        assert (label, used["used"], used["guessed"]) == (label, wanted, False)


@pytest.mark.parametrize("label", ["x-user-defined", "replacement", "no-such-charset"])
def test_charset_labels_that_mean_nothing_are_judged_by_the_octets(label):
    assert flatten(label, "日本語の本文です。よろしくお願いします。\n".encode("cp932")) == \
        "[文字コード推定: Shift_JIS]\n日本語の本文です。よろしくお願いします。"


@pytest.mark.parametrize("name", SINGLE)
def test_charset_single_bytes_agree_with_iconv(name):
    lines = [b"x" + bytes((octet,)) + b"y" for octet in range(0xA0, 0x100)]
    theirs = converted(["iconv", "-c", "-f", SINGLE[name], "-t", "UTF-8"], lines)
    ours = flatten(name, b"\n".join(lines)).split("\n")
    odd = [(line, a, b) for line, a, b in zip(lines, ours, theirs, strict=True) if a != b and b != "xy" and len(b) == 3
           and not 0xE000 <= ord(b[1]) < 0xF900 and ord(b[1]) not in (0xAD, 0x200E, 0x200F)]
    # The standard has the later ones of Apple's tables.
    assert odd == {"x-mac-cyrillic": [(b"x\xffy", "x€y", "x¤y")], "macintosh": [(b"x\xc6y", "x∆y", "xΔy")]}.get(name, [])


@pytest.mark.parametrize("name, iconv, trails, allowed", [
    ("EUC-KR", "EUC-KR", range(0xA1, 0xFF), 2), ("GB18030", "GBK", range(0x40, 0xFF), 100), ("Big5", "BIG5-HKSCS", range(0x40, 0xFF), 10),
])
def test_charset_double_bytes_agree_with_iconv(name, iconv, trails, allowed):
    """Every code that iconv knows; a few, counted, have other characters in the younger of two standards."""
    lines = [b"x" + bytes((lead, trail)) + b"y" for lead in range(0x81, 0xFF) for trail in trails if trail != 0x7F]
    theirs = converted(["iconv", "-c", "-f", iconv, "-t", "UTF-8"], lines)
    ours = flatten(name, b"\n".join(lines)).split("\n")
    pairs = list(zip(lines, ours, theirs, strict=True))
    known = [(line, a, b) for line, a, b in pairs if len(b) == 3 and ord(b[1]) >= 0xA0 and b[1] != "\u00ad" and not 0xE000 <= ord(b[1]) < 0xF900]
    assert len(known) > 8000
    odd = [(line, a, b) for line, a, b in known if a != b]
    assert len(odd) <= allowed, odd[:20]


KANJI = [chr(c) for c in range(0x4E00, 0x9FA0) if len(chr(c).encode("cp932", "ignore")) == 2 and chr(c).encode("cp932")[0] < 0xED]
KANA = [chr(c) for c in range(0xFF61, 0xFFA0)]
SUPPLEMENT = [c for c in map(chr, range(0x4E00, 0x9FA0)) if len(c.encode("euc_jp", "ignore")) == 3 and not c.encode("cp932", "ignore")]


def double(text):
    """Rows and cells of JIS X 0208."""
    return make_mails.jis(text, b"")[3:]


def segment(kind, rng):
    """One run of one variant: its text, and its octets with what designates them and returns to ASCII."""
    kanji, kana = "".join(rng.choices(KANJI, k=rng.randint(1, 6))), "".join(rng.choices(KANA, k=rng.randint(1, 6)))
    supplement = "".join(rng.choices(SUPPLEMENT, k=2))
    seven = bytes(c.encode("cp932")[0] - 0x80 for c in kana)
    return {
        "ascii": ("abc 123", b"abc 123"),
        "roman": ("abc", b"\x1b(Jabc\x1b(B"),
        "1978": (kanji, b"\x1b$@" + double(kanji) + b"\x1b(J"),
        "1983": (kanji, b"\x1b$B" + double(kanji) + b"\x1b(B"),
        "long": (kanji, b"\x1b$(B" + double(kanji) + b"\x1b(B"),
        "kana": (kana, b"\x1b(I" + seven + b"\x1b(B"),
        "shift": (kana, b"\x0e" + seven + b"\x0f"),
        "eight": (kana, kana.encode("cp932")),
        "0212": (supplement, b"\x1b$(D" + b"".join(bytes(o & 0x7F for o in c.encode("euc_jp")[1:]) for c in supplement) + b"\x1b(B"),
        "revision": (kanji, b"\x1b&@\x1b$B" + double(kanji) + b"\x1b(B"),
        "forgotten": (kanji, b"\x1b$B" + double(kanji)),
        "forgotten kana": (kana, b"\x1b(I" + seven),
    }[kind]


def variants(kinds, seed, lines=150):
    """Lines of random runs of these kinds, which leave ASCII only at their end; their text."""
    rng, texts, octets = random.Random(seed), [], []
    last = [kind for kind in kinds if kind.startswith("forgotten")]
    for _ in range(lines):
        runs = [segment(rng.choice([kind for kind in kinds if kind not in last] or ["ascii"]), rng) for _ in range(4)]
        runs += [segment(rng.choice(last), rng)] if last else []
        texts, octets = texts + ["".join(run[0] for run in runs).strip()], octets + [b"".join(run[1] for run in runs).strip()]
    return texts, octets


VARIANTS = [
    (["ascii", "roman", "1978", "1983"], True),
    (["ascii", "kana", "1983"], True),
    (["ascii", "shift"], True),
    (["ascii", "eight", "1983"], False),
    (["ascii", "0212", "1983"], True),
    (["ascii", "long", "revision"], False),
    (["ascii", "1983", "forgotten"], False),
    (["ascii", "kana", "forgotten kana"], False),
    (["ascii", "roman", "1978", "1983", "kana", "shift", "0212", "eight", "revision", "long", "forgotten"], False),
]


# Shift codes alone are no evidence of JIS: they need its label.
@pytest.mark.parametrize("kinds, by_nkf, label", [
    (*variant, label) for variant in VARIANTS for label in ("iso-2022-jp", "cp50221", "us-ascii", "")
    if variant[0] != ["ascii", "shift"] or label not in ("us-ascii", "")])
def test_charset_variants_of_seven_bit_jis_are_read(kinds, by_nkf, label):
    """The text is known by its making; nkf confirms the variants that it reads. JIS under a label that does not say so is JIS."""
    texts, octets = variants(kinds, 7)
    said = flatten(label, b"\n".join(octets)).split("\n")
    assert said[-len(texts):] == texts
    assert (said[0] == "[文字コード推定: ISO-2022-JP]") == (label in ("us-ascii", ""))
    if by_nkf:
        assert converted(["nkf", "-J", "-w", "-x", "-m0"], octets) == texts


POLICY = {"～": 0x2141, "∥": 0x2142, "－": 0x215D, "￠": 0x2171, "￡": 0x2172, "￢": 0x224C, "―": 0x213D, "￣": 0x2131, "￥": 0x216F}


@pytest.mark.parametrize("label", ["iso-2022-jp", "shift_jis", "euc-jp"])
def test_charset_signs_on_which_vendors_differ_have_one_policy(label):
    """〜 ‖ − ¢ £ ¬ and their like, whatever the encoding: as CP932, what Japanese Windows means by these octets."""
    for sign, code in POLICY.items():
        row, cell = code >> 8, code & 0xFF
        octets = {"iso-2022-jp": b"\x1b$B" + bytes((row, cell)) + b"\x1b(B", "euc-jp": bytes((row + 0x80, cell + 0x80)),
                  "shift_jis": sign.encode("cp932")}[label]
        assert flatten(label, b"x" + octets + b"y\n") == f"x{sign}y"


@pytest.mark.parametrize("label, octets, text", [
    ("shift_jis", b"\x87\x40\x87\x8a\xfb\xfc\xed\x40\xfa\x4a", "①㈱髙纊Ⅰ"),       # row 13, IBM's extensions, NEC's selection of them
    ("iso-2022-jp", b"\x1b$B-!-j\x1b(B", "①㈱"),
    ("euc-jp", b"\xad\xa1\xad\xea\x8f\xf3\xf3\x8f\xb0\xa1\x8e\xb1", "①㈱ⅰ丂ｱ"),     # eucJP-ms: three-byte codes
    ("shift_jis", b"\xf9\x8b\xf0\x40\xf7\xa1", "〓(F98B)〓(F040)〓(F7A1)"),          # carriers' emoji, gaiji
    ("iso-2022-jp", b"\x1b$Bu!u\"~~\x1b(B", "〓(7521)〓(7522)〓(7E7E)"),
    ("euc-jp", b"\xf5\xa1\x8f\xf5\xa1", "〓(F5A1)〓(8FF5A1)"),
    ("iso-2022-jp", b"a\x1b[31mb\x1b$B\x30\x1b(Bc", "a[1B][31mb[30]c"),            # an escape of terminals, half a character
    ("shift_jis", b"\x81 \xfd\xff end", "[81] [FD FF] end"),
    ("euc-jp", b"\xb4\nx\xff", "[B4]\nx[FF]"),
    ("utf-8", b"\xe3\x81 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80 z", "[E3 81] [ED A0 80] [C0 AF] [F4 90 80 80] z"),
])
def test_charset_japanese_repertoire_and_what_cannot_be_read(label, octets, text):
    assert flatten(label, "漢字かな交じりの文。".encode({"iso-2022-jp": "iso2022_jp", "shift_jis": "cp932"}.get(label, label)) + b"\n"
                   + octets).split("\n", 1)[1] == text


@pytest.mark.parametrize("codec, label", [("iso2022_kr", "iso-2022-kr"), ("hz", "hz-gb-2312"), ("euc_kr", "iso-2022-kr")])
def test_charset_shifting_sets_that_browsers_refuse(codec, label):
    text = "안녕하세요 한글\n두번째 줄 x" if "kr" in codec else "简体 中文 ~ x\n第二"
    assert flatten(label, text.encode(codec) + b"\n") == text


# Text in UTF-16 has zero octets, which no mail under another label may have: it is taken as a file.
@pytest.mark.parametrize("codec, label", [
    (codec, label) for codec in ("cp932", "euc_jp", "utf-8", "utf-16le", "utf-16be", "iso2022_jp")
    for label in ("", "us-ascii", "iso-8859-1", "unknown-8bit", "utf-8", "shift_jis", "euc-jp", "iso-2022-jp")
    if not label or not codec.startswith("utf-16")])
def test_charset_wrong_or_missing_labels_are_detected_and_stated(codec, label):
    """A text of some length comes out right whatever its label says; where the label was not followed the text says so."""
    names = {"cp932": "Shift_JIS", "euc_jp": "EUC-JP", "utf-8": "UTF-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE",
             "iso2022_jp": "ISO-2022-JP"}
    text = "平素よりお世話になっております。\n次回の会議は11月22日 (日) 午前10時から、本庁舎3階で行います。\nご確認ください。"
    said = flatten(label, (text + "\n").encode(codec))
    right = label == {"cp932": "shift_jis", "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp"}.get(codec, codec)
    assert said == ("" if right or (codec == "utf-8" and label == "unknown-8bit") else f"[文字コード推定: {names[codec]}]\n") + text
