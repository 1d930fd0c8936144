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

/* What a comparison should not mix up: kernel, machine and so on. */
void kept_differences(struct out *o, const struct kept *a,
		      const struct kept *b)
{
	static const char *const same[] = {
		"kernel", "machine", "cpus", "accelerator", "hypervisor",
		"debug_options",
	};
	struct json_object *sa, *sb, *va, *vb;
	char *text;
	size_t i;

	out_list(o, "differences", "systems differ in");
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
		out_str(o, NULL, NULL, OUT_WARN, text);
		free(text);
	}
	out_end(o);
}
