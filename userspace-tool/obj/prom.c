// SPDX-License-Identifier: GPL-2.0
/*
 * prom: the statistics in Prometheus' text format, for the textfile collector of node_exporter
 *
 * A metric has the name of its field in 'stat explain': myalloc_free_pages,
 * myalloc_cache_live_objects{cache="NAME"}, myalloc_heap_held_bytes{heap="NAME"}. Counters of
 * events end with _total, an index is a ratio instead of 1/1000, and values by order have the label
 * "order". If the module has a zone for each of several NUMA nodes, all are included, and every
 * value has the label "node". The format requires the values of a metric to be adjacent, so all
 * objects are read before the first line is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/figures.h"
#include "obj/prom.h"

bool prom_wanted(void)
{
	const char *keep = out_options()->keep;
	size_t len = keep ? strlen(keep) : 0;

	return out_options()->prom || (len > 5 && !strcmp(keep + len - 5, ".prom"));
}

/* ---- writing ---- */

static bool is_event(const struct stat_field *f)
{
	return f->kind == STAT_EVENT || f->kind == STAT_USE;
}

/* The name of a metric, to be freed. */
static char *metric(const char *prefix, const struct stat_field *f)
{
	return xasprintf("myalloc_%s%s%s", prefix, f->name,
			 is_event(f) ? "_total" : f->unit == STAT_INDEX ? "_ratio" : "");
}

static void head(FILE *file, const char *name, const struct stat_field *f)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, f->help, name,
		is_event(f) ? "counter" : "gauge");
}

/* An index of -1 means that there is none, and stays so. */
static void value(FILE *file, const struct stat_field *f, __s64 v)
{
	if (f->unit == STAT_INDEX)
		fprintf(file, " %g\n", v / 1000.0);
	else if (f->bytes == sizeof(__s32))
		fprintf(file, " %lld\n", (long long)v);
	else
		fprintf(file, " %llu\n", (unsigned long long)v);
}

/* Write text with the special characters of the format escaped. */
static void put_text(FILE *file, const char *text, size_t size)
{
	fputc('"', file);
	for (; size-- && *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if (*text == '\n')
			fputs("\\n", file);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

/* @order: the label of this name, -1 for none */
static void put_labels(FILE *file, const struct figures_one *one, int order)
{
	const char *next = "{";

	if (one->kind != &figures_kinds[FIGURES_ZONE]) {
		fprintf(file, "%s%s=", next, one->kind->word);
		put_text(file, one->name, MYALLOC_NAME_MAX);
		next = ",";
	}
	if (one->node >= 0) {
		fprintf(file, "%snode=\"%d\"", next, one->node);
		next = ",";
	}
	if (order >= 0) {
		fprintf(file, "%sorder=\"%d\"", next, order);
		next = ",";
	}
	if (*next == ',')
		fputc('}', file);
}

/* The largest order of a zone. */
static int max_order(const struct myalloc_stat *zone)
{
	return zone->max_order < MYALLOC_ORDERS ? (int)zone->max_order : MYALLOC_MAX_ORDER;
}

static void put_values(FILE *file, const struct figures *figures, const struct figures_kind *kind,
		       const struct stat_field *f, const char *name)
{
	const struct figures_one *one;
	int k;

	for (one = figures->one; one < figures->one + figures->nr; one++) {
		if (one->kind != kind)
			continue;
		for (k = 0; k <= (f->by_order ? max_order(one->stat) : 0); k++) {
			fputs(name, file);
			put_labels(file, one, f->by_order ? k : -1);
			value(file, f, stats_value(f, one->stat, k));
		}
	}
}

static bool has_any(const struct figures *figures, const struct figures_kind *kind)
{
	size_t i;

	for (i = 0; i < figures->nr && figures->one[i].kind != kind; i++)
		;
	return i < figures->nr;
}

static void put_kind(FILE *file, const struct figures *figures, const struct figures_kind *kind)
{
	bool zone = kind == &figures_kinds[FIGURES_ZONE];
	char *prefix = xasprintf("%s%s", zone ? "" : kind->word, zone ? "" : "_"), *name;
	const struct stat_field *f;

	for (f = kind->fields; f->name; f++) {
		/* The name is the label. A number may belong to another object later. */
		if (!strcmp(f->name, "id"))
			continue;
		name = metric(prefix, f);
		head(file, name, f);
		put_values(file, figures, kind, f, name);
		free(name);
	}
	free(prefix);
}

/* ---- the whole ---- */

static char *write_text(const struct figures *figures)
{
	const struct figures_kind *kind;
	size_t size;
	char *text;
	FILE *file = xmemstream(&text, &size);

	fprintf(file, "# HELP myalloc_page_size_bytes bytes in a page\n"
		"# TYPE myalloc_page_size_bytes gauge\nmyalloc_page_size_bytes %u\n",
		figures->page_size);
	for (kind = figures_kinds; kind->word; kind++)
		if (has_any(figures, kind))
			put_kind(file, figures, kind);
	xmemstream_end(file);
	return text;
}

int prom_read(struct device *d, char **text)
{
	struct figures figures = { 0 };
	int code = figures_read_zones(d, &figures);

	if (code == EXIT_OK)
		*text = write_text(&figures);
	figures_free(&figures);
	return code;
}
