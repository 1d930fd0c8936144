// SPDX-License-Identifier: GPL-2.0
/*
 * pool: object pools of modules, and a test of one
 */
#include <errno.h>

#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/objects.h"
#include "out/out.h"

static const char *const shown[] = {
	"live_objects", "nr", "fails", "allocs", "object_size", "slabs", "slabs_set_aside", NULL
};

static void row(struct out *o, const void *stat)
{
	const struct myalloc_pool_stat *s = stat;

	out_bool(o, "hard", "hard", OUT_PLAIN, s->flags & MYALLOC_POOL_IS_HARD);
}

static void traits(struct out *o, const void *stat)
{
	const struct myalloc_pool_stat *s = stat;

	out_bool(o, "hard", "takes no other pages", OUT_PLAIN, s->flags & MYALLOC_POOL_IS_HARD);
}

static const struct front pools = {
	.kind = &figures_kinds[FIGURES_POOL], .one = "a pool", .title = "Pool",
	.shown = shown, .row = row, .traits = traits,
};

static int pool_list(struct cmd *c)
{
	return front_list(c, &pools);
}

static int pool_show(struct cmd *c)
{
	return front_show(c, &pools);
}

/* ---- test ---- */

struct wish {
	struct myalloc_pool_test test;
};

static const char test_form[] =
	"^seed:uint ops:uint nr:uint object_size:uint allocs:uint frees:uint beyond:uint "
	"refused:uint resizes:uint " FRONT_VERDICT;

static int pool_test(struct cmd *c)
{
	struct wish w = { .test = { .ops = 100000 } };
	struct myalloc_pool_test *t = &w.test;
	struct device d;
	struct out *o;
	int code, err;

	cmd_options(c, &w);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	t->size = sizeof(*t);
	stop_catch();
	err = dev_call(d.fd, MYALLOC_IOC_POOL_TEST, t);
	device_close(&d);
	if (err == -ENOMEM)
		return out_fail(EXIT_FAILED, "the zone has no room for a pool of %u objects: drain it, or choose a smaller --count",
				t->nr);
	if (err)
		return handles_stopped(err) ?: explain("testing a pool", err);
	o = out_new("pool test");
	out_seed(o, t->seed);
	out_u64(o, "ops", "operations", OUT_PLAIN, t->ops);
	out_u64(o, "nr", "objects set aside", OUT_PLAIN, t->nr);
	out_u64(o, "object_size", "object size", OUT_BYTES, t->object_size);
	out_u64(o, "allocs", "allocs", OUT_PLAIN, t->allocs);
	out_u64(o, "frees", "frees", OUT_PLAIN, t->frees);
	out_u64(o, "beyond", "allocs beyond", OUT_PLAIN, t->beyond);
	out_u64(o, "refused", "refused beyond", OUT_PLAIN, t->refused);
	out_u64(o, "resizes", "resizes", OUT_PLAIN, t->resizes);
	code = front_verdict(o, t->errors, t->first, sizeof(t->first));
	return out_finish(o, code);
}

#define TARGET(member)	OPT_TARGET(struct wish, test.member)

static const struct opt test_opts[] = {
	{ "count", 'n', OPT_NUMBER, "N", TARGET(nr), .min = 1, .max = MYALLOC_POOL_TEST_NR_MAX,
	  .otherwise = "256", .help = "objects that the pool is made for" },
	{ "size", 's', OPT_SIZE, "SIZE", TARGET(object_size), .min = 16,
	  .max = MYALLOC_OBJECT_MAX, .otherwise = "64", .help = "size of an object" },
	{ "ops", 0, OPT_NUMBER, "N", TARGET(ops), .min = 1, .max = MYALLOC_POOL_TEST_OPS_MAX,
	  .otherwise = "100000", .help = "operations" },
	{ "seed", 0, OPT_NUMBER, "N", TARGET(seed),
	  .otherwise = "a new one", .help = "repeat the choices of a run" },
	{ "hard", 0, OPT_FLAG, TARGET(flags), .bits = MYALLOC_POOL_IS_HARD,
	  .help = "the pool takes no pages but those set aside" },
	{ NULL }
};

static const struct verb pool_verbs[] = {
	{ "list", pool_list, "", "list every object pool", NULL,
	  .form = FRONT_LIST("pools", "pool", "hard:bool") },
	{ "show", pool_show, "NAME", "show one object pool in full", NULL,
	  .form = FRONT_SHOW("pool", "hard:bool", "") },
	{ "test", pool_test, "",
	  "random operations on a pool, with content verified; exit 1 on any error", test_opts,
	  .form = test_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object pool_object = {
	"pool", "objects set aside, which an allocation cannot miss", pool_verbs, "list"
};
