// SPDX-License-Identifier: GPL-2.0
/*
 * kept: results that were written with -o FILE
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "obj/kept.h"
#include "host/mem.h"
#include "out/out.h"

static const char *string_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

int kept_load(struct kept *k, const char *file)
{
	struct json_object *schema;

	k->file = file;
	k->root = json_object_from_file(file);
	if (!k->root)
		return out_fail(EXIT_FAILED, "cannot read '%s' as JSON: %s",
				file, errno ? strerror(errno) : "not JSON");
	k->kind = string_of(k->root, "kind");
	if (!k->kind || !json_object_object_get_ex(k->root, "schema", &schema) ||
	    !json_object_object_get_ex(k->root, "result", &k->result))
		return out_fail(EXIT_FAILED, "'%s' is not a result of this tool, as 'myallocctl -o FILE ...' writes it",
				file);
	if (json_object_get_int(schema) != OUT_SCHEMA)
		return out_fail(EXIT_FAILED, "'%s' has schema %d, this tool reads %d",
				file, json_object_get_int(schema), OUT_SCHEMA);
	return EXIT_OK;
}

/* Members that should be the same in compared results. */
static const char *const same[] = {
	"kernel", "machine", "cpus", "accelerator", "hypervisor", "debug_options",
};

int kept_each_difference(const struct kept *a, const struct kept *b,
			 void (*each)(void *arg, const char *text), void *arg)
{
	struct json_object *sa = NULL, *sb = NULL, *va, *vb;
	char *text;
	size_t i;
	int nr = 0;

	json_object_object_get_ex(a->root, "system", &sa);
	json_object_object_get_ex(b->root, "system", &sb);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		va = NULL;
		vb = NULL;
		json_object_object_get_ex(sa, same[i], &va);
		json_object_object_get_ex(sb, same[i], &vb);
		if (json_object_equal(va, vb))
			continue;
		text = xasprintf("%s (%s, %s)", same[i],
				 va ? json_object_get_string(va) : "unknown",
				 vb ? json_object_get_string(vb) : "unknown");
		each(arg, text);
		free(text);
		nr++;
	}
	return nr;
}

static void put_difference(void *arg, const char *text)
{
	out_str(arg, NULL, NULL, OUT_WARN, text);
}

void kept_differences(struct out *o, const struct kept *a,
		      const struct kept *b)
{
	out_list(o, "differences", "systems differ in");
	kept_each_difference(a, b, put_difference, o);
	out_end(o);
}

/* Members that identify an item, the best ones first: a cache has a name and an order. */
static const char *const identities[] = {
	"operation", "name", "order", "moment", "id", "size", "check",
};

const char *kept_identity(struct json_object *item)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(identities); i++)
		if (json_object_object_get_ex(item, identities[i], NULL))
			return identities[i];
	return NULL;
}

void kept_each_item(const char *path, struct json_object *list,
		    void (*each)(void *arg, const struct kept_item *item), void *arg)
{
	struct kept_item item;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		item.value = json_object_array_get_idx(list, i);
		/* No member tells the items of a series of samples apart. */
		if (!json_object_is_type(item.value, json_type_object))
			return;
		item.key = kept_identity(item.value);
		if (!item.key)
			return;
		json_object_object_get_ex(item.value, item.key, &item.name);
		item.path = xasprintf("%s[%s]", path, json_object_get_string(item.name));
		each(arg, &item);
		free(item.path);
	}
}
