// SPDX-License-Identifier: GPL-2.0
/*
 * books: where the zone's pages are, and whether the sum is the capacity
 */
#include "obj/stats.h"

/* No count: 0 says something. */
static void largest(struct out *o, const struct myalloc_stat *s)
{
	bool brief = out_brief(o, false);

	if (s->largest_order >= 0)
		out_s64(o, "largest_order", "largest order", OUT_PLAIN,
			s->largest_order);
	else
		out_null(o, "largest_order", "largest order");
	out_brief(o, brief);
}

void books_row(struct out *o, const char *moment, const struct myalloc_stat *s)
{
	out_item(o);
	out_str(o, "moment", "", OUT_PLAIN, moment);
	out_u64(o, "free_pages", "free", OUT_PAGES, s->free_pages);
	out_u64(o, "cached_pages", "cached", OUT_PAGES, s->cached_pages);
	out_u64(o, "page_pages", "page users", OUT_PAGES, s->page_pages);
	out_u64(o, "slab_pages", "slabs", OUT_PAGES, s->slab_pages);
	out_u64(o, "deferred_pages", "deferred", OUT_PAGES, s->deferred_pages);
	largest(o, s);
	out_end(o);
}

void books_full(struct out *o, const struct myalloc_stat *s)
{
	__s64 in_flight = (__s64)(s->nr_pages - books_sum(s));

	out_u64(o, "nr_pages", "capacity", OUT_PAGES, s->nr_pages);
	out_u64(o, "free_pages", "free", OUT_PAGES, s->free_pages);
	out_u64(o, "cached_pages", "in per-CPU caches", OUT_PAGES,
		s->cached_pages);
	out_u64(o, "page_pages", "held by page users", OUT_PAGES,
		s->page_pages);
	out_u64(o, "slab_pages", "held by slabs", OUT_PAGES, s->slab_pages);
	out_u64(o, "deferred_pages", "deferred", OUT_PAGES, s->deferred_pages);
	out_u64(o, "quarantined_pages", "freed, still lent", OUT_PAGES,
		s->quarantined_pages);
	out_u64(o, "bad_pages", "bad memory", OUT_PAGES, s->bad_pages);
	out_s64(o, "in_flight_pages", "in flight", OUT_PLAIN, in_flight);
	out_bool(o, "balanced", "balanced", in_flight ? OUT_WARN : OUT_GOOD,
		 !in_flight);
	out_u64(o, "peak_pages", "most in use at once", OUT_PAGES,
		s->peak_pages);
	largest(o, s);
	out_u64(o, "nr_caches", "caches", OUT_PLAIN, s->nr_caches);
}
