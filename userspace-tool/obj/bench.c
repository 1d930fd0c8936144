// SPDX-License-Identifier: GPL-2.0
/*
 * bench: the command line of a benchmark: which shapes, how long, what to show
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/closest.h"
#include "host/mem.h"
#include "host/stop.h"
#include "obj/bench_parts.h"
#include "obj/objects.h"
#include "out/out.h"

#define GLOBS_MAX	32

/* Which shapes: names or patterns; none means all. */
struct globs {
	char *glob[GLOBS_MAX];
	int nr;
};

static void add_globs(struct cmd *c, struct globs *globs, char *list)
{
	char *at, *word;

	for (word = strtok_r(list, ",", &at); word; word = strtok_r(NULL, ",", &at)) {
		if (globs->nr == GLOBS_MAX)
			cmd_usage(c, "at most %d patterns are possible", GLOBS_MAX);
		globs->glob[globs->nr++] = word;
	}
}

static void choose(struct bench_report *report, const char *glob, bool *any)
{
	__u32 i;

	for (i = 0; i < report->nr_shapes; i++) {
		struct bench_shape *s = &report->shape[i];

		if (glob && fnmatch(glob, s->shape.name, 0))
			continue;
		*any = true;
		if (!s->shape.nr_sides)
			continue;
		s->wanted = true;
		report->ask.shapes[i / 64] |= 1ull << (i % 64);
	}
}

static int nothing_like(const struct bench_report *report, const char *glob)
{
	const char **names = xcalloc(report->nr_shapes, sizeof(*names)), *near;
	__u32 i;

	for (i = 0; i < report->nr_shapes; i++)
		names[i] = report->shape[i].shape.name;
	near = strpbrk(glob, "*?[") ? NULL : closest(glob, names, report->nr_shapes);
	free(names);
	if (near)
		return out_fail(EXIT_USAGE, "unknown shape '%s'; did you mean '%s'?", glob,
				near);
	return out_fail(EXIT_USAGE, "no shape matches '%s'; 'myallocctl bench list' shows all, and * stands for any characters, as in 'object/64/*'",
			glob);
}

static int choose_all(struct bench_report *report, const struct globs *globs)
{
	bool any;
	int i;

	if (!globs->nr)
		choose(report, NULL, &any);
	for (i = 0; i < globs->nr; i++) {
		any = false;
		choose(report, globs->glob[i], &any);
		if (!any)
			return nothing_like(report, globs->glob[i]);
	}
	for (i = 0; i < MYALLOC_BENCH_SHAPES_MAX / 64; i++)
		if (report->ask.shapes[i])
			return EXIT_OK;
	return out_fail(EXIT_FAILED, "this machine cannot run any of these shapes: those of 'cross' need two CPUs");
}

/* The options; @shapes may be given several times, each time as a list. */
struct wish {
	struct myalloc_bench ask;
	bool all_sides;
	struct opt_strings shapes;
};

static void read_options(struct cmd *c, struct bench_report *report, struct globs *globs)
{
	struct wish w = { .ask.size = sizeof(w.ask), .ask.cpu = MYALLOC_BENCH_ANY_CPU };
	unsigned int i;
	char *word;

	cmd_options(c, &w);
	for (i = 0; i < w.shapes.nr; i++)
		add_globs(c, globs, w.shapes.string[i]);
	while ((word = cmd_word(c)))
		add_globs(c, globs, word);
	report->ask = w.ask;
	report->all_sides = w.all_sides;
}

static int run_shapes(struct cmd *c)
{
	struct bench_report report = { 0 };
	struct globs globs = { .nr = 0 };
	struct device d;
	int code;

	read_options(c, &report, &globs);
	code = device_open(&d);
	if (code)
		return code;
	if (report.ask.cpu != MYALLOC_BENCH_ANY_CPU && report.ask.cpu >= d.info.nr_cpus)
		code = out_fail(EXIT_USAGE, "no CPU %u: this machine has CPUs 0 to %u",
				report.ask.cpu, d.info.nr_cpus - 1);
	if (!code)
		code = bench_shapes(&d, &report);
	if (!code)
		code = choose_all(&report, &globs);
	if (!code)
		code = bench_run(&d, &report);
	if (!code)
		code = bench_print(&d, &report, "bench run",
				   stop_signal() ? 128 + stop_signal() : EXIT_OK);
	device_close(&d);
	bench_free(&report);
	return code;
}

static void list_row(struct out *o, const struct myalloc_bench_shape *s)
{
	__u32 i;

	out_item(o);
	out_str(o, "name", "shape", OUT_PLAIN, s->name);
	out_str(o, "what", "what it does", OUT_PLAIN, s->what);
	out_u64(o, "fill_permille", NULL, OUT_PERMILLE, s->fill_permille);
	out_list(o, "sides", NULL);
	for (i = 0; i < s->nr_sides; i++)
		out_strn(o, NULL, NULL, OUT_PLAIN, s->side[i].name,
			 sizeof(s->side[i].name));
	out_end(o);
	out_end(o);
}

static int list_shapes(struct cmd *c)
{
	struct bench_report report = { 0 };
	struct globs globs = { .nr = 0 };
	struct device d;
	struct out *o;
	__u32 i;
	int code;

	read_options(c, &report, &globs);
	code = device_open(&d);
	if (code)
		return code;
	code = bench_shapes(&d, &report);
	if (!code)
		code = choose_all(&report, &globs);
	device_close(&d);
	if (!code) {
		o = out_new("bench list");
		out_list(o, "shapes", "");
		for (i = 0; i < report.nr_shapes; i++)
			if (report.shape[i].wanted)
				list_row(o, &report.shape[i].shape);
		out_end(o);
		code = out_finish(o, EXIT_OK);
	}
	bench_free(&report);
	return code;
}

static int show_kept(struct cmd *c)
{
	struct bench_report report = { 0 };
	struct globs globs = { .nr = 0 };
	char *file;
	__u32 i;
	int code, k;

	read_options(c, &report, &globs);
	if (!globs.nr)
		cmd_usage(c, "missing file, as written by 'bench run -o FILE'");
	file = globs.glob[0];
	code = bench_load(&report, file);
	for (i = 0; !code && i < report.nr_shapes; i++) {
		report.shape[i].wanted = globs.nr == 1;
		for (k = 1; k < globs.nr; k++)
			report.shape[i].wanted |= !fnmatch(globs.glob[k],
							   report.shape[i].shape.name, 0);
	}
	if (!code)
		code = bench_print(NULL, &report, "bench show", EXIT_OK);
	bench_free(&report);
	return code;
}

static int compare(struct cmd *c)
{
	char *old = cmd_word(c), *new = cmd_word(c);

	if (!old || !new)
		cmd_usage(c, "missing files: the older result and the newer are needed");
	cmd_done(c);
	return bench_compare(old, new);
}

#define TARGET(member)	OPT_TARGET(struct wish, member)
#define SHAPES \
	{ "shapes", 's', OPT_STRINGS, "GLOB", TARGET(shapes), .otherwise = "all", \
	  .help = "shapes whose names match, as 'object/64/*,page/*'" }
#define SIDES \
	{ "sides", 0, OPT_FLAG, TARGET(all_sides), .help = "show a line for every side of a shape" }

static const struct opt run_opts[] = {
	SHAPES,
	{ "rounds", 0, OPT_NUMBER, "N", TARGET(ask.rounds), .min = 1,
	  .max = MYALLOC_BENCH_ROUNDS_MAX, .otherwise = "20",
	  .help = "rounds of each shape and side" },
	{ "ops", 0, OPT_NUMBER, "N", TARGET(ask.ops), .min = 1, .max = MYALLOC_BENCH_OPS_MAX,
	  .otherwise = "as many as take 0.25 ms",
	  .help = "operations in a round; its initial state has at most four objects for each" },
	{ "cpu", 0, OPT_NUMBER, "N", TARGET(ask.cpu), .max = 65535,
	  .otherwise = "the first that is online", .help = "CPU to run on" },
	{ "seed", 'S', OPT_NUMBER, "N", TARGET(ask.seed), .otherwise = "random, and printed",
	  .help = "seed of every random choice" },
	SIDES,
	{ NULL }
};

static const struct opt list_opts[] = { SHAPES, { NULL } };
static const struct opt show_opts[] = { SIDES, { NULL } };

static const struct verb bench_verbs[] = {
	{ "list", list_shapes, "[GLOB]...", "list the shapes with a description of each", list_opts,
	  .form = "shapes:[{ name:text what:text fill_permille:uint sides:[text] }]" },
	{ "run", run_shapes, "[GLOB]...",
	  "run shapes on this and the kernel's own allocators, and compare",
	  run_opts, .form = bench_form },
	{ "show", show_kept, "FILE [GLOB]...", "show a result written with -o FILE", show_opts,
	  .form = bench_form },
	{ "compare", compare, "OLD NEW", "compare two results from files, shape by shape", NULL,
	  .form = bench_compare_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object bench_object = {
	"bench", "benchmarks against the kernel's own allocators", bench_verbs, NULL
};
