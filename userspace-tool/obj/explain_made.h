/* SPDX-License-Identifier: GPL-2.0 */
/*
 * explain_made: what the numbers of results mean that are no statistic of the module
 */
#ifndef MYALLOCCTL_EXPLAIN_MADE_H
#define MYALLOCCTL_EXPLAIN_MADE_H

/* @of: the results it is in; one name may mean something else in another one. */
struct explain_made {
	const char *name;
	const char *of;
	const char *help;
};

extern const struct explain_made explain_made[];	/* the last has no name */

#endif /* MYALLOCCTL_EXPLAIN_MADE_H */
