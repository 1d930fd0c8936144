// SPDX-License-Identifier: GPL-2.0
/*
 * form: the form of a result in a short notation, and as a JSON schema
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/figures.h"
#include "obj/form.h"
#include "obj/kinds.h"
#include "out/out.h"

struct reader {
	const char *text;
	const char *at;
	struct json_object *beside;
};

static const char *const kinds[] = {
	[STAT_HOLDER] = "HOLDER", [STAT_STATE] = "STATE", [STAT_EVENT] = "EVENT",
	[STAT_TRAIT] = "TRAIT", [STAT_SPACE] = "SPACE", [STAT_USE] = "USE",
};

static struct json_object *read_type(struct reader *r);

/* ---- words ---- */

static void __attribute__((noreturn)) wrong(const struct reader *r)
{
	exit(out_close(out_fail(EXIT_FAILED, "form '%s' is wrong at '%s'", r->text, r->at)));
}

static bool take(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	while (*r->at == ' ')
		r->at++;
	if (strncmp(r->at, text, len))
		return false;
	r->at += len;
	return true;
}

static void expect(struct reader *r, const char *text)
{
	if (!take(r, text))
		wrong(r);
}

static char *take_word(struct reader *r)
{
	const char *start;

	take(r, "");
	for (start = r->at; isalnum((unsigned char)*r->at) || *r->at == '_'; r->at++)
		;
	if (r->at == start)
		wrong(r);
	return xasprintf("%.*s", (int)(r->at - start), start);
}

/* Read a word and return its index in @words; -1 if it is none of them. */
static int pick(struct reader *r, const char *const *words, int nr)
{
	char *word = take_word(r);
	int i;

	for (i = 0; i < nr && strcmp(words[i], word); i++)
		;
	free(word);
	return i < nr ? i : -1;
}

/* ---- types ---- */

static struct json_object *typed(const char *type)
{
	struct json_object *schema = json_object_new_object();

	json_object_object_add(schema, "type", json_object_new_string(type));
	return schema;
}

static struct json_object *uint_type(void)
{
	struct json_object *schema = typed("integer");

	json_object_object_add(schema, "minimum", json_object_new_int(0));
	return schema;
}

static void nullable(struct json_object *schema)
{
	struct json_object *types = json_object_new_array();

	json_object_array_add(types, json_object_get(json_object_object_get(schema, "type")));
	json_object_array_add(types, json_object_new_string("null"));
	json_object_object_add(schema, "type", types);
}

static struct json_object *read_list(struct reader *r)
{
	struct json_object *schema = typed("array");

	json_object_object_add(schema, "items", read_type(r));
	expect(r, "]");
	return schema;
}

static struct json_object *read_constant(struct reader *r)
{
	struct json_object *schema = json_object_new_object();
	const char *end = strchr(r->at, '\'');

	if (!end)
		wrong(r);
	json_object_object_add(schema, "const", json_object_new_string_len(r->at, end - r->at));
	r->at = end + 1;
	return schema;
}

static struct json_object *read_object(struct reader *r, const char *end);

static struct json_object *read_one(struct reader *r)
{
	static const char *const words[] = {
		"uint", "any", "int", "number", "text", "bool", "null",
	}, *const types[] = {
		NULL, NULL, "integer", "number", "string", "boolean", "null",
	};
	int i;

	if (take(r, "["))
		return read_list(r);
	if (take(r, "{"))
		return read_object(r, "}");
	if (take(r, "'"))
		return read_constant(r);
	i = pick(r, words, ARRAY_SIZE(words));
	if (i < 0)
		wrong(r);
	if (types[i])
		return typed(types[i]);
	return i ? json_object_new_object() : uint_type();
}

static bool is_null(struct json_object *schema)
{
	const char *type = json_object_get_string(json_object_object_get(schema, "type"));

	return type && !strcmp(type, "null");
}

static struct json_object *read_type(struct reader *r)
{
	struct json_object *any = json_object_new_array(), *schema;

	do {
		json_object_array_add(any, read_one(r));
	} while (take(r, "|"));
	schema = json_object_get(json_object_array_get_idx(any, 0));
	if (json_object_array_length(any) == 2 && json_object_object_get(schema, "type") &&
	    is_null(json_object_array_get_idx(any, 1))) {
		nullable(schema);
	} else if (json_object_array_length(any) > 1) {
		json_object_put(schema);
		schema = json_object_new_object();
		json_object_object_add(schema, "anyOf", any);
		return schema;
	}
	json_object_put(any);
	return schema;
}

/* ---- members ---- */

struct members {
	struct json_object *properties;
	struct json_object *required;
	struct json_object *others;	/* the schema of members of any name, or NULL */
};

static void add(struct members *m, const char *name, struct json_object *type, bool always)
{
	json_object_object_add(m->properties, name, type);
	if (always)
		json_object_array_add(m->required, json_object_new_string(name));
}

static struct json_object *field_type(const struct stat_field *f)
{
	struct json_object *type = f->bytes == sizeof(__s32) ? typed("integer") : uint_type();
	const char *unit = stats_unit_name(f);
	char *text = xasprintf("%s%s%s", f->help, *unit ? "; " : "", unit);

	if (f->unit == STAT_ORDER)
		nullable(type);
	json_object_object_add(type, "description", json_object_new_string(text));
	free(text);
	return type;
}

static void add_sums(struct members *m, const struct stat_field *f)
{
	for (; f->name; f++)
		if (f->by_order && f->kind == STAT_EVENT)
			add(m, f->name, field_type(f), true);
}

/* @kind: -1 for all */
static void add_fields(struct members *m, const struct stat_field *f, bool by_order, int kind)
{
	for (; f->name; f++)
		if (f->by_order == by_order && (kind < 0 || (int)f->kind == kind))
			add(m, f->key, field_type(f), true);
}

static void read_fields(struct reader *r, struct members *m)
{
	const struct stat_field *fields = NULL;
	const struct figures_kind *list;
	bool by_order = false;
	int kind = -1;

	for (list = figures_kinds; list->word && !fields; list++)
		if (take(r, list->word))
			fields = list->fields;
	if (!fields)
		wrong(r);
	if (take(r, ".sum")) {
		add_sums(m, fields);
		return;
	}
	by_order = take(r, ".each");
	if (*r->at == '.') {
		r->at++;
		kind = pick(r, kinds, ARRAY_SIZE(kinds));
		if (kind < 0)
			wrong(r);
	}
	add_fields(m, fields, by_order, kind);
}

static void read_pages(struct reader *r, struct members *m)
{
	bool always = !take(r, "?");
	const struct shade *s;

	for (s = shades; s->key; s++)
		if (s == shades || s[-1].kind != s->kind)
			add(m, s->key, uint_type(), always);
}

static void read_member(struct reader *r, struct members *m)
{
	bool beside, always;
	char *name;

	if (take(r, "@pages")) {
		read_pages(r, m);
		return;
	}
	if (take(r, "@")) {
		read_fields(r, m);
		return;
	}
	if (take(r, "*:")) {
		m->others = read_type(r);
		return;
	}
	beside = take(r, "^");
	name = take_word(r);
	always = !take(r, "?");
	expect(r, ":");
	if (beside)
		json_object_object_add(r->beside, name, read_type(r));
	else
		add(m, name, read_type(r), always);
	free(name);
}

static bool at_end(struct reader *r, const char *end)
{
	return *end ? take(r, end) : take(r, "") && !*r->at;
}

static struct json_object *read_object(struct reader *r, const char *end)
{
	struct members m = { json_object_new_object(), json_object_new_array(), NULL };
	struct json_object *schema = typed("object");

	while (!at_end(r, end))
		read_member(r, &m);
	json_object_object_add(schema, "properties", m.properties);
	json_object_object_add(schema, "required", m.required);
	json_object_object_add(schema, "additionalProperties",
			       m.others ? m.others : json_object_new_boolean(false));
	return schema;
}

void form_read(struct form *form, const char *text)
{
	struct reader r = { text, text, json_object_new_object() };

	form->result = read_object(&r, "");
	form->beside = r.beside;
}
