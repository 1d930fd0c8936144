/* SPDX-License-Identifier: GPL-2.0 */
/* What each call site holds: see sites.c. */
#ifndef MYALLOC_SITES_H
#define MYALLOC_SITES_H

#include "object/site_table.h"

extern const struct myalloc_client myalloc_no_client;

int myalloc_sites_collect(struct myalloc_sites *sites, struct myalloc_zone *zone,
			  const struct myalloc_client *client, u64 older_ns);

#endif /* MYALLOC_SITES_H */
