// SPDX-License-Identifier: GPL-2.0
/*
 * bench_report: describes the result of a benchmark, with ratios and their means
 *
 * A ratio is the opponent's median divided by ours: above 1, ours is better. If a side does the
 * work without any allocator, its cost is subtracted from both first. Geometric means are
 * taken over the shapes that measure the time of an operation: one for each kind of shape and
 * each opponent, and one against the fastest opponent of each shape.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "obj/bench_parts.h"
#include "host/mem.h"
#include "out/out.h"
#include "host/stop.h"

#define GROUPS_MAX	64

static const struct {
	__u32 flag;
	const char *name;
} kernel_names[] = {
	{ MYALLOC_BENCH_KASAN, "KASAN" },
	{ MYALLOC_BENCH_KCSAN, "KCSAN" },
	{ MYALLOC_BENCH_KMSAN, "KMSAN" },
	{ MYALLOC_BENCH_LOCKDEP, "LOCKDEP" },
	{ MYALLOC_BENCH_KMEMLEAK, "KMEMLEAK" },
	{ MYALLOC_BENCH_COVERAGE, "COVERAGE" },
	{ MYALLOC_BENCH_DEBUG_VM, "DEBUG_VM" },
	{ MYALLOC_BENCH_DEBUG_OTHER, "DEBUG_OTHER" },
	{ MYALLOC_BENCH_FAULTS, "FAULT_INJECTION" },
	{ MYALLOC_BENCH_CHECKS, "MODULE_CHECKS" },
	{ MYALLOC_BENCH_INIT_ON_ALLOC, "INIT_ON_ALLOC" },
	{ MYALLOC_BENCH_INIT_ON_FREE, "INIT_ON_FREE" },
	{ MYALLOC_BENCH_RT, "PREEMPT_RT" },
	{ MYALLOC_BENCH_HARDENED, "SLAB_FREELIST_HARDENED" },
	{ MYALLOC_BENCH_UML, "UML" },
};

static const char *const units[] = {
	[MYALLOC_BENCH_NS] = "ns",
	[MYALLOC_BENCH_LONGEST] = "ns, longest",
	[MYALLOC_BENCH_RATIO] = "ratio",
	[MYALLOC_BENCH_BYTES] = "bytes",
	[MYALLOC_BENCH_CALL] = "ns, single call",
};

static const char *const states[] = {
	[MYALLOC_STRESS_NONE] = "none",
	[MYALLOC_STRESS_RUNNING] = "running",
	[MYALLOC_STRESS_DONE] = "done",
	[MYALLOC_STRESS_CANCELLED] = "cancelled",
};

__u32 bench_kernel_flag(const char *name)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(kernel_names); i++)
		if (!strcmp(kernel_names[i].name, name))
			return kernel_names[i].flag;
	return 0;
}

/* A newer module may have others. */
static const char *unit_name(const struct bench_shape *s)
{
	return s->shape.unit < ARRAY_SIZE(units) ? units[s->shape.unit] : "unknown";
}

/* ---- figures ---- */

static bool has_flag(const struct bench_shape *s, __u32 side, __u32 flag)
{
	return s->shape.side[side].flags & flag;
}

bool bench_ours(const struct myalloc_bench_side *side)
{
	return side->flags & MYALLOC_BENCH_OURS;
}

bool bench_opponent(const struct myalloc_bench_side *side)
{
	return !(side->flags & (MYALLOC_BENCH_OURS | MYALLOC_BENCH_FLOOR |
				MYALLOC_BENCH_COST | MYALLOC_BENCH_ASIDE));
}

static const char *role(const struct myalloc_bench_side *side)
{
	if (bench_ours(side))
		return "ours";
	if (side->flags & MYALLOC_BENCH_FLOOR)
		return "floor";
	if (side->flags & MYALLOC_BENCH_COST)
		return "cost";
	return side->flags & MYALLOC_BENCH_ASIDE ? "aside" : "opponent";
}

/* The first side with a flag, or -1. */
static int find_flag(const struct bench_shape *s, __u32 flag)
{
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (has_flag(s, i, flag))
			return i;
	return -1;
}

static bool is_time(const struct bench_shape *s)
{
	return s->shape.unit == MYALLOC_BENCH_NS || s->shape.unit == MYALLOC_BENCH_LONGEST ||
	       s->shape.unit == MYALLOC_BENCH_CALL;
}

double bench_figure(const struct bench_shape *s, __u32 side)
{
	const struct myalloc_bench_result *r = &s->side[side].result;
	int cost = find_flag(s, MYALLOC_BENCH_COST);
	double figure = r->time.p50;

	if (!r->rounds)
		return -1;
	if (cost >= 0 && (int)side != cost && s->side[cost].result.rounds)
		figure -= s->side[cost].result.time.p50;
	/* The cost varied by more than the figure: use the least value above 0. */
	return figure < 1 && is_time(s) ? 1 : figure;
}

const struct bench_side *bench_find(const struct bench_shape *s, const char *name)
{
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (!strncmp(s->shape.side[i].name, name, MYALLOC_BENCH_SIDE_NAME))
			return &s->side[i];
	return NULL;
}

/* True if less than an eighth of the subtracted cost is left: it may be noise of the cost. */
static bool lost_in_cost(const struct bench_shape *s, __u32 side)
{
	int cost = find_flag(s, MYALLOC_BENCH_COST);

	return cost >= 0 && s->side[cost].result.rounds &&
	       bench_figure(s, side) * 8 < s->side[cost].result.time.p50;
}

double bench_ratio(const struct bench_shape *s, __u32 side)
{
	int ours = find_flag(s, MYALLOC_BENCH_OURS);

	if (ours < 0 || !s->side[ours].result.rounds || !s->side[side].result.rounds)
		return 0;
	if (lost_in_cost(s, ours) || lost_in_cost(s, side))
		return 0;
	/* A figure of 0 is better than any other, but has no ratio. */
	return bench_figure(s, ours) > 0 ? bench_figure(s, side) / bench_figure(s, ours) : 0;
}

static bool fought(const struct bench_shape *s, __u32 side)
{
	return bench_opponent(&s->shape.side[side]) && s->side[side].result.rounds;
}

/* The first opponent with a figure, or -1. */
static int first_opponent(const struct bench_shape *s)
{
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (fought(s, i))
			return i;
	return -1;
}

/* The opponent with the lowest figure, or -1. */
static int best_opponent(const struct bench_shape *s)
{
	int best = first_opponent(s);
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (fought(s, i) && bench_figure(s, i) < bench_figure(s, best))
			best = i;
	return best;
}

/* ---- means ---- */

/* The ratios of one kind of shape to one opponent. */
struct mean {
	char kind[MYALLOC_BENCH_NAME];
	const char *against;
	double logs;
	double least;
	const char *where;
	int nr;
};

struct means {
	struct mean mean[GROUPS_MAX];
	int nr;
};

static void add_ratio(struct means *m, const char *name, const char *against, double ratio)
{
	int len = strcspn(name, "/"), i;
	struct mean *mean;

	for (i = 0; i < m->nr; i++)
		if (!strcmp(m->mean[i].against, against) &&
		    !strncmp(m->mean[i].kind, name, len) && !m->mean[i].kind[len])
			break;
	if (i == GROUPS_MAX)
		return;
	mean = &m->mean[i];
	if (i == m->nr) {
		m->nr++;
		memcpy(mean->kind, name, len);
		mean->against = against;
	}
	if (!mean->nr || ratio < mean->least) {
		mean->least = ratio;
		mean->where = name;
	}
	mean->logs += log(ratio);
	mean->nr++;
}

static void sum_up(const struct bench_report *report, struct means *m)
{
	const struct bench_shape *s;
	__u32 i, k;

	for (i = 0; i < report->nr_shapes; i++) {
		s = &report->shape[i];
		if (!s->wanted || s->shape.unit != MYALLOC_BENCH_NS ||
		    first_opponent(s) < 0 || bench_ratio(s, first_opponent(s)) <= 0)
			continue;
		if (bench_ratio(s, best_opponent(s)) > 0)
			add_ratio(m, s->shape.name, "the fastest", bench_ratio(s, best_opponent(s)));
		for (k = 0; k < s->shape.nr_sides; k++)
			if (bench_opponent(&s->shape.side[k]) && bench_ratio(s, k) > 0)
				add_ratio(m, s->shape.name, s->shape.side[k].name,
					  bench_ratio(s, k));
	}
}

static void describe_means(struct out *o, const struct bench_report *report)
{
	struct means *m = xcalloc(1, sizeof(*m));
	int i;

	sum_up(report, m);
	out_list(o, "means", "Theirs over ours");
	for (i = 0; i < m->nr; i++) {
		out_item(o);
		out_str(o, "kind", "shapes", OUT_PLAIN, m->mean[i].kind);
		out_str(o, "against", "against", OUT_PLAIN, m->mean[i].against);
		out_u64(o, "number", "number", OUT_PLAIN, m->mean[i].nr);
		out_ratio(o, "mean", "geometric mean", exp(m->mean[i].logs / m->mean[i].nr), 1);
		out_ratio(o, "least", "least", m->mean[i].least, 1);
		out_str(o, "where", "where", OUT_PLAIN, m->mean[i].where);
		out_end(o);
	}
	out_end(o);
	free(m);
}

/* ---- the table ---- */

static void figure(struct out *o, const char *key, const char *label, double value)
{
	if (value >= 0)
		out_ratio(o, key, label, value, 1000);
	else
		out_null(o, key, label);
}

static void against(struct out *o, const struct bench_shape *s, int side, const char *name_key,
		    const char *name, const char *figure_key, const char *ratio_key)
{
	if (side < 0)
		out_null(o, name_key, name);
	else
		out_strn(o, name_key, name, OUT_PLAIN, s->shape.side[side].name,
			 MYALLOC_BENCH_SIDE_NAME);
	out_rank(o, OUT_KEY);
	figure(o, figure_key, "theirs", side < 0 ? -1 : bench_figure(s, side));
	if (side >= 0 && bench_ratio(s, side) > 0)
		out_ratio(o, ratio_key, "ratio", bench_ratio(s, side), 1);
	else
		out_null(o, ratio_key, "ratio");
	out_rank(o, OUT_KEY);
}

static bool measured(const struct bench_shape *s)
{
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (s->side[i].result.rounds)
			return true;
	return false;
}

static void table_row(struct out *o, const struct bench_shape *s)
{
	int ours = find_flag(s, MYALLOC_BENCH_OURS), floor = find_flag(s, MYALLOC_BENCH_FLOOR);
	const struct myalloc_bench_result *r;

	if (ours < 0)
		return;
	r = &s->side[ours].result;
	out_item(o);
	out_str(o, "shape", "shape", OUT_PLAIN, s->shape.name);
	out_str(o, "unit", "unit", OUT_PLAIN, unit_name(s));
	figure(o, "ours", "myalloc", bench_figure(s, ours));
	out_rank(o, OUT_KEY);
	figure(o, "p99", "p99", r->rounds ? r->time.p99 : -1.0);
	figure(o, "cycles", "cycles", r->cycles.max ? r->cycles.p50 : -1.0);
	figure(o, "floor", "floor", floor < 0 ? -1 : bench_figure(s, floor));
	against(o, s, first_opponent(s), "first", "against", "first_figure", "first_ratio");
	against(o, s, best_opponent(s), "best", "the fastest", "best_figure", "best_ratio");
	out_end(o);
}

static void side_row(struct out *o, const struct bench_shape *s, __u32 side)
{
	const struct myalloc_bench_result *r = &s->side[side].result;

	out_item(o);
	out_str(o, "shape", "shape", OUT_PLAIN, s->shape.name);
	out_strn(o, "side", "side", OUT_PLAIN, s->shape.side[side].name,
		 MYALLOC_BENCH_SIDE_NAME);
	out_u64(o, "rounds", "rounds", OUT_PLAIN, r->rounds);
	figure(o, "min", "min", r->rounds ? r->time.min : -1.0);
	figure(o, "p50", "median", r->rounds ? r->time.p50 : -1.0);
	out_rank(o, OUT_KEY);
	figure(o, "p99", "p99", r->rounds ? r->time.p99 : -1.0);
	figure(o, "max", "max", r->rounds ? r->time.max : -1.0);
	figure(o, "cycles", "cycles", r->cycles.max ? r->cycles.p50 : -1.0);
	if (bench_opponent(&s->shape.side[side]) && bench_ratio(s, side) > 0)
		out_ratio(o, "ratio", "ratio", bench_ratio(s, side), 1);
	else
		out_null(o, "ratio", "ratio");
	out_rank(o, OUT_KEY);
	out_end(o);
}

static void describe_table(struct out *o, const struct bench_report *report)
{
	const struct bench_shape *s;
	__u32 i, k;

	out_list(o, "table", "Medians");
	for (i = 0; i < report->nr_shapes; i++) {
		s = &report->shape[i];
		if (s->wanted && measured(s))
			table_row(o, s);
	}
	out_end(o);
	if (!report->all_sides)
		return;
	out_list(o, "sides", "Every side");
	for (i = 0; i < report->nr_shapes; i++) {
		s = &report->shape[i];
		for (k = 0; s->wanted && k < s->shape.nr_sides; k++)
			side_row(o, s, k);
	}
	out_end(o);
}

/* ---- everything, in JSON only ---- */

static void describe_figures(struct out *o, const char *key,
			     const struct myalloc_bench_figures *f)
{
	out_group(o, key, NULL);
	out_ratio(o, "min", NULL, f->min, 1000);
	out_ratio(o, "p50", NULL, f->p50, 1000);
	out_ratio(o, "p99", NULL, f->p99, 1000);
	out_ratio(o, "max", NULL, f->max, 1000);
	out_end(o);
}

static void describe_rounds(struct out *o, const struct bench_side *side)
{
	__u32 i;

	out_list(o, "rounds", NULL);
	for (i = 0; i < side->result.rounds; i++) {
		out_list(o, NULL, NULL);
		out_u64(o, NULL, NULL, OUT_PLAIN, side->round[i].ns);
		out_u64(o, NULL, NULL, OUT_PLAIN, side->round[i].cycles);
		out_u64(o, NULL, NULL, OUT_PLAIN, side->round[i].ops);
		out_end(o);
	}
	out_end(o);
}

static void describe_side(struct out *o, const struct bench_shape *s, __u32 side)
{
	const struct myalloc_bench_result *r = &s->side[side].result;

	out_item(o);
	out_strn(o, "name", NULL, OUT_PLAIN, s->shape.side[side].name,
		 MYALLOC_BENCH_SIDE_NAME);
	out_str(o, "role", NULL, OUT_PLAIN, role(&s->shape.side[side]));
	out_u64(o, "fails", NULL, OUT_PLAIN, r->fails);
	if (r->error)
		out_str(o, "error", NULL, OUT_PLAIN, strerror(r->error));
	else
		out_null(o, "error", NULL);
	if (r->rounds) {
		describe_figures(o, "time", &r->time);
		if (r->cycles.max)
			describe_figures(o, "cycles", &r->cycles);
		else
			out_null(o, "cycles", NULL);
	} else {
		out_null(o, "time", NULL);
		out_null(o, "cycles", NULL);
	}
	if (bench_opponent(&s->shape.side[side]) && bench_ratio(s, side) > 0)
		out_ratio(o, "ratio", NULL, bench_ratio(s, side), 1);
	else
		out_null(o, "ratio", NULL);
	describe_rounds(o, &s->side[side]);
	out_end(o);
}

static void describe_shapes(struct out *o, const struct bench_report *report)
{
	const struct bench_shape *s;
	__u32 i, k;

	out_list(o, "shapes", NULL);
	for (i = 0; i < report->nr_shapes; i++) {
		s = &report->shape[i];
		if (!s->wanted)
			continue;
		out_item(o);
		out_str(o, "name", NULL, OUT_PLAIN, s->shape.name);
		out_str(o, "what", NULL, OUT_PLAIN, s->shape.what);
		out_str(o, "unit", NULL, OUT_PLAIN, unit_name(s));
		out_u64(o, "bytes", NULL, OUT_PLAIN, s->shape.bytes);
		out_u64(o, "order", NULL, OUT_PLAIN, s->shape.order);
		out_u64(o, "batch", NULL, OUT_PLAIN, s->shape.batch);
		out_u64(o, "fill_permille", NULL, OUT_PLAIN, s->shape.fill_permille);
		out_list(o, "sides", NULL);
		for (k = 0; k < s->shape.nr_sides; k++)
			describe_side(o, s, k);
		out_end(o);
		out_end(o);
	}
	out_end(o);
}

/* ---- the whole ---- */

static char *kernel_words(__u32 kernel, __u32 which)
{
	char *words = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_names); i++) {
		if (!(kernel & which & kernel_names[i].flag))
			continue;
		longer = xasprintf("%s%s%s", words, *words ? ", " : "", kernel_names[i].name);
		free(words);
		words = longer;
	}
	return words;
}

static void describe_run(struct out *o, const struct bench_report *report)
{
	bool done = report->state == MYALLOC_STRESS_DONE;
	size_t i;

	out_group(o, "run", "Run");
	out_str(o, "state", "state", done ? OUT_GOOD : OUT_WARN,
		report->state < ARRAY_SIZE(states) ? states[report->state] : "unknown");
	out_u64(o, "seed", "seed", OUT_PLAIN, report->seed);
	out_u64(o, "cpu", "CPU", OUT_PLAIN, report->cpu);
	out_u64(o, "asked_rounds", NULL, OUT_PLAIN, report->ask.rounds);
	out_u64(o, "asked_ops", NULL, OUT_PLAIN, report->ask.ops);
	out_u64(o, "elapsed_ms", "time", OUT_MS, report->elapsed_ms);
	out_u64(o, "clock_ns", "clock, subtracted", OUT_NS, report->clock_ns);
	out_u64(o, "clock_cycles", NULL, OUT_PLAIN, report->clock_cycles);
	out_list(o, "kernel", "kernel has");
	for (i = 0; i < ARRAY_SIZE(kernel_names); i++)
		if (report->kernel & kernel_names[i].flag)
			out_str(o, NULL, NULL, OUT_PLAIN, kernel_names[i].name);
	out_end(o);
	out_bool(o, "debug", NULL, OUT_PLAIN, report->kernel & MYALLOC_BENCH_DEBUG);
	out_end(o);
}

static void describe_label(struct out *o, const struct bench_report *report)
{
	char *words, *label;

	if (!(report->kernel & MYALLOC_BENCH_DEBUG)) {
		out_null(o, "label", NULL);
		return;
	}
	words = kernel_words(report->kernel, MYALLOC_BENCH_DEBUG);
	label = xasprintf("DEBUG KERNEL (%s): these figures say nothing about a production kernel", words);
	out_str(o, "label", "Label", OUT_BAD, label);
	out_warn("%s", label);
	free(label);
	free(words);
}

static int complain(const struct bench_report *report, int code)
{
	__u32 i, k;
	bool any = false;

	for (i = 0; i < report->nr_shapes; i++) {
		const struct bench_shape *s = &report->shape[i];

		for (k = 0; s->wanted && k < s->shape.nr_sides; k++) {
			const struct myalloc_bench_result *r = &s->side[k].result;

			any |= r->rounds;
			if (r->error)
				out_warn("%s: %s could not be prepared: %s", s->shape.name,
					 s->shape.side[k].name, strerror(r->error));
			else if (r->fails)
				out_warn("%s: %llu allocations of %s failed, so its figures are of different work",
					 s->shape.name, (unsigned long long)r->fails,
					 s->shape.side[k].name);
		}
	}
	if (!any && !code)
		code = out_fail(EXIT_FAILED, "nothing was measured");
	return code;
}

#define FIGURES	"{ min:number p50:number p99:number max:number }"

const char bench_form[] =
	"^seed:uint measured_on?:text label:text|null "
	"run:{ state:text seed:uint cpu:uint asked_rounds:uint asked_ops:uint "
	"elapsed_ms:uint clock_ns:uint clock_cycles:uint kernel:[text] "
	"debug:bool } "
	"table:[{ shape:text unit:text ours:number|null p99:number|null "
	"cycles:number|null floor:number|null first:text|null "
	"first_figure:number|null first_ratio:number|null best:text|null "
	"best_figure:number|null best_ratio:number|null }] "
	"sides?:[{ shape:text side:text rounds:uint min:number|null "
	"p50:number|null p99:number|null max:number|null cycles:number|null "
	"ratio:number|null }] "
	"means:[{ kind:text against:text number:uint mean:number|null "
	"least:number where:text }] "
	"shapes:[{ name:text what:text unit:text bytes:uint order:uint "
	"batch:uint fill_permille:uint sides:[{ name:text role:text fails:uint "
	"error:text|null time:" FIGURES "|null cycles:" FIGURES
	"|null ratio:number|null rounds:[[uint]] }] }]";

int bench_print(const struct device *d, const struct bench_report *report,
		const char *kind, int code)
{
	struct out *o = out_new(kind);

	code = complain(report, code);
	out_seed(o, report->seed);
	if (d) {
		out_page_size(o, d->info.page_size);
		out_show_system(o);
	} else {
		out_str(o, "measured_on", "measured on", OUT_PLAIN, report->system);
	}
	describe_label(o, report);
	describe_run(o, report);
	describe_table(o, report);
	describe_means(o, report);
	describe_shapes(o, report);
	return out_finish(o, code);
}
