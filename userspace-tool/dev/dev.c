// SPDX-License-Identifier: GPL-2.0
/*
 * dev: the only caller of /dev/myalloc
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/dev.h"
#include "host/stop.h"

int dev_open(void)
{
	int fd = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void dev_close(int fd)
{
	close(fd);
}

int dev_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

bool dev_load(const char *module)
{
	const char *words[] = { "modprobe", "-q", module, NULL };
	char *const none[] = { NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, (char *const *)words, none))
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int dev_wait(int fd, __u64 ms)
{
	return stop_wait(fd, ms);
}

int dev_read_progress(int fd, struct myalloc_stress_progress *p, int nr)
{
	ssize_t n = read(fd, p, nr * sizeof(*p));

	return n < 0 ? -errno : (int)(n / sizeof(*p));
}

int dev_read_bench(int fd, struct myalloc_bench_progress *p)
{
	ssize_t n = read(fd, p, sizeof(*p));

	return n < 0 ? -errno : n == sizeof(*p);
}
