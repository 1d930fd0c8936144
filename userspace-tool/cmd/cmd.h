/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd: objects, their verbs and options as tables, and the way through them
 */
#ifndef MYALLOCCTL_CMD_H
#define MYALLOCCTL_CMD_H

#include <stdbool.h>
#include <linux/types.h>

/* An option of a verb; @id is its letter, or a number above 255 if it has none. */
struct opt {
	const char *name;
	int id;
	const char *arg;	/* name of its value in the help, NULL if it takes none */
	const char *help;
};

struct cmd;

/* @func NULL: a word that people try; @help then says what to do instead. */
struct verb {
	const char *name;
	int (*func)(struct cmd *c);
	const char *args;	/* what follows the options, for the help */
	const char *help;
	const struct opt *opts;	/* the last has no name; may be NULL */
};

/*
 * @verbs ends with one that has no name. An object that is a verb itself has
 * a single one, named "".
 */
struct object {
	const char *name;
	const char *help;
	const struct verb *verbs;
	const char *fallback;	/* verb meant when none is named, or NULL */
};

/* One call of a verb: what is left of its words. */
struct cmd {
	const struct object *object;
	const struct verb *verb;
	int argc;
	char **argv;
	struct option *options;	/* for getopt_long */
	char *letters;
	bool optioned;		/* all options are read */
};

/* Runs the command that the words name; @objects ends with NULL. Returns the exit code. */
int cmd_main(const struct object *const *objects, int argc, char **argv);

/* Next option's id, its value in *@value; 0 when there are no more. */
int cmd_option(struct cmd *c, char **value);
/* Next word after the options, NULL when there are no more. */
char *cmd_word(struct cmd *c);
/* No more words may follow. */
void cmd_done(struct cmd *c);

/* Ends the program with EXIT_USAGE. */
void cmd_usage(struct cmd *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void cmd_wrong_word(const char *what, const char *word,
		    const char *const *right, int nr)
	__attribute__((noreturn));
/* Ends it if @wrong (of parse.h) is not NULL; @name is the option or word. */
void cmd_check(struct cmd *c, const char *name, const char *value,
	       const char *wrong);
/* A number from @min to @max. */
__u64 cmd_number(struct cmd *c, const char *name, const char *value,
		 __u64 min, __u64 max);

#endif /* MYALLOCCTL_CMD_H */
