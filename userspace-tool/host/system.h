/* SPDX-License-Identifier: GPL-2.0 */
/*
 * system: what a result has to say about the machine it comes from
 */
#ifndef MYALLOCCTL_SYSTEM_H
#define MYALLOCCTL_SYSTEM_H

#include <stdbool.h>

struct out;

void system_describe(struct out *o);
/*
 * Options of the kernel that tell what a figure is worth, joined by spaces;
 * with @slow only those that change speed much. NULL if it does not tell.
 */
char *system_debug_options(bool slow);
unsigned long system_taint(void);

#define TAINT_DIE	(1ul << 7)	/* D: an oops or BUG happened */
#define TAINT_WARN	(1ul << 9)	/* W: a WARN happened */

#endif /* MYALLOCCTL_SYSTEM_H */
