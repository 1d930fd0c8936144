/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd_types: objects, their verbs and options as tables; see cmd.h
 */
#ifndef MYALLOCCTL_CMD_TYPES_H
#define MYALLOCCTL_CMD_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* How the value of an option is parsed, and the type of its target. */
enum opt_type {
	OPT_FLAG,	/* no value; sets @bits of a __u32, or a bool if there are none */
	OPT_NUMBER,	/* a __u32 or __u64: 42, 0x2a */
	OPT_SIZE,	/* a __u32 or __u64, in bytes: 64K */
	OPT_TIME,	/* a __u64, in ms: 10s */
	OPT_HOLD,	/* the same, or STOP_NEVER for "forever" */
	OPT_SHARE,	/* a __u32, in 1/1000: 50% */
	OPT_CPUS,	/* __u64[4], a bit for each CPU: 0-3,5 */
	OPT_CHECKS,	/* a __u32 of MYALLOC_CHECK_*: FZPU */
	OPT_STRING,	/* a char *, parsed by the verb itself */
	OPT_STRINGS,	/* a struct opt_strings, for an option that may be repeated */
	OPT_HELP,	/* no target */
	OPT_VERSION,
};

#define OPT_STRINGS_MAX	32

struct opt_strings {
	char *string[OPT_STRINGS_MAX];
	unsigned int nr;
};

/*
 * An option of a verb.
 * @letter: its short form, or 0
 * @type: how its value is parsed
 * @arg: name of its value in the help, NULL if it takes none
 * @at, @bytes: offset and size of the target in the verb's struct, see OPT_TARGET()
 * @min, @max: range of a number, size or time; no upper limit if @max is 0
 * @bits: see OPT_FLAG
 * @otherwise: the default, for the help; may be NULL
 * @help: its description, a phrase
 */
struct opt {
	const char *name;
	char letter;
	enum opt_type type;
	const char *arg;
	size_t at, bytes;
	__u64 min, max;
	__u32 bits;
	const char *otherwise;
	const char *help;
};

/* The end of its range. */
static inline __u64 opt_largest(const struct opt *opt)
{
	if (opt->max)
		return opt->max;
	return opt->bytes == sizeof(__u32) ? ~0u : ~0ull;
}

#define OPT_TARGET(type, member) \
	.at = offsetof(type, member), .bytes = sizeof(((type *)NULL)->member)

struct cmd;

/* @func NULL: a word that people try; @help then names the right command. */
struct verb {
	const char *name;
	int (*func)(struct cmd *c);
	const char *args;	/* words after the options, for the help */
	const char *help;
	const struct opt *opts;	/* the last has no name; may be NULL */
	bool prom;		/* it can print for Prometheus, too */
	const char *form;	/* of its result as JSON, in the notation of obj/form.h */
};

/*
 * @verbs ends with one that has no name. An object that is a verb itself has
 * a single one, named "".
 */
struct object {
	const char *name;
	const char *help;
	const struct verb *verbs;
	const char *fallback;	/* verb that is used if none is named, or NULL */
};

/* One call of a verb, with the words that are not read yet. */
struct cmd {
	const struct object *object;
	const struct verb *verb;
	int argc;
	char **argv;
	struct option *options;	/* for getopt_long */
	char *letters;
	bool optioned;		/* all options are read */
};

#endif /* MYALLOCCTL_CMD_TYPES_H */
