/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wrong: what a wrong word or value is answered with, for the files of cmd only
 */
#ifndef MYALLOCCTL_WRONG_H
#define MYALLOCCTL_WRONG_H

/* As cmd_wrong_word(); @dashes is the prefix of an option, "-" or "--", or "" for another word. */
void wrong_word(const char *what, const char *dashes, const char *word,
		const char *const *right, int nr) __attribute__((noreturn));

#endif /* MYALLOCCTL_WRONG_H */
