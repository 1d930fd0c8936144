/* SPDX-License-Identifier: GPL-2.0 */
/* Memory contents that identify their writer */
#ifndef MYALLOC_PATTERN_H
#define MYALLOC_PATTERN_H

/**
 * struct myalloc_damage - where memory differs from its pattern
 * @offset: bytes from the beginning to the first wrong word
 * @found: the value of that word
 * @expected: the value that it should have
 * @words: number of wrong words
 * @of: number of words checked; the last one may be incomplete
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
