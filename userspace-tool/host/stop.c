// SPDX-License-Identifier: GPL-2.0
/*
 * stop: SIGINT, SIGTERM and SIGHUP end the work, not the program
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "host/mem.h"
#include "host/stop.h"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
static sigset_t caught;		/* none before stop_catch() */
static volatile sig_atomic_t came;
static volatile sig_atomic_t count;

static void on_signal(int sig)
{
	came = sig;
	count++;
}

void stop_catch(void)
{
	struct sigaction act = { .sa_handler = on_signal }, old;
	size_t i;

	sigemptyset(&caught);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		sigaction(ends[i], NULL, &old);
		/* nohup: the program is to outlive its terminal. */
		if (ends[i] == SIGHUP && old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&caught, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &caught, NULL);
	act.sa_mask = caught;
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigismember(&caught, ends[i]))
			sigaction(ends[i], &act, NULL);
}

/* A signal that is pending while blocked counts as well. */
static void take_pending(void)
{
	const struct timespec now = { 0 };
	int sig;

	while ((sig = sigtimedwait(&caught, NULL, &now)) > 0)
		on_signal(sig);
}

int stop_signal(void)
{
	take_pending();
	return came;
}

int stop_count(void)
{
	take_pending();
	return count;
}

void stop_unblock(void)
{
	sigprocmask(SIG_UNBLOCK, &caught, NULL);
}

void stop_block(void)
{
	sigprocmask(SIG_BLOCK, &caught, NULL);
}

int stop_wait(int fd, __u64 ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};
	sigset_t set;
	size_t i;
	int n;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigismember(&caught, ends[i]))
			sigdelset(&set, ends[i]);
	n = ppoll(&p, fd >= 0, ms == STOP_NEVER ? NULL : &ts, &set);
	return n < 0 ? -errno : n;
}

__u64 stop_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}
