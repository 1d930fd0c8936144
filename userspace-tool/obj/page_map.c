// SPDX-License-Identifier: GPL-2.0
/*
 * page map: a block in this process
 *
 * Maps a block twice, checks that it is zero, writes it through one mapping and reads it through the
 * other, checks that it cannot be freed meanwhile, and frees it when both are gone.
 */
#include <errno.h>

#include "obj/page_map.h"
#include "out/out.h"

/* A block and its two mappings. */
struct view {
	struct device *d;
	__u64 handle;
	size_t words;
	__u64 *at[2];
	__u64 nonzero, wrong;
	bool freed;		/* although it was mapped */
	int free_err;		/* error of a free while it is mapped */
	struct myalloc_page_map info;
};

/* A different number for each word, so that each page differs too. */
static __u64 pattern(const struct view *v, size_t i)
{
	__u64 x = (v->handle << 32 ^ i) * 0x9e3779b97f4a7c15ull;

	return x ^ x >> 29;
}

static size_t bytes(const struct view *v)
{
	return v->words * sizeof(*v->at[0]);
}

static int map_both(struct view *v)
{
	int i, err;

	for (i = 0; i < 2; i++) {
		err = dev_map(v->d->fd, v->handle, v->d->info.page_size, bytes(v), false,
			      (void **)&v->at[i]);
		if (err)
			return explain("mapping a block", err);
	}
	return EXIT_OK;
}

/* Write through one mapping, and read through the other. */
static void use(struct view *v)
{
	volatile __u64 *one = v->at[0], *two = v->at[1];
	size_t i;

	for (i = 0; i < v->words; i++)
		v->nonzero += one[i] != 0;
	for (i = 0; i < v->words; i++)
		one[i] = pattern(v, i);
	for (i = 0; i < v->words; i++)
		v->wrong += two[i] != pattern(v, i);
	two[v->words - 1] = 1;
	v->wrong += one[v->words - 1] != 1;
}

/* Show how it is mapped, and check that it cannot be freed. */
static int ask_device(struct view *v)
{
	__u32 done;
	int err;

	v->info = (struct myalloc_page_map){ .handle = v->handle };
	err = dev_call(v->d->fd, MYALLOC_IOC_PAGE_MAP, &v->info);
	if (err)
		return explain("asking for the mappings of a block", err);
	v->free_err = dev_free(v->d->fd, MYALLOC_IOC_PAGE_FREE, &v->handle, 1, &done);
	v->freed = !v->free_err;
	return EXIT_OK;
}

static void unmap_both(struct view *v)
{
	int i;

	for (i = 0; i < 2; i++)
		if (v->at[i])
			dev_unmap(v->at[i], bytes(v));
}

static void describe(struct out *o, const struct view *v)
{
	out_u64(o, "pages", "pages", OUT_PAGES, v->info.pages);
	out_u64(o, "granule_bytes", "mapped at once", OUT_BYTES,
		(__u64)v->info.granule_pages * v->d->info.page_size);
	out_u64(o, "maps", "mappings", OUT_PLAIN, v->info.maps);
	out_u64(o, "large", "2 MiB at once", OUT_PLAIN, v->info.large);
	out_u64(o, "nonzero_words", "words that were not zero",
		v->nonzero ? OUT_BAD : OUT_PLAIN, v->nonzero);
	out_u64(o, "wrong_words", "words that read wrongly", v->wrong ? OUT_BAD : OUT_PLAIN,
		v->wrong);
	out_bool(o, "free_refused", "a free while mapped is refused", OUT_PLAIN,
		 v->free_err == -EBUSY);
}

const char page_map_form[] =
	"pages?:uint granule_bytes?:uint maps?:uint large?:uint nonzero_words?:uint "
	"wrong_words?:uint free_refused?:bool verdict?:'ok'|'failed'";

int page_map_visit(struct device *d, const struct ask *ask, __u64 hold_ms)
{
	struct view v = { .d = d };
	struct handles h = { 0 };
	int code, err, end = EXIT_OK;
	bool good = false;
	struct out *o;

	err = handles_get(d->fd, ask, 1, &h);
	if (!h.nr) {
		handles_free(&h);
		return handles_stopped(err) ? handles_stopped(err) :
					      explain("allocating pages", err ? err : -ENOMEM);
	}
	v.handle = h.handle[0];
	v.words = (ask->nr_pages ? ask->nr_pages : 1ull << ask->order) *
		  (d->info.page_size / sizeof(*v.at[0]));
	o = out_new("page map");
	out_page_size(o, d->info.page_size);
	code = map_both(&v);
	if (!code) {
		use(&v);
		code = ask_device(&v);
	}
	if (!code) {
		describe(o, &v);
		good = !v.nonzero && !v.wrong && v.free_err == -EBUSY && v.info.maps == 2;
		end = hold(hold_ms, "a mapped block");
	}
	unmap_both(&v);
	if (!v.freed && !handles_put(d->fd, false, &h, &err) && !code)
		code = explain("freeing a block", err);
	if (!code) {
		out_str(o, "verdict", "verdict", good ? OUT_GOOD : OUT_BAD,
			good ? "ok" : "failed");
		code = good ? end : EXIT_FAILED;
	}
	handles_free(&h);
	return out_finish(o, code);
}
