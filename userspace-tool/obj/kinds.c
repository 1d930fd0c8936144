// SPDX-License-Identifier: GPL-2.0
/*
 * kinds: the kinds of pages, with their names and colours everywhere
 *
 * Each shade has a letter of its own, so that a picture needs no colours. Free memory has three
 * shades by the size of its largest block, slabs ten by the share of their slots in use.
 */
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "obj/kinds.h"
#include "out/out.h"

#define FREE_LARGE	9	/* 2 MiB with pages of 4 KiB */
#define FREE_MIDDLE	4

/* Free memory first, the smallest blocks first; then slabs by tenths. */
enum { SHADE_FREE, SHADE_SLAB = 3, SHADE_OTHERS = SHADE_SLAB + 5 };

const struct shade shades[] = {
	{ "free", "free, blocks below order 4", MYALLOC_IS_FREE, '=', 250, "#bcbcbc" },
	{ "free", "free, blocks of order 4 to 8", MYALLOC_IS_FREE, '-', 242, "#6c6c6c" },
	{ "free", "free, blocks of order 9 and more", MYALLOC_IS_FREE, '.', 236, "#303030", true },
	{ "slab", "slabs, below 20 % in use", MYALLOC_IS_SLAB, '1', 194, "#d7ffd7" },
	{ "slab", "slabs, from 20 %", MYALLOC_IS_SLAB, '3', 157, "#afffaf" },
	{ "slab", "slabs, from 40 %", MYALLOC_IS_SLAB, '5', 83, "#5fff5f" },
	{ "slab", "slabs, from 60 %", MYALLOC_IS_SLAB, '7', 35, "#00af5f" },
	{ "slab", "slabs, from 80 %", MYALLOC_IS_SLAB, '9', 22, "#005f00", true },
	{ "pages", "page users", MYALLOC_IS_PAGES, 'P', 33, "#0087ff" },
	{ "cached", "cached in magazines", MYALLOC_IS_CACHED, 'c', 220, "#ffd700" },
	{ "deferred", "deferred frees", MYALLOC_IS_DEFERRED, 'd', 208, "#ff8700" },
	{ "quarantined", "quarantined", MYALLOC_IS_QUARANTINED, 'q', 135, "#af5fff" },
	{ "bad", "bad memory", MYALLOC_IS_BAD, 'X', 196, "#ff0000" },
	{ "contract", "contracts", MYALLOC_IS_CONTRACT, 'K', 169, "#d75f5f" },
	{ "hole", "holes: no memory now", MYALLOC_IS_HOLE, 'o', 52, "#5f0000" },
	{ "moving", "moving", MYALLOC_IS_MOVING, '?', 255, "#eeeeee" },
	{ NULL }
};

const char *kind_name(__u32 kind)
{
	const struct shade *s;

	for (s = shades; s->key; s++)
		if (s->kind == kind)
			return s->key;
	return "unknown";
}

static const struct shade *first_of(__u32 kind)
{
	const struct shade *s;

	for (s = shades; s->key; s++)
		if (s->kind == kind)
			return s;
	/* A kind that a newer module knows. */
	return first_of(MYALLOC_IS_MOVING);
}

const struct shade *shade_of(const struct myalloc_cell *cell)
{
	__u32 most = MYALLOC_IS_FREE, k, tenth;

	if (cell->pages[MYALLOC_IS_BAD])
		return first_of(MYALLOC_IS_BAD);
	for (k = 0; k < MYALLOC_IS_KINDS; k++)
		if (cell->pages[k] > cell->pages[most])
			most = k;
	if (most == MYALLOC_IS_FREE)
		return &shades[SHADE_FREE + (cell->largest > FREE_MIDDLE) +
			       (cell->largest > FREE_LARGE)];
	if (most != MYALLOC_IS_SLAB)
		return first_of(most);
	tenth = cell->filled / cell->pages[most] / 100;
	return &shades[SHADE_SLAB + (tenth < 10 ? tenth / 2 : 4)];
}

/* ---- one place ---- */

static const char *state_name(__u32 state)
{
	static const char *const names[] = {
		[MYALLOC_SLOT_IS_FREE] = "free",
		[MYALLOC_SLOT_IS_CACHED] = "cached",
		[MYALLOC_SLOT_IS_LIVE] = "live",
		[MYALLOC_SLOT_IS_DEFERRED] = "deferred",
		[MYALLOC_SLOT_IS_MOVING] = "moving",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static void put_stack(struct out *o, const char *stack)
{
	const char *end;
	char *line;

	out_cards(o, "stack", "call stack");
	for (; *stack; stack = *end ? end + 1 : end) {
		stack += strspn(stack, " ");
		end = stack + strcspn(stack, "\n");
		if (end == stack)
			continue;
		line = xasprintf("%.*s", (int)(end - stack), stack);
		out_item(o);
		out_str(o, "at", "", OUT_PLAIN, line);
		out_end(o);
		free(line);
	}
	out_end(o);
}

static void put_who(struct out *o, const char *key, const char *label, const char *verb,
		    const struct myalloc_who *who)
{
	char *stack;

	out_group(o, key, *who->by ? label : NULL);
	if (!*who->by) {
		out_null(o, "by", NULL);
		out_end(o);
		return;
	}
	out_strn(o, "by", verb, OUT_PLAIN, who->by, sizeof(who->by));
	if (who->age_ns != ~0ull) {
		out_u64(o, "pid", "thread", OUT_PLAIN, who->pid);
		out_u64(o, "age_ns", "ago", OUT_NS, who->age_ns);
	}
	stack = xasprintf("%.*s", (int)sizeof(who->stack) - 1, who->stack);
	if (*stack)
		put_stack(o, stack);
	free(stack);
	out_end(o);
}

/* Add a name that may be empty. */
static void put_name(struct out *o, const char *key, const char *label, const char *name,
		     size_t size)
{
	if (*name)
		out_strn(o, key, label, OUT_PLAIN, name, size);
	else
		out_null(o, key, NULL);
}

void look_describe(struct out *o, const struct myalloc_look *look)
{
	bool slot = look->slot != MYALLOC_LOOK_NONE;

	out_str(o, "kind", "what", OUT_PLAIN, kind_name(look->kind));
	out_u64(o, "first_page", "first page", OUT_PLAIN, look->first);
	out_u64(o, "pages", "pages", OUT_PAGES, look->pages);
	out_u64(o, "order", "order", OUT_PLAIN, look->order);
	if (look->cache) {
		out_strn(o, "cache", "cache", OUT_PLAIN, look->name, sizeof(look->name));
		out_u64(o, "cache_id", "number of the cache", OUT_PLAIN, look->cache);
		out_u64(o, "slots", "slots", OUT_PLAIN, look->slots);
		out_u64(o, "used", "in use or in a magazine", OUT_PLAIN, look->used);
		out_u64(o, "object_bytes", "object", OUT_BYTES, look->object_size);
	} else {
		out_null(o, "cache", NULL);
	}
	if (look->cache && slot) {
		out_u64(o, "slot", "slot", OUT_PLAIN, look->slot);
		out_str(o, "state", "state of the slot", OUT_PLAIN, state_name(look->state));
	} else {
		out_null(o, "slot", NULL);
	}
	out_s64(o, "offset_bytes", look->offset ? "bytes from its beginning" : NULL, OUT_PLAIN,
		look->offset);
	put_name(o, "contract", "line of a contract", look->contract, sizeof(look->contract));
	put_name(o, "client", "client", look->client, sizeof(look->client));
	if (look->pid) {
		out_strn(o, "process", "held for", OUT_PLAIN, look->comm, sizeof(look->comm));
		out_u64(o, "process_pid", "process", OUT_PLAIN, look->pid);
	}
	put_who(o, "allocated", "Allocated", "by", &look->alloc);
	put_who(o, "freed", "Freed last", "by", &look->free);
}
