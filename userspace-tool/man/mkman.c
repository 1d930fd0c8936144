// SPDX-License-Identifier: GPL-2.0
/*
 * mkman: fills the tables of the man page in, from the tables that the tool works with
 *
 *	mkman <myallocctl.8.in >myallocctl.8
 *
 * A line of the template that says .\" @statistics zone (or cache) becomes the list of those
 * statistics, .\" @options OBJECT [VERB] the options of that verb, and .\" @options alone
 * those of every command. All other lines are copied.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/help.h"
#include "host/mem.h"
#include "obj/objects.h"
#include "obj/stats.h"

#define LINE_LENGTH	1024	/* of the template, at most */

static const struct object *const objects[] = { OBJECTS(OBJECT_ENTRY) NULL };

/* Text in which no character means anything to roff. */
static void put_text(const char *s)
{
	if (*s == '.' || *s == '\'')
		printf("\\&");
	for (; *s; s++) {
		if (*s == '-')
			printf("\\-");
		else if (*s == '\\')
			printf("\\e");
		else
			putchar(*s);
	}
}

static void put_statistics(const struct stat_field *f)
{
	const char *unit;

	for (; f->name; f++) {
		unit = stats_unit_name(f);
		printf(".TP\n.B %s\n", f->name);
		if (*unit || f->by_order || strcmp(f->name, f->key)) {
			printf("(%s%s%s", unit, *unit && f->by_order ? ", " : "",
			       f->by_order ? "by order" : "");
			if (strcmp(f->name, f->key))
				printf("%sin JSON\n.IR %s )\n",
				       *unit || f->by_order ? "; " : "", f->key);
			else
				printf(")\n");
		}
		put_text(f->help);
		putchar('\n');
	}
}

static void put_options(const struct opt *opt)
{
	char *text;

	for (; opt->name; opt++) {
		printf(".TP\n\\fB");
		if (opt->letter)
			printf("\\-%c\\fR, \\fB", opt->letter);
		put_text("--");
		put_text(opt->name);
		printf("\\fR");
		if (opt->arg)
			printf(" \\fI%s\\fR", opt->arg);
		putchar('\n');
		text = help_opt_text(opt);
		put_text(text);
		putchar('\n');
		free(text);
	}
}

/* @name: an object, and a verb behind a blank if the object has several. */
static const struct opt *find_options(const char *name)
{
	const struct object *const *object;
	const struct verb *verb;
	char *full;
	bool found;

	for (object = objects; *object; object++) {
		for (verb = (*object)->verbs; verb->name; verb++) {
			full = xasprintf("%s%s%s", (*object)->name, *verb->name ? " " : "",
					 verb->name);
			found = !strcmp(full, name);
			free(full);
			if (found)
				return verb->opts;
		}
	}
	return NULL;
}

static bool fill_in(const char *what)
{
	const struct opt *opts = NULL;

	if (!strcmp(what, "statistics zone")) {
		put_statistics(zone_fields);
	} else if (!strcmp(what, "statistics cache")) {
		put_statistics(cache_fields);
	} else if (!strcmp(what, "statistics heap")) {
		put_statistics(heap_fields);
	} else if (!strcmp(what, "statistics arena")) {
		put_statistics(arena_fields);
	} else if (!strcmp(what, "statistics ring")) {
		put_statistics(ring_fields);
	} else if (!strcmp(what, "statistics client")) {
		put_statistics(client_fields);
	} else if (!strcmp(what, "statistics pool")) {
		put_statistics(pool_fields);
	} else if (!strcmp(what, "statistics contract")) {
		put_statistics(contract_fields);
	} else {
		if (!strcmp(what, "options"))
			opts = global_opts;
		else if (!strncmp(what, "options ", 8))
			opts = find_options(what + 8);
		if (!opts)
			return false;
		put_options(opts);
	}
	return true;
}

int main(void)
{
	static const char mark[] = ".\\\" @";
	char line[LINE_LENGTH];

	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, mark, strlen(mark))) {
			fputs(line, stdout);
			continue;
		}
		line[strcspn(line, "\n")] = 0;
		if (!fill_in(line + strlen(mark))) {
			fprintf(stderr, "mkman: unknown table '%s'\n", line + strlen(mark));
			return 1;
		}
	}
	return fflush(stdout) || ferror(stdin) ? 1 : 0;
}
