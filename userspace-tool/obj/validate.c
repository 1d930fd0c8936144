// SPDX-License-Identifier: GPL-2.0
/*
 * validate: have the module recount everything, in every zone
 */
#include <stdlib.h>

#include "host/mem.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/zones.h"
#include "out/out.h"

static const char validate_form[] =
	"verdict:'sound'|'broken' errors:uint frames:uint slabs:uint objects:uint first:text|null "
	"zones:[{ node:int|null errors:uint frames:uint slabs:uint objects:uint first:text|null }]";

/* Sum up all zones; the first finding is that of the first zone that has one. */
static void add(struct myalloc_validate *sum, const struct myalloc_validate *v)
{
	if (!sum->errors)
		memcpy(sum->first, v->first, sizeof(sum->first));
	sum->errors += v->errors;
	sum->frames += v->frames;
	sum->slabs += v->slabs;
	sum->objects += v->objects;
}

static void put_first(struct out *o, const char *label, const struct myalloc_validate *v)
{
	if (v->errors)
		out_strn(o, "first", label, OUT_BAD, v->first, sizeof(v->first));
	else
		out_null(o, "first", label);
}

static void put_zones(struct out *o, const struct zones *zones, const struct myalloc_validate *v)
{
	size_t i;

	out_list(o, "zones", zones->nr > 1 ? "Zones" : NULL);
	for (i = 0; i < zones->nr; i++) {
		out_item(o);
		zones_put(o, zones_label(zones, i));
		out_u64(o, "errors", "errors", v[i].errors ? OUT_BAD : OUT_PLAIN, v[i].errors);
		out_u64(o, "frames", "frames", OUT_PLAIN, v[i].frames);
		out_u64(o, "slabs", "slabs", OUT_PLAIN, v[i].slabs);
		out_u64(o, "objects", "slots", OUT_PLAIN, v[i].objects);
		put_first(o, "first finding", &v[i]);
		out_end(o);
	}
	out_end(o);
}

static int report(const struct zones *zones, const struct myalloc_validate *v)
{
	struct myalloc_validate sum = { 0 };
	struct out *o = out_new("validate");
	size_t i;

	for (i = 0; i < zones->nr; i++)
		add(&sum, &v[i]);
	out_str(o, "verdict", "verdict", sum.errors ? OUT_BAD : OUT_GOOD,
		sum.errors ? "broken" : "sound");
	out_u64(o, "errors", "errors", OUT_PLAIN, sum.errors);
	out_u64(o, "frames", "frames checked", OUT_PLAIN, sum.frames);
	out_u64(o, "slabs", "slabs checked", OUT_PLAIN, sum.slabs);
	out_u64(o, "objects", "object slots checked", OUT_PLAIN, sum.objects);
	put_first(o, sum.errors && zones->nr == 1 ? "first finding" : NULL, &sum);
	put_zones(o, zones, v);
	return out_finish(o, sum.errors ? EXIT_FAILED : EXIT_OK);
}

static int validate(struct cmd *c)
{
	struct myalloc_validate *v;
	struct zones zones;
	struct device d;
	int code, err = 0;
	size_t i;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = zones_find(&d, &zones);
	if (code) {
		device_close(&d);
		return code;
	}
	v = xcalloc(zones.nr, sizeof(*v));
	for (i = 0; !err && i < zones.nr; i++) {
		err = zones_use(&d, &zones, i);
		if (!err)
			err = dev_validate(d.fd, &v[i]);
	}
	device_close(&d);
	code = err ? explain("validating", err) : report(&zones, v);
	free(v);
	zones_free(&zones);
	return code;
}

static const struct verb validate_verbs[] = {
	{ "", validate, "",
	  "recount every page, slab and object; exit 1 if an invariant is broken",
	  NULL, .form = validate_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object validate_object = {
	"validate", "recount every page, slab and object", validate_verbs, NULL
};
