// SPDX-License-Identifier: GPL-2.0
/*
 * help_json: the help as JSON, from the tables of cmd, for programs that build command lines
 *
 * It has the same form at each level: the objects, their commands and the options of these. Below
 * the first level it contains only the requested part.
 */
#include <stddef.h>

#include "cmd/help_json.h"
#include "out/out.h"

/*
 * @name: value of "type"
 * @unit: unit of "minimum" and "maximum"; NULL for plain numbers
 * @range: it has a range
 */
struct type_words {
	const char *name, *unit;
	bool range;
};

static const struct type_words types[] = {
	[OPT_FLAG] = { "flag" },
	[OPT_NUMBER] = { "number", NULL, true },
	[OPT_SIZE] = { "size", "bytes", true },
	[OPT_TIME] = { "time", "ms", true },
	[OPT_HOLD] = { "time or forever", "ms", true },
	[OPT_SHARE] = { "share", "permille", true },
	[OPT_CPUS] = { "CPUs" },
	[OPT_CHECKS] = { "checks" },
	[OPT_STRING] = { "string" },
	[OPT_STRINGS] = { "string" },
	[OPT_HELP] = { "flag" },
	[OPT_VERSION] = { "flag" },
};

#define OPTIONS \
	"options:[{ name:text letter:text|null type:text value:text|null unit:text|null " \
	"minimum:uint|null maximum:uint|null repeatable:bool default:text|null help:text }]"

const char help_form[] =
	"objects:[{ name:text help:text default:text|null "
	"commands:[{ name:text arguments:text help:text " OPTIONS " }] }] " OPTIONS;

static void put_string(struct out *o, const char *key, const char *value)
{
	if (value)
		out_str(o, key, NULL, OUT_PLAIN, value);
	else
		out_null(o, key, NULL);
}

static void put_limit(struct out *o, const char *key, bool range, __u64 value)
{
	if (range)
		out_u64(o, key, NULL, OUT_PLAIN, value);
	else
		out_null(o, key, NULL);
}

static void put_options(struct out *o, const struct opt *opt)
{
	const struct type_words *type;
	char letter[2] = "";

	out_list(o, "options", NULL);
	for (; opt && opt->name; opt++) {
		type = &types[opt->type];
		letter[0] = opt->letter;
		out_item(o);
		put_string(o, "name", opt->name);
		put_string(o, "letter", opt->letter ? letter : NULL);
		put_string(o, "type", type->name);
		put_string(o, "value", opt->arg);
		put_string(o, "unit", type->unit);
		put_limit(o, "minimum", type->range, opt->min);
		put_limit(o, "maximum", type->range, opt_largest(opt));
		out_bool(o, "repeatable", NULL, OUT_PLAIN, opt->type == OPT_STRINGS);
		put_string(o, "default", opt->otherwise);
		put_string(o, "help", opt->help);
		out_end(o);
	}
	out_end(o);
}

/* A verb without a function is a word that people try, and is left out. */
static void put_object(struct out *o, const struct object *object, const struct verb *only)
{
	const struct verb *verb;

	out_item(o);
	put_string(o, "name", object->name);
	put_string(o, "help", object->help);
	put_string(o, "default", object->fallback);
	out_list(o, "commands", NULL);
	for (verb = object->verbs; verb->name; verb++) {
		if (!verb->func || (only && verb != only))
			continue;
		out_item(o);
		put_string(o, "name", verb->name);
		put_string(o, "arguments", verb->args);
		put_string(o, "help", verb->help);
		put_options(o, verb->opts);
		out_end(o);
	}
	out_end(o);
	out_end(o);
}

void help_json(const struct object *const *objects, const struct object *object,
	       const struct verb *verb, const struct opt *global)
{
	struct out *o = out_new("help");

	out_list(o, "objects", NULL);
	for (; *objects; objects++)
		if (!object || *objects == object)
			put_object(o, *objects, verb);
	out_end(o);
	put_options(o, global);
	out_finish(o, EXIT_OK);
}
