// SPDX-License-Identifier: GPL-2.0
/*
 * Test of a malloc library: run it with the library preloaded
 *
 * Plain C, which knows nothing of the allocator. Each block is filled with bytes that depend on its
 * number and verified when it is freed. Some tests run this program again, with other settings.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define BLOCKS	2000
#define WAVES	5
#define WAVE	32
#define MANY	100	/* more than there are slots */

struct block {
	unsigned char *p;
	size_t size;
	unsigned char fill;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void fill(struct block *b, size_t from)
{
	if (from < b->size)
		memset(b->p + from, b->fill, b->size - from);
}

static bool intact(const struct block *b, size_t size)
{
	return !size || (b->p[0] == b->fill && !memcmp(b->p, b->p + 1, size - 1));
}

/* Mostly small, up to some chunks. */
static size_t random_size(uint64_t *random)
{
	uint64_t kind = next_random(random) % 1000;

	if (kind < 850)
		return next_random(random) % 512;
	if (kind < 990)
		return next_random(random) % 65536;
	return kind < 999 ? next_random(random) % (1 << 20) : next_random(random) % (12 << 20);
}

/* Random operations on a set of blocks, all of which are freed at the end. */
static bool churn(uint64_t seed, unsigned int ops)
{
	struct block *set = calloc(BLOCKS, sizeof(*set)), *b;
	uint64_t random = seed;
	size_t size, old;
	bool ok = set;
	void *p;

	for (; ops && ok; ops--) {
		b = &set[next_random(&random) % BLOCKS];
		size = random_size(&random);
		if (!b->p) {
			b->fill = (unsigned char)ops;
			b->size = size;
			b->p = malloc(size);
			ok = b->p && malloc_usable_size(b->p) >= size;
			fill(b, 0);
		} else if (next_random(&random) % 4) {
			ok = intact(b, b->size);
			free(b->p);
			b->p = NULL;
		} else {
			size += !size;
			old = b->size;
			p = realloc(b->p, size);
			ok = p;
			b->p = p;
			b->size = size;
			ok = ok && intact(b, old < size ? old : size);
			fill(b, old);
		}
	}
	for (b = set; ok && b < set + BLOCKS; b++) {
		ok = !b->p || intact(b, b->size);
		free(b->p);
	}
	free(set);
	return ok;
}

/* A size of a class that only this library has. */
static bool is_preloaded(void)
{
	void *p = malloc(100);
	bool ok = malloc_usable_size(p) == 112;

	free(p);
	return ok;
}

static bool aligned(void)
{
	size_t align, size;
	void *p;

	for (align = 8; align <= 16 << 20; align *= 2)
		for (size = 0; size < 70000; size = size * 3 + 1) {
			if (posix_memalign(&p, align, size) || (uintptr_t)p % align ||
			    malloc_usable_size(p) < size)
				return false;
			memset(p, 1, size);
			free(p);
			p = aligned_alloc(align, size);
			if (!p || (uintptr_t)p % align)
				return false;
			free(p);
			p = memalign(align, size);
			if (!p || (uintptr_t)p % align)
				return false;
			p = realloc(p, size + 1000);
			if (!p)
				return false;
			free(p);
		}
	for (size = 1; size < 5000; size++) {
		p = malloc(size);
		if (!p || (size >= 16 && (uintptr_t)p % 16))
			return false;
		free(p);
	}
	p = valloc(100);
	if (!p || (uintptr_t)p % getpagesize())
		return false;
	free(p);
	p = pvalloc(5000);
	if (!p || (uintptr_t)p % getpagesize() || malloc_usable_size(p) < 8192)
		return false;
	free(p);
	return posix_memalign(&p, 24, 1) == EINVAL && posix_memalign(&p, 4, 1) == EINVAL;
}

static bool refused(void *p)
{
	bool ok = !p && errno == ENOMEM;

	errno = 0;
	return ok;
}

/* Too much, with sizes that the compiler cannot see. */
static bool overflows(void)
{
	volatile size_t most = SIZE_MAX, half = SIZE_MAX / 2;
	void *p = malloc(50), *q;
	bool ok;

	errno = 0;
	ok = refused(malloc(most)) && refused(malloc(most - 100)) && refused(malloc(half)) &&
	     refused(calloc(half, 3)) && refused(calloc(half, 2)) &&
	     refused(reallocarray(p, half, 3)) && refused(realloc(p, most)) &&
	     refused(aligned_alloc(4096, most)) && posix_memalign(&q, 64, most) == ENOMEM &&
	     refused(pvalloc(most));
	free(p);
	q = malloc(0);
	p = malloc(0);
	ok = ok && p && q && p != q;
	free(p);
	free(q);
	p = realloc(NULL, 100);
	ok = ok && p && !realloc(p, 0);
	free(NULL);
	return ok && !malloc_usable_size(NULL);
}

static bool zeroed(void)
{
	static const size_t sizes[] = { 1, 8, 24, 100, 5000, 40000, 300000, 5 << 20 };
	unsigned char *p;
	unsigned int i, k;
	size_t at;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (k = 0; k < 3; k++) {
			p = calloc(1, sizes[i]);
			if (!p)
				return false;
			for (at = 0; at < sizes[i]; at++)
				if (p[at])
					return false;
			memset(p, 0xff, sizes[i]);
			free(p);
		}
	return true;
}

/* Every size from every size, by powers of two and around, across all kinds of blocks. */
static bool resizes(void)
{
	struct block b = { .fill = 0x5a };
	size_t from, to;

	for (from = 1; from <= 32 << 20; from *= 4)
		for (to = 1; to <= 32 << 20; to *= 4) {
			b.size = from + 1;
			b.p = malloc(b.size);
			if (!b.p)
				return false;
			fill(&b, 0);
			b.p = realloc(b.p, to);
			if (!b.p || malloc_usable_size(b.p) < to ||
			    !intact(&b, to < b.size ? to : b.size))
				return false;
			free(b.p);
		}
	return true;
}

/* --- threads ------------------------------------------------------------------------ */

static struct block shelf[WAVE];
static pthread_mutex_t shelf_lock = PTHREAD_MUTEX_INITIALIZER;

/* Leaves a block for others to free, and frees one of others. */
static bool exchange(uint64_t *random)
{
	struct block mine = { .size = random_size(random) + 1, .fill = (unsigned char)*random };
	struct block other;
	unsigned int at = next_random(random) % WAVE;
	bool ok;

	mine.p = malloc(mine.size);
	if (!mine.p)
		return false;
	fill(&mine, 0);
	pthread_mutex_lock(&shelf_lock);
	other = shelf[at];
	shelf[at] = mine;
	pthread_mutex_unlock(&shelf_lock);
	ok = !other.p || intact(&other, other.size);
	free(other.p);
	return ok;
}

/* Allocates and frees so much in so little time that threads of one slot meet. */
static bool hurry(unsigned char number)
{
	struct block few[8];
	unsigned int i, k;
	bool ok = true;

	for (i = 0; i < 5000 && ok; i++) {
		for (k = 0; k < 8; k++) {
			few[k] = (struct block) { malloc(64), 64, number + k };
			fill(&few[k], 0);
		}
		for (k = 0; k < 8; k++) {
			ok = ok && intact(&few[k], 64);
			free(few[k].p);
		}
	}
	return ok;
}

static pthread_key_t key;

/* Frees and allocates after the library's own destructor. */
static void last_words(void *p)
{
	free(p);
	p = malloc(100);
	free(p);
}

static void *works(void *seed)
{
	uint64_t random = (uintptr_t)seed;
	unsigned int i;
	bool ok = true;

	pthread_setspecific(key, malloc(10));
	for (i = 0; i < 50 && ok; i++)
		ok = exchange(&random);
	ok = ok && hurry((unsigned char)(uintptr_t)seed);
	return (void *)(uintptr_t)(ok && churn(random, 500));
}

static bool wave(unsigned int nr, uintptr_t seed)
{
	pthread_t thread[MANY];
	unsigned int i, started;
	bool ok = true;
	void *result;

	for (started = 0; started < nr; started++)
		if (pthread_create(&thread[started], NULL, works, (void *)(seed + started)))
			break;
	for (i = 0; i < started; i++)
		ok = !pthread_join(thread[i], &result) && result && ok;
	return ok && started == nr;
}

static bool come_and_go(void)
{
	unsigned int i;

	for (i = 0; i < WAVES; i++)
		if (!wave(WAVE / 2, 1000 * i))
			return false;
	return true;
}

static bool stopping;

static void *until_stopped(void *seed)
{
	uint64_t random = (uintptr_t)seed;
	bool ok = true;

	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED) && ok) {
		ok = churn(random, 200);
		random++;
	}
	return (void *)(uintptr_t)ok;
}

/* A child: free what the parent had, allocate, have threads, fork again. */
static int child(void *inherited, bool again)
{
	pid_t pid;
	int status = 1;

	free(inherited);
	if (!churn((uint64_t)getpid(), 500) || !wave(4, 77))
		return 1;
	if (!again)
		return 0;
	inherited = malloc(1000);
	pid = fork();
	if (!pid)
		_exit(child(inherited, false));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	free(inherited);
	return status ? 1 : 0;
}

static bool forks(void)
{
	pthread_t thread[4];
	unsigned int i;
	bool ok = true;
	void *p, *result;
	int status;
	pid_t pid;

	stopping = false;
	for (i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, until_stopped, (void *)(uintptr_t)(i + 1)))
			return false;
	for (i = 0; i < 8 && ok; i++) {
		p = malloc(1 + i * i * 100);
		pid = fork();
		if (!pid) {
			alarm(60);
			_exit(child(p, i % 4 == 0));
		}
		ok = pid > 0 && waitpid(pid, &status, 0) == pid && !status;
		free(p);
	}
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		ok = !pthread_join(thread[i], &result) && result && ok;
	return ok;
}

/* --- what ends the program ------------------------------------------------------------- */

static void twice(void)
{
	void *p = malloc(100), *volatile q = p;

	free(p);
	free(q);
}

static void interior(void)
{
	char *volatile p = malloc(100);

	free(p + 16);
}

static void foreign(void)
{
	static char here[100];
	char *volatile p = here;

	free(p);
}

static void large_twice(void)
{
	void *p = malloc(20 << 20), *volatile q = p;

	free(p);
	free(q);
}

/* The function must end in abort(), after words on standard error that contain @words. */
static bool aborts(void (*fn)(void), const char *words)
{
	char text[4096];
	ssize_t len = 0, n;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		return false;
	pid = fork();
	if (!pid) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	close(fds[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT && strstr(text, words);
}

/* --- this program with other settings ---------------------------------------------------- */

/* All of a reserve of 16 MiB, twice: a full one says so, and an empty one is whole again. */
static int full(void)
{
	size_t sizes[] = { 1 << 20, 32768, 4000, 100 }, size;
	void *list, *p, *next;
	unsigned int i, round;
	size_t got, first = 0;

	for (round = 0; round < 2; round++) {
		list = NULL;
		got = 0;
		for (i = 0; i < 4; i++) {
			size = sizes[i];
			errno = 0;
			while ((p = malloc(size))) {
				*(void **)p = list;
				list = p;
				got += size;
			}
			if (errno != ENOMEM)
				return 1;
		}
		for (p = list; p; p = next) {
			next = *(void **)p;
			free(p);
		}
		if (!round)
			first = got;
	}
	return got < 12 << 20 || got > 16 << 20 || got < first - first / 8;
}

static bool again(const char *self, const char *what, const char *name, const char *value)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv(name, value, 1);
		alarm(120);
		execl(self, self, what, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

int main(int argc, char **argv)
{
	pthread_key_create(&key, last_words);
	if (argc == 2 && !strcmp(argv[1], "full"))
		return full();
	if (argc == 2 && !strcmp(argv[1], "threads"))
		return !(churn(3, 10000) && come_and_go() && forks());
	ktap_plan(16);
	ktap_result(is_preloaded(), "the library is loaded");
	ktap_result(churn(1, 50000), "random operations keep contents");
	ktap_result(aligned(), "alignments");
	ktap_result(overflows(), "too much, and nothing");
	ktap_result(zeroed(), "calloc");
	ktap_result(resizes(), "realloc between all sizes");
	ktap_result(come_and_go(), "threads that come and go");
	ktap_result(wave(MANY, 5000), "more threads than slots");
	ktap_result(forks(), "fork while threads allocate");
	ktap_result(aborts(twice, "already free"), "a double free ends the program");
	ktap_result(aborts(interior, "bad free"), "a free inside a block ends the program");
	ktap_result(aborts(foreign, "bad free"), "a free of a foreign address ends the program");
	ktap_result(aborts(large_twice, "bad free"), "a double free of a mapping likewise");
	ktap_result(again(argv[0], "full", "MYALLOC_MALLOC_MB", "16"), "a full reserve is ENOMEM");
	ktap_result(again(argv[0], "threads", "MYALLOC_MALLOC_SLOTS", "0"), "all slots shared");
	ktap_result(again(argv[0], "threads", "MYALLOC_MALLOC_SLOTS", "2"), "two slots not shared");
	return ktap_end();
}
