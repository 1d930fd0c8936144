// SPDX-License-Identifier: GPL-2.0
/* Names of the kinds of bad frees */
#include "env.h"
#include "base/bad_free.h"

static const char * const bad_names[MYALLOC_NR_BAD] = {
	[MYALLOC_OK] = "nothing wrong",
	[MYALLOC_BAD_FOREIGN] = "not memory of this zone",
	[MYALLOC_BAD_MISALIGNED] = "misaligned: nothing begins at this address",
	[MYALLOC_BAD_INTERIOR] = "inside a block, not at its beginning",
	[MYALLOC_BAD_FREE] = "already free (double free)",
	[MYALLOC_BAD_ORDER] = "allocated with another order",
	[MYALLOC_BAD_LENGTH] = "allocated with another number of pages",
	[MYALLOC_BAD_KIND] = "not what it was allocated as",
	[MYALLOC_BAD_CACHE] = "an object of another cache",
};

/**
 * myalloc_bad_name() - describe a bad free in words
 * @bad: the reason, any value
 *
 * Context: any.
 * Return: a static string; "unknown" if @bad is out of range.
 */
const char *myalloc_bad_name(enum myalloc_bad bad)
{
	return bad < MYALLOC_NR_BAD ? bad_names[bad] : "unknown";
}
