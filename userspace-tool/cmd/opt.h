/* SPDX-License-Identifier: GPL-2.0 */
/*
 * opt: the one parser of options, for the files of cmd only
 */
#ifndef MYALLOCCTL_OPT_H
#define MYALLOCCTL_OPT_H

#include "cmd/cmd_types.h"

/*
 * Reads the options from here up to the first word if no verb is known yet, otherwise all
 * of them, into @target; @c has no options before the verb but those of every command.
 */
void opt_read(struct cmd *c, void *target);

#endif /* MYALLOCCTL_OPT_H */
