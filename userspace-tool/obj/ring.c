// SPDX-License-Identifier: GPL-2.0
/*
 * ring: list and show rings, read those that are shared, and test them in the kernel
 */
#include <errno.h>
#include <string.h>

#include "host/stop.h"
#include "obj/blocks.h"
#include "obj/device.h"
#include "obj/front.h"
#include "obj/objects.h"
#include "obj/ring_read.h"
#include "out/out.h"

static const char *const modes[MYALLOC_RING_MODES] = {
	[MYALLOC_RING_MODE_ONE] = "one",
	[MYALLOC_RING_MODE_MANY] = "many",
	[MYALLOC_RING_MODE_OVERWRITE] = "overwrite",
};

static const char *mode_name(__u32 mode)
{
	return mode < MYALLOC_RING_MODES ? modes[mode] : "unknown";
}

static const char *const shown[] = {
	"used_bytes", "records", "read", "lost", "full", "skipped", "parts", "part_bytes", NULL
};

static void row(struct out *o, const void *stat)
{
	const struct myalloc_ring_stat *s = stat;

	out_str(o, "mode_name", "mode", OUT_PLAIN, mode_name(s->mode));
}

static void traits(struct out *o, const void *stat)
{
	const struct myalloc_ring_stat *s = stat;

	out_str(o, "mode_name", "who produces", OUT_PLAIN, mode_name(s->mode));
}

static const struct front rings = {
	.kind = &figures_kinds[FIGURES_RING], .one = "a ring", .title = "Ring",
	.shown = shown, .row = row, .traits = traits,
};

static int ring_list(struct cmd *c)
{
	return front_list(c, &rings);
}

static int ring_show(struct cmd *c)
{
	return front_show(c, &rings);
}

/* ---- read, follow, map ---- */

/* The name of a ring and its number, if it can be opened. */
static int find_shared(struct cmd *c, struct device *d, const char **name, __u64 *id)
{
	struct myalloc_ring_stat s;
	int err;

	*name = cmd_word(c);
	if (!*name)
		cmd_usage(c, "missing name of a ring; 'myallocctl ring list' shows them");
	cmd_done(c);
	err = device_open(d);
	if (err)
		return err;
	err = front_find(&rings, d, *name, (struct front_stat *)&s);
	*id = s.id;
	if (!err && s.shared)
		return EXIT_OK;
	if (!err)
		err = out_fail(EXIT_FAILED, "ring '%s' is not shared: a module in the kernel reads it; 'myallocctl ring list' shows which are",
			       *name);
	else if (err == -ENOENT)
		err = out_fail(EXIT_FAILED, "no ring '%s'; 'myallocctl ring list' shows all", *name);
	else
		err = explain("reading the statistics", err);
	device_close(d);
	return err;
}

/* The work of the verbs that read a shared ring: @visit does it. */
static int visit_shared(struct cmd *c, struct ring_wish *w,
			int (*visit)(struct device *, const char *, __u64,
				     const struct ring_wish *))
{
	const char *name;
	struct device d;
	__u64 id;
	int code;

	cmd_options(c, w);
	code = find_shared(c, &d, &name, &id);
	if (code)
		return code;
	code = visit(&d, name, id, w);
	device_close(&d);
	return code;
}

static int ring_read(struct cmd *c)
{
	struct ring_wish w = { .count = RING_ALL };

	return visit_shared(c, &w, ring_read_all);
}

static int ring_follow(struct cmd *c)
{
	struct ring_wish w = { .count = RING_ALL, .ms = STOP_NEVER };

	return visit_shared(c, &w, ring_follow_all);
}

static int ring_map(struct cmd *c)
{
	struct ring_wish w = { .count = 10000, .bytes = 1 };
	struct device d;
	int code;

	cmd_options(c, &w);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = ring_map_visit(&d, &w);
	device_close(&d);
	return code;
}

#define RING_TARGET(member)	OPT_TARGET(struct ring_wish, member)

static const struct opt read_opts[] = {
	{ "count", 'n', OPT_NUMBER, "N", RING_TARGET(count), .min = 1, .max = RING_ALL,
	  .otherwise = "all", .help = "records, at most" },
	{ "keep", 'k', OPT_FLAG, RING_TARGET(keep), .bits = 1,
	  .help = "leave the records in the ring: the next reader gets them again" },
	{ NULL }
};

static const struct opt follow_opts[] = {
	{ "count", 'n', OPT_NUMBER, "N", RING_TARGET(count), .min = 1, .max = RING_ALL,
	  .otherwise = "until Ctrl-C", .help = "records, at most" },
	{ "for", 0, OPT_TIME, "TIME", RING_TARGET(ms),
	  .otherwise = "until Ctrl-C", .help = "how long" },
	{ NULL }
};

static const struct opt map_opts[] = {
	{ "count", 'n', OPT_NUMBER, "N", RING_TARGET(count), .min = 1, .max = RING_ALL,
	  .otherwise = "10000", .help = "records, of which every second portion comes from an interrupt" },
	{ "size", 0, OPT_SIZE, "SIZE", RING_TARGET(bytes), .min = 1, .otherwise = "a page",
	  .help = "bytes in the ring" },
	{ "seed", 's', OPT_NUMBER, "N", RING_TARGET(seed), .otherwise = "0",
	  .help = "seed of the content" },
	{ NULL }
};

/* ---- test ---- */

struct wish {
	char *mode;
	__u64 ops;
	__u64 bytes;
	__u64 seed;
};

static bool wanted(const struct wish *w, __u32 mode)
{
	return !w->mode || !strcmp(w->mode, modes[mode]);
}

/* Tests one mode; all of them have one seed. */
static int test_mode(struct device *d, struct out *o, struct wish *w, __u32 mode)
{
	struct myalloc_ring_test t = {
		.size = sizeof(t), .mode = mode, .seed = w->seed, .ops = w->ops,
		.ring_bytes = w->bytes,
	};
	int err = dev_call(d->fd, MYALLOC_IOC_RING_TEST, &t);

	if (handles_stopped(err))
		return handles_stopped(err);
	if (err == -EOPNOTSUPP)
		return out_fail(EXIT_FAILED, "the caches of this machine's architecture may alias: it has no rings");
	if (err)
		return explain("testing a ring", err);
	w->seed = t.seed;
	out_item(o);
	out_str(o, "mode", "mode", OUT_PLAIN, modes[mode]);
	out_u64(o, "records", "committed", OUT_PLAIN, t.records);
	out_u64(o, "discarded", "discarded", OUT_PLAIN, t.discarded);
	out_u64(o, "read", "read", OUT_PLAIN, t.read);
	out_u64(o, "lost", "lost", OUT_PLAIN, t.lost);
	out_u64(o, "full", "full", OUT_PLAIN, t.full);
	out_u64(o, "errors", "errors", t.errors ? OUT_BAD : OUT_PLAIN, t.errors);
	out_rank(o, OUT_KEY);
	out_end(o);
	if (!t.errors)
		return EXIT_OK;
	return out_fail(EXIT_FAILED, "mode %s: %llu error%s, the first: %.*s", modes[mode],
			(unsigned long long)t.errors, out_s(t.errors), (int)sizeof(t.first), t.first);
}

static const char test_form[] =
	"^seed:uint modes:[{ mode:text records:uint discarded:uint read:uint lost:uint "
	"full:uint errors:uint }] ops:uint verdict:'ok'|'failed'";

static int ring_test(struct cmd *c)
{
	struct wish w = { .ops = 100000 };
	int code, failed = EXIT_OK;
	struct device d;
	struct out *o;
	__u32 mode;

	cmd_options(c, &w);
	cmd_done(c);
	for (mode = 0; mode < MYALLOC_RING_MODES && !wanted(&w, mode); mode++)
		;
	if (mode == MYALLOC_RING_MODES)
		cmd_wrong_word("mode", w.mode, modes, MYALLOC_RING_MODES);
	code = device_open(&d);
	if (code)
		return code;
	stop_catch();
	o = out_new("ring test");
	out_list(o, "modes", "Records");
	for (mode = 0; mode < MYALLOC_RING_MODES && !failed; mode++)
		if (wanted(&w, mode))
			failed = test_mode(&d, o, &w, mode);
	out_end(o);
	out_seed(o, w.seed);
	out_u64(o, "ops", "operations of each", OUT_PLAIN, w.ops);
	out_str(o, "verdict", "verdict", failed ? OUT_BAD : OUT_GOOD, failed ? "failed" : "ok");
	code = out_finish(o, failed);
	device_close(&d);
	return code;
}

#define TARGET(member)	OPT_TARGET(struct wish, member)

static const struct opt test_opts[] = {
	{ "mode", 'm', OPT_STRING, "MODE", TARGET(mode), .otherwise = "all of them",
	  .help = "one, many or overwrite: who produces, and whether the oldest is overwritten" },
	{ "ops", 'n', OPT_NUMBER, "N", TARGET(ops), .min = 1, .max = MYALLOC_RING_TEST_OPS_MAX,
	  .otherwise = "100000", .help = "operations" },
	{ "size", 0, OPT_SIZE, "SIZE", TARGET(bytes), .otherwise = "a page",
	  .help = "bytes in the ring; for each CPU in mode overwrite" },
	{ "seed", 's', OPT_NUMBER, "N", TARGET(seed), .otherwise = "random, and printed",
	  .help = "seed of every random choice" },
	{ NULL }
};

static const struct verb ring_verbs[] = {
	{ "list", ring_list, "", "list the rings that exist", NULL,
	  .form = FRONT_LIST("rings", "ring", "mode_name:text") },
	{ "show", ring_show, "NAME", "show the statistics of a ring", NULL,
	  .form = FRONT_SHOW("ring", "mode_name:text", "") },
	{ "read", ring_read, "NAME", "read the records of a ring that is shared with user space",
	  read_opts, .form = ring_read_form },
	{ "follow", ring_follow, "NAME", "read records as they come, a line each", follow_opts,
	  .form = ring_record_form },
	{ "map", ring_map, "",
	  "make a ring, map it into this process, have the kernel fill it, and verify each record",
	  map_opts, .form = ring_map_form },
	{ "test", ring_test, "",
	  "reserve, commit, discard and read records of random lengths in the kernel, and verify each",
	  test_opts, .form = test_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object ring_object = {
	"ring", "queues of records of any length, of modules in the kernel",
	ring_verbs, "list"
};
