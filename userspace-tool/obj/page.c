// SPDX-License-Identifier: GPL-2.0
/*
 * page: allocate blocks of pages, hold them, free them
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/page_map.h"
#include "obj/stats.h"
#include "out/out.h"

#define NO_ORDER	(~0u)	/* the user has given no order */

struct wish {
	struct ask ask;
	__u32 order;
	__u64 count;
	__u32 fill;		/* 1/1000 of the capacity */
	__u64 hold_ms;
	__u64 rounds;
	bool all_handles;
};

static bool order_given(const struct wish *w)
{
	return w->order != NO_ORDER;
}

static void read_options(struct cmd *c, struct wish *w)
{
	w->order = NO_ORDER;
	cmd_options(c, w);
	cmd_done(c);
	if (order_given(w))
		w->ask.order = w->order;
	if (w->ask.nr_pages && order_given(w))
		cmd_usage(c, "--exact and --order exclude each other: --exact %u allocates %u pages, --order %u %llu",
			  w->ask.nr_pages, w->ask.nr_pages, w->order,
			  w->order < 32 ? 1ull << w->order : 0);
}

/* Refuse requests above the zone's largest block, with its size in the message. */
static int check_ask(const struct ask *ask, const struct myalloc_info *info)
{
	if (ask->order > info->max_order)
		return out_fail(EXIT_USAGE, "order %u is above this zone's largest block, %u",
				ask->order, info->max_order);
	if (ask->nr_pages > 1u << info->chunk_order)
		return out_fail(EXIT_USAGE, "%u pages are more than this zone's largest block, %u pages",
				ask->nr_pages, 1u << info->chunk_order);
	if (ask->align_order > info->chunk_order)
		return out_fail(EXIT_USAGE, "an alignment of order %u is above this zone's largest block, %u",
				ask->align_order, info->chunk_order);
	return EXIT_OK;
}

static __u32 block_pages(const struct ask *ask)
{
	return ask->nr_pages ? ask->nr_pages : 1u << ask->order;
}

/* The order of the block that the request is cut from. */
static int block_order(const struct ask *ask)
{
	__u32 pages = block_pages(ask);
	int order = 0;

	while ((1u << order) < pages || order < (int)ask->align_order)
		order++;
	return order;
}

/* Explain a failed allocation by statistics that were read just after it. */
static int explain_nomem(struct device *d, const struct ask *ask, size_t had,
			 __u64 wanted)
{
	int order = block_order(ask);
	struct myalloc_stat s;

	if (dev_stat(d->fd, &s))
		return explain("allocating pages", -ENOMEM);
	if (s.free_pages + s.cached_pages < block_pages(ask))
		return out_fail(EXIT_FAILED, "allocated %zu of %llu block%s, then the zone was full (%llu page%s free)",
				had, (unsigned long long)wanted, out_s(wanted),
				(unsigned long long)s.free_pages, out_s(s.free_pages));
	return out_fail(EXIT_FAILED, "allocated %zu of %llu block%s, then no block of order %d was free: %llu page%s %s free, in blocks up to order %d, and cached are %llu ('myallocctl drain' returns those)",
			had, (unsigned long long)wanted, out_s(wanted), order,
			(unsigned long long)s.free_pages, out_s(s.free_pages),
			s.free_pages == 1 ? "is" : "are", s.largest_order,
			(unsigned long long)s.cached_pages);
}

static int explain_get(struct device *d, const struct ask *ask, int err,
		       size_t had, __u64 wanted)
{
	if (handles_stopped(err))
		return handles_stopped(err);
	switch (err) {
	case 0:
		return EXIT_OK;
	case -ENOMEM:
		return explain_nomem(d, ask, had, wanted);
	default:
		return explain("allocating pages", err);
	}
}

/* Statistics at three moments of a visit, and how its calls ended. */
struct visit {
	struct myalloc_stat before, held, after;
	__u64 held_ms;
	size_t had, freed;
	int get_err, put_err;
};

/* Hold the blocks of @h, then free them; read the statistics during and after the hold. */
static int visit_end(struct device *d, struct handles *h, const struct wish *w,
		     __u64 pages, struct visit *v)
{
	int code, end = EXIT_OK;
	__u64 start;
	char *what;

	v->had = h->nr;
	code = device_stat(d, &v->held);
	what = xasprintf("%zu block%s, %llu page%s", h->nr, out_s(h->nr),
			 (unsigned long long)pages, out_s(pages));
	start = stop_now_ms();
	if (!code && h->nr)
		end = hold(w->hold_ms, what);
	v->held_ms = stop_now_ms() - start;
	free(what);
	v->freed = handles_put(d->fd, false, h, &v->put_err);
	if (!code)
		code = device_stat(d, &v->after);
	if (!code && v->freed != v->had)
		code = explain("freeing pages", v->put_err);
	return code ? code : end;
}

#define VISIT_FORM	"held_ms:uint freed:uint stats:[" STATS_ROW "]"

static void describe_visit(struct out *o, const struct visit *v)
{
	out_u64(o, "held_ms", "held for", OUT_MS, v->held_ms);
	out_u64(o, "freed", "blocks freed", OUT_PLAIN, v->freed);
	out_list(o, "stats", "Pages");
	stats_row(o, "before", &v->before);
	stats_row(o, "held", &v->held);
	stats_row(o, "after", &v->after);
	out_end(o);
}

static const char alloc_form[] =
	"pages_per_block:uint wanted:uint had:uint pages:uint " HANDLES_FORM " " VISIT_FORM;

static int alloc_visit(struct device *d, const struct wish *w)
{
	struct handles h = { 0 };
	struct visit v = { 0 };
	__u64 pages;
	struct out *o;
	int code, failed;

	code = device_stat(d, &v.before);
	if (code)
		return code;
	v.get_err = handles_get(d->fd, &w->ask, w->count, &h);
	failed = explain_get(d, &w->ask, v.get_err, h.nr, w->count);
	if (failed && !h.nr && !handles_stopped(v.get_err)) {
		handles_free(&h);
		return failed;
	}
	/* Hold the allocated blocks, although they are fewer than requested. */
	pages = (__u64)h.nr * block_pages(&w->ask);

	o = out_new("page alloc");
	out_page_size(o, d->info.page_size);
	out_u64(o, "pages_per_block", "block", OUT_PAGES,
		block_pages(&w->ask));
	out_u64(o, "wanted", "blocks wanted", OUT_PLAIN, w->count);
	out_u64(o, "had", "blocks allocated", OUT_PLAIN, h.nr);
	out_u64(o, "pages", "pages", OUT_PAGES, pages);
	handles_describe(o, &h, w->all_handles);
	code = visit_end(d, &h, w, pages, &v);
	describe_visit(o, &v);
	if (code == EXIT_OK)
		code = failed;
	handles_free(&h);
	return out_finish(o, code);
}

/* Open the device, and call @visit if the zone can serve the options. */
static int page_visit(struct cmd *c, struct wish *w,
		      int (*visit)(struct device *d, const struct wish *w))
{
	struct device d;
	int code;

	read_options(c, w);
	code = device_open(&d);
	if (code)
		return code;
	code = check_ask(&w->ask, &d.info);
	if (!code) {
		stop_catch();
		code = visit(&d, w);
	}
	device_close(&d);
	return code;
}

static int page_alloc(struct cmd *c)
{
	struct wish w = { .count = 1 };

	return page_visit(c, &w, alloc_visit);
}

/* Allocates the largest blocks first, until @target pages are held or allocation fails. */
static __u64 fill_zone(struct device *d, const struct wish *w, __u64 target,
		       struct handles *h, int *err)
{
	struct ask ask = w->ask;
	int order = order_given(w) ? w->ask.order : d->info.max_order;
	__u64 pages = 0, count;
	size_t before;

	for (; order >= 0 && pages < target && !stop_signal(); order--) {
		count = (target - pages) >> order;
		if (!count)
			continue;
		if (count > MYALLOC_HANDLES_MAX - h->nr)
			count = MYALLOC_HANDLES_MAX - h->nr;
		ask.order = order;
		before = h->nr;
		*err = handles_get(d->fd, &ask, count, h);
		pages += (__u64)(h->nr - before) << order;
		if (order_given(w) || (*err && *err != -ENOMEM))
			break;
	}
	return pages;
}

static const char fill_form[] =
	"fill_permille:uint wanted_pages:uint pages:uint blocks:uint " HANDLES_FORM " " VISIT_FORM;

static int fill_visit(struct device *d, const struct wish *w)
{
	struct handles h = { 0 };
	struct visit v = { 0 };
	__u64 target, pages;
	int code, failed = EXIT_OK;
	struct out *o;

	code = device_stat(d, &v.before);
	if (code)
		return code;
	target = d->info.nr_pages * w->fill / 1000;
	pages = v.before.page_pages + v.before.slab_pages;
	target = target > pages ? target - pages : 0;
	pages = fill_zone(d, w, target, &h, &v.get_err);
	if (v.get_err && v.get_err != -ENOMEM)
		failed = explain_get(d, &w->ask, v.get_err, h.nr, 0);

	o = out_new("page fill");
	out_page_size(o, d->info.page_size);
	out_u64(o, "fill_permille", "share of the zone", OUT_PERMILLE, w->fill);
	out_u64(o, "wanted_pages", "wanted", OUT_PAGES, target);
	out_u64(o, "pages", "allocated", OUT_PAGES, pages);
	out_u64(o, "blocks", "in blocks", OUT_PLAIN, h.nr);
	handles_describe(o, &h, w->all_handles);
	code = visit_end(d, &h, w, pages, &v);
	describe_visit(o, &v);
	handles_free(&h);
	return out_finish(o, code ? code : failed);
}

static int page_fill(struct cmd *c)
{
	struct wish w = { .fill = 500, .hold_ms = STOP_NEVER };

	return page_visit(c, &w, fill_visit);
}

/* One order of the round trip. */
static bool test_order(struct device *d, struct out *o, const struct wish *w,
		       __u32 order)
{
	struct ask ask = { .order = order, .flags = w->ask.flags };
	__u64 had = 0, freed = 0, wanted = 0, round;
	struct handles h = { 0 };
	int err, first_err = 0;

	for (round = 0; round < w->rounds && !first_err && !stop_signal(); round++) {
		err = handles_get(d->fd, &ask, w->count, &h);
		if (err && err != -ENOMEM && !handles_stopped(err)) {
			first_err = err;
			explain("allocating pages", err);
		}
		wanted += w->count;
		had += h.nr;
		freed += handles_put(d->fd, false, &h, &err);
		if (err) {
			first_err = err;
			explain("freeing pages", err);
		}
	}
	handles_free(&h);
	out_item(o);
	out_u64(o, "order", "order", OUT_PLAIN, order);
	out_u64(o, "wanted", "wanted", OUT_PLAIN, wanted);
	out_u64(o, "had", "allocated", OUT_PLAIN, had);
	out_u64(o, "freed", "freed", OUT_PLAIN, freed);
	out_str(o, "error", "error", first_err ? OUT_BAD : OUT_PLAIN,
		first_err ? strerror(-first_err) : "none");
	out_rank(o, OUT_KEY);
	out_end(o);
	return !first_err && had == freed;
}

static int test_end(struct device *d, struct out *o, bool good,
		    const struct myalloc_stat *before)
{
	struct myalloc_validate v;
	struct myalloc_stat after;
	int code, err;

	code = device_stat(d, &after);
	err = dev_validate(d->fd, &v);
	if (!code && err)
		code = explain("validating", err);
	if (code)
		return code;
	out_list(o, "stats", "Pages");
	stats_row(o, "before", before);
	stats_row(o, "after", &after);
	out_end(o);
	if (v.errors)
		out_fail(EXIT_FAILED, "%llu invariant%s broken; 'myallocctl validate' shows the first",
			 (unsigned long long)v.errors, v.errors == 1 ? " is" : "s are");
	good &= !v.errors && after.bad_frees == before->bad_frees;
	out_u64(o, "validate_errors", "broken invariants", OUT_PLAIN, v.errors);
	out_str(o, "verdict", "verdict", good ? OUT_GOOD : OUT_BAD,
		good ? "ok" : "failed");
	return good ? EXIT_OK : EXIT_FAILED;
}

static const char test_form[] =
	"orders:[{ order:uint wanted:uint had:uint freed:uint error:text }] "
	"stats?:[" STATS_ROW "] validate_errors?:uint verdict?:'ok'|'failed'";

static int page_test(struct cmd *c)
{
	struct wish w = { .count = 16, .rounds = 8 };
	struct myalloc_stat before;
	struct device d;
	bool good = true;
	struct out *o;
	__u32 order;
	int code;

	read_options(c, &w);
	code = device_open(&d);
	if (code)
		return code;
	code = check_ask(&w.ask, &d.info);
	if (!code)
		code = device_stat(&d, &before);
	if (code)
		goto out;
	stop_catch();
	o = out_new("page test");
	out_page_size(o, d.info.page_size);
	out_list(o, "orders", "Round trips");
	for (order = 0; order <= d.info.max_order && !stop_signal(); order++)
		if (!order_given(&w) || order == w.ask.order)
			good &= test_order(&d, o, &w, order);
	out_end(o);
	code = test_end(&d, o, good, &before);
	if (!code && stop_signal())
		code = 128 + stop_signal();
	code = out_finish(o, code);
out:
	device_close(&d);
	return code;
}

static int map_visit(struct device *d, const struct wish *w)
{
	return page_map_visit(d, &w->ask, w->hold_ms);
}

static int page_map(struct cmd *c)
{
	struct wish w = { .count = 1 };

	return page_visit(c, &w, map_visit);
}

static int page_walk(struct cmd *c)
{
	struct walk_wish w = { .bytes = 64u << 20, .accesses = 4000000, .rounds = 5 };
	struct device d;
	int code;

	cmd_options(c, &w);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	code = page_walk_visit(&d, &w);
	device_close(&d);
	return code;
}

#define WALK_TARGET(member)	OPT_TARGET(struct walk_wish, member)

static const struct opt walk_opts[] = {
	{ "size", 0, OPT_SIZE, "SIZE", WALK_TARGET(bytes), .min = 1, .max = 1ull << 40, .otherwise = "64M",
	  .help = "bytes that are mapped" },
	{ "count", 'n', OPT_NUMBER, "N", WALK_TARGET(accesses), .min = 1, .max = 1u << 30,
	  .otherwise = "4000000", .help = "accesses of a round" },
	{ "rounds", 0, OPT_NUMBER, "N", WALK_TARGET(rounds), .min = 1, .max = 1000,
	  .otherwise = "5", .help = "rounds, of which the fastest counts" },
	{ NULL }
};

#define TARGET(member)	OPT_TARGET(struct wish, member)

#define ORDER(...) \
	{ "order", 'O', OPT_NUMBER, "N", TARGET(order), .max = NO_ORDER - 1, __VA_ARGS__ }
#define ZERO \
	{ "zero", 0, OPT_FLAG, TARGET(ask.flags), .bits = MYALLOC_ALLOC_ZERO, \
	  .help = "memory that reads as zero" }
#define TOPDOWN \
	{ "topdown", 0, OPT_FLAG, TARGET(ask.flags), .bits = MYALLOC_ALLOC_TOPDOWN, \
	  .help = "highest address first" }
#define HOLD(...) \
	{ "hold", 0, OPT_HOLD, "TIME", TARGET(hold_ms), __VA_ARGS__, \
	  .help = "hold the blocks for TIME, or 'forever': until Ctrl-C" }
#define HANDLES \
	{ "handles", 0, OPT_FLAG, TARGET(all_handles), \
	  .help = "list every handle, not only the first and the last" }

static const struct opt alloc_opts[] = {
	ORDER(.otherwise = "0", .help = "log2 of the pages in a block"),
	{ "count", 'n', OPT_NUMBER, "N", TARGET(count), .min = 1, .max = MYALLOC_HANDLES_MAX,
	  .otherwise = "1", .help = "number of blocks" },
	{ "exact", 0, OPT_NUMBER, "PAGES", TARGET(ask.nr_pages), .min = 1,
	  .help = "number of pages in a block, not only powers of two" },
	{ "align-order", 0, OPT_NUMBER, "N", TARGET(ask.align_order),
	  .help = "log2 of the pages that the address is a multiple of" },
	ZERO,
	TOPDOWN,
	HOLD(.otherwise = "0s"),
	HANDLES,
	{ NULL }
};

static const struct opt fill_opts[] = {
	{ "fill", 0, OPT_SHARE, "SHARE", TARGET(fill), .otherwise = "50%",
	  .help = "share of the zone to fill" },
	ORDER(.otherwise = "largest first", .help = "allocate blocks of this order only"),
	ZERO,
	TOPDOWN,
	HOLD(.otherwise = "forever"),
	HANDLES,
	{ NULL }
};

static const struct opt test_opts[] = {
	ORDER(.otherwise = "every order", .help = "test this order only"),
	{ "count", 'n', OPT_NUMBER, "N", TARGET(count), .min = 1, .max = MYALLOC_HANDLES_MAX,
	  .otherwise = "16", .help = "blocks held at once" },
	{ "rounds", 0, OPT_NUMBER, "N", TARGET(rounds), .min = 1, .max = 1u << 20,
	  .otherwise = "8", .help = "number of rounds" },
	ZERO,
	TOPDOWN,
	{ NULL }
};

static const struct opt map_opts[] = {
	ORDER(.otherwise = "0", .help = "log2 of the pages in the block"),
	{ "exact", 0, OPT_NUMBER, "PAGES", TARGET(ask.nr_pages), .min = 1,
	  .help = "number of pages in the block, not only powers of two" },
	TOPDOWN,
	HOLD(.otherwise = "0s"),
	{ NULL }
};

static const struct verb page_verbs[] = {
	{ "alloc", page_alloc, "", "allocate blocks, hold them, free them, and show the statistics at each moment",
	  alloc_opts, .form = alloc_form },
	{ "fill", page_fill, "", "allocate blocks until a share of the zone is in use, and hold them",
	  fill_opts, .form = fill_form },
	{ "test", page_test, "", "allocate and free blocks of every order, then validate",
	  test_opts, .form = test_form },
	{ "map", page_map, "", "map a block into this process, write it, read it back, and unmap it",
	  map_opts, .form = page_map_form },
	{ "walk", page_walk, "",
	  "measure accesses to mapped blocks in random order, by pages of 4 KiB and of 2 MiB",
	  walk_opts, .form = page_walk_form },
	{ "free", NULL, "",
	  "pages are freed by the command that allocated them: 'page alloc --hold TIME' frees them after TIME or at Ctrl-C",
	  NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object page_object = {
	"page", "blocks of pages, held by this command while it runs",
	page_verbs, NULL
};
