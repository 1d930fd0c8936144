// SPDX-License-Identifier: GPL-2.0
/*
 * owners: the memory that each call site holds, from the debugfs file owners of each zone
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "host/mem.h"
#include "obj/device.h"
#include "obj/kept.h"
#include "obj/objects.h"
#include "out/out.h"

#define DIRECTORY	"/sys/kernel/debug/myalloc"
#define FILE_OWNERS	DIRECTORY "/owners"
#define VERSION		"owners - version: 1."
#define FRAMES_MAX	64
#define NO_AGE		~0ull
#define NODES_MAX	1024

/* Memory of one kind that one call site holds. */
struct owner {
	char *what;
	char *caller;
	int node;			/* of its zone; -1 if there is one zone only */
	char *frame[FRAMES_MAX];	/* innermost first */
	unsigned int nr_frames;
	__u64 count;
	__u64 bytes;
	__u64 oldest_ms;
	__s64 more_count;		/* since an earlier result */
	__s64 more_bytes;
};

struct owners {
	struct owner *owner;
	size_t nr;
	size_t room;
	int node;			/* of the zone that is being read; -1 if there is one only */
};

static struct owner *add(struct owners *o)
{
	struct owner *more;

	if (o->nr == o->room) {
		o->room = o->room * 2 + 16;
		more = xcalloc(o->room, sizeof(*more));
		if (o->nr)
			memcpy(more, o->owner, o->nr * sizeof(*more));
		free(o->owner);
		o->owner = more;
	}
	o->owner[o->nr].node = o->node;
	return &o->owner[o->nr++];
}

static void owners_free(struct owners *o)
{
	unsigned int i;
	size_t k;

	for (k = 0; k < o->nr; k++) {
		for (i = 0; i < o->owner[k].nr_frames; i++)
			free(o->owner[k].frame[i]);
		free(o->owner[k].what);
		free(o->owner[k].caller);
	}
	free(o->owner);
}

/* ---- reading ---- */

/* Parse a line "name  20  320  -  function+0x1/0x2 [module]"; false for any other. */
static bool read_line(struct owners *o, const char *line)
{
	unsigned long long count, size;
	char what[64], age[24];
	struct owner *owner;
	int at = 0;

	if (sscanf(line, "%63s %llu %llu %23s %n", what, &count, &size, age, &at) != 4 || !at)
		return false;
	owner = add(o);
	owner->what = xstrdup(what);
	owner->caller = xstrdup(line + at);
	owner->count = count;
	owner->bytes = *what == '(' ? size * getpagesize() : size;
	owner->oldest_ms = *age == '-' ? NO_AGE : strtoull(age, NULL, 10);
	return true;
}

/* A call stack follows the line of its owner; the processes at the end are not owners. */
static void read_text(struct owners *o, char *text)
{
	struct owner *last = NULL;
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (*line == '#' && strstr(line, "session"))
			break;
		if (*line == '#' || !*line || !strncmp(line, VERSION, strlen(VERSION)))
			continue;
		if (*line == ' ') {
			if (last && last->nr_frames < FRAMES_MAX)
				last->frame[last->nr_frames++] = xstrdup(line + strspn(line, " "));
			continue;
		}
		last = read_line(o, line) ? &o->owner[o->nr - 1] : NULL;
	}
}

static int read_file(struct owners *o, char *text)
{
	if (!text)
		return out_fail(EXIT_FAILED, "cannot read " FILE_OWNERS ": load the module, mount debugfs (mount -t debugfs none /sys/kernel/debug), and run this as root");
	if (strncmp(text, VERSION, strlen(VERSION))) {
		free(text);
		return out_fail(EXIT_FAILED, FILE_OWNERS " begins with an unknown version: module and tool are of different versions");
	}
	if (text[strlen(text) - 1] != '\n')
		out_warn("the list is too long, and ends in the middle");
	read_text(o, text);
	free(text);
	return EXIT_OK;
}

struct nodes {
	int node[NODES_MAX];
	int nr;
};

/* Is it a directory "nodeN"? The file "nodes" is not. */
static void take_node(void *arg, const char *name)
{
	struct nodes *nodes = arg;

	if (!strncmp(name, "node", 4) && isdigit((unsigned char)name[4]) && nodes->nr < NODES_MAX)
		nodes->node[nodes->nr++] = atoi(name + 4);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int by_bytes(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->node - y->node;
}

/* Read every zone, or that of --node; this needs no device. */
static int owners_read(struct owners *o)
{
	struct nodes nodes = { 0 };
	int code = EXIT_OK, i;

	host_list(DIRECTORY, take_node, &nodes);
	qsort(nodes.node, nodes.nr, sizeof(*nodes.node), by_number);
	o->node = -1;
	if (nodes.nr < 2)
		return read_file(o, device_file("owners"));
	for (i = 0; !code && i < nodes.nr; i++) {
		if (out_options()->node != OUT_ANY_NODE &&
		    out_options()->node != (__u64)nodes.node[i])
			continue;
		o->node = nodes.node[i];
		code = read_file(o, device_node_file(o->node, "owners"));
	}
	if (!code && o->node < 0)
		code = out_fail(EXIT_FAILED, "the module has no memory of node %llu; 'myallocctl node list' shows which it has",
				out_options()->node);
	if (o->nr)
		qsort(o->owner, o->nr, sizeof(*o->owner), by_bytes);
	return code;
}

/* ---- an earlier result ---- */

static const char *text_of(struct json_object *j, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(j, key, &value) || !value)
		return "";
	return json_object_get_string(value);
}

static __u64 number_of(struct json_object *j, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(j, key, &value) ? json_object_get_uint64(value) : 0;
}

static int node_of(struct json_object *j)
{
	struct json_object *value;

	if (!json_object_object_get_ex(j, "node", &value) || !value)
		return -1;
	return json_object_get_int(value);
}

/* Join the frames into one word, which distinguishes owners with the same caller. */
static char *stack_text(const struct owner *owner)
{
	unsigned int i;
	size_t size;
	char *text;
	FILE *file = xmemstream(&text, &size);

	for (i = 0; i < owner->nr_frames; i++)
		fprintf(file, "%s%s", i ? ";" : "", owner->frame[i]);
	xmemstream_end(file);
	return text;
}

static void subtract(struct owners *o, struct json_object *old)
{
	struct owner *owner;
	bool same = false;
	char *stack;
	size_t k;

	for (k = 0; k < o->nr && !same; k++) {
		owner = &o->owner[k];
		if (owner->node != node_of(old) || strcmp(owner->what, text_of(old, "what")) ||
		    strcmp(owner->caller, text_of(old, "caller")))
			continue;
		stack = stack_text(owner);
		same = !strcmp(stack, text_of(old, "stack"));
		free(stack);
		if (same) {
			owner->more_count -= number_of(old, "count");
			owner->more_bytes -= number_of(old, "bytes");
		}
	}
	if (same)
		return;
	/* It no longer holds memory. */
	owner = add(o);
	owner->node = node_of(old);
	owner->what = xstrdup(text_of(old, "what"));
	owner->caller = xstrdup(text_of(old, "caller"));
	owner->oldest_ms = NO_AGE;
	owner->more_count = -(__s64)number_of(old, "count");
	owner->more_bytes = -(__s64)number_of(old, "bytes");
}

static int by_growth(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->more_bytes != y->more_bytes)
		return x->more_bytes > y->more_bytes ? -1 : 1;
	return strcmp(x->caller, y->caller);
}

static int compare_with(struct owners *o, const char *file)
{
	struct json_object *list = NULL;
	struct kept kept = { 0 };
	size_t i, nr = 0;
	int code = kept_load(&kept, file);

	if (!code && strcmp(kept.kind, "owners"))
		code = out_fail(EXIT_FAILED, "'%s' is a result of '%s', not of 'owners'; 'myallocctl -o FILE owners' writes one",
				file, kept.kind);
	for (i = 0; i < o->nr; i++) {
		o->owner[i].more_count = o->owner[i].count;
		o->owner[i].more_bytes = o->owner[i].bytes;
	}
	if (!code && json_object_object_get_ex(kept.result, "owners", &list))
		nr = json_object_is_type(list, json_type_array) ? json_object_array_length(list) :
								  0;
	for (i = 0; i < nr; i++)
		subtract(o, json_object_array_get_idx(list, i));
	json_object_put(kept.root);
	qsort(o->owner, o->nr, sizeof(*o->owner), by_growth);
	return code;
}

/* ---- showing ---- */

/* function+0x1/0x2 [module] without the offset and without characters that separate frames. */
static void put_frame(FILE *file, const char *frame)
{
	for (; *frame; frame++) {
		if (*frame == '+' && !strncmp(frame, "+0x", 3))
			frame += strcspn(frame, " ") - 1;
		else
			fputc(*frame == ';' || *frame == ' ' ? '_' : *frame, file);
	}
}

static void draw_folded(struct out *out, const struct owners *o)
{
	const struct owner *owner;
	unsigned int i;
	size_t size, k;
	char *text;
	FILE *file = xmemstream(&text, &size);

	for (k = 0; k < o->nr; k++) {
		owner = &o->owner[k];
		put_frame(file, owner->what);
		for (i = owner->nr_frames; i; i--) {
			fputc(';', file);
			put_frame(file, owner->frame[i - 1]);
		}
		if (!owner->nr_frames) {
			fputc(';', file);
			put_frame(file, owner->caller);
		}
		fprintf(file, " %llu\n", (unsigned long long)owner->bytes);
	}
	xmemstream_end(file);
	out_drawing(out, text);
	free(text);
}

static const char owners_form[] =
	"owners:[{ what:text node:int|null count:uint bytes:uint more_count?:int more_bytes?:int "
	"oldest_ms:uint|null caller:text stack:text }]";

static void describe_one(struct out *out, const struct owner *owner, bool several, bool diff,
			 bool hide)
{
	char *stack = stack_text(owner);

	out_item(out);
	if (hide || (diff && !owner->more_bytes && !owner->more_count))
		out_hide(out);
	out_str(out, "what", "what", OUT_PLAIN, owner->what);
	if (owner->node >= 0)
		out_s64(out, "node", "node", OUT_PLAIN, owner->node);
	else
		out_null(out, "node", several ? "node" : NULL);
	out_u64(out, "count", "count", OUT_PLAIN, owner->count);
	out_u64(out, "bytes", "bytes", OUT_BYTES, owner->bytes);
	out_rank(out, OUT_KEY);
	if (diff) {
		out_s64(out, "more_count", "more", OUT_PLAIN, owner->more_count);
		out_s64(out, "more_bytes", "more bytes", OUT_PLAIN, owner->more_bytes);
		out_rank(out, OUT_KEY);
	}
	if (owner->oldest_ms == NO_AGE)
		out_null(out, "oldest_ms", diff ? NULL : "oldest");
	else
		out_u64(out, "oldest_ms", diff ? NULL : "oldest", OUT_MS, owner->oldest_ms);
	out_str(out, "caller", "caller", OUT_PLAIN, owner->caller);
	out_rank(out, OUT_KEY);
	out_str(out, "stack", NULL, OUT_PLAIN, stack);
	out_end(out);
	free(stack);
}

struct options {
	bool folded;
	char *diff;
};

static int owners(struct cmd *c)
{
	struct options options = { 0 };
	struct owners o = { 0 };
	struct out *out;
	size_t k;
	int code;

	cmd_options(c, &options);
	cmd_done(c);
	if (options.folded && options.diff)
		cmd_usage(c, "--folded and --diff exclude each other");
	code = owners_read(&o);
	if (!code && options.diff)
		code = compare_with(&o, options.diff);
	if (!code) {
		out = out_new("owners");
		if (options.folded)
			draw_folded(out, &o);
		out_list(out, "owners", "");
		for (k = 0; k < o.nr; k++)
			describe_one(out, &o.owner[k], o.node >= 0, options.diff,
				     options.folded);
		out_end(out);
		code = out_finish(out, EXIT_OK);
	}
	owners_free(&o);
	return code;
}

static const struct opt owners_opts[] = {
	{ "folded", 'f', OPT_FLAG, OPT_TARGET(struct options, folded),
	  .help = "a line for each call stack, outermost first, with its bytes, as flamegraph.pl reads them" },
	{ "diff", 'd', OPT_STRING, "FILE", OPT_TARGET(struct options, diff),
	  .help = "what has grown since the result in FILE, the most first" },
	{ NULL }
};

static const struct verb owners_verbs[] = {
	{ "", owners, "", "show what each call site holds; call stacks with checks=U only",
	  owners_opts, .form = owners_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object owners_object = {
	"owners", "what each call site holds, as a table or for a flame graph", owners_verbs, NULL
};
