// SPDX-License-Identifier: GPL-2.0
/*
 * page walk: the cost of an access to a mapped block when the translation of its address is not
 * cached
 *
 * Each page of the blocks holds the address of another one, in one cycle through all of them in
 * random order, so that every access waits for the one before it and goes to another page. One line
 * of each page is used, so the data stay in a cache that holds a line for each page (1 MiB for 64
 * MiB), and entries of 4 KiB and of 2 MiB differ only in the translation.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/page_map.h"
#include "out/out.h"

#define LINE	64u

/* The blocks, and how they are mapped now. */
struct walk {
	struct device *d;
	struct handles h;
	size_t block;		/* bytes */
	size_t pages;		/* of all blocks */
	char **at;		/* of each block, NULL if it is not mapped */
	__u64 large;		/* entries of 2 MiB */
	__u32 granule;		/* pages that could be mapped at once */
	double ns;		/* of an access, in the fastest round */
};

static char *page_at(const struct walk *k, size_t i)
{
	size_t size = k->d->info.page_size, per_block = k->block / size;

	/* Use different lines of the pages; equal ones would share a set of the cache. */
	return k->at[i / per_block] + i % per_block * size + i * 7 % (size / LINE) * LINE;
}

static void unmap_all(struct walk *k)
{
	size_t i;

	for (i = 0; i < k->h.nr; i++)
		if (k->at[i])
			dev_unmap(k->at[i], k->block);
}

static int map_all(struct walk *k, bool apart)
{
	size_t i;
	int err;

	for (i = 0; i < k->h.nr; i++)
		k->at[i] = NULL;
	for (i = 0; i < k->h.nr; i++) {
		err = dev_map(k->d->fd, k->h.handle[i], k->d->info.page_size, k->block, apart,
			      (void **)&k->at[i]);
		if (err)
			return explain("mapping a block", err);
	}
	return EXIT_OK;
}

/* splitmix64 */
static __u64 next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* One cycle through all pages (Sattolo), which also touches each. */
static void make_cycle(struct walk *k)
{
	size_t *to = xcalloc(k->pages, sizeof(*to)), i, other, keep;
	__u64 random = 1;

	for (i = 0; i < k->pages; i++)
		to[i] = i;
	for (i = k->pages - 1; i > 0; i--) {
		other = next(&random) % i;
		keep = to[i];
		to[i] = to[other];
		to[other] = keep;
	}
	for (i = 0; i < k->pages; i++)
		*(void **)page_at(k, i) = page_at(k, to[i]);
	free(to);
}

static double ns_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - began->tv_sec) * 1e9 + (now.tv_nsec - began->tv_nsec);
}

static void walk_rounds(struct walk *k, const struct walk_wish *w)
{
	void *volatile *at = (void *volatile *)page_at(k, 0);
	struct timespec began;
	__u64 round, n;
	double ns;

	k->ns = 0;
	for (round = 0; round < w->rounds && !stop_signal(); round++) {
		clock_gettime(CLOCK_MONOTONIC, &began);
		for (n = 0; n < w->accesses; n++)
			at = *at;
		ns = ns_since(&began) / w->accesses;
		if (!round || ns < k->ns)
			k->ns = ns;
	}
}

static int ask_entries(struct walk *k)
{
	struct myalloc_page_map m;
	size_t i;
	int err;

	k->large = 0;
	for (i = 0; i < k->h.nr; i++) {
		m = (struct myalloc_page_map){ .handle = k->h.handle[i] };
		err = dev_call(k->d->fd, MYALLOC_IOC_PAGE_MAP, &m);
		if (err)
			return explain("asking for the mappings of a block", err);
		k->large += m.large;
		k->granule = m.granule_pages;
	}
	return EXIT_OK;
}

/* Maps everything one way and walks through it. */
static int walk_as(struct walk *k, const struct walk_wish *w, bool apart)
{
	int code = map_all(k, apart);

	if (!code) {
		make_cycle(k);
		code = ask_entries(k);
	}
	if (!code)
		walk_rounds(k, w);
	unmap_all(k);
	return code ? code : stop_signal() ? 128 + stop_signal() : EXIT_OK;
}

static void put_row(struct out *o, __u64 granule, const struct walk *k)
{
	out_item(o);
	out_u64(o, "granule_bytes", "entries of", OUT_BYTES, granule);
	out_u64(o, "large", NULL, OUT_PLAIN, k->large);
	out_ratio(o, "ns_per_access", "ns an access", k->ns, 1);
	out_end(o);
}

static int walk_both(struct out *o, struct walk *k, const struct walk_wish *w)
{
	__u64 page_size = k->d->info.page_size;
	double small, times = 0;
	const char *why;
	int code;

	out_page_size(o, page_size);
	out_u64(o, "bytes", "mapped", OUT_BYTES, (__u64)k->h.nr * k->block);
	out_u64(o, "accesses", "accesses of a round", OUT_PLAIN, w->accesses);
	out_list(o, "walks", "Walks");
	code = walk_as(k, w, true);
	if (!code)
		put_row(o, page_size, k);
	small = k->ns;
	if (!code && k->granule > 1)
		code = walk_as(k, w, false);
	if (k->granule == 1)
		why = "no entries of 2 MiB: the kernel, or a block this small, has only smaller ones";
	else if (!code && k->large < k->h.nr * (k->block / page_size / k->granule))
		why = "no entries of 2 MiB for all of it";
	else
		why = "yes";
	if (!code && k->granule > 1) {
		put_row(o, k->granule * page_size, k);
		times = k->ns > 0 ? small / k->ns : 0;
	}
	out_end(o);
	out_str(o, "large_entries", "2 MiB at once", OUT_PLAIN, why);
	if (times > 0)
		out_ratio(o, "speedup", "times as fast by 2 MiB", times, 1);
	else
		out_null(o, "speedup", NULL);
	return code;
}

const char page_walk_form[] =
	"bytes:uint accesses:uint walks:[{ granule_bytes:uint large:uint ns_per_access:number }] "
	"large_entries:text speedup:number|null";

int page_walk_visit(struct device *d, const struct walk_wish *w)
{
	struct ask ask = { .order = d->info.max_order };
	struct walk k = { .d = d };
	struct out *o = NULL;
	__u64 count;
	size_t had;
	int code, err;

	while (ask.order && d->info.page_size << (ask.order - 1) >= w->bytes)
		ask.order--;
	k.block = (size_t)d->info.page_size << ask.order;
	count = (w->bytes + k.block - 1) / k.block;
	err = handles_get(d->fd, &ask, count, &k.h);
	if (handles_stopped(err))
		code = handles_stopped(err);
	else if (k.h.nr < count && (!err || err == -ENOMEM || err == -EDQUOT))
		code = out_fail(EXIT_FAILED, "the zone has no room for %llu bytes in blocks of %zu",
				(unsigned long long)w->bytes, k.block);
	else if (err)
		code = explain("allocating pages", err);
	else
		code = EXIT_OK;
	k.pages = k.h.nr * (k.block / d->info.page_size);
	k.at = xcalloc(k.h.nr + 1, sizeof(*k.at));
	if (!code) {
		o = out_new("page walk");
		code = walk_both(o, &k, w);
	}
	had = k.h.nr;
	if (handles_put(d->fd, false, &k.h, &err) != had && !code)
		code = explain("freeing pages", err);
	free(k.at);
	handles_free(&k.h);
	return o ? out_finish(o, code) : code;
}
