/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The states of a search: each is visited once, in the order in which they were found
 *
 * A state of a store is a key: its allocated frames << 32 | those at which an allocation begins.
 */
#ifndef MYALLOC_TESTS_STATE_SET_H
#define MYALLOC_TESTS_STATE_SET_H

#include "program.h"

#define STATE_BITS_LEAST	16
#define STATE_BITS_MOST		27	/* 1 GiB */

/**
 * struct state_set - states that were found
 * @table: their keys, hashed, each plus one; 0 is an empty place
 * @queue: their keys, in the order in which they were found
 * @nr: number of states
 * @done: number of those that state_set_next() has returned
 * @bits: log2 of the places in @table, half of which are used at most
 */
struct state_set {
	u64 *table;
	u64 *queue;
	u64 nr, done;
	u32 bits;
};

static inline bool state_set_insert(struct state_set *s, u64 key)
{
	u64 at = (key + 1) * 0x9e3779b97f4a7c15ULL >> (64 - s->bits);

	while (s->table[at]) {
		if (s->table[at] == key + 1)
			return false;
		at = (at + 1) & (BIT(s->bits) - 1);
	}
	s->table[at] = key + 1;
	return true;
}

static inline void state_set_resize(struct state_set *s, u32 bits)
{
	u64 i;

	s->bits = bits;
	free(s->table);
	s->table = calloc(BIT(bits), sizeof(u64));
	s->queue = realloc(s->queue, BIT(bits) / 2 * sizeof(u64));
	if (!s->table || !s->queue)
		host_fatal("no memory for the states");
	for (i = 0; i < s->nr; i++)
		state_set_insert(s, s->queue[i]);
}

/* Begin a search with the empty store. */
static inline void state_set_begin(struct state_set *s)
{
	s->nr = 0;
	s->done = 0;
	state_set_resize(s, STATE_BITS_LEAST);
	state_set_insert(s, 0);
	s->queue[s->nr++] = 0;
}

/* Returns false if there is no room for one more state. */
static inline bool state_set_visit(struct state_set *s, u32 used, u32 head)
{
	u64 key = (u64)used << 32 | head;

	if (s->nr == BIT(s->bits) / 2) {
		if (s->bits == STATE_BITS_MOST)
			return false;
		state_set_resize(s, s->bits + 1);
	}
	if (state_set_insert(s, key))
		s->queue[s->nr++] = key;
	return true;
}

/* The next state; false if all were visited. */
static inline bool state_set_next(struct state_set *s, u32 *used, u32 *head)
{
	if (s->done == s->nr)
		return false;
	*used = s->queue[s->done] >> 32;
	*head = s->queue[s->done++];
	return true;
}

static inline void state_set_end(struct state_set *s)
{
	free(s->table);
	free(s->queue);
	s->table = NULL;
	s->queue = NULL;
}

/* Pages of the allocation that begins at @idx: up to the next beginning or free frame. */
static inline u32 state_size(u32 used, u32 head, u32 idx, u32 nr)
{
	u32 size = 1;

	while (idx + size < nr && used >> (idx + size) & 1 && !(head >> (idx + size) & 1))
		size++;
	return size;
}

/* A mask of the lowest @nr frames, 1 to 32. */
static inline u32 state_mask(u32 nr)
{
	return (u32)((1ULL << nr) - 1);
}

#endif /* MYALLOC_TESTS_STATE_SET_H */
