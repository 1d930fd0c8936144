/* SPDX-License-Identifier: GPL-2.0 */
/* What some code has created and not destroyed: see makers.c. */
#ifndef MYALLOC_MAKERS_H
#define MYALLOC_MAKERS_H

#include "client/client.h"

u32 myalloc_makers_report(struct myalloc_zone *zone, const struct myalloc_leaver *leaver, u32 most);

#endif /* MYALLOC_MAKERS_H */
