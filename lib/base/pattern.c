// SPDX-License-Identifier: GPL-2.0
/*
 * Patterns
 *
 * A test fills each piece of memory that it gets with a content that is unique to this piece, and
 * checks all of it before it frees the piece. If two pieces overlap, a write went astray or was
 * lost, or a piece was allocated twice, some word differs from the expected value. A wrong word
 * also identifies its writer.
 *
 * Terms
 *	identity	64 bits that name one allocation; never used twice in a run
 *	key		mix(identity + mix(seed)); one-to-one for a given seed
 *	word i		key + i * GOLDEN, modulo 2^64
 *
 * GOLDEN is odd, so all words of a piece differ, and content from another place of the same piece
 * is noticed too. Two pieces of w words each share no word at all except with a probability of 2w
 * / 2^64. A word costs one addition, so filling costs about as much as memset(). The mix turns
 * identities, which are consecutive numbers, into keys that look random. It can be inverted: from
 * a word, the seed and a guess of i follows the identity of its writer (myalloc_pattern_trace()).
 *
 * The bytes after the last whole word hold the beginning of the next word.
 *
 * Limits: a write that restores the old content, or that reaches memory after it was checked, is
 * not noticed.
 */
#include "env.h"
#include "base/pattern.h"
#include "base/random.h"

#define WORD	sizeof(u64)

/**
 * myalloc_pattern_key() - the key of a piece of memory
 * @seed: seed of the run
 * @identity: identity of the piece
 *
 * Context: any.
 * Return: the key.
 */
u64 myalloc_pattern_key(u64 seed, u64 identity)
{
	return myalloc_mix64(identity + myalloc_mix64(seed));
}

/**
 * myalloc_pattern_identity() - the inverse of myalloc_pattern_key()
 * @seed: seed of the run
 * @key: key of the piece
 *
 * Context: any.
 * Return: the identity.
 */
u64 myalloc_pattern_identity(u64 seed, u64 key)
{
	return myalloc_unmix64(key) - myalloc_mix64(seed);
}

/**
 * myalloc_pattern_fill() - fill memory with a pattern
 * @mem: the memory, aligned to 8 bytes
 * @size: bytes, any number
 * @key: from myalloc_pattern_key()
 *
 * Context: any.
 */
void myalloc_pattern_fill(void *mem, size_t size, u64 key)
{
	u64 *word = mem, *end = word + size / WORD;

	for (; word < end; word++, key += MYALLOC_GOLDEN64)
		*word = key;
	memcpy(word, &key, size % WORD);
}

static void note(struct myalloc_damage *damage, size_t offset, u64 found, u64 expected)
{
	if (damage->words++)
		return;
	damage->offset = offset;
	damage->found = found;
	damage->expected = expected;
}

/*
 * Word i should be @key + i * @step. The first loop is the one that matters for speed; the second
 * counts the damage once a wrong word was found.
 */
static bool check(const void *mem, size_t size, u64 key, u64 step,
		  struct myalloc_damage *damage)
{
	const u64 *word = mem, *end = word + size / WORD;
	u64 tail = 0, expected = 0;

	memset(damage, 0, sizeof(*damage));
	damage->of = DIV_ROUND_UP(size, WORD);
	for (; word < end && likely(*word == key); word++)
		key += step;
	for (; word < end; word++, key += step)
		if (*word != key)
			note(damage, (const char *)word - (const char *)mem, *word, key);
	memcpy(&tail, word, size % WORD);
	memcpy(&expected, &key, size % WORD);
	if (tail != expected)
		note(damage, (const char *)word - (const char *)mem, tail, expected);
	return !damage->words;
}

/**
 * myalloc_pattern_check() - check that memory holds its pattern
 * @mem: the memory, aligned to 8 bytes
 * @size: bytes, any number
 * @key: the key it was filled with
 * @damage: out: the damage; @damage->words is 0 if there is none
 *
 * Context: any.
 * Return: true if every byte has the expected value.
 */
bool myalloc_pattern_check(const void *mem, size_t size, u64 key,
			   struct myalloc_damage *damage)
{
	return check(mem, size, key, MYALLOC_GOLDEN64, damage);
}

/**
 * myalloc_pattern_check_zero() - check that memory is zero
 * @mem: the memory, aligned to 8 bytes
 * @size: bytes, any number
 * @damage: out: as for myalloc_pattern_check()
 *
 * Context: any.
 * Return: true if every byte is zero.
 */
bool myalloc_pattern_check_zero(const void *mem, size_t size,
				struct myalloc_damage *damage)
{
	return check(mem, size, 0, 0, damage);
}

/**
 * myalloc_pattern_trace() - find the writer of a word
 * @word: a whole word found where it does not belong
 * @seed: seed of the run
 * @index_end: number of words in the largest piece; the word may be any of them
 * @plausible: can this identity exist, and can its piece have a word with this index? The fewer
 *	of the 2^64 identities it accepts, the more certain is the result
 * @arg: argument of @plausible
 * @identity: out: identity of the writer
 * @index: out: index of the word in the writer's piece
 *
 * Tries every index, which takes up to @index_end steps; to be used after the first error.
 *
 * Context: any.
 * Return: false if no piece of this run contains the word.
 */
bool myalloc_pattern_trace(u64 word, u64 seed, size_t index_end,
			   myalloc_identity_fn plausible, const void *arg,
			   u64 *identity, size_t *index)
{
	size_t i;

	for (i = 0; i < index_end; i++, word -= MYALLOC_GOLDEN64) {
		*identity = myalloc_pattern_identity(seed, word);
		if (plausible(*identity, i, arg)) {
			*index = i;
			return true;
		}
	}
	return false;
}
