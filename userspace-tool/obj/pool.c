// SPDX-License-Identifier: GPL-2.0
/*
 * pool: object pools of modules, and a test of one
 */
#include <errno.h>
#include <string.h>

#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

static int next_pool(const struct device *d, __u64 id, struct myalloc_pool_stat *s)
{
	return dev_pool_stat(d->fd, MYALLOC_NEXT_ID, id, s);
}

/* What a line of text has room for; the JSON has all. */
static bool in_list(const struct stat_field *f)
{
	static const size_t shown[] = {
		offsetof(struct myalloc_pool_stat, id),
		offsetof(struct myalloc_pool_stat, object_size),
		offsetof(struct myalloc_pool_stat, nr),
		offsetof(struct myalloc_pool_stat, live_objects),
		offsetof(struct myalloc_pool_stat, slabs_set_aside),
		offsetof(struct myalloc_pool_stat, slabs),
		offsetof(struct myalloc_pool_stat, allocs),
		offsetof(struct myalloc_pool_stat, fails),
	};
	size_t i;

	for (i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (shown[i] == f->offset)
			return true;
	return false;
}

static void pool_row(struct out *o, const struct myalloc_pool_stat *s)
{
	const struct stat_field *f;

	out_item(o);
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	for (f = pool_fields; f->name; f++)
		stats_put(o, f, in_list(f) ? f->label : NULL, stats_value(f, s, 0));
	out_bool(o, "hard", "hard", OUT_PLAIN, s->flags & MYALLOC_POOL_IS_HARD);
	out_end(o);
}

static int pool_list(struct cmd *c)
{
	struct myalloc_pool_stat s;
	struct device d;
	struct out *o;
	__u64 id = 0;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("pool list");
	out_list(o, "pools", "");
	while (!(err = next_pool(&d, id, &s))) {
		pool_row(o, &s);
		id = s.id + 1;
	}
	out_end(o);
	if (err != -ENOENT)
		code = explain("listing the pools", err);
	else if (!id && !out_is_json())
		out_note("no object pools");
	code = out_finish(o, code);
	device_close(&d);
	return code;
}

static int find_named(const struct device *d, const char *name, struct myalloc_pool_stat *s)
{
	__u64 at = 0;
	int err;

	while (!(err = next_pool(d, at, s))) {
		if (!strncmp(name, s->name, sizeof(s->name)))
			return 0;
		at = s->id + 1;
	}
	return err;
}

static int pool_show(struct cmd *c)
{
	struct myalloc_pool_stat s;
	const char *name = cmd_word(c);
	struct device d;
	struct out *o;
	int code, err;

	if (!name)
		cmd_usage(c, "missing name of a pool; 'myallocctl pool list' shows them");
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = find_named(&d, name, &s);
	device_close(&d);
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "no pool '%s'; 'myallocctl pool list' shows all", name);
	if (err)
		return explain("reading the pool's statistics", err);
	o = out_new("pool show");
	out_page_size(o, d.info.page_size);
	out_group(o, "traits", "Pool");
	out_strn(o, "name", "name", OUT_PLAIN, s.name, sizeof(s.name));
	stats_put_kind(o, pool_fields, STAT_TRAIT, &s);
	out_bool(o, "hard", "takes no other pages", OUT_PLAIN, s.flags & MYALLOC_POOL_IS_HARD);
	out_end(o);
	out_group(o, "space", "Space");
	stats_put_kind(o, pool_fields, STAT_SPACE, &s);
	out_end(o);
	out_group(o, "use", "Use");
	stats_put_kind(o, pool_fields, STAT_USE, &s);
	out_end(o);
	return out_finish(o, EXIT_OK);
}

/* ---- test ---- */

struct wish {
	struct myalloc_pool_test test;
};

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
	err = dev_call(d.fd, MYALLOC_IOC_POOL_TEST, t);
	device_close(&d);
	if (err == -ENOMEM)
		return out_fail(EXIT_FAILED, "the zone has no room for a pool of %u objects: drain it, or choose a smaller --count",
				t->nr);
	if (err)
		return explain("testing a pool", err);
	code = t->errors ? EXIT_FAILED : EXIT_OK;
	o = out_new("pool test");
	out_str(o, "verdict", "verdict", t->errors ? OUT_BAD : OUT_GOOD,
		t->errors ? "failed" : "ok");
	out_u64(o, "seed", "seed", OUT_PLAIN, t->seed);
	out_u64(o, "ops", "operations", OUT_PLAIN, t->ops);
	out_u64(o, "nr", "objects set aside", OUT_PLAIN, t->nr);
	out_u64(o, "object_size", "object size", OUT_BYTES, t->object_size);
	out_u64(o, "allocs", "allocs", OUT_PLAIN, t->allocs);
	out_u64(o, "frees", "frees", OUT_PLAIN, t->frees);
	out_u64(o, "beyond", "allocs beyond", OUT_PLAIN, t->beyond);
	out_u64(o, "refused", "refused beyond", OUT_PLAIN, t->refused);
	out_u64(o, "resizes", "resizes", OUT_PLAIN, t->resizes);
	out_u64(o, "errors", "errors", t->errors ? OUT_BAD : OUT_PLAIN, t->errors);
	if (t->errors)
		out_strn(o, "first", "first error", OUT_BAD, t->first, sizeof(t->first));
	else
		out_null(o, "first", NULL);
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
	{ "list", pool_list, "", "list every object pool", NULL },
	{ "show", pool_show, "NAME", "show one object pool in full", NULL },
	{ "test", pool_test, "",
	  "random operations on a pool, with content verified; exit 1 on any error", test_opts },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object pool_object = {
	"pool", "objects set aside, which an allocation cannot miss", pool_verbs, "list"
};
