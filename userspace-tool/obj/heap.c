// SPDX-License-Identifier: GPL-2.0
/*
 * heap: list and show the heaps of the zone, test heaps with random operations
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

/* What a line of text has room for; the JSON has all. */
static bool in_list(const struct stat_field *f)
{
	static const size_t shown[] = {
		offsetof(struct myalloc_heap_stat, live_objects),
		offsetof(struct myalloc_heap_stat, live_extents),
		offsetof(struct myalloc_heap_stat, held_bytes),
		offsetof(struct myalloc_heap_stat, allocs),
		offsetof(struct myalloc_heap_stat, fails),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (shown[i] == f->offset)
			return true;
	return false;
}

static void heap_row(struct out *o, const struct myalloc_heap_stat *s)
{
	const struct stat_field *f;

	out_item(o);
	out_u64(o, "id", "id", OUT_PLAIN, s->id);
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	for (f = heap_fields; f->name; f++)
		if (f->offset != offsetof(struct myalloc_heap_stat, id))
			stats_put(o, f, in_list(f) ? f->label : NULL, stats_value(f, s, 0));
	out_end(o);
}

static int heap_list(struct cmd *c)
{
	struct myalloc_heap_stat s;
	struct device d;
	struct out *o;
	__u64 id = 0;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("heap list");
	out_list(o, "heaps", "");
	while (!(err = dev_heap_stat(d.fd, MYALLOC_NEXT_ID, id, &s))) {
		heap_row(o, &s);
		id = s.id + 1;
	}
	out_end(o);
	if (err != -ENOENT)
		code = explain("listing the heaps", err);
	else if (!id && !out_is_json())
		out_note("no heaps");
	code = out_finish(o, code);
	device_close(&d);
	return code;
}

static int find_heap(struct device *d, const char *name, struct myalloc_heap_stat *s)
{
	__u64 id = 0;
	int err;

	while (!(err = dev_heap_stat(d->fd, MYALLOC_NEXT_ID, id, s))) {
		if (!strncmp(name, s->name, sizeof(s->name)))
			return 0;
		id = s->id + 1;
	}
	return err;
}

/* A row for each class that was used; the caches of a heap are called NAME-BYTES. */
static int class_rows(struct device *d, struct out *o, const char *heap)
{
	size_t length = strlen(heap);
	struct myalloc_cache_stat s;
	__u32 id = 0;
	int err;

	out_list(o, "classes", "Classes");
	while (!(err = dev_cache_stat(d->fd, MYALLOC_NEXT_ID, 0, id, &s)) && s.id + 1) {
		id = s.id + 1;
		if (strncmp(s.name, heap, length) || s.name[length] != '-' ||
		    strtoull(s.name + length + 1, NULL, 10) != s.object_size ||
		    !(s.allocs + s.fails))
			continue;
		out_item(o);
		out_u64(o, "object_bytes", "bytes", OUT_PLAIN, s.object_size);
		out_u64(o, "live_objects", "live", OUT_PLAIN, s.live_objects);
		out_u64(o, "cached_objects", "cached", OUT_PLAIN, s.cached_objects);
		out_u64(o, "total_objects", "total", OUT_PLAIN, s.total_objects);
		out_u64(o, "slab_pages", "pages", OUT_PLAIN, s.slabs << s.order);
		out_u64(o, "allocs", "allocs", OUT_PLAIN, s.allocs);
		out_u64(o, "frees", "frees", OUT_PLAIN, s.frees);
		out_u64(o, "fails", "fails", OUT_PLAIN, s.fails);
		out_end(o);
	}
	out_end(o);
	return err == -ENOENT ? 0 : err;
}

static void describe(struct out *o, const struct myalloc_heap_stat *s)
{
	out_group(o, "traits", "Heap");
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	stats_put_kind(o, heap_fields, STAT_TRAIT, s);
	out_end(o);
	out_group(o, "space", "Space");
	stats_put_kind(o, heap_fields, STAT_SPACE, s);
	out_end(o);
	out_group(o, "use", "Use");
	stats_put_kind(o, heap_fields, STAT_USE, s);
	out_u64(o, "alloc_hit_permille", "share of allocs by magazine", OUT_PERMILLE,
		permille(s->alloc_hits, s->allocs));
	out_u64(o, "free_hit_permille", "share of frees by magazine", OUT_PERMILLE,
		permille(s->free_hits, s->frees));
	out_end(o);
}

static int heap_show(struct cmd *c)
{
	struct myalloc_heap_stat s;
	int code = EXIT_OK, err;
	struct device d;
	const char *word;
	struct out *o;

	word = cmd_word(c);
	if (!word)
		cmd_usage(c, "missing name of a heap; 'myallocctl heap list' shows them");
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = find_heap(&d, word, &s);
	if (err == -ENOENT) {
		code = out_fail(EXIT_FAILED, "no heap '%s'; 'myallocctl heap list' shows all", word);
	} else if (err) {
		code = explain("reading the heap's statistics", err);
	} else {
		o = out_new("heap show");
		out_page_size(o, d.info.page_size);
		describe(o, &s);
		err = class_rows(&d, o, word);
		if (err)
			code = explain("reading the statistics of the heap's caches", err);
		code = out_finish(o, code);
	}
	device_close(&d);
	return code;
}

/* ---- test ---- */

static int explain_test(const struct myalloc_heap_test *t, const struct myalloc_info *info,
			int err)
{
	__u64 most = (__u64)info->page_size << info->chunk_order;

	if (err == -EINVAL && t->max_bytes > most)
		return out_fail(EXIT_USAGE, "blocks of %llu bytes are above this zone's largest block, %llu bytes",
				(unsigned long long)t->max_bytes, (unsigned long long)most);
	if (err == -ENOSPC)
		return out_fail(EXIT_FAILED, "the zone has as many heaps or caches as it can have");
	return handles_stopped(err) ?: explain("testing a heap", err);
}

static int heap_test(struct cmd *c)
{
	struct myalloc_heap_test t = { .size = sizeof(t), .ops = 100000 };
	struct device d;
	int code, err;
	struct out *o;

	cmd_options(c, &t);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	err = dev_call(d.fd, MYALLOC_IOC_HEAP_TEST, &t);
	if (err) {
		code = explain_test(&t, &d.info, err);
		device_close(&d);
		return code;
	}
	device_close(&d);
	o = out_new("heap test");
	out_seed(o, t.seed);
	out_u64(o, "ops", "operations", OUT_PLAIN, t.ops);
	out_u64(o, "max_bytes", "largest block", OUT_BYTES, t.max_bytes);
	out_u64(o, "allocs", "allocated", OUT_PLAIN, t.allocs);
	out_u64(o, "reallocs", "resized", OUT_PLAIN, t.reallocs);
	out_u64(o, "frees", "freed", OUT_PLAIN, t.frees);
	out_u64(o, "fails", "requests without memory", OUT_PLAIN, t.fails);
	out_u64(o, "errors", "errors", t.errors ? OUT_BAD : OUT_PLAIN, t.errors);
	if (t.errors)
		out_strn(o, "first", "first error", OUT_BAD, t.first, sizeof(t.first));
	else
		out_null(o, "first", NULL);
	out_str(o, "verdict", "verdict", t.errors ? OUT_BAD : OUT_GOOD,
		t.errors ? "failed" : "ok");
	return out_finish(o, t.errors ? EXIT_FAILED : EXIT_OK);
}

#define TARGET(member)	OPT_TARGET(struct myalloc_heap_test, member)

static const struct opt test_opts[] = {
	{ "ops", 'n', OPT_NUMBER, "N", TARGET(ops), .min = 1, .max = MYALLOC_HEAP_TEST_OPS_MAX,
	  .otherwise = "100000", .help = "number of operations" },
	{ "max-size", 0, OPT_SIZE, "SIZE", TARGET(max_bytes), .min = 1,
	  .otherwise = "128K", .help = "size of the largest block" },
	{ "seed", 's', OPT_NUMBER, "N", TARGET(seed), .otherwise = "random, and printed",
	  .help = "seed of every random choice" },
	{ NULL }
};

static const struct verb heap_verbs[] = {
	{ "list", heap_list, "", "list every heap of the zone", NULL },
	{ "show", heap_show, "NAME", "show one heap in full, with the size classes that were used",
	  NULL },
	{ "test", heap_test, "",
	  "allocate, resize and free blocks of random sizes in a heap of its own, and verify their content",
	  test_opts },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object heap_object = {
	"heap", "memory of any size: list and show heaps, test one", heap_verbs, "list"
};
