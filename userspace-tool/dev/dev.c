// SPDX-License-Identifier: GPL-2.0
/*
 * dev: the only caller of /dev/myalloc
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

int dev_map(int fd, __u64 handle, __u64 page_size, size_t size, bool apart, void **at)
{
	const size_t align = 2u << 20, behind = apart ? page_size : 0;
	size_t all = size + align + behind;
	char *room, *p;
	int err;

	*at = NULL;
	/* Reserve addresses, map the block over the aligned part, and unmap the rest. */
	room = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	p = room + (-(uintptr_t)room & (align - 1)) + behind;
	if (mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 handle * page_size) == MAP_FAILED) {
		err = -errno;
		munmap(room, all);
		return err;
	}
	if (p > room)
		munmap(room, p - room);
	if (p + size < room + all)
		munmap(p + size, room + all - (p + size));
	*at = p;
	return 0;
}

void dev_unmap(void *at, size_t size)
{
	munmap(at, size);
}

int dev_map_ring(int fd, size_t size, void **at)
{
	*at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (*at != MAP_FAILED)
		return 0;
	*at = NULL;
	return -errno;
}

bool dev_can_write_ring(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return false;
	munmap(at, size);
	return true;
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

int dev_read_contract(int fd, struct myalloc_contract_progress *p)
{
	ssize_t n = read(fd, p, sizeof(*p));

	return n < 0 ? -errno : n == sizeof(*p);
}
