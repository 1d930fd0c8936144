/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that the machine reports as bad. */
#ifndef MYALLOC_BAD_PAGE_H
#define MYALLOC_BAD_PAGE_H

#include "zone/zone.h"

void __myalloc_bad_take(struct myalloc_zone *zone, u32 idx, unsigned int order);
u32 myalloc_bad_poll(struct myalloc_zone *zone, u32 most);

#endif /* MYALLOC_BAD_PAGE_H */
