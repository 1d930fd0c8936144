/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out_tree: the tree of a described result, shared by the files of out only
 */
#ifndef MYALLOCCTL_OUT_TREE_H
#define MYALLOCCTL_OUT_TREE_H

#include <json-c/json.h>
#include <stdio.h>

#include "out/out_describe.h"

enum out_kind {
	NODE_GROUP,
	NODE_LIST,
	NODE_VALUE,
	NODE_DRAWING,	/* text only: @key */
};

struct out_node {
	enum out_kind kind;
	enum out_unit unit;
	int rank;
	bool cards;		/* a list shown as sentences */
	bool hidden;		/* in the JSON only */
	char *key;		/* NULL in a list */
	char *label;		/* NULL: in the JSON only, with its children */
	struct json_object *value;	/* NODE_VALUE; NULL is null */
	struct out_node *next;
	struct out_node *child;
	struct out_node *last;
	struct out_node *up;
};

struct out {
	char *kind;
	bool has_seed;
	__u64 seed;
	__u64 page_size;
	bool show_system;
	bool brief;		/* hide numbers that are 0 */
	char *text;		/* printed in place of the tree's, or NULL */
	char *left_out;		/* columns of tables that did not fit, or NULL */
	int needs;		/* width of the terminal that shows all of them */
	struct out_node *root;
	struct out_node *at;	/* the open group or list */
};

/* out_tree.c */
struct json_object *out_string(const char *s);
struct json_object *out_node_json(const struct out_node *n);
void out_tree_free(struct out *o);
/* @n, or the first one after it that the text shows; NULL if there is none. */
const struct out_node *out_first_shown(const struct out_node *n);
void out_left_out(struct out *o, const char *label);
void out_needs(struct out *o, int columns);

/* out_system.c */
#define OUT_SYSTEM_FORM \
	"kernel:text|null version:text|null machine:text|null cpus:int taint:uint|null " \
	"hypervisor:text|null accelerator:text|null debug_options:[text]|null"
void out_system(struct out *o);

/* out_format.c; in a @table the heading has the unit of pages. */
#define OUT_COLOR_BOLD	"\033[1m"
#define OUT_COLOR_OFF	"\033[0m"
char *out_format(const struct out *o, const struct out_node *n, bool table);
const char *out_format_color(const struct out_node *n, bool color);
char *out_text_clean(const char *s);

/* out_table.c */
void out_table(FILE *file, struct out *o, const struct out_node *list, int depth, bool color);
void out_table_row(FILE *file, struct out *o, bool header, bool color);
void out_table_cards(FILE *file, const struct out *o, const struct out_node *list, int depth,
		     bool color);

/*
 * out_wrap.c: prints @text in lines of @width columns, further lines behind @indent blanks. A
 * longer word is broken if @breaks, else it sticks out.
 */
void out_wrap(FILE *file, const char *text, int width, int indent, const char *on, bool breaks);

/* out_text.c */
void out_text(FILE *file, struct out *o, bool color);

#endif /* MYALLOCCTL_OUT_TREE_H */
