// SPDX-License-Identifier: GPL-2.0
/*
 * mem: allocation wrappers that exit with a message on failure
 *
 * The message is written here and not by out, which needs memory itself. So stdout gets no document
 * then, not even with --json.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/mem.h"

static void *checked(void *p)
{
	static const char message[] = "myallocctl: error: out of memory\n";

	if (p)
		return p;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(2);
	exit(1);
}

void *xcalloc(size_t nr, size_t size)
{
	return checked(calloc(nr ? nr : 1, size));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	return checked(vasprintf(&s, fmt, ap) < 0 ? NULL : s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

FILE *xmemstream(char **text, size_t *size)
{
	return checked(open_memstream(text, size));
}

/* Completes the text, which the caller frees. */
void xmemstream_end(FILE *file)
{
	checked(fclose(file) ? NULL : file);
}
