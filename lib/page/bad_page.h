/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that the machine reports as bad */
#ifndef MYALLOC_BAD_PAGE_H
#define MYALLOC_BAD_PAGE_H

#include "zone_types.h"

u32 myalloc_bad_poll(struct myalloc_zone *zone, u32 most);

#endif /* MYALLOC_BAD_PAGE_H */
