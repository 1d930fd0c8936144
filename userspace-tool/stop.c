// SPDX-License-Identifier: GPL-2.0
/*
 * stop: SIGINT and SIGTERM end the work, not the program
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "stop.h"

static volatile sig_atomic_t came;
static volatile sig_atomic_t count;

static void on_signal(int sig)
{
	came = sig;
	count++;
}

void stop_catch(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	act.sa_mask = set;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

int stop_signal(void)
{
	return came;
}

int stop_count(void)
{
	return count;
}

int stop_wait(int fd, __u64 ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};
	sigset_t set;
	int n;

	sigprocmask(SIG_BLOCK, NULL, &set);
	sigdelset(&set, SIGINT);
	sigdelset(&set, SIGTERM);
	n = ppoll(&p, fd >= 0, ms == STOP_NEVER ? NULL : &ts, &set);
	return n < 0 ? -errno : n;
}

__u64 stop_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}
