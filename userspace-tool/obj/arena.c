// SPDX-License-Identifier: GPL-2.0
/*
 * arena: list and show the arenas of the zone, test two of them with random operations
 */
#include <errno.h>
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
		offsetof(struct myalloc_arena_stat, used_bytes),
		offsetof(struct myalloc_arena_stat, peak_bytes),
		offsetof(struct myalloc_arena_stat, held_bytes),
		offsetof(struct myalloc_arena_stat, allocs),
		offsetof(struct myalloc_arena_stat, fails),
		offsetof(struct myalloc_arena_stat, zone_calls),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (shown[i] == f->offset)
			return true;
	return false;
}

static void arena_row(struct out *o, const struct myalloc_arena_stat *s)
{
	const struct stat_field *f;

	out_item(o);
	out_u64(o, "id", "id", OUT_PLAIN, s->id);
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	for (f = arena_fields; f->name; f++)
		if (f->offset != offsetof(struct myalloc_arena_stat, id))
			stats_put(o, f, in_list(f) ? f->label : NULL, stats_value(f, s, 0));
	out_end(o);
}

static int arena_list(struct cmd *c)
{
	struct myalloc_arena_stat s;
	struct device d;
	struct out *o;
	__u64 id = 0;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("arena list");
	out_list(o, "arenas", "");
	while (!(err = dev_arena_stat(d.fd, MYALLOC_NEXT_ID, id, &s))) {
		arena_row(o, &s);
		id = s.id + 1;
	}
	out_end(o);
	if (err != -ENOENT)
		code = explain("listing the arenas", err);
	else if (!id && !out_is_json())
		out_note("no arenas");
	code = out_finish(o, code);
	device_close(&d);
	return code;
}

static int find_arena(struct device *d, const char *name, struct myalloc_arena_stat *s)
{
	__u64 id = 0;
	int err;

	while (!(err = dev_arena_stat(d->fd, MYALLOC_NEXT_ID, id, s))) {
		if (!strncmp(name, s->name, sizeof(s->name)))
			return 0;
		id = s->id + 1;
	}
	return err;
}

static int arena_show(struct cmd *c)
{
	struct myalloc_arena_stat s;
	struct device d;
	const char *word;
	struct out *o;
	int code, err;

	word = cmd_word(c);
	if (!word)
		cmd_usage(c, "missing name of an arena; 'myallocctl arena list' shows them");
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = find_arena(&d, word, &s);
	device_close(&d);
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "no arena '%s'; 'myallocctl arena list' shows all",
				word);
	if (err)
		return explain("reading the arena's statistics", err);
	o = out_new("arena show");
	out_group(o, "traits", "Arena");
	out_strn(o, "name", "name", OUT_PLAIN, s.name, sizeof(s.name));
	stats_put_kind(o, arena_fields, STAT_TRAIT, &s);
	out_end(o);
	out_group(o, "space", "Space");
	stats_put_kind(o, arena_fields, STAT_SPACE, &s);
	out_end(o);
	out_group(o, "use", "Use");
	stats_put_kind(o, arena_fields, STAT_USE, &s);
	out_end(o);
	return out_finish(o, EXIT_OK);
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
	out_u64(o, "errors", "errors", t->errors ? OUT_BAD : OUT_PLAIN, t->errors);
	if (t->errors)
		out_strn(o, "first", "first error", OUT_BAD, t->first, sizeof(t->first));
	else
		out_null(o, "first", NULL);
	out_str(o, "verdict", "verdict", t->errors ? OUT_BAD : OUT_GOOD,
		t->errors ? "failed" : "ok");
	return out_finish(o, t->errors ? EXIT_FAILED : EXIT_OK);
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
	{ "list", arena_list, "", "list every arena of the zone", NULL },
	{ "show", arena_show, "NAME", "show one arena in full", NULL },
	{ "test", arena_test, "",
	  "allocate pieces of random sizes in two arenas that take turns, rewind, and verify the content",
	  test_opts },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object arena_object = {
	"arena", "pieces thrown away at once: list and show arenas, test two", arena_verbs, "list"
};
