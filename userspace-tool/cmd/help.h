/* SPDX-License-Identifier: GPL-2.0 */
/*
 * help: what can be asked, at each level, from the tables of cmd
 */
#ifndef MYALLOCCTL_HELP_H
#define MYALLOCCTL_HELP_H

#include "cmd/cmd_types.h"

/* Options that every command has; their target is struct out_options. */
extern const struct opt global_opts[];

/* All objects that there are; the table ends with NULL. */
void help_setup(const struct object *const *objects);
/* The help of the level that @object and @verb, or NULL, have come to; with --json as JSON. */
void help_level(const struct object *object, const struct verb *verb);
void help_version(void);
/* An option with the name of its value, as "-n, --count N"; to be freed. */
char *help_opt_name(const struct opt *opt);
/* What an option does, with the value that holds if it is not given; to be freed. */
char *help_opt_text(const struct opt *opt);

#endif /* MYALLOCCTL_HELP_H */
