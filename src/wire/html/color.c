/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours of CSS (CSS Color Level 4: names, #, rgb, hsl) and how far apart two of them are. */
#include <string.h>

#include "wire/html/style.h"

#define OPAQUE 0xFF000000U
/* Weighted squared distance (of 255*255*100 at most) below which text is not told from what is
 * behind it: #ebebeb on white is. */
enum { NEAR = 20 * 20 * 100, NAME_BYTES = 24 };

static const struct {
	const char *name;
	uint32_t rgb;
} names[] = {
	{"aliceblue", 0xF0F8FF},
	{"antiquewhite", 0xFAEBD7},
	{"aqua", 0x00FFFF},
	{"aquamarine", 0x7FFFD4},
	{"azure", 0xF0FFFF},
	{"beige", 0xF5F5DC},
	{"bisque", 0xFFE4C4},
	{"black", 0x000000},
	{"blanchedalmond", 0xFFEBCD},
	{"blue", 0x0000FF},
	{"blueviolet", 0x8A2BE2},
	{"brown", 0xA52A2A},
	{"burlywood", 0xDEB887},
	{"cadetblue", 0x5F9EA0},
	{"chartreuse", 0x7FFF00},
	{"chocolate", 0xD2691E},
	{"coral", 0xFF7F50},
	{"cornflowerblue", 0x6495ED},
	{"cornsilk", 0xFFF8DC},
	{"crimson", 0xDC143C},
	{"cyan", 0x00FFFF},
	{"darkblue", 0x00008B},
	{"darkcyan", 0x008B8B},
	{"darkgoldenrod", 0xB8860B},
	{"darkgray", 0xA9A9A9},
	{"darkgreen", 0x006400},
	{"darkgrey", 0xA9A9A9},
	{"darkkhaki", 0xBDB76B},
	{"darkmagenta", 0x8B008B},
	{"darkolivegreen", 0x556B2F},
	{"darkorange", 0xFF8C00},
	{"darkorchid", 0x9932CC},
	{"darkred", 0x8B0000},
	{"darksalmon", 0xE9967A},
	{"darkseagreen", 0x8FBC8F},
	{"darkslateblue", 0x483D8B},
	{"darkslategray", 0x2F4F4F},
	{"darkslategrey", 0x2F4F4F},
	{"darkturquoise", 0x00CED1},
	{"darkviolet", 0x9400D3},
	{"deeppink", 0xFF1493},
	{"deepskyblue", 0x00BFFF},
	{"dimgray", 0x696969},
	{"dimgrey", 0x696969},
	{"dodgerblue", 0x1E90FF},
	{"firebrick", 0xB22222},
	{"floralwhite", 0xFFFAF0},
	{"forestgreen", 0x228B22},
	{"fuchsia", 0xFF00FF},
	{"gainsboro", 0xDCDCDC},
	{"ghostwhite", 0xF8F8FF},
	{"gold", 0xFFD700},
	{"goldenrod", 0xDAA520},
	{"gray", 0x808080},
	{"green", 0x008000},
	{"greenyellow", 0xADFF2F},
	{"grey", 0x808080},
	{"honeydew", 0xF0FFF0},
	{"hotpink", 0xFF69B4},
	{"indianred", 0xCD5C5C},
	{"indigo", 0x4B0082},
	{"ivory", 0xFFFFF0},
	{"khaki", 0xF0E68C},
	{"lavender", 0xE6E6FA},
	{"lavenderblush", 0xFFF0F5},
	{"lawngreen", 0x7CFC00},
	{"lemonchiffon", 0xFFFACD},
	{"lightblue", 0xADD8E6},
	{"lightcoral", 0xF08080},
	{"lightcyan", 0xE0FFFF},
	{"lightgoldenrodyellow", 0xFAFAD2},
	{"lightgray", 0xD3D3D3},
	{"lightgreen", 0x90EE90},
	{"lightgrey", 0xD3D3D3},
	{"lightpink", 0xFFB6C1},
	{"lightsalmon", 0xFFA07A},
	{"lightseagreen", 0x20B2AA},
	{"lightskyblue", 0x87CEFA},
	{"lightslategray", 0x778899},
	{"lightslategrey", 0x778899},
	{"lightsteelblue", 0xB0C4DE},
	{"lightyellow", 0xFFFFE0},
	{"lime", 0x00FF00},
	{"limegreen", 0x32CD32},
	{"linen", 0xFAF0E6},
	{"magenta", 0xFF00FF},
	{"maroon", 0x800000},
	{"mediumaquamarine", 0x66CDAA},
	{"mediumblue", 0x0000CD},
	{"mediumorchid", 0xBA55D3},
	{"mediumpurple", 0x9370DB},
	{"mediumseagreen", 0x3CB371},
	{"mediumslateblue", 0x7B68EE},
	{"mediumspringgreen", 0x00FA9A},
	{"mediumturquoise", 0x48D1CC},
	{"mediumvioletred", 0xC71585},
	{"midnightblue", 0x191970},
	{"mintcream", 0xF5FFFA},
	{"mistyrose", 0xFFE4E1},
	{"moccasin", 0xFFE4B5},
	{"navajowhite", 0xFFDEAD},
	{"navy", 0x000080},
	{"oldlace", 0xFDF5E6},
	{"olive", 0x808000},
	{"olivedrab", 0x6B8E23},
	{"orange", 0xFFA500},
	{"orangered", 0xFF4500},
	{"orchid", 0xDA70D6},
	{"palegoldenrod", 0xEEE8AA},
	{"palegreen", 0x98FB98},
	{"paleturquoise", 0xAFEEEE},
	{"palevioletred", 0xDB7093},
	{"papayawhip", 0xFFEFD5},
	{"peachpuff", 0xFFDAB9},
	{"peru", 0xCD853F},
	{"pink", 0xFFC0CB},
	{"plum", 0xDDA0DD},
	{"powderblue", 0xB0E0E6},
	{"purple", 0x800080},
	{"rebeccapurple", 0x663399},
	{"red", 0xFF0000},
	{"rosybrown", 0xBC8F8F},
	{"royalblue", 0x4169E1},
	{"saddlebrown", 0x8B4513},
	{"salmon", 0xFA8072},
	{"sandybrown", 0xF4A460},
	{"seagreen", 0x2E8B57},
	{"seashell", 0xFFF5EE},
	{"sienna", 0xA0522D},
	{"silver", 0xC0C0C0},
	{"skyblue", 0x87CEEB},
	{"slateblue", 0x6A5ACD},
	{"slategray", 0x708090},
	{"slategrey", 0x708090},
	{"snow", 0xFFFAFA},
	{"springgreen", 0x00FF7F},
	{"steelblue", 0x4682B4},
	{"tan", 0xD2B48C},
	{"teal", 0x008080},
	{"thistle", 0xD8BFD8},
	{"tomato", 0xFF6347},
	{"turquoise", 0x40E0D0},
	{"violet", 0xEE82EE},
	{"wheat", 0xF5DEB3},
	{"white", 0xFFFFFF},
	{"whitesmoke", 0xF5F5F5},
	{"yellow", 0xFFFF00},
	{"yellowgreen", 0x9ACD32},
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* rgb, rgba, rrggbb or rrggbbaa, without "#". */
static bool hex_read(struct span s, uint32_t *argb)
{
	bool is_short = s.size == 3 || s.size == 4, has_alpha = s.size == 4 || s.size == 8;
	uint32_t value = 0;

	if (!is_short && s.size != 6 && s.size != 8)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		int v = hex_value(s.data[i]);

		if (v < 0)
			return false;
		value = value << 4 | (uint32_t)v;
		if (is_short)
			value = value << 4 | (uint32_t)v;
	}
	*argb = has_alpha ? value >> 8 | value << 24 : value | OPAQUE;
	return true;
}

/* Up to four numbers between brackets, in thousandths; percentages of @whole. */
static unsigned parts_read(struct span s, const int64_t whole[4], int64_t part[4])
{
	unsigned count = 0;

	for (size_t at = 0; at < s.size && s.data[at] != ')' && count < 4;) {
		int64_t value;
		size_t taken = html_number_read((struct span){s.data + at, s.size - at}, &value);

		if (taken == 0) {
			at++;
			continue;
		}
		at += taken;
		if (at < s.size && s.data[at] == '%')
			value = value * whole[count] / 100000;
		while (at < s.size && ((s.data[at] | 0x20) >= 'a' && (s.data[at] | 0x20) <= 'z'))
			at++;
		part[count++] = value;
	}
	return count;
}

static uint32_t octet_of(int64_t milli)
{
	return milli <= 0 ? 0 : milli >= 255000 ? 255 : (uint32_t)(milli / 1000);
}

static uint32_t alpha_of(unsigned count, const int64_t part[4])
{
	return count < 4 ? OPAQUE : octet_of(part[3] * 255) << 24;
}

static bool rgb_read(struct span s, uint32_t *argb)
{
	static const int64_t whole[4] = {255000, 255000, 255000, 1000};
	int64_t part[4];
	unsigned count = parts_read(s, whole, part);

	if (count < 3)
		return false;
	*argb = alpha_of(count, part) | octet_of(part[0]) << 16 | octet_of(part[1]) << 8 |
		octet_of(part[2]);
	return true;
}

/* One of red, green and blue of a hue (CSS Color 4, 7: hslToRgb). */
static uint32_t hsl_octet(int64_t hue, int64_t saturation, int64_t light, int64_t n)
{
	int64_t k = (n * 30000 + hue) % 360000 / 30, ramp; /* thousandths of twelve */
	int64_t least = light < 1000 - light ? light : 1000 - light;

	ramp = k - 3000 < 9000 - k ? k - 3000 : 9000 - k;
	ramp = ramp > 1000 ? 1000 : ramp < -1000 ? -1000 : ramp;
	return octet_of((light - saturation * least / 1000 * ramp / 1000) * 255);
}

static bool hsl_read(struct span s, uint32_t *argb)
{
	static const int64_t whole[4] = {360000, 1000, 1000, 1000};
	int64_t part[4], hue;
	unsigned count = parts_read(s, whole, part);

	if (count < 3)
		return false;
	hue = (part[0] % 360000 + 360000) % 360000;
	for (unsigned i = 1; i < 3; i++)
		part[i] = part[i] < 0 ? 0 : part[i] > 1000 ? 1000 : part[i];
	*argb = alpha_of(count, part) | hsl_octet(hue, part[1], part[2], 0) << 16 |
		hsl_octet(hue, part[1], part[2], 8) << 8 | hsl_octet(hue, part[1], part[2], 4);
	return true;
}

static bool name_read(struct span s, uint32_t *argb)
{
	if (s.size > NAME_BYTES)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((s.data[0] | 0x20) == names[i].name[0] &&
		    span_equal_nocase(s, span_of(names[i].name))) {
			*argb = names[i].rgb | OPAQUE;
			return true;
		}
	}
	return false;
}

bool html_color_read(struct span value, bool legacy, uint32_t *argb)
{
	struct span s = span_trim(value), inside;
	const uint8_t *open;

	if (s.size == 0)
		return false;
	if (s.data[0] == '#')
		return hex_read((struct span){s.data + 1, s.size - 1}, argb);
	if (span_equal_nocase(s, span_of("transparent"))) {
		*argb = 0;
		return true;
	}
	open = memchr(s.data, '(', s.size);
	if (open != NULL) {
		inside = (struct span){open + 1, s.size - (size_t)(open - s.data) - 1};
		if (span_starts_nocase(s, span_of("rgb")))
			return rgb_read(inside, argb);
		return span_starts_nocase(s, span_of("hsl")) && hsl_read(inside, argb);
	}
	return name_read(s, argb) || (legacy && hex_read(s, argb));
}

uint32_t html_color_over(uint32_t argb, uint32_t rgb)
{
	uint32_t alpha = argb >> 24, out = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t front = argb >> shift & 0xFF, back = rgb >> shift & 0xFF;

		out |= (front * alpha + back * (255 - alpha)) / 255 << shift;
	}
	return out;
}

bool html_color_is_near(uint32_t a, uint32_t b)
{
	int32_t red = (int32_t)(a >> 16 & 0xFF) - (int32_t)(b >> 16 & 0xFF);
	int32_t green = (int32_t)(a >> 8 & 0xFF) - (int32_t)(b >> 8 & 0xFF);
	int32_t blue = (int32_t)(a & 0xFF) - (int32_t)(b & 0xFF);

	/* As bright as the eye takes them (ITU-R BT.601). */
	return 30 * red * red + 59 * green * green + 11 * blue * blue <= NEAR;
}
