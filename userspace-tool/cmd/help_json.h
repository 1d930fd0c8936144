/* SPDX-License-Identifier: GPL-2.0 */
/*
 * help_json: the help as JSON
 */
#ifndef MYALLOCCTL_HELP_JSON_H
#define MYALLOCCTL_HELP_JSON_H

#include "cmd/cmd_types.h"

/* The form of a document of kind "help", in the notation of obj/form.h. */
extern const char help_form[];

/*
 * Prints a document of kind "help" on @object and @verb, or on all of them where they are NULL;
 * @global are the options of every command. Write errors are reported by out_close().
 */
void help_json(const struct object *const *objects, const struct object *object,
	       const struct verb *verb, const struct opt *global);

#endif /* MYALLOCCTL_HELP_JSON_H */
