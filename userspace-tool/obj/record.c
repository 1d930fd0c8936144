// SPDX-License-Identifier: GPL-2.0
/*
 * record: writes the readings of 'top' to a file, for 'report'
 */
#include <stdlib.h>

#include "host/mem.h"
#include "host/stop.h"
#include "obj/follow.h"
#include "obj/objects.h"
#include "out/out.h"

#define PROGRESS_MS	1000

struct record {
	__u64 interval_ms, for_ms;
	struct device d;
	struct follow follow;
};

static int write_down(struct record *r)
{
	const struct line **lines = xcalloc(r->follow.nr + 1, sizeof(*lines));
	struct out *o = out_new("record");
	size_t i;
	int code;

	for (i = 0; i < r->follow.nr; i++)
		lines[i] = &r->follow.line[i];
	follow_put(o, &r->follow, r->d.info.page_size, lines, r->follow.nr);
	code = out_finish(o, EXIT_OK);
	free(lines);
	return code;
}

static void tell(const struct record *r, __u64 nr)
{
	static __u64 told;
	__u64 elapsed = r->follow.now_ms - r->follow.start_ms;

	if (nr > 1 && r->follow.now_ms - told < PROGRESS_MS)
		return;
	told = r->follow.now_ms;
	out_progress(r->for_ms ? (int)(elapsed * 1000 / r->for_ms) : -1, "%llu reading%s, %llu s",
		     (unsigned long long)nr, out_s(nr), (unsigned long long)elapsed / 1000);
}

static int record_loop(struct record *r)
{
	__u64 nr = 0, now, next;
	struct sample s;
	int code;

	for (;;) {
		code = sample_read(&r->d, &s);
		if (code)
			return code;
		follow_add(&r->follow, &s);
		code = write_down(r);
		if (code)
			return code;
		tell(r, ++nr);
		/* At multiples of the interval, so that it does not drift; late ones are left out. */
		now = stop_now_ms() - r->follow.start_ms;
		next = (now / r->interval_ms + 1) * r->interval_ms;
		if (r->for_ms && next > r->for_ms)
			break;
		stop_wait(-1, next - now);
		if (stop_signal()) {
			code = r->for_ms ? 128 + stop_signal() : EXIT_OK;
			break;
		}
	}
	out_progress_end();
	if (out_options()->keep)
		out_note("%llu reading%s in '%s'; 'myallocctl report %s -o report.html' draws them",
			 (unsigned long long)nr, out_s(nr), out_options()->keep, out_options()->keep);
	return code;
}

static int record_run(struct cmd *c)
{
	struct record r = { .interval_ms = 1000 };
	int code;

	cmd_options(c, &r);
	cmd_done(c);
	if (!out_options()->keep && !out_is_json())
		cmd_usage(c, "record needs a file to write to: -o FILE, or --json for standard output");
	code = device_open(&r.d);
	if (code)
		return code;
	follow_begin(&r.follow, r.interval_ms);
	stop_catch();
	code = record_loop(&r);
	follow_free(&r.follow);
	device_close(&r.d);
	return code;
}

static const struct opt record_opts[] = {
	{ "interval", 'i', OPT_TIME, "TIME", OPT_TARGET(struct record, interval_ms),
	  .min = 10, .max = 24 * 3600000, .otherwise = "1s", .help = "time between two readings" },
	{ "for", 't', OPT_TIME, "TIME", OPT_TARGET(struct record, for_ms),
	  .min = 1, .max = 366ull * 24 * 3600000, .otherwise = "until Ctrl-C",
	  .help = "end after this time" },
	{ NULL }
};

static const struct verb record_verbs[] = {
	{ "", record_run, "",
	  "write where the memory is to a file (-o FILE), at intervals, for 'myallocctl report'",
	  record_opts, .form = follow_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object record_object = {
	"record", "write the history of everything to a file", record_verbs, NULL
};
