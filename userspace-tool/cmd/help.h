/* SPDX-License-Identifier: GPL-2.0 */
/*
 * help: what can be asked, at each level, from the tables of cmd
 */
#ifndef MYALLOCCTL_HELP_H
#define MYALLOCCTL_HELP_H

#include "cmd/cmd.h"

extern const struct opt global_opts[];

void help_all(const struct object *const *objects);
void help_object(const struct object *object);
void help_verb(const struct object *object, const struct verb *verb);
void help_version(void);

#endif /* MYALLOCCTL_HELP_H */
