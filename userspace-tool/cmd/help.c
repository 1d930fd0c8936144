// SPDX-License-Identifier: GPL-2.0
/*
 * help: the help at each level, from the tables of cmd
 */
#include <json-c/json_c_version.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/help.h"
#include "cmd/help_json.h"
#include "host/mem.h"
#include "myalloc.h"
#include "out/out.h"

#define OUT(member)	OPT_TARGET(struct out_options, member)

const struct opt global_opts[] = {
	{ "json", 'j', OPT_FLAG, OUT(json),
	  .help = "print the result as JSON, and nothing else on standard output" },
	{ "pretty", 'p', OPT_FLAG, OUT(pretty), .help = "the same, with line breaks" },
	{ "output", 'o', OPT_STRING, "FILE", OUT(keep),
	  .help = "write the result to FILE as well, as JSON; 'report' writes its page to it, "
		  "and 'stat' figures for Prometheus if it is called NAME.prom" },
	{ "node", 'N', OPT_NUMBER, "NODE", OUT(node), .max = 0x7fffffff,
	  .otherwise = "the lowest of the module",
	  .help = "work on the memory of this NUMA node; 'node list' shows which there are" },
	{ "help", 'h', OPT_HELP, .help = "show this help" },
	{ "version", 'V', OPT_VERSION, .help = "print the version" },
	{ NULL }
};

static const struct object *const *objects;

void help_setup(const struct object *const *table)
{
	objects = table;
}

char *help_opt_name(const struct opt *opt)
{
	char letter[5] = "    ";

	if (opt->letter) {
		letter[0] = '-';
		letter[1] = opt->letter;
		letter[2] = ',';
	}
	return xasprintf("%s--%s%s%s", letter, opt->name, opt->arg ? " " : "",
			 opt->arg ? opt->arg : "");
}

char *help_opt_text(const struct opt *opt)
{
	if (!opt->otherwise)
		return xstrdup(opt->help);
	return xasprintf("%s (default: %s)", opt->help, opt->otherwise);
}

static void print_opts(const char *title, const struct opt *opts)
{
	const struct opt *opt;
	size_t width = 0;
	char *name, *text;

	if (!opts)
		return;
	for (opt = opts; opt->name; opt++) {
		name = help_opt_name(opt);
		width = strlen(name) > width ? strlen(name) : width;
		free(name);
	}
	out_plain("\n%s:\n", title);
	for (opt = opts; opt->name; opt++) {
		name = help_opt_name(opt);
		text = help_opt_text(opt);
		out_plain("  %-*s  ", (int)width, name);
		out_plain_at(width + 4, text);
		free(text);
		free(name);
	}
}

static void help_all(void)
{
	const struct object *const *object;

	out_plain("Usage: myallocctl [OPTIONS] OBJECT COMMAND [ARGS]\n"
		  "       myallocctl OBJECT help\n"
		  "       myallocctl OBJECT COMMAND help\n"
		  "\n"
		  "Drives the myalloc module through /dev/myalloc.\n"
		  "\n"
		  "Objects:\n");
	for (object = objects; *object; object++) {
		out_plain("  %-9s ", (*object)->name);
		out_plain_at(12, (*object)->help);
	}
	print_opts("Options, in any position", global_opts);
	out_plain("\n"
		  "Sizes are written as 64K or 2MiB, durations as 10s or 500ms.\n"
		  "Exit status: 0 success, 1 failure or a check found errors, 2 wrong usage,\n"
		  "3 the device is missing or cannot be opened ('myallocctl doctor' helps).\n");
}

static void help_verb(const struct object *object, const struct verb *verb)
{
	if (!verb->func) {
		out_plain("'%s %s': %s\n", object->name, verb->name, verb->help);
		return;
	}
	out_plain("Usage: myallocctl %s%s%s%s%s%s\n\n", object->name,
		  *verb->name ? " " : "", verb->name,
		  verb->opts ? " [OPTIONS]" : "",
		  *verb->args ? " " : "", verb->args);
	out_plain_at(0, verb->help);
	print_opts("Options", verb->opts);
	print_opts("Options of every command", global_opts);
}

static void help_object(const struct object *object)
{
	const struct verb *verb;
	size_t width = 0, len;
	char *text;

	if (!*object->verbs->name) {
		help_verb(object, object->verbs);
		return;
	}
	out_plain("Usage: myallocctl [OPTIONS] %s COMMAND [ARGS]\n\n%s\n\nCommands:\n",
		  object->name, object->help);
	for (verb = object->verbs; verb->name; verb++) {
		len = strlen(verb->name) + strlen(verb->args) + 1;
		if (verb->func && len > width)
			width = len;
	}
	for (verb = object->verbs; verb->name; verb++) {
		if (!verb->func)
			continue;
		text = xasprintf("%s %s", verb->name, verb->args);
		out_plain("  %-*s  ", (int)width, text);
		free(text);
		text = xasprintf("%s%s", verb->help,
				 object->fallback && !strcmp(object->fallback, verb->name)
				 ? " (default)" : "");
		out_plain_at(width + 4, text);
		free(text);
	}
	out_plain("\n'myallocctl %s COMMAND help' lists a command's options.\n",
		  object->name);
}

void help_level(const struct object *object, const struct verb *verb)
{
	/* A word that people try has a sentence and no table. */
	if (out_is_json() && (!verb || verb->func))
		help_json(objects, object, verb, global_opts);
	else if (verb)
		help_verb(object, verb);
	else if (object)
		help_object(object);
	else
		help_all();
}

void help_version(void)
{
	out_plain("myallocctl %s (JSON schema %d, json-c %s)\n", MYALLOC_VERSION,
		  OUT_SCHEMA, json_c_version());
}
