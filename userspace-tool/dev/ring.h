/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring: the records of a mapped ring, whose layout is in uapi/ring.h
 */
#ifndef MYALLOCCTL_RING_H
#define MYALLOCCTL_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "myalloc.h"

/* A ring that is mapped at @control; @pos is the record that is read next. */
struct ring_view {
	const struct myalloc_ring_control *control;
	const char *data;
	__u64 bytes;
	__u32 header;
	__u64 pos;
};

static inline void ring_begin(struct ring_view *v, const void *at, size_t page_size)
{
	v->control = at;
	v->data = (const char *)at + page_size;
	v->bytes = v->control->data_bytes;
	v->header = v->control->header_bytes;
	v->pos = __atomic_load_n(&v->control->oldest, __ATOMIC_RELAXED);
}

/* The next record and its length, NULL if there is none. It stays until it is released. */
static inline const void *ring_next(struct ring_view *v, size_t *length)
{
	while (v->pos != __atomic_load_n(&v->control->tail, __ATOMIC_ACQUIRE)) {
		const char *at = v->data + (v->pos & (v->bytes - 1));
		const struct myalloc_ring_record *record = (const void *)at;
		__u32 word = __atomic_load_n(&record->length, __ATOMIC_ACQUIRE);

		if (word & MYALLOC_RECORD_BUSY)
			break;
		*length = word & MYALLOC_RECORD_LENGTH;
		v->pos += (v->header + *length + MYALLOC_RECORD_ALIGN - 1) &
			  ~(__u64)(MYALLOC_RECORD_ALIGN - 1);
		if (!(word & MYALLOC_RECORD_DISCARDED))
			return at + v->header;
	}
	return NULL;
}

/* The value that fixes length and content of record @number of MYALLOC_IOC_RING_PRODUCE. */
static inline __u64 ring_mix(__u64 number, __u64 seed)
{
	return (number ^ seed) * 0x9e3779b97f4a7c15ull;
}

static inline bool ring_is_discarded(__u64 number, __u64 seed)
{
	return !(ring_mix(number, seed) >> 52 & 15);
}

/* Has a record the length and the content that belong to its number? */
static inline bool ring_is_good(const void *record, size_t length, __u64 seed)
{
	__u64 x, word = *(const __u64 *)record;
	size_t at, n;

	x = ring_mix(word, seed);
	if (length != sizeof(word) + (x >> 56) || ring_is_discarded(word, seed))
		return false;
	for (at = 0; at < length; at += n) {
		n = length - at < sizeof(word) ? length - at : sizeof(word);
		if (__builtin_memcmp((const char *)record + at, &word, n))
			return false;
		word = x + at / sizeof(word) + 1;
	}
	return true;
}

#endif /* MYALLOCCTL_RING_H */
