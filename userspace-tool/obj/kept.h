/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kept: results that were kept with -o FILE, read again
 */
#ifndef MYALLOCCTL_KEPT_H
#define MYALLOCCTL_KEPT_H

struct json_object;
struct out;

/* @root is to be given back by json_object_put(). */
struct kept {
	const char *file;
	struct json_object *root;
	struct json_object *result;
	const char *kind;
};

/* An exit code, having said why if it is not EXIT_OK. */
int kept_load(struct kept *k, const char *file);
/* Describes what the systems that two results come from have not in common. */
void kept_differences(struct out *o, const struct kept *a, const struct kept *b);

#endif /* MYALLOCCTL_KEPT_H */
