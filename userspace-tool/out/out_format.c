// SPDX-License-Identifier: GPL-2.0
/*
 * out_format: a value of a result as text, and its colour
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/out_tree.h"

#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"

/* About three digits, in the largest unit that the value reaches; exact if it is a multiple. */
static char *format_scaled(__u64 v, const char *const *units, int nr,
			   __u64 step)
{
	__u64 whole = 1;
	double d = v;
	int i = 0;

	while (i < nr - 1 && d >= step) {
		d /= step;
		whole *= step;
		i++;
	}
	if (v % whole == 0)
		return xasprintf("%" PRIu64 " %s", (uint64_t)(v / whole),
				 units[i]);
	return xasprintf(d < 10 ? "%.2f %s" : "%.1f %s", d, units[i]);
}

static char *format_bytes(__u64 v)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };

	return format_scaled(v, units, ARRAY_SIZE(units), 1024);
}

static char *format_ns(__u64 v)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	return format_scaled(v, units, ARRAY_SIZE(units), 1000);
}

static char *format_ms(__u64 v)
{
	if (v < 1000)
		return xasprintf("%" PRIu64 " ms", (uint64_t)v);
	return xasprintf("%" PRIu64 ".%" PRIu64 " s", (uint64_t)v / 1000,
			 (uint64_t)v % 1000 / 100);
}

static char *format_rate(__u64 v)
{
	static const char *const units[] = { "/s", "k/s", "M/s", "G/s" };

	return format_scaled(v, units, ARRAY_SIZE(units), 1000);
}

/* @table: leave out the unit, which the heading has. */
static char *format_number(const struct out *o, const struct out_node *n,
			   bool table)
{
	int64_t s = json_object_get_int64(n->value);
	uint64_t v = json_object_get_uint64(n->value);
	char *bytes, *text;

	switch (n->unit) {
	case OUT_BYTES:
		return format_bytes(v);
	case OUT_NS:
		return format_ns(v);
	case OUT_MS:
		return format_ms(v);
	case OUT_RATE:
		return format_rate(v);
	case OUT_PERMILLE:
		return xasprintf("%s%" PRId64 ".%" PRId64 " %%", s < 0 ? "-" : "",
				 (s < 0 ? -s : s) / 10, (s < 0 ? -s : s) % 10);
	case OUT_INDEX:
		return xasprintf("%s%" PRId64 ".%03" PRId64, s < 0 ? "-" : "",
				 (s < 0 ? -s : s) / 1000,
				 (s < 0 ? -s : s) % 1000);
	case OUT_PAGES:
		if (table || !o->page_size)
			break;
		bytes = format_bytes(v * o->page_size);
		text = xasprintf("%" PRIu64 " page%s, %s", v, v == 1 ? "" : "s",
				 bytes);
		free(bytes);
		return text;
	default:
		break;
	}
	return xstrdup(json_object_get_string(n->value));
}

/* Text from the kernel or a file must not reach the terminal as control codes. */
char *out_text_clean(const char *s)
{
	char *clean = xstrdup(s), *p;

	for (p = clean; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return clean;
}

char *out_format(const struct out *o, const struct out_node *n, bool table)
{
	if (!n->value)
		return xstrdup("-");
	switch (json_object_get_type(n->value)) {
	case json_type_int:
		return format_number(o, n, table);
	case json_type_boolean:
		return xstrdup(json_object_get_boolean(n->value) ? "yes" : "no");
	case json_type_string:
		return out_text_clean(json_object_get_string(n->value));
	default:
		return xstrdup(json_object_get_string(n->value));
	}
}

const char *out_format_color(const struct out_node *n, bool color)
{
	if (!color)
		return "";
	switch (n->unit) {
	case OUT_GOOD:
		return GREEN;
	case OUT_BAD:
		return RED;
	case OUT_WARN:
		return YELLOW;
	default:
		return "";
	}
}
