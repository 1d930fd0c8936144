/* SPDX-License-Identifier: GPL-2.0 */
/*
 * front: common parts of the objects heap, pool, ring and arena: list, show, end of a test
 */
#ifndef MYALLOCCTL_FRONT_H
#define MYALLOCCTL_FRONT_H

#include "cmd/cmd.h"
#include "dev/dev.h"
#include "obj/device.h"
#include "obj/figures.h"
#include "out/out.h"

/* The first members of the statistics of every kind of front; a later field is "id". */
struct front_stat {
	__u32 size;
	__u32 how;
	char name[MYALLOC_NAME_MAX];
};

/* A kind of front. The functions may be NULL. */
struct front {
	const struct figures_kind *kind;
	const char *one;		/* as in "missing name of a heap" */
	const char *title;
	/*
	 * The fields in a row of text, ends with NULL. Those that matter most come first: on a narrow
	 * terminal they are left out from the end.
	 */
	const char *const *shown;
	/* Add to a row and to the groups of the same names. */
	void (*row)(struct out *o, const void *stat);
	void (*traits)(struct out *o, const void *stat);
	void (*use)(struct out *o, const void *stat);
	/* Adds groups of its own to what is shown. Returns 0 or a negative errno. */
	int (*rest)(struct device *d, struct out *o, const char *name);
};

/* Reads the statistics of the front with a name. Returns 0, -ENOENT or another negative errno. */
int front_find(const struct front *f, const struct device *d, const char *name,
	       struct front_stat *s);
/*
 * Their forms: @many is the key of the list, @fields the word for the statistics, @row, @traits and
 * @use the members that the functions of the same names add.
 */
#define FRONT_LIST(many, fields, row) \
	many ":[{ name:text @" fields " " row " }]"
#define FRONT_SHOW(fields, traits, use) \
	"traits:{ name:text @" fields ".TRAIT " traits " } space:{ @" fields ".SPACE } " \
	"use:{ @" fields ".USE " use " }"

/* The work of the verbs 'list' and 'show'. */
int front_list(struct cmd *c, const struct front *f);
int front_show(struct cmd *c, const struct front *f);

#define FRONT_VERDICT	"errors:uint first:text|null verdict:'ok'|'failed'"

/* Adds the error count and the first message of a test, and the verdict. Returns the exit code. */
int front_verdict(struct out *o, __u64 errors, const char *first, size_t size);

#endif /* MYALLOCCTL_FRONT_H */
