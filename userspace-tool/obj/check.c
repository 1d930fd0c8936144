// SPDX-License-Identifier: GPL-2.0
/*
 * check: conditions on statistics, for scripts
 *
 *	CONDITION	LEFT OPERATOR VALUE
 *	LEFT		a statistic of the zone, with [ORDER] of one order of those that have it;
 *			NAME, the bytes that a cache, heap, pool, ring, arena, client or line of a
 *			contract holds; NAME.STATISTIC, one of its statistics. NAME may be a
 *			pattern: 'frob-*'. A statistic that the zone lacks is checked for everything
 *			that has it: 'failed_within == 0' for all lines of contracts
 *	OPERATOR	<  <=  ==  !=  >=  >
 *	VALUE		a number or a size. Pages are compared with a size by their bytes
 *
 * If the module has several zones, a condition has to hold in each. A condition on a name that does
 * not exist fails: a check of nothing must not pass.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/closest.h"
#include "cmd/parse.h"
#include "host/mem.h"
#include "obj/figures.h"
#include "obj/objects.h"
#include "obj/zones.h"
#include "out/out.h"

#define NAMES_MAX	256
#define FORM		"expected 'STATISTIC < VALUE', 'NAME < SIZE' or 'NAME.STATISTIC == VALUE' with one of < <= == != >= >"

static const char *const operators[] = { "<=", ">=", "==", "!=", "<", ">" };

struct condition {
	const char *text;
	char *left;
	char *right;
	const char *op;
	__s64 value;
	bool sized;		/* the value has a unit */
	char *name;		/* a pattern of names, NULL: of the zone */
	char *field;		/* NULL: the bytes held */
	int order;		/* -1: of all orders together */
};

/* ---- reading a condition ---- */

static char *trimmed(const char *text, size_t len)
{
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return xasprintf("%.*s", (int)len, text);
}

static const char *find_operator(const char *text, const char **op)
{
	const char *at;
	size_t i;

	for (at = text; *at; at++)
		for (i = 0; i < ARRAY_SIZE(operators); i++)
			if (!strncmp(at, operators[i], strlen(operators[i]))) {
				*op = operators[i];
				return at;
			}
	return NULL;
}

static void read_value(struct cmd *c, struct condition *cond, const char *from)
{
	const char *text, *digits;
	bool minus;
	__u64 value;

	cond->right = trimmed(from, strlen(from));
	text = cond->right;
	minus = *text == '-';
	digits = text + minus;
	if (!*digits)
		cmd_usage(c, "'%s': a value is missing; %s", cond->text, FORM);
	if (parse_number(digits, &value)) {
		cond->sized = true;
		if (parse_size(digits, &value))
			cmd_usage(c, "'%s': '%s' is neither a number nor a size as 64K or 2MiB",
				  cond->text, text);
	}
	if (value > ~0ull >> 1)
		cmd_usage(c, "'%s': '%s' does not fit in 63 bits", cond->text, text);
	cond->value = minus ? -(__s64)value : (__s64)value;
}

static void read_order(struct cmd *c, struct condition *cond)
{
	char *bracket = strchr(cond->field, '['), *end;
	__u64 order;

	cond->order = -1;
	if (!bracket)
		return;
	end = bracket + strlen(bracket) - 1;
	*bracket = 0;
	if (*end == ']')
		*end = 0;
	else
		end = NULL;
	if (!end || parse_number(bracket + 1, &order) || order > MYALLOC_MAX_ORDER)
		cmd_usage(c, "'%s': an order is written as %s[3], from 0 to %d", cond->text,
			  cond->field, MYALLOC_MAX_ORDER);
	cond->order = order;
}

/* Is it a statistic of anything but the zone? */
static bool known_field(const char *name)
{
	const struct figures_kind *kind;

	for (kind = figures_kinds + 1; kind->word; kind++)
		if (figures_field(kind, name))
			return true;
	return false;
}

static void read_left(struct cmd *c, struct condition *cond)
{
	char *dot = strrchr(cond->left, '.');
	const struct stat_field *f;

	cond->field = xstrdup(cond->left);
	read_order(c, cond);
	f = figures_field(figures_kinds, cond->field);
	if (f) {
		if (cond->order >= 0 && !f->by_order)
			cmd_usage(c, "'%s': %s is not by order", cond->text, f->name);
		if (cond->order < 0 && f->by_order && f->unit != STAT_NUMBER)
			cmd_usage(c, "'%s': the order is missing; write %s[3]", cond->text, f->name);
		return;
	}
	if (cond->order >= 0)
		cmd_usage(c, "'%s': %s is not a statistic by order", cond->text, cond->field);
	if (known_field(cond->field)) {
		cond->name = xstrdup("*");
		return;
	}
	free(cond->field);
	cond->field = NULL;
	if (dot && known_field(dot + 1)) {
		cond->name = xasprintf("%.*s", (int)(dot - cond->left), cond->left);
		cond->field = xstrdup(dot + 1);
	} else {
		cond->name = xstrdup(cond->left);
	}
}

static void read_condition(struct cmd *c, struct condition *cond)
{
	const char *at = find_operator(cond->text, &cond->op);

	if (!at)
		cmd_usage(c, "'%s': no comparison in it; %s%s", cond->text, FORM,
			  strchr(cond->text, '=') ? "; equal is ==" : "");
	cond->left = trimmed(cond->text, at - cond->text);
	if (!*cond->left)
		cmd_usage(c, "'%s': nothing on the left; %s", cond->text, FORM);
	read_value(c, cond, at + strlen(cond->op));
	read_left(c, cond);
}

/* ---- comparing ---- */

static bool holds(const struct condition *cond, __s64 got)
{
	switch (cond->op[0]) {
	case '<':
		return cond->op[1] ? got <= cond->value : got < cond->value;
	case '>':
		return cond->op[1] ? got >= cond->value : got > cond->value;
	case '=':
		return got == cond->value;
	default:
		return got != cond->value;
	}
}

/* How far @got is from the nearest value that fulfils the condition. */
static __s64 distance(const struct condition *cond, __s64 got)
{
	if (!strcmp(cond->op, "<"))
		return got - cond->value + 1;
	if (!strcmp(cond->op, ">"))
		return got - cond->value - 1;
	return got - cond->value;
}

static __s64 value_of(const struct figures *f, const struct figures_one *one,
		      const struct condition *cond, enum out_unit *unit)
{
	const struct stat_field *field;
	__s64 value = 0;
	unsigned int i;

	*unit = OUT_PLAIN;
	if (!cond->field) {
		*unit = OUT_BYTES;
		return figures_held(f, one);
	}
	field = figures_field(one->kind, cond->field);
	if (field->by_order && cond->order < 0)
		for (i = 0; i < MYALLOC_ORDERS; i++)
			value += stats_value(field, one->stat, i);
	else
		value = stats_value(field, one->stat, cond->order < 0 ? 0 : cond->order);
	if (field->unit == STAT_PAGES && cond->sized)
		value *= f->page_size;
	if (field->unit == STAT_BYTES || (field->unit == STAT_PAGES && cond->sized))
		*unit = OUT_BYTES;
	return value;
}

static bool compare(struct out *o, const struct figures *f, const struct figures_one *one,
		    const struct condition *cond)
{
	enum out_unit unit;
	__s64 got = value_of(f, one, cond, &unit);
	bool good = holds(cond, got);

	out_item(o);
	out_str(o, "condition", "condition", OUT_PLAIN, cond->text);
	out_str(o, "kind", NULL, OUT_PLAIN, one->kind->word);
	out_str(o, "name", "of", OUT_PLAIN, *one->name ? one->name : one->kind->word);
	zones_put(o, one->node);
	out_s64(o, "value", "value", got < 0 ? OUT_PLAIN : unit, got);
	out_rank(o, OUT_KEY);
	out_s64(o, "bound", "bound", cond->value < 0 ? OUT_PLAIN : unit, cond->value);
	if (good)
		out_null(o, "off", "off by");
	else
		out_s64(o, "off", "off by", OUT_PLAIN, distance(cond, got));
	out_str(o, "verdict", "verdict", good ? OUT_GOOD : OUT_BAD, good ? "holds" : "FAILS");
	out_rank(o, OUT_KEY);
	out_end(o);
	return good;
}

static bool is_zone(const struct figures_one *one)
{
	return one->kind == figures_kinds;
}

static void say_nothing_matches(const struct figures *f, const struct condition *cond)
{
	const char *names[NAMES_MAX], *near;
	const struct stat_field *field;
	size_t i;
	int nr = 0;

	if (cond->field) {
		out_fail(EXIT_FAILED, "'%s': nothing that is called '%s' has the statistic '%s'",
			 cond->text, cond->name, cond->field);
		return;
	}
	for (i = 0; i < f->nr && nr < NAMES_MAX / 2; i++)
		if (!is_zone(&f->one[i]))
			names[nr++] = f->one[i].name;
	for (field = zone_fields; field->name && nr < NAMES_MAX; field++)
		names[nr++] = field->name;
	near = closest(cond->left, names, nr);
	out_fail(EXIT_FAILED, "'%s': no cache, heap, pool, ring, arena, client, contract or statistic is called '%s'%s%s%s",
		 cond->text, cond->name, near ? "; did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
}

static bool judge(struct out *o, const struct figures *f, const struct condition *cond)
{
	bool good = true, any = false;
	size_t i;

	for (i = 0; i < f->nr; i++) {
		const struct figures_one *one = &f->one[i];

		if (cond->name ? is_zone(one) || fnmatch(cond->name, one->name, 0) : !is_zone(one))
			continue;
		if (cond->field && !figures_field(one->kind, cond->field))
			continue;
		any = true;
		good &= compare(o, f, one, cond);
	}
	if (!any)
		say_nothing_matches(f, cond);
	return good && any;
}

static const char check_form[] =
	"conditions:[{ condition:text kind:text name:text node:int|null value:int bound:int off:int|null "
	"verdict:'holds'|'FAILS' }] failed:uint";

static int judge_all(struct condition *conds, int nr)
{
	struct figures f = { 0 };
	struct device d;
	struct out *o;
	int code, i, bad = 0;

	code = device_open(&d);
	if (code)
		return code;
	code = figures_read_zones(&d, &f);
	device_close(&d);
	if (!code) {
		o = out_new("check");
		out_list(o, "conditions", "");
		for (i = 0; i < nr; i++)
			bad += !judge(o, &f, &conds[i]);
		out_end(o);
		out_u64(o, "failed", NULL, OUT_PLAIN, bad);
		code = out_finish(o, bad ? EXIT_FAILED : EXIT_OK);
	}
	figures_free(&f);
	return code;
}

static int check(struct cmd *c)
{
	struct condition conds[OPT_STRINGS_MAX] = { 0 };
	const char *word = cmd_word(c);
	int nr = 0, code, i;

	if (!word)
		cmd_usage(c, "missing condition: %s", FORM);
	for (; word; word = cmd_word(c)) {
		if (nr == OPT_STRINGS_MAX)
			cmd_usage(c, "at most %d conditions", OPT_STRINGS_MAX);
		conds[nr].text = word;
		read_condition(c, &conds[nr++]);
	}
	code = judge_all(conds, nr);
	for (i = 0; i < nr; i++) {
		free(conds[i].left);
		free(conds[i].right);
		free(conds[i].name);
		free(conds[i].field);
	}
	return code;
}

static const struct verb check_verbs[] = {
	{ "", check, "CONDITION...",
	  "exit with 1 unless every condition holds, such as 'bad_frees == 0', 'frob-* < 10M', 'frob-*.live_objects == 0', 'failed_within == 0'",
	  NULL, .form = check_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object check_object = {
	"check", "exit with 1 unless conditions on statistics hold", check_verbs, NULL
};
