// SPDX-License-Identifier: GPL-2.0
/*
 * arena: list and show the arenas of the zone, test two of them with random operations
 */
#include <errno.h>

#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/objects.h"
#include "out/out.h"

static const char *const shown[] = {
	"held_bytes", "used_bytes", "fails", "allocs", "peak_bytes", "zone_calls", NULL
};

static const struct front arenas = {
	.kind = &figures_kinds[FIGURES_ARENA], .one = "an arena", .title = "Arena",
	.shown = shown,
};

static int arena_list(struct cmd *c)
{
	return front_list(c, &arenas);
}

static int arena_show(struct cmd *c)
{
	return front_show(c, &arenas);
}

/* ---- test ---- */

struct wish {
	struct myalloc_arena_test test;
	bool percpu;
	bool poison;
};

static int explain_test(const struct myalloc_arena_test *t, int err)
{
	switch (err) {
	case -EINVAL:
		return out_fail(EXIT_FAILED, "pieces of %llu bytes are above this zone's largest block, or above 16 KiB in per-CPU arenas",
				(unsigned long long)t->max_bytes);
	case -ENOSPC:
		return out_fail(EXIT_FAILED, "the zone has as many caches as it can have");
	default:
		return handles_stopped(err) ?: explain("testing arenas", err);
	}
}

static const char test_form[] =
	"^seed:uint ops:uint max_bytes:uint allocs:uint rewinds:uint swaps:uint fails:uint "
	"refused:uint " FRONT_VERDICT;

static int arena_test(struct cmd *c)
{
	struct wish w = { .test = { .size = sizeof(w.test), .ops = 100000 } };
	struct myalloc_arena_test *t = &w.test;
	struct device d;
	struct out *o;
	int code, err;

	cmd_options(c, &w);
	cmd_done(c);
	t->flags = (w.percpu ? MYALLOC_ARENA_TEST_PERCPU : 0) |
		   (w.poison ? MYALLOC_ARENA_TEST_POISON : 0);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	err = dev_call(d.fd, MYALLOC_IOC_ARENA_TEST, t);
	device_close(&d);
	if (err)
		return explain_test(t, err);
	o = out_new("arena test");
	out_seed(o, t->seed);
	out_u64(o, "ops", "operations", OUT_PLAIN, t->ops);
	out_u64(o, "max_bytes", "largest piece", OUT_BYTES, t->max_bytes);
	out_u64(o, "allocs", "allocated", OUT_PLAIN, t->allocs);
	out_u64(o, "rewinds", "rewinds", OUT_PLAIN, t->rewinds);
	out_u64(o, "swaps", "frames", OUT_PLAIN, t->swaps);
	out_u64(o, "fails", "requests without memory", OUT_PLAIN, t->fails);
	out_u64(o, "refused", "stale marks refused", OUT_PLAIN, t->refused);
	code = front_verdict(o, t->errors, t->first, sizeof(t->first));
	return out_finish(o, code);
}

#define TARGET(member)	OPT_TARGET(struct wish, member)

static const struct opt test_opts[] = {
	{ "ops", 'n', OPT_NUMBER, "N", TARGET(test.ops), .min = 1,
	  .max = MYALLOC_ARENA_TEST_OPS_MAX, .otherwise = "100000",
	  .help = "number of operations" },
	{ "max-size", 0, OPT_SIZE, "SIZE", TARGET(test.max_bytes), .min = 1,
	  .otherwise = "128K, 16K with --percpu", .help = "size of the largest piece" },
	{ "percpu", 0, OPT_FLAG, NULL, TARGET(percpu), .help = "test per-CPU arenas" },
	{ "poison", 0, OPT_FLAG, NULL, TARGET(poison),
	  .help = "fill what is thrown away with a pattern" },
	{ "seed", 's', OPT_NUMBER, "N", TARGET(test.seed), .otherwise = "random, and printed",
	  .help = "seed of every random choice" },
	{ NULL }
};

static const struct verb arena_verbs[] = {
	{ "list", arena_list, "", "list every arena of the zone", NULL,
	  .form = FRONT_LIST("arenas", "arena", "") },
	{ "show", arena_show, "NAME", "show one arena in full", NULL,
	  .form = FRONT_SHOW("arena", "", "") },
	{ "test", arena_test, "",
	  "allocate pieces of random sizes in two arenas that take turns, rewind, and verify the content",
	  test_opts, .form = test_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object arena_object = {
	"arena", "pieces thrown away at once: list and show arenas, test two", arena_verbs, "list"
};
