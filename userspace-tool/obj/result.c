// SPDX-License-Identifier: GPL-2.0
/*
 * result: compare two results of the same kind from files, figure by figure
 *
 * A figure is a number somewhere in "result". Members of objects are matched by name, items of an
 * array by the member that tells them apart; a series of samples, which has no such member, is left
 * out.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/kept.h"
#include "obj/objects.h"
#include "out/out.h"

static bool is_number(struct json_object *o)
{
	return json_object_is_type(o, json_type_int) ||
	       json_object_is_type(o, json_type_double);
}

static struct json_object *twin(struct json_object *list, const char *key,
				struct json_object *value)
{
	struct json_object *item, *other;
	size_t i;

	if (!json_object_is_type(list, json_type_array))
		return NULL;
	for (i = 0; i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (json_object_is_type(item, json_type_object) &&
		    json_object_object_get_ex(item, key, &other) &&
		    json_object_equal(value, other))
			return item;
	}
	return NULL;
}

static void figure(struct out *o, const char *path, struct json_object *old,
		   struct json_object *new)
{
	out_item(o);
	out_str(o, "figure", "figure", OUT_PLAIN, path);
	out_json(o, "old", "old", old);
	out_json(o, "new", "new", new);
	out_ratio(o, "ratio", "new/old", json_object_get_double(new),
		  json_object_get_double(old));
	out_end(o);
}

static void compare(struct out *o, const char *path, struct json_object *old,
		    struct json_object *new);

/* Two lists that are compared. */
struct lists {
	struct out *o;
	struct json_object *new;
};

static void compare_items(void *arg, const struct kept_item *item)
{
	const struct lists *l = arg;

	compare(l->o, item->path, item->value, twin(l->new, item->key, item->name));
}

static void compare(struct out *o, const char *path, struct json_object *old,
		    struct json_object *new)
{
	struct json_object *other;
	char *longer;

	if (!new)
		return;
	if (is_number(old) && is_number(new)) {
		figure(o, path, old, new);
	} else if (json_object_is_type(old, json_type_array)) {
		kept_each_item(path, old, compare_items, &(struct lists){ o, new });
	} else if (json_object_is_type(old, json_type_object)) {
		json_object_object_foreach(old, key, value) {
			/* The member that identifies the item is not a figure. */
			if (*path && path[strlen(path) - 1] == ']' &&
			    kept_identity(old) && !strcmp(kept_identity(old), key))
				continue;
			if (!json_object_object_get_ex(new, key, &other))
				continue;
			longer = xasprintf("%s%s%s", path, *path ? "." : "", key);
			compare(o, longer, value, other);
			free(longer);
		}
	}
}

static const char diff_form[] =
	"kind:text old:text new:text differences:[text] "
	"figures:[{ figure:text old:number new:number ratio:number|null }]";

static int describe(const struct kept *a, const struct kept *b)
{
	struct out *o = out_new("result diff");

	out_str(o, "kind", "kind", OUT_PLAIN, a->kind);
	out_str(o, "old", "old", OUT_PLAIN, a->file);
	out_str(o, "new", "new", OUT_PLAIN, b->file);
	kept_differences(o, a, b);
	out_list(o, "figures", "Figures");
	compare(o, "", a->result, b->result);
	out_end(o);
	return out_finish(o, EXIT_OK);
}

static int diff(struct cmd *c)
{
	struct kept a = { 0 }, b = { 0 };
	char *old, *new;
	int code;

	old = cmd_word(c);
	new = cmd_word(c);
	if (!old || !new)
		cmd_usage(c, "missing files: the older result and the newer are needed");
	cmd_done(c);
	code = kept_load(&a, old);
	if (!code)
		code = kept_load(&b, new);
	if (!code && strcmp(a.kind, b.kind))
		code = out_fail(EXIT_USAGE, "cannot compare different kinds: '%s' is a result of '%s', '%s' of '%s'",
				a.file, a.kind, b.file, b.kind);
	if (!code)
		code = describe(&a, &b);
	json_object_put(a.root);
	json_object_put(b.root);
	return code;
}

static const struct verb result_verbs[] = {
	{ "diff", diff, "OLD NEW", "compare two results of the same kind, figure by figure",
	  NULL, .form = diff_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object result_object = {
	"result", "compare results written with -o FILE", result_verbs, NULL
};
