// SPDX-License-Identifier: GPL-2.0
/*
 * diff: the differences between two results of the same kind
 *
 * Both are flattened into figures with a path each, as caches[requests].live_objects; figures that
 * differ are shown, those that have grown most first. A figure that is missing from one result
 * counts as 0 there.
 *
 * For benchmarks, each side of each shape is compared by its rounds. The interval of a median is
 * that of order statistics: with n rounds the ones at n/2 -+ 0.98 sqrt(n) enclose it with about 95 %
 * confidence. A difference is a change only if the two intervals do not overlap. The fastest and
 * the slowest of n rounds enclose it with a confidence of 1 - 2^(1 - n): six rounds are the least.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/kept.h"
#include "obj/objects.h"
#include "out/out.h"

struct figure {
	char *path;
	double old, new;
	bool in_old, in_new;
};

struct figures_list {
	struct figure *figure;
	size_t nr, room;
};

/* ---- figures ---- */

static struct figure *find_or_add(struct figures_list *l, const char *path)
{
	struct figure *more;
	size_t i;

	for (i = 0; i < l->nr; i++)
		if (!strcmp(l->figure[i].path, path))
			return &l->figure[i];
	if (l->nr == l->room) {
		l->room = l->room * 2 + 64;
		more = xcalloc(l->room, sizeof(*more));
		if (l->nr)
			memcpy(more, l->figure, l->nr * sizeof(*more));
		free(l->figure);
		l->figure = more;
	}
	l->figure[l->nr].path = xstrdup(path);
	return &l->figure[l->nr++];
}

static void flatten(struct figures_list *l, const char *path, struct json_object *value, bool new);

static void flatten_old(void *list, const struct kept_item *item)
{
	flatten(list, item->path, item->value, false);
}

static void flatten_new(void *list, const struct kept_item *item)
{
	flatten(list, item->path, item->value, true);
}

static void flatten_members(struct figures_list *l, const char *path, struct json_object *object,
			    bool new)
{
	bool item = *path && path[strlen(path) - 1] == ']';
	const char *identity = item ? kept_identity(object) : NULL;
	char *longer;

	json_object_object_foreach(object, key, value) {
		/* The name of an item and its number are not figures. */
		if (item && ((identity && !strcmp(identity, key)) || !strcmp(key, "id")))
			continue;
		longer = xasprintf("%s%s%s", path, *path ? "." : "", key);
		flatten(l, longer, value, new);
		free(longer);
	}
}

static void flatten(struct figures_list *l, const char *path, struct json_object *value, bool new)
{
	struct figure *f;

	if (json_object_is_type(value, json_type_array)) {
		kept_each_item(path, value, new ? flatten_new : flatten_old, l);
	} else if (json_object_is_type(value, json_type_object)) {
		flatten_members(l, path, value, new);
	} else if (json_object_is_type(value, json_type_int) ||
		   json_object_is_type(value, json_type_double)) {
		f = find_or_add(l, path);
		if (new)
			f->new = json_object_get_double(value);
		else
			f->old = json_object_get_double(value);
		f->in_new |= new;
		f->in_old |= !new;
	}
}

static int by_growth(const void *a, const void *b)
{
	const struct figure *x = a, *y = b;
	double dx = x->new - x->old, dy = y->new - y->old;

	if (dx != dy)
		return dx > dy ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void put_number(struct out *o, const char *key, const char *label, double value, bool there)
{
	if (!there)
		out_null(o, key, label);
	else if (value == floor(value) && fabs(value) < 9e15)
		out_s64(o, key, label, OUT_PLAIN, value);
	else
		out_ratio(o, key, label, value, 1);
}

static void put_figures(struct out *o, const struct kept *a, const struct kept *b)
{
	struct figures_list l = { 0 };
	const struct figure *f;
	size_t i, nr = 0;

	flatten(&l, "", a->result, false);
	flatten(&l, "", b->result, true);
	qsort(l.figure, l.nr, sizeof(*l.figure), by_growth);
	out_list(o, "changes", "");
	for (i = 0; i < l.nr; i++) {
		f = &l.figure[i];
		if (f->old == f->new)
			continue;
		nr++;
		out_item(o);
		out_str(o, "figure", "figure", OUT_PLAIN, f->path);
		put_number(o, "old", "old", f->old, f->in_old);
		put_number(o, "new", "new", f->new, f->in_new);
		put_number(o, "growth", "growth", f->new - f->old, true);
		if (f->in_old && f->old)
			out_s64(o, "growth_permille", "per cent", OUT_PERMILLE,
				llround((f->new - f->old) / fabs(f->old) * 1000));
		else
			out_null(o, "growth_permille", "per cent");
		out_end(o);
	}
	out_end(o);
	out_u64(o, "changed", NULL, OUT_PLAIN, nr);
	out_u64(o, "figures", "figures compared", OUT_PLAIN, l.nr);
	for (i = 0; i < l.nr; i++)
		free(l.figure[i].path);
	free(l.figure);
}

/* ---- benchmarks ---- */

#define FEWEST_ROUNDS	6

struct sample {
	double low, median, high;	/* ns an operation */
	size_t rounds;
};

static struct json_object *list_of(struct json_object *o, const char *key)
{
	struct json_object *list;

	if (!json_object_object_get_ex(o, key, &list) ||
	    !json_object_is_type(list, json_type_array))
		return NULL;
	return list;
}

static struct json_object *named(struct json_object *list, const char *name)
{
	struct json_object *item, *value;
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (json_object_object_get_ex(item, "name", &value) &&
		    !strcmp(json_object_get_string(value), name))
			return item;
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static bool read_sample(struct json_object *side, struct sample *s)
{
	struct json_object *rounds = list_of(side, "rounds"), *r;
	size_t nr = rounds ? json_object_array_length(rounds) : 0, i;
	double *value, ops, reach;

	s->rounds = 0;
	if (!nr)
		return false;
	value = xcalloc(nr, sizeof(*value));
	for (i = 0; i < nr; i++) {
		r = json_object_array_get_idx(rounds, i);
		if (!json_object_is_type(r, json_type_array) || json_object_array_length(r) != 3)
			continue;
		ops = json_object_get_double(json_object_array_get_idx(r, 2));
		if (ops > 0)
			value[s->rounds++] =
				json_object_get_double(json_object_array_get_idx(r, 0)) / ops;
	}
	if (s->rounds) {
		qsort(value, s->rounds, sizeof(*value), by_value);
		reach = 0.98 * sqrt(s->rounds);
		s->median = value[s->rounds / 2];
		s->low = value[(size_t)fmax(0, floor(s->rounds / 2.0 - reach))];
		s->high = value[(size_t)fmin(s->rounds - 1, ceil(s->rounds / 2.0 + reach))];
	}
	free(value);
	return s->rounds;
}

static void put_side(struct out *o, const char *shape, const char *side, const struct sample *a,
		     const struct sample *b)
{
	bool enough = a->rounds >= FEWEST_ROUNDS && b->rounds >= FEWEST_ROUNDS;
	bool slower = enough && b->low > a->high, faster = enough && b->high < a->low;
	char *text;

	out_item(o);
	out_str(o, "shape", "shape", OUT_PLAIN, shape);
	out_str(o, "side", "side", OUT_PLAIN, side);
	out_ratio(o, "old_ns", "old ns", a->median, 1);
	out_ratio(o, "new_ns", "new ns", b->median, 1);
	out_ratio(o, "ratio", "new/old", b->median, a->median);
	out_rank(o, OUT_KEY);
	out_ratio(o, "ratio_low", NULL, b->low, a->high);
	out_ratio(o, "ratio_high", NULL, b->high, a->low);
	text = enough && a->low > 0 ?
		xasprintf("%.2f to %.2f", b->low / a->high, b->high / a->low) : xstrdup("-");
	out_str(o, "interval", "95 % interval", OUT_PLAIN, text);
	out_str(o, "verdict", "verdict", slower ? OUT_BAD : faster ? OUT_GOOD : OUT_PLAIN,
		!enough ? "too few rounds" : slower ? "slower" : faster ? "faster" :
		"no difference");
	out_rank(o, OUT_KEY);
	out_end(o);
	free(text);
}

static void put_shape(struct out *o, struct json_object *old, struct json_object *new,
		      const char *name)
{
	struct json_object *sides = list_of(old, "sides"), *side, *other, *value;
	struct sample a, b;
	size_t i;

	for (i = 0; sides && i < json_object_array_length(sides); i++) {
		side = json_object_array_get_idx(sides, i);
		if (!json_object_object_get_ex(side, "name", &value))
			continue;
		other = named(list_of(new, "sides"), json_object_get_string(value));
		if (other && read_sample(side, &a) && read_sample(other, &b))
			put_side(o, name, json_object_get_string(value), &a, &b);
	}
}

/* Name the shapes of @shapes that are missing from @others. */
static void put_unmatched(struct out *o, struct json_object *shapes, struct json_object *others)
{
	struct json_object *value;
	size_t i;

	for (i = 0; shapes && i < json_object_array_length(shapes); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(shapes, i), "name",
					      &value) &&
		    !named(others, json_object_get_string(value)))
			out_str(o, NULL, NULL, OUT_PLAIN, json_object_get_string(value));
}

static void put_bench(struct out *o, const struct kept *a, const struct kept *b)
{
	struct json_object *shapes = list_of(a->result, "shapes"), *shape, *other, *value;
	size_t i;

	out_list(o, "only_old", "only in OLD");
	put_unmatched(o, shapes, list_of(b->result, "shapes"));
	out_end(o);
	out_list(o, "only_new", "only in NEW");
	put_unmatched(o, list_of(b->result, "shapes"), shapes);
	out_end(o);
	out_list(o, "changes", "");
	for (i = 0; shapes && i < json_object_array_length(shapes); i++) {
		shape = json_object_array_get_idx(shapes, i);
		if (!json_object_object_get_ex(shape, "name", &value))
			continue;
		other = named(list_of(b->result, "shapes"), json_object_get_string(value));
		if (other)
			put_shape(o, shape, other, json_object_get_string(value));
	}
	out_end(o);
}

/* ---- may they be compared? ---- */

static void refuse(void *arg, const char *text)
{
	(void)arg;
	out_fail(EXIT_FAILED, "not comparable: the systems differ in %s", text);
}

static int check_configuration(const struct kept *a, const struct kept *b)
{
	struct json_object *ca = NULL, *cb = NULL, *other;
	int code = EXIT_OK;

	if (!json_object_object_get_ex(a->result, "configuration", &ca) ||
	    !json_object_object_get_ex(b->result, "configuration", &cb))
		return EXIT_OK;
	json_object_object_foreach(ca, key, value) {
		other = NULL;
		json_object_object_get_ex(cb, key, &other);
		if (!json_object_equal(value, other))
			code = out_fail(EXIT_FAILED, "not comparable: %s %s (%s, %s)",
					strcmp(key, "node") ? "the module was loaded with another" :
							      "the zone is that of another",
					key, json_object_get_string(value),
					other ? json_object_get_string(other) : "unknown");
	}
	return code;
}

static int comparable(const struct kept *a, const struct kept *b, bool force)
{
	int code = EXIT_OK;

	if (strcmp(a->kind, b->kind))
		return out_fail(EXIT_FAILED, "not comparable: '%s' is a result of '%s', '%s' of '%s'",
				a->file, a->kind, b->file, b->kind);
	if (force)
		return EXIT_OK;
	if (kept_each_difference(a, b, refuse, NULL))
		code = EXIT_FAILED;
	if (check_configuration(a, b))
		code = EXIT_FAILED;
	if (code)
		out_hint("--force compares them nevertheless\n");
	return code;
}

static const char diff_form[] =
	"of:text old:text new:text differences:[text] only_old?:[text] only_new?:[text] "
	"changes:[{ figure:text old:number|null new:number|null growth:number|null "
	"growth_permille:int|null } | { shape:text side:text old_ns:number new_ns:number "
	"ratio:number|null ratio_low:number|null ratio_high:number|null interval:text "
	"verdict:text }] "
	"changed?:uint figures?:uint";

static int describe(const struct kept *a, const struct kept *b)
{
	struct out *o = out_new("diff");

	out_str(o, "of", NULL, OUT_PLAIN, a->kind);
	out_str(o, "old", NULL, OUT_PLAIN, a->file);
	out_str(o, "new", NULL, OUT_PLAIN, b->file);
	kept_differences(o, a, b);
	if (!strcmp(a->kind, "bench run"))
		put_bench(o, a, b);
	else
		put_figures(o, a, b);
	return out_finish(o, EXIT_OK);
}

struct options {
	bool force;
};

static int diff(struct cmd *c)
{
	struct kept a = { 0 }, b = { 0 };
	struct options options = { 0 };
	char *old, *new;
	int code;

	cmd_options(c, &options);
	old = cmd_word(c);
	new = cmd_word(c);
	if (!old || !new)
		cmd_usage(c, "missing files: the older result and the newer are needed");
	cmd_done(c);
	code = kept_load(&a, old);
	if (!code)
		code = kept_load(&b, new);
	if (!code)
		code = comparable(&a, &b, options.force);
	if (!code)
		code = describe(&a, &b);
	json_object_put(a.root);
	json_object_put(b.root);
	return code;
}

static const struct opt diff_opts[] = {
	{ "force", 'f', OPT_FLAG, OPT_TARGET(struct options, force),
	  .help = "compare results of different systems or configurations, too" },
	{ NULL }
};

static const struct verb diff_verbs[] = {
	{ "", diff, "OLD NEW",
	  "show what differs between two results written with -o FILE, the most grown first; of benchmarks, whether there is a difference",
	  diff_opts, .form = diff_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object diff_object = {
	"diff", "what differs between two results written with -o FILE", diff_verbs, NULL
};
