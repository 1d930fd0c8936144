// SPDX-License-Identifier: GPL-2.0
/*
 * mem: memory that is had, or the program ends with a sentence
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/out.h"

static void *had(void *p)
{
	if (!p) {
		out_error("the system has no memory left for this program");
		exit(1);
	}
	return p;
}

void *xcalloc(size_t nr, size_t size)
{
	return had(calloc(nr ? nr : 1, size));
}

char *xstrdup(const char *s)
{
	return had(strdup(s));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	return had(vasprintf(&s, fmt, ap) < 0 ? NULL : s);
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
	return had(open_memstream(text, size));
}

/* Then the text is whole, to be freed. */
void xmemstream_end(FILE *file)
{
	had(fclose(file) ? NULL : file);
}
