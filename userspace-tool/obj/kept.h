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

/* Says each of them in words; returns their number. */
int kept_each_difference(const struct kept *a, const struct kept *b,
			 void (*each)(void *arg, const char *text), void *arg);
/* The member of an array's item that tells it from the others, NULL if none does. */
const char *kept_identity(struct json_object *item);

#endif /* MYALLOCCTL_KEPT_H */
