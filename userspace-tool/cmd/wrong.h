/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wrong: the messages about wrong words and values
 */
#ifndef MYALLOCCTL_WRONG_H
#define MYALLOCCTL_WRONG_H

#include "cmd/cmd_types.h"

/* Both end the program with EXIT_USAGE. */
void cmd_usage(struct cmd *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* @word is not a valid @what; @right are the @nr words that are. */
void cmd_wrong_word(const char *what, const char *word,
		    const char *const *right, int nr)
	__attribute__((noreturn));
/* Ends it if @wrong (of parse.h) is not NULL; @name is the option or word. */
void cmd_check(struct cmd *c, const char *name, const char *value,
	       const char *wrong);

/*
 * For the files of cmd: as cmd_wrong_word(); @dashes is the prefix of an option, "-" or "--", or ""
 * for another word.
 */
void wrong_word(const char *what, const char *dashes, const char *word,
		const char *const *right, int nr) __attribute__((noreturn));

#endif /* MYALLOCCTL_WRONG_H */
