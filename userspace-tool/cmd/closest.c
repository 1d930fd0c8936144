// SPDX-License-Identifier: GPL-2.0
/*
 * closest: the valid word that a mistyped one was probably meant to be
 *
 * The distance is that of optimal string alignment: an insertion, a deletion, a replacement and a
 * swap of neighbours each count one.
 */
#include <stddef.h>
#include <string.h>

#include "cmd/closest.h"

#define WORD_MAX	32

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

static int distance(const char *a, const char *b)
{
	int d[WORD_MAX + 1][WORD_MAX + 1];
	int la = strlen(a), lb = strlen(b), i, j, swapped;

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i < 2 || j < 2 || a[i - 1] != b[j - 2] ||
			    a[i - 2] != b[j - 1])
				continue;
			swapped = d[i - 2][j - 2] + 1;
			if (swapped < d[i][j])
				d[i][j] = swapped;
		}
	}
	return d[la][lb];
}

/*
 * Words are close if one is a prefix of the other (from two letters on), or if at most a third of
 * the letters, at least one, are wrong. NULL if none is close.
 */
const char *closest(const char *word, const char *const *right, int nr)
{
	int limit = ((int)strlen(word) + 2) / 3, best = limit + 1, i, d;
	size_t len = strlen(word), common;
	const char *found = NULL;

	for (i = 0; i < nr; i++) {
		common = strlen(right[i]) < len ? strlen(right[i]) : len;
		d = distance(word, right[i]);
		if (common >= 2 && !strncmp(word, right[i], common) && d > 1)
			d = 1;
		if (d < best) {
			best = d;
			found = right[i];
		}
	}
	return found;
}
