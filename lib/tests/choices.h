/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choices of one execution, for tests that search all executions
 *
 * The choices are a list of numbers; the next execution is the next list in lexical order. So the
 * search needs no memory, and a failure is reported as the list that repeats it.
 */
#ifndef MYALLOC_TESTS_CHOICES_H
#define MYALLOC_TESTS_CHOICES_H

#include "env.h"

#include <stdio.h>
#include <stdlib.h>

#define CHOICES_MOST	4096

static struct {
	u16 choice[CHOICES_MOST];
	u16 limit[CHOICES_MOST];
	u32 nr, at;
	bool replay;
} tree;

/* A number below @limit. */
static inline u32 choose(u32 limit)
{
	if (limit < 2)
		return 0;
	if (tree.at == CHOICES_MOST)
		host_fatal("more choices than there is room for");
	if (tree.at == tree.nr) {
		tree.choice[tree.nr] = 0;
		tree.limit[tree.nr++] = limit;
	} else if (!tree.replay && tree.limit[tree.at] != limit) {
		host_fatal("the same choices led to something else");
	}
	return tree.choice[tree.at++];
}

/* Advance to the next execution; false if that was the last. */
static inline bool next_execution(void)
{
	while (tree.nr && tree.choice[tree.nr - 1] + 1 == tree.limit[tree.nr - 1])
		tree.nr--;
	if (!tree.nr)
		return false;
	tree.choice[tree.nr - 1]++;
	return true;
}

/* Print the choices made so far, each followed by a comma. */
static inline void print_choices(void)
{
	u32 i;

	for (i = 0; i < tree.at; i++)
		printf(",%u", tree.choice[i]);
}

/* Read choices to repeat, in the format of print_choices(). */
static inline void read_choices(const char *list)
{
	while (*list == ',') {
		if (tree.nr == CHOICES_MOST)
			host_fatal("more choices than there is room for");
		tree.choice[tree.nr++] = strtoul(list + 1, (char **)&list, 10);
	}
	tree.replay = true;
}

#endif /* MYALLOC_TESTS_CHOICES_H */
