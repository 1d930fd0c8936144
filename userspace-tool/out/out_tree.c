// SPDX-License-Identifier: GPL-2.0
/*
 * out_tree: builds the tree of a result
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/out_tree.h"

static void node_free(struct out_node *n)
{
	struct out_node *next;

	for (; n; n = next) {
		next = n->next;
		node_free(n->child);
		json_object_put(n->value);
		free(n->key);
		free(n->label);
		free(n);
	}
}

static struct out_node *node_add(struct out *o, enum out_kind kind,
				 const char *key, const char *label)
{
	struct out_node *n = xcalloc(1, sizeof(*n));

	n->kind = kind;
	n->key = key ? xstrdup(key) : NULL;
	n->label = label ? xstrdup(label) : NULL;
	n->up = o->at;
	if (o->at->last)
		o->at->last->next = n;
	else
		o->at->child = n;
	o->at->last = n;
	return n;
}

struct out *out_new(const char *kind)
{
	struct out *o = xcalloc(1, sizeof(*o));

	o->kind = xstrdup(kind);
	o->root = xcalloc(1, sizeof(*o->root));
	o->root->kind = NODE_GROUP;
	o->at = o->root;
	return o;
}

void out_tree_free(struct out *o)
{
	node_free(o->root);
	free(o->text);
	free(o->left_out);
	free(o->kind);
	free(o);
}

void out_seed(struct out *o, __u64 seed)
{
	o->has_seed = true;
	o->seed = seed;
}

void out_page_size(struct out *o, __u64 bytes)
{
	o->page_size = bytes;
}

void out_show_system(struct out *o)
{
	o->show_system = true;
}

bool out_brief(struct out *o, bool brief)
{
	bool was = o->brief;

	o->brief = brief;
	return was;
}

void out_hide(struct out *o)
{
	o->at->hidden = true;
}

void out_rank(struct out *o, int rank)
{
	o->at->last->rank = rank;
}

const struct out_node *out_first_shown(const struct out_node *n)
{
	while (n && n->hidden)
		n = n->next;
	return n;
}

void out_left_out(struct out *o, const char *label)
{
	char *longer = xasprintf("%s%s%s", o->left_out ? o->left_out : "",
				 o->left_out ? ", " : "", label);

	free(o->left_out);
	o->left_out = longer;
}

void out_needs(struct out *o, int columns)
{
	if (columns > o->needs)
		o->needs = columns;
}

void out_as_text(struct out *o, char *text)
{
	o->text = text;
}

void out_group(struct out *o, const char *key, const char *label)
{
	o->at = node_add(o, NODE_GROUP, key, label);
}

void out_list(struct out *o, const char *key, const char *label)
{
	o->at = node_add(o, NODE_LIST, key, label);
}

void out_cards(struct out *o, const char *key, const char *label)
{
	out_list(o, key, label);
	o->at->cards = true;
}

void out_item(struct out *o)
{
	o->at = node_add(o, NODE_GROUP, NULL, NULL);
}

void out_end(struct out *o)
{
	o->at = o->at->up;
}

static void value_add(struct out *o, const char *key, const char *label,
		      enum out_unit unit, struct json_object *value)
{
	struct out_node *n = node_add(o, NODE_VALUE, key, label);

	n->unit = unit;
	n->value = value;
	n->hidden = o->brief && json_object_is_type(value, json_type_int) &&
		    !json_object_get_int64(value);
}

void out_u64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __u64 value)
{
	value_add(o, key, label, unit, json_object_new_uint64(value));
}

void out_s64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __s64 value)
{
	value_add(o, key, label, unit, json_object_new_int64(value));
}

/* @num / @den with three decimals, null where @den is 0. */
void out_ratio(struct out *o, const char *key, const char *label,
	       double num, double den)
{
	char *text;

	if (den == 0) {
		out_null(o, key, label);
		return;
	}
	text = xasprintf("%.3f", num / den);
	value_add(o, key, label, OUT_PLAIN,
		  json_object_new_double_s(num / den, text));
	free(text);
}

/* Length of the UTF-8 sequence at @s, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	int i, n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* json-c copies bytes unchanged, so a string that is not UTF-8 would make invalid JSON. */
struct json_object *out_string(const char *s)
{
	struct json_object *value;
	char *clean = xstrdup(s), *p = clean;
	int n;

	while (*p) {
		n = utf8_length((unsigned char *)p);
		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	value = json_object_new_string(clean);
	free(clean);
	return value;
}

void out_str(struct out *o, const char *key, const char *label,
	     enum out_unit unit, const char *value)
{
	value_add(o, key, label, unit, out_string(value));
}

/* For the fixed arrays of the interface, which may fill their @size. */
void out_strn(struct out *o, const char *key, const char *label,
	      enum out_unit unit, const char *value, size_t size)
{
	char *s = xasprintf("%.*s", (int)strnlen(value, size), value);

	out_str(o, key, label, unit, s);
	free(s);
}

void out_bool(struct out *o, const char *key, const char *label,
	      enum out_unit unit, bool value)
{
	value_add(o, key, label, unit, json_object_new_boolean(value));
}

/* A handle is a name, not a number: a string keeps its 64 bits in every reader. */
void out_handle(struct out *o, const char *key, const char *label, __u64 value)
{
	char *s = xasprintf("0x%llx", (unsigned long long)value);

	out_str(o, key, label, OUT_PLAIN, s);
	free(s);
}

void out_json(struct out *o, const char *key, const char *label,
	      struct json_object *value)
{
	value_add(o, key, label, OUT_PLAIN, json_object_get(value));
}

void out_null(struct out *o, const char *key, const char *label)
{
	value_add(o, key, label, OUT_PLAIN, NULL);
}

void out_drawing(struct out *o, const char *text)
{
	node_add(o, NODE_DRAWING, text, "");
}

struct json_object *out_node_json(const struct out_node *n)
{
	struct json_object *j;
	const struct out_node *c;

	if (n->kind == NODE_VALUE)
		return json_object_get(n->value);
	j = n->kind == NODE_LIST ? json_object_new_array()
				 : json_object_new_object();
	for (c = n->child; c; c = c->next) {
		if (c->kind == NODE_DRAWING)
			continue;
		if (n->kind == NODE_LIST)
			json_object_array_add(j, out_node_json(c));
		else
			json_object_object_add(j, c->key, out_node_json(c));
	}
	return j;
}
