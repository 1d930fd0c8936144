// SPDX-License-Identifier: GPL-2.0
/*
 * stat: the zone's statistics, once or at intervals, and their meaning
 */
#include <ctype.h>
#include <stdlib.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/device.h"
#include "obj/figures.h"
#include "obj/objects.h"
#include "obj/prom.h"
#include "obj/stats.h"
#include "obj/zones.h"
#include "out/out.h"

#define HEADER_EVERY	20	/* lines of watch between headings: most of a terminal of 24 */

static bool unused_order(const struct myalloc_stat *s, unsigned int order)
{
	const struct stat_field *f;

	for (f = zone_fields; f->name; f++)
		if (f->by_order && f->unit == STAT_NUMBER && stats_value(f, s, order))
			return false;
	return true;
}

static void describe_orders(struct out *o, const struct myalloc_stat *s,
			    __u32 page_size, bool all)
{
	unsigned int i, max = s->max_order;
	const struct stat_field *f;

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
		for (f = zone_fields; f->name; f++)
			if (f->by_order)
				stats_put(o, f, f->label, stats_value(f, s, i));
		out_end(o);
	}
	out_end(o);
}

static void describe_zone(struct out *o, const struct myalloc_stat *s)
{
	__s64 in_flight = (__s64)(s->nr_pages - stats_sum(s));
	const struct stat_field *f;

	out_group(o, "zone", "Zone");
	for (f = zone_fields; f->name; f++)
		if (f->kind != STAT_EVENT && !f->by_order)
			stats_put(o, f, f->label, stats_value(f, s, 0));
	out_s64(o, "in_flight_pages", "in flight", OUT_PLAIN, in_flight);
	out_bool(o, "balanced", "balanced", in_flight ? OUT_WARN : OUT_GOOD,
		 !in_flight);
	out_end(o);
}

static void describe_counters(struct out *o, const struct myalloc_stat *s)
{
	const struct stat_field *f;
	char *label;

	out_group(o, "counters", "Counters");
	for (f = zone_fields; f->name; f++) {
		if (!f->by_order || f->kind != STAT_EVENT)
			continue;
		label = xasprintf("page %s", f->label);
		out_u64(o, f->name, label, OUT_PLAIN,
			sum_orders((const __u64 *)((const char *)s + f->offset)));
		free(label);
	}
	out_u64(o, "hit_permille", "share of hits", OUT_PERMILLE,
		permille(sum_orders(s->page_hits), sum_orders(s->page_allocs)));
	stats_put_kind(o, zone_fields, STAT_EVENT, s);
	out_end(o);
}

static const char show_form[] =
	"zone:{ @zone.HOLDER @zone.STATE in_flight_pages:int balanced:bool } "
	"orders:[{ order:uint block_bytes:uint @zone.each }] "
	"counters:{ @zone.sum hit_permille:uint @zone.EVENT }";

struct show {
	bool all;
};

static int stat_show(struct cmd *c)
{
	struct show show = { 0 };
	struct myalloc_stat s;
	char *prom = NULL;
	struct device d;
	struct out *o;
	int code;

	cmd_options(c, &show);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = device_stat(&d, &s);
	if (!code && !out_is_json() && !out_options()->prom)
		code = zones_tell(&d, NULL);
	if (!code && prom_wanted())
		code = prom_read(&d, &prom);
	device_close(&d);
	if (code)
		return code;
	o = out_new("stat show");
	if (out_options()->prom)
		out_as_text(o, prom);
	else if (prom)
		out_keep_text(prom);
	out_page_size(o, d.info.page_size);
	out_brief(o, !show.all);
	describe_zone(o, &s);
	out_brief(o, false);
	describe_orders(o, &s, d.info.page_size, show.all);
	out_brief(o, !show.all);
	describe_counters(o, &s);
	code = out_finish(o, EXIT_OK);
	if (!out_options()->prom)
		free(prom);
	return code;
}

/* The values that fit on a line of text; the JSON has all. */
static bool in_watch(const struct stat_field *f)
{
	static const size_t shown[] = {
		offsetof(struct myalloc_stat, free_pages),
		offsetof(struct myalloc_stat, cached_pages),
		offsetof(struct myalloc_stat, page_pages),
		offsetof(struct myalloc_stat, slab_pages),
		offsetof(struct myalloc_stat, splits),
		offsetof(struct myalloc_stat, merges),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (shown[i] == f->offset)
			return true;
	return false;
}

static const char watch_form[] =
	"elapsed_ms:uint interval_ms:uint page_bytes:uint nr_pages:uint @zone.HOLDER allocs:uint frees:uint "
	"allocs_per_sec:uint frees_per_sec:uint hit_permille:uint fails:uint @zone.EVENT";

/* The changes between two readings, per second where they are rates. */
static int watch_row(const struct device *d, const struct myalloc_stat *old,
		     const struct myalloc_stat *new, __u64 elapsed_ms,
		     __u64 interval_ms, __u64 nr)
{
	__u64 allocs = sum_orders(new->page_allocs) - sum_orders(old->page_allocs);
	__u64 frees = sum_orders(new->page_frees) - sum_orders(old->page_frees);
	struct out *o = out_new("stat watch");
	const struct stat_field *f;

	out_u64(o, "elapsed_ms", "time", OUT_MS, elapsed_ms);
	out_u64(o, "interval_ms", NULL, OUT_MS, interval_ms);
	out_u64(o, "page_bytes", NULL, OUT_BYTES, d->info.page_size);
	out_u64(o, "nr_pages", NULL, OUT_PAGES, new->nr_pages);
	for (f = zone_fields; f->name; f++)
		if (f->kind == STAT_HOLDER)
			stats_put(o, f, in_watch(f) ? f->label : NULL, stats_value(f, new, 0));
	out_u64(o, "allocs", NULL, OUT_PLAIN, allocs);
	out_u64(o, "frees", NULL, OUT_PLAIN, frees);
	out_u64(o, "allocs_per_sec", "allocs", OUT_RATE,
		allocs * 1000 / interval_ms);
	out_u64(o, "frees_per_sec", "frees", OUT_RATE,
		frees * 1000 / interval_ms);
	out_u64(o, "hit_permille", "hits", OUT_PERMILLE,
		permille(hits_between(old, new), allocs));
	out_u64(o, "fails", "fails", OUT_PLAIN,
		sum_orders(new->page_fails) - sum_orders(old->page_fails));
	out_rank(o, OUT_KEY);
	for (f = zone_fields; f->name; f++)
		if (f->kind == STAT_EVENT && !f->by_order)
			stats_put(o, f, in_watch(f) ? f->label : NULL,
				  stats_value(f, new, 0) - stats_value(f, old, 0));
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
		code = watch_row(d, &old, &new, now - start,
				 now > last ? now - last : 1, nr);
		old = new;
		last = now;
	}
	return code;
}

struct watch {
	__u64 interval_ms;
	__u64 count;
};

static int stat_watch(struct cmd *c)
{
	struct watch watch = { .interval_ms = 1000 };
	struct device d;
	int code;

	cmd_options(c, &watch);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = watch_loop(&d, watch.interval_ms, watch.count);
	device_close(&d);
	return code;
}

static void explain_fields(struct out *o, const char *key, const char *title,
			   const struct stat_field *fields)
{
	const struct stat_field *f;

	out_list(o, key, title);
	for (f = fields; f->name; f++) {
		out_item(o);
		out_str(o, "name", "name", OUT_PLAIN, f->name);
		out_str(o, "label", NULL, OUT_PLAIN, f->label);
		out_str(o, "unit", "unit", OUT_PLAIN, stats_unit_name(f));
		out_bool(o, "by_order", NULL, OUT_PLAIN, f->by_order);
		out_str(o, "help", "meaning", OUT_PLAIN, f->help);
		out_end(o);
	}
	out_end(o);
}

#define MEANINGS "[{ name:text label:text unit:text by_order:bool help:text }] "

static const char explain_form[] =
	"zone:" MEANINGS "cache:" MEANINGS "heap:" MEANINGS "pool:" MEANINGS "ring:" MEANINGS
	"arena:" MEANINGS "client:" MEANINGS "contract:" MEANINGS;

static int stat_explain(struct cmd *c)
{
	const struct figures_kind *kind;
	struct out *o;
	char *title;

	cmd_done(c);
	o = out_new("stat explain");
	for (kind = figures_kinds; kind->word; kind++) {
		title = xstrdup(kind->word);
		*title = toupper((unsigned char)*title);
		explain_fields(o, kind->word, title, kind->fields);
		free(title);
	}
	return out_finish(o, EXIT_OK);
}

static const struct opt show_opts[] = {
	{ "all", 'a', OPT_FLAG, OPT_TARGET(struct show, all),
	  .help = "show zeros and unused orders, too" },
	{ NULL }
};

static const struct opt watch_opts[] = {
	{ "interval", 'i', OPT_TIME, "TIME", OPT_TARGET(struct watch, interval_ms),
	  .min = 1, .max = 24 * 3600000, .otherwise = "1s", .help = "time between two lines" },
	{ "count", 'n', OPT_NUMBER, "N", OPT_TARGET(struct watch, count),
	  .min = 1, .max = 1u << 31, .otherwise = "until Ctrl-C", .help = "end after N lines" },
	{ NULL }
};

static const struct verb stat_verbs[] = {
	{ "show", stat_show, "", "show where the pages are, free blocks by order, and the counters",
	  show_opts, .prom = true, .form = show_form },
	{ "watch", stat_watch, "",
	  "show what changes, one line per interval (with -j, one JSON document per line)",
	  watch_opts, .form = watch_form },
	{ "explain", stat_explain, "", "say what each statistic means", NULL,
	  .form = explain_form },
	{ "diff", NULL, "",
	  "write two results (myallocctl -o A.json stat show), then compare them: 'myallocctl result diff A.json B.json'",
	  NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object stat_object = {
	"stat", "statistics of the zone: where the pages are, and counters", stat_verbs, "show"
};
