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

/* Prints a message about each of them; returns their number. */
int kept_each_difference(const struct kept *a, const struct kept *b,
			 void (*each)(void *arg, const char *text), void *arg);
/* The member of an array's item that tells it from the others, NULL if none does. */
const char *kept_identity(struct json_object *item);

/* An item: @key is the member that tells it from the others, @name its value, @path "list[name]". */
struct kept_item {
	char *path;
	const char *key;
	struct json_object *name;
	struct json_object *value;
};

/* Calls @each for every item of a list, up to one without such a member. */
void kept_each_item(const char *path, struct json_object *list,
		    void (*each)(void *arg, const struct kept_item *item), void *arg);

#endif /* MYALLOCCTL_KEPT_H */
