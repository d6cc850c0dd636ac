/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format=flowed, line by line. */
#include "wire/text/flow.h"

#include <string.h>

#include "base/err.h"

/* A line without its end, quote marks and stuffing taken off. */
struct flowed_line {
	struct span text;
	size_t depth;
	bool soft; /* goes on in the next line of the same depth */
};

static struct flowed_line read_line(struct span in, size_t *at)
{
	const uint8_t *lf = memchr(in.data + *at, '\n', in.size - *at);
	size_t end = lf != NULL ? (size_t)(lf - in.data) : in.size;
	struct flowed_line line = {.text = {in.data + *at, end - *at}};

	*at = lf != NULL ? end + 1 : end;
	if (line.text.size > 0 && line.text.data[line.text.size - 1] == '\r')
		line.text.size--;
	while (line.depth < line.text.size && line.text.data[line.depth] == '>')
		line.depth++;
	line.text = (struct span){line.text.data + line.depth, line.text.size - line.depth};
	if (line.text.size > 0 && line.text.data[0] == ' ')
		line.text = (struct span){line.text.data + 1, line.text.size - 1};
	line.soft = line.text.size > 0 && line.text.data[line.text.size - 1] == ' ' &&
		    !span_equal_nocase(line.text, span_of("-- "));
	return line;
}

static int begin_line(size_t depth, struct bytes *out)
{
	int err = 0;

	for (size_t i = 0; i < depth && i < 50 && err == 0; i++)
		err = bytes_append(out, "> ", 2);
	return err;
}

int text_unflow(struct span in, bool delsp, struct bytes *out)
{
	bool joining = false;
	size_t depth = 0, at = 0;
	int err = 0;

	while (at < in.size && err == 0) {
		struct flowed_line line = read_line(in, &at);

		if (joining && line.depth != depth)
			err = bytes_append_u8(out, '\n');
		if (!joining || line.depth != depth)
			err = err < 0 ? err : begin_line(line.depth, out);
		if (line.soft && delsp)
			line.text.size--;
		if (err == 0)
			err = bytes_append(out, line.text.data, line.text.size);
		if (err == 0 && !line.soft)
			err = bytes_append_u8(out, '\n');
		joining = line.soft;
		depth = line.depth;
	}
	return err;
}
