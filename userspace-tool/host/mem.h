/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mem: allocation wrappers that exit with a message on failure
 */
#ifndef MYALLOCCTL_MEM_H
#define MYALLOCCTL_MEM_H

#include <stdarg.h>
#include <stdio.h>

void *xcalloc(size_t nr, size_t size);
char *xstrdup(const char *s);
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A stream whose contents become *@text, complete after xmemstream_end(). */
FILE *xmemstream(char **text, size_t *size);
void xmemstream_end(FILE *file);

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* MYALLOCCTL_MEM_H */
