/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of report_kunit.c, some with names as long as those of generated code.
 *
 * They are not static, because natively only the names of external functions are known.
 */
#ifndef REPORT_NAMES_H
#define REPORT_NAMES_H

#include "page/flags.h"

struct myalloc_cache;

#define REPORT_NAME(a, b, c, d)		__REPORT_NAME(a, b, c, d)
#define __REPORT_NAME(a, b, c, d)	a##b##c##d

/* 113 and 112 characters: a report that names both is longer than 160. */
#define long_alloc REPORT_NAME(an_allocation_by_a_function_, with_a_name_that_does_not_end_here_, \
			       nor_here_but_goes_on_until_it_is_, longer_than_usual)
#define long_free REPORT_NAME(a_free_by_another_function_that_, has_a_name_which_does_not_end_, \
			      here_either_but_goes_on_until_, it_is_longer_as_well)

/* 348 characters: a report that names it twice is longer than one record of the kernel's log. */
#define LONGEST_PART(nr) REPORT_NAME(part_, nr, _of_a_name_that_is_longer_than_any_other, \
				     _in_each_of_its_four_parts_and_so_is_long)
#define longest REPORT_NAME(LONGEST_PART(1), LONGEST_PART(2), LONGEST_PART(3), LONGEST_PART(4))

void *long_alloc(struct myalloc_cache *cache);
int long_free(struct myalloc_cache *cache, void *object);
void *longest(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags);
int frees_now(struct myalloc_cache *cache, void *object);
int frees_pages_now(struct myalloc_zone *zone, void *page);
int frees_any_now(struct myalloc_zone *zone, void *addr);

#endif /* REPORT_NAMES_H */
