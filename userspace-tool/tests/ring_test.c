// SPDX-License-Identifier: GPL-2.0
/*
 * ring_test: rings of the kernel in the address space of processes
 *
 * The kernel produces, in system calls and in interrupts, and this reads: every record, whole, in
 * order. Then everything that a process should not be able to do to a ring, and every order in
 * which descriptors and mappings end. Runs as root where nothing else uses the module; prints KTAP.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "dev/ring.h"
#include "guest.h"

static struct myalloc_info info;
static size_t page;
static int watcher;

static int open_device(void)
{
	return open(MYALLOC_DEVICE, O_RDWR | O_CLOEXEC);
}

static int create(int device, const char *name, __u32 mode, __u64 bytes,
		  struct myalloc_ring_file *f)
{
	*f = (struct myalloc_ring_file){ .size = sizeof(*f), .mode = mode, .bytes = bytes };
	strncpy(f->name, name, sizeof(f->name) - 1);
	return call(device, MYALLOC_IOC_RING_CREATE, f);
}

static void *map(const struct myalloc_ring_file *f)
{
	return mmap(NULL, f->map_bytes, PROT_READ, MAP_SHARED, f->fd, 0);
}

static int release(int fd, __u64 position)
{
	struct myalloc_ring_release r = { position };

	return call(fd, MYALLOC_IOC_RING_RELEASE, &r);
}

static int produce(int fd, __u32 flags, __u64 seed, __u64 first, __u64 count, __u64 *done)
{
	struct myalloc_ring_produce p = {
		.flags = flags, .seed = seed, .first = first, .count = count,
	};
	int err = call(fd, MYALLOC_IOC_RING_PRODUCE, &p);

	*done = p.done;
	return err;
}

static int ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents == POLLIN;
}

/* A ring with everything that is needed to read it. */
struct queue {
	int device;
	struct myalloc_ring_file f;
	struct ring_view view;
	void *at;
};

static bool begin(struct queue *q, __u32 mode, __u64 bytes)
{
	int err;

	memset(q, 0, sizeof(*q));
	q->device = open_device();
	err = create(q->device, "test", mode, bytes, &q->f);
	EXPECT(!err, "RING_CREATE: %s", strerror(-err));
	if (err)
		return false;
	q->at = map(&q->f);
	EXPECT(q->at != MAP_FAILED, "mmap: %s", strerror(errno));
	if (q->at == MAP_FAILED)
		return false;
	ring_begin(&q->view, q->at, page);
	return true;
}

static void end(struct queue *q)
{
	munmap(q->at, q->f.map_bytes);
	close(q->f.fd);
	close(q->device);
}

/* All words of the pages but those that say how large the ring is. */
static size_t nonzero(const struct queue *q)
{
	const __u64 *word = q->at;
	size_t i, n = 0;

	for (i = 2; i < q->f.map_bytes / sizeof(*word); i++)
		n += word[i] != 0;
	return n;
}

/* ---- what there is to read ---- */

static void test_create(void)
{
	struct myalloc_stat before, s;
	struct queue q;
	__u64 bytes;

	for (bytes = 1; bytes <= page << info.chunk_order; bytes = bytes * 7 + 1) {
		__u64 rounded = page;

		while (rounded < bytes)
			rounded *= 2;
		drained_stat(watcher, &before);
		if (!begin(&q, MYALLOC_RING_MODE_MANY, bytes))
			return;
		get_stat(watcher, &s);
		EXPECT(q.f.bytes == rounded, "%llu bytes of %llu", (unsigned long long)q.f.bytes,
		       (unsigned long long)bytes);
		EXPECT(q.f.map_bytes == page + 2 * rounded, "%llu bytes are mapped",
		       (unsigned long long)q.f.map_bytes);
		EXPECT(s.page_pages == before.page_pages + rounded / page, "%llu pages",
		       (unsigned long long)(s.page_pages - before.page_pages));
		EXPECT(q.view.bytes == rounded && q.view.header == 8, "the control page is wrong");
		EXPECT(!nonzero(&q), "%zu words are not zero", nonzero(&q));
		EXPECT(fcntl(q.f.fd, F_GETFD) == FD_CLOEXEC, "it stays open in exec()");
		end(&q);
		drained_stat(watcher, &s);
		EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
	}
}

/* Every record, whole, in order, with random releases, through many rounds of the ring. */
static void read_all(__u32 mode, __u32 flags)
{
	const __u64 seed = 77, total = 20000;
	__u64 first = 0, expected = 0, done, random = 5;
	const __u64 *record;
	struct queue q;
	size_t length;
	int err;

	if (!begin(&q, mode, 2 * page))
		return;
	while (expected < total) {
		__u64 count = 1 + below(&random, 100);

		if (count > total - first)
			count = total - first;
		err = count ? produce(q.f.fd, flags, seed, first, count, &done) : 0;
		EXPECT(!err || err == -EAGAIN, "PRODUCE: %s", strerror(-err));
		first += count ? done : 0;
		while ((record = ring_next(&q.view, &length))) {
			while (ring_is_discarded(expected, seed))
				expected++;
			if (*record != expected || !ring_is_good(record, length, seed)) {
				EXPECT(false, "%zu bytes are record %llu, not %llu", length,
				       (unsigned long long)*record, (unsigned long long)expected);
				end(&q);
				return;
			}
			expected++;
			if (!below(&random, 8)) {
				err = release(q.f.fd, q.view.pos);
				EXPECT(!err, "RELEASE: %s", strerror(-err));
			}
		}
		while (first == total && expected < total && ring_is_discarded(expected, seed))
			expected++;
		err = release(q.f.fd, q.view.pos);
		EXPECT(!err, "RELEASE: %s", strerror(-err));
		EXPECT(q.view.control->oldest == q.view.pos, "oldest is %llu",
		       (unsigned long long)q.view.control->oldest);
	}
	end(&q);
}

static void test_read(void)
{
	read_all(MYALLOC_RING_MODE_ONE, 0);
	read_all(MYALLOC_RING_MODE_MANY, 0);
}

static void test_read_irq(void)
{
	read_all(MYALLOC_RING_MODE_ONE, MYALLOC_RING_FROM_IRQ);
	read_all(MYALLOC_RING_MODE_MANY, MYALLOC_RING_FROM_IRQ);
}

/* ---- waiting ---- */

struct producer {
	pthread_t thread;
	int fd;
	__u32 flags;
	__u64 seed, count;
};

/* In small portions, so that the reader has to wait. */
static void *run_producer(void *arg)
{
	struct producer *p = arg;
	__u64 done, first = 0, random = p->seed;

	while (first < p->count) {
		__u64 count = 1 + below(&random, 20);

		if (count > p->count - first)
			count = p->count - first;
		if (produce(p->fd, p->flags, p->seed, first, count, &done) == -EAGAIN || !done)
			sched_yield();
		first += done;
		if (!below(&random, 4))
			sleep_us(100);
	}
	return NULL;
}

/* Two threads and an interrupt handler produce; the reader sleeps when there is nothing. */
static void follow(bool edge)
{
	struct producer p[3] = {
		{ .seed = 1ull << 60, .count = 3000 },
		{ .seed = 2ull << 60, .count = 3000 },
		{ .seed = 3ull << 60, .count = 3000, .flags = MYALLOC_RING_FROM_IRQ },
	};
	struct epoll_event e = { .events = EPOLLIN | (edge ? EPOLLET : 0) };
	__u64 expected[3] = { 0 }, good = 0, wanted = 0, sleeps = 0, before, n;
	const __u64 *record;
	struct queue q;
	size_t length;
	bool waits;
	int epoll, k;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, page))
		return;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	EXPECT(!epoll_ctl(epoll, EPOLL_CTL_ADD, q.f.fd, &e), "epoll: %s", strerror(errno));
	for (k = 0; k < 3; k++) {
		p[k].fd = q.f.fd;
		for (n = 0; n < p[k].count; n++)
			wanted += !ring_is_discarded(n, p[k].seed);
		pthread_create(&p[k].thread, NULL, run_producer, &p[k]);
	}
	while (good < wanted) {
		sleeps++;
		if (epoll_wait(epoll, &e, 1, 20000) != 1) {
			EXPECT(false, "nobody wakes the reader up: %llu of %llu records",
			       (unsigned long long)good, (unsigned long long)wanted);
			exit(1);
		}
		/*
		 * To the end, as edge-triggered events want it: a look after a release finds
		 * nothing, not even a discarded record.
		 */
		for (waits = false; ; waits = true) {
			before = q.view.pos;
			while ((record = ring_next(&q.view, &length))) {
				for (k = 0; k < 3 && !ring_is_good(record, length, p[k].seed); k++)
					;
				if (k == 3 || *record < expected[k] || *record >= p[k].count) {
					EXPECT(false, "record %llu is wrong",
					       (unsigned long long)*record);
					exit(1);
				}
				expected[k] = *record + 1;
				good++;
			}
			if (waits && q.view.pos == before)
				break;
			EXPECT(!release(q.f.fd, q.view.pos), "RELEASE: %s", strerror(errno));
		}
	}
	for (k = 0; k < 3; k++)
		pthread_join(p[k].thread, NULL);
	EXPECT(!ring_next(&q.view, &length), "a record too many");
	ktap_note("%llu records, %llu sleeps", (unsigned long long)good,
		  (unsigned long long)sleeps);
	close(epoll);
	end(&q);
}

static void test_poll(void)
{
	struct queue q;
	size_t length;
	__u64 done, n;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, page))
		return;
	EXPECT(!ready(q.f.fd, 0), "an empty ring can be read");
	EXPECT(!produce(q.f.fd, 0, 0, 1, 1, &done), "PRODUCE");
	EXPECT(ready(q.f.fd, 0), "a record cannot be read");
	EXPECT(ready(q.f.fd, 0), "a record cannot be read twice");
	EXPECT(ring_next(&q.view, &length), "no record");
	EXPECT(ready(q.f.fd, 0), "a record that was not released is forgotten");
	EXPECT(!release(q.f.fd, q.view.pos), "RELEASE");
	EXPECT(!ready(q.f.fd, 0), "a record that was released can be read");
	for (n = 0; !ring_is_discarded(n, 0); n++)
		;
	EXPECT(!produce(q.f.fd, 0, 0, n, 1, &done), "PRODUCE");
	EXPECT(ready(q.f.fd, 0), "nobody is told of a discarded record");
	EXPECT(!ring_next(&q.view, &length), "a discarded record is read");
	EXPECT(!release(q.f.fd, q.view.pos), "RELEASE");
	EXPECT(!ready(q.f.fd, 0), "a discarded record that was released is there");
	end(&q);
}

static void test_follow(void)
{
	follow(false);
}

static void test_edge(void)
{
	follow(true);
}

/* ---- what is refused ---- */

static void refuse_create(int fd, struct myalloc_ring_file f, int err, const char *what)
{
	int got = call(fd, MYALLOC_IOC_RING_CREATE, &f);

	EXPECT(got == err, "%s: %s", what, strerror(-got));
	if (!got)
		close(f.fd);
}

static void test_arguments(void)
{
	const struct myalloc_ring_file good = {
		.size = sizeof(good), .mode = MYALLOC_RING_MODE_MANY, .bytes = page, .name = "q",
	};
	struct myalloc_ring_file f = good, other;
	int fd = open_device();
	__u64 done;

	f.mode = MYALLOC_RING_MODE_OVERWRITE;
	refuse_create(fd, f, -EINVAL, "a ring that overwrites");
	f = good; f.bytes = 0;
	refuse_create(fd, f, -EINVAL, "a ring of no bytes");
	f = good; f.bytes = (page << info.chunk_order) + 1;
	refuse_create(fd, f, -EINVAL, "a ring that is too large");
	f = good; f.bytes = ~0ull;
	refuse_create(fd, f, -EINVAL, "the largest number");
	f = good; f.pad = 1;
	refuse_create(fd, f, -EINVAL, "padding");
	f = good; f.name[0] = 0;
	refuse_create(fd, f, -EINVAL, "no name");
	f = good; strcpy(f.name, "a b");
	refuse_create(fd, f, -EINVAL, "a space in the name");
	f = good; memset(f.name, 'a', sizeof(f.name));
	refuse_create(fd, f, -EINVAL, "a name without an end");
	f = good; f.size -= 8;
	refuse_create(fd, f, -EINVAL, "a struct without room for the result");
	EXPECT(call(fd, MYALLOC_IOC_RING_CREATE, read_only(&good, sizeof(good))) == -EFAULT,
	       "a descriptor that nobody is told of");
	EXPECT(call(fd, MYALLOC_IOC_RING_CREATE, unmapped()) == -EFAULT, "an address of nothing");
	f = good;
	CHECK(!call(fd, MYALLOC_IOC_RING_CREATE, &f), "no ring");
	refuse_create(fd, good, -EEXIST, "the same name");
	other = (struct myalloc_ring_file){ .size = sizeof(other), .id = f.id };
	EXPECT(call(fd, MYALLOC_IOC_RING_OPEN, &other) == -ENOENT, "a ring of a file was opened");
	other.id = ~0ull;
	EXPECT(call(fd, MYALLOC_IOC_RING_OPEN, &other) == -ENOENT, "no ring was opened");

	EXPECT(produce(f.fd, 2, 0, 0, 1, &done) == -EINVAL, "an unknown flag");
	EXPECT(produce(f.fd, 0, 0, 0, 0, &done) == -EINVAL, "no records");
	EXPECT(produce(f.fd, 0, 0, 0, MYALLOC_BULK_MAX + 1, &done) == -EINVAL, "too many");
	EXPECT(call(f.fd, MYALLOC_IOC_RING_PRODUCE, unmapped()) == -EFAULT,
	       "an address of nothing");
	EXPECT(call(f.fd, MYALLOC_IOC_RING_RELEASE, unmapped()) == -EFAULT,
	       "an address of nothing");
	EXPECT(call(f.fd, MYALLOC_IOC_INFO, &info) == -ENOTTY, "a command of the device");
	EXPECT(call(fd, MYALLOC_IOC_RING_RELEASE, &done) == -ENOTTY, "a command of a ring");
	EXPECT(read(f.fd, &done, 8) < 0 && errno == EINVAL, "read() of a ring");
	EXPECT(write(f.fd, &done, 8) < 0, "write() to a ring");
	close(f.fd);
	close(fd);
}

static void test_releases(void)
{
	__u64 done, pos, end_pos;
	struct queue q;
	size_t length;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, page))
		return;
	EXPECT(!produce(q.f.fd, 0, 3, 0, 3, &done), "PRODUCE");
	while (ring_next(&q.view, &length))
		;
	end_pos = q.view.pos;
	ring_begin(&q.view, q.at, page);
	for (pos = 1; pos < end_pos + 100; pos++) {
		bool ends = false;

		while (q.view.pos < pos && ring_next(&q.view, &length))
			;
		ends = q.view.pos == pos && pos <= end_pos;
		if (!ends)
			EXPECT(release(q.f.fd, pos) == -EINVAL, "%llu of %llu was released",
			       (unsigned long long)pos, (unsigned long long)end_pos);
	}
	EXPECT(release(q.f.fd, ~0ull) == -EINVAL, "everything was released");
	EXPECT(release(q.f.fd, 1ull << 63) == -EINVAL, "half of everything was released");
	EXPECT(q.view.control->oldest == 0, "something was released");
	EXPECT(!release(q.f.fd, 0), "nothing was not released");
	EXPECT(!release(q.f.fd, end_pos), "all was not released");
	EXPECT(release(q.f.fd, 0) == -EINVAL, "what was released was released again");
	EXPECT(!unsound(watcher), "%s", unsound(watcher));
	end(&q);
}

static void refused(const struct myalloc_ring_file *f, size_t size, int prot, int flags, off_t at,
		    int err, const char *what)
{
	void *got = mmap(NULL, size, prot, flags, f->fd, at);

	EXPECT(got == MAP_FAILED, "%s was mapped", what);
	EXPECT(got != MAP_FAILED || errno == err, "%s: %s", what, strerror(errno));
	if (got != MAP_FAILED)
		munmap(got, size);
}

static void test_mappings(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct queue q;
	size_t all;
	char text[32];
	int again;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, 4 * page))
		return;
	all = q.f.map_bytes;
	refused(&q.f, all, rw, MAP_SHARED, 0, EACCES, "a ring to write");
	refused(&q.f, all, PROT_WRITE, MAP_SHARED, 0, EACCES, "a ring to write only");
	refused(&q.f, all, PROT_READ, MAP_PRIVATE, 0, EINVAL, "a private ring");
	refused(&q.f, all, rw, MAP_PRIVATE, 0, EINVAL, "a private ring to write");
	refused(&q.f, all, PROT_READ | PROT_EXEC, MAP_SHARED, 0, EPERM, "code");
	refused(&q.f, all - page, PROT_READ, MAP_SHARED, 0, EINVAL, "a part");
	refused(&q.f, page, PROT_READ, MAP_SHARED, 0, EINVAL, "the control page");
	refused(&q.f, all + page, PROT_READ, MAP_SHARED, 0, EINVAL, "more than there is");
	refused(&q.f, all, PROT_READ, MAP_SHARED, page, EINVAL, "another offset");
	refused(&q.f, 4 * page, PROT_READ, MAP_SHARED, page, EINVAL, "the ring once");
	EXPECT(mprotect(q.at, all, rw) < 0 && errno == EACCES, "it can be written: %s",
	       strerror(errno));
	EXPECT(mprotect(q.at, all, PROT_READ | PROT_EXEC) < 0, "it became executable");
	EXPECT(mprotect(q.at, page, PROT_NONE) < 0, "a part was protected");
	EXPECT(munmap(q.at, page) < 0 && errno == EINVAL, "a part was unmapped");
	EXPECT(munmap((char *)q.at + page, page) < 0, "the middle was unmapped");
	EXPECT(mremap(q.at, all, 2 * all, MREMAP_MAYMOVE) == MAP_FAILED, "it grew");
	EXPECT(mremap(q.at, all, page, 0) == MAP_FAILED, "it shrank");
	snprintf(text, sizeof(text), "/proc/self/fd/%d", q.f.fd);
	again = open(text, O_RDWR);
	EXPECT(again < 0, "it was opened again, to be written");
	end(&q);
}

#define FAULTED	7	/* exit status of a process that a store has sent SIGSEGV to */

static void on_fault(int sig)
{
	(void)sig;
	_exit(FAULTED);
}

static bool dies_of_write(volatile char *at)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, on_fault);
		*at = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == FAULTED;
}

/* Neither by a store nor by what the kernel does for a process. */
static void test_write(void)
{
	struct iovec local, remote;
	struct queue q;
	char buf[64] = "x";
	int pipes[2], mem;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, page))
		return;
	EXPECT(dies_of_write(q.at), "the control page was written");
	EXPECT(dies_of_write((char *)q.at + page), "the ring was written");
	EXPECT(dies_of_write((char *)q.at + 2 * page), "the ring was written behind its end");
	local = (struct iovec){ buf, 8 };
	remote = (struct iovec){ (char *)q.at + page, 8 };
	EXPECT(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0,
	       "another process writes it");
	EXPECT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0, "its pages are pinned");
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	EXPECT(pwrite(mem, "x", 1, (off_t)(unsigned long)q.at + page) < 0,
	       "/proc/self/mem writes it");
	close(mem);
	CHECK(!pipe(pipes), "no pipe");
	EXPECT(write(pipes[1], "hello", 5) == 5, "pipe");
	EXPECT(read(pipes[0], (char *)q.at + page, 5) < 0 && errno == EFAULT, "read() writes it");
	EXPECT(vmsplice(pipes[1], &remote, 1, 0) < 0, "vmsplice() took it");
	EXPECT(write(pipes[1], (char *)q.at + page, 8) == 8, "a copy: %s", strerror(errno));
	EXPECT(!nonzero(&q), "%zu words have changed", nonzero(&q));
	close(pipes[0]);
	close(pipes[1]);
	end(&q);
}

/* ---- how it ends ---- */

/* The device's file first, the ring's next, the mapping last, and a child after that. */
static void test_ends(void)
{
	struct myalloc_stat before, s;
	struct ring_view view;
	struct queue q;
	size_t length;
	int go[2], status;
	__u64 done;
	pid_t pid;
	char c;

	drained_stat(watcher, &before);
	if (!begin(&q, MYALLOC_RING_MODE_MANY, 4 * page))
		return;
	close(q.device);
	EXPECT(!produce(q.f.fd, 0, 9, 1, 1, &done), "PRODUCE without the device");
	EXPECT(ready(q.f.fd, 0), "poll() without the device");
	close(q.f.fd);
	EXPECT(ring_next(&q.view, &length) && length, "no record without the descriptor");
	CHECK(!pipe(go), "no pipe");
	pid = fork();
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1))
			_exit(2);
		ring_begin(&view, q.at, page);
		_exit(!ring_next(&view, &length));
	}
	close(go[0]);
	munmap(q.at, q.f.map_bytes);
	get_stat(watcher, &s);
	EXPECT(s.page_pages == before.page_pages + 4, "%llu pages while a child has it",
	       (unsigned long long)(s.page_pages - before.page_pages));
	close(go[1]);
	waitpid(pid, &status, 0);
	EXPECT(!status, "the child reads no record");
	drained_stat(watcher, &s);
	EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
}

/* Killed while it waits, while it is produced for, with and without a mapping. */
static void test_kill(void)
{
	struct myalloc_stat before, s;
	int round;

	drained_stat(watcher, &before);
	for (round = 0; round < 12; round++) {
		__u64 done, n = 0, seed = round;
		pid_t pid = fork();

		if (!pid) {
			struct queue q;

			if (!begin(&q, MYALLOC_RING_MODE_MANY, page))
				_exit(1);
			if (round % 3 == 0)
				munmap(q.at, q.f.map_bytes);
			if (round % 4 == 1)
				ready(q.f.fd, -1);
			for (;; n += done) {
				produce(q.f.fd, round & 1, seed, n, 10, &done);
				if (round % 3)
					release(q.f.fd, q.view.control->tail);
			}
		}
		sleep_us(20000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	for (round = 0; round < 100; round++) {
		drained_stat(watcher, &s);
		if (!stats_differ(&before, &s))
			break;
		sleep_us(20000);
	}
	EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
}

/* Pages count as locked memory of the process, and the ring for the quota of the file. */
static void test_limit(void)
{
	struct rlimit most = { 16 * page, 16 * page };
	struct queue q;
	int status, i;
	pid_t pid;

	if (!begin(&q, MYALLOC_RING_MODE_MANY, 4 * page))
		return;
	pid = fork();
	if (!pid) {
		munmap(q.at, q.f.map_bytes);
		setrlimit(RLIMIT_MEMLOCK, &most);
		if (setuid(65534))
			_exit(2);
		for (i = 0; i < 50; i++) {
			void *at = map(&q.f);

			if (at == MAP_FAILED)
				_exit(3);
			if (map(&q.f) != MAP_FAILED || errno != ENOMEM)
				_exit(4);
			munmap(at, q.f.map_bytes);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "child: status %d", WEXITSTATUS(status));
	end(&q);
}

/* As large as the zone has room for; all of it comes back. */
static void test_full(void)
{
	const __u64 bytes = page << info.chunk_order;
	struct myalloc_ring_file f[64];
	struct myalloc_stat before, s;
	int device = open_device(), nr, err = 0, i;
	char name[16];

	drained_stat(watcher, &before);
	for (nr = 0; nr < 64; nr++) {
		snprintf(name, sizeof(name), "full-%d", nr);
		err = create(device, name, MYALLOC_RING_MODE_ONE, bytes, &f[nr]);
		if (err)
			break;
	}
	EXPECT(err == -EDQUOT || err == -ENOMEM, "%d rings, then %s", nr, strerror(-err));
	ktap_note("%d rings, then %s", nr, strerror(-err));
	for (i = 0; i < nr; i++)
		close(f[i].fd);
	drained_stat(watcher, &s);
	EXPECT(!stats_differ(&before, &s), "%s", stats_differ(&before, &s));
	close(device);
}

static void test_sound(void)
{
	EXPECT(!unsound(watcher), "%s", unsound(watcher));
}

static const struct table_test tests[] = {
	{ "every size: zero, mapped, and back", test_create },
	{ "every record, whole, in order", test_read },
	{ "... from interrupts", test_read_irq },
	{ "poll()", test_poll },
	{ "several producers, a reader that sleeps", test_follow },
	{ "... and is woken by edges", test_edge },
	{ "arguments that are refused", test_arguments },
	{ "releases that are refused", test_releases },
	{ "mappings that are refused", test_mappings },
	{ "nobody can write it", test_write },
	{ "descriptor, mapping and child end in any order", test_ends },
	{ "SIGKILL at work", test_kill },
	{ "the limit of locked memory", test_limit },
	{ "the quota", test_full },
	{ "the structure is sound", test_sound },
};

int main(void)
{
	struct myalloc_ring_file f;

	page = getpagesize();
	watcher = open_device();
	if (watcher < 0 || get_info(watcher, &info)) {
		ktap_plan(1);
		ktap_result(false, "open %s: %s", MYALLOC_DEVICE, strerror(errno));
		return ktap_end();
	}
	if (create(watcher, "try", MYALLOC_RING_MODE_ONE, 1, &f) == -EOPNOTSUPP) {
		ktap_plan(1);
		ktap_result(true, "this machine has no rings # SKIP");
		return ktap_end();
	}
	close(f.fd);
	return table_run(tests, ARRAY_SIZE(tests));
}
