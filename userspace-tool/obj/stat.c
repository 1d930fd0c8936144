// SPDX-License-Identifier: GPL-2.0
/*
 * stat: the zone's books, once or at intervals
 */
#include <stdlib.h>

#include "cmd/parse.h"
#include "host/stop.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

#define HEADER_EVERY	20	/* lines of watch between headings: most of a terminal of 24 */

static bool unused_order(const struct myalloc_stat *s, unsigned int order)
{
	return !(s->free_blocks[order] | s->cached_blocks[order] | s->page_allocs[order] |
		 s->page_frees[order] | s->page_fails[order] | s->page_hits[order]);
}

static void describe_orders(struct out *o, const struct myalloc_stat *s,
			    __u32 page_size, bool all)
{
	unsigned int i, max = s->max_order;

	if (max > MYALLOC_MAX_ORDER)
		max = MYALLOC_MAX_ORDER;
	out_list(o, "orders", "Orders");
	for (i = 0; i <= max; i++) {
		out_item(o);
		if (!all && unused_order(s, i))
			out_hide(o);
		out_u64(o, "order", "order", OUT_PLAIN, i);
		out_u64(o, "block_bytes", "block", OUT_BYTES,
			(__u64)page_size << i);
		out_u64(o, "free_blocks", "free", OUT_PLAIN, s->free_blocks[i]);
		out_u64(o, "cached_blocks", "cached", OUT_PLAIN,
			s->cached_blocks[i]);
		out_s64(o, "unusable_permille", "unusable", OUT_INDEX,
			s->unusable[i]);
		out_s64(o, "extfrag_permille", "extfrag", OUT_INDEX,
			s->extfrag[i]);
		out_u64(o, "allocs", "allocs", OUT_PLAIN, s->page_allocs[i]);
		out_u64(o, "frees", "frees", OUT_PLAIN, s->page_frees[i]);
		out_u64(o, "fails", "fails", OUT_PLAIN, s->page_fails[i]);
		out_u64(o, "hits", "hits", OUT_PLAIN, s->page_hits[i]);
		out_end(o);
	}
	out_end(o);
}

static void describe_counters(struct out *o, const struct myalloc_stat *s)
{
	out_group(o, "counters", "Counters");
	out_u64(o, "page_allocs", "page allocations", OUT_PLAIN,
		sum_orders(s->page_allocs));
	out_u64(o, "page_frees", "page frees", OUT_PLAIN,
		sum_orders(s->page_frees));
	out_u64(o, "page_fails", "failed", OUT_PLAIN, sum_orders(s->page_fails));
	out_u64(o, "hit_permille", "served by a CPU's cache", OUT_PERMILLE,
		permille(sum_orders(s->page_hits), sum_orders(s->page_allocs)));
	out_u64(o, "splits", "splits", OUT_PLAIN, s->splits);
	out_u64(o, "merges", "merges", OUT_PLAIN, s->merges);
	out_u64(o, "drains", "drains", OUT_PLAIN, s->drains);
	out_u64(o, "deferred_frees", "deferred frees", OUT_PLAIN,
		s->deferred_frees);
	out_u64(o, "nmi_fails", "failed in NMI", OUT_PLAIN, s->nmi_fails);
	out_u64(o, "bad_frees", "wrong frees refused",
		s->bad_frees ? OUT_BAD : OUT_PLAIN, s->bad_frees);
	out_u64(o, "corruptions", "corruptions found",
		s->corruptions ? OUT_BAD : OUT_PLAIN, s->corruptions);
	out_end(o);
}

static int stat_show(struct cmd *c)
{
	struct myalloc_stat s;
	bool all = false;
	struct device d;
	struct out *o;
	char *value;
	int code;

	while (cmd_option(c, &value))
		all = true;
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = device_stat(&d, &s);
	device_close(&d);
	if (code)
		return code;
	o = out_new("stat show");
	out_page_size(o, d.info.page_size);
	out_brief(o, !all);
	out_group(o, "zone", "Zone");
	books_full(o, &s);
	out_end(o);
	out_brief(o, false);
	describe_orders(o, &s, d.info.page_size, all);
	out_brief(o, !all);
	describe_counters(o, &s);
	return out_finish(o, EXIT_OK);
}

/* What happened between two readings, per second where it is a rate. */
static int watch_row(const struct myalloc_stat *old,
		     const struct myalloc_stat *new, __u64 elapsed_ms,
		     __u64 interval_ms, __u64 nr)
{
	__u64 allocs = sum_orders(new->page_allocs) - sum_orders(old->page_allocs);
	__u64 frees = sum_orders(new->page_frees) - sum_orders(old->page_frees);
	__u64 hits = sum_orders(new->page_hits) - sum_orders(old->page_hits);
	struct out *o = out_new("stat watch");

	out_u64(o, "elapsed_ms", "time", OUT_MS, elapsed_ms);
	out_u64(o, "interval_ms", NULL, OUT_MS, interval_ms);
	out_u64(o, "free_pages", "free", OUT_PAGES, new->free_pages);
	out_u64(o, "cached_pages", "cached", OUT_PAGES, new->cached_pages);
	out_u64(o, "page_pages", "users", OUT_PAGES, new->page_pages);
	out_u64(o, "slab_pages", "slabs", OUT_PAGES, new->slab_pages);
	out_u64(o, "deferred_pages", NULL, OUT_PAGES, new->deferred_pages);
	out_u64(o, "allocs", NULL, OUT_PLAIN, allocs);
	out_u64(o, "frees", NULL, OUT_PLAIN, frees);
	out_u64(o, "allocs_per_sec", "allocs", OUT_RATE,
		allocs * 1000 / interval_ms);
	out_u64(o, "frees_per_sec", "frees", OUT_RATE,
		frees * 1000 / interval_ms);
	out_u64(o, "hit_permille", "hits", OUT_PERMILLE, permille(hits, allocs));
	out_u64(o, "fails", "fails", OUT_PLAIN,
		sum_orders(new->page_fails) - sum_orders(old->page_fails));
	out_u64(o, "splits", "splits", OUT_PLAIN, new->splits - old->splits);
	out_u64(o, "merges", "merges", OUT_PLAIN, new->merges - old->merges);
	out_u64(o, "bad_frees", NULL, OUT_PLAIN,
		new->bad_frees - old->bad_frees);
	out_u64(o, "corruptions", NULL, OUT_PLAIN,
		new->corruptions - old->corruptions);
	return out_finish_row(o, EXIT_OK, nr % HEADER_EVERY == 0);
}

static int watch_loop(struct device *d, __u64 interval_ms, __u64 count)
{
	struct myalloc_stat old, new;
	__u64 start, last, now, nr;
	int code;

	stop_catch();
	code = device_stat(d, &old);
	start = stop_now_ms();
	last = start;
	for (nr = 0; !code && (!count || nr < count); nr++) {
		/* Until the next multiple, so that intervals do not drift. */
		now = stop_now_ms();
		if (now < start + (nr + 1) * interval_ms)
			stop_wait(-1, start + (nr + 1) * interval_ms - now);
		if (stop_signal())
			return count ? 128 + stop_signal() : EXIT_OK;
		code = device_stat(d, &new);
		if (code)
			break;
		now = stop_now_ms();
		code = watch_row(&old, &new, now - start,
				 now > last ? now - last : 1, nr);
		old = new;
		last = now;
	}
	return code;
}

static int stat_watch(struct cmd *c)
{
	__u64 interval_ms = 1000, count = 0;
	struct device d;
	char *value;
	int id, code;

	while ((id = cmd_option(c, &value))) {
		switch (id) {
		case 'i':
			cmd_check(c, "--interval", value,
				  parse_duration(value, &interval_ms));
			if (!interval_ms || interval_ms > 86400000)
				cmd_usage(c, "--interval '%s': it must be from 1ms to 24h",
					  value);
			break;
		case 'n':
			count = cmd_number(c, "--count", value, 1, 1u << 31);
			break;
		}
	}
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = watch_loop(&d, interval_ms, count);
	device_close(&d);
	return code;
}

static const struct opt show_opts[] = {
	{ "all", 'a', NULL, "what is zero, too" },
	{ NULL, 0, NULL, NULL }
};

static const struct opt watch_opts[] = {
	{ "interval", 'i', "TIME", "time between two lines, 1s if not given" },
	{ "count", 'n', "N", "end after N lines; without it, at Ctrl-C" },
	{ NULL, 0, NULL, NULL }
};

static const struct verb stat_verbs[] = {
	{ "show", stat_show, "", "show where every page is, by order, and the counters; what is zero is left out",
	  show_opts },
	{ "watch", stat_watch, "",
	  "show what changes, a line per interval (one JSON document per line with -j)",
	  watch_opts },
	{ "diff", NULL, "",
	  "keep two results (myallocctl -o A.json stat show) and compare them: 'myallocctl result diff A.json B.json'",
	  NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object stat_object = {
	"stat", "the zone's books: where every page is", stat_verbs, "show"
};
