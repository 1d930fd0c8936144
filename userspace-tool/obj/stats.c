// SPDX-License-Identifier: GPL-2.0
/*
 * stats: the statistics of zones and caches, from the one list of them
 */
#include <string.h>

#include "obj/stats.h"

#define ONE(type, name, kind, unit, label, help)				\
	{ #name, #name, label, help, STAT_##kind, STAT_##unit,			\
	  offsetof(struct myalloc_stat, name), sizeof(type), false },
#define BY_ORDER(type, name, kind, unit, label, key, help)			\
	{ #name, #key, label, help, STAT_##kind, STAT_##unit,			\
	  offsetof(struct myalloc_stat, name), sizeof(type), true },
#define OF_CACHE(type, name, file, kind, unit, label, key, help)		\
	{ #name, #key, label, help, STAT_##kind, STAT_##unit,			\
	  offsetof(struct myalloc_cache_stat, name), sizeof(type), false },
/* STRUCT is the struct that the list describes. */
#define OTHER(type, name, kind, unit, label, help)				\
	{ #name, #name, label, help, STAT_##kind, STAT_##unit,			\
	  offsetof(struct STRUCT, name), sizeof(type), false },

const struct stat_field zone_fields[] = { MYALLOC_ZONE_FIELDS(ONE, BY_ORDER) { NULL } };
const struct stat_field cache_fields[] = { MYALLOC_CACHE_FIELDS(OF_CACHE) { NULL } };

#define STRUCT myalloc_heap_stat
const struct stat_field heap_fields[] = { MYALLOC_HEAP_FIELDS(OTHER) { NULL } };
#undef STRUCT

#define STRUCT myalloc_pool_stat
const struct stat_field pool_fields[] = { MYALLOC_POOL_FIELDS(OTHER) { NULL } };
#undef STRUCT

#define STRUCT myalloc_ring_stat
const struct stat_field ring_fields[] = { MYALLOC_RING_FIELDS(OTHER) { NULL } };
#undef STRUCT

#define STRUCT myalloc_arena_stat
const struct stat_field arena_fields[] = { MYALLOC_ARENA_FIELDS(OTHER) { NULL } };
#undef STRUCT

#define STRUCT myalloc_client_stat
const struct stat_field client_fields[] = { MYALLOC_CLIENT_FIELDS(OTHER) { NULL } };
#undef STRUCT

#define STRUCT myalloc_contract_stat
const struct stat_field contract_fields[] = { MYALLOC_CONTRACT_FIELDS(OTHER) { NULL } };
#undef STRUCT

/* Those with 32 bits are signed in a zone's struct and small numbers in a cache's. */
__s64 stats_value(const struct stat_field *f, const void *stat, unsigned int order)
{
	const char *at = (const char *)stat + f->offset + (f->by_order ? order * f->bytes : 0);
	__s32 half;
	__s64 whole;

	if (f->bytes == sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		return half;
	}
	memcpy(&whole, at, sizeof(whole));
	return whole;
}

const char *stats_unit_name(const struct stat_field *f)
{
	switch (f->unit) {
	case STAT_PAGES:
		return "pages";
	case STAT_BYTES:
		return "bytes";
	case STAT_ORDER:
		return "order";
	case STAT_INDEX:
		return "1/1000";
	default:
		return "";
	}
}

static enum out_unit unit_of(const struct stat_field *f, __s64 value)
{
	switch (f->unit) {
	case STAT_PAGES:
		return OUT_PAGES;
	case STAT_BYTES:
		return OUT_BYTES;
	case STAT_INDEX:
		return OUT_INDEX;
	case STAT_ERROR:
		return value ? OUT_BAD : OUT_PLAIN;
	default:
		return OUT_PLAIN;
	}
}

/* An order is not a count: 0 is shown like any other, and -1 means that there is none. */
static void put_order(struct out *o, const struct stat_field *f, const char *label,
		      __s64 value)
{
	bool brief = out_brief(o, false);

	if (value >= 0)
		out_s64(o, f->key, label, OUT_PLAIN, value);
	else
		out_null(o, f->key, label);
	out_brief(o, brief);
}

void stats_put(struct out *o, const struct stat_field *f, const char *label, __s64 value)
{
	if (f->unit == STAT_ORDER)
		put_order(o, f, label, value);
	else if (f->bytes == sizeof(__s32))
		out_s64(o, f->key, label, unit_of(f, value), value);
	else
		out_u64(o, f->key, label, unit_of(f, value), value);
}

void stats_put_kind(struct out *o, const struct stat_field *fields, enum stat_kind kind,
		    const void *stat)
{
	const struct stat_field *f;

	for (f = fields; f->name; f++)
		if (f->kind == kind && !f->by_order)
			stats_put(o, f, f->label, stats_value(f, stat, 0));
}

__u64 stats_sum(const struct myalloc_stat *s)
{
	const struct stat_field *f;
	__u64 sum = 0;

	for (f = zone_fields; f->name; f++)
		if (f->kind == STAT_HOLDER)
			sum += stats_value(f, s, 0);
	return sum;
}

/* The indices of mm/vmstat.c for the free blocks of @s; lib/page/buddy.c says what they mean. */
static void find_indices(struct myalloc_stat *s)
{
	unsigned int k, max = s->max_order < MYALLOC_ORDERS ? s->max_order : MYALLOC_MAX_ORDER;
	__u64 blocks = sum_orders(s->free_blocks), pages = 0, suitable = 0;

	for (k = 0; k <= max; k++)
		pages += s->free_blocks[k] << k;
	for (k = max + 1; k-- > 0; ) {
		suitable += s->free_blocks[k] << k;
		s->unusable[k] = pages ? (pages - suitable) * 1000 / pages : 1000;
		if (suitable)
			s->extfrag[k] = -1000;
		else if (blocks)
			s->extfrag[k] = 1000 - (__s32)((1000 + (pages * 1000 >> k)) / blocks);
		else
			s->extfrag[k] = 0;
	}
}

void stats_add(struct myalloc_stat *sum, const struct myalloc_stat *s)
{
	const struct stat_field *f;
	size_t at;

	for (f = zone_fields; f->name; f++) {
		if (f->bytes != sizeof(__u64))
			continue;
		for (at = f->offset; at < f->offset + (f->by_order ? MYALLOC_ORDERS : 1) * f->bytes;
		     at += f->bytes) {
			__u64 a, b;

			memcpy(&a, (char *)sum + at, sizeof(a));
			memcpy(&b, (const char *)s + at, sizeof(b));
			a += b;
			memcpy((char *)sum + at, &a, sizeof(a));
		}
	}
	if (sum->max_order < s->max_order)
		sum->max_order = s->max_order;
	if (sum->largest_order < s->largest_order)
		sum->largest_order = s->largest_order;
	find_indices(sum);
}

void stats_row(struct out *o, const char *moment, const struct myalloc_stat *s)
{
	const struct stat_field *f;

	out_item(o);
	out_str(o, "moment", "", OUT_PLAIN, moment);
	stats_put_kind(o, zone_fields, STAT_HOLDER, s);
	for (f = zone_fields; f->name; f++)
		if (f->unit == STAT_ORDER)
			stats_put(o, f, f->label, stats_value(f, s, 0));
	out_rank(o, OUT_KEY);
	out_end(o);
}
