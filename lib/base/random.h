/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that are reproducible from a seed, on every machine and in every build
 *
 * The generator is SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014): a counter that advances by the golden ratio, each value mixed by
 * myalloc_mix64(). Every seed is good, the period is 2^64, and the state is one word. Not for
 * secrets.
 */
#ifndef MYALLOC_RANDOM_H
#define MYALLOC_RANDOM_H

#define MYALLOC_GOLDEN64	0x9e3779b97f4a7c15ULL	/* 2^64 / golden ratio, odd */

/**
 * myalloc_mix64() - mix 64 bits, one-to-one
 * @x: any number
 *
 * The finaliser of SplitMix64 (Stafford's mix 13).
 *
 * Context: any.
 * Return: the mixed number; different for each @x.
 */
static inline u64 myalloc_mix64(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/**
 * myalloc_unmix64() - the inverse of myalloc_mix64()
 * @x: any number
 *
 * Multiplies by the inverses modulo 2^64, and inverts x ^ x >> n by shifts of n, 2n, ...
 *
 * Context: any.
 * Return: the number that myalloc_mix64() maps to @x.
 */
static inline u64 myalloc_unmix64(u64 x)
{
	x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642b2d24d8ec3ULL;
	x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96de1b173f119089ULL;
	return x ^ (x >> 30) ^ (x >> 60);
}

/**
 * struct myalloc_random - a stream of random numbers
 * @state: advances by MYALLOC_GOLDEN64 with each number
 */
struct myalloc_random {
	u64 state;
};

/**
 * myalloc_random_init() - initialise a stream
 * @random: the stream
 * @seed: any number
 * @stream: number of the stream; streams of one seed with different numbers are unrelated
 *
 * Context: any.
 */
static inline void myalloc_random_init(struct myalloc_random *random, u64 seed, u64 stream)
{
	random->state = myalloc_mix64(myalloc_mix64(seed) + stream);
}

/**
 * myalloc_random_next() - the next random number
 * @random: the stream; the caller excludes other users
 *
 * Context: any.
 * Return: 64 random bits.
 */
static inline u64 myalloc_random_next(struct myalloc_random *random)
{
	random->state += MYALLOC_GOLDEN64;
	return myalloc_mix64(random->state);
}

/**
 * myalloc_random_below() - a random number in a range
 * @random: the stream
 * @end: end of the range, not 0
 *
 * By multiplication (Lemire 2019); the bias is at most @end / 2^32.
 *
 * Context: any.
 * Return: 0 to @end - 1.
 */
static inline u32 myalloc_random_below(struct myalloc_random *random, u32 end)
{
	return (u64)(u32)myalloc_random_next(random) * end >> 32;
}

/**
 * myalloc_random_one_in() - true once in @n calls on average
 * @random: the stream
 * @n: not 0
 *
 * Context: any.
 * Return: true with probability 1 / @n.
 */
static inline bool myalloc_random_one_in(struct myalloc_random *random, u32 n)
{
	return !myalloc_random_below(random, n);
}

#define MYALLOC_CHOICE_MAX	16

/**
 * struct myalloc_choice - a weighted choice
 * @nr: number of alternatives
 * @limit: a random 32-bit number below limit[i], but not below limit[i - 1], chooses alternative
 *	i
 */
struct myalloc_choice {
	u32 nr;
	u64 limit[MYALLOC_CHOICE_MAX];
};

/**
 * myalloc_choice_init() - initialise a weighted choice
 * @choice: the choice
 * @weights: relative frequencies, not all 0
 * @nr: number of weights, at most MYALLOC_CHOICE_MAX
 *
 * The error of each probability is at most 2^-31. An alternative with weight 0 is never chosen.
 *
 * Context: any.
 */
static inline void myalloc_choice_init(struct myalloc_choice *choice, const u32 *weights, u32 nr)
{
	u64 sum = 0, total = 0;
	u32 i, shift;

	for (i = 0; i < nr; i++)
		total += weights[i];
	/* The sum is at most 16 * 2^32, four bits too many to be multiplied by 2^32. */
	shift = total >> 32 ? 4 : 0;
	choice->nr = nr;
	for (i = 0; i < nr; i++) {
		sum += weights[i];
		choice->limit[i] = sum == total ? BIT_ULL(32) :
				   div_u64((sum >> shift) << 32, total >> shift);
	}
}

/**
 * myalloc_choose() - choose one of several weighted alternatives
 * @choice: from myalloc_choice_init()
 * @random: the stream of random numbers
 *
 * Context: any.
 * Return: the number of the alternative, counted from 0.
 */
static inline u32 myalloc_choose(const struct myalloc_choice *choice,
				 struct myalloc_random *random)
{
	u32 number = myalloc_random_next(random);
	u32 i = 0;

	while (number >= choice->limit[i])
		i++;
	return i;
}

/**
 * myalloc_random_size() - choose a size, small ones as often as large ones
 * @bits: 64 random bits
 * @most: the largest size; not 0
 *
 * Context: any.
 * Return: the size, which may be 0.
 */
static inline u32 myalloc_random_size(u64 bits, u32 most)
{
	u32 below = 2U << (u32)bits % (ilog2(most) + 1);

	return min((u32)(bits >> 32) % below, most);
}

#endif /* MYALLOC_RANDOM_H */
