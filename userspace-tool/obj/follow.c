// SPDX-License-Identifier: GPL-2.0
/*
 * follow: changes from one sample to the next: rates, growth, the values of the last minute
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/follow.h"
#include "obj/stats.h"

#define MINUTE_MS	60000

void follow_begin(struct follow *f, __u64 interval_ms)
{
	memset(f, 0, sizeof(*f));
	f->step_ms = interval_ms < MINUTE_MS / TRAIL_POINTS ? MINUTE_MS / TRAIL_POINTS
							    : interval_ms;
	f->points = MINUTE_MS / f->step_ms < 2 ? 2 : MINUTE_MS / f->step_ms;
}

/* Add a point if @next, otherwise replace the last one; the first one stays. */
static void trail_add(struct trail *t, int points, bool next, __u64 value)
{
	if (next && t->nr == points)
		memmove(t->value, t->value + 1, --t->nr * sizeof(t->value[0]));
	if (next || t->nr < 2)
		t->nr++;
	t->value[t->nr - 1] = value;
}

__u64 follow_per_sec(const struct follow *f, __u64 count)
{
	return f->interval_ms ? count * 1000 / f->interval_ms : 0;
}

__s64 follow_zone_hits(const struct follow *f)
{
	__u64 allocs = sum_orders(f->zone.page_allocs) - sum_orders(f->before.page_allocs);

	return f->interval_ms && allocs ?
		(__s64)permille(hits_between(&f->before, &f->zone), allocs) : -1;
}

/*
 * A counter that went back belongs to another object of the same name. Hits also go back while
 * misses are under way, see hits_between(). Either way nothing is known about this interval.
 */
static void compare(const struct follow *f, struct line *new, const struct line *old)
{
	const struct row *now = &new->row, *was = &old->row;
	__u64 allocs = now->allocs - was->allocs;

	if (now->allocs < was->allocs || now->fails < was->fails || now->hits < was->hits)
		return;
	if (now->fallible)
		new->failed = now->fails - was->fails;
	if (!now->counted)
		return;
	new->rate = follow_per_sec(f, allocs);
	if (now->has_hits && allocs)
		new->hit_permille = permille(now->hits - was->hits, allocs);
}

/* Both are sorted in the same way, so one pass finds the old line of each row. */
static struct line *make_lines(const struct follow *f, const struct sample *s, bool next)
{
	struct line *line = xcalloc(s->nr + 1, sizeof(*line));
	const struct line *old = f->line, *end = f->line + f->nr;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		struct line *l = &line[i];

		l->row = s->row[i];
		l->rate = -1;
		l->hit_permille = -1;
		l->failed = -1;
		while (old < end && sample_compare(&old->row, &l->row) < 0)
			old++;
		if (old < end && !sample_compare(&old->row, &l->row)) {
			l->trail = old->trail;
			compare(f, l, old);
		}
		trail_add(&l->trail, f->points, next, l->row.size);
		l->growth = l->row.size - l->trail.value[0];
	}
	return line;
}

void follow_add(struct follow *f, struct sample *s)
{
	bool first = !f->start_ms, next = first || s->ms - f->trail_ms >= f->step_ms;
	struct line *line;
	size_t i;

	f->interval_ms = first ? 0 : s->ms > f->now_ms ? s->ms - f->now_ms : 1;
	f->start_ms = first ? s->ms : f->start_ms;
	f->now_ms = s->ms;
	if (next)
		f->trail_ms = s->ms;
	f->before = f->zone;
	f->zone = s->zone;
	trail_add(&f->trail, f->points, next, f->zone.nr_pages - f->zone.free_pages);
	line = make_lines(f, s, next);
	for (i = 0; i < f->nr; i++)
		free(f->line[i].row.name);
	free(f->line);
	f->line = line;
	f->nr = s->nr;
	f->sites = s->sites;
	f->nodes = s->nodes;
	/* The names belong to the lines now. */
	s->nr = 0;
	sample_free(s);
}

void follow_free(struct follow *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		free(f->line[i].row.name);
	free(f->line);
}

/* ---- as a result ---- */

static void put_known(struct out *o, const char *key, __s64 value)
{
	if (value >= 0)
		out_s64(o, key, NULL, OUT_PLAIN, value);
	else
		out_null(o, key, NULL);
}

static void put_zone(struct out *o, const struct follow *f)
{
	const struct stat_field *field;

	out_group(o, "zone", NULL);
	for (field = zone_fields; field->name; field++)
		if (!field->by_order)
			stats_put(o, field, NULL, stats_value(field, &f->zone, 0));
	for (field = zone_fields; field->name; field++)
		if (field->by_order && field->kind == STAT_EVENT)
			out_u64(o, field->name, NULL, OUT_PLAIN,
				sum_orders((const __u64 *)((const char *)&f->zone +
							   field->offset)));
	out_u64(o, "allocs_per_sec", NULL, OUT_RATE,
		follow_per_sec(f, sum_orders(f->zone.page_allocs) -
				  sum_orders(f->before.page_allocs)));
	out_u64(o, "frees_per_sec", NULL, OUT_RATE,
		follow_per_sec(f, sum_orders(f->zone.page_frees) -
				  sum_orders(f->before.page_frees)));
	put_known(o, "hit_permille", follow_zone_hits(f));
	out_end(o);
}

static void put_orders(struct out *o, const struct myalloc_stat *zone)
{
	unsigned int i, max = zone->max_order < MYALLOC_ORDERS ? zone->max_order : MYALLOC_MAX_ORDER;
	const struct stat_field *field;

	out_list(o, "orders", NULL);
	for (i = 0; i <= max; i++) {
		out_item(o);
		out_u64(o, "order", NULL, OUT_PLAIN, i);
		for (field = zone_fields; field->name; field++)
			if (field->by_order && field->kind == STAT_STATE)
				stats_put(o, field, NULL, stats_value(field, zone, i));
		out_end(o);
	}
	out_end(o);
}

static void put_row(struct out *o, const struct line *l)
{
	const struct row *row = &l->row;

	out_item(o);
	out_str(o, "kind", NULL, OUT_PLAIN, row_kinds[row->kind]);
	out_str(o, "name", NULL, OUT_PLAIN, row->name);
	put_known(o, "node", row->node);
	out_u64(o, "size_bytes", NULL, OUT_BYTES, row->size);
	out_u64(o, "live", NULL, OUT_PLAIN, row->live);
	put_known(o, "allocs", row->counted ? (__s64)row->allocs : -1);
	put_known(o, "hits", row->counted && row->has_hits ? (__s64)row->hits : -1);
	put_known(o, "fails", row->fallible ? (__s64)row->fails : -1);
	put_known(o, "allocs_per_sec", l->rate);
	put_known(o, "hit_permille", l->hit_permille);
	put_known(o, "used_permille", row->used_permille);
	out_s64(o, "growth_bytes", NULL, OUT_PLAIN, l->growth);
	out_end(o);
}

const char follow_form[] =
	"elapsed_ms:uint interval_ms:uint page_bytes:uint call_sites:bool "
	"zone:{ @zone @zone.sum allocs_per_sec:uint frees_per_sec:uint "
	"hit_permille:uint|null } orders:[{ order:uint @zone.each.STATE }] "
	"rows:[{ kind:text name:text node:uint|null size_bytes:uint live:uint allocs:uint|null "
	"hits:uint|null fails:uint|null allocs_per_sec:uint|null "
	"hit_permille:uint|null used_permille:uint|null growth_bytes:int }]";

void follow_put(struct out *o, const struct follow *f, __u64 page_size,
		const struct line *const *lines, size_t nr)
{
	size_t i;

	out_u64(o, "elapsed_ms", NULL, OUT_MS, f->now_ms - f->start_ms);
	out_u64(o, "interval_ms", NULL, OUT_MS, f->interval_ms);
	out_u64(o, "page_bytes", NULL, OUT_BYTES, page_size);
	out_bool(o, "call_sites", NULL, OUT_PLAIN, f->sites);
	put_zone(o, f);
	put_orders(o, &f->zone);
	out_list(o, "rows", NULL);
	for (i = 0; i < nr; i++)
		put_row(o, lines[i]);
	out_end(o);
}
