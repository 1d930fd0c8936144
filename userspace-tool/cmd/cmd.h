/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd: objects, their verbs and options as tables, and the search in them
 */
#ifndef MYALLOCCTL_CMD_H
#define MYALLOCCTL_CMD_H

#include "cmd/cmd_types.h"
#include "cmd/wrong.h"

/* Runs the command that the words name; @objects ends with NULL. Returns the exit code. */
int cmd_main(const struct object *const *objects, int argc, char **argv);

/* The table of objects, and one of them; an unknown word ends the program with EXIT_USAGE. */
const struct object *const *cmd_objects(void);
const struct object *cmd_find_object(const char *word);
const struct verb *cmd_find_verb(const struct object *object, const char *word);

/*
 * Reads all options of the verb into @target, the struct that its table describes. Must be called
 * first, and only if the verb has options.
 */
void cmd_options(struct cmd *c, void *target);
/* The next word after the options, NULL when there are no more. */
char *cmd_word(struct cmd *c);
/* Refuses further words. */
void cmd_done(struct cmd *c);

#endif /* MYALLOCCTL_CMD_H */
