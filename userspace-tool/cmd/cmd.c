// SPDX-License-Identifier: GPL-2.0
/*
 * cmd: objects, their verbs and options as tables, and the way through them
 *
 * The words are read in three steps, each up to the first word that is no
 * option: those before the object, those before the verb, and the rest. The
 * options that every command has are taken in all three.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/closest.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "host/mem.h"
#include "out/out.h"
#include "cmd/parse.h"

#define NAMES_MAX	64	/* words of one kind: objects, verbs, options */

static const struct object *const *objects;
static struct out_options out_options;

/* ---- wrong words ---- */

static void __attribute__((noreturn))
wrong_word(const char *what, const char *dashes, const char *word,
	   const char *const *right, int nr)
{
	const char *near = closest(word, right, nr);
	int i;

	if (near)
		out_fail(EXIT_USAGE, "'%s%s' is no %s; did you mean '%s%s'?",
			 dashes, word, what, dashes, near);
	else
		out_fail(EXIT_USAGE, "'%s%s' is no %s", dashes, word, what);
	out_hint("right would be:");
	for (i = 0; i < nr; i++)
		out_hint(" %s%s", dashes, right[i]);
	out_hint("\n");
	exit(out_close(EXIT_USAGE));
}

void cmd_wrong_word(const char *what, const char *word,
		    const char *const *right, int nr)
{
	wrong_word(what, "", word, right, nr);
}

static char *full_name(const struct cmd *c)
{
	if (!c->verb || !*c->verb->name)
		return xstrdup(c->object->name);
	return xasprintf("%s %s", c->object->name, c->verb->name);
}

void cmd_usage(struct cmd *c, const char *fmt, ...)
{
	char *text, *name = full_name(c);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup(fmt);
	va_end(ap);
	out_fail(EXIT_USAGE, "%s: %s", name, text);
	out_hint("'myallocctl %s help' says what can be asked\n", name);
	free(text);
	free(name);
	exit(out_close(EXIT_USAGE));
}

void cmd_check(struct cmd *c, const char *name, const char *value,
	       const char *wrong)
{
	if (wrong)
		cmd_usage(c, "%s '%s': %s", name, value, wrong);
}

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

static int opt_names(const struct opt *opts, const char **names, int nr)
{
	for (; opts && opts->name && nr < NAMES_MAX; opts++)
		names[nr++] = opts->name;
	return nr;
}

static const struct object *find_object(const char *word)
{
	const char *names[NAMES_MAX];
	int i;

	for (i = 0; objects[i]; i++)
		if (!strcmp(objects[i]->name, word))
			return objects[i];
	cmd_wrong_word("object", word, names, object_names(names));
}

static const struct verb *find_verb(const struct object *object,
				    const char *word)
{
	const char *names[NAMES_MAX];
	const struct verb *verb;
	char *what;

	for (verb = object->verbs; verb->name; verb++)
		if (!strcmp(verb->name, word))
			return verb;
	what = xasprintf("command of %s", object->name);
	cmd_wrong_word(what, word, names, verb_names(object, names));
}

/* ---- options ---- */

static const struct opt *opt_at(const struct cmd *c, int i)
{
	const struct opt *opt;

	for (opt = c->verb ? c->verb->opts : NULL; opt && opt->name; opt++)
		if (i-- == 0)
			return opt;
	for (opt = global_opts; opt->name; opt++)
		if (i-- == 0)
			return opt;
	return NULL;
}

/* The tables as getopt_long wants them: '+' so that it stops at a word if there is no verb yet. */
static void options_init(struct cmd *c)
{
	const struct opt *opt;
	int nr = 0, n = 0;

	while (opt_at(c, nr))
		nr++;
	c->options = xcalloc(nr + 1, sizeof(*c->options));
	c->letters = xcalloc(nr * 2 + 3, 1);
	if (!c->verb)
		c->letters[n++] = '+';
	c->letters[n++] = ':';
	for (nr = 0; (opt = opt_at(c, nr)); nr++) {
		c->options[nr].name = opt->name;
		c->options[nr].has_arg = opt->arg ? required_argument : no_argument;
		c->options[nr].val = opt->id;
		if (opt->id >= 256)
			continue;
		c->letters[n++] = opt->id;
		if (opt->arg)
			c->letters[n++] = ':';
	}
	optind = 0;
	opterr = 0;
}

static void options_free(struct cmd *c)
{
	free(c->options);
	free(c->letters);
	c->options = NULL;
	c->letters = NULL;
}

static const char *option_name(const struct cmd *c, int id)
{
	int i;

	for (i = 0; c->options[i].name; i++)
		if (c->options[i].val == id)
			return c->options[i].name;
	return NULL;
}

static void wrong_option(struct cmd *c, int code)
{
	const char *word = c->argv[optind - 1], *names[NAMES_MAX], *name;
	char *bare;
	int nr;

	name = optopt ? option_name(c, optopt) : NULL;
	if (code == ':') {
		out_fail(EXIT_USAGE, "--%s needs a value", name);
		exit(out_close(EXIT_USAGE));
	}
	if (name) {
		out_fail(EXIT_USAGE, "--%s takes no value", name);
		exit(out_close(EXIT_USAGE));
	}
	nr = opt_names(c->verb ? c->verb->opts : NULL, names, 0);
	nr = opt_names(global_opts, names, nr);
	if (optopt) {
		bare = xasprintf("%c", optopt);
	} else {
		bare = xstrdup(word + strspn(word, "-"));
		bare[strcspn(bare, "=")] = 0;
	}
	wrong_word("option", optopt ? "-" : "--", bare, names, nr);
}

static void help_here(struct cmd *c)
{
	if (c->verb)
		help_verb(c->object, c->verb);
	else if (c->object)
		help_object(c->object);
	else
		help_all(objects);
	exit(out_close(EXIT_OK));
}

/* Takes the options that every command has; returns the id of another, -1 at the end. */
static int next_option(struct cmd *c)
{
	int id;

	for (;;) {
		id = getopt_long(c->argc, c->argv, c->letters, c->options, NULL);
		switch (id) {
		case 'j':
			out_options.json = true;
			break;
		case 'p':
			out_options.json = true;
			out_options.pretty = true;
			break;
		case 'o':
			out_options.keep = optarg;
			break;
		case 'h':
			help_here(c);
			break;
		case 'V':
			help_version();
			exit(out_close(EXIT_OK));
		case '?':
		case ':':
			wrong_option(c, id);
			break;
		default:
			return id;
		}
		out_setup(&out_options);
	}
}

int cmd_option(struct cmd *c, char **value)
{
	int id;

	if (c->optioned)
		return 0;
	id = next_option(c);
	if (id != -1) {
		*value = optarg;
		return id;
	}
	c->optioned = true;
	if (out_keep_prepare())
		exit(out_close(EXIT_FAILED));
	return 0;
}

char *cmd_word(struct cmd *c)
{
	char *value;

	/* A verb without options of its own need not ask for them. */
	cmd_option(c, &value);
	return optind < c->argc ? c->argv[optind++] : NULL;
}

void cmd_done(struct cmd *c)
{
	char *word = cmd_word(c);

	if (word)
		cmd_usage(c, "nothing is expected where '%s' stands", word);
}

__u64 cmd_number(struct cmd *c, const char *name, const char *value,
		 __u64 min, __u64 max)
{
	__u64 n;

	cmd_check(c, name, value, parse_number(value, &n));
	if (n < min || n > max)
		cmd_usage(c, "%s '%s': it must be from %llu to %llu", name, value,
			  (unsigned long long)min, (unsigned long long)max);
	return n;
}

/* ---- the way to a verb ---- */

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

/* Options, then the next word, which becomes argv[0]; NULL if there is none. */
static char *step(struct cmd *c)
{
	options_init(c);
	next_option(c);
	options_free(c);
	c->argc -= optind;
	c->argv += optind;
	return c->argc > 0 ? c->argv[0] : NULL;
}

static int help_words(struct cmd *c)
{
	const struct object *object;
	char *word = step(c);

	if (!word) {
		help_all(objects);
		return EXIT_OK;
	}
	object = find_object(word);
	word = step(c);
	if (word && *object->verbs->name)
		help_verb(object, find_verb(object, word));
	else
		help_object(object);
	return EXIT_OK;
}

static int run_verb(struct cmd *c)
{
	int code;

	if (!c->verb->func)
		return out_fail(EXIT_USAGE, "there is no '%s %s': %s",
				c->object->name, c->verb->name, c->verb->help);
	if (c->argc > 1 && !strcmp(c->argv[1], "help"))
		help_here(c);
	options_init(c);
	code = c->verb->func(c);
	options_free(c);
	return code;
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
		help_here(c);
	if (word) {
		c->verb = find_verb(c->object, word);
		return run_verb(c);
	}
	if (!c->object->fallback)
		cmd_usage(c, "a command must follow");
	c->verb = find_verb(c->object, c->object->fallback);
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
	out_options.command = command;
	out_setup(&out_options);
	word = step(&c);
	if (!word) {
		out_fail(EXIT_USAGE, "an object must be named; 'myallocctl help' lists them");
		code = EXIT_USAGE;
	} else if (!strcmp(word, "help")) {
		code = help_words(&c);
	} else {
		c.object = find_object(word);
		code = run_object(&c);
	}
	code = out_close(code);
	free(command);
	return code;
}
