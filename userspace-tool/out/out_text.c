// SPDX-License-Identifier: GPL-2.0
/*
 * out_text: lays the tree of a result out as text, blocks of names and tables
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/terminal.h"
#include "out/out_tree.h"

#define JOINED_MAX	16	/* plain values of a list shown on one line */

static void print_value(FILE *file, const struct out *o,
			const struct out_node *n, int at, bool color)
{
	char *text = out_format(o, n, false);

	out_wrap(file, text, terminal_columns() - at, at, out_format_color(n, color), false);
	free(text);
}

static void title(FILE *file, const char *text, int depth, bool color)
{
	fprintf(file, "%*s%s%s%s\n", depth * 2, "", color ? OUT_COLOR_BOLD : "", text,
		color ? OUT_COLOR_OFF : "");
}

static bool is_plain_list(const struct out_node *n)
{
	return n->kind == NODE_LIST && n->child && n->child->kind == NODE_VALUE;
}

static void print_joined(FILE *file, const struct out *o, const struct out_node *list, int at)
{
	const struct out_node *c;
	int nr = 0, left = 0;
	size_t size;
	char *all, *text;
	FILE *joined = xmemstream(&all, &size);

	for (c = list->child; c; c = c->next) {
		if (nr >= JOINED_MAX) {
			left++;
			continue;
		}
		text = out_format(o, c, false);
		fprintf(joined, "%s%s", nr++ ? ", " : "", text);
		free(text);
	}
	if (left)
		fprintf(joined, ", and %d more", left);
	xmemstream_end(joined);
	out_wrap(file, all, terminal_columns() - at, at, "", false);
	free(all);
}

static bool is_line(const struct out_node *n)
{
	return n->label && (n->kind == NODE_VALUE || is_plain_list(n));
}

static void print_group(FILE *file, struct out *o, const struct out_node *group, int depth,
			bool color)
{
	const struct out_node *c;
	int width = 0;

	for (c = out_first_shown(group->child); c; c = out_first_shown(c->next))
		if (is_line(c) && (int)strlen(c->label) > width)
			width = strlen(c->label);
	for (c = out_first_shown(group->child); c; c = out_first_shown(c->next)) {
		if (!c->label)
			continue;
		if (is_line(c)) {
			fprintf(file, "%*s%-*s  ", depth * 2, "", width, c->label);
			if (c->kind == NODE_LIST)
				print_joined(file, o, c, depth * 2 + width + 2);
			else
				print_value(file, o, c, depth * 2 + width + 2, color);
			fputc('\n', file);
			continue;
		}
		if (c->kind == NODE_DRAWING) {
			fputs(c->key, file);
			continue;
		}
		if (!out_first_shown(c->child))
			continue;
		if (*c->label)
			title(file, c->label, depth, color);
		if (c->kind == NODE_LIST && c->cards)
			out_table_cards(file, o, c, depth + !!*c->label, color);
		else if (c->kind == NODE_LIST)
			out_table(file, o, c, depth + !!*c->label, color);
		else
			print_group(file, o, c, depth + !!*c->label, color);
	}
}

void out_text(FILE *file, struct out *o, bool color)
{
	print_group(file, o, o->root, 0, color);
}
