/* SPDX-License-Identifier: GPL-2.0 */
/* Validation of a cache. */
#ifndef MYALLOC_VALIDATE_CACHE_H
#define MYALLOC_VALIDATE_CACHE_H

#include "object/cache.h"
#include "zone/finding.h"

bool myalloc_cache_validate(struct myalloc_cache *cache, struct myalloc_validation *v);

#endif /* MYALLOC_VALIDATE_CACHE_H */
