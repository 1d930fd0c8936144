// SPDX-License-Identifier: GPL-2.0
/*
 * cmd: objects, their verbs and options as tables, and the search in them
 *
 * The command line is read in three steps: up to the object, up to the verb, and the rest.
 * The options that every command has are accepted in all three.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/opt.h"
#include "host/mem.h"
#include "out/out.h"

#define NAMES_MAX	64	/* words of one kind: objects or verbs */

static const struct object *const *objects;

static int object_names(const char **names)
{
	int nr = 0;

	while (objects[nr]) {
		names[nr] = objects[nr]->name;
		nr++;
	}
	names[nr++] = "help";
	return nr;
}

static int verb_names(const struct object *object, const char **names)
{
	const struct verb *verb;
	int nr = 0;

	for (verb = object->verbs; verb->name; verb++)
		if (verb->func)
			names[nr++] = verb->name;
	names[nr++] = "help";
	return nr;
}

const struct object *const *cmd_objects(void)
{
	return objects;
}

const struct object *cmd_find_object(const char *word)
{
	const char *names[NAMES_MAX];
	int i;

	for (i = 0; objects[i]; i++)
		if (!strcmp(objects[i]->name, word))
			return objects[i];
	cmd_wrong_word("object", word, names, object_names(names));
}

const struct verb *cmd_find_verb(const struct object *object, const char *word)
{
	const char *names[NAMES_MAX];
	const struct verb *verb;
	char *what;

	for (verb = object->verbs; verb->name; verb++)
		if (!strcmp(verb->name, word))
			return verb;
	what = xasprintf("%s command", object->name);
	cmd_wrong_word(what, word, names, verb_names(object, names));
}

/* ---- the words of a verb ---- */

/* "-o prom" is not a file but a form of the text. */
static void read_form(struct cmd *c)
{
	struct out_options *o = out_options();

	if (!o->keep || strcmp(o->keep, "prom"))
		return;
	if (!c->verb->prom)
		cmd_usage(c, "-o prom is for 'stat show' only; for a file of that name write -o ./prom");
	if (out_is_json())
		cmd_usage(c, "-o prom and --json exclude each other");
	o->keep = NULL;
	o->prom = true;
}

void cmd_options(struct cmd *c, void *target)
{
	opt_read(c, target);
	c->optioned = true;
	read_form(c);
	if (out_keep_prepare())
		exit(out_close(EXIT_FAILED));
}

char *cmd_word(struct cmd *c)
{
	/* A verb without options of its own need not ask for them. */
	if (!c->optioned)
		cmd_options(c, NULL);
	return optind < c->argc ? c->argv[optind++] : NULL;
}

void cmd_done(struct cmd *c)
{
	char *word = cmd_word(c);

	if (word)
		cmd_usage(c, "unexpected argument '%s'", word);
}

/* ---- finding a verb ---- */

static char *join(int argc, char **argv)
{
	char *text = xstrdup(""), *longer;
	int i;

	for (i = 1; i < argc; i++) {
		longer = xasprintf("%s%s%s", text, i > 1 ? " " : "", argv[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* Read options, then the next word, which becomes argv[0]; NULL if there is none. */
static char *step(struct cmd *c)
{
	opt_read(c, NULL);
	c->argc -= optind;
	c->argv += optind;
	return c->argc > 0 ? c->argv[0] : NULL;
}

static int help_words(struct cmd *c)
{
	const struct object *object = NULL;
	const struct verb *verb = NULL;
	char *word = step(c);

	if (word) {
		object = cmd_find_object(word);
		word = step(c);
	}
	if (word && *object->verbs->name) {
		verb = cmd_find_verb(object, word);
		step(c);
	}
	help_level(object, verb);
	return EXIT_OK;
}

/* Print the help of the level that @c has reached, after reading the remaining options. */
static int help_here(struct cmd *c)
{
	const struct verb *verb = c->verb;

	c->verb = NULL;
	while (step(c))
		;
	help_level(c->object, verb);
	return EXIT_OK;
}

static int run_verb(struct cmd *c)
{
	if (!c->verb->func)
		return out_fail(EXIT_USAGE, "unknown command '%s %s': %s",
				c->object->name, c->verb->name, c->verb->help);
	if (c->argc > 1 && !strcmp(c->argv[1], "help"))
		return help_here(c);
	return c->verb->func(c);
}

static int run_object(struct cmd *c)
{
	char *none[] = { NULL, NULL }, *word;

	if (!*c->object->verbs->name) {
		c->verb = c->object->verbs;
		return run_verb(c);
	}
	word = step(c);
	if (word && !strcmp(word, "help"))
		return help_here(c);
	if (word) {
		c->verb = cmd_find_verb(c->object, word);
		return run_verb(c);
	}
	if (!c->object->fallback)
		cmd_usage(c, "missing command");
	c->verb = cmd_find_verb(c->object, c->object->fallback);
	none[0] = (char *)c->object->fallback;
	c->argc = 1;
	c->argv = none;
	return run_verb(c);
}

int cmd_main(const struct object *const *table, int argc, char **argv)
{
	struct cmd c = { .argc = argc, .argv = argv };
	char *command = join(argc, argv), *word;
	int code;

	objects = table;
	help_setup(table);
	out_options()->command = command;
	word = step(&c);
	if (!word) {
		out_fail(EXIT_USAGE, "missing object; 'myallocctl help' lists them");
		code = EXIT_USAGE;
	} else if (!strcmp(word, "help")) {
		code = help_words(&c);
	} else {
		c.object = cmd_find_object(word);
		code = run_object(&c);
	}
	code = out_close(code);
	free(command);
	return code;
}
