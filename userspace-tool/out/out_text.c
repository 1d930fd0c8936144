// SPDX-License-Identifier: GPL-2.0
/*
 * out_text: lays the tree of a result out as text, blocks of names and tables
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/out_tree.h"

#define BOLD	"\033[1m"
#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"
#define OFF	"\033[0m"

#define COLUMNS_MAX	24	/* of a table; further ones are in the JSON only */
#define JOINED_MAX	16	/* plain values of a list shown on one line */

/* Three digits or so, in the largest unit that it has one of; all of them if it is even. */
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

/* @table leaves out what a heading already says. */
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

static char *format(const struct out *o, const struct out_node *n, bool table)
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

static const char *color_of(const struct out_node *n, bool color)
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

static void print_value(FILE *file, const struct out *o,
			const struct out_node *n, bool color)
{
	const char *on = color_of(n, color);
	char *text = format(o, n, false);

	fprintf(file, "%s%s%s", on, text, *on ? OFF : "");
	free(text);
}

static void title(FILE *file, const char *text, int depth, bool color)
{
	fprintf(file, "%*s%s%s%s\n", depth * 2, "", color ? BOLD : "", text,
		color ? OFF : "");
}

static bool is_plain_list(const struct out_node *n)
{
	return n->kind == NODE_LIST && n->child && n->child->kind == NODE_VALUE;
}

static void print_joined(FILE *file, const struct out *o,
			 const struct out_node *list, bool color)
{
	const struct out_node *c;
	int nr = 0, left = 0;

	for (c = list->child; c; c = c->next) {
		if (nr >= JOINED_MAX) {
			left++;
			continue;
		}
		fprintf(file, "%s", nr++ ? ", " : "");
		print_value(file, o, c, color);
	}
	if (left)
		fprintf(file, ", and %d more", left);
}

/* The first of a list's items that is shown, or the next one after @n. */
static const struct out_node *first_shown(const struct out_node *n)
{
	while (n && n->hidden)
		n = n->next;
	return n;
}

static bool is_left(const struct out_node *n)
{
	return n->value && json_object_is_type(n->value, json_type_string);
}

static int columns(const struct out_node *item, const struct out_node **col)
{
	const struct out_node *c;
	int nr = 0;

	for (c = item->child; c && nr < COLUMNS_MAX; c = c->next)
		if (c->label && c->kind == NODE_VALUE)
			col[nr++] = c;
	return nr;
}

static void print_cell(FILE *file, const char *text, int width, bool left,
		       bool last, const char *on)
{
	int pad = width - (int)strlen(text);

	if (pad < 0)
		pad = 0;
	fprintf(file, "%*s%s%s%s%*s", left ? 0 : pad, "", on, text,
		*on ? OFF : "", left && !last ? pad : 0, "");
}

static void print_table(FILE *file, const struct out *o,
			const struct out_node *list, int depth, bool color)
{
	const struct out_node *head[COLUMNS_MAX], *col[COLUMNS_MAX];
	int width[COLUMNS_MAX], nr, i, n;
	bool left[COLUMNS_MAX];
	const struct out_node *first = first_shown(list->child), *item;
	char *text;

	nr = columns(first, head);
	for (i = 0; i < nr; i++) {
		width[i] = strlen(head[i]->label);
		left[i] = is_left(head[i]);
	}
	for (item = first; item; item = first_shown(item->next)) {
		n = columns(item, col);
		for (i = 0; i < n && i < nr; i++) {
			text = format(o, col[i], true);
			if ((int)strlen(text) > width[i])
				width[i] = strlen(text);
			left[i] |= is_left(col[i]);
			free(text);
		}
	}
	fprintf(file, "%*s", depth * 2, "");
	for (i = 0; i < nr; i++) {
		fprintf(file, "%s", i ? "  " : "");
		print_cell(file, head[i]->label, width[i], left[i], i == nr - 1,
			   color ? BOLD : "");
	}
	fputc('\n', file);
	for (item = first; item; item = first_shown(item->next)) {
		fprintf(file, "%*s", depth * 2, "");
		n = columns(item, col);
		for (i = 0; i < n && i < nr; i++) {
			text = format(o, col[i], true);
			fprintf(file, "%s", i ? "  " : "");
			print_cell(file, text, width[i], left[i], i == nr - 1,
				   color_of(col[i], color));
			free(text);
		}
		fputc('\n', file);
	}
}

/* The first value of each item beside the second, the others below it. */
static void print_cards(FILE *file, const struct out *o,
			const struct out_node *list, int depth, bool color)
{
	const struct out_node *item, *col[COLUMNS_MAX];
	int width = 0, nr, i;
	char *text;

	for (item = list->child; item; item = item->next) {
		if (!columns(item, col))
			continue;
		text = format(o, col[0], true);
		if ((int)strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	for (item = list->child; item; item = item->next) {
		nr = columns(item, col);
		for (i = 0; i < nr; i++) {
			if (!col[i]->value)
				continue;
			text = format(o, col[i], true);
			fprintf(file, "%*s", i == 1 ? 2 : i ? depth * 2 + width + 2
				: depth * 2, "");
			print_cell(file, text, i ? 0 : width, true, i || nr == 1,
				   color_of(col[i], color));
			if (i || nr == 1)
				fputc('\n', file);
			free(text);
		}
	}
}

static bool is_line(const struct out_node *n)
{
	return n->label && (n->kind == NODE_VALUE || is_plain_list(n));
}

static void print_group(FILE *file, const struct out *o,
			const struct out_node *group, int depth, bool color)
{
	const struct out_node *c;
	int width = 0;

	for (c = first_shown(group->child); c; c = first_shown(c->next))
		if (is_line(c) && (int)strlen(c->label) > width)
			width = strlen(c->label);
	for (c = first_shown(group->child); c; c = first_shown(c->next)) {
		if (!c->label)
			continue;
		if (is_line(c)) {
			fprintf(file, "%*s%-*s  ", depth * 2, "", width, c->label);
			if (c->kind == NODE_LIST)
				print_joined(file, o, c, color);
			else
				print_value(file, o, c, color);
			fputc('\n', file);
			continue;
		}
		if (c->kind == NODE_DRAWING) {
			fputs(c->key, file);
			continue;
		}
		if (!first_shown(c->child))
			continue;
		if (*c->label)
			title(file, c->label, depth, color);
		if (c->kind == NODE_LIST && c->cards)
			print_cards(file, o, c, depth + !!*c->label, color);
		else if (c->kind == NODE_LIST)
			print_table(file, o, c, depth + !!*c->label, color);
		else
			print_group(file, o, c, depth + !!*c->label, color);
	}
}

void out_text(FILE *file, const struct out *o, bool color)
{
	print_group(file, o, o->root, 0, color);
}

/* The root's own values as one line; columns as wide as their heading needs. */
void out_text_row(FILE *file, const struct out *o, bool header, bool color)
{
	const struct out_node *col[COLUMNS_MAX];
	int nr = columns(o->root, col), i, width;
	char *text;

	for (i = 0; header && i < nr; i++) {
		width = strlen(col[i]->label) < 9 ? 9 : strlen(col[i]->label);
		fprintf(file, "%s", i ? " " : "");
		print_cell(file, col[i]->label, width, false, i == nr - 1,
			   color ? BOLD : "");
	}
	if (header)
		fputc('\n', file);
	for (i = 0; i < nr; i++) {
		width = strlen(col[i]->label) < 9 ? 9 : strlen(col[i]->label);
		text = format(o, col[i], true);
		fprintf(file, "%s", i ? " " : "");
		print_cell(file, text, width, false, i == nr - 1,
			   color_of(col[i], color));
		free(text);
	}
	fputc('\n', file);
}
