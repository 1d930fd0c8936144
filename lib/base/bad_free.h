/* SPDX-License-Identifier: GPL-2.0 */
/* Bad frees: the reasons why a free is refused */
#ifndef MYALLOC_BAD_FREE_H
#define MYALLOC_BAD_FREE_H

/* Why a free was refused. Later reasons imply more knowledge about the address. */
enum myalloc_bad {
	MYALLOC_OK = 0,
	MYALLOC_BAD_FOREIGN,	/* not an address of this zone */
	MYALLOC_BAD_MISALIGNED,	/* not where a block or object can begin */
	MYALLOC_BAD_INTERIOR,	/* inside a block, not at its beginning */
	MYALLOC_BAD_FREE,	/* already free: a double free */
	MYALLOC_BAD_ORDER,	/* allocated with another order */
	MYALLOC_BAD_LENGTH,	/* allocated with another number of pages */
	MYALLOC_BAD_KIND,	/* a page passed as an object, or the reverse */
	MYALLOC_BAD_CACHE,	/* an object of another cache */
	MYALLOC_NR_BAD
};

const char *myalloc_bad_name(enum myalloc_bad bad);

#endif /* MYALLOC_BAD_FREE_H */
