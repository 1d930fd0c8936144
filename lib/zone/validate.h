/* SPDX-License-Identifier: GPL-2.0 */
/* Validation: recount everything from the lowest-level facts. */
#ifndef MYALLOC_VALIDATE_H
#define MYALLOC_VALIDATE_H

#include "zone/validate_buddy.h"
#include "zone/validate_cache.h"
#include "zone/zone.h"

bool myalloc_zone_validate(struct myalloc_zone *zone, struct myalloc_validation *v);

#endif /* MYALLOC_VALIDATE_H */
