// SPDX-License-Identifier: GPL-2.0
/*
 * schema: the JSON schema of the output of --json
 *
 * The outer document is the same for every command and is described once; "kind" says which of
 * the schemas in "$defs" the member "result" is of. Schemas are strict: all members are listed, and
 * those that are always there are required.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/help_json.h"
#include "host/mem.h"
#include "obj/objects.h"
#include "obj/form.h"
#include "out/out.h"

#define DIALECT	"https://json-schema.org/draft/2020-12/schema"
#define FLAGS	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | \
		 JSON_C_TO_STRING_NOSLASHESCAPE)

/* The parts of the schema that grow with each command. */
struct schema {
	struct json_object *kinds;	/* the words for "kind" */
	struct json_object *defs;
	struct json_object *rules;	/* "allOf" */
};

/* { KEY: VALUE } */
static struct json_object *pair(const char *key, struct json_object *value)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, key, value);
	return o;
}

/* A document of @kind has a result of type $defs/@def, and the members of @beside. */
static void add_rule(struct schema *s, const char *kind, const char *def,
		     struct json_object *beside)
{
	struct json_object *rule, *then = json_object_new_object(),
			   *required = json_object_new_array();
	char *ref = xasprintf("#/$defs/%s", def);

	rule = pair("const", json_object_new_string(kind));
	rule = pair("if", pair("properties", pair("kind", rule)));
	json_object_object_foreach(beside, key, value) {
		(void)value;
		json_object_array_add(required, json_object_new_string(key));
	}
	if (!json_object_object_get_ex(beside, "seed", NULL))
		json_object_object_add(beside, "seed", json_object_new_boolean(false));
	json_object_object_add(beside, "result", pair("$ref", json_object_new_string(ref)));
	json_object_object_add(then, "properties", beside);
	json_object_object_add(then, "required", required);
	json_object_object_add(rule, "then", then);
	json_object_array_add(s->rules, rule);
	free(ref);
}

static void add_kind(struct schema *s, const char *kind, const char *help, const char *text)
{
	char *def = xstrdup(kind), *space;
	struct form form;

	form_read(&form, text);
	for (space = def; (space = strchr(space, ' ')); *space = '-')
		;
	if (help)
		json_object_object_add(form.result, "description", json_object_new_string(help));
	json_object_array_add(s->kinds, json_object_new_string(kind));
	json_object_object_add(s->defs, def, form.result);
	add_rule(s, kind, def, form.beside);
	free(def);
}

static void add_verb(struct schema *s, const struct object *object, const struct verb *verb)
{
	char *kind = xasprintf("%s%s%s", object->name, *verb->name ? " " : "", verb->name);

	add_kind(s, kind, verb->help, verb->form);
	free(kind);
}

/* All verbs of @object, or only one; of all objects if @object is NULL. */
static void add_verbs(struct schema *s, const struct object *object, const struct verb *only)
{
	const struct object *const *o;
	const struct verb *verb;

	for (o = cmd_objects(); *o; o++)
		for (verb = (*o)->verbs; verb->name; verb++)
			if (verb->func && (!object || *o == object) && (!only || verb == only))
				add_verb(s, *o, verb);
}

static struct json_object *describe(const char *title, const struct object *object,
				    const struct verb *verb)
{
	struct schema s = {
		json_object_new_array(), json_object_new_object(), json_object_new_array(),
	};
	struct json_object *root = json_object_new_object(), *properties;
	struct form document;

	add_verbs(&s, object, verb);
	add_kind(&s, "help", "the help, which any command prints when it is asked", help_form);
	add_kind(&s, "error", "what any command prints that comes to no result", "");
	form_read(&document, out_document_form);
	json_object_object_add(root, "$schema", json_object_new_string(DIALECT));
	json_object_object_add(root, "title", json_object_new_string(title));
	json_object_object_foreach(document.result, key, value)
		json_object_object_add(root, key, json_object_get(value));
	properties = json_object_object_get(root, "properties");
	json_object_object_add(properties, "schema",
			       pair("const", json_object_new_int(OUT_SCHEMA)));
	json_object_object_add(properties, "kind", pair("enum", s.kinds));
	json_object_object_add(root, "allOf", s.rules);
	json_object_object_add(root, "$defs", s.defs);
	json_object_put(document.result);
	json_object_put(document.beside);
	return root;
}

static int schema(struct cmd *c)
{
	const char *word = cmd_word(c);
	const struct object *object = word ? cmd_find_object(word) : NULL;
	const struct verb *verb = NULL;
	struct json_object *root;
	struct out *o;
	char *title;

	word = object ? cmd_word(c) : NULL;
	if (word && !*object->verbs->name)
		cmd_usage(c, "unexpected argument '%s': '%s' is a command itself", word,
			  object->name);
	if (word)
		verb = cmd_find_verb(object, word);
	if (verb && !verb->func)
		cmd_usage(c, "unknown command '%s %s': %s", object->name, verb->name, verb->help);
	cmd_done(c);
	title = xasprintf("myallocctl --json%s%s%s%s", object ? " " : "",
			  object ? object->name : "", verb ? " " : "", verb ? verb->name : "");
	root = describe(title, object, verb);
	o = out_new("schema");
	out_json(o, "schema", NULL, root);
	out_as_text(o, xasprintf("%s\n", json_object_to_json_string_ext(root, FLAGS)));
	json_object_put(root);
	free(title);
	return out_finish(o, EXIT_OK);
}

static const struct verb schema_verbs[] = {
	{ "", schema, "[OBJECT [COMMAND]]",
	  "print the JSON schema (draft 2020-12) of what --json prints, of one command or of all",
	  NULL, .form = "schema:{ *:any }" },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object schema_object = {
	"schema", "the JSON schema of what --json prints", schema_verbs, NULL
};
