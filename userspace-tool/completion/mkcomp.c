// SPDX-License-Identifier: GPL-2.0
/*
 * mkcomp: prints bash's completion of myallocctl, from the tables that the tool works with
 *
 *	mkcomp <myallocctl.bash.in >myallocctl.bash
 *
 * The line of the template that says "# @words" becomes the branches of a case: the words that may
 * follow each object, and each object and verb. All other lines are copied.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/help.h"
#include "obj/objects.h"

#define LINE_LENGTH	1024	/* of the template, at most */

static const struct object *const objects[] = { OBJECTS(OBJECT_ENTRY) NULL };

static void put_options(const struct opt *opt)
{
	for (; opt && opt->name; opt++)
		printf(" --%s", opt->name);
}

static void put_objects(void)
{
	const struct object *const *object;

	for (object = objects; *object; object++)
		printf(" %s", (*object)->name);
}

static void put_verbs(const struct object *object)
{
	const struct verb *verb;

	for (verb = object->verbs; verb->name; verb++)
		if (verb->func && *verb->name)
			printf(" %s", verb->name);
}

/* For an object whose arguments are an object and a verb. */
static void put_places(const struct object *which)
{
	const struct object *const *object;

	for (object = objects; *object; object++) {
		if (!*(*object)->verbs->name)
			continue;
		printf("\t'%s %s')\techo '", which->name, (*object)->name);
		put_verbs(*object);
		put_options(global_opts);
		printf("' ;;\n");
	}
}

/* A verb without a function is a word that people try, and is not offered. */
static void put_object(const struct object *object)
{
	const struct verb *verb;

	if (!*object->verbs->name) {
		bool places = !strncmp(object->verbs->args, "[OBJECT", 7);

		printf("\t%s)\techo 'help", object->name);
		if (places)
			put_objects();
		put_options(object->verbs->opts);
		put_options(global_opts);
		printf("' ;;\n");
		if (places)
			put_places(object);
		return;
	}
	printf("\t%s)\techo 'help", object->name);
	put_verbs(object);
	printf("' ;;\n");
	for (verb = object->verbs; verb->name; verb++) {
		if (!verb->func)
			continue;
		printf("\t'%s %s')\techo 'help", object->name, verb->name);
		put_options(verb->opts);
		put_options(global_opts);
		printf("' ;;\n");
	}
}

static void put_words(void)
{
	const struct object *const *object;

	printf("\t'')\techo 'help");
	put_objects();
	put_options(global_opts);
	printf("' ;;\n");
	for (object = objects; *object; object++)
		put_object(*object);
}

int main(void)
{
	char line[LINE_LENGTH];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "\t# @words\n"))
			put_words();
		else
			fputs(line, stdout);
	}
	return fflush(stdout) || ferror(stdin) ? 1 : 0;
}
