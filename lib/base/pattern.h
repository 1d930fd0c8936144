/* SPDX-License-Identifier: GPL-2.0 */
/* Contents of memory that tell whose it is. */
#ifndef MYALLOC_PATTERN_H
#define MYALLOC_PATTERN_H

/**
 * struct myalloc_damage - where memory does not hold its pattern
 * @offset: bytes from the beginning to the first wrong word
 * @found: what it reads
 * @expected: what it should read
 * @words: words that are wrong
 * @of: words looked at; the last one may be a part of one
 */
struct myalloc_damage {
	size_t offset;
	u64 found;
	u64 expected;
	size_t words;
	size_t of;
};

u64 myalloc_pattern_key(u64 seed, u64 identity);
u64 myalloc_pattern_identity(u64 seed, u64 key);
void myalloc_pattern_fill(void *mem, size_t size, u64 key);
bool myalloc_pattern_check(const void *mem, size_t size, u64 key,
			   struct myalloc_damage *damage);
bool myalloc_pattern_check_zero(const void *mem, size_t size,
				struct myalloc_damage *damage);

typedef bool (*myalloc_identity_fn)(u64 identity, size_t index, const void *arg);
bool myalloc_pattern_trace(u64 word, u64 seed, size_t index_end,
			   myalloc_identity_fn plausible, const void *arg,
			   u64 *identity, size_t *index);

#endif /* MYALLOC_PATTERN_H */
