// SPDX-License-Identifier: GPL-2.0
/*
 * mkman: fills the tables of the man page in, from the tables that the tool works with
 *
 *	mkman <myallocctl.8.in >myallocctl.8
 *
 * A line of the template that says .\" @statistics zone, or cache, becomes the list of those
 * statistics. All other lines are copied.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obj/stats.h"

#define LINE_LENGTH	1024	/* of the template, at most */

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

static bool fill_in(const char *what)
{
	if (!strcmp(what, "statistics zone"))
		put_statistics(zone_fields);
	else if (!strcmp(what, "statistics cache"))
		put_statistics(cache_fields);
	else
		return false;
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
