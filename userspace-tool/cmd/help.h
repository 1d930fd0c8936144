/* SPDX-License-Identifier: GPL-2.0 */
/*
 * help: the help at each level, from the tables of cmd
 */
#ifndef MYALLOCCTL_HELP_H
#define MYALLOCCTL_HELP_H

#include "cmd/cmd_types.h"

/* Options that every command has; their target is struct out_options. */
extern const struct opt global_opts[];

/* All objects; the table ends with NULL. */
void help_setup(const struct object *const *objects);
/* Prints the help of @object and @verb, each of which may be NULL; with --json as JSON. */
void help_level(const struct object *object, const struct verb *verb);
void help_version(void);
/* An option with the name of its value, as "-n, --count N"; to be freed. */
char *help_opt_name(const struct opt *opt);
/* The description of an option, with its default; to be freed. */
char *help_opt_text(const struct opt *opt);

#endif /* MYALLOCCTL_HELP_H */
