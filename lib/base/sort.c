// SPDX-License-Identifier: GPL-2.0
/*
 * Sorting
 *
 * The kernel's sort() does not reschedule: with a million elements it occupies a CPU for a
 * quarter of a second. This is the textbook heapsort (Williams, CACM 7(6), 1964). It is no
 * faster, but calls cond_resched() after every SLICE elements.
 */
#include "env.h"

#include "base/sort.h"

/* Elements moved between two calls of cond_resched(); about 20 levels each. */
#define SLICE	1024

static void swap_elements(u8 *a, u8 *b, size_t size)
{
	for (; size; size--, a++, b++)
		swap(*a, *b);
}

/* Moves element @i of a heap of @nr elements down to its place. */
static void sift_down(u8 *base, size_t i, size_t nr, size_t size,
		      int (*compare)(const void *a, const void *b))
{
	size_t child;

	for (; (child = 2 * i + 1) < nr; i = child) {
		if (child + 1 < nr && compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + i * size, base + child * size) >= 0)
			return;
		swap_elements(base + i * size, base + child * size, size);
	}
}

/**
 * myalloc_sort() - sort an array in ascending order
 * @base: the array
 * @nr: number of elements
 * @size: bytes per element
 * @compare: returns a value less than, equal to or greater than 0 if @a is less than, equal to or
 *	greater than @b
 *
 * The order of equal elements is not preserved.
 *
 * Context: task; reschedules.
 */
void myalloc_sort(void *base, size_t nr, size_t size, int (*compare)(const void *a, const void *b))
{
	u8 *first = base;
	size_t i;

	for (i = nr / 2; i--; ) {
		sift_down(first, i, nr, size, compare);
		if (!(i % SLICE))
			cond_resched();
	}
	for (i = nr; i > 1; ) {
		swap_elements(first, first + --i * size, size);
		sift_down(first, 0, i, size, compare);
		if (!(i % SLICE))
			cond_resched();
	}
}
