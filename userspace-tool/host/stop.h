/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stop: SIGINT, SIGTERM and SIGHUP end the work, not the program
 *
 * After stop_catch() they are blocked except in stop_wait(), so that none is lost between a
 * check and the wait; stop_signal() sees pending ones. SIGHUP stays ignored if it was at the
 * start, as under nohup.
 */
#ifndef MYALLOCCTL_STOP_H
#define MYALLOCCTL_STOP_H

#include <linux/types.h>

#define STOP_NEVER	(~0ull)	/* as a time to wait */

void stop_catch(void);
/* The signal that came last, 0 if none did. */
int stop_signal(void);
int stop_count(void);
/* Around a call that a signal may cut short. */
void stop_unblock(void);
void stop_block(void);
/* Waits for @fd (-1: none) to be readable: 1 if it is, 0 after @ms, -EINTR. */
int stop_wait(int fd, __u64 ms);
__u64 stop_now_ms(void);

#endif /* MYALLOCCTL_STOP_H */
