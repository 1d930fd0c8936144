// SPDX-License-Identifier: GPL-2.0
/*
 * help: what can be asked, at each level, from the tables of cmd
 */
#include <json-c/json_c_version.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/help.h"
#include "host/mem.h"
#include "myalloc.h"
#include "out/out.h"

const struct opt global_opts[] = {
	{ "json", 'j', NULL, "print the result as JSON, and nothing else on stdout" },
	{ "pretty", 'p', NULL, "the same, with line breaks" },
	{ "output", 'o', "FILE", "keep the result in FILE too, as JSON" },
	{ "help", 'h', NULL, "say what can be asked here" },
	{ "version", 'V', NULL, "print the version" },
	{ NULL, 0, NULL, NULL }
};

static char *opt_text(const struct opt *opt)
{
	char letter[5] = "    ";

	if (opt->id < 256) {
		letter[0] = '-';
		letter[1] = opt->id;
		letter[2] = ',';
	}
	return xasprintf("%s--%s%s%s", letter, opt->name, opt->arg ? " " : "",
			 opt->arg ? opt->arg : "");
}

static void print_opts(const char *title, const struct opt *opts)
{
	const struct opt *opt;
	size_t width = 0;
	char *text;

	if (!opts || !opts->name)
		return;
	for (opt = opts; opt->name; opt++) {
		text = opt_text(opt);
		width = strlen(text) > width ? strlen(text) : width;
		free(text);
	}
	out_plain("\n%s:\n", title);
	for (opt = opts; opt->name; opt++) {
		text = opt_text(opt);
		out_plain("  %-*s  %s\n", (int)width, text, opt->help);
		free(text);
	}
}

void help_all(const struct object *const *objects)
{
	out_plain("Usage: myallocctl [OPTIONS] OBJECT COMMAND [ARGS]\n"
		  "       myallocctl OBJECT help\n"
		  "       myallocctl OBJECT COMMAND help\n"
		  "\n"
		  "Drives the myalloc module through /dev/myalloc.\n"
		  "\n"
		  "Objects:\n");
	for (; *objects; objects++)
		out_plain("  %-9s %s\n", (*objects)->name, (*objects)->help);
	print_opts("Options, at any place", global_opts);
	out_plain("\n"
		  "Sizes are written 64K or 2MiB, durations 10s or 500ms.\n"
		  "Exit status: 0 ok, 1 failed or a check found errors, 2 wrong words or values,\n"
		  "3 the device is missing or may not be opened. 'myallocctl doctor' helps with 3.\n");
}

void help_object(const struct object *object)
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
		out_plain("  %-*s  %s%s\n", (int)width, text, verb->help,
			  object->fallback && !strcmp(object->fallback, verb->name)
			  ? " (when none is named)" : "");
		free(text);
	}
	out_plain("\n'myallocctl %s COMMAND help' lists a command's options.\n",
		  object->name);
}

void help_verb(const struct object *object, const struct verb *verb)
{
	if (!verb->func) {
		out_plain("'%s %s': %s\n", object->name, verb->name, verb->help);
		return;
	}
	out_plain("Usage: myallocctl %s%s%s%s%s%s\n\n%s\n", object->name,
		  *verb->name ? " " : "", verb->name,
		  verb->opts ? " [OPTIONS]" : "",
		  *verb->args ? " " : "", verb->args, verb->help);
	print_opts("Options", verb->opts);
	print_opts("Options of every command", global_opts);
}

void help_version(void)
{
	out_plain("myallocctl %s (JSON schema %d, json-c %s)\n", MYALLOC_VERSION,
		  OUT_SCHEMA, json_c_version());
}
