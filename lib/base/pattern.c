// SPDX-License-Identifier: GPL-2.0
/*
 * Patterns
 *
 * What it is: a test fills each piece of memory it gets with a content that belongs to
 * this piece alone, and looks at all of it before it gives the piece back. If two
 * pieces overlap, if a write went astray or was lost, or if a piece was handed out twice,
 * some word does not read as it should. A wrong word also tells who wrote it.
 *
 * Terms
 *	identity	64 bits that name one allocation: never used twice in a run
 *	key		mix(identity + mix(seed)): one-to-one for a seed
 *	word i		key + i * GOLDEN, modulo 2^64
 *
 * GOLDEN is odd, so the words of a piece all differ, and the content of another place of
 * the same piece is noticed too. Two pieces of w words share no word at all but with a
 * probability of 2w / 2^64. A word costs one addition, so that filling costs about
 * what memset() costs. The mix makes keys that look random out of identities that are
 * consecutive numbers; it can be undone, so from a word, the seed and a guess of i the
 * identity of its writer follows (myalloc_pattern_trace()).
 *
 * The bytes after the last whole word are the beginning of the next one.
 *
 * Limits: a write that puts back what was there, or that reaches memory after it was
 * checked, is not seen.
 */
#include "env.h"
#include "base/pattern.h"
#include "base/random.h"

#define WORD	sizeof(u64)

/**
 * myalloc_pattern_key() - the key of a piece of memory
 * @seed: of the run
 * @identity: of the piece
 *
 * Return: the key.
 */
u64 myalloc_pattern_key(u64 seed, u64 identity)
{
	return myalloc_mix64(identity + myalloc_mix64(seed));
}

/**
 * myalloc_pattern_identity() - the inverse of myalloc_pattern_key()
 * @seed: of the run
 * @key: of the piece
 *
 * Return: the identity.
 */
u64 myalloc_pattern_identity(u64 seed, u64 key)
{
	return myalloc_unmix64(key) - myalloc_mix64(seed);
}

/**
 * myalloc_pattern_fill() - write the pattern
 * @mem: aligned to 8 bytes
 * @size: bytes, any number
 * @key: from myalloc_pattern_key()
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
 * Word i should read @key + i * @step. The first loop is the one that matters for speed;
 * the second counts once it is known that something is wrong.
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
 * myalloc_pattern_check() - does memory hold its pattern?
 * @mem: aligned to 8 bytes
 * @size: bytes, any number
 * @key: that it was filled with
 * @damage: out: what is wrong; @damage->words is 0 if nothing is
 *
 * Return: true if every byte is as it should be.
 */
bool myalloc_pattern_check(const void *mem, size_t size, u64 key,
			   struct myalloc_damage *damage)
{
	return check(mem, size, key, MYALLOC_GOLDEN64, damage);
}

/**
 * myalloc_pattern_check_zero() - does memory read as zero?
 * @mem: aligned to 8 bytes
 * @size: bytes, any number
 * @damage: out, as in myalloc_pattern_check()
 *
 * Return: true if every byte is zero.
 */
bool myalloc_pattern_check_zero(const void *mem, size_t size,
				struct myalloc_damage *damage)
{
	return check(mem, size, 0, 0, damage);
}

/**
 * myalloc_pattern_trace() - who wrote this word?
 * @word: a whole word found where it should not be
 * @seed: of the run
 * @index_end: words in the largest piece: the word may be any of them
 * @plausible: can this identity exist, and its piece have a word of this index? The
 *	fewer of all 2^64 identities it accepts the surer is the answer
 * @arg: its argument
 * @identity: out: of the writer
 * @index: out: which of its words it is
 *
 * Tries every index, so it takes @index_end steps: for use after a first error.
 *
 * Return: false if nobody of this run wrote it.
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
