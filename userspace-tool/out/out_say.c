// SPDX-License-Identifier: GPL-2.0
/*
 * out_say: messages and progress on stderr, so that stdout is the result alone
 *
 * On a terminal progress is one line, redrawn; elsewhere each call is a line
 * of its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/mem.h"
#include "out/out_say.h"
#include "out/out_tree.h"

#define BAR_WIDTH	20
#define CLEAR_LINE	"\r\033[K"

static bool bar_drawn;

static bool stderr_tty(void)
{
	static int tty = -1;

	if (tty < 0) {
		const char *term = getenv("TERM");

		tty = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
	}
	return tty;
}

static bool stderr_color(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDERR_FILENO) && !(no && *no);
}

static void say(const char *word, const char *color, const char *fmt, va_list ap)
{
	char *text, *clean;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	clean = out_text_clean(text);
	out_progress_end();
	if (stderr_color())
		fprintf(stderr, "myallocctl: %s%s%s%s\n", color, word,
			*color ? "\033[0m" : "", clean);
	else
		fprintf(stderr, "myallocctl: %s%s\n", word, clean);
	free(clean);
	free(text);
}

void out_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", "", fmt, ap);
	va_end(ap);
}

void out_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("note: ", "\033[33m", fmt, ap);
	va_end(ap);
}

void out_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("error: ", "\033[31m", fmt, ap);
	va_end(ap);
}

/* Print a line that belongs to an error, such as a list or a suggestion. */
int out_hint(const char *fmt, ...)
{
	va_list ap;
	int nr;

	va_start(ap, fmt);
	nr = vfprintf(stderr, fmt, ap);
	va_end(ap);
	return nr;
}

/* @permille of the work done, below 0 if that is not known. */
void out_progress(int permille, const char *fmt, ...)
{
	char bar[BAR_WIDTH + 1];
	va_list ap;
	int full;

	if (permille > 1000)
		permille = 1000;
	if (stderr_tty()) {
		fputs(CLEAR_LINE, stderr);
		if (permille >= 0) {
			full = permille * BAR_WIDTH / 1000;
			memset(bar, '#', full);
			memset(bar + full, '.', BAR_WIDTH - full);
			bar[BAR_WIDTH] = 0;
			fprintf(stderr, "[%s] ", bar);
		}
		bar_drawn = true;
	}
	if (permille >= 0)
		fprintf(stderr, "%3d %%  ", permille / 10);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (!stderr_tty())
		fputc('\n', stderr);
	fflush(stderr);
}

/* Clear the progress line, if there is one, before other output. */
void out_progress_end(void)
{
	if (bar_drawn)
		fputs(CLEAR_LINE, stderr);
	bar_drawn = false;
}
