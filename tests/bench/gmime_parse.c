/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What parsing a mail alone costs in GMime: parses the message in FILE and decodes its parts for
 * SECONDS of processor time, and prints megabytes a second. Usage: gmime_parse FILE SECONDS.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Decode a part's content, to where nobody keeps it. */
static void decode_part(GMimeObject *parent, GMimeObject *part, gpointer ctx)
{
	if (GMIME_IS_PART(part)) {
		GMimeStream *sink = g_mime_stream_null_new();
		GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));

		if (content != NULL && g_mime_data_wrapper_write_to_stream(content, sink) < 0)
			exit(1);
		g_object_unref(sink);
	}
}

static void parse_once(const char *data, size_t size)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message == NULL)
		exit(1);
	g_mime_message_foreach(message, decode_part, NULL);
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(int argc, char **argv)
{
	gchar *data;
	gsize size;
	double begin, seconds;
	unsigned count = 0;

	if (argc != 3 || !g_file_get_contents(argv[1], &data, &size, NULL))
		return 2;
	seconds = atof(argv[2]);
	g_mime_init();
	begin = cpu_seconds();
	do {
		parse_once(data, size);
		count++;
	} while (cpu_seconds() - begin < seconds);
	printf("%.3f\n", (double)size * count / 1e6 / (cpu_seconds() - begin));
	g_mime_shutdown();
	g_free(data);
	return 0;
}
