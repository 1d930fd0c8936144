// SPDX-License-Identifier: GPL-2.0
/*
 * wrong: the messages about wrong words and values, which end the program
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/closest.h"
#include "cmd/wrong.h"
#include "host/mem.h"
#include "host/terminal.h"
#include "out/out.h"

void wrong_word(const char *what, const char *dashes, const char *word,
		const char *const *right, int nr)
{
	const char *near = closest(word, right, nr);
	int i, at;

	if (near)
		out_fail(EXIT_USAGE, "unknown %s '%s%s'; did you mean '%s%s'?", what,
			 dashes, word, *dashes ? "--" : "", near);
	else
		out_fail(EXIT_USAGE, "unknown %s '%s%s'", what, dashes, word);
	at = out_hint("expected one of:");
	for (i = 0; i < nr; i++) {
		/* In columns, so that the end of a long list is on the screen, too. */
		if (at + 1 + (*dashes ? 2 : 0) + (int)strlen(right[i]) > terminal_columns())
			at = out_hint("\n ") - (int)strlen("\n");
		at += out_hint(" %s%s", *dashes ? "--" : "", right[i]);
	}
	out_hint("\n");
	exit(out_close(EXIT_USAGE));
}

void cmd_wrong_word(const char *what, const char *word,
		    const char *const *right, int nr)
{
	wrong_word(what, "", word, right, nr);
}

/* Empty while the object is not read yet. */
static char *full_name(const struct cmd *c)
{
	if (!c->object)
		return xstrdup("");
	if (!c->verb || !*c->verb->name)
		return xstrdup(c->object->name);
	return xasprintf("%s %s", c->object->name, c->verb->name);
}

void cmd_usage(struct cmd *c, const char *fmt, ...)
{
	char *text, *name = full_name(c);
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	out_fail(EXIT_USAGE, "%s%s%s", name, *name ? ": " : "", text);
	out_hint("'myallocctl %s%shelp' shows %s options and arguments\n", name, *name ? " " : "",
		 *name ? "its" : "the");
	free(text);
	free(name);
	exit(out_close(EXIT_USAGE));
}

void cmd_check(struct cmd *c, const char *name, const char *value,
	       const char *wrong)
{
	if (wrong)
		cmd_usage(c, "%s '%s': %s", name, value, wrong);
}
