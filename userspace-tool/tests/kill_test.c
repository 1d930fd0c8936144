// SPDX-License-Identifier: GPL-2.0
/*
 * kill_test: SIGKILL in the middle of each kind of work leaves nothing behind
 *
 *	kill_test [ROUNDS [SEED]]
 *
 * For each kind, ROUNDS times: a child opens the device and works without end;
 * it is killed after a time drawn from SEED; then, drained, the statistics must be
 * those from before, to the page and the free block, and the structure sound.
 * Runs as root where nothing else uses the module; prints KTAP.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"

#define ROUNDS_DEFAULT	20
#define WAIT_MAX_US	40000	/* longest time a child works before it is killed */
#define HELD_MAX	512	/* blocks a child holds at once */

static struct myalloc_info info;
static int watcher;
static int rounds = ROUNDS_DEFAULT;
static __u64 seed;

/* One kind of work: a step of it, done again and again by the child. */
struct worker {
	int fd;
	__u64 random;
	__u64 cache;
	__u64 handle[MYALLOC_BULK_MAX];
	__u32 nr;
};

static void work_pages(struct worker *w)
{
	__u32 done;

	if (w->nr < HELD_MAX && below(&w->random, 3)) {
		if (!page_alloc(w->fd, below(&w->random, 6), 1,
				&w->handle[w->nr], &done))
			w->nr += done;
	} else if (w->nr) {
		__u32 at = below(&w->random, w->nr);

		page_free(w->fd, w->handle[at]);
		w->handle[at] = w->handle[--w->nr];
	}
}

static void work_page_bulk(struct worker *w)
{
	__u32 order = below(&w->random, 3), done = 0, back;

	page_alloc(w->fd, order, 1 + below(&w->random, MYALLOC_BULK_MAX),
		   w->handle, &done);
	if (done)
		free_many(w->fd, MYALLOC_IOC_PAGE_FREE, w->handle, done, &back);
}

static void work_exact(struct worker *w)
{
	struct myalloc_page_alloc a = {
		.nr_pages = 1 + below(&w->random, 40),
		.align_order = below(&w->random, 5),
		.flags = below(&w->random, MYALLOC_PAGE_FLAGS + 1),
		.count = 1 + below(&w->random, 64),
		.handles = addr_of(w->handle),
	};
	__u32 back;

	if (a.align_order > info.chunk_order || a.nr_pages > 1u << info.chunk_order)
		return;
	call(w->fd, MYALLOC_IOC_PAGE_ALLOC, &a);
	if (a.done)
		free_many(w->fd, MYALLOC_IOC_PAGE_FREE, w->handle,
			  below(&w->random, 2) ? a.done : 1, &back);
	w->nr += a.done;
	/* Now and then a new file, which frees what was left in the old. */
	if (w->nr < 5000)
		return;
	close(w->fd);
	w->fd = open(MYALLOC_DEVICE, O_RDWR);
	w->nr = 0;
}

static void work_caches(struct worker *w)
{
	static const __u32 flags[] = {
		0, MYALLOC_CHECK_ALL, MYALLOC_CACHE_RANDOM,
		MYALLOC_CACHE_NO_MAGAZINE, MYALLOC_CACHE_ZERO_FREE,
	};
	__u32 size = 1 + below(&w->random, 3000), done, back;
	__u64 cache;

	if (cache_create(w->fd, "killed", size,
			 flags[below(&w->random, ARRAY_SIZE(flags))], &cache))
		return;
	obj_alloc(w->fd, cache, 1 + below(&w->random, 200), w->handle, &done);
	if (done)
		free_many(w->fd, MYALLOC_IOC_OBJ_FREE, w->handle, done, &back);
	cache_op(w->fd, MYALLOC_IOC_CACHE_DRAIN, cache);
	cache_op(w->fd, MYALLOC_IOC_CACHE_SHRINK, cache);
	cache_op(w->fd, MYALLOC_IOC_CACHE_DESTROY, cache);
}

static void work_objects(struct worker *w)
{
	__u32 done, back, part;

	if (!w->cache && cache_create(w->fd, "killed-objects", 120,
				      MYALLOC_CHECK_ALL, &w->cache))
		return;
	if (w->nr < HELD_MAX && below(&w->random, 3)) {
		obj_alloc(w->fd, w->cache, 1 + below(&w->random, 64),
			  w->handle + w->nr, &done);
		w->nr += done;
	} else if (w->nr) {
		part = 1 + below(&w->random, w->nr);
		free_many(w->fd, MYALLOC_IOC_OBJ_FREE, w->handle + w->nr - part,
			  part, &back);
		w->nr -= part;
	}
}

static void work_object_bulk(struct worker *w)
{
	__u32 done, back;

	if (!w->cache && cache_create(w->fd, "killed-bulk", 64, 0, &w->cache))
		return;
	obj_alloc(w->fd, w->cache, MYALLOC_BULK_MAX, w->handle, &done);
	if (done)
		free_many(w->fd, MYALLOC_IOC_OBJ_FREE, w->handle, done, &back);
}

static void work_drain(struct worker *w)
{
	work_page_bulk(w);
	drain(w->fd, 1 + below(&w->random, MYALLOC_DRAIN_FLAGS));
}

static void work_validate(struct worker *w)
{
	work_pages(w);
	unsound(w->fd);
}

static void work_stat(struct worker *w)
{
	struct myalloc_cache_stat c = {
		.size = sizeof(c), .how = MYALLOC_NEXT_ID,
	};
	struct myalloc_stat s;

	work_objects(w);
	get_stat(w->fd, &s);
	call(w->fd, MYALLOC_IOC_CACHE_STAT, &c);
}

static void stress(struct worker *w, __u32 kind, __u64 ops)
{
	struct myalloc_stress s = {
		.size = sizeof(s), .kind = kind, .seed = next_random(&w->random),
		.threads = 2, .ops = ops, .duration_ms = ops ? 0 : 60000,
	};
	struct myalloc_stress_progress p;

	call(w->fd, MYALLOC_IOC_STRESS_START, &s);
	/* Waits for the end, or to be killed. */
	while (read(w->fd, &p, sizeof(p)) > 0)
		;
}

static void work_stress_pages(struct worker *w)
{
	stress(w, MYALLOC_STRESS_PAGES, 0);
}

static void work_stress_objects(struct worker *w)
{
	stress(w, MYALLOC_STRESS_OBJECTS, 0);
}

static void work_stress_mixed(struct worker *w)
{
	stress(w, MYALLOC_STRESS_MIXED, 0);
}

static void work_stress_cross(struct worker *w)
{
	stress(w, MYALLOC_STRESS_CROSS, 0);
}

static void work_stress_exhaust(struct worker *w)
{
	stress(w, MYALLOC_STRESS_EXHAUST, 0);
}

/* Runs that begin and end all the time. */
static void work_stress_short(struct worker *w)
{
	stress(w, below(&w->random, MYALLOC_STRESS_KINDS), 20);
	if (below(&w->random, 2))
		call(w->fd, MYALLOC_IOC_STRESS_CANCEL, NULL);
}

static void work_bench(struct worker *w)
{
	struct myalloc_bench_shape s = { .size = sizeof(s) };
	struct myalloc_bench b = {
		.size = sizeof(b), .rounds = 20, .ops = 1000,
		.cpu = MYALLOC_BENCH_ANY_CPU,
	};
	struct myalloc_bench_progress p;
	__u32 i;

	if (call(w->fd, MYALLOC_IOC_BENCH_SHAPE, &s))
		return;
	for (i = 0; i < 4; i++) {
		__u32 shape = below(&w->random, s.nr_shapes);

		b.shapes[shape / 64] |= 1ull << (shape % 64);
	}
	call(w->fd, MYALLOC_IOC_BENCH_START, &b);
	while (read(w->fd, &p, sizeof(p)) > 0)
		;
}

static void *helper(void *arg)
{
	struct worker *w = arg;
	struct worker own = { .fd = w->fd, .random = w->random + 1 };

	for (;;) {
		work_page_bulk(&own);
		work_caches(&own);
	}
	return NULL;
}

/* Two threads on one file: the group dies as one, whatever each is doing. */
static void work_threads(struct worker *w)
{
	pthread_t thread;

	if (!w->cache && !pthread_create(&thread, NULL, helper, w))
		w->cache = 1;
	work_pages(w);
}

static void child(void (*step)(struct worker *w), __u64 random, int ready)
{
	static struct worker w;

	w.random = random;
	w.fd = open(MYALLOC_DEVICE, O_RDWR);
	if (w.fd < 0 || write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		step(&w);
}

/* One round; NULL, or what was left behind. */
static const char *killed_once(void (*step)(struct worker *w), __u64 *random)
{
	struct myalloc_stat before, after;
	__u64 child_seed = next_random(random);
	__u64 wait_us = below(random, WAIT_MAX_US);
	const char *wrong;
	int ready[2], status;
	char byte;
	pid_t pid;

	if (drained_stat(watcher, &before) || pipe(ready))
		return "the statistics cannot be read";
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		child(step, child_seed, ready[1]);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1) {
		close(ready[0]);
		if (pid > 0)
			waitpid(pid, &status, 0);
		return "no child could open the device";
	}
	close(ready[0]);
	sleep_us(wait_us);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return "the child cannot be waited for";
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return "the child ended by itself";
	if (drained_stat(watcher, &after))
		return "the statistics cannot be read";
	wrong = stats_differ(&before, &after);
	return wrong ? wrong : unsound(watcher);
}

static void killed(const char *name, void (*step)(struct worker *w))
{
	__u64 random = seed, began;
	const char *wrong;
	int i;

	/* Each kind has its own numbers, whatever came before it. */
	for (i = 0; name[i]; i++)
		random = random * 31 + name[i];
	began = now_ms();
	for (i = 0; i < rounds; i++) {
		wrong = killed_once(step, &random);
		CHECK(!wrong, "round %d of seed %llu: %s", i,
		      (unsigned long long)seed, wrong);
	}
	printf("# %s: %d rounds in %llu ms\n", name, rounds,
	       (unsigned long long)(now_ms() - began));
}

#define KINDS(K)							\
	K(pages) K(page_bulk) K(exact) K(caches) K(objects)		\
	K(object_bulk) K(drain) K(validate) K(stat) K(threads)		\
	K(stress_pages) K(stress_objects) K(stress_mixed)		\
	K(stress_cross) K(stress_exhaust) K(stress_short) K(bench)

#define TEST(name)	static void kill_##name(void) { killed(#name, work_##name); }
#define ENTRY(name)	{ "kill " #name, kill_##name },

KINDS(TEST)

static const struct table_test tests[] = { KINDS(ENTRY) };

int main(int argc, char **argv)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (argc > 1)
		rounds = atoi(argv[1]);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (__u64)now.tv_nsec;
	watcher = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	if (rounds < 1 || watcher < 0 || get_info(watcher, &info)) {
		printf("Bail out! " MYALLOC_DEVICE ": %s\n", strerror(errno));
		return 1;
	}
	snprintf(table_note, sizeof(table_note), "kill_test %d %llu", rounds,
		 (unsigned long long)seed);
	return table_run(tests, ARRAY_SIZE(tests));
}
