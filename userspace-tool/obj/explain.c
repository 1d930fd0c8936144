// SPDX-License-Identifier: GPL-2.0
/*
 * explain: the meaning of statistics, from their one list, and of the other numbers in results
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/explain_made.h"
#include "obj/figures.h"
#include "obj/objects.h"
#include "out/out.h"

#define NAMES_MAX	512	/* of all statistics and other numbers */

static const char *kind_text(const struct stat_field *f)
{
	switch (f->kind) {
	case STAT_HOLDER:
		return "pages in one place; all such places add up to nr_pages";
	case STAT_STATE:
	case STAT_SPACE:
		return "the present state";
	case STAT_EVENT:
		return "a count since the module was loaded";
	case STAT_USE:
		return "a count since it was created";
	default:
		return "constant while it exists";
	}
}

static void put_one(struct out *o, const char *of, const char *name, const char *key,
		    const char *unit, const char *kind, const char *help)
{
	out_item(o);
	out_str(o, "of", "of", OUT_PLAIN, of);
	out_str(o, "help", "meaning", OUT_PLAIN, help);
	out_str(o, "kind", "", OUT_PLAIN, kind);
	out_str(o, "unit", *unit ? "" : NULL, OUT_PLAIN, unit);
	out_str(o, "name", NULL, OUT_PLAIN, name);
	out_str(o, "key", NULL, OUT_PLAIN, key);
	out_end(o);
}

static const char explain_form[] =
	"name:text meanings:[{ of:text help:text kind:text unit:text name:text key:text }]";

static int put_all(struct out *o, const char *word)
{
	const struct figures_kind *kind;
	const struct stat_field *f;
	const struct explain_made *made;
	char *unit;
	int nr = 0;

	out_cards(o, "meanings", "");
	for (kind = figures_kinds; kind->word; kind++) {
		f = figures_field(kind, word);
		if (!f)
			continue;
		unit = xasprintf("%s%s%s", stats_unit_name(f), *stats_unit_name(f) && f->by_order ?
				 ", " : "", f->by_order ? "one for each order" : "");
		put_one(o, kind->word, f->name, f->key, unit, kind_text(f), f->help);
		free(unit);
		nr++;
	}
	for (made = explain_made; made->name; made++) {
		if (strcmp(made->name, word))
			continue;
		put_one(o, made->of, word, word, "", "in the results of the tool", made->help);
		nr++;
	}
	out_end(o);
	return nr;
}

static void add_name(const char **names, int *nr, const char *name)
{
	int i;

	for (i = 0; i < *nr && strcmp(names[i], name); i++)
		;
	if (i == *nr && i < NAMES_MAX)
		names[(*nr)++] = name;
}

static void __attribute__((noreturn)) unknown(const char *word)
{
	const char *names[NAMES_MAX];
	const struct figures_kind *kind;
	const struct explain_made *made;
	const struct stat_field *f;
	int nr = 0;

	for (kind = figures_kinds; kind->word; kind++)
		for (f = kind->fields; f->name; f++)
			add_name(names, &nr, f->name);
	for (made = explain_made; made->name; made++)
		add_name(names, &nr, made->name);
	cmd_wrong_word("statistic", word, names, nr);
}

static int explain_one(struct cmd *c)
{
	const char *word = cmd_word(c);
	struct out *o;

	if (!word)
		cmd_usage(c, "missing name of a statistic; 'myallocctl stat explain' shows all");
	cmd_done(c);
	o = out_new("explain");
	out_str(o, "name", "", OUT_PLAIN, word);
	if (!put_all(o, word))
		unknown(word);
	return out_finish(o, EXIT_OK);
}

static const struct verb explain_verbs[] = {
	{ "", explain_one, "STATISTIC", "say what a number means", NULL, .form = explain_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object explain_object = {
	"explain", "say what a statistic means", explain_verbs, NULL
};
