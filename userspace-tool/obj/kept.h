/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kept: results that were written with -o FILE
 */
#ifndef MYALLOCCTL_KEPT_H
#define MYALLOCCTL_KEPT_H

struct json_object;
struct out;

/* @root owns the others; the caller frees it with json_object_put(). */
struct kept {
	const char *file;
	struct json_object *root;
	struct json_object *result;
	const char *kind;
};

/* Returns an exit code, and prints a message if it is not EXIT_OK. */
int kept_load(struct kept *k, const char *file);
/* Lists the differences between the systems that two results come from. */
void kept_differences(struct out *o, const struct kept *a, const struct kept *b);

#endif /* MYALLOCCTL_KEPT_H */
