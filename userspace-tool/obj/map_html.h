/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map_html: memory as a picture in a browser
 */
#ifndef MYALLOCCTL_MAP_HTML_H
#define MYALLOCCTL_MAP_HTML_H

#include "myalloc.h"

/* Writes a self-contained page: @nr cells of @size pages each, from page @first on. */
char *map_html(const struct myalloc_cell *cells, __u32 nr, __u64 first, __u64 size,
	       __u32 page_bytes);

#endif /* MYALLOCCTL_MAP_HTML_H */
