/* SPDX-License-Identifier: GPL-2.0 */
/* What some code has created and not destroyed: see makers.c. */
#ifndef MYALLOC_MAKERS_H
#define MYALLOC_MAKERS_H

#include "zone_types.h"

/**
 * struct myalloc_maker - code that creates caches and fronts
 * @words: what it is called in reports, such as "module frob"
 * @is_code: is this address in it?
 * @of: argument of @is_code
 * @most: how many are printed at most
 */
struct myalloc_maker {
	const char *words;
	bool (*is_code)(unsigned long caller, const void *of);
	const void *of;
	u32 most;
};

u32 myalloc_makers_report(struct myalloc_zone *zone, const struct myalloc_maker *maker);

#endif /* MYALLOC_MAKERS_H */
