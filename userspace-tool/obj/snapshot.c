// SPDX-License-Identifier: GPL-2.0
/*
 * snapshot: every statistic at one moment, to be kept and compared with another
 */
#include <stdlib.h>

#include "host/mem.h"
#include "obj/figures.h"
#include "obj/objects.h"
#include "obj/zones.h"
#include "out/out.h"

static void put_zone(struct out *o, const struct device *d, const struct myalloc_stat *s)
{
	const struct stat_field *f;
	unsigned int i;

	out_group(o, "zone", NULL);
	for (f = zone_fields; f->name; f++)
		if (!f->by_order)
			stats_put(o, f, NULL, stats_value(f, s, 0));
	out_end(o);
	out_list(o, "orders", NULL);
	for (i = 0; i <= d->info.max_order; i++) {
		out_item(o);
		out_u64(o, "order", NULL, OUT_PLAIN, i);
		for (f = zone_fields; f->name; f++)
			if (f->by_order)
				stats_put(o, f, NULL, stats_value(f, s, i));
		out_end(o);
	}
	out_end(o);
}

static void put_kind(struct out *o, const struct figures *f, const struct figures_kind *kind)
{
	const struct stat_field *field;
	size_t i, nr = 0;
	char *key;

	out_list(o, kind->many, NULL);
	for (i = 1; i < f->nr; i++) {
		const struct figures_one *one = &f->one[i];

		if (one->kind != kind)
			continue;
		nr++;
		out_item(o);
		out_str(o, "name", NULL, OUT_PLAIN, one->name);
		out_u64(o, "memory_bytes", NULL, OUT_BYTES, figures_held(f, one));
		for (field = kind->fields; field->name; field++)
			stats_put(o, field, NULL, stats_value(field, one->stat, 0));
		out_end(o);
	}
	out_end(o);
	key = xasprintf("nr_%s", kind->many);
	out_u64(o, key, kind->many, OUT_PLAIN, nr);
	free(key);
}

#define OF_KIND(many, fields) \
	many ":[{ name:text memory_bytes:uint @" fields " }] nr_" many ":uint "

static const char snapshot_form[] =
	"configuration:{ nr_pages:uint page_bytes:uint checks:uint node:int|null } zone:{ @zone } "
	"orders:[{ order:uint @zone.each }] "
	OF_KIND("caches", "cache") OF_KIND("heaps", "heap") OF_KIND("pools", "pool")
	OF_KIND("rings", "ring") OF_KIND("arenas", "arena") OF_KIND("clients", "client")
	OF_KIND("contracts", "contract");

static int snapshot(struct cmd *c)
{
	const struct figures_kind *kind;
	struct figures f = { 0 };
	struct device d;
	struct out *o;
	int code, node;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = figures_read(&d, &f);
	if (!code)
		code = zones_tell(&d, &node);
	device_close(&d);
	if (!code) {
		o = out_new("snapshot");
		out_group(o, "configuration", NULL);
		out_u64(o, "nr_pages", NULL, OUT_PAGES, d.info.nr_pages);
		out_u64(o, "page_bytes", NULL, OUT_BYTES, d.info.page_size);
		out_u64(o, "checks", NULL, OUT_PLAIN, d.info.checks);
		zones_put(o, node);
		out_end(o);
		put_zone(o, &d, f.one[0].stat);
		for (kind = figures_kinds + 1; kind->word; kind++)
			put_kind(o, &f, kind);
		if (!out_options()->keep && !out_is_json())
			out_note("nothing is kept: 'myallocctl snapshot -o FILE' writes all of it, 'myallocctl diff OLD NEW' compares two");
		code = out_finish(o, EXIT_OK);
	}
	figures_free(&f);
	return code;
}

static const struct verb snapshot_verbs[] = {
	{ "", snapshot, "",
	  "read every statistic; with -o FILE keep them, for 'myallocctl diff'", NULL,
	  .form = snapshot_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object snapshot_object = {
	"snapshot", "every statistic at one moment, to be kept with -o FILE", snapshot_verbs, NULL
};
