// SPDX-License-Identifier: GPL-2.0
/*
 * fault_test: the k-th internal allocation fails, for k = 1, 2, ... until there
 * is no k-th one, in loading the module, in opening the device and in each of
 * its commands
 *
 *	fault_test own|kernel|load MODULE.ko
 *
 * own: by the parameter fail_nth of a module built with its own fault
 * injection; every allocation of the module counts. kernel: by the kernel's
 * failslab and fail_page_alloc, through /proc/thread-self/fail-nth; every
 * allocation counts that this task makes inside the call, the kernel's own too;
 * not in loading the module, which is what load does: the kernel warns once if
 * it has no memory for a module's trace events.
 *
 * After each: the call said -ENOMEM or worked, the structure is sound, and when
 * the file is closed the statistics are those from before. A call in which nothing
 * failed must have worked. Prints KTAP.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "guest.h"

#define SITES_MAX	5000	/* more, and something never ends */
#define NR_HANDLES	70	/* more than a batch, see mod/device/handles.c */
#define LOAD_OPTIONS	"reserve_mb=8 chunk_order=8 checks=U"
#define OWN		"/sys/module/myalloc/parameters/fail_nth"
#define KERNEL		"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/myalloc"

static const char *module;
static bool own;
static int watcher = -1;

/* What a command works on; made before, without failures. */
struct subject {
	int fd;
	__u64 cache;
	__u64 handle[NR_HANDLES];
	const char *shape;
};

/* ---- the failures ---- */

static long get_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 ? atol(text) : -1;
}

static bool set_number(const char *path, long number)
{
	char text[32];
	int fd = open(path, O_WRONLY), n = snprintf(text, sizeof(text), "%ld", number);
	bool good = write(fd, text, n) == n;

	close(fd);
	return good;
}

static void arm(long k)
{
	if (!set_number(own ? OWN : KERNEL, k)) {
		printf("Bail out! cannot ask for failures: %s\n", strerror(errno));
		exit(1);
	}
}

/* Has it happened? No more from here on. */
static bool disarm(void)
{
	bool fired = get_number(own ? OWN : KERNEL) == 0;

	set_number(own ? OWN : KERNEL, 0);
	return fired;
}

/* ---- modules ---- */

static int load(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, options, 0) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) < 0 ? -errno : 0;
}

/* One that lies beside the module. */
static const char *beside(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%.*s/%s.ko", (int)(strrchr(module, '/') - module), module,
		 name);
	return path;
}

/* A client. Not every machine has all. */
static int client(const char *name)
{
	const char *path = beside(name);
	int err;

	if (access(path, F_OK))
		return 0;
	err = load(path, "");
	return err ? err : unload(name);
}

/* ---- commands ---- */

static int make_open(struct subject *s)
{
	s->fd = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

static int pages(struct subject *s, struct myalloc_page_alloc a)
{
	a.handles = addr_of(s->handle);
	return call(s->fd, MYALLOC_IOC_PAGE_ALLOC, &a);
}

static int do_page(struct subject *s)
{
	return pages(s, (struct myalloc_page_alloc) { .count = 1 });
}

static int do_page_bulk(struct subject *s)
{
	return pages(s, (struct myalloc_page_alloc) { .order = 1, .count = NR_HANDLES });
}

static int do_page_exact(struct subject *s)
{
	return pages(s, (struct myalloc_page_alloc) {
		.nr_pages = 5, .align_order = 4, .count = 3,
	});
}

static int make_page(struct subject *s)
{
	int err = make_open(s);

	return err ? err : do_page(s);
}

static int do_page_free(struct subject *s)
{
	return page_free(s->fd, s->handle[0]);
}

static int do_create(struct subject *s)
{
	return cache_create(s->fd, "fault", 100, 0, &s->cache);
}

static int do_create_checks(struct subject *s)
{
	return cache_create(s->fd, "fault", 100, MYALLOC_CHECK_ALL | MYALLOC_CACHE_RANDOM,
			    &s->cache);
}

static int do_create_plain(struct subject *s)
{
	return cache_create(s->fd, "fault", 3000, MYALLOC_CACHE_NO_MAGAZINE, &s->cache);
}

static int make_cache(struct subject *s)
{
	int err = make_open(s);

	return err ? err : do_create(s);
}

static int do_object(struct subject *s)
{
	__u32 done;

	return obj_alloc(s->fd, s->cache, 1, s->handle, &done);
}

static int do_object_bulk(struct subject *s)
{
	__u32 done;

	return obj_alloc(s->fd, s->cache, NR_HANDLES, s->handle, &done);
}

static int make_object(struct subject *s)
{
	int err = make_cache(s);

	return err ? err : do_object(s);
}

static int do_object_free(struct subject *s)
{
	return obj_free(s->fd, s->handle[0]);
}

static int do_cache_drain(struct subject *s)
{
	return cache_op(s->fd, MYALLOC_IOC_CACHE_DRAIN, s->cache);
}

static int do_cache_shrink(struct subject *s)
{
	return cache_op(s->fd, MYALLOC_IOC_CACHE_SHRINK, s->cache);
}

static int do_cache_destroy(struct subject *s)
{
	return cache_op(s->fd, MYALLOC_IOC_CACHE_DESTROY, s->cache);
}

static int do_cache_stat(struct subject *s)
{
	struct myalloc_cache_stat c = {
		.size = sizeof(c), .how = MYALLOC_NEXT_ID,
	};

	return call(s->fd, MYALLOC_IOC_CACHE_STAT, &c);
}

static int do_info(struct subject *s)
{
	struct myalloc_info i;

	return get_info(s->fd, &i);
}

static int do_stat(struct subject *s)
{
	struct myalloc_stat st;

	return get_stat(s->fd, &st);
}

static int do_validate(struct subject *s)
{
	struct myalloc_validate v = { 0 };

	return call(s->fd, MYALLOC_IOC_VALIDATE, &v);
}

static int do_drain(struct subject *s)
{
	return drain(s->fd, MYALLOC_DRAIN_FLAGS);
}

static int stress(struct subject *s, __u32 kind, __u32 threads)
{
	struct myalloc_stress p = {
		.size = sizeof(p), .kind = kind, .seed = 1, .threads = threads, .ops = 20,
	};

	return call(s->fd, MYALLOC_IOC_STRESS_START, &p);
}

static int do_stress_pages(struct subject *s)
{
	return stress(s, MYALLOC_STRESS_PAGES, 1);
}

static int do_stress_objects(struct subject *s)
{
	return stress(s, MYALLOC_STRESS_OBJECTS, 1);
}

static int do_stress_mixed(struct subject *s)
{
	return stress(s, MYALLOC_STRESS_MIXED, 3);
}

static int do_stress_cross(struct subject *s)
{
	return stress(s, MYALLOC_STRESS_CROSS, 2);
}

static int do_stress_exhaust(struct subject *s)
{
	return stress(s, MYALLOC_STRESS_EXHAUST, 1);
}

static int do_bench(struct subject *s)
{
	struct myalloc_bench b = {
		.size = sizeof(b), .rounds = 1, .ops = 1, .cpu = MYALLOC_BENCH_ANY_CPU,
		.shapes = { 1 },
	};

	return call(s->fd, MYALLOC_IOC_BENCH_START, &b);
}

static int find_shape(const struct subject *s, struct myalloc_bench_shape *shape)
{
	__u32 i = 0;
	int err;

	do {
		*shape = (struct myalloc_bench_shape) { .size = sizeof(*shape), .index = i++ };
		err = call(s->fd, MYALLOC_IOC_BENCH_SHAPE, shape);
	} while (!err && strcmp(shape->name, s->shape));
	return err;
}

/* A benchmark to its end, and its results: what failed in its threads, one side says. */
static int do_bench_shape(struct subject *s)
{
	struct myalloc_bench b = {
		.size = sizeof(b), .rounds = 1, .ops = 1, .cpu = MYALLOC_BENCH_ANY_CPU,
	};
	struct myalloc_bench_shape shape;
	struct myalloc_bench_progress p;
	int err = find_shape(s, &shape), said = 0;
	ssize_t n;

	if (err)
		return err;
	b.shapes[shape.index / 64] = 1ull << (shape.index % 64);
	err = call(s->fd, MYALLOC_IOC_BENCH_START, &b);
	if (err)
		return err;
	do
		n = read(s->fd, &p, sizeof(p));
	while (n > 0);
	for (__u32 i = 0; i < shape.nr_sides; i++) {
		struct myalloc_bench_result r = {
			.size = sizeof(r), .shape = shape.index, .side = i,
		};

		err = call(s->fd, MYALLOC_IOC_BENCH_RESULT, &r);
		if (err)
			return err;
		if (r.error)
			said = -(int)r.error;
	}
	return n < 0 ? -errno : said;
}

/* Starts a run and reads its records to the end. */
static int make_run(struct subject *s)
{
	int err = make_open(s);

	return err ? err : stress(s, MYALLOC_STRESS_PAGES, 1);
}

static int do_read(struct subject *s)
{
	struct myalloc_stress_progress p;
	ssize_t n;

	do
		n = read(s->fd, &p, sizeof(p));
	while (n > 0);
	return n < 0 ? -errno : 0;
}

static int do_result(struct subject *s)
{
	struct myalloc_stress_result r;

	return stress_result(s->fd, &r);
}

static int do_cancel(struct subject *s)
{
	return call(s->fd, MYALLOC_IOC_STRESS_CANCEL, NULL);
}

/* One file of debugfs from its first byte to its last. */
static int read_all(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY), err;
	char buf[512];
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0);
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int do_debugfs(struct subject *s)
{
	static const char *const files[] = {
		"buddyinfo", "slabinfo", "stats", "pcp", "fragmentation", "reserve", "owners",
		"caches/fault/object_size",
	};
	int dir = open(DEBUGFS, O_PATH | O_DIRECTORY), err = dir < 0 ? -errno : 0;
	size_t i;

	(void)s;
	for (i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = read_all(dir, files[i]);
	if (dir >= 0)
		close(dir);
	return err;
}

static int do_example(struct subject *s)
{
	(void)s;
	return client("myalloc_example");
}

static int do_nmi(struct subject *s)
{
	(void)s;
	return client("myalloc_nmi");
}

/* What follows a command that has worked, before the file is closed. */
static void settle(struct subject *s)
{
	do_cancel(s);
}

/* ---- one call, again and again ---- */

/*
 * @must: sites there are at least with the module's own injection, so that a walk
 * that meets none is not taken for a good one
 * @own: only with that: the kernel fails hundreds of its own for each cache, and has
 * done so before in the walk "create a cache"
 * @shape: of a benchmark
 * @quiet: of its failures nothing says so: each cache does without its debugfs directory
 */
static const struct walk {
	const char *name;
	int (*make)(struct subject *s);
	int (*run)(struct subject *s);
	long must;
	bool own;
	const char *shape;
	long quiet;
} walks[] = {
	{ "open", NULL, make_open, 1 },
	{ "one page", make_open, do_page, 2 },
	{ "pages in bulk", make_open, do_page_bulk, 2 * NR_HANDLES },
	{ "pages, exact and aligned", make_open, do_page_exact, 6 },
	{ "free a page", make_page, do_page_free, 0 },
	{ "create a cache", make_open, do_create, 4 },
	{ "create a cache with checks", make_open, do_create_checks, 4, true },
	{ "create a cache without magazines", make_open, do_create_plain, 3, true },
	{ "one object", make_cache, do_object, 2 },
	{ "objects in bulk", make_cache, do_object_bulk, 2 * NR_HANDLES },
	{ "free an object", make_object, do_object_free, 0 },
	{ "drain a cache", make_object, do_cache_drain, 0 },
	{ "shrink a cache", make_object, do_cache_shrink, 0 },
	{ "destroy a cache", make_cache, do_cache_destroy, 0 },
	{ "statistics of a cache", make_cache, do_cache_stat, 0 },
	{ "info", make_open, do_info, 0 },
	{ "statistics", make_open, do_stat, 1 },
	{ "validate", make_object, do_validate, 0 },
	{ "drain", make_object, do_drain, 0 },
	{ "stress, pages", make_open, do_stress_pages, 3 },
	{ "stress, objects", make_open, do_stress_objects, 3, true },
	{ "stress, mixed", make_open, do_stress_mixed, 6, true },
	{ "stress, cross", make_open, do_stress_cross, 6, true },
	{ "stress, exhaust", make_open, do_stress_exhaust, 3, true },
	{ "benchmark", make_open, do_bench, 4 },
	{ "benchmark, pair", make_open, do_bench_shape, 12, true, "object/64/pair", 1 },
	{ "benchmark, shuffled", make_open, do_bench_shape, 12, true,
	  "object/64/batch-10/shuffled", 1 },
	{ "benchmark, churn", make_open, do_bench_shape, 12, true, "object/64/churn", 1 },
	{ "benchmark, pages", make_open, do_bench_shape, 8, true, "page/0/batch-10" },
	{ "benchmark, full", make_open, do_bench_shape, 8, true, "page/0/full-50/pair" },
	{ "benchmark, worst", make_open, do_bench_shape, 8, true, "worst/object/64/fill", 1 },
	{ "benchmark, cross", make_open, do_bench_shape, 24, true, "cross/64/scratch", 1 },
	{ "read progress", make_run, do_read, 0 },
	{ "result", make_run, do_result, 0 },
	{ "cancel", make_run, do_cancel, 0 },
	{ "debugfs", make_cache, do_debugfs, 2 },
	{ "a client", NULL, do_example, 2 },
	{ "a client in NMIs", NULL, do_nmi, 0 },
};

/* One call with the k-th allocation failing; false when there is no k-th. */
static bool fail_one(const struct walk *w, long k, const struct myalloc_stat *before,
		     long *quiet)
{
	struct subject s = { .fd = -1, .shape = w->shape };
	struct myalloc_stat after;
	const char *wrong;
	bool fired;
	int err;

	err = w->make ? w->make(&s) : 0;
	EXPECT(!err, "k=%ld: cannot prepare: %s", k, strerror(-err));
	arm(k);
	err = w->run(&s);
	fired = disarm();
	EXPECT(!err || (fired && err == -ENOMEM), "k=%ld, %s: %s", k,
	       fired ? "one failed" : "none failed", strerror(-err));
	*quiet += fired && !err;
	wrong = unsound(watcher);
	EXPECT(!wrong, "k=%ld: %s", k, wrong);
	if (s.fd >= 0) {
		settle(&s);
		close(s.fd);
	}
	EXPECT(!drained_stat(watcher, &after), "k=%ld: the statistics cannot be read", k);
	wrong = stats_differ(before, &after);
	EXPECT(!wrong, "k=%ld: %s", k, wrong);
	return fired;
}

static void walk(const struct walk *w)
{
	const struct subject here = { .fd = watcher, .shape = w->shape };
	struct myalloc_bench_shape shape;
	struct myalloc_stat before;
	long k = 1, quiet = 0;

	if (w->own && !own)
		SKIP("only with the module's own injection");
	if (w->shape) {
		CHECK(!find_shape(&here, &shape), "there is no shape %s", w->shape);
		if (!shape.nr_sides)
			SKIP("this machine cannot do %s", w->shape);
	}
	CHECK(!drained_stat(watcher, &before), "the statistics cannot be read");
	while (k < SITES_MAX && !test_failed && fail_one(w, k, &before, &quiet))
		k++;
	CHECK(k < SITES_MAX, "%d failures and no end", SITES_MAX);
	EXPECT(!own || k - 1 >= w->must, "only %ld sites, there are %ld at least", k - 1, w->must);
	EXPECT(!w->shape || quiet == w->quiet, "of %ld failures nothing says so", quiet);
	printf("# %s: %ld failures\n", w->name, k - 1);
}

/* ---- loading ---- */

static bool stays(void)
{
	return !access(DEBUGFS, F_OK) || !access(MYALLOC_DEVICE, F_OK) ||
	       !access("/sys/module/myalloc", F_OK);
}

static bool fail_load(long k, int *tolerated)
{
	char options[128] = LOAD_OPTIONS;
	bool fired;
	int err;

	if (own)
		snprintf(options, sizeof(options), LOAD_OPTIONS " fail_nth=%ld", k);
	else
		arm(k);
	err = load(module, options);
	/* The module's own switch is gone with it: a failed load is the failure. */
	fired = own && err ? true : disarm();
	EXPECT(!err || (fired && err == -ENOMEM), "k=%ld, %s: %s", k,
	       fired ? "one failed" : "none failed", strerror(-err));
	if (!err) {
		const char *wrong;
		int fd = open(MYALLOC_DEVICE, O_RDWR);

		wrong = fd < 0 ? "no device" : unsound(fd);
		EXPECT(!wrong, "k=%ld: loaded, but: %s", k, wrong);
		close(fd);
		*tolerated += fired;
		err = unload("myalloc");
		EXPECT(!err, "k=%ld: cannot be unloaded: %s", k, strerror(-err));
	}
	EXPECT(!stays(), "k=%ld: something stays behind", k);
	return fired;
}

static void test_load(void)
{
	int tolerated = 0;
	long k = 1;

	while (k < SITES_MAX && !test_failed && fail_load(k, &tolerated))
		k++;
	CHECK(k < SITES_MAX, "%d failures and no end", SITES_MAX);
	/* 8 chunks, their list, frames, buddy, zone, 5 lists of magazines, the CPU hook, device. */
	EXPECT(k - 1 >= 18, "only %ld sites", k - 1);
	printf("# load: %ld failures, %d of them tolerated\n", k - 1, tolerated);
}

static void test_switch(void)
{
	static const char *const wrong[] = { "x", "-1", "2147483648", "4294967296" };
	size_t i;
	int fd;

	if (!own)
		SKIP("of the module's own injection");
	fd = open(OWN, O_WRONLY);
	CHECK(fd >= 0, "open: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT(write(fd, wrong[i], strlen(wrong[i])) < 0 && errno == EINVAL,
		       "%s is taken", wrong[i]);
	close(fd);
	EXPECT(get_number(OWN) == 0, "%ld are to come", get_number(OWN));
}

static void begin(void)
{
	int err = load(module, LOAD_OPTIONS);

	CHECK(!err, "cannot be loaded: %s", strerror(-err));
	err = load(beside("myalloc_bench"), "");
	CHECK(!err, "benchmarks cannot be loaded: %s", strerror(-err));
	watcher = open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
	CHECK(watcher >= 0, "open: %s", strerror(errno));
}

static void end(void)
{
	int err;

	close(watcher);
	err = unload("myalloc_bench");
	CHECK(!err, "benchmarks cannot be unloaded: %s", strerror(-err));
	err = unload("myalloc");
	CHECK(!err, "cannot be unloaded: %s", strerror(-err));
}

static size_t current;

static void next_walk(void)
{
	walk(&walks[current++]);
}

int main(int argc, char **argv)
{
	struct table_test tests[ARRAY_SIZE(walks) + 4];
	bool loads = argc == 3 && !strcmp(argv[1], "load");
	size_t i, n = 0;

	own = argc == 3 && !strcmp(argv[1], "own");
	if (argc != 3 || (!own && !loads && strcmp(argv[1], "kernel"))) {
		fprintf(stderr, "usage: fault_test own|kernel|load MODULE.ko\n");
		return 2;
	}
	module = argv[2];
	/* A page fault is not to be what fails. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	if (own || loads)
		tests[n++] = (struct table_test) { "load", test_load };
	if (loads)
		return table_run(tests, n);
	tests[n++] = (struct table_test) { "the module loads", begin };
	tests[n++] = (struct table_test) { "the switch", test_switch };
	for (i = 0; i < ARRAY_SIZE(walks); i++)
		tests[n++] = (struct table_test) { walks[i].name, next_walk };
	tests[n++] = (struct table_test) { "the module unloads", end };
	return table_run(tests, n);
}
