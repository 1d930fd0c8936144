// SPDX-License-Identifier: GPL-2.0
/*
 * front: common parts of the objects heap, pool, ring and arena: list, show, end of a test
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/front.h"

static void put_field(const struct front *f, struct out *o, const struct stat_field *field,
		      const struct front_stat *s)
{
	int i;

	for (i = 0; f->shown[i] && strcmp(f->shown[i], field->name); i++)
		;
	stats_put(o, field, f->shown[i] ? field->label : NULL, stats_value(field, s, 0));
	out_rank(o, -i);
}

static void put_row(const struct front *f, struct out *o, const struct front_stat *s)
{
	const struct stat_field *field, *id = figures_field(f->kind, "id");

	out_item(o);
	stats_put(o, id, "id", stats_value(id, s, 0));
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	if (f->row)
		f->row(o, s);
	for (field = f->kind->fields; field->name; field++)
		if (field != id)
			put_field(f, o, field, s);
	out_end(o);
}

int front_list(struct cmd *c, const struct front *f)
{
	struct front_stat *s;
	struct device d;
	struct out *o;
	__u64 id = 0;
	char *kind;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	s = xcalloc(1, f->kind->bytes);
	kind = xasprintf("%s list", f->kind->word);
	o = out_new(kind);
	out_list(o, f->kind->many, "");
	while (!(err = figures_next(d.fd, f->kind, &id, s)))
		put_row(f, o, s);
	out_end(o);
	if (err != -ENOENT)
		code = explain("reading the statistics", err);
	else if (!id && !out_is_json())
		out_note("no %s", f->kind->many);
	code = out_finish(o, code);
	free(kind);
	free(s);
	device_close(&d);
	return code;
}

int front_find(const struct front *f, const struct device *d, const char *name,
	       struct front_stat *s)
{
	__u64 id = 0;
	int err;

	while (!(err = figures_next(d->fd, f->kind, &id, s)))
		if (!strncmp(name, s->name, sizeof(s->name)))
			return 0;
	return err;
}

static void describe(const struct front *f, struct out *o, const struct front_stat *s)
{
	out_group(o, "traits", f->title);
	out_strn(o, "name", "name", OUT_PLAIN, s->name, sizeof(s->name));
	if (f->traits)
		f->traits(o, s);
	stats_put_kind(o, f->kind->fields, STAT_TRAIT, s);
	out_end(o);
	out_group(o, "space", "Space");
	stats_put_kind(o, f->kind->fields, STAT_SPACE, s);
	out_end(o);
	out_group(o, "use", "Use");
	stats_put_kind(o, f->kind->fields, STAT_USE, s);
	if (f->use)
		f->use(o, s);
	out_end(o);
}

int front_show(struct cmd *c, const struct front *f)
{
	const char *name = cmd_word(c);
	struct front_stat *s;
	struct device d;
	struct out *o;
	char *kind;
	int code, err;

	if (!name)
		cmd_usage(c, "missing name of %s; 'myallocctl %s list' shows them", f->one,
			  f->kind->word);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	s = xcalloc(1, f->kind->bytes);
	err = front_find(f, &d, name, s);
	if (err == -ENOENT) {
		code = out_fail(EXIT_FAILED, "no %s '%s'; 'myallocctl %s list' shows all",
				f->kind->word, name, f->kind->word);
	} else if (err) {
		code = explain("reading the statistics", err);
	} else {
		kind = xasprintf("%s show", f->kind->word);
		o = out_new(kind);
		out_page_size(o, d.info.page_size);
		describe(f, o, s);
		err = f->rest ? f->rest(&d, o, name) : 0;
		if (err)
			code = explain("reading the statistics", err);
		code = out_finish(o, code);
		free(kind);
	}
	free(s);
	device_close(&d);
	return code;
}

int front_verdict(struct out *o, __u64 errors, const char *first, size_t size)
{
	out_u64(o, "errors", "errors", errors ? OUT_BAD : OUT_PLAIN, errors);
	if (errors)
		out_strn(o, "first", "first error", OUT_BAD, first, size);
	else
		out_null(o, "first", NULL);
	out_str(o, "verdict", "verdict", errors ? OUT_BAD : OUT_GOOD, errors ? "failed" : "ok");
	return errors ? EXIT_FAILED : EXIT_OK;
}
