// SPDX-License-Identifier: GPL-2.0
/*
 * bench_kept: reads results of benchmarks from files, and compares two
 */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obj/bench_parts.h"
#include "obj/kept.h"
#include "host/mem.h"
#include "out/out.h"

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static __u64 number(struct json_object *o, const char *key)
{
	return json_object_get_uint64(member(o, key));
}

/* In 1/1000, as in the module. */
static __u64 milli(struct json_object *o, const char *key)
{
	return llround(json_object_get_double(member(o, key)) * 1000);
}

static void text(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *s = json_object_get_string(member(o, key));

	snprintf(buf, size, "%s", s ? s : "");
}

static __u32 unit_of(const char *name)
{
	if (!strcmp(name, "ns, longest"))
		return MYALLOC_BENCH_LONGEST;
	if (!strcmp(name, "ns, single call"))
		return MYALLOC_BENCH_CALL;
	if (!strcmp(name, "ratio"))
		return MYALLOC_BENCH_RATIO;
	return !strcmp(name, "bytes") ? MYALLOC_BENCH_BYTES : MYALLOC_BENCH_NS;
}

static __u32 role_of(const char *name)
{
	if (!strcmp(name, "ours"))
		return MYALLOC_BENCH_OURS;
	if (!strcmp(name, "floor"))
		return MYALLOC_BENCH_FLOOR;
	if (!strcmp(name, "cost"))
		return MYALLOC_BENCH_COST;
	return !strcmp(name, "aside") ? MYALLOC_BENCH_ASIDE : 0;
}

static void read_figures(struct json_object *o, struct myalloc_bench_figures *f)
{
	f->min = milli(o, "min");
	f->p50 = milli(o, "p50");
	f->p99 = milli(o, "p99");
	f->max = milli(o, "max");
}

static void read_rounds(struct json_object *list, struct bench_side *side)
{
	size_t nr = json_object_is_type(list, json_type_array) ?
		    json_object_array_length(list) : 0, i;

	if (nr > MYALLOC_BENCH_ROUNDS_MAX)
		nr = MYALLOC_BENCH_ROUNDS_MAX;
	side->round = xcalloc(nr + 1, sizeof(*side->round));
	side->result.rounds = nr;
	for (i = 0; i < nr; i++) {
		struct json_object *r = json_object_array_get_idx(list, i);

		if (!json_object_is_type(r, json_type_array) ||
		    json_object_array_length(r) != 3)
			continue;
		side->round[i].ns = json_object_get_uint64(json_object_array_get_idx(r, 0));
		side->round[i].cycles = json_object_get_uint64(json_object_array_get_idx(r, 1));
		side->round[i].ops = json_object_get_uint64(json_object_array_get_idx(r, 2));
	}
}

static void read_side(struct json_object *o, struct bench_shape *s)
{
	struct bench_side *side = &s->side[s->shape.nr_sides];
	struct myalloc_bench_side *what = &s->shape.side[s->shape.nr_sides++];
	char role[16];

	text(o, "name", what->name, sizeof(what->name));
	text(o, "role", role, sizeof(role));
	what->flags = role_of(role);
	side->result.fails = number(o, "fails");
	read_figures(member(o, "time"), &side->result.time);
	read_figures(member(o, "cycles"), &side->result.cycles);
	read_rounds(member(o, "rounds"), side);
}

static void read_shape(struct json_object *o, struct bench_shape *s)
{
	struct json_object *sides = member(o, "sides");
	char unit[16];
	size_t i;

	text(o, "name", s->shape.name, sizeof(s->shape.name));
	text(o, "what", s->shape.what, sizeof(s->shape.what));
	text(o, "unit", unit, sizeof(unit));
	s->shape.unit = unit_of(unit);
	s->shape.bytes = number(o, "bytes");
	s->shape.order = number(o, "order");
	s->shape.batch = number(o, "batch");
	s->shape.fill_permille = number(o, "fill_permille");
	s->wanted = true;
	if (!json_object_is_type(sides, json_type_array))
		return;
	for (i = 0; i < json_object_array_length(sides) && i < MYALLOC_BENCH_SIDES_MAX; i++)
		read_side(json_object_array_get_idx(sides, i), s);
}

static __u32 kernel_flag(struct json_object *name)
{
	return bench_kernel_flag(json_object_get_string(name));
}

static void read_run(struct json_object *run, struct bench_report *report)
{
	struct json_object *kernel = member(run, "kernel");
	char state[16];
	size_t i;

	report->seed = number(run, "seed");
	report->cpu = number(run, "cpu");
	report->ask.rounds = number(run, "asked_rounds");
	report->ask.ops = number(run, "asked_ops");
	report->elapsed_ms = number(run, "elapsed_ms");
	report->clock_ns = number(run, "clock_ns");
	report->clock_cycles = number(run, "clock_cycles");
	text(run, "state", state, sizeof(state));
	report->state = strcmp(state, "done") ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
	for (i = 0; json_object_is_type(kernel, json_type_array) &&
	     i < json_object_array_length(kernel); i++)
		report->kernel |= kernel_flag(json_object_array_get_idx(kernel, i));
}

static int read_report(const struct kept *kept, struct bench_report *report)
{
	struct json_object *shapes = member(kept->result, "shapes");
	size_t nr, i;

	if (strncmp(kept->kind, "bench ", 6) || !json_object_is_type(shapes, json_type_array))
		return out_fail(EXIT_USAGE, "'%s' is a result of '%s', not of 'bench run'",
				kept->file, kept->kind);
	nr = json_object_array_length(shapes);
	report->shape = xcalloc(nr + 1, sizeof(*report->shape));
	report->nr_shapes = nr;
	for (i = 0; i < nr; i++)
		read_shape(json_object_array_get_idx(shapes, i), &report->shape[i]);
	read_run(member(kept->result, "run"), report);
	return EXIT_OK;
}

/* Read the kernel's version and the accelerator. */
static void read_system(struct json_object *system, struct bench_report *report)
{
	char kernel[96], accelerator[32];

	text(system, "kernel", kernel, sizeof(kernel));
	text(system, "accelerator", accelerator, sizeof(accelerator));
	snprintf(report->system, sizeof(report->system), "%s%s%s", kernel,
		 accelerator[0] ? ", " : "", accelerator);
}

int bench_load(struct bench_report *report, const char *file)
{
	struct kept kept = { 0 };
	int code = kept_load(&kept, file);

	if (!code)
		code = read_report(&kept, report);
	if (!code)
		read_system(member(kept.root, "system"), report);
	json_object_put(kept.root);
	return code;
}

/* ---- two compared ---- */

static const struct bench_shape *twin(const struct bench_report *report, const char *name)
{
	__u32 i;

	for (i = 0; i < report->nr_shapes; i++)
		if (!strcmp(report->shape[i].shape.name, name))
			return &report->shape[i];
	return NULL;
}

struct change {
	double logs;
	int nr;
};

static void compare_side(struct out *o, const struct bench_shape *old,
			 const struct bench_shape *new, __u32 side, struct change *ours)
{
	const struct myalloc_bench_side *what = &old->shape.side[side];
	const struct bench_side *other = bench_find(new, what->name);
	double before, after;

	if (!other || !other->result.rounds || !old->side[side].result.rounds)
		return;
	before = bench_figure(old, side);
	after = bench_figure(new, other - new->side);
	if (bench_ours(what) && old->shape.unit == MYALLOC_BENCH_NS) {
		ours->logs += log(after / before);
		ours->nr++;
	}
	out_item(o);
	out_str(o, "shape", "shape", OUT_PLAIN, old->shape.name);
	out_strn(o, "side", "side", OUT_PLAIN, what->name, sizeof(what->name));
	out_ratio(o, "old", "old", before, 1000);
	out_ratio(o, "new", "new", after, 1000);
	out_ratio(o, "ratio", "new/old", after, before);
	out_end(o);
}

const char bench_compare_form[] =
	"old:text new:text differences:[text] label:text|null "
	"changes:[{ shape:text side:text old:number new:number "
	"ratio:number|null }] mean:number|null";

static int describe(const struct kept *a, const struct kept *b,
		    const struct bench_report *old, const struct bench_report *new)
{
	struct change ours = { .logs = 0 };
	struct out *o = out_new("bench compare");
	__u32 i, k;

	out_str(o, "old", "old", OUT_PLAIN, a->file);
	out_str(o, "new", "new", OUT_PLAIN, b->file);
	kept_differences(o, a, b);
	if ((old->kernel | new->kernel) & MYALLOC_BENCH_DEBUG)
		out_str(o, "label", "Label", OUT_BAD,
			"DEBUG KERNEL: these figures say nothing about a production kernel");
	else
		out_null(o, "label", NULL);
	out_list(o, "changes", "Medians");
	for (i = 0; i < old->nr_shapes; i++) {
		const struct bench_shape *s = &old->shape[i];
		const struct bench_shape *t = twin(new, s->shape.name);

		for (k = 0; t && k < s->shape.nr_sides; k++)
			compare_side(o, s, t, k, &ours);
	}
	out_end(o);
	if (ours.nr)
		out_ratio(o, "mean", "ours, new/old, geometric mean",
			  exp(ours.logs / ours.nr), 1);
	else
		out_null(o, "mean", "ours, new/old, geometric mean");
	return out_finish(o, EXIT_OK);
}

int bench_compare(const char *old_file, const char *new_file)
{
	struct bench_report old = { 0 }, new = { 0 };
	struct kept a = { 0 }, b = { 0 };
	int code;

	code = kept_load(&a, old_file);
	if (!code)
		code = kept_load(&b, new_file);
	if (!code)
		code = read_report(&a, &old);
	if (!code)
		code = read_report(&b, &new);
	if (!code)
		code = describe(&a, &b, &old, &new);
	json_object_put(a.root);
	json_object_put(b.root);
	bench_free(&old);
	bench_free(&new);
	return code;
}
