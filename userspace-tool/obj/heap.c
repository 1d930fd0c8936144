// SPDX-License-Identifier: GPL-2.0
/*
 * heap: list and show the heaps of the zone, test heaps with random operations
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/objects.h"
#include "out/out.h"

static const char *const shown[] = {
	"held_bytes", "live_objects", "live_extents", "fails", "allocs", NULL
};

/* Add a row for each class that was used; the caches of a heap are named NAME-BYTES. */
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

static void hits(struct out *o, const void *stat)
{
	const struct myalloc_heap_stat *s = stat;

	out_u64(o, "alloc_hit_permille", "share of allocs by magazine", OUT_PERMILLE,
		permille(s->alloc_hits, s->allocs));
	out_u64(o, "free_hit_permille", "share of frees by magazine", OUT_PERMILLE,
		permille(s->free_hits, s->frees));
}

static const struct front heaps = {
	.kind = &figures_kinds[FIGURES_HEAP], .one = "a heap", .title = "Heap",
	.shown = shown, .use = hits, .rest = class_rows,
};

static const char list_form[] =
	FRONT_LIST("heaps", "heap", "");

static const char show_form[] =
	FRONT_SHOW("heap", "", "alloc_hit_permille:uint free_hit_permille:uint")
	" classes:[{ object_bytes:uint live_objects:uint cached_objects:uint total_objects:uint "
	"slab_pages:uint allocs:uint frees:uint fails:uint }]";

static int heap_list(struct cmd *c)
{
	return front_list(c, &heaps);
}

static int heap_show(struct cmd *c)
{
	return front_show(c, &heaps);
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

static const char test_form[] =
	"^seed:uint ops:uint max_bytes:uint allocs:uint reallocs:uint frees:uint fails:uint "
	FRONT_VERDICT;

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
	code = front_verdict(o, t.errors, t.first, sizeof(t.first));
	return out_finish(o, code);
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
	{ "list", heap_list, "", "list every heap of the zone", NULL, .form = list_form },
	{ "show", heap_show, "NAME", "show one heap in full, with the size classes that were used",
	  NULL, .form = show_form },
	{ "test", heap_test, "",
	  "allocate, resize and free blocks of random sizes in a heap of its own, and verify their content",
	  test_opts, .form = test_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object heap_object = {
	"heap", "memory of any size: list and show heaps, test one", heap_verbs, "list"
};
