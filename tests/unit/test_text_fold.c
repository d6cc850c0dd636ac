/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding for comparison, and the marks of forwarding (M4, M5). */
#include "unit.h"

#include <string.h>

#include "wire/mail/forward.h"
#include "wire/text/fold.h"

static void check_fold(const char *in, const char *want)
{
	struct bytes out;

	bytes_init(&out, 4096);
	assert_int_equal(text_fold(span_of(in), &out), 0);
	assert_true(out.size <= strlen(in) * 4 / 3 + 1);
	assert_int_equal(bytes_append_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data, want);
	bytes_fini(&out);
}

static void test_text_fold_joins_widths_numerals_and_sound_marks(void **state)
{
	check_fold("ＡｂＣ１２！", "abc12!");
	check_fold("ｶﾞｷﾞﾊﾟﾊﾞｳﾞｱﾞﾅﾟ", "ガギパバヴア゛ナ゜");
	check_fold("｢ｱｰ｣", "「アー」");
	check_fold("ⅡⅷⅫ①⑨㊙", "iiviiixii19秘");
	check_fold("【重要性Ⅱ】", "【重要性ii】");
}

static void test_text_fold_composes_kana(void **state)
{
	check_fold("カ\u3099キ\u3099ハ\u309Aハ\u3099ウ\u3099", "ガギパバヴ");
	check_fold("か\u3099ほ\u309Aう\u3099ゝ\u3099ヽ\u3099", "がぽゔゞヾ");
	check_fold("ワ\u3099ヲ\u3099わ\u3099", "ヷヺわ゛");
	check_fold("カ゛は゜ｶ\u3099カﾞ", "ガぱガガ");
	check_fold("か\u200B\u3099き\r\n\u3099", "がぎ");
	check_fold("か\u309Aあ\u3099\u3099x\u309A", "か゜あ゛゛x゜");
	check_fold("\u3099か", "゛か");
}

static void test_text_fold_reads_digits_in_every_form(void **state)
{
	check_fold("②⑵⒉❷➁➋²₂", "22222222");
	check_fold("¹³⁴⁹₀", "13490");
}

static void test_text_fold_drops_space_and_what_is_invisible(void **state)
{
	check_fold(" 機\t密\r\n　性\u200B\u00AD\uFEFF2\u2066", "機密性2");
	check_fold("", "");
	check_fold("\u3000", "");
}

static void test_text_fold_keeps_other_bytes(void **state)
{
	check_fold("\xff\xe6\xa9x", "\xff\xe6\xa9x");
	check_fold("é𠮷漢", "é𠮷漢");
}

static void test_text_fold_stops_at_the_limit(void **state)
{
	struct bytes out;

	bytes_init(&out, 4);
	assert_true(text_fold(span_of("漢字"), &out) < 0);
	bytes_fini(&out);
}

static void test_mail_forward_reads_fields_not_text(void **state)
{
	assert_null(mail_forward_mark(span_of("Subject: x\r\n Resent-From: folded\r\n"),
				      span_of("a@b.example")));
	assert_null(
		mail_forward_mark(span_of("X-Loopback: 1\r\nAuto-Submitted: no\r\n"), span_of("")));
	assert_string_equal(mail_forward_mark(span_of("subject: x\r\nRESENT-TO : a@b\r\n"),
					      span_of("")),
			    "Resent-To field");
	assert_string_equal(mail_forward_mark(span_of("AUTO-submitted:\r\n Auto-Forwarded (x)\r\n"),
					      span_of("")),
			    "Auto-Submitted: auto-forwarded");
	assert_non_null(
		mail_forward_mark(span_of(""), span_of("joe+caf_=x=y.example@gmail.example")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_fold_joins_widths_numerals_and_sound_marks),
		cmocka_unit_test(test_text_fold_composes_kana),
		cmocka_unit_test(test_text_fold_reads_digits_in_every_form),
		cmocka_unit_test(test_text_fold_drops_space_and_what_is_invisible),
		cmocka_unit_test(test_text_fold_keeps_other_bytes),
		cmocka_unit_test(test_text_fold_stops_at_the_limit),
		cmocka_unit_test(test_mail_forward_reads_fields_not_text),
	};

	return cmocka_run_group_tests_name("text_fold", tests, NULL, NULL);
}
