// SPDX-License-Identifier: GPL-2.0
/*
 * mkman: makes man pages from templates and from the tables of the tool
 *
 *	mkman <myallocctl.8.in >myallocctl.8
 *	mkman cache <myallocctl.8.in >myallocctl-cache.8
 *
 * Without an argument the template is copied except for the sections named like an object. With an
 * object the page is the section of that name, below a synopsis from the tables. An object without
 * a section gets a list of its commands. STATISTICS belongs to the object stat.
 *
 * A line of the template that says .\" @statistics zone (or another kind of obj/figures.h) becomes
 * the list of those statistics, .\" @options OBJECT [VERB] the options of that verb, .\" @options
 * alone those of every command, and .\" @objects the list of objects. @DATE@ and @VERSION@ become
 * those of the changelog. All other lines are copied.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/help.h"
#include "host/mem.h"
#include "obj/figures.h"
#include "obj/objects.h"

#define LINE_LENGTH	1024	/* of the template, at most */

static const struct object *const objects[] = { OBJECTS(OBJECT_ENTRY) NULL };

/* Print text with all characters escaped that are special to roff. */
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

static void put_objects(void)
{
	const struct object *const *object;

	for (object = objects; *object; object++) {
		printf(".TP\n.BR myallocctl\\-%s (8)\n", (*object)->name);
		put_text((*object)->help);
		putchar('\n');
	}
}

static bool fill_in(const char *what)
{
	const struct figures_kind *kind;
	const struct opt *opts = NULL;

	if (!strncmp(what, "statistics ", 11)) {
		for (kind = figures_kinds; kind->word && strcmp(kind->word, what + 11); kind++)
			;
		if (!kind->word)
			return false;
		put_statistics(kind->fields);
	} else if (!strcmp(what, "objects")) {
		put_objects();
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

/* Print a line with @DATE@ and @VERSION@ replaced. */
static void put_line(const char *line)
{
	static const struct {
		const char *mark, *text;
	} words[] = { { "@DATE@", MYALLOC_DATE }, { "@VERSION@", MYALLOC_VERSION } };
	size_t i;

	for (; *line; line++) {
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (!strncmp(line, words[i].mark, strlen(words[i].mark)))
				break;
		if (i == ARRAY_SIZE(words)) {
			putchar(*line);
			continue;
		}
		fputs(words[i].text, stdout);
		line += strlen(words[i].mark) - 1;
	}
}

static void put_upper(const char *s)
{
	for (; *s; s++)
		putchar(toupper(*s));
}

static void begin_page(const struct object *object)
{
	const struct verb *verb;

	printf(".\\\" SPDX-License-Identifier: GPL-2.0\n.TH MYALLOCCTL\\-");
	put_upper(object->name);
	printf(" 8 " MYALLOC_DATE " \"myalloc " MYALLOC_VERSION "\" \"System Manager's Manual\"\n");
	printf(".SH NAME\nmyallocctl\\-%s \\- ", object->name);
	put_text(object->help);
	printf("\n.SH SYNOPSIS\n");
	for (verb = object->verbs; verb->name; verb++) {
		if (!verb->func)
			continue;
		printf("%s.B myallocctl %s%s%s\n", verb == object->verbs ? "" : ".br\n",
		       object->name, *verb->name ? " " : "", verb->name);
		if (verb->opts)
			printf(".RI [ OPTIONS ]\n");
		if (verb->args && *verb->args) {
			put_text(verb->args);
			putchar('\n');
		}
	}
	printf(".SH DESCRIPTION\n");
}

static void list_verbs(const struct object *object)
{
	const struct verb *verb;

	for (verb = object->verbs; verb->name; verb++) {
		if (!verb->func)
			continue;
		printf(".TP\n.B myallocctl %s%s%s\n", object->name, *verb->name ? " " : "",
		       verb->name);
		put_text(verb->help);
		putchar('\n');
		if (verb->opts) {
			printf(".RS\n");
			put_options(verb->opts);
			printf(".RE\n");
		}
	}
}

static void end_page(void)
{
	printf(".SH SEE ALSO\n"
	       ".BR myallocctl (8)\n"
	       "has the options of every command, values, exit status and the form of JSON;\n"
	       ".BR myalloc (7)\n"
	       "explains the words.\n");
}

static const struct object *find_object(const char *name)
{
	const struct object *const *object;

	for (object = objects; *object; object++)
		if (!strcasecmp((*object)->name, name))
			return *object;
	return NULL;
}

/* The object to whose page the section belongs, NULL for the page of all. */
static const struct object *owner(const char *section)
{
	return !strcmp(section, "STATISTICS") ? find_object("stat") : find_object(section);
}

int main(int argc, char **argv)
{
	const struct object *page = NULL, *section = NULL;
	static const char mark[] = ".\\\" @", head[] = ".SH ";
	char line[LINE_LENGTH], name[LINE_LENGTH];
	bool described = false;

	if (argc > 1) {
		page = find_object(argv[1]);
		if (!page) {
			fprintf(stderr, "mkman: no object '%s'\n", argv[1]);
			return 1;
		}
		begin_page(page);
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, head, strlen(head))) {
			snprintf(name, sizeof(name), "%s", line + strlen(head));
			name[strcspn(name, "\n")] = 0;
			section = owner(name);
			/* The page has this heading already. */
			if (page && section == page && !strcasecmp(name, page->name)) {
				described = true;
				continue;
			}
			if (page && section == page && !described) {
				list_verbs(page);
				described = true;
			}
		}
		if (section != page)
			continue;
		if (strncmp(line, mark, strlen(mark))) {
			put_line(line);
			continue;
		}
		line[strcspn(line, "\n")] = 0;
		if (!fill_in(line + strlen(mark))) {
			fprintf(stderr, "mkman: unknown table '%s'\n", line + strlen(mark));
			return 1;
		}
	}
	if (page && !described)
		list_verbs(page);
	if (page)
		end_page();
	return fflush(stdout) || ferror(stdin) ? 1 : 0;
}
