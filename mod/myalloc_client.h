/* SPDX-License-Identifier: GPL-2.0 */
/*
 * myalloc for other modules
 *
 *	#include "myalloc_client.h"
 *
 *	MYALLOC_IMPORT_NS(MYALLOC);
 *
 *	zone = myalloc_zone_get();
 *	if (!zone)
 *		return -ENODEV;
 *	cache = myalloc_cache_create(zone, &(struct myalloc_cache_args) {
 *		.name = "frob-request",
 *		.object_size = sizeof(struct frob_request),
 *	});
 *	if (IS_ERR(cache)) {
 *		myalloc_zone_put(zone);
 *		return PTR_ERR(cache);
 *	}
 *	...
 *	myalloc_cache_destroy(cache);
 *	myalloc_zone_put(zone);
 *
 * Build with the Module.symvers of myalloc in KBUILD_EXTRA_SYMBOLS. myalloc.ko cannot be
 * removed while a module that uses it is loaded. mod/clients/frob is the smallest one, with its
 * Kbuild; mod/clients/example.c a larger one.
 */
#ifndef MYALLOC_CLIENT_H
#define MYALLOC_CLIENT_H

#include "../lib/myalloc.h"
#include "compat.h"

struct myalloc_zone *myalloc_zone_get(void);
void myalloc_zone_put(struct myalloc_zone *zone);

#endif /* MYALLOC_CLIENT_H */
