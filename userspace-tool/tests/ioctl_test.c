// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_test: every command of /dev/myalloc with good and bad inputs
 *
 * Runs as root where the module is loaded and nothing else uses it; prints KTAP.
 * After each test the statistics must be those from before, to the page and the
 * free block, and the structure sound: a refused command has changed nothing,
 * a closed file holds nothing.
 */
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "guest.h"

#define FILES_MAX	16

static struct myalloc_info info;
static struct myalloc_stat start;	/* as the test began */
static int watcher;			/* a file that holds nothing, to read statistics by */
static int file[FILES_MAX];
static int nr_files;
static __u64 handles[MYALLOC_BULK_MAX];

/* Opens the device for the test that runs; closed after it whatever happens. */
static int open_device(void)
{
	int fd = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && nr_files < FILES_MAX)
		file[nr_files++] = fd;
	return fd;
}

static void close_device(int fd)
{
	int i;

	for (i = 0; i < nr_files; i++)
		if (file[i] == fd)
			file[i] = -1;
	close(fd);
}

static void before(void)
{
	nr_files = 0;
	EXPECT(!drained_stat(watcher, &start), "the statistics cannot be read");
}

static void after(void)
{
	struct myalloc_stat end;
	const char *wrong;
	int i;

	for (i = 0; i < nr_files; i++)
		if (file[i] >= 0)
			close(file[i]);
	EXPECT(!drained_stat(watcher, &end), "the statistics cannot be read");
	wrong = stats_differ(&start, &end);
	EXPECT(!wrong, "afterwards: %s", wrong);
	wrong = unsound(watcher);
	EXPECT(!wrong, "afterwards: %s", wrong);
}

/* Pages held by page users beyond those of the start. */
static long long held(void)
{
	struct myalloc_stat s;

	if (get_stat(watcher, &s))
		return LLONG_MIN;
	return (long long)(s.page_pages - start.page_pages);
}

#define IS(err, want, ...) do {						\
	int is_err = (err);						\
	EXPECT(is_err == (want), "%s: error %d (%s), expected %d (%s)",	\
	       #err, -is_err, strerror(-is_err), -(want), strerror(-(want)));	\
} while (0)

/* ---- opening ---- */

/* Runs @fn in a child; what it returns, from 0 to 255, or -1 if it died. */
static int in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int try_open(void)
{
	int fd = open(MYALLOC_DEVICE, O_RDWR);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int open_without_capability(void *arg)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	(void)arg;
	if (syscall(SYS_capget, &head, data))
		return 254;
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &head, data))
		return 255;
	return try_open();
}

static int open_as_nobody(void *arg)
{
	(void)arg;
	if (setresuid(65534, 65534, 65534))
		return 255;
	return try_open();
}

static void test_open(void)
{
	struct stat st;
	int err;

	CHECK(!stat(MYALLOC_DEVICE, &st), "no " MYALLOC_DEVICE);
	EXPECT(S_ISCHR(st.st_mode), "it is not a character device");
	EXPECT((st.st_mode & 07777) == 0600, "its mode is %o", st.st_mode & 07777);
	err = in_child(open_without_capability, NULL);
	EXPECT(err == EPERM, "without CAP_SYS_ADMIN: %d (%s)", err, strerror(err));
	err = in_child(open_as_nobody, NULL);
	EXPECT(err == EACCES || err == EPERM, "as nobody: %d (%s)", err,
	       strerror(err));
}

static void test_no_other_calls(void)
{
	int fd = open_device();
	void *map;

	CHECK(fd >= 0, "open: %s", strerror(errno));
	EXPECT(write(fd, "x", 1) < 0, "it can be written");
	map = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	EXPECT(map == MAP_FAILED, "it can be mapped");
	EXPECT(lseek(fd, 0, SEEK_SET) < 0 || lseek(fd, 0, SEEK_CUR) == 0,
	       "it has positions");
}

/* ---- information ---- */

static void test_info(void)
{
	struct myalloc_info i;

	IS(get_info(watcher, &i), 0);
	EXPECT(i.size == sizeof(i), "size is %u", i.size);
	EXPECT(i.page_size == (__u32)getpagesize(), "page size %u", i.page_size);
	EXPECT(i.max_order <= MYALLOC_MAX_ORDER, "max_order %u", i.max_order);
	EXPECT(i.nr_pages && i.nr_chunks, "an empty reserve");
	EXPECT(i.nr_pages <= i.nr_chunks << i.chunk_order,
	       "%llu pages in %llu chunks of order %u",
	       (unsigned long long)i.nr_pages, (unsigned long long)i.nr_chunks,
	       i.chunk_order);
	EXPECT(i.last_phys >= i.nr_pages * i.page_size - 1 &&
	       i.last_phys % i.page_size == i.page_size - 1, "the last byte is at %llx",
	       (unsigned long long)i.last_phys);
	EXPECT(i.node >= -1, "node %d", i.node);
	EXPECT(!(i.checks & ~MYALLOC_CHECK_ALL), "checks %x", i.checks);
	EXPECT(i.meta_bytes, "no metadata");
	EXPECT((long)i.nr_cpus >= sysconf(_SC_NPROCESSORS_ONLN), "%u CPUs", i.nr_cpus);
	EXPECT(!i.reserved, "reserved is %u", i.reserved);
}

static void test_stat(void)
{
	struct myalloc_stat s;
	__u64 free_pages = 0, cached_pages = 0;
	int order, largest = -1;

	IS(get_stat(watcher, &s), 0);
	EXPECT(s.size == sizeof(s), "size is %u", s.size);
	EXPECT(s.nr_pages == info.nr_pages, "STAT and INFO differ in pages");
	EXPECT(s.max_order == info.max_order, "STAT and INFO differ in max_order");
	for (order = 0; order < MYALLOC_ORDERS; order++) {
		free_pages += s.free_blocks[order] << order;
		cached_pages += s.cached_blocks[order] << order;
		if (s.free_blocks[order])
			largest = order;
		EXPECT(order <= (int)s.max_order ||
		       (!s.free_blocks[order] && !s.page_allocs[order]),
		       "order %d is in use", order);
		EXPECT(s.unusable[order] >= 0 && s.unusable[order] <= 1000,
		       "unusable[%d] is %d", order, s.unusable[order]);
		EXPECT(s.extfrag[order] >= -1000 && s.extfrag[order] <= 1000,
		       "extfrag[%d] is %d", order, s.extfrag[order]);
	}
	EXPECT(free_pages == s.free_pages, "free blocks are %llu pages, not %llu",
	       (unsigned long long)free_pages, (unsigned long long)s.free_pages);
	EXPECT(cached_pages == s.cached_pages,
	       "cached blocks are %llu pages, not %llu",
	       (unsigned long long)cached_pages,
	       (unsigned long long)s.cached_pages);
	EXPECT(largest == s.largest_order, "largest order %d, not %d", largest,
	       s.largest_order);
	EXPECT(s.peak_pages <= s.nr_pages, "peak above capacity");
}

static void test_validate(void)
{
	struct myalloc_validate v;

	memset(&v, 0xff, sizeof(v));
	IS(call(watcher, MYALLOC_IOC_VALIDATE, &v), 0);
	EXPECT(!v.errors, "%llu errors", (unsigned long long)v.errors);
	EXPECT(v.frames == info.nr_pages, "%llu frames of %llu",
	       (unsigned long long)v.frames, (unsigned long long)info.nr_pages);
	EXPECT(memchr(v.first, 0, sizeof(v.first)), "first has no end");
}

static void test_drain(void)
{
	static const struct myalloc_drain bad[] = {
		{ .flags = 0 },
		{ .flags = MYALLOC_DRAIN_FLAGS + 1 },
		{ .flags = 1u << 31 | MYALLOC_DRAIN_PAGES },
		{ .flags = MYALLOC_DRAIN_PAGES, .pad = 1 },
	};
	struct myalloc_drain d;
	struct myalloc_stat s;
	__u32 flags;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		d = bad[i];
		IS(call(watcher, MYALLOC_IOC_DRAIN, &d), -EINVAL);
	}
	for (flags = 1; flags <= MYALLOC_DRAIN_FLAGS; flags++)
		IS(drain(watcher, flags), 0);
	IS(get_stat(watcher, &s), 0);
	EXPECT(!s.cached_pages, "%llu pages are still cached",
	       (unsigned long long)s.cached_pages);
}

/* ---- looking at memory ---- */

static struct myalloc_cell cells[4096];

static int see(int fd, __u64 first, __u64 pages, __u32 count, __u32 *done)
{
	struct myalloc_cells arg = {
		.first = first, .pages = pages, .count = count, .cells = addr_of(cells),
	};
	int err = call(fd, MYALLOC_IOC_CELLS, &arg);

	*done = arg.done;
	return err;
}

static int look(int fd, __u32 how, __u64 key, __u32 slot, struct myalloc_look *l)
{
	memset(l, 0, sizeof(*l));
	l->size = sizeof(*l);
	l->how = how;
	l->key = key;
	l->slot = slot;
	return call(fd, MYALLOC_IOC_LOOK, l);
}

/* Pages of a kind in the whole zone, whatever the size of the cells. */
static __u64 pages_of(int fd, __u32 kind, __u64 size)
{
	__u64 sum = 0, all = 0, at;
	__u32 done, i, k;

	for (at = 0; at < info.nr_pages; at += done * size) {
		IS(see(fd, at, size, ARRAY_SIZE(cells), &done), 0);
		if (!done)
			break;
		for (i = 0; i < done; i++) {
			sum += cells[i].pages[kind];
			for (k = 0; k < MYALLOC_IS_KINDS; k++)
				all += cells[i].pages[k];
		}
	}
	EXPECT(all == info.nr_pages, "%llu pages of %llu", (unsigned long long)all,
	       (unsigned long long)info.nr_pages);
	return sum;
}

static void test_cells(void)
{
	int fd = open_device();
	struct myalloc_stat s;
	__u32 done, i;
	__u64 size;

	CHECK(fd >= 0, "open");
	IS(see(fd, 0, 0, 1, &done), -EINVAL);
	IS(see(fd, 0, 1, 0, &done), -EINVAL);
	IS(see(fd, 0, 1, MYALLOC_CELLS_MAX + 1, &done), -EINVAL);
	IS(see(fd, info.nr_pages, 1, 1, &done), -EINVAL);
	IS(see(fd, ~0ull, ~0ull, 1, &done), -EINVAL);
	IS(see(fd, info.nr_pages - 1, ~0ull, 9, &done), 0);
	EXPECT(done == 1, "%u cells at the end", done);
	IS(page_alloc(fd, 3, 5, handles, &done), 0);
	IS(drain(fd, MYALLOC_DRAIN_FLAGS), 0);
	IS(get_stat(fd, &s), 0);
	for (size = 1; size <= info.nr_pages; size *= 7) {
		EXPECT(pages_of(fd, MYALLOC_IS_PAGES, size) == s.page_pages,
		       "page users, cells of %llu", (unsigned long long)size);
		EXPECT(pages_of(fd, MYALLOC_IS_FREE, size) == s.free_pages,
		       "free, cells of %llu", (unsigned long long)size);
		EXPECT(pages_of(fd, MYALLOC_IS_SLAB, size) == s.slab_pages,
		       "slabs, cells of %llu", (unsigned long long)size);
	}
	IS(see(fd, 0, info.nr_pages, 1, &done), 0);
	EXPECT((int)cells[0].largest == s.largest_order + 1, "largest %u", cells[0].largest);
	for (i = 0; i < 5; i++)
		IS(page_free(fd, handles[i]), 0);
	close_device(fd);
}

static void test_look(void)
{
	int fd = open_device(), other = open_device();
	struct myalloc_look l, same;
	__u64 cache, objects[40];
	__u32 done;

	CHECK(fd >= 0 && other >= 0, "open");
	IS(look(fd, MYALLOC_LOOK_PAGE, info.nr_pages, MYALLOC_LOOK_NONE, &l), -EINVAL);
	IS(look(fd, 3, 0, MYALLOC_LOOK_NONE, &l), -EINVAL);
	IS(look(fd, MYALLOC_LOOK_HANDLE, 1, 0, &l), -EINVAL);
	IS(look(fd, MYALLOC_LOOK_HANDLE, 12345678, MYALLOC_LOOK_NONE, &l), -ENOENT);
	IS(look(fd, MYALLOC_LOOK_ADDRESS, 4096, MYALLOC_LOOK_NONE, &l), -EINVAL);
	IS(look(fd, MYALLOC_LOOK_ADDRESS, ~0ull, MYALLOC_LOOK_NONE, &l), -EINVAL);

	IS(page_alloc(fd, 3, 1, handles, &done), 0);
	IS(look(other, MYALLOC_LOOK_HANDLE, handles[0], MYALLOC_LOOK_NONE, &l), 0);
	EXPECT(l.kind == MYALLOC_IS_PAGES && l.pages == 8 && l.order == 3 && !l.offset,
	       "kind %u, %u pages", l.kind, l.pages);
	EXPECT(l.pid == (__u32)getpid() && *l.comm && strstr(l.alloc.by, "myalloc"),
	       "process %u, by %s", l.pid, l.alloc.by);
	IS(look(fd, MYALLOC_LOOK_PAGE, l.first + 7, MYALLOC_LOOK_NONE, &same), 0);
	EXPECT(same.first == l.first && same.offset == 7ll * info.page_size, "offset %lld",
	       (long long)same.offset);
	IS(look(fd, MYALLOC_LOOK_PAGE, l.first, 0, &same), -EINVAL);
	/* Both files have the first handle. */
	IS(page_alloc(other, 0, 1, handles + 1, &done), 0);
	IS(look(fd, MYALLOC_LOOK_HANDLE, handles[1], MYALLOC_LOOK_NONE, &same), -ENOTUNIQ);
	IS(page_free(fd, handles[0]), 0);
	IS(look(fd, MYALLOC_LOOK_HANDLE, handles[1], MYALLOC_LOOK_NONE, &same), 0);
	EXPECT(same.pages == 1, "%u pages", same.pages);

	IS(cache_create(fd, "looked-at", 200, MYALLOC_CHECK_OWNER, &cache), 0);
	IS(look(fd, MYALLOC_LOOK_HANDLE, cache, MYALLOC_LOOK_NONE, &l), -ENOENT);
	IS(obj_alloc(fd, cache, 40, objects, &done), 0);
	IS(look(other, MYALLOC_LOOK_HANDLE, objects[7], MYALLOC_LOOK_NONE, &l), 0);
	EXPECT(l.kind == MYALLOC_IS_SLAB && l.state == MYALLOC_SLOT_IS_LIVE && l.slot < l.slots,
	       "kind %u, state %u, slot %u", l.kind, l.state, l.slot);
	EXPECT(!strcmp(l.name, "looked-at") && l.object_size == 200 && !l.offset, "cache %s",
	       l.name);
	EXPECT(*l.alloc.by && l.alloc.pid == (__u32)getpid() && l.alloc.age_ns != ~0ull,
	       "by %s, pid %u", l.alloc.by, l.alloc.pid);
	EXPECT(!*l.free.by && l.free.age_ns == ~0ull, "freed by %s", l.free.by);
	IS(obj_free(fd, objects[7]), 0);
	IS(look(fd, MYALLOC_LOOK_PAGE, l.first, l.slot, &same), 0);
	EXPECT(same.state != MYALLOC_SLOT_IS_LIVE && *same.free.by, "state %u, freed by '%s'",
	       same.state, same.free.by);
	IS(look(fd, MYALLOC_LOOK_PAGE, l.first, l.slots, &same), -EINVAL);
	close_device(other);
	close_device(fd);
}

/* ---- commands and structs ---- */

static void test_unknown_commands(void)
{
	static const unsigned long unknown[] = {
		_IO(MYALLOC_IOC, 0x7f),
		_IOWR(MYALLOC_IOC, 0x04, struct myalloc_info),
		_IOWR(MYALLOC_IOC, 0xff, struct myalloc_stat),
		_IOWR('x', 0x00, struct myalloc_info),
		/* A struct that may not grow, of another size. */
		_IOWR(MYALLOC_IOC, 0x11, __u64),
		_IOWR(MYALLOC_IOC, 0x21, __u32),
		/* Another direction. */
		_IOW(MYALLOC_IOC, 0x11, struct myalloc_free),
		_IOR(MYALLOC_IOC, 0x22, struct myalloc_handle),
		_IOWR(MYALLOC_IOC, 0x32, __u64),
		/* Not one of the numbers of a kind of job. */
		_IO(MYALLOC_IOC, 0x3f),
		_IOWR(MYALLOC_IOC, 0x44, struct myalloc_bench),
		0, ~0u,
	};
	static char zero[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		int err = call(watcher, unknown[i], zero);

		EXPECT(err == -ENOTTY, "command 0x%lx: error %d", unknown[i], -err);
	}
}

/* The structs that begin with their size, with values that the command takes. */
struct sized {
	const char *name;
	unsigned long cmd;
	size_t size;
	void (*fill)(void *arg);
	bool reads_only;	/* nothing is made, so it may be repeated */
};

static void fill_nothing(void *arg)
{
	(void)arg;
}

static void fill_create(void *arg)
{
	struct myalloc_cache_create *c = arg;

	c->object_size = 64;
	strcpy(c->name, "sized");
}

static void fill_cache_stat(void *arg)
{
	struct myalloc_cache_stat *s = arg;

	s->how = MYALLOC_NEXT_ID;
}

static void fill_stress(void *arg)
{
	struct myalloc_stress *s = arg;

	s->kind = MYALLOC_STRESS_PAGES;
	s->ops = 1;
	s->threads = 1;
	s->seed = 1;
}

static void fill_bench(void *arg)
{
	struct myalloc_bench *b = arg;

	b->rounds = 1;
	b->ops = 1;
	b->cpu = MYALLOC_BENCH_ANY_CPU;
	b->shapes[0] = 1;
}

static void fill_heap_test(void *arg)
{
	struct myalloc_heap_test *t = arg;

	t->ops = 10;
	t->seed = 1;
}

static const struct sized sized[] = {
	{ "INFO", MYALLOC_IOC_INFO, sizeof(struct myalloc_info), fill_nothing, true },
	{ "STAT", MYALLOC_IOC_STAT, sizeof(struct myalloc_stat), fill_nothing, true },
	{ "CACHE_CREATE", MYALLOC_IOC_CACHE_CREATE,
	  sizeof(struct myalloc_cache_create), fill_create, false },
	{ "CACHE_STAT", MYALLOC_IOC_CACHE_STAT,
	  sizeof(struct myalloc_cache_stat), fill_cache_stat, true },
	{ "HEAP_TEST", MYALLOC_IOC_HEAP_TEST, sizeof(struct myalloc_heap_test),
	  fill_heap_test, true },
	{ "STRESS_START", MYALLOC_IOC_STRESS_START,
	  sizeof(struct myalloc_stress), fill_stress, false },
	{ "STRESS_RESULT", MYALLOC_IOC_STRESS_RESULT,
	  sizeof(struct myalloc_stress_result), fill_nothing, true },
	{ "BENCH_SHAPE", MYALLOC_IOC_BENCH_SHAPE,
	  sizeof(struct myalloc_bench_shape), fill_nothing, true },
	{ "BENCH_START", MYALLOC_IOC_BENCH_START, sizeof(struct myalloc_bench),
	  fill_bench, false },
	{ "BENCH_RESULT", MYALLOC_IOC_BENCH_RESULT,
	  sizeof(struct myalloc_bench_result), fill_nothing, true },
};

#define SPARE	64	/* bytes behind a struct that a newer one might use */

/* A file on which there is a cache, so that CACHE_STAT finds one. */
static int open_for_sizes(void)
{
	int fd = open_device();
	__u64 cache;

	if (fd >= 0)
		cache_create(fd, "sizes", 64, 0, &cache);
	return fd;
}

static void with_size(const struct sized *s, void *arg, __u32 size)
{
	memset(arg, 0, s->size + SPARE);
	s->fill(arg);
	*(__u32 *)arg = size;
}

static void test_sizes_too_small(void)
{
	char arg[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sized); i++) {
		int fd = open_for_sizes();
		int err;

		CHECK(fd >= 0, "open");
		with_size(&sized[i], arg, 0);
		err = call(fd, sized[i].cmd, arg);
		EXPECT(err == -EINVAL, "%s of size 0: error %d", sized[i].name, -err);
		with_size(&sized[i], arg, 3);
		err = call(fd, sized[i].cmd, arg);
		EXPECT(err == -EINVAL, "%s of size 3: error %d", sized[i].name, -err);
		close_device(fd);
	}
}

/* An older caller: what it does not have is taken as zero, and not written. */
static void test_sizes_of_older_callers(void)
{
	unsigned char arg[4096];
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(sized); i++) {
		int fd = open_for_sizes();
		__u32 size = sized[i].size - 8;
		int err;

		CHECK(fd >= 0, "open");
		if (!sized[i].reads_only)
			continue;
		with_size(&sized[i], arg, size);
		memset(arg + size, 0x5a, sizeof(arg) - size);
		err = call(fd, sized[i].cmd, arg);
		EXPECT(!err, "%s of size %u: error %d", sized[i].name, size, -err);
		EXPECT(*(__u32 *)arg == size, "%s changed its size to %u",
		       sized[i].name, *(__u32 *)arg);
		for (at = size; at < sizeof(arg) && arg[at] == 0x5a; at++)
			;
		EXPECT(at == sizeof(arg), "%s of size %u: byte %zu was written",
		       sized[i].name, size, at);
		close_device(fd);
	}
}

static void test_sizes_of_newer_callers(void)
{
	unsigned char arg[4096];
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(sized); i++) {
		const struct sized *s = &sized[i];
		int fd = open_for_sizes();
		int err;

		CHECK(fd >= 0, "open");
		with_size(s, arg, s->size + SPARE);
		memset(arg + s->size + SPARE, 0x5a, sizeof(arg) - s->size - SPARE);
		err = call(fd, s->cmd, arg);
		EXPECT(!err, "%s, larger with zeros: error %d", s->name, -err);
		EXPECT(*(__u32 *)arg == s->size + SPARE,
		       "%s changed its size to %u", s->name, *(__u32 *)arg);
		for (at = s->size + SPARE; at < sizeof(arg) && arg[at] == 0x5a; at++)
			;
		EXPECT(at == sizeof(arg), "%s: byte %zu was written", s->name, at);
		close_device(fd);

		fd = open_for_sizes();
		CHECK(fd >= 0, "open");
		for (at = s->size; at < s->size + SPARE; at += SPARE - 1) {
			with_size(s, arg, s->size + SPARE);
			arg[at] = 1;
			err = call(fd, s->cmd, arg);
			EXPECT(err == -E2BIG, "%s with byte %zu set: error %d",
			       s->name, at, -err);
		}
		with_size(s, arg, UINT_MAX);
		err = call(fd, s->cmd, arg);
		EXPECT(err == -E2BIG, "%s of 4 GiB: error %d", s->name, -err);
		close_device(fd);
	}
}

static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;
} commands[] = {
	{ "INFO", MYALLOC_IOC_INFO, sizeof(struct myalloc_info) },
	{ "STAT", MYALLOC_IOC_STAT, sizeof(struct myalloc_stat) },
	{ "VALIDATE", MYALLOC_IOC_VALIDATE, sizeof(struct myalloc_validate) },
	{ "DRAIN", MYALLOC_IOC_DRAIN, sizeof(struct myalloc_drain) },
	{ "CELLS", MYALLOC_IOC_CELLS, sizeof(struct myalloc_cells) },
	{ "LOOK", MYALLOC_IOC_LOOK, sizeof(struct myalloc_look) },
	{ "NODE_STAT", MYALLOC_IOC_NODE_STAT, sizeof(struct myalloc_node_stat) },
	{ "NODE_USE", MYALLOC_IOC_NODE_USE, sizeof(struct myalloc_node_use) },
	{ "RESERVE_STAT", MYALLOC_IOC_RESERVE_STAT, sizeof(struct myalloc_reserve_stat) },
	{ "RESERVE_GROW", MYALLOC_IOC_RESERVE_GROW, sizeof(struct myalloc_reserve_change) },
	{ "RESERVE_SHRINK", MYALLOC_IOC_RESERVE_SHRINK, sizeof(struct myalloc_reserve_change) },
	{ "PAGE_ALLOC", MYALLOC_IOC_PAGE_ALLOC, sizeof(struct myalloc_page_alloc) },
	{ "PAGE_FREE", MYALLOC_IOC_PAGE_FREE, sizeof(struct myalloc_free) },
	{ "CACHE_CREATE", MYALLOC_IOC_CACHE_CREATE,
	  sizeof(struct myalloc_cache_create) },
	{ "CACHE_DESTROY", MYALLOC_IOC_CACHE_DESTROY,
	  sizeof(struct myalloc_handle) },
	{ "CACHE_SHRINK", MYALLOC_IOC_CACHE_SHRINK, sizeof(struct myalloc_handle) },
	{ "CACHE_DRAIN", MYALLOC_IOC_CACHE_DRAIN, sizeof(struct myalloc_handle) },
	{ "CACHE_STAT", MYALLOC_IOC_CACHE_STAT, sizeof(struct myalloc_cache_stat) },
	{ "OBJ_ALLOC", MYALLOC_IOC_OBJ_ALLOC, sizeof(struct myalloc_obj_alloc) },
	{ "OBJ_FREE", MYALLOC_IOC_OBJ_FREE, sizeof(struct myalloc_free) },
	{ "HEAP_STAT", MYALLOC_IOC_HEAP_STAT, sizeof(struct myalloc_heap_stat) },
	{ "HEAP_TEST", MYALLOC_IOC_HEAP_TEST, sizeof(struct myalloc_heap_test) },
	{ "ARENA_STAT", MYALLOC_IOC_ARENA_STAT, sizeof(struct myalloc_arena_stat) },
	{ "ARENA_TEST", MYALLOC_IOC_ARENA_TEST, sizeof(struct myalloc_arena_test) },
	{ "CONTRACT_PLAN", MYALLOC_IOC_CONTRACT_PLAN, sizeof(struct myalloc_contract_make) },
	{ "CONTRACT_CREATE", MYALLOC_IOC_CONTRACT_CREATE, sizeof(struct myalloc_contract_make) },
	{ "CONTRACT_END", MYALLOC_IOC_CONTRACT_END, sizeof(struct myalloc_contract_finish) },
	{ "CONTRACT_STAT", MYALLOC_IOC_CONTRACT_STAT, sizeof(struct myalloc_contract_stat) },
	{ "CONTRACT_SITES", MYALLOC_IOC_CONTRACT_SITES, sizeof(struct myalloc_contract_sites) },
	{ "CONTRACT_TEST", MYALLOC_IOC_CONTRACT_TEST, sizeof(struct myalloc_contract_test) },
	{ "STRESS_START", MYALLOC_IOC_STRESS_START, sizeof(struct myalloc_stress) },
	{ "STRESS_RESULT", MYALLOC_IOC_STRESS_RESULT,
	  sizeof(struct myalloc_stress_result) },
	{ "BENCH_SHAPE", MYALLOC_IOC_BENCH_SHAPE,
	  sizeof(struct myalloc_bench_shape) },
	{ "BENCH_START", MYALLOC_IOC_BENCH_START, sizeof(struct myalloc_bench) },
	{ "BENCH_RESULT", MYALLOC_IOC_BENCH_RESULT,
	  sizeof(struct myalloc_bench_result) },
};

/* Nowhere, above user space, and with only its first half mapped. */
static void test_structs_that_fault(void)
{
	int fd = open_device();
	size_t i, k;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		char *half = (char *)unmapped() - commands[i].size / 2;
		const void *bad[] = {
			NULL, (void *)8, unmapped(), (void *)-4096l,
			(void *)(1ul << 63), half,
		};
		char arg[4096] = { 0 };

		*(__u32 *)arg = commands[i].size;
		read_only(arg, commands[i].size);
		/* The size of a half-mapped struct can be read, what follows cannot. */
		mprotect(three_pages() + getpagesize(), getpagesize(),
			 PROT_READ | PROT_WRITE);
		*(__u32 *)half = commands[i].size;
		mprotect(three_pages() + getpagesize(), getpagesize(), PROT_READ);
		for (k = 0; k < ARRAY_SIZE(bad); k++) {
			int err = call(fd, commands[i].cmd, bad[k]);

			EXPECT(err == -EFAULT, "%s at %p: error %d",
			       commands[i].name, bad[k], -err);
		}
	}
}

/* The answer cannot be copied out: it fails, and nothing is held that no one knows of. */
static void test_structs_that_cannot_be_written(void)
{
	struct myalloc_cache_create create = {
		.size = sizeof(create), .object_size = 64, .name = "read-only",
	};
	struct myalloc_stress stress = { .size = sizeof(stress) };
	struct myalloc_page_alloc alloc = {
		.count = 32, .handles = addr_of(handles),
	};
	struct myalloc_info i = { .size = sizeof(i) };
	struct myalloc_stat s = { .size = sizeof(s) };
	struct myalloc_validate v = { 0 };
	struct myalloc_bench bench;
	int fd = open_device(), k, err;
	__u64 cache;

	CHECK(fd >= 0, "open");
	IS(call(fd, MYALLOC_IOC_INFO, read_only(&i, sizeof(i))), -EFAULT);
	IS(call(fd, MYALLOC_IOC_STAT, read_only(&s, sizeof(s))), -EFAULT);
	IS(call(fd, MYALLOC_IOC_VALIDATE, read_only(&v, sizeof(v))), -EFAULT);
	IS(call(fd, MYALLOC_IOC_CACHE_CREATE, read_only(&create, sizeof(create))),
	   -EFAULT);
	IS(cache_create(fd, "read-only", 64, 0, &cache), 0);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);

	/* Blocks whose handles arrived may still be allocated; all others must be free. */
	memset(handles, 0, sizeof(handles));
	IS(call(fd, MYALLOC_IOC_PAGE_ALLOC, read_only(&alloc, sizeof(alloc))),
	   -EFAULT);
	for (k = 0; k < 32; k++) {
		err = handles[k] ? page_free(fd, handles[k]) : 0;
		EXPECT(!err || err == -ENOENT, "free: error %d", -err);
	}
	EXPECT(held() == 0, "%lld pages are held by nobody", held());

	fill_stress(&stress);
	stress.ops = 0;
	stress.duration_ms = 60000;
	IS(call(fd, MYALLOC_IOC_STRESS_START, read_only(&stress, sizeof(stress))),
	   -EFAULT);
	stress.duration_ms = 0;
	stress.ops = 1;
	IS(call(fd, MYALLOC_IOC_STRESS_START, &stress), 0);
	IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
	memset(&bench, 0, sizeof(bench));
	fill_bench(&bench);
	bench.size = sizeof(bench);
	IS(call(fd, MYALLOC_IOC_BENCH_START, read_only(&bench, sizeof(bench))),
	   -EFAULT);
	IS(call(fd, MYALLOC_IOC_BENCH_START, &bench), 0);
}

/* ---- pages ---- */

static void test_page_alloc(void)
{
	int fd = open_device(), order;
	__u64 handle;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (order = 0; order <= (int)info.max_order; order++) {
		IS(page_alloc(fd, order, 1, &handle, &done), 0);
		EXPECT(done == 1, "done is %u", done);
		EXPECT(handle && handle >> 48 != 0xffff, "handle %llx",
		       (unsigned long long)handle);
		EXPECT(held() == 1ll << order, "order %d: %lld pages held", order,
		       held());
		IS(page_free(fd, handle), 0);
		EXPECT(held() == 0, "order %d: %lld pages held after free", order,
		       held());
	}
}

static void test_page_options(void)
{
	struct myalloc_page_alloc a;
	int fd = open_device();
	__u32 align, exact, max = 1u << info.chunk_order;	/* an extent lies in one chunk */
	__u64 handle = 0;

	CHECK(fd >= 0, "open");
	for (align = 0; align <= info.chunk_order; align++) {
		a = (struct myalloc_page_alloc) {
			.align_order = align,
			.flags = align & 1 ? MYALLOC_PAGE_FLAGS : MYALLOC_ALLOC_TOPDOWN,
			.count = 1,
			.handles = addr_of(&handle),
		};
		IS(call(fd, MYALLOC_IOC_PAGE_ALLOC, &a), 0);
		EXPECT(held() == 1, "aligned to order %u: %lld pages held", align,
		       held());
		IS(page_free(fd, handle), 0);
	}
	for (exact = 1; exact <= max; exact = exact * 3 / 2 + 1) {
		a = (struct myalloc_page_alloc) {
			.nr_pages = exact,
			.flags = MYALLOC_ALLOC_ZERO,
			.count = 1,
			.handles = addr_of(&handle),
		};
		IS(call(fd, MYALLOC_IOC_PAGE_ALLOC, &a), 0);
		EXPECT(held() == exact, "exactly %u pages: %lld held", exact, held());
		IS(page_free(fd, handle), 0);
	}
	/* Three of an odd number at once, aligned above their size. */
	if (info.nr_pages < 64)
		return;
	a = (struct myalloc_page_alloc) {
		.nr_pages = 5,
		.align_order = info.max_order < 4 ? info.max_order : 4,
		.count = 3,
		.handles = addr_of(handles),
	};
	IS(call(fd, MYALLOC_IOC_PAGE_ALLOC, &a), 0);
	EXPECT(a.done == 3 && held() == 15, "%u done, %lld pages held", a.done,
	       held());
}

static void test_page_bad_values(void)
{
	__u64 out[4] = { 0 };
	const struct myalloc_page_alloc bad[] = {
		{ .count = 0 },
		{ .count = MYALLOC_BULK_MAX + 1 },
		{ .count = UINT_MAX },
		{ .count = 1, .order = MYALLOC_MAX_ORDER + 1 },
		{ .count = 1, .order = UINT_MAX },
		{ .count = 1, .order = 64 },
		{ .count = 1, .flags = MYALLOC_PAGE_FLAGS + 1 },
		{ .count = 1, .flags = 1u << 31 },
		{ .count = 1, .align_order = info.max_order + 1 },
		{ .count = 1, .align_order = UINT_MAX },
		{ .count = 1, .nr_pages = (1u << MYALLOC_MAX_ORDER) + 1 },
		{ .count = 1, .nr_pages = UINT_MAX },
	};
	int fd = open_device();
	size_t i;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct myalloc_page_alloc a = bad[i];
		int err;

		a.handles = addr_of(out);
		err = call(fd, MYALLOC_IOC_PAGE_ALLOC, &a);
		EXPECT(err == -EINVAL, "case %zu: error %d", i, -err);
		EXPECT(!out[0], "case %zu: a handle was written", i);
	}
	EXPECT(held() == 0, "%lld pages held", held());
}

/* Frees whatever of @h exists; how many there were. */
static int free_known(int fd, unsigned long cmd, const __u64 *h, int nr)
{
	int i, freed = 0;
	__u32 done;

	for (i = 0; i < nr; i++)
		if (h[i] && !free_many(fd, cmd, &h[i], 1, &done))
			freed++;
	return freed;
}

static void test_page_handles_that_fault(void)
{
	void *bad[] = { NULL, unmapped(), three_pages() + getpagesize(),
			(void *)-4096l };
	/* The last entries that can be written, then those that cannot. */
	__u64 *edge = (__u64 *)(three_pages() + getpagesize()) - 100;
	int fd = open_device(), freed, err;
	__u32 done;
	size_t i;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		IS(page_alloc(fd, 0, 16, bad[i], &done), -EFAULT);
		EXPECT(done == 0, "%u done into nowhere", done);
		EXPECT(held() == 0, "%lld pages lost", held());
	}
	memset(edge, 0, 100 * sizeof(*edge));
	err = page_alloc(fd, 0, 1000, edge, &done);
	EXPECT(err == -EFAULT, "over the edge: error %d", -err);
	EXPECT(done <= 100, "%u done of 100 that can be told", done);
	EXPECT(held() == done, "%lld pages held for %u handles", held(), done);
	freed = free_known(fd, MYALLOC_IOC_PAGE_FREE, edge, 100);
	EXPECT(freed == (int)done, "%d could be freed of %u", freed, done);
	EXPECT(held() == 0, "%lld pages lost", held());
	/* An array at an odd address is memory like any other. */
	IS(page_alloc(fd, 0, 8, (__u64 *)((char *)handles + 1), &done), 0);
}

static int compare_handles(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static int duplicates(__u64 *h, int nr)
{
	int i, same = 0;

	qsort(h, nr, sizeof(*h), compare_handles);
	for (i = 1; i < nr; i++)
		same += h[i] == h[i - 1];
	return same;
}

static void test_page_bulk(void)
{
	__u32 done, count = MYALLOC_BULK_MAX;
	int fd = open_device();

	CHECK(fd >= 0, "open");
	if (info.nr_pages < 2 * count)
		count = info.nr_pages / 2;
	IS(page_alloc(fd, 0, count, handles, &done), 0);
	EXPECT(done == count, "%u of %u done", done, count);
	EXPECT(held() == count, "%lld pages held", held());
	EXPECT(!duplicates(handles, count), "a handle twice");
	IS(free_many(fd, MYALLOC_IOC_PAGE_FREE, handles, count, &done), 0);
	EXPECT(done == count, "%u of %u freed", done, count);
}

/* Allocate until ENOMEM; the handles returned so far are valid. */
static void test_page_exhaust(void)
{
	struct myalloc_stat s;
	int fd = open_device(), err = 0, order;
	__u64 total = 0;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (order = info.max_order; order >= 0; order--) {
		do {
			err = page_alloc(fd, order, 64, handles, &done);
			total += (__u64)done << order;
			EXPECT(!err || done < 64, "error %d with all done", -err);
		} while (!err);
		if (err == -ENOSPC)
			SKIP("the reserve has more pages than a file has handles");
		EXPECT(err == -ENOMEM, "order %d ended with error %d", order, -err);
	}
	EXPECT(held() == (long long)total, "%lld pages held, %llu had", held(),
	       (unsigned long long)total);
	IS(get_stat(watcher, &s), 0);
	EXPECT(holders_sum(&s) == s.nr_pages, "the holders of pages do not add up");
	EXPECT(!s.free_pages, "%llu pages were free all the same",
	       (unsigned long long)s.free_pages);
	close_device(fd);
	EXPECT(held() == 0, "%lld pages held after close", held());
}

static void test_page_free_wrong(void)
{
	__u64 h[4], three[3], twice[2];
	int fd = open_device();
	__u32 done;

	CHECK(fd >= 0, "open");
	IS(page_alloc(fd, 0, 4, h, &done), 0);
	IS(page_free(fd, 0), -ENOENT);
	IS(page_free(fd, ~0ull), -ENOENT);
	IS(page_free(fd, h[3] + 1000000), -ENOENT);
	IS(page_free(fd, h[0] | 1ull << 63), -ENOENT);
	IS(page_free(fd, addr_of(h)), -ENOENT);

	/* A stale one, alone and among others: those before it are freed, those after stay. */
	IS(page_free(fd, h[0]), 0);
	IS(page_free(fd, h[0]), -ENOENT);
	three[0] = h[1];
	three[1] = h[0];
	three[2] = h[2];
	IS(free_many(fd, MYALLOC_IOC_PAGE_FREE, three, 3, &done), -ENOENT);
	EXPECT(done == 1, "%u done before a stale one", done);
	IS(page_free(fd, h[1]), -ENOENT);
	IS(page_free(fd, h[2]), 0);
	twice[0] = h[3];
	twice[1] = h[3];
	IS(free_many(fd, MYALLOC_IOC_PAGE_FREE, twice, 2, &done), -ENOENT);
	EXPECT(done == 1, "%u done of a handle twice", done);
	EXPECT(held() == 0, "%lld pages held", held());
}

static void test_free_bad_values(void)
{
	static const unsigned long cmds[] = {
		MYALLOC_IOC_PAGE_FREE, MYALLOC_IOC_OBJ_FREE,
	};
	static const __u32 counts[] = { 0, MYALLOC_BULK_MAX + 1, UINT_MAX };
	__u64 *edge = (__u64 *)unmapped() - 100;
	int fd = open_device(), freed;
	size_t i, k;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		for (k = 0; k < ARRAY_SIZE(counts); k++)
			IS(free_many(fd, cmds[i], handles, counts[k], &done),
			   -EINVAL);
		IS(free_many(fd, cmds[i], NULL, 1, &done), -EFAULT);
		IS(free_many(fd, cmds[i], unmapped(), 1, &done), -EFAULT);
	}
	/* Over the edge of what can be read: what was not done is still there. */
	IS(page_alloc(fd, 0, 100, handles, &done), 0);
	mprotect(three_pages() + getpagesize(), getpagesize(),
		 PROT_READ | PROT_WRITE);
	memcpy(edge, handles, 100 * sizeof(*edge));
	mprotect(three_pages() + getpagesize(), getpagesize(), PROT_READ);
	IS(free_many(fd, MYALLOC_IOC_PAGE_FREE, edge, 200, &done), -EFAULT);
	EXPECT(done <= 100, "%u done", done);
	EXPECT(held() == 100 - (long long)done, "%lld pages held", held());
	freed = free_known(fd, MYALLOC_IOC_PAGE_FREE, handles, 100);
	EXPECT(freed == 100 - (int)done, "%d could be freed", freed);
	/* Memory that can only be read is good enough to free from. */
	IS(page_alloc(fd, 0, 10, handles, &done), 0);
	IS(free_many(fd, MYALLOC_IOC_PAGE_FREE,
		     read_only(handles, 10 * sizeof(*handles)), 10, &done), 0);
}

/* ---- caches and objects ---- */

static void test_cache_create(void)
{
	static const __u32 sizes[] = { 1, 7, 8, 9, 64, 100, 1000, 4096, 5000,
				       MYALLOC_OBJECT_MAX };
	static const __u32 flags[] = {
		0, MYALLOC_CHECK_SANITY, MYALLOC_CHECK_REDZONE,
		MYALLOC_CHECK_POISON, MYALLOC_CHECK_OWNER, MYALLOC_CHECK_ALL,
		MYALLOC_CACHE_ZERO_ALLOC, MYALLOC_CACHE_ZERO_FREE,
		MYALLOC_CACHE_RANDOM, MYALLOC_CACHE_NO_MAGAZINE,
	};
	int fd = open_device();
	size_t i, k;
	__u64 cache;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; k < ARRAY_SIZE(flags); k++) {
			int err = cache_create(fd, "tried", sizes[i], flags[k],
					       &cache);

			EXPECT(!err, "%u bytes, flags %x: error %d", sizes[i],
			       flags[k], -err);
			if (err)
				continue;
			err = obj_alloc(fd, cache, 10, handles, &done);
			EXPECT(!err && done == 10, "%u bytes, flags %x: %u done, error %d",
			       sizes[i], flags[k], done, -err);
			err = done ? free_many(fd, MYALLOC_IOC_OBJ_FREE, handles,
					       done, &done) : 0;
			EXPECT(!err, "%u bytes, flags %x: free: error %d",
			       sizes[i], flags[k], -err);
			IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
		}
	}
}

static void test_cache_alignments(void)
{
	struct myalloc_cache_create c;
	int fd = open_device();
	__u32 align;

	CHECK(fd >= 0, "open");
	for (align = 0; align <= info.page_size; align = align ? align * 2 : 1) {
		struct myalloc_cache_stat s = {
			.size = sizeof(s), .how = MYALLOC_BY_HANDLE,
		};

		c = (struct myalloc_cache_create) {
			.size = sizeof(c), .object_size = 24, .align = align,
			.magazine = align ? 4 : 0, .name = "aligned",
		};
		IS(call(fd, MYALLOC_IOC_CACHE_CREATE, &c), 0);
		s.handle = c.handle;
		IS(call(fd, MYALLOC_IOC_CACHE_STAT, &s), 0);
		EXPECT(s.align >= align && s.slot_size % s.align == 0,
		       "align %u gives %u, slot %u", align, s.align, s.slot_size);
		EXPECT(s.id == c.id && s.object_size == 24, "id %u, size %u",
		       s.id, s.object_size);
		IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, c.handle), 0);
	}
}

static void test_cache_bad_values(void)
{
	static const struct myalloc_cache_create bad[] = {
		{ .object_size = 0, .name = "bad" },
		{ .object_size = MYALLOC_OBJECT_MAX + 1, .name = "bad" },
		{ .object_size = UINT_MAX, .name = "bad" },
		{ .object_size = 64, .align = 3, .name = "bad" },
		{ .object_size = 64, .align = 1u << 31, .name = "bad" },
		{ .object_size = 64, .align = UINT_MAX, .name = "bad" },
		{ .object_size = 64, .flags = 1u << 4, .name = "bad" },
		{ .object_size = 64, .flags = 1u << 15, .name = "bad" },
		{ .object_size = 64, .name = "bad",
		  .flags = MYALLOC_CACHE_CERTAIN | MYALLOC_CACHE_TRUSTING },
		{ .object_size = 64, .flags = 1u << 31, .name = "bad" },
		{ .object_size = 64, .magazine = UINT_MAX, .name = "bad" },
		{ .object_size = 64, .reserved = 1, .name = "bad" },
		{ .object_size = 64, .pad = 1, .name = "bad" },
		{ .object_size = 64, .name = "" },
		{ .object_size = 64, .name = "a/b" },
		{ .object_size = 64, .name = "a b" },
		{ .object_size = 64, .name = "a\nb" },
		{ .object_size = 64, .name = "a%sb" },
		{ .object_size = 64, .name = "a\xff" "b" },
		{ .object_size = 64, .name = ".." },
	};
	struct myalloc_cache_create c;
	int fd = open_device(), err;
	__u64 cache;
	size_t i;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		c = bad[i];
		c.size = sizeof(c);
		err = call(fd, MYALLOC_IOC_CACHE_CREATE, &c);
		EXPECT(err == -EINVAL, "case %zu: error %d", i, -err);
	}
	c = (struct myalloc_cache_create) { .size = sizeof(c), .object_size = 64 };
	memset(c.name, 'a', sizeof(c.name));
	IS(call(fd, MYALLOC_IOC_CACHE_CREATE, &c), -EINVAL);
	c.align = info.page_size * 2;
	c.name[31] = 0;
	IS(call(fd, MYALLOC_IOC_CACHE_CREATE, &c), -EINVAL);
	/* As long as it may be. */
	c.align = 0;
	IS(call(fd, MYALLOC_IOC_CACHE_CREATE, &c), 0);
	IS(cache_create(fd, "bad", 64, 0, &cache), 0);
}

static void test_cache_names(void)
{
	int a = open_device(), b = open_device();
	__u64 first, second;

	CHECK(a >= 0 && b >= 0, "open");
	IS(cache_create(a, "one-name_1.0", 64, 0, &first), 0);
	IS(cache_create(a, "one-name_1.0", 128, 0, &second), -EEXIST);
	IS(cache_create(b, "one-name_1.0", 64, 0, &second), -EEXIST);
	IS(cache_create(b, "one-name_1.1", 64, 0, &second), 0);
	IS(cache_op(a, MYALLOC_IOC_CACHE_DESTROY, first), 0);
	IS(cache_create(b, "one-name_1.0", 64, 0, &first), 0);
	close_device(b);
	IS(cache_create(a, "one-name_1.0", 64, 0, &first), 0);
}

static void test_cache_destroy_busy(void)
{
	struct myalloc_cache_stat s = {
		.size = sizeof(s), .how = MYALLOC_BY_HANDLE,
	};
	int fd = open_device();
	__u64 cache, object;
	__u32 done;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "busy", 64, 0, &cache), 0);
	IS(obj_alloc(fd, cache, 1, &object, &done), 0);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), -EBUSY);
	/* Nothing has changed: it still serves, and counts. */
	IS(obj_alloc(fd, cache, 1, &handles[0], &done), 0);
	s.handle = cache;
	IS(call(fd, MYALLOC_IOC_CACHE_STAT, &s), 0);
	EXPECT(s.live_objects == 2, "%llu live objects",
	       (unsigned long long)s.live_objects);
	IS(obj_free(fd, handles[0]), 0);
	IS(obj_free(fd, object), 0);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), -ENOENT);
	IS(obj_alloc(fd, cache, 1, &object, &done), -ENOENT);
}

static void test_cache_unknown_handles(void)
{
	static const unsigned long cmds[] = {
		MYALLOC_IOC_CACHE_DESTROY, MYALLOC_IOC_CACHE_SHRINK,
		MYALLOC_IOC_CACHE_DRAIN,
	};
	int fd = open_device();
	size_t i;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		IS(cache_op(fd, cmds[i], 0), -ENOENT);
		IS(cache_op(fd, cmds[i], 1), -ENOENT);
		IS(cache_op(fd, cmds[i], ~0ull), -ENOENT);
	}
	IS(obj_alloc(fd, 0, 1, handles, &done), -ENOENT);
	IS(obj_alloc(fd, ~0ull, 1, handles, &done), -ENOENT);
}

static void test_cache_shrink(void)
{
	struct myalloc_handle h = { 0 };
	struct myalloc_stat s;
	int fd = open_device();
	__u64 cache;
	__u32 done;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "shrunk", 256, 0, &cache), 0);
	IS(obj_alloc(fd, cache, 1000, handles, &done), 0);
	IS(free_many(fd, MYALLOC_IOC_OBJ_FREE, handles, done, &done), 0);
	h.handle = cache;
	IS(call(fd, MYALLOC_IOC_CACHE_DRAIN, &h), 0);
	IS(call(fd, MYALLOC_IOC_CACHE_SHRINK, &h), 0);
	IS(get_stat(watcher, &s), 0);
	EXPECT(s.slab_pages == start.slab_pages, "%llu slab pages, %llu before",
	       (unsigned long long)s.slab_pages,
	       (unsigned long long)start.slab_pages);
	h.result = ~0ull;
	IS(call(fd, MYALLOC_IOC_CACHE_SHRINK, &h), 0);
	EXPECT(h.result == 0, "nothing to shrink gave %llu pages",
	       (unsigned long long)h.result);
}

static void test_cache_stat(void)
{
	struct myalloc_cache_stat s = { .size = sizeof(s) };
	int a = open_device(), b = open_device(), seen = 0, err;
	__u64 cache, last = 0;
	__u32 done, id;

	CHECK(a >= 0 && b >= 0, "open");
	IS(cache_create(a, "looked-at", 100, MYALLOC_CHECK_REDZONE, &cache), 0);
	IS(obj_alloc(a, cache, 50, handles, &done), 0);
	s.how = MYALLOC_BY_HANDLE;
	s.handle = cache;
	IS(call(a, MYALLOC_IOC_CACHE_STAT, &s), 0);
	EXPECT(!strcmp(s.name, "looked-at"), "name '%.32s'", s.name);
	EXPECT(s.live_objects == 50 && s.allocs == 50 && !s.frees,
	       "live %llu allocs %llu frees %llu",
	       (unsigned long long)s.live_objects, (unsigned long long)s.allocs,
	       (unsigned long long)s.frees);
	EXPECT(s.flags & MYALLOC_CHECK_REDZONE, "flags %x", s.flags);
	EXPECT(s.slot_size >= s.object_size && s.objects_per_slab,
	       "slot %u, %u in a slab", s.slot_size, s.objects_per_slab);
	EXPECT(s.total_objects == s.slabs * s.objects_per_slab,
	       "%llu slots in %llu slabs", (unsigned long long)s.total_objects,
	       (unsigned long long)s.slabs);
	EXPECT(s.live_objects + s.cached_objects + s.deferred_objects <=
	       s.total_objects, "more objects than slots");
	EXPECT(s.size == sizeof(s), "size %u", s.size);
	id = s.id;

	/* By its number anyone may look, by its handle only its file. */
	IS(call(b, MYALLOC_IOC_CACHE_STAT, &s), -ENOENT);
	s = (struct myalloc_cache_stat) {
		.size = sizeof(s), .how = MYALLOC_BY_ID, .id = id,
	};
	IS(call(b, MYALLOC_IOC_CACHE_STAT, &s), 0);
	EXPECT(!strcmp(s.name, "looked-at"), "name '%.32s'", s.name);
	s.id = UINT_MAX;
	IS(call(b, MYALLOC_IOC_CACHE_STAT, &s), -ENOENT);
	s.how = 3;
	IS(call(b, MYALLOC_IOC_CACHE_STAT, &s), -EINVAL);
	s.how = UINT_MAX;
	IS(call(b, MYALLOC_IOC_CACHE_STAT, &s), -EINVAL);

	s = (struct myalloc_cache_stat) {
		.size = sizeof(s), .how = MYALLOC_NEXT_ID,
	};
	while (!(err = call(b, MYALLOC_IOC_CACHE_STAT, &s)) && seen < 100000) {
		CHECK(!seen || s.id > last, "number %u after %llu", s.id,
		      (unsigned long long)last);
		last = s.id++;
		seen++;
		s.how = MYALLOC_NEXT_ID;
		if (!s.id)
			break;
	}
	EXPECT(err == -ENOENT, "the list ends with error %d", -err);
	EXPECT(seen == (int)start.nr_caches + 1, "%d caches in the list, not %d",
	       seen, (int)start.nr_caches + 1);
}

static void test_obj_bad_values(void)
{
	int fd = open_device();
	__u64 cache, out[4] = { 0 };
	size_t i;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "objects", 64, 0, &cache), 0);

	const struct myalloc_obj_alloc bad[] = {
		{ .count = 0 },
		{ .count = MYALLOC_BULK_MAX + 1 },
		{ .count = UINT_MAX },
		{ .count = 1, .flags = MYALLOC_ALLOC_TOPDOWN },
		{ .count = 1, .flags = 1u << 31 },
		{ .count = 1, .pad = 1 },
	};

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct myalloc_obj_alloc a = bad[i];
		int err;

		a.cache = cache;
		a.handles = addr_of(out);
		err = call(fd, MYALLOC_IOC_OBJ_ALLOC, &a);
		EXPECT(err == -EINVAL, "case %zu: error %d", i, -err);
		EXPECT(!out[0], "case %zu: a handle was written", i);
	}
	/* If one object were out, this would be refused. */
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
}

static void test_obj_handles_that_fault(void)
{
	void *bad[] = { NULL, unmapped(), three_pages() + getpagesize() };
	__u64 *edge = (__u64 *)(three_pages() + getpagesize()) - 100;
	int fd = open_device(), freed;
	__u64 cache;
	__u32 done;
	size_t i;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "faults", 64, 0, &cache), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		IS(obj_alloc(fd, cache, 16, bad[i], &done), -EFAULT);
		EXPECT(done == 0, "%u done into nowhere", done);
	}
	memset(edge, 0, 100 * sizeof(*edge));
	IS(obj_alloc(fd, cache, 1000, edge, &done), -EFAULT);
	EXPECT(done <= 100, "%u done of 100 that can be told", done);
	freed = free_known(fd, MYALLOC_IOC_OBJ_FREE, edge, 100);
	EXPECT(freed == (int)done, "%d could be freed of %u", freed, done);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
}

static void test_obj_bulk(void)
{
	struct myalloc_obj_alloc a = { 0 };
	int fd = open_device();
	__u64 cache;
	__u32 done;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "bulk", 64, MYALLOC_CACHE_RANDOM, &cache), 0);
	a.cache = cache;
	a.handles = addr_of(handles);
	a.count = MYALLOC_BULK_MAX;
	a.flags = MYALLOC_ALLOC_ZERO;
	IS(call(fd, MYALLOC_IOC_OBJ_ALLOC, &a), 0);
	EXPECT(a.done == MYALLOC_BULK_MAX, "%u done", a.done);
	EXPECT(!duplicates(handles, a.done), "a handle twice");
	IS(free_many(fd, MYALLOC_IOC_OBJ_FREE, handles, a.done, &done), 0);
	EXPECT(done == a.done, "%u freed", done);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
}

/* ---- handles ---- */

static void test_handles_of_another_kind(void)
{
	struct myalloc_cache_stat s = {
		.size = sizeof(s), .how = MYALLOC_BY_HANDLE,
	};
	int fd = open_device();
	__u64 page, cache, object, out;
	__u32 done;

	CHECK(fd >= 0, "open");
	IS(page_alloc(fd, 0, 1, &page, &done), 0);
	IS(cache_create(fd, "kinds", 64, 0, &cache), 0);
	IS(obj_alloc(fd, cache, 1, &object, &done), 0);
	EXPECT(page != cache && page != object && cache != object,
	       "two kinds share a handle");
	IS(page_free(fd, object), -ENOENT);
	IS(page_free(fd, cache), -ENOENT);
	IS(obj_free(fd, page), -ENOENT);
	IS(obj_free(fd, cache), -ENOENT);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, page), -ENOENT);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, object), -ENOENT);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_SHRINK, page), -ENOENT);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DRAIN, object), -ENOENT);
	IS(obj_alloc(fd, page, 1, &out, &done), -ENOENT);
	IS(obj_alloc(fd, object, 1, &out, &done), -ENOENT);
	s.handle = object;
	IS(call(fd, MYALLOC_IOC_CACHE_STAT, &s), -ENOENT);
	IS(page_free(fd, page), 0);
	IS(obj_free(fd, object), 0);
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
}

/*
 * Two files may use the same numbers. So the other one first gets more handles
 * than are tried on it.
 */
static void test_handles_of_another_file(void)
{
	int a = open_device(), b = open_device();
	__u64 page[8], cache, object;
	__u32 done;
	int i;

	CHECK(a >= 0 && b >= 0, "open");
	IS(page_alloc(a, 0, 8, page, &done), 0);
	IS(cache_create(a, "mine", 64, 0, &cache), 0);
	IS(obj_alloc(a, cache, 1, &object, &done), 0);
	for (i = 0; i < 8; i++)
		IS(page_free(b, page[i]), -ENOENT);
	IS(obj_free(b, object), -ENOENT);
	IS(obj_alloc(b, cache, 1, handles, &done), -ENOENT);
	IS(cache_op(b, MYALLOC_IOC_CACHE_DESTROY, cache), -ENOENT);
	IS(page_alloc(b, 1, 4, handles, &done), 0);
	/* What b frees under a's number, if it has one, is its own: a's stays. */
	for (i = 0; i < 8; i++)
		page_free(b, page[i]);
	for (i = 0; i < 8; i++)
		IS(page_free(a, page[i]), 0);
	IS(obj_free(a, object), 0);
	IS(cache_op(a, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
}

static void test_handles_are_not_reused(void)
{
	int fd = open_device(), i;
	__u64 old, last = 0;
	__u32 done;

	CHECK(fd >= 0, "open");
	for (i = 0; i < 1000; i++) {
		IS(page_alloc(fd, 0, 1, &old, &done), 0);
		CHECK(old != last, "a handle was used again");
		IS(page_free(fd, old), 0);
		last = old;
	}
	IS(page_alloc(fd, 0, 100, handles, &done), 0);
	for (i = 0; i < 100; i++)
		CHECK(handles[i] != last, "a handle was used again");
}

static unsigned long available_mib(void)
{
	FILE *meminfo = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (meminfo && fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (meminfo)
		fclose(meminfo);
	return kib >> 10;
}

static void test_handle_limit(void)
{
	int fd = open_device(), err = 0;
	__u64 cache, total = 0;
	__u32 done;

	CHECK(fd >= 0, "open");
	/* Objects of 8 bytes: 8 MiB of them. A handle costs the kernel some 50 bytes. */
	if (info.nr_pages * info.page_size < 24u << 20)
		SKIP("the reserve is too small for 2^20 objects");
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP("kmemleak keeps half a KiB for each of 2^20 handles, and takes minutes");
	if (available_mib() < 192)
		SKIP("less than 192 MiB of memory for 2^20 handles");
	IS(cache_create(fd, "limit", 8, 0, &cache), 0);
	while (!err && total <= MYALLOC_HANDLES_MAX) {
		err = obj_alloc(fd, cache, MYALLOC_BULK_MAX, handles, &done);
		total += done;
	}
	if (err == -ENOMEM)
		SKIP("no memory for 2^20 handles");
	EXPECT(err == -ENOSPC, "it ends with error %d", -err);
	/* The cache has one as well. */
	EXPECT(total == MYALLOC_HANDLES_MAX - 1, "after %llu",
	       (unsigned long long)total);
	IS(page_alloc(fd, 0, 1, handles, &done), -ENOSPC);
	EXPECT(held() == 0, "%lld pages held", held());
}

/* ---- files ---- */

static void test_close_gives_back(void)
{
	int fd = open_device();
	__u64 cache[3];
	__u32 done;
	int i;

	CHECK(fd >= 0, "open");
	for (i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "closed-%d", i);
		IS(cache_create(fd, name, 100 << i, i ? MYALLOC_CHECK_ALL : 0,
				&cache[i]), 0);
		IS(obj_alloc(fd, cache[i], 500, handles, &done), 0);
	}
	/* Two of each order, which are half of the reserve at most. */
	for (i = 0; i <= (int)info.chunk_order && 8ULL << i <= info.nr_pages; i++)
		IS(page_alloc(fd, i, 2, handles, &done), 0);
}

static void test_dup(void)
{
	int a = open_device(), b;
	__u64 page, other;
	__u32 done;

	CHECK(a >= 0, "open");
	b = dup(a);
	CHECK(b >= 0, "dup");
	IS(page_alloc(a, 3, 1, &page, &done), 0);
	IS(page_alloc(b, 3, 1, &other, &done), 0);
	EXPECT(page != other, "one handle twice");
	close_device(a);
	EXPECT(held() == 16, "%lld pages held after the first close", held());
	IS(page_free(b, page), 0);
	close(b);
	EXPECT(held() == 0, "%lld pages held after the last close", held());
}

struct shared {
	int fd;
	__u64 page;
};

static int free_in_child(void *arg)
{
	struct shared *s = arg;
	__u64 handle;
	__u32 done;

	if (page_free(s->fd, s->page))
		return 1;
	/* Left to the file: the parent still has it open. */
	return page_alloc(s->fd, 2, 1, &handle, &done) ? 2 : 0;
}

static void test_fork(void)
{
	struct shared s = { .fd = open_device() };
	__u32 done;
	int code;

	CHECK(s.fd >= 0, "open");
	IS(page_alloc(s.fd, 1, 1, &s.page, &done), 0);
	code = in_child(free_in_child, &s);
	EXPECT(code == 0, "the child ended with %d", code);
	IS(page_free(s.fd, s.page), -ENOENT);
	EXPECT(held() == 4, "%lld pages held after the child's end", held());
	close_device(s.fd);
	EXPECT(held() == 0, "%lld pages held after close", held());
}

static int exec_self(void *arg)
{
	int fd = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	__u64 h;
	__u32 done;

	(void)arg;
	if (fd < 0 || page_alloc(fd, 4, 1, &h, &done))
		return 1;
	execl("/proc/self/exe", "ioctl_test", "--nothing", NULL);
	return 2;
}

static int free_as_nobody(void *arg)
{
	if (setresuid(65534, 65534, 65534))
		return 255;
	return try_open() ? free_in_child(arg) : 3;
}

/* The descriptor is the capability: no other privilege is needed. */
static void test_setuid(void)
{
	struct shared s = { .fd = open_device() };
	__u32 done;

	CHECK(s.fd >= 0, "open");
	IS(page_alloc(s.fd, 3, 1, &s.page, &done), 0);
	EXPECT(!in_child(free_as_nobody, &s), "a descriptor is of no use after setuid()");
	EXPECT(held() == 4, "%lld pages held", held());
}

static void test_exec(void)
{
	int code = in_child(exec_self, NULL);

	EXPECT(code == 0, "the child ended with %d", code);
	EXPECT(held() == 0, "%lld pages held after exec", held());
}

static int hold_and_die(void *arg)
{
	int fd = open(MYALLOC_DEVICE, O_RDWR);
	__u64 cache;
	__u32 done;

	(void)arg;
	if (fd < 0 || page_alloc(fd, 3, 100, handles, &done) ||
	    cache_create(fd, "dies", 200, 0, &cache) ||
	    obj_alloc(fd, cache, 1000, handles, &done))
		return 1;
	kill(getpid(), SIGKILL);
	return 2;
}

static void test_kill(void)
{
	EXPECT(in_child(hold_and_die, NULL) == -1, "the child did not die");
	EXPECT(held() == 0, "%lld pages held by the dead", held());
}

/* ---- several at once ---- */

struct race {
	int fd;
	pthread_barrier_t *barrier;
	int freed;
};

#define RACE_HANDLES	1000

/* Every handle, one by one, as the other thread does. */
static void *free_all(void *arg)
{
	struct race *r = arg;
	int i;

	pthread_barrier_wait(r->barrier);
	for (i = 0; i < RACE_HANDLES; i++)
		r->freed += page_free(r->fd, handles[i]) == 0;
	return NULL;
}

static void test_race_to_free(void)
{
	pthread_barrier_t barrier;
	struct race race[2];
	pthread_t thread[2];
	int fd = open_device(), i;
	__u32 done;

	CHECK(fd >= 0, "open");
	if (info.nr_pages < 2 * RACE_HANDLES)
		SKIP("the reserve is too small");
	IS(page_alloc(fd, 0, RACE_HANDLES, handles, &done), 0);
	pthread_barrier_init(&barrier, NULL, 2);
	for (i = 0; i < 2; i++) {
		race[i] = (struct race) { .fd = fd, .barrier = &barrier };
		pthread_create(&thread[i], NULL, free_all, &race[i]);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&barrier);
	EXPECT(race[0].freed + race[1].freed == RACE_HANDLES,
	       "%d and %d of %d were freed", race[0].freed, race[1].freed,
	       RACE_HANDLES);
	EXPECT(held() == 0, "%lld pages held", held());
}

struct churn {
	int fd;
	__u64 cache;
	__u64 seed;
	int errors;
};

static void *churn(void *arg)
{
	struct churn *c = arg;
	__u64 h[64];
	__u32 done, back;
	int round, err;

	for (round = 0; round < 500; round++) {
		__u32 count = 1 + below(&c->seed, 64);
		bool objects = below(&c->seed, 2);

		err = objects ? obj_alloc(c->fd, c->cache, count, h, &done)
			      : page_alloc(c->fd, below(&c->seed, 4), count, h, &done);
		if (err && err != -ENOMEM)
			c->errors++;
		if (!done)
			continue;
		err = free_many(c->fd, objects ? MYALLOC_IOC_OBJ_FREE
				: MYALLOC_IOC_PAGE_FREE, h, done, &back);
		if (err || back != done)
			c->errors++;
	}
	return NULL;
}

static void test_threads_on_one_file(void)
{
	struct churn churns[4];
	pthread_t thread[4];
	int fd = open_device(), i;
	__u64 cache;

	CHECK(fd >= 0, "open");
	IS(cache_create(fd, "churned", 96, 0, &cache), 0);
	for (i = 0; i < 4; i++) {
		churns[i] = (struct churn) { .fd = fd, .cache = cache, .seed = i };
		pthread_create(&thread[i], NULL, churn, &churns[i]);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		EXPECT(!churns[i].errors, "thread %d: %d errors", i,
		       churns[i].errors);
	}
	IS(cache_op(fd, MYALLOC_IOC_CACHE_DESTROY, cache), 0);
	EXPECT(held() == 0, "%lld pages held", held());
}

/* ---- signals ---- */

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarms(long us)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_interval.tv_usec = us,
		.it_value.tv_usec = us,
	};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/*
 * An interrupted allocation has done what it says, and nothing more; frees are not interrupted.
 * The alarms come at any moment: rounds go on until one of them came during an allocation.
 */
static void test_signals(void)
{
	int fd = open_device(), round, err, interrupted = 0;
	__u32 done, back;

	CHECK(fd >= 0, "open");
	if (info.nr_pages < 8192)
		SKIP("the reserve is too small");
	alarms(1000);
	for (round = 0; round < 100 || (!interrupted && round < 2000); round++) {
		err = page_alloc(fd, 0, MYALLOC_BULK_MAX, handles, &done);
		interrupted += err == -EINTR;
		EXPECT(!err || err == -EINTR, "alloc: error %d", -err);
		EXPECT(err ? done < MYALLOC_BULK_MAX : done == MYALLOC_BULK_MAX,
		       "error %d, %u done", -err, done);
		err = done ? free_many(fd, MYALLOC_IOC_PAGE_FREE, handles, done, &back) : 0;
		EXPECT(!err, "free: error %d with %u of %u freed", -err, back, done);
		if (err || held()) {
			EXPECT(0, "%lld pages held", held());
			break;
		}
	}
	alarms(0);
	EXPECT(interrupted, "none of %d allocations was interrupted", round);
}

/* ---- stress ---- */

static int stress_start(int fd, struct myalloc_stress *s)
{
	s->size = sizeof(*s);
	return call(fd, MYALLOC_IOC_STRESS_START, s);
}

/* Reads to the end of the run: its last state, or an error. */
static int read_to_end(int fd, int *records)
{
	struct myalloc_stress_progress p;
	__u64 deadline = now_ms() + 120000, ops = 0;
	int state = -ENODATA;
	ssize_t n;

	*records = 0;
	while ((n = read(fd, &p, sizeof(p))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n != sizeof(p) || p.pad || p.ops < ops ||
		    p.live_pages > p.nr_pages)
			return -EPROTO;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		ops = p.ops;
		state = p.state;
		(*records)++;
	}
	return state;
}

static void check_latency(const char *name, const struct myalloc_latency *l)
{
	if (!l->count)
		return;
	EXPECT(l->min <= l->p50 && l->p50 <= l->p99 && l->p99 <= l->p999,
	       "%s: %llu %llu %llu %llu are not in order", name,
	       (unsigned long long)l->min, (unsigned long long)l->p50,
	       (unsigned long long)l->p99, (unsigned long long)l->p999);
	EXPECT(l->min <= l->max, "%s: min above max", name);
}

static void check_result(const struct myalloc_stress_result *r, __u32 kind,
			 __u64 seed)
{
	EXPECT(r->kind == kind && (!seed || r->seed == seed) && r->seed,
	       "kind %u, seed %llu", r->kind, (unsigned long long)r->seed);
	EXPECT(r->page_allocs + r->obj_allocs, "kind %u: it did nothing", kind);
	EXPECT(r->page_allocs == r->page_frees && r->obj_allocs == r->obj_frees,
	       "kind %u: %llu - %llu blocks, %llu - %llu objects", kind,
	       (unsigned long long)r->page_allocs,
	       (unsigned long long)r->page_frees,
	       (unsigned long long)r->obj_allocs,
	       (unsigned long long)r->obj_frees);
	EXPECT(!r->verify_errors && !r->free_errors && !r->validate_errors,
	       "kind %u: verify %llu, free %llu, validate %u: %.160s", kind,
	       (unsigned long long)r->verify_errors,
	       (unsigned long long)r->free_errors, r->validate_errors,
	       r->first_error);
	EXPECT(r->balanced && !r->shared, "kind %u: balanced %u, shared %u",
	       kind, r->balanced, r->shared);
	EXPECT(r->ops_ns && r->ops_ns / 1000000 <= r->elapsed_ms,
	       "kind %u: operations for %llu ns of %llu ms", kind,
	       (unsigned long long)r->ops_ns, (unsigned long long)r->elapsed_ms);
	EXPECT(r->end_pages == r->start_pages && r->peak_pages <= info.nr_pages,
	       "kind %u: %llu pages before, %llu after", kind,
	       (unsigned long long)r->start_pages,
	       (unsigned long long)r->end_pages);
	check_latency("page alloc", &r->page_alloc_ns);
	check_latency("page free", &r->page_free_ns);
	check_latency("object alloc", &r->obj_alloc_ns);
	check_latency("object free", &r->obj_free_ns);
}

static void test_stress_kinds(void)
{
	struct myalloc_stress_result r;
	int fd = open_device(), state, records;
	__u32 kind;

	CHECK(fd >= 0, "open");
	IS(stress_result(fd, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_NONE, "state %u before any run", r.state);
	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++) {
		struct myalloc_stress s = {
			.kind = kind, .seed = kind ? 7 + kind : 0, .threads = 2,
			.ops = 2000, .checks = kind & 1 ? MYALLOC_CHECK_ALL : 0,
		};

		IS(stress_start(fd, &s), 0);
		EXPECT(s.id, "no id");
		state = read_to_end(fd, &records);
		EXPECT(state == MYALLOC_STRESS_DONE, "kind %u: state %d", kind, state);
		EXPECT(records, "kind %u: no record", kind);
		IS(stress_result(fd, &r), 0);
		EXPECT(r.state == MYALLOC_STRESS_DONE, "state %u", r.state);
		EXPECT(r.id == s.id && r.threads == 2, "id %llu, %u threads",
		       (unsigned long long)r.id, r.threads);
		check_result(&r, kind, s.seed);
		if (kind == MYALLOC_STRESS_EXHAUST)
			printf("# the last page was reached %llu times\n",
			       (unsigned long long)r.exhausted);
	}
}

static void test_stress_options(void)
{
	struct myalloc_stress_result r;
	struct myalloc_stress s = {
		.kind = MYALLOC_STRESS_MIXED, .seed = 42, .threads = 3,
		.duration_ms = 300, .fill_permille = 900, .nr_sizes = 2,
		.order_weights = { 1, 0, 2 }, .sizes = { 1, MYALLOC_OBJECT_MAX },
		.size_weights = { 3, 1 }, .flags = MYALLOC_STRESS_NO_VERIFY,
		.cpus = { 1 },
	};
	int fd = open_device(), state, records;

	CHECK(fd >= 0, "open");
	IS(stress_start(fd, &s), 0);
	state = read_to_end(fd, &records);
	EXPECT(state == MYALLOC_STRESS_DONE, "state %d", state);
	IS(stress_result(fd, &r), 0);
	check_result(&r, s.kind, 42);
	EXPECT(r.elapsed_ms >= 300, "%llu ms", (unsigned long long)r.elapsed_ms);
}

static void test_stress_bad_values(void)
{
	const struct myalloc_stress good = {
		.kind = MYALLOC_STRESS_PAGES, .seed = 1, .threads = 2, .ops = 10,
	};
	struct myalloc_stress_result r;
	struct myalloc_stress s;
	int fd = open_device(), nr = 0, err;

	CHECK(fd >= 0, "open");

#define BAD(change) do {						\
	s = good;							\
	change;								\
	err = stress_start(fd, &s);					\
	nr++;								\
	EXPECT(err == -EINVAL, "%s: error %d", #change, -err);		\
} while (0)

	BAD(s.kind = MYALLOC_STRESS_KINDS);
	BAD(s.kind = UINT_MAX);
	BAD(s.flags = MYALLOC_STRESS_FLAGS + 1);
	BAD(s.flags = 1u << 31);
	BAD(s.threads = MYALLOC_STRESS_THREADS_MAX + 1);
	BAD(s.threads = UINT_MAX);
	BAD(s.kind = MYALLOC_STRESS_CROSS; s.threads = 3);
	BAD(s.ops = 0);
	BAD(s.fill_permille = 1001);
	BAD(s.fill_permille = UINT_MAX);
	BAD(s.nr_sizes = MYALLOC_STRESS_SIZES_MAX + 1);
	BAD(s.nr_sizes = UINT_MAX);
	BAD(s.nr_sizes = 1);
	BAD(s.nr_sizes = 1; s.sizes[0] = MYALLOC_OBJECT_MAX + 1);
	BAD(s.nr_sizes = 2; s.sizes[0] = 64; s.sizes[1] = UINT_MAX);
	BAD(s.checks = MYALLOC_CHECK_ALL + 1);
	BAD(s.checks = 1u << 31);
	BAD(s.reserved = 1);
	BAD(s.reserved = 1ull << 63);
	BAD(s.cpus[3] = 1ull << 63);
	if (info.max_order < MYALLOC_MAX_ORDER)
		BAD(s.order_weights[MYALLOC_MAX_ORDER] = 1);
#undef BAD
	IS(stress_result(fd, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_NONE, "state %u after %d refusals",
	       r.state, nr);
	IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
}

static const struct myalloc_stress long_run = {
	.kind = MYALLOC_STRESS_MIXED, .seed = 5, .threads = 2,
	.duration_ms = 3600000,
};

static void test_stress_busy(void)
{
	struct myalloc_stress s = long_run;
	struct myalloc_stress_result r;
	int fd = open_device(), other = open_device(), state, records;

	CHECK(fd >= 0 && other >= 0, "open");
	IS(stress_start(fd, &s), 0);
	IS(stress_start(fd, &s), -EBUSY);
	IS(stress_result(fd, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_RUNNING, "state %u", r.state);
	/* Another file may have its own. */
	s = long_run;
	s.duration_ms = 0;
	s.ops = 500;
	IS(stress_start(other, &s), 0);
	state = read_to_end(other, &records);
	EXPECT(state == MYALLOC_STRESS_DONE, "the other's state %d", state);
	IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
	state = read_to_end(fd, &records);
	EXPECT(state == MYALLOC_STRESS_CANCELLED, "state %d", state);
	IS(stress_result(fd, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_CANCELLED, "state %u", r.state);
	EXPECT(r.page_allocs == r.page_frees && r.obj_allocs == r.obj_frees &&
	       !r.verify_errors && !r.validate_errors && !r.free_errors,
	       "a cancelled run has errors: %.160s", r.first_error);
	/* And again: the result is that of the newest. */
	s = long_run;
	s.duration_ms = 0;
	s.ops = 100;
	IS(stress_start(fd, &s), 0);
	state = read_to_end(fd, &records);
	EXPECT(state == MYALLOC_STRESS_DONE, "state %d", state);
}

static void test_stress_cancel_by_close(void)
{
	struct myalloc_stat s;
	__u32 kind;

	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++) {
		struct myalloc_stress run = long_run;
		int fd = open_device();
		const char *wrong;

		CHECK(fd >= 0, "open");
		run.kind = kind;
		IS(stress_start(fd, &run), 0);
		sleep_us(50000);
		close_device(fd);
		IS(drained_stat(watcher, &s), 0);
		wrong = stats_differ(&start, &s);
		EXPECT(!wrong, "kind %u, after close: %s", kind, wrong);
	}
}

static void test_stress_cancel_at_once(void)
{
	int fd = open_device(), round;

	CHECK(fd >= 0, "open");
	for (round = 0; round < 20; round++) {
		struct myalloc_stress run = long_run;

		run.kind = round % MYALLOC_STRESS_KINDS;
		IS(stress_start(fd, &run), 0);
		IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
		IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
	}
}

static void test_stress_read(void)
{
	struct myalloc_stress_progress p[2];
	struct myalloc_stress s = long_run;
	struct pollfd poll_fd = { .events = POLLIN };
	int fd = open_device(), n, records;
	ssize_t got;

	CHECK(fd >= 0, "open");
	got = read(fd, p, sizeof(p[0]));
	EXPECT(got == 0, "%zd bytes without a run", got);
	IS(stress_start(fd, &s), 0);
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	got = read(fd, p, sizeof(p[0]) - 1);
	EXPECT(got < 0 && errno == EINVAL, "a record into less: %zd", got);
	poll_fd.fd = fd;
	n = poll(&poll_fd, 1, 30000);
	EXPECT(n == 1 && poll_fd.revents & POLLIN, "poll: %d, %x", n,
	       poll_fd.revents);
	got = read(fd, unmapped(), sizeof(p[0]));
	EXPECT(got < 0 && errno == EFAULT, "a record into nowhere: %zd", got);
	got = read(fd, p, sizeof(p));
	EXPECT(got > 0 && got % sizeof(p[0]) == 0, "%zd bytes", got);
	EXPECT(p[0].state == MYALLOC_STRESS_RUNNING && p[0].id == s.id &&
	       p[0].total_ms == s.duration_ms, "state %u, total %llu",
	       p[0].state, (unsigned long long)p[0].total_ms);
	while ((got = read(fd, p, sizeof(p))) > 0)
		;
	EXPECT(got < 0 && errno == EAGAIN, "%zd when there is nothing", got);
	/* A waiting reader can be interrupted. */
	fcntl(fd, F_SETFL, O_RDWR);
	alarms(100000);
	while ((got = read(fd, p, sizeof(p[0]))) > 0)
		;
	alarms(0);
	EXPECT(got < 0 && errno == EINTR, "%zd after a signal", got);
	IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
	n = read_to_end(fd, &records);
	EXPECT(n == MYALLOC_STRESS_CANCELLED, "state %d", n);
	got = read(fd, p, sizeof(p[0]));
	EXPECT(got == 0, "%zd bytes after the last", got);
	n = poll(&poll_fd, 1, 0);
	EXPECT(n == 1, "a read that would not wait is not told");
}

/* One seed, one thread and a number of operations: the same work twice. */
static void test_stress_repeats(void)
{
	struct myalloc_stress_result r[2];
	int i, fd, records;

	for (i = 0; i < 2; i++) {
		struct myalloc_stress s = {
			.kind = MYALLOC_STRESS_MIXED, .seed = 99, .threads = 1,
			.ops = 3000,
		};

		fd = open_device();
		CHECK(fd >= 0, "open");
		IS(stress_start(fd, &s), 0);
		EXPECT(read_to_end(fd, &records) == MYALLOC_STRESS_DONE,
		       "it did not end");
		IS(stress_result(fd, &r[i]), 0);
		close_device(fd);
	}
	EXPECT(r[0].page_allocs == r[1].page_allocs &&
	       r[0].obj_allocs == r[1].obj_allocs,
	       "%llu and %llu blocks, %llu and %llu objects",
	       (unsigned long long)r[0].page_allocs,
	       (unsigned long long)r[1].page_allocs,
	       (unsigned long long)r[0].obj_allocs,
	       (unsigned long long)r[1].obj_allocs);
}

/* ---- benchmarks ---- */

static int bench_shape(int fd, __u32 index, struct myalloc_bench_shape *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->index = index;
	return call(fd, MYALLOC_IOC_BENCH_SHAPE, s);
}

/* Shape 0, as little as there is of it. */
static struct myalloc_bench small_bench(void)
{
	struct myalloc_bench b = { .size = sizeof(b) };

	fill_bench(&b);
	b.rounds = 3;
	b.ops = 16;
	b.seed = 11;
	return b;
}

static int read_bench_to_end(int fd)
{
	struct myalloc_bench_progress p;
	__u64 deadline = now_ms() + 120000, rounds = 0;
	int state = -ENODATA;
	ssize_t n;

	while ((n = read(fd, &p, sizeof(p))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n != sizeof(p) || p.rounds < rounds || p.rounds > p.total_rounds)
			return -EPROTO;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		rounds = p.rounds;
		state = p.state;
	}
	return state;
}

static void test_bench_shapes(void)
{
	struct myalloc_bench_shape s, first;
	__u32 i, k, ours;

	IS(bench_shape(watcher, 0, &first), 0);
	CHECK(first.nr_shapes && first.nr_shapes <= MYALLOC_BENCH_SHAPES_MAX,
	      "%u shapes", first.nr_shapes);
	for (i = 0; i < first.nr_shapes; i++) {
		IS(bench_shape(watcher, i, &s), 0);
		CHECK(s.index == i && s.nr_shapes == first.nr_shapes &&
		      s.nr_sides <= MYALLOC_BENCH_SIDES_MAX && !s.pad,
		      "shape %u: %u of %u, %u sides", i, s.index, s.nr_shapes,
		      s.nr_sides);
		CHECK(s.name[0] && memchr(s.name, 0, sizeof(s.name)) &&
		      memchr(s.what, 0, sizeof(s.what)), "shape %u has no name", i);
		for (k = 0, ours = 0; k < s.nr_sides; k++)
			ours += !!(s.side[k].flags & MYALLOC_BENCH_OURS);
		EXPECT(ours == !!s.nr_sides, "%s: %u sides are ours", s.name, ours);
	}
	IS(bench_shape(watcher, first.nr_shapes, &s), -ENOENT);
	IS(bench_shape(watcher, UINT_MAX, &s), -ENOENT);
}

static void test_bench_bad_values(void)
{
	struct myalloc_bench_shape shape;
	struct myalloc_bench b;
	int fd = open_device(), err;

	CHECK(fd >= 0, "open");
	IS(bench_shape(fd, 0, &shape), 0);

#define BAD(change) do {						\
	b = small_bench();						\
	change;								\
	err = call(fd, MYALLOC_IOC_BENCH_START, &b);			\
	EXPECT(err == -EINVAL, "%s: error %d", #change, -err);		\
} while (0)

	BAD(b.rounds = MYALLOC_BENCH_ROUNDS_MAX + 1);
	BAD(b.rounds = UINT_MAX);
	BAD(b.ops = MYALLOC_BENCH_OPS_MAX + 1);
	BAD(b.ops = UINT_MAX);
	BAD(b.cpu = UINT_MAX - 1);
	BAD(b.cpu = 65535);
	BAD(b.flags = 1);
	BAD(b.flags = 1u << 31);
	BAD(b.pad = 1);
	BAD(memset(b.shapes, 0, sizeof(b.shapes)));
	if (shape.nr_shapes < MYALLOC_BENCH_SHAPES_MAX) {
		BAD(b.shapes[shape.nr_shapes / 64] |=
		    1ull << (shape.nr_shapes % 64));
		BAD(b.shapes[MYALLOC_BENCH_SHAPES_MAX / 64 - 1] |= 1ull << 63);
	}
#undef BAD
	IS(call(fd, MYALLOC_IOC_BENCH_CANCEL, NULL), 0);
}

static void test_bench_result(void)
{
	static struct myalloc_bench_round rounds[4];
	struct myalloc_bench b = small_bench();
	struct myalloc_bench_result r;
	struct myalloc_bench_shape shape;
	int fd = open_device(), state;

#define ASK(shape_, side_, room_, round_) do {				\
	memset(&r, 0, sizeof(r));					\
	r.size = sizeof(r);						\
	r.shape = shape_;						\
	r.side = side_;							\
	r.room = room_;							\
	r.round = addr_of(round_);					\
} while (0)

	CHECK(fd >= 0, "open");
	IS(bench_shape(fd, 0, &shape), 0);
	if (!shape.nr_sides)
		SKIP("this machine cannot do the first shape");
	IS(call(fd, MYALLOC_IOC_BENCH_START, &b), 0);
	EXPECT(b.id, "no id");
	state = read_bench_to_end(fd);
	EXPECT(state == MYALLOC_STRESS_DONE, "state %d", state);
	memset(rounds, 0x5a, sizeof(rounds));
	ASK(0, 0, 2, rounds);
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_DONE && r.id == b.id && r.seed == 11,
	       "state %u, seed %llu", r.state, (unsigned long long)r.seed);
	EXPECT(r.rounds == 3 && r.room == 2, "%u rounds, %u of them stored",
	       r.rounds, r.room);
	EXPECT(rounds[1].ns != 0x5a5a5a5a5a5a5a5aull &&
	       rounds[2].ns == 0x5a5a5a5a5a5a5a5aull, "stored past its room");
	EXPECT(r.time.min <= r.time.p50 && r.time.p50 <= r.time.p99 &&
	       r.time.p99 <= r.time.max, "figures are not in order");
	ASK(0, 0, 0, NULL);
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), 0);
	EXPECT(r.rounds == 3 && !r.room, "%u rounds, room %u", r.rounds, r.room);
	ASK(0, 0, UINT_MAX, unmapped());
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -EFAULT);
	ASK(0, 0, 4, read_only(rounds, sizeof(rounds)));
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -EFAULT);
	ASK(0, MYALLOC_BENCH_SIDES_MAX, 0, NULL);
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -ENOENT);
	ASK(shape.nr_shapes, 0, 0, NULL);
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -ENOENT);
	ASK(UINT_MAX, UINT_MAX, UINT_MAX, rounds);
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -ENOENT);
	ASK(0, 0, 0, NULL);
	r.pad = 1;
	IS(call(fd, MYALLOC_IOC_BENCH_RESULT, &r), -EINVAL);
#undef ASK
}

/* The first of each kind that this machine can do, as little of it as can be. */
static void test_bench_kinds(void)
{
	char kind[MYALLOC_BENCH_NAME] = "";
	struct myalloc_bench_shape s;
	int fd = open_device(), state;
	__u32 i = 0, nr = 1;

	CHECK(fd >= 0, "open");
	for (i = 0; i < nr; i++) {
		struct myalloc_bench b = small_bench();
		size_t len;

		IS(bench_shape(fd, i, &s), 0);
		nr = s.nr_shapes;
		len = strcspn(s.name, "/");
		if (!s.nr_sides ||
		    (!strncmp(kind, s.name, len) && !kind[len]))
			continue;
		memcpy(kind, s.name, len);
		kind[len] = 0;
		b.rounds = 1;
		b.ops = 1;
		b.shapes[0] = 0;
		b.shapes[i / 64] = 1ull << (i % 64);
		IS(call(fd, MYALLOC_IOC_BENCH_START, &b), 0);
		state = read_bench_to_end(fd);
		EXPECT(state == MYALLOC_STRESS_DONE, "%s: state %d", s.name, state);
	}
}

/* A file has one run at a time, of whichever kind. */
/* ---- heaps ---- */

static void test_heap_test(void)
{
	struct myalloc_heap_test t = { .size = sizeof(t), .ops = 5000, .seed = 7 }, again = t;
	int fd = open_device();

	CHECK(fd >= 0, "open");
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), 0);
	EXPECT(!t.errors && !t.first[0], "%llu errors: %.160s", (unsigned long long)t.errors,
	       t.first);
	EXPECT(t.allocs && t.reallocs && t.frees == t.allocs, "%llu allocs, %llu frees",
	       (unsigned long long)t.allocs, (unsigned long long)t.frees);
	EXPECT(t.max_bytes, "no largest size");
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &again), 0);
	EXPECT(again.fails || t.fails || again.allocs == t.allocs, "the seed does not repeat it");
	t = (struct myalloc_heap_test) { .size = sizeof(t), .ops = 1 };
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), 0);
	EXPECT(t.seed, "no seed is told");

	t.ops = 0;
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), -EINVAL);
	t.ops = MYALLOC_HEAP_TEST_OPS_MAX + 1;
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), -EINVAL);
	t.ops = 1;
	t.pad = 1;
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), -EINVAL);
	t.pad = 0;
	t.max_bytes = ((__u64)info.page_size << info.chunk_order) + 1;
	IS(call(fd, MYALLOC_IOC_HEAP_TEST, &t), -EINVAL);
}

static void test_heap_stat(void)
{
	struct myalloc_heap_stat s = { .size = sizeof(s), .how = MYALLOC_NEXT_ID };
	struct myalloc_stress run = long_run;
	int fd = open_device();
	__u64 id;

	CHECK(fd >= 0, "open");
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), -ENOENT);
	s.how = MYALLOC_BY_HANDLE;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), -EINVAL);
	s.how = 3;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), -EINVAL);
	run.kind = MYALLOC_STRESS_HEAP;
	IS(stress_start(fd, &run), 0);
	sleep_us(50000);
	s.how = MYALLOC_NEXT_ID;
	s.id = 0;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), 0);
	EXPECT(!strncmp(s.name, "stress", 6), "name '%.32s'", s.name);
	EXPECT(s.classes && s.allocs, "%u classes, %llu allocs", s.classes,
	       (unsigned long long)s.allocs);
	EXPECT(s.held_bytes >= s.object_bytes, "%llu bytes in objects, %llu held",
	       (unsigned long long)s.object_bytes, (unsigned long long)s.held_bytes);
	id = s.id;
	s.how = MYALLOC_BY_ID;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), 0);
	EXPECT(s.id == id, "another heap");
	s.id = id + 1;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), -ENOENT);
	s.how = MYALLOC_NEXT_ID;
	IS(call(fd, MYALLOC_IOC_HEAP_STAT, &s), -ENOENT);
	close_device(fd);
}

/* ---- arenas ---- */

static void test_arenas(void)
{
	struct myalloc_arena_test t = { .size = sizeof(t), .ops = 5000, .seed = 7 };
	struct myalloc_arena_stat s = { .size = sizeof(s), .how = MYALLOC_NEXT_ID };
	int fd = open_device();

	CHECK(fd >= 0, "open");
	IS(call(fd, MYALLOC_IOC_ARENA_TEST, &t), 0);
	EXPECT(!t.errors && !t.first[0], "%llu errors: %.160s", (unsigned long long)t.errors,
	       t.first);
	EXPECT(t.allocs && t.swaps, "%llu allocs, %llu frames", (unsigned long long)t.allocs,
	       (unsigned long long)t.swaps);
	t.ops = 0;
	IS(call(fd, MYALLOC_IOC_ARENA_TEST, &t), -EINVAL);
	t.ops = 1;
	t.flags = ~0u;
	IS(call(fd, MYALLOC_IOC_ARENA_TEST, &t), -EINVAL);
	IS(call(fd, MYALLOC_IOC_ARENA_STAT, &s), -ENOENT);
	s.how = MYALLOC_BY_HANDLE;
	IS(call(fd, MYALLOC_IOC_ARENA_STAT, &s), -EINVAL);
	close_device(fd);
}

/* ---- contracts ---- */

#define IN_LINE(...)	((struct myalloc_line){ __VA_ARGS__ })

static struct myalloc_contract_make contract_of(const char *name, struct myalloc_line *lines, int nr,
						struct myalloc_line_cost *costs)
{
	struct myalloc_contract_make m = {
		.size = sizeof(m), .lines = addr_of(lines), .nr_lines = nr,
		.costs = costs ? addr_of(costs) : 0,
	};

	snprintf(m.name, sizeof(m.name), "%s", name);
	return m;
}

static void test_contract_plan(void)
{
	struct myalloc_line good[] = {
		IN_LINE(.kind = MYALLOC_LINE_PAGES, .pages = 12, .orders = 5),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 9, .nr_sizes = 1, .sizes = { 3 }),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 100, .object_size = 64, .nmi = 2),
	};
	struct myalloc_line bad[] = {
		IN_LINE(.kind = 3), IN_LINE(.pages = 4), IN_LINE(.pages = 4, .orders = 1u << 31),
		IN_LINE(.pages = 1, .orders = 2), IN_LINE(.pages = 4, .orders = 3, .nmi = 1),
		IN_LINE(.pages = 4, .orders = 1, .nmi = 65), IN_LINE(.pages = 4, .orders = 1, .count = 1),
		IN_LINE(.pages = 4, .orders = 1, .sizes = { 1 }),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 4),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 4, .nr_sizes = 23),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 4, .nr_sizes = 1),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 4, .nr_sizes = 1, .sizes = { 5 }),
		IN_LINE(.kind = MYALLOC_LINE_EXTENTS, .pages = 4, .nr_sizes = 1, .sizes = { 3 },
			.nmi = 1),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 4),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .object_size = 4),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 4, .object_size = 1u << 20),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 4, .object_size = 8, .align = 3),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 4, .object_size = 8, .pages = 1),
	};
	struct myalloc_line_cost costs[3];
	struct myalloc_contract_make m = contract_of("", good, 3, costs);
	struct myalloc_stat before, after;
	int fd = open_device();
	size_t i;

	CHECK(fd >= 0, "open");
	IS(get_stat(fd, &before), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), 0);
	EXPECT(!m.reason[0] && !m.handle, "reason '%.160s'", m.reason);
	EXPECT(costs[0].needed >= 12 && costs[0].set_aside >= costs[0].needed &&
	       m.pages == costs[0].set_aside + costs[1].set_aside + costs[2].set_aside,
	       "%u pages for the first line, %u for all", costs[0].set_aside, m.pages);
	IS(get_stat(fd, &after), 0);
	EXPECT(before.free_pages == after.free_pages, "the plan has taken pages");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		m = contract_of("bad", &bad[i], 1, NULL);
		EXPECT(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m) == -EINVAL && m.reason[0],
		       "line %zu is accepted, or without a reason", i);
		EXPECT(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m) == -EINVAL && m.reason[0],
		       "line %zu is made, or without a reason", i);
	}
	m = contract_of("", good, 0, NULL);
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), -EINVAL);
	m = contract_of("", good, 17, NULL);
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), -EINVAL);
	m = contract_of("", good, 1, NULL);
	m.flags = 4;
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), -EINVAL);
	m = contract_of("", good, 1, NULL);
	m.lines = addr_of(unmapped());
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), -EFAULT);
	m = contract_of("", good, 1, NULL);
	IS(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m), -EINVAL);
	memset(m.name, 'x', sizeof(m.name));
	IS(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m), -EINVAL);
	good[0].pages = 1u << 30;
	m = contract_of("large", good, 1, NULL);
	IS(call(fd, MYALLOC_IOC_CONTRACT_PLAN, &m), 0);
	EXPECT(m.pages_short, "nothing is short");
	EXPECT(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m) < 0 && m.reason[0] && !m.handle,
	       "the zone is not so large");
	close_device(fd);
}

static void test_contracts(void)
{
	struct myalloc_line lines[] = {
		IN_LINE(.kind = MYALLOC_LINE_PAGES, .pages = 12, .orders = 5),
		IN_LINE(.kind = MYALLOC_LINE_OBJECTS, .count = 100, .object_size = 64),
	};
	struct myalloc_contract_stat s = { .size = sizeof(s), .how = MYALLOC_NEXT_ID };
	struct myalloc_contract_make m = contract_of("ours", lines, 2, NULL), other;
	struct myalloc_contract_sites sites = { .size = sizeof(sites), .nr = 1 };
	struct myalloc_contract_finish end = { 0 };
	int fd = open_device(), second = open_device();
	struct myalloc_stat before, after;

	CHECK(fd >= 0 && second >= 0, "open");
	IS(drain(fd, MYALLOC_DRAIN_FLAGS), 0);
	IS(get_stat(fd, &before), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_STAT, &s), -ENOENT);
	IS(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m), 0);
	EXPECT(m.handle && m.id, "handle %llu, number %llu", (unsigned long long)m.handle,
	       (unsigned long long)m.id);
	other = contract_of("ours", lines, 1, NULL);
	EXPECT(call(second, MYALLOC_IOC_CONTRACT_CREATE, &other) == -EEXIST && other.reason[0],
	       "the name is given twice, or without a reason");
	IS(call(fd, MYALLOC_IOC_CONTRACT_STAT, &s), 0);
	EXPECT(!strcmp(s.name, "ours.0") && s.declared == 12 && !s.live, "name '%.32s'", s.name);
	s.how = MYALLOC_BY_ID;
	s.id++;
	IS(call(fd, MYALLOC_IOC_CONTRACT_STAT, &s), 0);
	EXPECT(!strcmp(s.name, "ours.1") && s.kind == MYALLOC_LINE_OBJECTS, "name '%.32s'", s.name);
	s.id++;
	IS(call(fd, MYALLOC_IOC_CONTRACT_STAT, &s), -ENOENT);
	s.how = MYALLOC_BY_HANDLE;
	IS(call(fd, MYALLOC_IOC_CONTRACT_STAT, &s), -EINVAL);
	sites.id = s.id - 1;
	IS(call(fd, MYALLOC_IOC_CONTRACT_SITES, &sites), 0);
	EXPECT(!sites.nr, "%u call sites of no request", sites.nr);
	sites.id++;
	IS(call(fd, MYALLOC_IOC_CONTRACT_SITES, &sites), -ENOENT);
	sites.id = 0;
	IS(call(fd, MYALLOC_IOC_CONTRACT_SITES, &sites), -ENOENT);

	IS(call(fd, MYALLOC_IOC_CONTRACT_END, &end), -ENOENT);
	end = (struct myalloc_contract_finish) { .handle = m.handle };
	IS(call(second, MYALLOC_IOC_CONTRACT_END, &end), -ENOENT);
	end.id = m.id;
	IS(call(fd, MYALLOC_IOC_CONTRACT_END, &end), -EINVAL);
	end.handle = 0;
	IS(call(second, MYALLOC_IOC_CONTRACT_END, &end), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_END, &end), -ENOENT);
	IS(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m), 0);
	end = (struct myalloc_contract_finish) { .handle = m.handle };
	IS(call(fd, MYALLOC_IOC_CONTRACT_END, &end), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_CREATE, &m), 0);
	close_device(fd);
	IS(drain(second, MYALLOC_DRAIN_FLAGS), 0);
	IS(get_stat(second, &after), 0);
	EXPECT(before.free_pages == after.free_pages, "%llu pages are free, before %llu",
	       (unsigned long long)after.free_pages, (unsigned long long)before.free_pages);
	close_device(second);
}

/* Robson's adversary reaches the last page of the plan, and with one page less it fails. */
static void test_contract_test(void)
{
	struct myalloc_contract_test t = {
		.size = sizeof(t), .requests = 1000, .pages = 64, .orders = 5, .others = 1,
	}, bad;
	struct myalloc_contract_test_result r = { .size = sizeof(r) };
	struct myalloc_contract_progress p;
	int fd = open_device(), lacking;

	CHECK(fd >= 0, "open");
	IS(call(fd, MYALLOC_IOC_CONTRACT_TESTED, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_NONE, "state %u", r.state);
	for (lacking = 0; lacking < 2; lacking++) {
		t.flags = lacking ? MYALLOC_CONTRACT_IS_SHORT : 0;
		IS(call(fd, MYALLOC_IOC_CONTRACT_TEST, &t), 0);
		do
			CHECK(read(fd, &p, sizeof(p)) == sizeof(p), "read");
		while (p.state == MYALLOC_STRESS_RUNNING);
		IS(call(fd, MYALLOC_IOC_CONTRACT_TESTED, &r), 0);
		EXPECT(r.state == MYALLOC_STRESS_DONE && !r.errors, "state %u, %.160s", r.state,
		       r.first);
		EXPECT(!!r.failures == lacking && r.failures == r.failed_within,
		       "%llu failures: %.160s", (unsigned long long)r.failures, r.first);
		EXPECT(lacking || r.highest_end == r.needed, "highest end %llu of %llu",
		       (unsigned long long)r.highest_end, (unsigned long long)r.needed);
	}
#define REFUSED(member, value)					\
	do {							\
		bad = t;					\
		bad.member = (value);				\
		IS(call(fd, MYALLOC_IOC_CONTRACT_TEST, &bad), -EINVAL); \
	} while (0)
	REFUSED(adversary, 2);
	REFUSED(flags, 1);
	REFUSED(requests, 0);
	REFUSED(requests, MYALLOC_CONTRACT_TEST_REQUESTS_MAX + 1);
	REFUSED(pages, 3);
	REFUSED(pages, MYALLOC_CONTRACT_TEST_PAGES_MAX + 1);
	REFUSED(orders, 0);
	REFUSED(orders, 1u << 31);
	REFUSED(others, MYALLOC_CONTRACT_TEST_OTHERS_MAX + 1);
#undef REFUSED
	t.requests = MYALLOC_CONTRACT_TEST_REQUESTS_MAX;
	t.flags = 0;
	IS(call(fd, MYALLOC_IOC_CONTRACT_TEST, &t), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_TEST, &t), -EBUSY);
	IS(call(fd, MYALLOC_IOC_CONTRACT_CANCEL, NULL), 0);
	IS(call(fd, MYALLOC_IOC_CONTRACT_TESTED, &r), 0);
	EXPECT(r.state == MYALLOC_STRESS_CANCELLED, "state %u", r.state);
	close_device(fd);
}

static void test_bench_and_stress(void)
{
	struct myalloc_bench b = small_bench();
	struct myalloc_stress s = long_run;
	int fd = open_device(), records, state;

	CHECK(fd >= 0, "open");
	IS(stress_start(fd, &s), 0);
	IS(call(fd, MYALLOC_IOC_BENCH_START, &b), -EBUSY);
	IS(call(fd, MYALLOC_IOC_STRESS_CANCEL, NULL), 0);
	state = read_to_end(fd, &records);
	EXPECT(state == MYALLOC_STRESS_CANCELLED, "state %d", state);
	b.rounds = MYALLOC_BENCH_ROUNDS_MAX;
	b.ops = 1u << 16;
	IS(call(fd, MYALLOC_IOC_BENCH_START, &b), 0);
	s = long_run;
	IS(stress_start(fd, &s), -EBUSY);
	IS(call(fd, MYALLOC_IOC_BENCH_START, &b), -EBUSY);
	IS(call(fd, MYALLOC_IOC_BENCH_CANCEL, NULL), 0);
	state = read_bench_to_end(fd);
	EXPECT(state == MYALLOC_STRESS_CANCELLED, "state %d", state);
	IS(call(fd, MYALLOC_IOC_BENCH_START, &b), 0);
	sleep_us(20000);
	close_device(fd);
}

/* ---- the table ---- */

#define TESTS(T)							\
	T(open) T(no_other_calls)					\
	T(info) T(stat) T(validate) T(drain) T(cells) T(look)		\
	T(unknown_commands) T(sizes_too_small)				\
	T(sizes_of_older_callers) T(sizes_of_newer_callers)		\
	T(structs_that_fault) T(structs_that_cannot_be_written)		\
	T(page_alloc) T(page_options) T(page_bad_values)		\
	T(page_handles_that_fault) T(page_bulk) T(page_exhaust)		\
	T(page_free_wrong) T(free_bad_values)				\
	T(cache_create) T(cache_alignments) T(cache_bad_values)		\
	T(cache_names) T(cache_destroy_busy) T(cache_unknown_handles)	\
	T(cache_shrink) T(cache_stat)					\
	T(obj_bad_values) T(obj_handles_that_fault) T(obj_bulk)		\
	T(handles_of_another_kind) T(handles_of_another_file)		\
	T(handles_are_not_reused) T(handle_limit)			\
	T(close_gives_back) T(dup) T(fork) T(setuid) T(exec) T(kill)		\
	T(race_to_free) T(threads_on_one_file) T(signals)		\
	T(heap_test) T(heap_stat) T(arenas)				\
	T(contract_plan) T(contracts) T(contract_test)			\
	T(stress_kinds) T(stress_options) T(stress_bad_values)		\
	T(stress_busy) T(stress_cancel_by_close)			\
	T(stress_cancel_at_once) T(stress_read) T(stress_repeats)	\
	T(bench_shapes) T(bench_bad_values) T(bench_result)		\
	T(bench_kinds) T(bench_and_stress)

#define WRAPPER(name)							\
	static void run_##name(void)					\
	{								\
		before();						\
		test_##name();						\
		after();						\
	}
#define ENTRY(name)	{ #name, run_##name },

TESTS(WRAPPER)

static const struct table_test tests[] = { TESTS(ENTRY) };

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--nothing"))
		return 0;
	watcher = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	if (watcher < 0 || get_info(watcher, &info)) {
		printf("Bail out! " MYALLOC_DEVICE ": %s\n", strerror(errno));
		return 1;
	}
	return table_run(tests, ARRAY_SIZE(tests));
}
