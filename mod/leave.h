/* SPDX-License-Identifier: GPL-2.0 */
/* Modules that leave memory behind: see leave.c. */
#ifndef MYALLOC_LEAVE_H
#define MYALLOC_LEAVE_H

struct myalloc_nodes;

int myalloc_leave_init(struct myalloc_nodes *nodes);
void myalloc_leave_exit(void);

#endif /* MYALLOC_LEAVE_H */
