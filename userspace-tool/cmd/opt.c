// SPDX-License-Identifier: GPL-2.0
/*
 * opt: the one parser of options
 *
 * The verb's table lists its options with the parser, the range and the target of their values.
 * getopt_long() finds options among the words; this file does the rest. The options that every
 * command has are a table of the same form, with a target of its own.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/help.h"
#include "cmd/opt.h"
#include "cmd/parse.h"
#include "cmd/wrong.h"
#include "host/mem.h"
#include "host/stop.h"
#include "out/out.h"

#define NAMES_MAX	64	/* options of one verb, with those of every command */
#define NO_LETTER	256	/* and above: result of getopt_long() for the n-th option */

/* The options of the verb, then those that every command has; NULL behind the last. */
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

static int opt_code(const struct cmd *c, int i)
{
	const struct opt *opt = opt_at(c, i);

	return opt->letter ? opt->letter : NO_LETTER + i;
}

/* The option for which getopt_long() returns @code, or NULL. */
static const struct opt *opt_of(const struct cmd *c, int code)
{
	int i;

	for (i = 0; opt_at(c, i); i++)
		if (opt_code(c, i) == code)
			return opt_at(c, i);
	return NULL;
}

/* Convert the tables for getopt_long(); with '+' it stops at a word while there is no verb. */
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
		c->options[nr].val = opt_code(c, nr);
		if (!opt->letter)
			continue;
		c->letters[n++] = opt->letter;
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

/* ---- wrong options ---- */

static void __attribute__((noreturn)) wrong_option(struct cmd *c, int code)
{
	const char *word = c->argv[optind - 1], *names[NAMES_MAX];
	const struct opt *opt = optopt ? opt_of(c, optopt) : NULL;
	char *bare;
	int nr;

	if (opt) {
		out_fail(EXIT_USAGE, code == ':' ? "--%s needs a value" : "--%s takes no value",
			 opt->name);
		exit(out_close(EXIT_USAGE));
	}
	for (nr = 0; nr < NAMES_MAX && opt_at(c, nr); nr++)
		names[nr] = opt_at(c, nr)->name;
	if (optopt) {
		bare = xasprintf("%c", optopt);
	} else {
		bare = xstrdup(word + strspn(word, "-"));
		bare[strcspn(bare, "=")] = 0;
	}
	wrong_word("option", optopt ? "-" : "--", bare, names, nr);
}

/* ---- values ---- */

static void store(const struct opt *opt, void *target, __u64 value)
{
	void *at = (char *)target + opt->at;
	__u32 half = value;

	if (opt->bytes == sizeof(half))
		memcpy(at, &half, sizeof(half));
	else
		memcpy(at, &value, sizeof(value));
}

#define LIMIT_TEXT	32	/* bytes: a number of 64 bits with its unit */

/* Format a limit with its unit; a time is in the largest unit that divides it. */
static void limit_text(char *text, const struct opt *opt, __u64 value)
{
	static const struct {
		__u64 ms;
		const char *name;
	} units[] = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	const char *unit = opt->type == OPT_SIZE ? " bytes" : "";
	size_t i = 0;

	if (opt->type == OPT_TIME) {
		while (value % units[i].ms)
			i++;
		value /= units[i].ms;
		unit = units[i].name;
	}
	snprintf(text, LIMIT_TEXT, "%llu%s", (unsigned long long)value, unit);
}

static void check_range(struct cmd *c, const struct opt *opt, const char *text, __u64 value)
{
	char least[LIMIT_TEXT], most[LIMIT_TEXT];

	if (value >= opt->min && value <= opt_largest(opt))
		return;
	limit_text(least, opt, opt->min);
	limit_text(most, opt, opt_largest(opt));
	if (!opt->max && value < opt->min)
		cmd_usage(c, "--%s '%s': must be at least %s", opt->name, text, least);
	cmd_usage(c, "--%s '%s': must be from %s to %s", opt->name, text, least, most);
}

static const char *parse_hold(const char *text, __u64 *ms)
{
	if (!strcmp(text, "forever")) {
		*ms = STOP_NEVER;
		return NULL;
	}
	return parse_duration(text, ms);
}

/* Read a value that is one number; returns a message if @text is not. */
static const char *read_number(const struct opt *opt, const char *text, __u64 *value)
{
	const char *wrong;
	__u32 half = 0;

	switch (opt->type) {
	case OPT_SIZE:
		return parse_size(text, value);
	case OPT_TIME:
		return parse_duration(text, value);
	case OPT_HOLD:
		return parse_hold(text, value);
	case OPT_SHARE:
		wrong = parse_share(text, &half);
		break;
	case OPT_CHECKS:
		wrong = parse_checks(text, &half);
		break;
	default:
		return parse_number(text, value);
	}
	*value = half;
	return wrong;
}

static void take_number(struct cmd *c, const struct opt *opt, const char *text, void *target)
{
	const char *wrong;
	__u64 value = 0;

	wrong = read_number(opt, text, &value);
	if (wrong)
		cmd_usage(c, "--%s '%s': %s", opt->name, text, wrong);
	check_range(c, opt, text, value);
	store(opt, target, value);
}

static void take_flag(const struct opt *opt, void *target)
{
	void *at = (char *)target + opt->at;
	bool yes = true;
	__u32 bits;

	if (!opt->bits) {
		memcpy(at, &yes, sizeof(yes));
		return;
	}
	memcpy(&bits, at, sizeof(bits));
	bits |= opt->bits;
	memcpy(at, &bits, sizeof(bits));
}

static void take_string(struct cmd *c, const struct opt *opt, char *text, void *target)
{
	struct opt_strings *strings = (void *)((char *)target + opt->at);

	if (opt->type == OPT_STRING) {
		memcpy((char *)target + opt->at, &text, sizeof(text));
		return;
	}
	if (strings->nr == OPT_STRINGS_MAX)
		cmd_usage(c, "--%s can be given at most %d times", opt->name, OPT_STRINGS_MAX);
	strings->string[strings->nr++] = text;
}

static void take(struct cmd *c, const struct opt *opt, char *text, void *target)
{
	const char *wrong;

	switch (opt->type) {
	case OPT_FLAG:
		take_flag(opt, target);
		break;
	case OPT_CPUS:
		wrong = parse_cpus(text, (__u64 *)((char *)target + opt->at), opt->bytes * 8);
		if (wrong)
			cmd_usage(c, "--%s '%s': %s", opt->name, text, wrong);
		break;
	case OPT_STRING:
	case OPT_STRINGS:
		take_string(c, opt, text, target);
		break;
	case OPT_HELP:
		help_level(c->object, c->verb);
		exit(out_close(EXIT_OK));
	case OPT_VERSION:
		help_version();
		exit(out_close(EXIT_OK));
	default:
		take_number(c, opt, text, target);
	}
}

static bool is_global(const struct opt *opt)
{
	const struct opt *global;

	for (global = global_opts; global->name; global++)
		if (opt == global)
			return true;
	return false;
}

void opt_read(struct cmd *c, void *target)
{
	struct out_options *options = out_options();
	const struct opt *opt;
	int code;

	options_init(c);
	while ((code = getopt_long(c->argc, c->argv, c->letters, c->options, NULL)) != -1) {
		opt = code == '?' || code == ':' ? NULL : opt_of(c, code);
		if (!opt)
			wrong_option(c, code);
		take(c, opt, optarg, is_global(opt) ? options : target);
	}
	options_free(c);
}
