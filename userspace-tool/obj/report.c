// SPDX-License-Identifier: GPL-2.0
/*
 * report: draws a history, of 'record' or of 'stat watch', as one page of HTML
 *
 * The largest holders of memory get a color of their own, the same one in each plot; the others are
 * summed up in the last color. Call sites have a plot of their own, as their memory is that of page
 * users and caches. Results of benchmarks and of stress runs come last.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/history.h"
#include "obj/objects.h"
#include "obj/report_results.h"
#include "out/out.h"
#include "out/plot.h"

#define POINTS_MOST	600	/* of a line; a plot has no more pixels */
#define LINES_MOST	(PLOT_ROWS - 1)

struct report {
	struct history h;
	size_t each;		/* readings in a point */
	struct results results;
	char *system;		/* for the title of each plot */
	FILE *page;
};

static struct plot plot_of(const struct report *r, const char *title, const char *caption,
			   const char *y_name, enum plot_unit unit)
{
	return (struct plot){
		.title = title, .system = r->system, .caption = caption, .y_name = y_name,
		.unit = unit,
		.x = r->h.x, .nr = r->h.nr,
	};
}

/* ---- the zone ---- */

static void draw_memory(struct report *r)
{
	const struct plot_series s[] = {
		{ "page users", PLOT_USERS, false, r->h.holder[PLOT_USERS] },
		{ "slabs", PLOT_SLABS, false, r->h.holder[PLOT_SLABS] },
		{ "cached for CPUs", PLOT_CACHED, false, r->h.holder[PLOT_CACHED] },
		{ "deferred, quarantined, bad", PLOT_OTHER, false, r->h.holder[PLOT_OTHER] },
		{ "free", PLOT_FREE, false, r->h.holder[PLOT_FREE] },
	};
	struct plot p = plot_of(r, "Memory over time",
		"Who had the pages of the reserve. What is in use is everything below the pale area. An "
		"area that only grows may be a leak, or a cache that fills; steps are single large "
		"allocations; what is cached for CPUs comes back when it is needed.",
		"memory", PLOT_BYTES);

	p.most = r->h.capacity;
	plot_stack(r->page, &p, s, ARRAY_SIZE(s));
}

static void draw_rates(struct report *r)
{
	const struct plot_series s[] = {
		{ "pages allocated", PLOT_USERS, false, r->h.allocs },
		{ "pages freed", PLOT_USERS, true, r->h.frees },
	};
	struct plot p = plot_of(r, "Blocks of pages, per second",
		"Blocks that page users allocated and freed in each interval. Slabs are not counted "
		"here. Where the two lines part, memory is filled or given back.",
		"blocks", PLOT_RATE);

	plot_lines(r->page, &p, s, ARRAY_SIZE(s));
}

/* Has the reserve grown or shrunk? */
static bool is_elastic(const struct report *r)
{
	size_t i;

	for (i = 0; i < r->h.nr; i++)
		if (r->h.grown[i] > 0 || r->h.shrunk[i] > 0 || r->h.size[i] < r->h.capacity)
			return true;
	return false;
}

static void draw_reserve(struct report *r)
{
	const struct plot_series size[] = { { "reserve", PLOT_USERS, false, r->h.size } };
	const struct plot_series chunks[] = {
		{ "taken from the system", PLOT_USERS, false, r->h.grown },
		{ "given back", PLOT_USERS, true, r->h.shrunk },
	};
	struct plot p;

	if (!is_elastic(r))
		return;
	plot_section(r->page, "Reserve");
	p = plot_of(r, "Size of the reserve",
		"Memory that the module had of the system. It rises where users need more than is free, "
		"and falls by halves of what is left over once they have freed it.",
		"memory", PLOT_BYTES);
	p.most = r->h.capacity;
	plot_lines(r->page, &p, size, ARRAY_SIZE(size));
	p = plot_of(r, "Chunks taken and given back, per second",
		"Whole chunks, in each interval. Where both lines are high at the same time, the reserve "
		"gives back what it soon takes again: a larger reserve_mb ends that.",
		"chunks", PLOT_RATE);
	plot_lines(r->page, &p, chunks, ARRAY_SIZE(chunks));
}

/* Mean and highest of a series; NAN if it has no value. */
static void sum_up(const double *y, size_t nr, double *mean, double *most)
{
	double sum = 0;
	size_t i, known = 0;

	*most = NAN;
	for (i = 0; i < nr; i++) {
		if (isnan(y[i]))
			continue;
		sum += y[i];
		known++;
		*most = !(y[i] <= *most) ? y[i] : *most;
	}
	*mean = known ? sum / known : NAN;
}

static void draw_fragmentation(struct report *r)
{
	double mean[MYALLOC_ORDERS], most[MYALLOC_ORDERS], order[MYALLOC_ORDERS];
	const struct plot_series s[] = {
		{ "mean", PLOT_USERS, false, mean }, { "highest", PLOT_CACHED, false, most },
	};
	struct plot p = plot_of(r, "Fragmentation by order",
		"The unusable free space index of mm/vmstat.c: the share of free memory that no block "
		"of the order can use. At 0 all free memory serves the order, at 1 none of it. A high "
		"mean is lasting fragmentation, a high bar beside a low mean was a moment.",
		"share of free memory", PLOT_INDEX);
	unsigned int i;

	for (i = 0; i < r->h.orders; i++) {
		order[i] = i;
		sum_up(r->h.unusable[i], r->h.nr, &mean[i], &most[i]);
	}
	p.x = order;
	p.nr = r->h.orders;
	p.most = 1;
	plot_bars(r->page, &p, s, ARRAY_SIZE(s));
}

static void draw_heat(struct report *r)
{
	struct plot p = plot_of(r, "Fragmentation over time",
		"The same index for each order over time: the darker, the less of the free memory "
		"serves the order. Read it from the top: a dark band that comes down reaches ever "
		"smaller blocks; one that turns pale again was mended by frees.",
		"order of a block", PLOT_INDEX);
	double *value = xcalloc(r->h.nr * (r->h.orders + 1), sizeof(*value));
	unsigned int i;

	for (i = 0; i < r->h.orders; i++)
		memcpy(value + i * r->h.nr, r->h.unusable[i], r->h.nr * sizeof(*value));
	if (r->h.orders)
		plot_heat(r->page, &p, value, r->h.orders);
	free(value);
}

/* ---- rows ---- */

static int by_peak(const void *a, const void *b)
{
	const struct history_row *x = *(const struct history_row *const *)a;
	const struct history_row *y = *(const struct history_row *const *)b;

	if (x->peak != y->peak)
		return x->peak < y->peak ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The rows of some kinds, the largest first. @kinds: a bit for each */
static size_t choose(const struct report *r, unsigned int kinds, const struct history_row **rows)
{
	size_t i, nr = 0;

	for (i = 0; i < r->h.nr_rows; i++)
		if (kinds & 1u << r->h.row[i].kind)
			rows[nr++] = &r->h.row[i];
	qsort(rows, nr, sizeof(*rows), by_peak);
	return nr;
}

static const double *series_of(const struct history_row *row, size_t member)
{
	const double *series;

	memcpy(&series, (const char *)row + member, sizeof(series));
	return series;
}

static bool has_value(const double *y, size_t nr)
{
	while (nr--)
		if (!isnan(y[nr]))
			return true;
	return false;
}

/*
 * @member: the offset of a series in struct history_row. @others: draw the sum of all other rows as
 * one more line
 */
static void draw_rows(struct report *r, struct plot p, unsigned int kinds, size_t member,
		      bool others)
{
	const struct history_row **rows = xcalloc(r->h.nr_rows + 1, sizeof(*rows));
	double *rest = xcalloc(r->h.nr + 1, sizeof(*rest));
	struct plot_series s[PLOT_ROWS];
	size_t nr = choose(r, kinds, rows), i, k;
	bool summed = false;
	int lines = 0;

	for (i = 0; i < nr; i++) {
		const double *y = series_of(rows[i], member);

		if (!has_value(y, r->h.nr))
			continue;
		if (i < LINES_MOST) {
			s[lines++] = (struct plot_series){
				rows[i]->name, PLOT_ROW + i, false, y
			};
			continue;
		}
		for (k = 0; k < r->h.nr; k++)
			rest[k] += isnan(y[k]) ? 0 : y[k];
		summed = others;
	}
	if (summed)
		s[lines++] = (struct plot_series){
			"all others together", PLOT_ROW + PLOT_ROWS - 1, false, rest
		};
	if (lines)
		plot_lines(r->page, &p, s, lines);
	free(rest);
	free(rows);
}

#define CACHES	(1u << ROW_CACHE)
#define NODES	(1u << ROW_NODE)
#define CONTRACTS	(1u << ROW_CONTRACT)
#define FRONTS	(1u << ROW_HEAP | 1u << ROW_ARENA | 1u << ROW_RING | 1u << ROW_POOL | \
		 1u << ROW_CLIENT)
#define SITES	(1u << ROW_SITE)
#define SERIES(member)	offsetof(struct history_row, member)

static bool any(const struct report *r, unsigned int kinds)
{
	size_t i;

	for (i = 0; i < r->h.nr_rows; i++)
		if (kinds & 1u << r->h.row[i].kind)
			return true;
	return false;
}

/* A table of the requests of each contract's line during the recording. */
static void table_of_contracts(struct report *r)
{
	const struct history_row **rows = xcalloc(r->h.nr_rows + 1, sizeof(*rows));
	size_t nr = choose(r, CONTRACTS, rows), i;
	const char *(*row)[2] = xcalloc(nr + 1, sizeof(*row));
	double mean, most;

	for (i = 0; i < nr; i++) {
		sum_up(rows[i]->used, r->h.nr, &mean, &most);
		row[i][0] = rows[i]->name;
		row[i][1] = xasprintf("%g MiB set aside, at most %g %% of it in use, %g request%s refused",
				      rows[i]->peak / 1048576, isnan(most) ? 0 : most,
				      rows[i]->fails, rows[i]->fails == 1 ? "" : "s");
	}
	plot_table(r->page, (const char *const (*)[2])row);
	for (i = 0; i < nr; i++)
		free((char *)row[i][1]);
	free(row);
	free(rows);
}

static void draw_contracts(struct report *r)
{
	struct plot p = plot_of(r, "Use of each contract",
		"The share of what a line of a contract declares that users held. Up to 100 no request "
		"fails; a line that stays there asks for more than was declared, and a line that stays "
		"low has set memory aside that nobody uses.",
		"share of what is declared", PLOT_PERCENT);

	if (!any(r, CONTRACTS))
		return;
	p.most = 100;
	plot_section(r->page, "Contracts");
	draw_rows(r, p, CONTRACTS, SERIES(used), false);
	table_of_contracts(r);
}

static void draw_nodes(struct report *r)
{
	if (!any(r, NODES))
		return;
	plot_section(r->page, "NUMA nodes");
	draw_rows(r, plot_of(r, "Memory in use on each node",
		"Memory in use of the zone of each node; the other plots are of all zones together. "
		"A node that is full while another is not is preferred by more users than it has "
		"memory for, and requests go to its neighbours.",
		"memory", PLOT_BYTES), NODES, SERIES(size), false);
	draw_rows(r, plot_of(r, "Blocks of pages of each node, per second",
		"Blocks that page users allocated in the zone of each node.",
		"blocks", PLOT_RATE), NODES, SERIES(rate), false);
}

static void draw_all_rows(struct report *r)
{
	draw_nodes(r);
	if (any(r, CACHES))
		plot_section(r->page, "Caches");
	draw_rows(r, plot_of(r, "Memory of each cache",
		"Bytes of the slabs of the caches that ever held most. A cache keeps slabs for a while "
		"after its objects are free: only what stays up is in use, or a leak.",
		"memory", PLOT_BYTES), CACHES, SERIES(size), true);
	draw_rows(r, plot_of(r, "Live objects of each cache",
		"Objects that users hold. A line that never comes down may be a leak.",
		"objects", PLOT_NUMBER), CACHES, SERIES(live), false);
	draw_rows(r, plot_of(r, "Allocations of each cache, per second",
		"How busy the same caches were.", "objects", PLOT_RATE), CACHES, SERIES(rate), true);

	if (any(r, FRONTS))
		plot_section(r->page, "Heaps, arenas, rings, object pools and clients");
	draw_rows(r, plot_of(r, "Memory of each",
		"Bytes that each holds of the zone. The size classes of a heap are caches, and are in "
		"the plots above as well; what a client holds is in others.",
		"memory", PLOT_BYTES), FRONTS, SERIES(size), true);
	draw_rows(r, plot_of(r, "Allocations of each, per second",
		"Of a ring, records reserved.", "allocations", PLOT_RATE), FRONTS, SERIES(rate), true);

	draw_contracts(r);

	if (any(r, SITES))
		plot_section(r->page, "Call sites");
	draw_rows(r, plot_of(r, "Memory of each call site",
		"Bytes that code at each place allocated and did not free yet, from the file owners. "
		"A line that only grows names the place of a leak.",
		"memory", PLOT_BYTES), SITES, SERIES(size), true);
}

/* Was anything allocated? */
static bool any_hits(const struct report *r)
{
	size_t i;

	for (i = 0; i < r->h.nr_rows; i++)
		if (r->h.row[i].kind == ROW_CACHE && has_value(r->h.row[i].hit, r->h.nr))
			return true;
	return has_value(r->h.hit, r->h.nr);
}

static void draw_hits(struct report *r)
{
	const struct plot_series zone[] = { { "blocks of pages", PLOT_USERS, false, r->h.hit } };
	struct plot p = plot_of(r, "Pages: allocations served by a magazine",
		"The share of allocations that a per-CPU magazine served, without the zone's lock. "
		"There is no line where nothing was allocated.", "share", PLOT_PERCENT);

	p.most = 100;
	if (has_value(r->h.hit, r->h.nr))
		plot_lines(r->page, &p, zone, ARRAY_SIZE(zone));
	p.title = "Caches: allocations served by a magazine";
	p.caption = "The same of each cache. It is low where magazines are small for the way it is used, "
		    "or where objects are freed on another CPU than they are allocated on.";
	draw_rows(r, p, CACHES, SERIES(hit), false);
}

/* ---- the system, and the whole ---- */

static void describe_system(struct report *r)
{
	char *cpus = xasprintf("%ld", r->h.cpus);
	char *capacity = xasprintf("%g MiB", r->h.capacity / 1048576);
	char *readings = xasprintf("%zu points of %zu readings each", r->h.nr, r->each);
	char *wrong = xasprintf("%llu page allocations failed, %llu wrong frees, %llu corruptions found",
				(unsigned long long)r->h.fails, (unsigned long long)r->h.bad_frees,
				(unsigned long long)r->h.corruptions);
	const char *const rows[][2] = {
		{ "kernel", r->h.kernel }, { "version", r->h.version }, { "machine", r->h.machine },
		{ "CPUs", cpus }, { "hypervisor", r->h.hypervisor },
		{ "accelerator", r->h.accelerator }, { "debug options", r->h.debug_options },
		{ "reserve", capacity }, { "began", r->h.time }, { "command", r->h.command },
		{ "points", readings }, { "in this time", wrong }, { NULL, NULL }
	};

	plot_section(r->page, "System");
	plot_table(r->page, rows);
	free(wrong);
	free(readings);
	free(capacity);
	free(cpus);
}

static void draw(struct report *r)
{
	char *title = xasprintf("myalloc on %s", r->system);
	char *below = xasprintf("%g MiB over %g s, %zu points%s", r->h.capacity / 1048576,
				round(r->h.x[r->h.nr - 1]), r->h.nr,
				r->each > 1 ? ", each the mean of several readings" : "");

	plot_page_begin(r->page, title, below);
	plot_section(r->page, "Memory");
	draw_memory(r);
	draw_rates(r);
	draw_reserve(r);
	if (r->h.orders) {
		plot_section(r->page, "Fragmentation");
		draw_fragmentation(r);
		draw_heat(r);
	}
	draw_all_rows(r);
	if (any_hits(r))
		plot_section(r->page, "Hit rate");
	draw_hits(r);
	describe_system(r);
	results_draw(&r->results, r->page);
	plot_page_end(r->page);
	free(below);
	free(title);
}

static const char report_form[] =
	"history:text readings:uint covered_ms:uint measured_on:text rows:uint results:uint "
	"page:text";

static void describe(struct out *o, const struct report *r, size_t readings, const char *file)
{
	out_str(o, "history", "history", OUT_PLAIN, file);
	out_u64(o, "readings", "readings", OUT_PLAIN, readings);
	out_u64(o, "covered_ms", "time covered", OUT_MS,
		(__u64)(r->h.x[r->h.nr - 1] * 1000 + 0.5));
	out_str(o, "measured_on", "measured on", OUT_PLAIN, r->h.kernel);
	out_u64(o, "rows", "caches, fronts and call sites", OUT_PLAIN, r->h.nr_rows);
	out_u64(o, "results", "results beside it", OUT_PLAIN, r->results.nr);
	out_str(o, "page", "page", OUT_PLAIN, out_options()->keep);
}

static int report_run(struct cmd *c)
{
	char *file = cmd_word(c), *result, *text;
	struct report r = { 0 };
	size_t size, readings;
	struct out *o;
	int code;

	if (!file)
		cmd_usage(c, "missing file with a history; 'myallocctl record' and 'stat watch -o FILE' write one");
	if (!out_options()->keep)
		cmd_usage(c, "report needs a file for its page: -o report.html");
	code = history_load(&r.h, file);
	if (code)
		return code;
	while (!code && (result = cmd_word(c)))
		code = results_load(&r.results, result);
	if (!code)
		cmd_done(c);
	if (code) {
		results_free(&r.results);
		history_free(&r.h);
		return code;
	}
	readings = r.h.nr;
	r.each = history_thin(&r.h, POINTS_MOST);
	r.system = xasprintf("%s, %s, %.10s", r.h.kernel, r.h.machine, r.h.time);
	r.page = xmemstream(&text, &size);
	draw(&r);
	free(r.system);
	xmemstream_end(r.page);
	out_keep_text(text);
	free(text);
	o = out_new("report");
	describe(o, &r, readings, file);
	results_free(&r.results);
	history_free(&r.h);
	return out_finish(o, EXIT_OK);
}

static const struct verb report_verbs[] = {
	{ "", report_run, "HISTORY [RESULT]...",
	  "draw what 'record' or 'stat watch' wrote, and results of 'bench run' and 'stress run', as one page of HTML, which -o FILE names",
	  NULL,
	  .form = report_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object report_object = {
	"report", "draw a history as a page for the browser", report_verbs, NULL
};
