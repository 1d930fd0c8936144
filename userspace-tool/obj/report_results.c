// SPDX-License-Identifier: GPL-2.0
/*
 * report_results: draws results of benchmarks and stress runs on the page of 'report'
 *
 * Latency here is that of single calls: in a benchmark, of shapes whose rounds are one call each;
 * in a stress run, of the sampled calls. A mean of many calls is a cost, of which only the ratio is
 * drawn.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/bench_parts.h"
#include "obj/kept.h"
#include "obj/report_results.h"
#include "out/out.h"
#include "out/plot.h"

#define KEYS_MOST	24

/* @bench: has shapes if it is a benchmark, otherwise it is a stress run */
struct result_kept {
	struct kept kept;
	struct bench_report bench;
	bool is_bench;
};

int results_load(struct results *r, const char *file)
{
	struct result_kept *more = xcalloc(r->nr + 1, sizeof(*more)), *new = &more[r->nr];
	int code;

	if (r->nr)
		memcpy(more, r->kept, r->nr * sizeof(*more));
	free(r->kept);
	r->kept = more;
	code = kept_load(&new->kept, file);
	r->nr++;
	if (code)
		return code;
	new->is_bench = !strncmp(new->kept.kind, "bench ", 6);
	if (new->is_bench)
		return bench_load(&new->bench, file);
	if (strcmp(new->kept.kind, "stress run"))
		return out_fail(EXIT_USAGE, "'%s' is a result of '%s', not of 'bench run' or 'stress run'",
				file, new->kept.kind);
	return EXIT_OK;
}

void results_free(struct results *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		bench_free(&r->kept[i].bench);
		json_object_put(r->kept[i].kept.root);
	}
	free(r->kept);
	memset(r, 0, sizeof(*r));
}

/* ---- the system ---- */

static const char *word_of(struct json_object *o, const char *key)
{
	struct json_object *v;
	const char *word = NULL;

	if (json_object_object_get_ex(o, key, &v))
		word = json_object_get_string(v);
	return word ? word : "unknown";
}

/* Kernel, machine and date, for titles; to be freed. */
static char *system_of(const struct result_kept *r)
{
	struct json_object *sys = NULL;

	json_object_object_get_ex(r->kept.root, "system", &sys);
	return xasprintf("%s, %s, %.10s", word_of(sys, "kernel"), word_of(sys, "machine"),
			 word_of(r->kept.root, "time"));
}

/* ---- allocators ---- */

struct keys {
	struct plot_key key[KEYS_MOST];
	int nr;
};

/* The number of an allocator, which is added if it is new; -1 if there are too many. */
static int find_key(struct keys *k, const char *name)
{
	int i;

	for (i = 0; i < k->nr; i++)
		if (!strcmp(k->key[i].name, name))
			return i;
	if (k->nr == KEYS_MOST)
		return -1;
	k->key[k->nr] = (struct plot_key){ name, plot_allocator(name, k->nr) };
	return k->nr++;
}

/* ---- ratios ---- */

static bool has_ratio(const struct bench_shape *s)
{
	__u32 i;

	for (i = 0; i < s->shape.nr_sides; i++)
		if (bench_opponent(&s->shape.side[i]) && bench_ratio(s, i) > 0)
			return s->shape.unit == MYALLOC_BENCH_NS;
	return false;
}

static void draw_ratios(const struct bench_report *b, const char *system, FILE *page)
{
	const struct plot p = {
		.title = "Time of others over that of myalloc", .system = system,
		.caption =
		"How many times as long as myalloc each allocator takes for the same work, in the same "
		"run: right of the line myalloc is faster. A ratio is that of medians of the cost of a "
		"call, which is the mean over a round of many calls.",
		.y_name = "time of the other / time of myalloc",
	};
	const char **row = xcalloc(b->nr_shapes + 1, sizeof(*row));
	struct keys keys = { .nr = 0 };
	double *value;
	int rows = 0, key;
	__u32 i, k;

	for (i = 0; i < b->nr_shapes; i++)
		for (k = 0; has_ratio(&b->shape[i]) && k < b->shape[i].shape.nr_sides; k++)
			if (bench_opponent(&b->shape[i].shape.side[k]))
				find_key(&keys, b->shape[i].shape.side[k].name);
	value = xcalloc(((size_t)b->nr_shapes + 1) * KEYS_MOST, sizeof(*value));
	for (i = 0; i < b->nr_shapes; i++) {
		const struct bench_shape *s = &b->shape[i];

		if (!has_ratio(s))
			continue;
		for (k = 0; k < s->shape.nr_sides; k++) {
			key = bench_opponent(&s->shape.side[k]) ?
			      find_key(&keys, s->shape.side[k].name) : -1;
			if (key >= 0)
				value[rows * keys.nr + key] = bench_ratio(s, k);
		}
		row[rows++] = s->shape.name;
	}
	if (rows)
		plot_dots(page, &p, row, rows, keys.key, keys.nr, value, "as fast as myalloc");
	free(value);
	free(row);
}

/* ---- latency of single calls ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool counts_cycles(const struct bench_shape *s)
{
	__u32 i, k;

	for (i = 0; i < s->shape.nr_sides; i++)
		for (k = 0; k < s->side[i].result.rounds; k++)
			if (!s->side[i].round[k].cycles)
				return false;
	return true;
}

static void draw_calls(const struct bench_shape *s, const char *system, FILE *page)
{
	bool cycles = counts_cycles(s);
	char *title = xasprintf("Latency of single calls: %s", s->shape.what);
	char *caption = xasprintf(
		"Each of %u calls was timed alone, in %s. The further left a curve is, the shorter a "
		"caller waits; what counts for a deadline is where it reaches 100 %%, and a step far to "
		"the right is a slow path or an interrupt.",
		s->side[0].result.rounds, cycles ? "cycles of the CPU" : "ns");
	const struct plot p = {
		.title = title, .system = system, .caption = caption,
		.y_name = cycles ? "cycles of one call" : "ns of one call",
	};
	double *value[MYALLOC_BENCH_SIDES_MAX];
	size_t count[MYALLOC_BENCH_SIDES_MAX];
	struct keys keys = { .nr = 0 };
	__u32 i, k;

	for (i = 0; i < s->shape.nr_sides; i++) {
		const struct bench_side *side = &s->side[i];

		find_key(&keys, s->shape.side[i].name);
		count[i] = side->result.rounds;
		value[i] = xcalloc(count[i] + 1, sizeof(**value));
		for (k = 0; k < count[i]; k++)
			value[i][k] = cycles ? side->round[k].cycles : side->round[k].ns;
		qsort(value[i], count[i], sizeof(**value), by_value);
	}
	if ((__u32)keys.nr == s->shape.nr_sides)
		plot_shares(page, &p, keys.key, keys.nr, (const double *const *)value, count);
	for (i = 0; i < s->shape.nr_sides; i++)
		free(value[i]);
	free(caption);
	free(title);
}

/* ---- a benchmark ---- */

static void describe(const struct result_kept *r, FILE *page)
{
	bool debug = r->bench.kernel & MYALLOC_BENCH_DEBUG;
	struct json_object *sys = NULL, *root = r->kept.root;

	json_object_object_get_ex(root, "system", &sys);
	plot_table(page, (const char *const [][2]){
		{ "kernel", word_of(sys, "kernel") }, { "machine", word_of(sys, "machine") },
		{ "accelerator", word_of(sys, "accelerator") },
		{ "measured", word_of(root, "time") }, { "command", word_of(root, "command") },
		{ debug ? "debug kernel" : NULL,
		  "these figures say nothing about a production kernel" },
		{ NULL, NULL }
	});
}

static void section(const char *what, const char *system, FILE *page)
{
	char *title = xasprintf("%s: %s", what, system);

	plot_section(page, title);
	free(title);
}

static void draw_bench(const struct result_kept *r, FILE *page)
{
	const struct bench_shape *s;
	char *system = system_of(r);
	__u32 i;

	section("Benchmark", system, page);
	draw_ratios(&r->bench, system, page);
	for (i = 0; i < r->bench.nr_shapes; i++) {
		s = &r->bench.shape[i];
		if (s->shape.unit == MYALLOC_BENCH_CALL && s->shape.nr_sides &&
		    s->side[0].result.rounds)
			draw_calls(s, system, page);
	}
	describe(r, page);
	free(system);
}

/* ---- a stress run ---- */

static const struct {
	const char *member;
	struct plot_key key;
} percentiles[] = {
	{ "min_ns", { "shortest", { "#56b4e9", 'v', "" } } },
	{ "p50_ns", { "median", { "#0072b2", 'o', "" } } },
	{ "p99_ns", { "99 of 100 are shorter", { "#009e73", 's', "" } } },
	{ "p999_ns", { "999 of 1,000 are", { "#e69f00", 'D', "" } } },
	{ "max_ns", { "longest", { "#d55e00", '^', "" } } },
};

static void draw_stress(const struct result_kept *r, FILE *page)
{
	enum { NR = ARRAY_SIZE(percentiles) };
	char *system = system_of(r);
	const struct plot p = {
		.title = "Latency of single calls", .system = system,
		.caption =
		"Calls that the stress run has timed, one by one, while its threads fought for the same "
		"memory. The median is the fast path; the longest includes whatever interrupted the "
		"call, and on a virtual machine the time in which it did not run.",
		.y_name = "ns of one call",
	};
	struct json_object *list = NULL, *v;
	struct plot_key key[NR];
	const char **row;
	size_t nr = 0, i, k;
	double *value;

	section("Stress run", system, page);
	if (json_object_object_get_ex(r->kept.result, "latency", &list) &&
	    json_object_is_type(list, json_type_array))
		nr = json_object_array_length(list);
	row = xcalloc(nr + 1, sizeof(*row));
	value = xcalloc((nr + 1) * NR, sizeof(*value));
	for (k = 0; k < NR; k++)
		key[k] = percentiles[k].key;
	for (i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		row[i] = word_of(item, "operation");
		for (k = 0; k < NR; k++)
			if (json_object_object_get_ex(item, percentiles[k].member, &v))
				value[i * NR + k] = json_object_get_double(v);
	}
	plot_dots(page, &p, row, nr, key, NR, value, NULL);
	describe(r, page);
	free(value);
	free(row);
	free(system);
}

void results_draw(const struct results *r, FILE *page)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		if (r->kept[i].is_bench)
			draw_bench(&r->kept[i], page);
		else
			draw_stress(&r->kept[i], page);
	}
}
