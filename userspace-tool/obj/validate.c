// SPDX-License-Identifier: GPL-2.0
/*
 * validate: have the module recount everything
 */
#include "obj/device.h"
#include "obj/objects.h"
#include "out/out.h"

static const char validate_form[] =
	"verdict:'sound'|'broken' errors:uint frames:uint slabs:uint objects:uint first:text|null";

static int validate(struct cmd *c)
{
	struct myalloc_validate v;
	struct device d;
	struct out *o;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = dev_validate(d.fd, &v);
	device_close(&d);
	if (err)
		return explain("validating", err);
	code = v.errors ? EXIT_FAILED : EXIT_OK;
	o = out_new("validate");
	out_str(o, "verdict", "verdict", v.errors ? OUT_BAD : OUT_GOOD,
		v.errors ? "broken" : "sound");
	out_u64(o, "errors", "errors", OUT_PLAIN, v.errors);
	out_u64(o, "frames", "frames checked", OUT_PLAIN, v.frames);
	out_u64(o, "slabs", "slabs checked", OUT_PLAIN, v.slabs);
	out_u64(o, "objects", "object slots checked", OUT_PLAIN, v.objects);
	if (v.errors)
		out_strn(o, "first", "first finding", OUT_BAD, v.first,
			 sizeof(v.first));
	else
		out_null(o, "first", NULL);
	return out_finish(o, code);
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
