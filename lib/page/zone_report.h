/* SPDX-License-Identifier: GPL-2.0 */
/* Reports of a zone: errors are counted and described in words */
#ifndef MYALLOC_ZONE_REPORT_H
#define MYALLOC_ZONE_REPORT_H

#include "zone_types.h"

__printf(2, 3)
void myalloc_zone_err(struct myalloc_zone *zone, const char *fmt, ...);
__printf(2, 3)
void myalloc_zone_crit(struct myalloc_zone *zone, const char *fmt, ...);
__printf(3, 4)
void myalloc_site_err(struct myalloc_zone *zone, unsigned long caller, const char *fmt, ...);
__printf(3, 4)
void myalloc_site_crit(struct myalloc_zone *zone, unsigned long caller, const char *fmt, ...);
int myalloc_zone_bad_free(struct myalloc_zone *zone, const void *addr,
			  enum myalloc_bad bad, const char *what, unsigned long caller);
void myalloc_zone_last_report(struct myalloc_zone *zone, char *buf, size_t size);

/**
 * struct myalloc_past - what is known of a block that no user has any more
 * @idx: the page where it began
 * @stack: handle of the call stack of its free, 0 if that is not known
 * @caller: code address of the caller that allocated it
 */
struct myalloc_past {
	u32 idx;
	u32 stack;
	unsigned long caller;
};

bool myalloc_zone_past(const struct myalloc_zone *zone, u32 idx,
		       const struct myalloc_block *block, struct myalloc_past *past);

#endif /* MYALLOC_ZONE_REPORT_H */
