/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mem: memory that is had, or the program ends with a sentence
 */
#ifndef MYALLOCCTL_MEM_H
#define MYALLOCCTL_MEM_H

#include <stddef.h>

void *xcalloc(size_t nr, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* MYALLOCCTL_MEM_H */
