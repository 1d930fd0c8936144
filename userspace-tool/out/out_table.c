// SPDX-License-Identifier: GPL-2.0
/*
 * out_table: lists of a result as tables that fit the terminal, and as sentences
 *
 * A table that is too wide continues text of its last column on the next line, as long as WRAP_LEAST
 * columns are left for it. Then whole columns are left out: those of the lowest rank first, and of
 * one rank the last first. The first one stays.
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/terminal.h"
#include "out/out_tree.h"

#define COLUMNS_MAX	24	/* of a table; further ones are in the JSON only */
#define GAP		2	/* between two columns */
#define ROW_LEAST	9	/* least width of a figure in a row without a table */
#define WRAP_LEAST	16

struct column {
	const struct out_node *head;
	int at;			/* index among the columns of an item */
	int width;
	bool left;
};

struct table {
	struct column column[COLUMNS_MAX];
	int nr;
	int wrap;		/* columns for text in the last one, 0 if it need not be wrapped */
};

static bool is_left(const struct out_node *n)
{
	return n->value && json_object_is_type(n->value, json_type_string);
}

/* Find the values of an item that are shown, up to COLUMNS_MAX. */
static int columns(const struct out_node *item, const struct out_node **col)
{
	const struct out_node *c;
	int nr = 0;

	for (c = item->child; c && nr < COLUMNS_MAX; c = c->next)
		if (c->label && c->kind == NODE_VALUE)
			col[nr++] = c;
	return nr;
}

/* ---- which columns ---- */

static void begin(struct table *t, const struct out_node *item)
{
	const struct out_node *head[COLUMNS_MAX];
	int i;

	memset(t, 0, sizeof(*t));
	t->nr = columns(item, head);
	for (i = 0; i < t->nr; i++) {
		t->column[i].head = head[i];
		t->column[i].at = i;
		t->column[i].width = strlen(head[i]->label);
		t->column[i].left = is_left(head[i]);
	}
}

static void measure(struct table *t, const struct out *o, const struct out_node *item)
{
	const struct out_node *col[COLUMNS_MAX];
	int nr = columns(item, col), i;
	char *text;

	for (i = 0; i < nr && i < t->nr; i++) {
		text = out_format(o, col[i], true);
		if ((int)strlen(text) > t->column[i].width)
			t->column[i].width = strlen(text);
		t->column[i].left |= is_left(col[i]);
		free(text);
	}
}

static int width_of(const struct table *t, int gap)
{
	int sum = 0, i;

	for (i = 0; i < t->nr; i++)
		sum += t->column[i].width + (i ? gap : 0);
	return sum;
}

static void leave_out(struct table *t, struct out *o)
{
	int worst = t->nr - 1, i;

	for (i = t->nr - 1; i > 0; i--)
		if (t->column[i].head->rank < t->column[worst].head->rank)
			worst = i;
	out_left_out(o, t->column[worst].head->label);
	memmove(&t->column[worst], &t->column[worst + 1],
		(t->nr - worst - 1) * sizeof(t->column[0]));
	t->nr--;
}

/* Make the table fit @room columns; @wrap: text of the last column may be continued. */
static void fit(struct table *t, struct out *o, int room, int gap, bool wrap)
{
	const struct column *last;
	int all = width_of(t, gap), more;

	for (;;) {
		last = &t->column[t->nr - 1];
		more = width_of(t, gap) - room;
		if (more <= 0)
			break;
		if (wrap && last->left && (last->width - more >= WRAP_LEAST || t->nr == 1)) {
			t->wrap = last->width > more ? last->width - more : 1;
			break;
		}
		if (t->nr == 1)
			break;
		leave_out(t, o);
	}
	out_needs(o, all + terminal_columns() - room);
}

/* ---- printing ---- */

static void print_cell(FILE *file, const char *text, int width, bool left,
		       bool last, const char *on)
{
	int pad = width - (int)strlen(text);

	if (pad < 0)
		pad = 0;
	fprintf(file, "%*s%s%s%s%*s", left ? 0 : pad, "", on, text,
		*on ? OUT_COLOR_OFF : "", left && !last ? pad : 0, "");
}

static void print_heading(FILE *file, const struct table *t, int gap, bool color)
{
	int i;

	for (i = 0; i < t->nr; i++) {
		fprintf(file, "%*s", i ? gap : 0, "");
		print_cell(file, t->column[i].head->label, t->column[i].width, t->column[i].left,
			   i == t->nr - 1, color ? OUT_COLOR_BOLD : "");
	}
	fputc('\n', file);
}

static void print_item(FILE *file, const struct table *t, const struct out *o,
		       const struct out_node *item, int indent, int gap, bool color)
{
	const struct out_node *col[COLUMNS_MAX];
	int nr = columns(item, col), i, at = indent;
	const struct column *c;
	const char *on;
	char *text;

	for (i = 0; i < t->nr && t->column[i].at < nr; i++) {
		c = &t->column[i];
		text = out_format(o, col[c->at], true);
		on = out_format_color(col[c->at], color);
		fprintf(file, "%*s", i ? gap : 0, "");
		if (t->wrap && i == t->nr - 1)
			out_wrap(file, text, t->wrap, at, on, true);
		else
			print_cell(file, text, c->width, c->left, i == t->nr - 1, on);
		at += c->width + gap;
		free(text);
	}
	fputc('\n', file);
}

void out_table(FILE *file, struct out *o, const struct out_node *list, int depth, bool color)
{
	const struct out_node *first = out_first_shown(list->child), *item;
	int indent = depth * 2;
	struct table t;

	begin(&t, first);
	if (!t.nr)
		return;
	for (item = first; item; item = out_first_shown(item->next))
		measure(&t, o, item);
	fit(&t, o, terminal_columns() - indent, GAP, true);
	fprintf(file, "%*s", indent, "");
	print_heading(file, &t, GAP, color);
	for (item = first; item; item = out_first_shown(item->next)) {
		fprintf(file, "%*s", indent, "");
		print_item(file, &t, o, item, indent, GAP, color);
	}
}

/* Print the root's own values as one line, with columns as wide as their headings. */
void out_table_row(FILE *file, struct out *o, bool header, bool color)
{
	struct table t;
	int i;

	begin(&t, o->root);
	for (i = 0; i < t.nr; i++) {
		t.column[i].left = false;
		if (t.column[i].width < ROW_LEAST)
			t.column[i].width = ROW_LEAST;
	}
	fit(&t, o, terminal_columns(), 1, false);
	if (header)
		print_heading(file, &t, 1, color);
	print_item(file, &t, o, o->root, 0, 1, color);
}

/*
 * Print each item as its first value beside the second, with the others below it; a label that is
 * not empty precedes its value.
 */
void out_table_cards(FILE *file, const struct out *o, const struct out_node *list, int depth,
		     bool color)
{
	const struct out_node *item, *col[COLUMNS_MAX];
	int width = 0, labels = 0, nr, i, at;
	char *text;

	for (item = list->child; item; item = item->next) {
		nr = columns(item, col);
		if (!nr)
			continue;
		for (i = 2; i < nr; i++)
			if ((int)strlen(col[i]->label) > labels)
				labels = strlen(col[i]->label);
		text = out_format(o, col[0], true);
		if ((int)strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	for (item = list->child; item; item = item->next) {
		nr = columns(item, col);
		for (i = 0; i < nr; i++) {
			if (!col[i]->value)
				continue;
			text = out_format(o, col[i], true);
			at = i ? depth * 2 + width + 2 : depth * 2;
			fprintf(file, "%*s", i == 1 ? 2 : at, "");
			if (i > 1 && *col[i]->label) {
				fprintf(file, "%-*s  ", labels, col[i]->label);
				at += labels + 2;
			}
			if (i)
				out_wrap(file, text, terminal_columns() - at, at,
					 out_format_color(col[i], color), false);
			else
				print_cell(file, text, width, true, nr == 1,
					   out_format_color(col[i], color));
			if (i || nr == 1)
				fputc('\n', file);
			free(text);
		}
	}
}
