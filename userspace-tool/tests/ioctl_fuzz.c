// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_fuzz: random commands on random files from several threads, while
 * others close and open those files, make copies of them that outlive them,
 * and fork processes that hold and use them too
 *
 *	ioctl_fuzz [OPS [SEED [THREADS]]]
 *
 * Three of four arguments are good ones with one member changed, or none;
 * the rest is noise. At the end every file is closed: then, drained, the statistics
 * must be those from before, and the structure sound. Any error that the
 * interface does not name is a failure. The seed repeats each thread's choices;
 * how the threads meet is left to chance. Prints KTAP.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "guest.h"

#define OPS_DEFAULT	20000
#define THREADS_DEFAULT	3
#define THREADS_MAX	32
#define FILES		4
#define POOL		64	/* handles of a file that were seen lately */
#define CLOSE_US	100000	/* longest time between two closes */
#define COPIES		8	/* descriptors made by dup() */
#define RINGS		6	/* descriptors of rings */
#define FORKED_OPS	200
#define ERRNO_MAX	256

static struct myalloc_info info;
static struct myalloc_stat start;
static int watcher;
static __u64 seed;
static long ops = OPS_DEFAULT;
static int threads = THREADS_DEFAULT;

static _Atomic int file[FILES];
static _Atomic int copies[COPIES];
static _Atomic int rings[RINGS];
static _Atomic size_t ring_bytes[RINGS];	/* to be mapped */
static _Atomic __u64 pool[FILES][POOL];
static _Atomic long errors[ERRNO_MAX];
static _Atomic long closed, copied, forked, lost;
static atomic_bool ended;

struct fuzzer {
	pthread_t thread;
	__u64 random;
	int slot;		/* file of the step */
	/* What any command writes, at most. */
	__u64 handles[MYALLOC_CELLS_MAX * sizeof(struct myalloc_cell) / 8 + 1];
};

static int open_file(void)
{
	return open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* ---- values ---- */

static __u64 any_handle(struct fuzzer *f)
{
	switch (below(&f->random, 16)) {
	case 0:
		return next_random(&f->random);
	case 1:
		return below(&f->random, 3) - 1;
	case 2:
		return pool[below(&f->random, FILES)][below(&f->random, POOL)];
	default:
		return pool[f->slot][below(&f->random, POOL)];
	}
}

static void remember(struct fuzzer *f, const __u64 *handles, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr && i < 16; i++)
		pool[f->slot][below(&f->random, POOL)] = handles[i];
}

/* Numbers around which mistakes are made. */
static __u64 edge(struct fuzzer *f)
{
	static const __u64 edges[] = {
		0, 1, 2, 3, 7, 8, 10, 11, 12, 15, 16, 31, 32, 63, 64, 255, 256,
		257, 511, 512, 1000, 1001, 1023, 1024, 1025, 4095, 4096, 4097,
		32767, 32768, 32769, 65536, 1ull << 20, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000ull, 1ull << 47, 1ull << 62,
		0x7fffffffffffffffull, 1ull << 63, ~0ull - 7, ~0ull,
	};

	return edges[below(&f->random, ARRAY_SIZE(edges))];
}

/* Where an array of handles may be: mostly good memory. */
static __u64 array(struct fuzzer *f)
{
	switch (below(&f->random, 16)) {
	case 0:
		return 0;
	case 1:
		return addr_of(unmapped());
	case 2:
		return addr_of(three_pages() + getpagesize());
	case 3:
		return addr_of(unmapped()) - 8 * below(&f->random, 64);
	case 4:
		return addr_of(three_pages() + getpagesize()) -
		       8 * below(&f->random, 64);
	case 5:
		return edge(f);
	case 6:
		return addr_of((char *)f->handles + below(&f->random, 8));
	default:
		return addr_of(f->handles);
	}
}

static __u32 count(struct fuzzer *f)
{
	return below(&f->random, 8) ? 1 + below(&f->random, 100)
				    : 1 + below(&f->random, MYALLOC_BULK_MAX);
}

/* ---- good arguments ---- */

static size_t good_page_alloc(struct fuzzer *f, void *arg)
{
	struct myalloc_page_alloc *a = arg;

	a->count = count(f);
	a->order = a->count > 100 ? 0 : below(&f->random, info.max_order + 1);
	if (!below(&f->random, 3)) {
		a->order = 0;
		a->nr_pages = 1 + below(&f->random, 1u << info.chunk_order);
		a->count = 1 + below(&f->random, 10);
	}
	if (!below(&f->random, 4))
		a->align_order = below(&f->random, info.chunk_order + 1);
	a->flags = below(&f->random, MYALLOC_PAGE_FLAGS + 1);
	a->handles = array(f);
	return sizeof(*a);
}

static size_t good_free(struct fuzzer *f, void *arg)
{
	struct myalloc_free *a = arg;
	__u32 i;

	a->count = below(&f->random, 4) ? 1 : count(f);
	for (i = 0; i < a->count; i++)
		f->handles[i] = any_handle(f);
	a->handles = array(f);
	return sizeof(*a);
}

static size_t good_create(struct fuzzer *f, void *arg)
{
	struct myalloc_cache_create *a = arg;

	a->size = sizeof(*a);
	a->object_size = 1 + below(&f->random, below(&f->random, 4) ? 512 :
				   MYALLOC_OBJECT_MAX);
	a->align = below(&f->random, 2) ? 0 : 1u << below(&f->random, 13);
	a->flags = next_random(&f->random) & MYALLOC_CACHE_FLAGS;
	a->magazine = below(&f->random, 4) ? 0 : below(&f->random, 64);
	snprintf(a->name, sizeof(a->name), "fuzz-%llu",
		 (unsigned long long)below(&f->random, 64));
	return sizeof(*a);
}

static size_t good_handle(struct fuzzer *f, void *arg)
{
	struct myalloc_handle *a = arg;

	a->handle = any_handle(f);
	return sizeof(*a);
}

static size_t good_map(struct fuzzer *f, void *arg)
{
	struct myalloc_page_map *a = arg;

	a->handle = any_handle(f);
	return sizeof(*a);
}

static size_t good_obj_alloc(struct fuzzer *f, void *arg)
{
	struct myalloc_obj_alloc *a = arg;

	a->cache = any_handle(f);
	a->count = count(f);
	a->flags = below(&f->random, MYALLOC_OBJ_FLAGS + 1);
	a->handles = array(f);
	return sizeof(*a);
}

static size_t good_cache_stat(struct fuzzer *f, void *arg)
{
	struct myalloc_cache_stat *a = arg;

	a->size = sizeof(*a);
	a->how = below(&f->random, 3);
	a->handle = any_handle(f);
	a->id = below(&f->random, 64);
	return sizeof(*a);
}

static size_t good_stress(struct fuzzer *f, void *arg)
{
	struct myalloc_stress *a = arg;
	__u32 i;

	a->size = sizeof(*a);
	a->kind = below(&f->random, MYALLOC_STRESS_KINDS);
	a->seed = next_random(&f->random);
	a->threads = 2 * below(&f->random, 3);
	a->flags = below(&f->random, 2);
	a->ops = 1 + below(&f->random, 200);
	a->duration_ms = below(&f->random, 50);
	a->fill_permille = below(&f->random, 1001);
	a->nr_sizes = below(&f->random, 5);
	for (i = 0; i < a->nr_sizes; i++)
		a->sizes[i] = 1 + below(&f->random, 4096);
	a->checks = below(&f->random, MYALLOC_CHECK_ALL + 1);
	return sizeof(*a);
}

static size_t good_drain(struct fuzzer *f, void *arg)
{
	struct myalloc_drain *a = arg;

	a->flags = 1 + below(&f->random, MYALLOC_DRAIN_FLAGS);
	return sizeof(*a);
}

static size_t good_validate(struct fuzzer *f, void *arg)
{
	(void)f;
	(void)arg;
	return sizeof(struct myalloc_validate);
}

static size_t good_info(struct fuzzer *f, void *arg)
{
	(void)f;
	*(__u32 *)arg = sizeof(struct myalloc_info);
	return sizeof(struct myalloc_info);
}

static size_t good_stat(struct fuzzer *f, void *arg)
{
	(void)f;
	*(__u32 *)arg = sizeof(struct myalloc_stat);
	return sizeof(struct myalloc_stat);
}

static size_t good_cells(struct fuzzer *f, void *arg)
{
	struct myalloc_cells *c = arg;

	c->first = below(&f->random, info.nr_pages);
	c->pages = 1 + below(&f->random, 100);
	c->count = count(f);
	c->cells = array(f);
	return sizeof(*c);
}

static size_t good_look(struct fuzzer *f, void *arg)
{
	struct myalloc_look *l = arg;

	l->size = sizeof(*l);
	l->how = below(&f->random, 3);
	l->slot = l->how || below(&f->random, 2) ? MYALLOC_LOOK_NONE : below(&f->random, 64);
	l->key = l->how == MYALLOC_LOOK_HANDLE ? any_handle(f) :
		 below(&f->random, info.nr_pages);
	return sizeof(*l);
}

static size_t good_result(struct fuzzer *f, void *arg)
{
	(void)f;
	*(__u32 *)arg = sizeof(struct myalloc_stress_result);
	return sizeof(struct myalloc_stress_result);
}

static size_t good_shape(struct fuzzer *f, void *arg)
{
	struct myalloc_bench_shape *a = arg;

	a->size = sizeof(*a);
	a->index = below(&f->random, 64);
	return sizeof(*a);
}

static size_t good_bench(struct fuzzer *f, void *arg)
{
	struct myalloc_bench *a = arg;

	a->size = sizeof(*a);
	a->rounds = 1 + below(&f->random, 3);
	a->ops = 1 + below(&f->random, 64);
	a->cpu = MYALLOC_BENCH_ANY_CPU;
	a->seed = next_random(&f->random);
	a->shapes[0] = 1ull << below(&f->random, 64);
	return sizeof(*a);
}

static size_t good_bench_result(struct fuzzer *f, void *arg)
{
	struct myalloc_bench_result *a = arg;

	a->size = sizeof(*a);
	a->shape = below(&f->random, 64);
	a->side = below(&f->random, 4);
	a->room = below(&f->random, 4);
	a->round = a->room ? array(f) : 0;
	return sizeof(*a);
}

static size_t good_heap_stat(struct fuzzer *f, void *arg)
{
	struct myalloc_heap_stat *a = arg;

	a->size = sizeof(*a);
	a->how = 1 + below(&f->random, 2);
	a->id = below(&f->random, 64);
	return sizeof(*a);
}

static size_t good_heap_test(struct fuzzer *f, void *arg)
{
	struct myalloc_heap_test *a = arg;

	a->size = sizeof(*a);
	a->seed = next_random(&f->random);
	a->ops = 1 + below(&f->random, 200);
	a->max_bytes = below(&f->random, 3) ? 0 : below(&f->random, 1u << 20);
	return sizeof(*a);
}

static size_t good_ring(struct fuzzer *f, void *arg)
{
	struct myalloc_ring_file *a = arg;

	a->size = sizeof(*a);
	a->mode = below(&f->random, 2);
	a->bytes = 1 + below(&f->random, 8 * getpagesize());
	a->id = below(&f->random, 64);
	snprintf(a->name, sizeof(a->name), "fuzz-%llu",
		 (unsigned long long)below(&f->random, 16));
	return sizeof(*a);
}

/* Mostly where a record may end. */
static size_t good_ring_release(struct fuzzer *f, void *arg)
{
	struct myalloc_ring_release *a = arg;

	a->position = 8 * below(&f->random, 2000);
	return sizeof(*a);
}

static size_t good_produce(struct fuzzer *f, void *arg)
{
	struct myalloc_ring_produce *a = arg;

	a->flags = below(&f->random, MYALLOC_RING_PRODUCE_FLAGS + 1);
	a->seed = below(&f->random, 4);
	a->first = below(&f->random, 1000);
	a->count = 1 + below(&f->random, 20);
	return sizeof(*a);
}

static size_t good_nothing(struct fuzzer *f, void *arg)
{
	(void)f;
	(void)arg;
	return 0;
}

/* @weight: of a hundred or so; what looks at every page comes seldom. */
static const struct {
	unsigned long cmd;
	size_t (*good)(struct fuzzer *f, void *arg);
	int weight;
} commands[] = {
	{ MYALLOC_IOC_INFO, good_info, 2 },
	{ MYALLOC_IOC_STAT, good_stat, 3 },
	{ MYALLOC_IOC_VALIDATE, good_validate, 1 },
	{ MYALLOC_IOC_DRAIN, good_drain, 2 },
	{ MYALLOC_IOC_CELLS, good_cells, 2 },
	{ MYALLOC_IOC_LOOK, good_look, 8 },
	{ MYALLOC_IOC_PAGE_ALLOC, good_page_alloc, 25 },
	{ MYALLOC_IOC_PAGE_FREE, good_free, 20 },
	{ MYALLOC_IOC_PAGE_MAP, good_map, 4 },
	{ MYALLOC_IOC_CACHE_CREATE, good_create, 6 },
	{ MYALLOC_IOC_CACHE_DESTROY, good_handle, 4 },
	{ MYALLOC_IOC_CACHE_SHRINK, good_handle, 2 },
	{ MYALLOC_IOC_CACHE_DRAIN, good_handle, 2 },
	{ MYALLOC_IOC_CACHE_STAT, good_cache_stat, 4 },
	{ MYALLOC_IOC_OBJ_ALLOC, good_obj_alloc, 20 },
	{ MYALLOC_IOC_OBJ_FREE, good_free, 12 },
	{ MYALLOC_IOC_STRESS_START, good_stress, 1 },
	{ MYALLOC_IOC_STRESS_RESULT, good_result, 2 },
	{ MYALLOC_IOC_STRESS_CANCEL, good_nothing, 2 },
	{ MYALLOC_IOC_BENCH_SHAPE, good_shape, 2 },
	{ MYALLOC_IOC_BENCH_START, good_bench, 1 },
	{ MYALLOC_IOC_BENCH_RESULT, good_bench_result, 2 },
	{ MYALLOC_IOC_BENCH_CANCEL, good_nothing, 1 },
	{ MYALLOC_IOC_HEAP_STAT, good_heap_stat, 1 },
	{ MYALLOC_IOC_HEAP_TEST, good_heap_test, 1 },
	{ MYALLOC_IOC_RING_CREATE, good_ring, 3 },
	{ MYALLOC_IOC_RING_OPEN, good_ring, 1 },
	{ MYALLOC_IOC_RING_RELEASE, good_ring_release, 5 },
	{ MYALLOC_IOC_RING_PRODUCE, good_produce, 5 },
};

/* ---- spoiling them ---- */

/*
 * One aligned member of 4 or 8 bytes becomes an edge. A run without end would be
 * good, but 2^32 operations of 256 threads are only slow: those are not made.
 */
static void spoil(struct fuzzer *f, char *arg, size_t size)
{
	size_t at;
	__u64 value = edge(f);

	if (size < 4)
		return;
	if (below(&f->random, 2) && size >= 8) {
		at = below(&f->random, size / 8) * 8;
		memcpy(arg + at, &value, 8);
	} else {
		at = below(&f->random, size / 4) * 4;
		memcpy(arg + at, &value, 4);
	}
}

static void tame_stress(struct myalloc_stress *s)
{
	if (s->threads <= MYALLOC_STRESS_THREADS_MAX && s->threads > 8)
		s->threads = 8;
}

static void tame_bench(struct myalloc_bench *b)
{
	if (b->ops <= MYALLOC_BENCH_OPS_MAX && b->ops > 1024)
		b->ops = 1024;
}

static void noise(struct fuzzer *f, char *arg, size_t size)
{
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		__u64 value = next_random(&f->random);

		memcpy(arg + i, &value, 8);
	}
}

static unsigned long spoil_command(struct fuzzer *f, unsigned long cmd)
{
	switch (below(&f->random, 4)) {
	case 0:
		return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd),
			    below(&f->random, 1024));
	case 1:
		return _IOC(_IOC_DIR(cmd), MYALLOC_IOC, below(&f->random, 256),
			    _IOC_SIZE(cmd));
	case 2:
		return cmd ^ 1ul << below(&f->random, 32);
	default:
		return cmd;
	}
}

/* ---- one step ---- */

static void count_error(int err)
{
	errors[err < 0 && -err < ERRNO_MAX ? -err : 0]++;
}

static void step_read(struct fuzzer *f, int fd)
{
	char buf[sizeof(struct myalloc_stress_progress) * 3];
	size_t size = below(&f->random, sizeof(buf) + 1);
	void *to = below(&f->random, 4) ? buf : (void *)(unsigned long)array(f);

	/* Never more than the smallest memory that array() knows. */
	if (to != buf && size > 100)
		size = sizeof(struct myalloc_stress_progress);
	count_error(read(fd, to, size) < 0 ? -errno : 0);
}

/* Maps what a handle names, if anything, writes the last page, and unmaps a part, then all. */
static void step_map(struct fuzzer *f, int fd)
{
	static const int kinds[] = { MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_PRIVATE };
	size_t page = getpagesize(), size = page << below(&f->random, 6);
	int prot = below(&f->random, 8);
	char *at = mmap(NULL, size, prot, kinds[below(&f->random, 4)], fd,
			any_handle(f) * page);

	count_error(at == MAP_FAILED ? -errno : 0);
	if (at == MAP_FAILED)
		return;
	if (prot & PROT_WRITE)
		memset(at + size - page, prot, page);
	if (!below(&f->random, 4))
		munmap(at, page);
	munmap(at, size);
}

/* A ring in this process, mostly as it should be, and a look whether there is anything to read. */
static void step_ring(struct fuzzer *f)
{
	static const int kinds[] = { MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_PRIVATE };
	int i = below(&f->random, RINGS), prot = below(&f->random, 4) ? PROT_READ : below(&f->random, 8);
	struct pollfd p = { .fd = rings[i], .events = POLLIN };
	size_t page = getpagesize(), size = ring_bytes[i], at;
	volatile char *map;

	if (!below(&f->random, 8))
		size = page * (1 + below(&f->random, 20));
	poll(&p, 1, 0);
	map = mmap(NULL, size, prot, kinds[below(&f->random, 4)], rings[i],
		   below(&f->random, 16) ? 0 : page);
	count_error(map == MAP_FAILED ? -errno : 0);
	if (map == MAP_FAILED)
		return;
	for (at = 0; prot & PROT_READ && at < size; at += page)
		(void)map[at];
	if (!below(&f->random, 4))
		munmap((void *)map, page);
	if (!below(&f->random, 4))
		mprotect((void *)map, size, PROT_READ | PROT_WRITE);
	munmap((void *)map, size);
}

static int pick(struct fuzzer *f)
{
	int sum = 0, i, at;

	for (i = 0; i < (int)ARRAY_SIZE(commands); i++)
		sum += commands[i].weight;
	at = below(&f->random, sum);
	for (i = 0; at >= commands[i].weight; i++)
		at -= commands[i].weight;
	return i;
}

/* What a command that worked has made is worth to be tried again. */
static void learn(struct fuzzer *f, unsigned long cmd, const char *arg)
{
	const struct myalloc_page_alloc *pages = (const void *)arg;
	const struct myalloc_obj_alloc *objects = (const void *)arg;
	const struct myalloc_cache_create *cache = (const void *)arg;
	const struct myalloc_ring_file *ring = (const void *)arg;
	int i;

	/* Also if another command has become this one. */
	if (_IOC_TYPE(cmd) == MYALLOC_IOC && _IOC_NR(cmd) == _IOC_NR(MYALLOC_IOC_RING_CREATE)) {
		i = below(&f->random, RINGS);
		ring_bytes[i] = ring->map_bytes;
		i = atomic_exchange(&rings[i], ring->fd);
		if (i >= 0)
			close(i);
		return;
	}
	switch (cmd) {
	case MYALLOC_IOC_PAGE_ALLOC:
		if (pages->handles == addr_of(f->handles))
			remember(f, f->handles, pages->done);
		break;
	case MYALLOC_IOC_OBJ_ALLOC:
		if (objects->handles == addr_of(f->handles))
			remember(f, f->handles, objects->done);
		break;
	case MYALLOC_IOC_CACHE_CREATE:
		/* Often: it takes a cache to have objects. */
		for (i = 0; i < POOL / 4; i++)
			pool[f->slot][below(&f->random, POOL)] = cache->handle;
		break;
	}
}

static void step(struct fuzzer *f)
{
	char arg[4096] __attribute__((aligned(8))) = { 0 };
	int fd, i = pick(f), err;
	unsigned long cmd = commands[i].cmd;
	size_t size;
	void *at = arg;

	f->slot = below(&f->random, FILES);
	/* A copy may be of any file, so its handles are guesses. */
	fd = below(&f->random, 4) ? file[f->slot] : copies[below(&f->random, COPIES)];

	if (!below(&f->random, 50)) {
		step_read(f, fd);
		return;
	}
	if (!below(&f->random, 20)) {
		step_map(f, fd);
		return;
	}
	if (!below(&f->random, 30)) {
		step_ring(f);
		return;
	}
	if ((cmd == MYALLOC_IOC_RING_RELEASE || cmd == MYALLOC_IOC_RING_PRODUCE) &&
	    below(&f->random, 8))
		fd = rings[below(&f->random, RINGS)];
	size = commands[i].good(f, arg);
	switch (below(&f->random, 16)) {
	case 0: case 1: case 2:
		spoil(f, arg, size);
		break;
	case 3:
		noise(f, arg, size);
		break;
	case 4:
		cmd = spoil_command(f, cmd);
		break;
	case 5:
		at = (void *)(unsigned long)array(f);
		if (at == (void *)f->handles)
			noise(f, (char *)f->handles, 512);
		break;
	}
	if (cmd == MYALLOC_IOC_STRESS_START)
		tame_stress((void *)arg);
	if (cmd == MYALLOC_IOC_BENCH_START)
		tame_bench((void *)arg);
	err = call(fd, cmd, at);
	count_error(err);
	if (!err && at == arg)
		learn(f, cmd, arg);
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;
	long i;

	for (i = 0; i < ops; i++)
		step(f);
	return NULL;
}

/*
 * Closes under the others' feet. The number is taken from them before, so that
 * a new file under the same number is theirs at once, as in real programs.
 */
static void *closer(void *arg)
{
	__u64 random = seed ^ 0x5a5a5a5a;
	int i, fd;

	(void)arg;
	while (!ended) {
		sleep_us(below(&random, CLOSE_US));
		i = below(&random, FILES);
		fd = atomic_exchange(&file[i], -1);
		close(fd);
		closed++;
		fd = open_file();
		if (fd < 0)
			printf("# open: %s\n", strerror(errno));
		file[i] = fd;
	}
	return NULL;
}

/*
 * A copy keeps a file that the closer has closed, until it is closed itself, by
 * close() or by dup2() onto its number while others use it.
 */
static void *copier(void *arg)
{
	__u64 random = seed ^ 0xa5a5a5a5;
	int i, fd;

	(void)arg;
	while (!ended) {
		sleep_us(below(&random, CLOSE_US / 4));
		i = below(&random, COPIES);
		fd = file[below(&random, FILES)];
		if (copies[i] >= 0 && below(&random, 2)) {
			if (dup2(fd, copies[i]) >= 0)
				copied++;
			continue;
		}
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0)
			copied++;
		fd = atomic_exchange(&copies[i], fd);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/*
 * A process with the same files: it works on them, and ends, by itself or by a
 * signal, whether or not they were closed here meanwhile.
 */
static void *forker(void *arg)
{
	static struct fuzzer f;
	__u64 random = seed ^ 0x3c3c3c3c;
	int i, status;
	pid_t pid;

	(void)arg;
	while (!ended) {
		sleep_us(below(&random, CLOSE_US));
		f.random = next_random(&random);
		pid = fork();
		if (pid == 0) {
			for (i = 0; i < FORKED_OPS; i++)
				step(&f);
			_exit(0);
		}
		if (pid < 0)
			continue;
		forked++;
		if (below(&random, 2)) {
			sleep_us(below(&random, CLOSE_US));
			kill(pid, SIGKILL);
		}
		if (waitpid(pid, &status, 0) != pid ||
		    (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL))
			lost++;
	}
	return NULL;
}

static void *(*const others[])(void *arg) = { closer, copier, forker };

/* ---- the tests ---- */

static void test_run(void)
{
	static struct fuzzer fuzzer[THREADS_MAX];
	pthread_t other[ARRAY_SIZE(others)];
	__u64 began = now_ms();
	int i;

	EXPECT(!drained_stat(watcher, &start), "the statistics cannot be read");
	for (i = 0; i < COPIES; i++)
		copies[i] = -1;
	for (i = 0; i < RINGS; i++)
		rings[i] = -1;
	for (i = 0; i < FILES; i++) {
		file[i] = open_file();
		EXPECT(file[i] >= 0, "open: %s", strerror(errno));
	}
	for (i = 0; i < threads; i++) {
		fuzzer[i].random = seed + i * 1000003;
		pthread_create(&fuzzer[i].thread, NULL, fuzz, &fuzzer[i]);
	}
	for (i = 0; i < (int)ARRAY_SIZE(others); i++)
		pthread_create(&other[i], NULL, others[i], NULL);
	for (i = 0; i < threads; i++)
		pthread_join(fuzzer[i].thread, NULL);
	ended = true;
	for (i = 0; i < (int)ARRAY_SIZE(others); i++)
		pthread_join(other[i], NULL);
	for (i = 0; i < FILES; i++)
		close(file[i]);
	for (i = 0; i < COPIES; i++)
		if (copies[i] >= 0)
			close(copies[i]);
	for (i = 0; i < RINGS; i++)
		if (rings[i] >= 0)
			close(rings[i]);
	printf("# %ld commands of %d threads in %llu ms, %ld closes, %ld copies, %ld forks\n",
	       ops * threads, threads, (unsigned long long)(now_ms() - began),
	       closed, copied, forked);
	EXPECT(!lost, "%ld processes ended by another signal", lost);
}

/*
 * EBADF: the file was just closed. EFAULT is what bad memory gives. Of mmap(): EPERM, the memory
 * was to be executable; EACCES, a ring was to be written; EOVERFLOW, the kernel's own answer to an offset that is too large.
 * ENOTUNIQ: files of several processes have a handle that was to be looked at.
 */
static void test_errors(void)
{
	static const int named[] = {
		0, EINVAL, ENOTTY, EFAULT, ENOENT, ENOMEM, EDQUOT, EBUSY, ENOSPC,
		E2BIG, EEXIST, EAGAIN, EINTR, EBADF, EOPNOTSUPP, EPERM,
		EOVERFLOW, ENOTUNIQ, EACCES,
	};
	size_t k;
	int i;

	for (i = 0; i < ERRNO_MAX; i++) {
		if (!errors[i])
			continue;
		printf("# %-24s %ld\n", i ? strerror(i) : "worked", errors[i]);
		for (k = 0; k < ARRAY_SIZE(named); k++)
			if (named[k] == i)
				break;
		EXPECT(k < ARRAY_SIZE(named), "error %d (%s) is not of the interface",
		       i, strerror(i));
	}
	EXPECT(errors[0], "nothing worked");
}

static void test_statistics(void)
{
	struct myalloc_stat end;
	const char *wrong;

	EXPECT(!drained_stat(watcher, &end), "the statistics cannot be read");
	wrong = stats_differ(&start, &end);
	EXPECT(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong);
}

static void test_sound(void)
{
	const char *wrong = unsound(watcher);

	EXPECT(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong);
}

static const struct table_test tests[] = {
	{ "fuzz runs to its end", test_run },
	{ "errors are those of the interface", test_errors },
	{ "statistics are those from before", test_statistics },
	{ "structure is sound", test_sound },
};

int main(int argc, char **argv)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (argc > 1)
		ops = atol(argv[1]);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (__u64)now.tv_nsec;
	if (argc > 3)
		threads = atoi(argv[3]);
	watcher = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	if (ops < 1 || threads < 1 || threads > THREADS_MAX || watcher < 0 ||
	    get_info(watcher, &info)) {
		printf("Bail out! " MYALLOC_DEVICE ": %s\n", strerror(errno));
		return 1;
	}
	three_pages();
	snprintf(table_note, sizeof(table_note), "ioctl_fuzz %ld %llu %d", ops,
		 (unsigned long long)seed, threads);
	return table_run(tests, ARRAY_SIZE(tests));
}
