/* SPDX-License-Identifier: GPL-2.0 */
/*
 * explain_made: the meaning of numbers in results that are not statistics of the module
 */
#ifndef MYALLOCCTL_EXPLAIN_MADE_H
#define MYALLOCCTL_EXPLAIN_MADE_H

/* @of: the results that contain it; a name may have another meaning in other results. */
struct explain_made {
	const char *name;
	const char *of;
	const char *help;
};

extern const struct explain_made explain_made[];	/* the last has no name */

#endif /* MYALLOCCTL_EXPLAIN_MADE_H */
