// SPDX-License-Identifier: GPL-2.0
/*
 * map_test: blocks of the device in the address space of processes
 *
 * Maps, forks, unmaps, closes and kills in every order that may go wrong; afterwards the
 * statistics are those from before and the structure is sound. Runs as root where nothing else
 * uses the module; prints KTAP.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "guest.h"

#define WORDS(size)	((size) / sizeof(__u64))

static struct myalloc_info info;
static size_t page;
static int watcher;

static int open_device(void)
{
	return open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
}

static __u64 take(int fd, __u32 order)
{
	__u64 handle = 0;
	__u32 done;

	page_alloc(fd, order, 1, &handle, &done);
	return handle;
}

static void *map_as(int fd, __u64 handle, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, fd, handle * page);
}

static void *map(int fd, __u64 handle, size_t size)
{
	return map_as(fd, handle, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int ask(int fd, __u64 handle, struct myalloc_page_map *m)
{
	*m = (struct myalloc_page_map){ .handle = handle };
	return call(fd, MYALLOC_IOC_PAGE_MAP, m);
}

static __u32 maps_of(int fd, __u64 handle)
{
	struct myalloc_page_map m;

	return ask(fd, handle, &m) ? ~0u : m.maps;
}

static size_t nonzero(const __u64 *at, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < WORDS(size); i++)
		n += at[i] != 0;
	return n;
}

static void fill(__u64 *at, size_t size, __u64 seed)
{
	size_t i;

	for (i = 0; i < WORDS(size); i++)
		at[i] = seed + i;
}

static bool filled(const __u64 *at, size_t size, __u64 seed)
{
	size_t i;

	for (i = 0; i < WORDS(size); i++)
		if (at[i] != seed + i)
			return false;
	return true;
}

/* Every order: zero, as large as the block, the same memory twice, nothing of an earlier user. */
static void test_orders(void)
{
	__u32 order, round;

	for (order = 0; order <= info.max_order; order++)
		for (round = 0; round < 2; round++) {
			int fd = open_device();
			size_t size = page << order;
			__u64 handle = take(fd, order), *one, *two;

			CHECK(handle, "order %u: no block", order);
			one = map(fd, handle, size);
			CHECK(one != MAP_FAILED, "order %u: %s", order, strerror(errno));
			EXPECT(!nonzero(one, size), "order %u, round %u: %zu words are not zero",
			       order, round, nonzero(one, size));
			two = map(fd, handle, size);
			CHECK(two != MAP_FAILED, "order %u: %s", order, strerror(errno));
			fill(one, size, order);
			EXPECT(filled(two, size, order), "order %u: another memory", order);
			EXPECT(maps_of(fd, handle) == 2, "%u mappings", maps_of(fd, handle));
			EXPECT(page_free(fd, handle) == -EBUSY, "freed while mapped");
			munmap(one, size);
			EXPECT(page_free(fd, handle) == -EBUSY, "freed while mapped once");
			munmap(two, size);
			one = map(fd, handle, size);
			EXPECT(filled(one, size, order), "order %u: lost what it held", order);
			munmap(one, size);
			EXPECT(!page_free(fd, handle), "not freed when unmapped");
			close(fd);
		}
}

static void test_exact(void)
{
	struct myalloc_page_alloc a = { .nr_pages = 5, .count = 1 };
	int fd = open_device();
	__u64 handle = 0, *at;

	a.handles = addr_of(&handle);
	CHECK(!call(fd, MYALLOC_IOC_PAGE_ALLOC, &a), "no extent");
	at = map(fd, handle, 6 * page);
	EXPECT(at == MAP_FAILED && errno == EINVAL, "more than the block was mapped");
	at = map(fd, handle, 3 * page);
	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	fill(at, 3 * page, 7);
	EXPECT(page_free(fd, handle) == -EBUSY, "freed while mapped");
	munmap(at, 3 * page);
	at = map(fd, handle, 5 * page);
	EXPECT(filled(at, 3 * page, 7) && !nonzero(at + WORDS(3 * page), 2 * page),
	       "the rest of a block that was mapped in part");
	munmap(at, 5 * page);
	EXPECT(!page_free(fd, handle), "not freed");
	close(fd);
}

static void refused(int fd, __u64 handle, size_t size, int prot, int flags, int err,
		    const char *what)
{
	void *at = map_as(fd, handle, size, prot, flags);

	EXPECT(at == MAP_FAILED, "%s was mapped", what);
	EXPECT(at != MAP_FAILED || errno == err, "%s: %s", what, strerror(errno));
	if (at != MAP_FAILED)
		munmap(at, size);
}

static void test_refused(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	int fd = open_device(), other = open_device();
	__u64 handle = take(fd, 2), cache, object;
	__u32 done;
	void *at;

	refused(fd, handle, 4 * page, rw, MAP_PRIVATE, EINVAL, "a private mapping");
	refused(fd, handle, 4 * page, PROT_READ, MAP_PRIVATE, EINVAL, "a private one to read");
	refused(fd, handle, 5 * page, rw, MAP_SHARED, EINVAL, "more than the block");
	refused(fd, handle, 4 * page, rw | PROT_EXEC, MAP_SHARED, EPERM, "code");
	refused(fd, 0, page, rw, MAP_SHARED, ENOENT, "handle 0");
	refused(fd, handle + 1, page, rw, MAP_SHARED, ENOENT, "a handle to come");
	refused(fd, 1ull << 40, page, rw, MAP_SHARED, ENOENT, "a handle far off");
	refused(other, handle, page, rw, MAP_SHARED, ENOENT, "a handle of another file");
	CHECK(!cache_create(fd, "map", 64, 0, &cache), "no cache");
	obj_alloc(fd, cache, 1, &object, &done);
	refused(fd, object, page, rw, MAP_SHARED, ENOENT, "an object");
	refused(fd, cache, page, rw, MAP_SHARED, ENOENT, "a cache");
	EXPECT(!obj_free(fd, object), "object");
	at = map(fd, handle, 4 * page);
	EXPECT(mprotect(at, 4 * page, PROT_READ | PROT_EXEC) < 0, "became executable");
	EXPECT(mprotect(at, page, PROT_READ) < 0 && errno == EINVAL, "a part was protected");
	EXPECT(!mprotect(at, 4 * page, PROT_READ), "the whole was not protected");
	EXPECT(munmap(at, page) < 0 && errno == EINVAL, "a part was unmapped");
	EXPECT(munmap((char *)at + page, page) < 0, "the middle was unmapped");
	EXPECT(mremap(at, 4 * page, 8 * page, MREMAP_MAYMOVE) == MAP_FAILED, "it grew");
	EXPECT(mremap(at, 4 * page, page, 0) == MAP_FAILED, "it shrank");
	EXPECT(maps_of(fd, handle) == 1, "%u mappings", maps_of(fd, handle));
	munmap(at, 4 * page);
	EXPECT(!page_free(fd, handle), "not freed");
	refused(fd, handle, page, rw, MAP_SHARED, ENOENT, "a block that was freed");
	close(fd);
	close(other);
}

/* get_user_pages() and what is built on it fail; copies work. */
static void test_pinning(void)
{
	int fd = open_device(), pipes[2];
	__u64 handle = take(fd, 0);
	char *at = map(fd, handle, page), *buf = malloc(page);
	struct iovec local = { buf, page }, remote = { at, page };

	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	memset(at, 'x', page);
	EXPECT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0 && errno == EFAULT,
	       "process_vm_readv() read it");
	CHECK(!pipe(pipes), "no pipe");
	EXPECT(vmsplice(pipes[1], &remote, 1, 0) < 0 && errno == EFAULT, "vmsplice() took it");
	EXPECT(write(pipes[1], at, 100) == 100, "write: %s", strerror(errno));
	EXPECT(read(pipes[0], at + 200, 100) == 100, "read: %s", strerror(errno));
	EXPECT(mlock(at, page) == 0 || errno == EINVAL || errno == ENOMEM, "mlock");
	close(pipes[0]);
	close(pipes[1]);
	munmap(at, page);
	EXPECT(!page_free(fd, handle), "not freed");
	free(buf);
	close(fd);
}

/* Waits for a child; its status. */
static int ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* A child of fork() has a mapping of its own, of the same memory. */
static void test_fork(void)
{
	int fd = open_device(), go[2];
	__u64 handle = take(fd, 3), *at;
	size_t size = 8 * page;
	pid_t pid;
	char c;

	at = map(fd, handle, size);
	CHECK(at != MAP_FAILED && !pipe(go), "%s", strerror(errno));
	fill(at, size, 1);
	pid = fork();
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1))
			_exit(2);
		if (!filled(at, size, 1))
			_exit(3);
		fill(at, size, 2);
		_exit(0);
	}
	close(go[0]);
	EXPECT(maps_of(fd, handle) == 2, "%u mappings after fork()", maps_of(fd, handle));
	munmap(at, size);
	EXPECT(maps_of(fd, handle) == 1, "%u mappings, of the child", maps_of(fd, handle));
	EXPECT(page_free(fd, handle) == -EBUSY, "freed while the child has it");
	close(go[1]);
	EXPECT(!ended(pid), "the child reads something else");
	EXPECT(maps_of(fd, handle) == 0, "%u mappings at the end", maps_of(fd, handle));
	at = map(fd, handle, size);
	EXPECT(filled(at, size, 2), "the child's words are lost");
	munmap(at, size);
	EXPECT(!page_free(fd, handle), "not freed");
	close(fd);
}

/* mremap() moves it and counts one mapping. */
static void test_move(void)
{
	int fd = open_device();
	__u64 handle = take(fd, 0), *at, *room, *to;

	at = map(fd, handle, page);
	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	fill(at, page, 5);
	room = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	to = mremap(at, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (to != MAP_FAILED) {
		EXPECT(filled(to, page, 5), "moved to other memory");
		at = to;
	}
	EXPECT(maps_of(fd, handle) == 1, "%u mappings", maps_of(fd, handle));
	munmap(at, page);
	EXPECT(!page_free(fd, handle), "not freed");
	close(fd);
}

/* The file closed first: what is mapped stays, and goes with the mapping. */
static void test_close(void)
{
	struct myalloc_stat before, s;
	int fd = open_device();
	__u64 handle, *at;

	drained_stat(watcher, &before);
	handle = take(fd, 4);
	take(fd, 4);
	at = map(fd, handle, 16 * page);
	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	fill(at, 16 * page, 9);
	close(fd);
	get_stat(watcher, &s);
	EXPECT(s.page_pages == before.page_pages + 32, "%llu pages held",
	       (unsigned long long)s.page_pages);
	EXPECT(filled(at, 16 * page, 9), "the memory is another's");
	munmap(at, 16 * page);
	drained_stat(watcher, &s);
	EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
}

/* Killed with mappings, and with a child that still has them. */
static void test_kill(void)
{
	struct myalloc_stat before, s;
	int round;

	drained_stat(watcher, &before);
	for (round = 0; round < 20; round++) {
		int ready[2];
		pid_t pid;
		char c;

		CHECK(!pipe(ready), "no pipe");
		pid = fork();
		if (!pid) {
			int fd = open_device(), i;
			pid_t parent = getpid();

			for (i = 0; i < 8; i++) {
				__u64 *at = map(fd, take(fd, i), page << i);

				if (at == MAP_FAILED)
					_exit(2);
				fill(at, page << i, i);
			}
			/* Its child dies with it, or has missed that. */
			if (round % 2 && !fork()) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				while (getppid() == parent)
					sleep_us(1000);
				_exit(0);
			}
			if (write(ready[1], "", 1) != 1)
				_exit(3);
			pause();
		}
		close(ready[1]);
		EXPECT(read(ready[0], &c, 1) == 1, "the child did not get there");
		kill(pid, SIGKILL);
		ended(pid);
		close(ready[0]);
	}
	for (round = 0; round < 100; round++) {
		drained_stat(watcher, &s);
		if (!stats_differ(&before, &s))
			break;
		sleep_us(20000);
	}
	EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
}

/* Without CAP_IPC_LOCK the limit of locked memory holds, and is given back. */
static void test_limit(void)
{
	int fd = open_device(), round, status;
	__u64 handle = take(fd, 4);
	pid_t pid;

	for (round = 0; round < 2; round++) {
		pid = fork();
		if (pid)
			continue;
		struct rlimit most = { 20 * page, 20 * page };
		void *at, *more;
		int i;

		setrlimit(RLIMIT_MEMLOCK, &most);
		if (setuid(65534))
			_exit(2);
		for (i = 0; i < 50; i++) {
			at = map(fd, handle, 16 * page);
			if (at == MAP_FAILED)
				_exit(3);
			more = map(fd, handle, 5 * page);
			if (more != MAP_FAILED || errno != ENOMEM)
				_exit(4);
			more = map(fd, handle, 4 * page);
			if (more == MAP_FAILED)
				_exit(5);
			munmap(at, 16 * page);
			munmap(more, 4 * page);
		}
		/* What the process has locked counts as well. */
		at = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED || mlock(at, 5 * page))
			_exit(6);
		more = map(fd, handle, 16 * page);
		if (more != MAP_FAILED || errno != ENOMEM)
			_exit(7);
		more = map(fd, handle, 15 * page);
		if (more == MAP_FAILED)
			_exit(8);
		_exit(0);
	}
	for (round = 0; round < 2; round++) {
		wait(&status);
		EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "child: status %d",
		       WEXITSTATUS(status));
	}
	EXPECT(!page_free(fd, handle), "not freed");
	close(fd);
}

/* 2 MiB at once where the kernel can, and says so. */
static void test_large(void)
{
	const size_t large = 2u << 20;
	size_t pages = large / page;
	int fd = open_device(), order = 0;
	struct myalloc_page_map m;
	char *room, *at;
	__u64 handle;

	while (1ull << order < pages)
		order++;
	handle = take(fd, order + 1);
	if (!handle)
		SKIP("no block of 4 MiB");
	room = mmap(NULL, 3 * large, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = room + (-(uintptr_t)room & (large - 1));
	at = mmap(at, 2 * large, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		  handle * page);
	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	fill((__u64 *)at, 2 * large, 3);
	EXPECT(filled((__u64 *)at, 2 * large, 3), "words are lost");
	EXPECT(!ask(fd, handle, &m), "PAGE_MAP");
	ktap_note("%u pages at once, %u times", m.granule_pages, m.large);
	EXPECT(m.large == (m.granule_pages == pages ? 2 : 0), "%u times with %u pages at once",
	       m.large, m.granule_pages);
	EXPECT(munmap(at, large) < 0, "half was unmapped");
	if (!fork())
		_exit(!filled((__u64 *)at, 2 * large, 3));
	wait(&order);
	EXPECT(!order, "a child reads something else");
	munmap(at, 2 * large);
	/* Where addresses do not fit: 4 KiB. */
	at = room + (-(uintptr_t)room & (large - 1)) + page;
	at = mmap(at, large, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, handle * page);
	CHECK(at != MAP_FAILED, "%s", strerror(errno));
	EXPECT(filled((__u64 *)at, large, 3), "words are lost");
	munmap(at, large);
	EXPECT(!page_free(fd, handle), "not freed");
	close(fd);
}

static void test_sound(void)
{
	EXPECT(!unsound(watcher), "%s", unsound(watcher));
}

static const struct table_test tests[] = {
	{ "every order: zero, writable, the same memory twice", test_orders },
	{ "an extent, and a part of it", test_exact },
	{ "what is refused", test_refused },
	{ "the kernel cannot pin it", test_pinning },
	{ "fork()", test_fork },
	{ "mremap()", test_move },
	{ "the file closed while mapped", test_close },
	{ "SIGKILL while mapped", test_kill },
	{ "the limit of locked memory", test_limit },
	{ "2 MiB at once", test_large },
	{ "the structure is sound", test_sound },
};

int main(void)
{
	page = getpagesize();
	watcher = open_device();
	if (watcher < 0 || get_info(watcher, &info)) {
		ktap_plan(1);
		ktap_result(false, "open %s: %s", MYALLOC_DEVICE, strerror(errno));
		return ktap_end();
	}
	return table_run(tests, ARRAY_SIZE(tests));
}
