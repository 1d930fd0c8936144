// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: the device, mod/device/ioctl.c with all that is behind it
 *
 * Bytes are a list of commands on a few open files: any command, with arguments that are
 * mostly good but need not be, at addresses that mostly are; reads, polls, closes; and what the
 * world does meanwhile: the k-th internal allocation fails, a byte changes after it was
 * read, signals come (see kernel.c). A plain model follows which handles there are.
 *
 * What is checked: the error is one that uapi/myalloc.h names; @done and the handles are what
 * the model says; a command writes no byte that is not its own, and no kernel address; the
 * pages that users have are those behind their handles; validation finds nothing; and after
 * the last close everything is back.
 */
#include "kernel.h"

#include "fuzz.h"
#include "device/ioctl.h"
#include "runs.h"
#include "uapi/myalloc.h"
#include "zone/nodes.h"
#include "zone/validate.h"

#include <linux/poll.h>

#define FILES		3
#define COMMANDS_MOST	200
#define HANDLES_MOST	4096	/* that the model follows */
#define HANDLES_AT	0x4000	/* in user memory, where handles usually go */
#define ARG_AT		0x100
#define LINES_AT	0x2000	/* lines of contracts */
#define COSTS_AT	0x3000	/* what they cost */
#define CHUNK_ORDER	5
#define CHUNKS		2
#define VALIDATE_EVERY	8
#define HEAP_OPS_MOST	300	/* of a test of heaps */
#define POOL_OPS_MOST	300	/* of a test of object pools */
#define RING_OPS_MOST	300	/* of a test of rings */

const char fuzz_name[] = "ioctl";

/* --- the input ----------------------------------------------------------------------- */

static struct {
	const u8 *at, *end;
} in;

static u64 take(u32 bytes)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < bytes && in.at < in.end; i++)
		value |= (u64)*in.at++ << 8 * i;
	return value;
}

/* --- the model ------------------------------------------------------------------------- */

enum { NO_HANDLE, PAGES, OBJECT, CACHE, CONTRACT };

/**
 * struct handle - one that the user was told
 * @number: of it
 * @of: object: handle of its cache
 * @pages: pages: how many
 * @kind: what it stands for
 */
struct handle {
	u64 number, of;
	u32 pages;
	u8 kind;
};

static struct model {
	struct file file;
	bool open;
	bool lost;	/* the user cannot know its handles any more */
	u64 last;	/* greatest number so far */
	u32 nr;
	struct handle handle[HANDLES_MOST];
} model[FILES];

static struct myalloc_zone *zone;
static const char *what;

#define CHECK(cond, fmt, ...) \
	do { if (unlikely(!(cond))) host_fatal("%s: " fmt, what, ##__VA_ARGS__); } while (0)

static struct handle *find(struct model *m, u64 number, u8 kind)
{
	u32 i;

	for (i = 0; i < m->nr; i++)
		if (m->handle[i].number == number && m->handle[i].kind == kind)
			return &m->handle[i];
	return NULL;
}

static void add(struct model *m, u64 number, u8 kind, u32 pages, u64 of)
{
	CHECK(number > m->last, "handle %llu after %llu", number, m->last);
	m->last = number;
	if (m->nr == HANDLES_MOST) {
		m->lost = true;
		return;
	}
	m->handle[m->nr++] = (struct handle){
		.number = number, .kind = kind, .pages = pages, .of = of,
	};
}

/* The n-th handle of a kind, or a number that is none. */
static u64 pick(struct model *m, u64 n, u8 kind)
{
	u32 i, nr = 0;

	for (i = 0; i < m->nr; i++)
		nr += m->handle[i].kind == kind;
	if (!nr)
		return n;
	n %= nr;
	for (i = 0; m->handle[i].kind != kind || n--; i++)
		;
	return m->handle[i].number;
}

/* --- one command -------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	unsigned int cmd;
	u32 in;		/* bytes of the argument that say something */
	bool grows;
} commands[] = {
	{ "INFO", MYALLOC_IOC_INFO, 4, true },
	{ "STAT", MYALLOC_IOC_STAT, 4, true },
	{ "VALIDATE", MYALLOC_IOC_VALIDATE, 0 },
	{ "DRAIN", MYALLOC_IOC_DRAIN, 8 },
	{ "PAGE_ALLOC", MYALLOC_IOC_PAGE_ALLOC, 32 },
	{ "PAGE_FREE", MYALLOC_IOC_PAGE_FREE, 16 },
	{ "CACHE_CREATE", MYALLOC_IOC_CACHE_CREATE, sizeof(struct myalloc_cache_create), true },
	{ "CACHE_DESTROY", MYALLOC_IOC_CACHE_DESTROY, 16 },
	{ "CACHE_SHRINK", MYALLOC_IOC_CACHE_SHRINK, 16 },
	{ "CACHE_DRAIN", MYALLOC_IOC_CACHE_DRAIN, 16 },
	{ "CACHE_STAT", MYALLOC_IOC_CACHE_STAT, 20, true },
	{ "OBJ_ALLOC", MYALLOC_IOC_OBJ_ALLOC, 32 },
	{ "OBJ_FREE", MYALLOC_IOC_OBJ_FREE, 16 },
	{ "STRESS_START", MYALLOC_IOC_STRESS_START, sizeof(struct myalloc_stress), true },
	{ "STRESS_RESULT", MYALLOC_IOC_STRESS_RESULT, 4, true },
	{ "STRESS_CANCEL", MYALLOC_IOC_STRESS_CANCEL, 0 },
	{ "BENCH_SHAPE", MYALLOC_IOC_BENCH_SHAPE, 8, true },
	{ "BENCH_START", MYALLOC_IOC_BENCH_START, sizeof(struct myalloc_bench), true },
	{ "BENCH_RESULT", MYALLOC_IOC_BENCH_RESULT, sizeof(struct myalloc_bench_result), true },
	{ "BENCH_CANCEL", MYALLOC_IOC_BENCH_CANCEL, 0 },
	{ "POOL_STAT", MYALLOC_IOC_POOL_STAT, 8, true },
	{ "POOL_TEST", MYALLOC_IOC_POOL_TEST, offsetof(struct myalloc_pool_test, allocs), true },
	{ "CLIENT_STAT", MYALLOC_IOC_CLIENT_STAT, 8, true },
	{ "CLIENT_SITES", MYALLOC_IOC_CLIENT_SITES, 24, true },
	{ "CLIENT_RELEASE", MYALLOC_IOC_CLIENT_RELEASE, 16, true },
	{ "HEAP_STAT", MYALLOC_IOC_HEAP_STAT, 8, true },
	{ "HEAP_TEST", MYALLOC_IOC_HEAP_TEST, offsetof(struct myalloc_heap_test, allocs), true },
	{ "ARENA_STAT", MYALLOC_IOC_ARENA_STAT, 8, true },
	{ "ARENA_TEST", MYALLOC_IOC_ARENA_TEST, offsetof(struct myalloc_arena_test, allocs), true },
	{ "RING_STAT", MYALLOC_IOC_RING_STAT, 8, true },
	{ "RING_TEST", MYALLOC_IOC_RING_TEST, offsetof(struct myalloc_ring_test, records), true },
	{ "CONTRACT_PLAN", MYALLOC_IOC_CONTRACT_PLAN, 80, true },
	{ "CONTRACT_CREATE", MYALLOC_IOC_CONTRACT_CREATE, 80, true },
	{ "CONTRACT_END", MYALLOC_IOC_CONTRACT_END, 16 },
	{ "CONTRACT_STAT", MYALLOC_IOC_CONTRACT_STAT, 48, true },
	{ "CELLS", MYALLOC_IOC_CELLS, sizeof(struct myalloc_cells) },
	{ "LOOK", MYALLOC_IOC_LOOK, 24, true },
	{ "RESERVE_STAT", MYALLOC_IOC_RESERVE_STAT, 4, true },
	{ "RESERVE_GROW", MYALLOC_IOC_RESERVE_GROW, 16 },
	{ "RESERVE_SHRINK", MYALLOC_IOC_RESERVE_SHRINK, 16 },
};

enum { ANY_COMMAND = ARRAY_SIZE(commands), READ, POLL, CLOSE, GO_ON, NR_ACTIONS };

/* Bits of the second byte of a command, beside the file. */
#define WORLD		0x04	/* two more bytes: what the world does */
#define RAW_SIZE	0x08	/* the size member is what the bytes say */
#define RAW_POINTER	0x10	/* so is the address of the handles, and the count */
#define RAW_HANDLE	0x20	/* so are handles */
#define RAW_ADDRESS	0x40	/* so is the address of the argument */
#define RAW_REST	0x80	/* other members are not made likely to be good */

static union {
	u8 bytes[2048];
	u32 size;
	struct myalloc_page_alloc page_alloc;
	struct myalloc_free free;
	struct myalloc_cache_create create;
	struct myalloc_handle handle;
	struct myalloc_cache_stat stat;
	struct myalloc_obj_alloc obj_alloc;
	struct myalloc_stress stress;
	struct myalloc_bench bench;
	struct myalloc_drain drain;
	struct myalloc_pool_stat pool_stat;
	struct myalloc_pool_test pool_test;
	struct myalloc_client_stat client_stat;
	struct myalloc_client_sites client_sites;
	struct myalloc_client_release client_release;
	struct myalloc_heap_stat heap_stat;
	struct myalloc_heap_test heap_test;
	struct myalloc_arena_stat arena_stat;
	struct myalloc_arena_test arena_test;
	struct myalloc_ring_stat ring_stat;
	struct myalloc_ring_test ring_test;
	struct myalloc_contract_make contract;
	struct myalloc_contract_finish finish;
	struct myalloc_contract_stat contract_stat;
	struct myalloc_cells cells;
	struct myalloc_look look;
	struct myalloc_reserve_stat reserve_stat;
	struct myalloc_reserve_change reserve_change;
} arg;

/* Handles of things of a kind into user memory: a run of those that there are. */
static void place_handles(struct model *m, u64 first, u32 count, u8 kind)
{
	u64 *to = (u64 *)(fuzz_user + HANDLES_AT);
	u32 i, nr = 0;

	for (i = first % (m->nr + 1); i < m->nr && nr < count; i++)
		if (m->handle[i].kind == kind)
			to[nr++] = m->handle[i].number;
}

static void fix_handles(struct model *m, u32 nr)
{
	switch (commands[nr].cmd) {
	case MYALLOC_IOC_PAGE_FREE:
	case MYALLOC_IOC_OBJ_FREE:
		place_handles(m, arg.free.handles, arg.free.count,
			      commands[nr].cmd == MYALLOC_IOC_PAGE_FREE ? PAGES : OBJECT);
		break;
	case MYALLOC_IOC_CACHE_DESTROY:
	case MYALLOC_IOC_CACHE_SHRINK:
	case MYALLOC_IOC_CACHE_DRAIN:
		arg.handle.handle = pick(m, arg.handle.handle, CACHE);
		break;
	case MYALLOC_IOC_CACHE_STAT:
		arg.stat.handle = pick(m, arg.stat.handle, CACHE);
		break;
	case MYALLOC_IOC_OBJ_ALLOC:
		arg.obj_alloc.cache = pick(m, arg.obj_alloc.cache, CACHE);
		break;
	case MYALLOC_IOC_CONTRACT_END:
		arg.finish.handle = pick(m, arg.finish.handle, CONTRACT);
		arg.finish.id = 0;
		break;
	case MYALLOC_IOC_LOOK:
		if (arg.look.how % 4 == MYALLOC_LOOK_HANDLE)
			arg.look.key = pick(m, arg.look.key, arg.look.pid % 2 ? PAGES : OBJECT);
		break;
	}
}

/* Lines of a contract from the input into user memory, most of them good. */
static void place_lines(void)
{
	struct myalloc_line *line = (void *)(fuzz_user + LINES_AT);
	u32 i;

	memset(line, 0, MYALLOC_LINES_MAX * sizeof(*line));
	for (i = 0; i < arg.contract.nr_lines % (MYALLOC_LINES_MAX + 1); i++, line++) {
		u32 choice = take(1);

		line->kind = choice % 3;
		line->nmi = choice & 0x80 ? take(1) % 4 : 0;
		switch (choice % 4) {
		case 0:
		case 3:
			line->pages = 1 + take(1) % 16;
			line->orders = take(1) % BIT(CHUNK_ORDER);
			break;
		case 1:
			line->pages = 1 + take(1) % 32;
			line->nr_sizes = 1;
			line->sizes[0] = take(1) % 16;
			break;
		default:
			line->count = take(1);
			line->object_size = take(2);
		}
	}
}

static void fix_pointer(u32 nr)
{
	switch (commands[nr].cmd) {
	case MYALLOC_IOC_PAGE_ALLOC:
		arg.page_alloc.handles = USER_BASE + HANDLES_AT;
		arg.page_alloc.count = 1 + arg.page_alloc.count % 96;
		break;
	case MYALLOC_IOC_OBJ_ALLOC:
		arg.obj_alloc.handles = USER_BASE + HANDLES_AT;
		arg.obj_alloc.count = 1 + arg.obj_alloc.count % 160;
		break;
	case MYALLOC_IOC_PAGE_FREE:
	case MYALLOC_IOC_OBJ_FREE:
		arg.free.handles = USER_BASE + HANDLES_AT;
		arg.free.count = 1 + arg.free.count % 160;
		break;
	case MYALLOC_IOC_CONTRACT_PLAN:
	case MYALLOC_IOC_CONTRACT_CREATE:
		arg.contract.nr_lines = 1 + arg.contract.nr_lines % 3;
		arg.contract.lines = USER_BASE + LINES_AT;
		arg.contract.costs = arg.contract.costs & 1 ? USER_BASE + COSTS_AT : 0;
		place_lines();
		break;
	case MYALLOC_IOC_CELLS:
		arg.cells.cells = USER_BASE + HANDLES_AT;
		arg.cells.count = 1 + arg.cells.count % 64;
		break;
	}
}

static void fix_rest(u32 nr)
{
	u32 i;

	switch (commands[nr].cmd) {
	case MYALLOC_IOC_DRAIN:
		arg.drain.flags = 1 + arg.drain.flags % 3;
		arg.drain.pad = 0;
		break;
	case MYALLOC_IOC_PAGE_ALLOC:
		arg.page_alloc.flags &= MYALLOC_PAGE_FLAGS;
		arg.page_alloc.align_order %= 8;
		arg.page_alloc.nr_pages %= 2 << CHUNK_ORDER;
		arg.page_alloc.order = arg.page_alloc.nr_pages ? 0 :
				       arg.page_alloc.order % (CHUNK_ORDER + 2);
		break;
	case MYALLOC_IOC_CACHE_CREATE:
		arg.create.flags &= MYALLOC_CACHE_FLAGS;
		arg.create.object_size = 1 + arg.create.object_size % MYALLOC_OBJECT_MAX;
		arg.create.align = arg.create.align % 16 < 13 ? BIT(arg.create.align % 16) : 0;
		arg.create.magazine %= MYALLOC_MAGAZINE_MAX + 1;
		arg.create.reserved = 0;
		arg.create.pad = 0;
		arg.create.name[0] = 'a' + (u8)arg.create.name[0] % 26;
		arg.create.name[1] = 0;
		break;
	case MYALLOC_IOC_CACHE_STAT:
		arg.stat.how %= 4;
		break;
	case MYALLOC_IOC_OBJ_ALLOC:
		arg.obj_alloc.flags &= MYALLOC_OBJ_FLAGS;
		arg.obj_alloc.pad = 0;
		break;
	case MYALLOC_IOC_STRESS_START:
		arg.stress.kind %= MYALLOC_STRESS_KINDS;
		arg.stress.flags &= MYALLOC_STRESS_FLAGS;
		arg.stress.checks &= MYALLOC_CHECK_ALL;
		arg.stress.reserved = 0;
		arg.stress.fill_permille %= 1001;
		arg.stress.threads %= 16;
		arg.stress.nr_sizes %= MYALLOC_STRESS_SIZES_MAX + 1;
		for (i = 0; i < MYALLOC_STRESS_SIZES_MAX; i++)
			if (i >= arg.stress.nr_sizes) {
				arg.stress.sizes[i] = 0;
				arg.stress.size_weights[i] = 0;
			}
		for (i = CHUNK_ORDER + 1; i < MYALLOC_ORDERS; i++)
			arg.stress.order_weights[i] = 0;
		arg.stress.cpus[0] &= 3;
		memset(&arg.stress.cpus[1], 0, 3 * sizeof(arg.stress.cpus[0]));
		break;
	case MYALLOC_IOC_CLIENT_STAT:
		arg.client_stat.how %= 3;
		break;
	case MYALLOC_IOC_CLIENT_SITES:
		arg.client_sites.room = 1 + arg.client_sites.room % 8;
		arg.client_sites.client %= 3;
		arg.client_sites.done = 0;
		arg.client_sites.nr = 0;
		break;
	case MYALLOC_IOC_CLIENT_RELEASE:
		arg.client_release.flags &= MYALLOC_RELEASE_FILL;
		break;
	case MYALLOC_IOC_POOL_STAT:
		arg.pool_stat.how %= 3;
		break;
	case MYALLOC_IOC_POOL_TEST:
		arg.pool_test.flags &= MYALLOC_POOL_IS_HARD;
		arg.pool_test.ops = 1 + arg.pool_test.ops % POOL_OPS_MOST;
		arg.pool_test.nr %= 600;
		arg.pool_test.object_size = 16 + arg.pool_test.object_size % 1000;
		break;
	case MYALLOC_IOC_HEAP_STAT:
		arg.heap_stat.how %= 3;
		break;
	case MYALLOC_IOC_HEAP_TEST:
		arg.heap_test.pad = 0;
		arg.heap_test.ops = 1 + arg.heap_test.ops % HEAP_OPS_MOST;
		arg.heap_test.max_bytes %= (PAGE_SIZE << CHUNK_ORDER) + 1;
		break;
	case MYALLOC_IOC_RING_STAT:
		arg.ring_stat.how %= 3;
		break;
	case MYALLOC_IOC_RING_TEST:
		arg.ring_test.mode %= MYALLOC_RING_MODES;
		arg.ring_test.ops = 1 + arg.ring_test.ops % RING_OPS_MOST;
		arg.ring_test.ring_bytes %= (PAGE_SIZE << CHUNK_ORDER) + 1;
		break;
	case MYALLOC_IOC_ARENA_STAT:
		arg.arena_stat.how %= 3;
		break;
	case MYALLOC_IOC_ARENA_TEST:
		arg.arena_test.flags %= 4;
		arg.arena_test.ops = 1 + arg.arena_test.ops % HEAP_OPS_MOST;
		arg.arena_test.max_bytes %= (PAGE_SIZE << CHUNK_ORDER) + 1;
		break;
	case MYALLOC_IOC_CONTRACT_PLAN:
	case MYALLOC_IOC_CONTRACT_CREATE:
		arg.contract.flags &= MYALLOC_CONTRACT_IS_FLAGS;
		arg.contract.name[0] = 'a' + arg.contract.name[0] % 4;
		arg.contract.name[1] = 0;
		break;
	case MYALLOC_IOC_CONTRACT_STAT:
		arg.contract_stat.how = 1 + arg.contract_stat.how % 2;
		arg.contract_stat.id %= 64;
		break;
	case MYALLOC_IOC_CELLS:
		arg.cells.first %= 256;
		arg.cells.pages = 1 + arg.cells.pages % 64;
		break;
	case MYALLOC_IOC_LOOK:
		arg.look.how %= 3;
		arg.look.pid = 0;
		arg.look.slot = MYALLOC_LOOK_NONE;
		if (arg.look.how == MYALLOC_LOOK_PAGE)
			arg.look.key %= 256;
		break;
	case MYALLOC_IOC_RESERVE_GROW:
	case MYALLOC_IOC_RESERVE_SHRINK:
		arg.reserve_change.pages = 1 + arg.reserve_change.pages % 256;
		arg.reserve_change.pad = 0;
		break;
	case MYALLOC_IOC_BENCH_START:
		arg.bench.shapes[0] &= 3;
		arg.bench.flags = 0;
		arg.bench.pad = 0;
		break;
	}
}

static bool allowed(long ret, unsigned int cmd)
{
	switch (ret) {
	case 0:
	case -EINVAL:
	case -ENOTTY:
	case -EFAULT:
	case -ENOENT:
	case -ENOMEM:
	case -EDQUOT:
	case -EBUSY:
	case -ENOSPC:
	case -E2BIG:
	case -EEXIST:
		return true;
	case -EPERM:	/* addresses are for those with CAP_SYSLOG */
		return cmd == MYALLOC_IOC_LOOK;
	case -EINTR:
		return fuzz_world.fatal_signal;
	case -ERESTARTSYS:
		return fuzz_world.interrupted;
	}
	return false;
}

static u64 user_handle(u64 handles, u32 i)
{
	u64 number;

	memcpy(&number, fuzz_user + (handles - USER_BASE) + 8 * i, sizeof(number));
	return number;
}

/* Are the handles in user memory still those that the command wrote or read? */
static bool knows(u64 handles, u32 count, unsigned long arg_at)
{
	unsigned long at = handles - USER_BASE;

	return handles >= USER_BASE && at < USER_SIZE && at + 8ull * count <= USER_SIZE &&
	       (at >= arg_at + sizeof(arg) || at + 8ull * count <= arg_at);
}

static void after_alloc(struct model *m, u8 kind, u64 handles, u32 count, u32 done, u32 pages,
			u64 of, long ret, bool known)
{
	u32 i;

	CHECK(done <= count, "%u of %u done", done, count);
	CHECK((done == count) == !ret, "%u of %u done, and it returns %ld", done, count, ret);
	if (!known) {
		m->lost |= done;
		return;
	}
	for (i = 0; i < done; i++)
		add(m, user_handle(handles, i), kind, pages, of);
}

static void after_free(struct model *m, u8 kind, u64 handles, u32 count, u32 done, long ret,
		       bool known)
{
	struct handle *h;
	u32 i;

	CHECK(done <= count, "%u of %u done", done, count);
	CHECK((done == count) == !ret, "%u of %u done, and it returns %ld", done, count, ret);
	if (!known) {
		m->lost |= done;
		return;
	}
	for (i = 0; i < done; i++) {
		h = find(m, user_handle(handles, i), kind);
		CHECK(h || m->lost, "handle %llu was freed, which there is not",
		      user_handle(handles, i));
		if (h)
			*h = m->handle[--m->nr];
	}
	if (ret == -ENOENT && !m->lost)
		CHECK(!find(m, user_handle(handles, done), kind), "handle %llu was not found",
		      user_handle(handles, done));
}

/* What the command @nr, whose argument was @arg and is now at @at, has done to the model. */
static void follow(struct model *m, u32 nr, unsigned long at, long ret)
{
	struct myalloc_cache_create create;
	struct myalloc_contract_make contract;
	struct handle *h;
	u32 done, i;

	switch (commands[nr].cmd) {
	case MYALLOC_IOC_PAGE_ALLOC:
		/* Refused without a word in @done, or never told. */
		if (ret == -EINVAL || ret == -ERESTARTSYS)
			break;
		memcpy(&done, fuzz_user + at + offsetof(struct myalloc_page_alloc, done), 4);
		after_alloc(m, PAGES, arg.page_alloc.handles, arg.page_alloc.count, done,
			    arg.page_alloc.nr_pages ?: BIT(arg.page_alloc.order), 0, ret,
			    knows(arg.page_alloc.handles, arg.page_alloc.count, at));
		break;
	case MYALLOC_IOC_OBJ_ALLOC:
		if (ret == -EINVAL || ret == -ERESTARTSYS)
			break;
		memcpy(&done, fuzz_user + at + offsetof(struct myalloc_obj_alloc, done), 4);
		after_alloc(m, OBJECT, arg.obj_alloc.handles, arg.obj_alloc.count, done, 0,
			    arg.obj_alloc.cache, ret,
			    knows(arg.obj_alloc.handles, arg.obj_alloc.count, at));
		break;
	case MYALLOC_IOC_PAGE_FREE:
	case MYALLOC_IOC_OBJ_FREE:
		if (ret == -EINVAL || ret == -ERESTARTSYS)
			break;
		memcpy(&done, fuzz_user + at + offsetof(struct myalloc_free, done), 4);
		after_free(m, commands[nr].cmd == MYALLOC_IOC_PAGE_FREE ? PAGES : OBJECT,
			   arg.free.handles, arg.free.count, done, ret,
			   knows(arg.free.handles, arg.free.count, at));
		break;
	case MYALLOC_IOC_CACHE_CREATE:
		if (ret)
			break;
		memcpy(&create, fuzz_user + at, sizeof(create));
		/* A short struct does not hold the answer. */
		if (create.size < offsetofend(struct myalloc_cache_create, id))
			m->lost = true;
		else
			add(m, create.handle, CACHE, 0, 0);
		break;
	case MYALLOC_IOC_CONTRACT_CREATE:
		if (ret)
			break;
		memcpy(&contract, fuzz_user + at, sizeof(contract));
		if (contract.size < offsetofend(struct myalloc_contract_make, id))
			m->lost = true;
		else
			add(m, contract.handle, CONTRACT, contract.pages, 0);
		break;
	case MYALLOC_IOC_CONTRACT_END:
		h = find(m, arg.finish.handle, CONTRACT);
		CHECK(ret != -ENOENT || !h || m->lost, "contract %llu was not found",
		      arg.finish.handle);
		/* By its number it may be of any file. */
		if (!ret && !arg.finish.handle)
			for (i = 0; i < FILES; i++)
				model[i].lost = true;
		else if (!ret && h)
			*h = m->handle[--m->nr];
		break;
	case MYALLOC_IOC_CACHE_DESTROY:
		h = find(m, arg.handle.handle, CACHE);
		CHECK(ret != -ENOENT || !h || m->lost, "handle %llu was not found",
		      arg.handle.handle);
		CHECK(ret || h || m->lost, "cache %llu ended, which there is not",
		      arg.handle.handle);
		if (ret == -EBUSY && !m->lost) {
			for (i = 0; i < m->nr && m->handle[i].of != arg.handle.handle; i++)
				;
			CHECK(i < m->nr, "cache without objects is busy");
		}
		if (!ret && h)
			*h = m->handle[--m->nr];
		break;
	}
}

static void do_command(struct model *m, u32 nr, u8 flags, bool calm)
{
	const struct command *c = &commands[nr];
	u32 size = _IOC_SIZE(c->cmd), i, got;
	unsigned int cmd = c->cmd;
	unsigned long at = ARG_AT, limit = size;
	long ret;

	memset(&arg, 0, sizeof(arg));
	got = c->in;
	for (i = 0; i < got; i++)
		arg.bytes[i] = take(1);
	if (!(flags & RAW_REST))
		fix_rest(nr);
	/* More would only take longer. */
	if (c->cmd == MYALLOC_IOC_POOL_TEST && arg.pool_test.ops <= MYALLOC_POOL_TEST_OPS_MAX)
		arg.pool_test.ops %= POOL_OPS_MOST + 1;
	if (c->cmd == MYALLOC_IOC_HEAP_TEST && arg.heap_test.ops <= MYALLOC_HEAP_TEST_OPS_MAX)
		arg.heap_test.ops %= HEAP_OPS_MOST + 1;
	if (c->cmd == MYALLOC_IOC_ARENA_TEST && arg.arena_test.ops <= MYALLOC_ARENA_TEST_OPS_MAX)
		arg.arena_test.ops %= HEAP_OPS_MOST + 1;
	if (c->cmd == MYALLOC_IOC_RING_TEST && arg.ring_test.ops <= MYALLOC_RING_TEST_OPS_MAX)
		arg.ring_test.ops %= RING_OPS_MOST + 1;
	if (!(flags & RAW_POINTER))
		fix_pointer(nr);
	if (!(flags & RAW_HANDLE))
		fix_handles(m, nr);
	if (c->grows && !(flags & RAW_SIZE))
		arg.size = size;
	if (flags & RAW_ADDRESS) {
		at = take(2);
		calm = false;
	}
	if (c->grows) {
		limit = min_t(unsigned long, arg.size, size);
		if (flags & RAW_SIZE)	/* the size in the number is not looked at */
			cmd = (cmd & ~(unsigned int)IOCSIZE_MASK) | (arg.size & _IOC_SIZEMASK) <<
				_IOC_SIZESHIFT;
	}
	if (at + size <= USER_SIZE)
		memcpy(fuzz_user + at, &arg, size);
	else if (at < USER_SIZE)
		memcpy(fuzz_user + at, &arg, USER_SIZE - at);

	fuzz_world.writable[0].from = at;
	fuzz_world.writable[0].to = at + limit;
	fuzz_world.nr_writable = 1;
	if (c->cmd == MYALLOC_IOC_PAGE_ALLOC || c->cmd == MYALLOC_IOC_OBJ_ALLOC) {
		u64 to = c->cmd == MYALLOC_IOC_PAGE_ALLOC ? arg.page_alloc.handles :
							    arg.obj_alloc.handles;
		u64 count = c->cmd == MYALLOC_IOC_PAGE_ALLOC ? arg.page_alloc.count :
							       arg.obj_alloc.count;

		fuzz_world.writable[1].from = to - USER_BASE;
		fuzz_world.writable[1].to = to - USER_BASE + 8 * count;
		fuzz_world.nr_writable = 2;
	}
	if (c->cmd == MYALLOC_IOC_CONTRACT_PLAN || c->cmd == MYALLOC_IOC_CONTRACT_CREATE) {
		fuzz_world.writable[1].from = arg.contract.costs - USER_BASE;
		fuzz_world.writable[1].to = arg.contract.costs - USER_BASE +
			arg.contract.nr_lines * sizeof(struct myalloc_line_cost);
		fuzz_world.nr_writable = 2;
	}
	if (c->cmd == MYALLOC_IOC_CELLS) {
		fuzz_world.writable[1].from = arg.cells.cells - USER_BASE;
		fuzz_world.writable[1].to = arg.cells.cells - USER_BASE +
			(u64)arg.cells.count * sizeof(struct myalloc_cell);
		fuzz_world.nr_writable = 2;
	}
	/* What was flipped may be an address or a size. */
	if (fuzz_world.flip_at || at + size > USER_SIZE) {
		fuzz_world.writable[1].from = 0;
		fuzz_world.writable[1].to = USER_SIZE;
		fuzz_world.nr_writable = 2;
	}
	ret = fuzz_device->unlocked_ioctl(&m->file, cmd, USER_BASE + at);
	CHECK(allowed(ret, c->cmd), "returns %ld", ret);
	CHECK(ret != -ENOTTY, "is not known");
	if (calm)
		follow(m, nr, at, ret);
	else
		m->lost = true;
}

static void do_any(struct model *m)
{
	unsigned int cmd = take(4);
	unsigned long at = take(8);
	long ret;

	/* Known ones come with an argument that is told: see above. */
	if (_IOC_TYPE(cmd) == MYALLOC_IOC)
		cmd ^= 0xff << _IOC_TYPESHIFT;
	fuzz_world.nr_writable = 0;
	ret = fuzz_device->unlocked_ioctl(&m->file, cmd, at);
	CHECK(ret == -ENOTTY, "command 0x%x returns %ld", cmd, ret);
}

static void do_read(struct model *m)
{
	unsigned long size = take(1), at = take(2);
	ssize_t ret;

	m->file.f_flags = take(1) & 1 ? O_NONBLOCK : 0;
	fuzz_world.writable[0].from = at;
	fuzz_world.writable[0].to = at + size;
	fuzz_world.nr_writable = 1;
	ret = fuzz_device->read(&m->file, (void *)(USER_BASE + at), size, NULL);
	CHECK(ret == 0 || ret == sizeof(struct myalloc_stress_progress) ||
	      ret == sizeof(struct myalloc_bench_progress) || ret == -EINVAL || ret == -EAGAIN ||
	      ret == -EFAULT || ret == -ERESTARTSYS, "returns %zd", ret);
	CHECK(ret <= (ssize_t)size, "%zd bytes into %lu", ret, size);
}

static void do_poll(struct model *m)
{
	__poll_t events = fuzz_device->poll(&m->file, NULL);

	CHECK(!(events & ~(EPOLLIN | EPOLLRDNORM)), "returns 0x%x", events);
	CHECK(!events || !fuzz_world.interrupted, "waits for the lock though a signal has come");
}

static void do_open(struct model *m)
{
	int err;

	memset(m, 0, offsetof(struct model, handle));
	err = fuzz_device->open(NULL, &m->file);
	CHECK(!err || err == -ENOMEM, "returns %d", err);
	m->open = !err;
}

static void do_close(struct model *m)
{
	if (m->open)
		CHECK(!fuzz_device->release(NULL, &m->file), "close failed");
	m->open = false;
}

/* --- the statistics -------------------------------------------------------------------------------- */

static void check_stats(bool all)
{
	struct myalloc_zone_stats stats;
	struct myalloc_validation v;
	u64 pages = 0, lost = 0;
	u32 i, k;

	myalloc_zone_stats(zone, &stats);
	CHECK(!stats.bad_frees && !stats.corruptions, "%llu wrong frees, %llu corruptions",
	      stats.bad_frees, stats.corruptions);
	for (i = 0; i < FILES; i++) {
		lost |= model[i].open && model[i].lost;
		for (k = 0; model[i].open && k < model[i].nr; k++)
			pages += model[i].handle[k].pages;
	}
	CHECK(lost || stats.page_pages == pages, "%llu pages are out, %llu have handles",
	      stats.page_pages, pages);
	if (all)
		CHECK(myalloc_zone_validate(zone, &v), "%llu invariants broken: %s", v.errors,
		      v.first);
}

static void read_world(u8 flags)
{
	u8 k, more;

	memset(&fuzz_world, 0, offsetof(struct fuzz_world, nr_writable));
	host_fail_after(0);
	if (!(flags & WORLD))
		return;
	k = take(1);
	more = take(1);
	if (k & 15)
		host_fail_after(k & 15);
	fuzz_world.flip_at = k >> 4;
	fuzz_world.fatal_signal = more & 1;
	fuzz_world.interrupted = more & 2;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static void *chunks[CHUNKS];
	static const int any = NUMA_NO_NODE;
	struct myalloc_nodes_args set = { .zones = &zone, .nodes = &any, .nr_zones = 1 };
	struct myalloc_zone_args args = {
		.name = "fuzz", .chunks = chunks, .nr_chunks = CHUNKS, .chunk_order = CHUNK_ORDER,
		.nr_pages = CHUNKS << CHUNK_ORDER, .node = NUMA_NO_NODE,
	};
	struct myalloc_zone_stats stats;
	struct myalloc_nodes *nodes;
	void *arena;
	u32 n, i;

	what = "begin";
	host_reset();
	host_set_nr_cpus(2);
	host_set_seed(1);
	arena = host_chunk_alloc(CHUNK_ORDER + 2);
	for (i = 0; i < CHUNKS; i++)
		chunks[i] = arena + 2 * i * (PAGE_SIZE << CHUNK_ORDER);
	memset(&fuzz_world, 0, sizeof(fuzz_world));
	fuzz_world.secret = arena;
	fuzz_world.secret_size = PAGE_SIZE << (CHUNK_ORDER + 2);
	memset(fuzz_user, 0, sizeof(fuzz_user));
	memset(model, 0, sizeof(model));
	in.at = data;
	in.end = data + size;

	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone))
		host_fatal("no zone");
	nodes = myalloc_nodes_create(&set);
	if (!nodes || myalloc_device_init(nodes))
		host_fatal("no device");
	fuzz_runs_begin();
	for (n = 0; n < COMMANDS_MOST && in.at < in.end; n++) {
		u32 action = take(1) % NR_ACTIONS;
		u8 flags = take(1);
		struct model *m = &model[(flags & 3) % FILES];

		read_world(flags);
		what = action < ANY_COMMAND ? commands[action].name : "file";
		if (!m->open)
			do_open(m);
		if (!m->open)
			continue;
		if (action < ANY_COMMAND)
			do_command(m, action, flags, !fuzz_world.flip_at);
		else if (action == ANY_COMMAND)
			do_any(m);
		else if (action == READ)
			do_read(m);
		else if (action == POLL)
			do_poll(m);
		else if (action == CLOSE)
			do_close(m);
		else
			fuzz_runs_go_on();
		host_fail_after(0);
		check_stats(n % VALIDATE_EVERY == 0);
	}
	memset(&fuzz_world, 0, offsetof(struct fuzz_world, nr_writable));
	what = "end";
	check_stats(true);
	for (i = 0; i < FILES; i++)
		do_close(&model[i]);
	CHECK(!fuzz_runs(), "%u runs are left", fuzz_runs());
	CHECK(!fuzz_module_refs, "%d references to modules are left", fuzz_module_refs);
	fuzz_runs_end();
	myalloc_zone_drain(zone);
	myalloc_zone_stats(zone, &stats);
	CHECK(stats.free_pages == stats.nr_pages && !stats.nr_caches,
	      "%llu of %llu pages came back, %llu caches are left", stats.free_pages,
	      stats.nr_pages, stats.nr_caches);
	myalloc_device_exit();
	myalloc_nodes_destroy(nodes);
	CHECK(!myalloc_zone_destroy(zone), "the zone does not end");
	host_chunk_free(arena, CHUNK_ORDER + 2);
	CHECK(!host_live_allocs() && !host_live_chunks(), "memory was not given back");
	CHECK(!host_check_clean(), "%s", host_check_clean());
	return 0;
}

/* Commands alone: what becomes of their arguments depends on what was before. */
void fuzz_explain(const u8 *data, size_t size)
{
	in.at = data;
	in.end = data + size;
	while (in.at < in.end) {
		u32 action = take(1) % NR_ACTIONS, i;
		u8 flags = take(1);

		printf("file %u flags 0x%02x", (flags & 3) % FILES, flags & 0xfc);
		if (flags & WORLD) {
			u8 k = take(1), more = take(1);

			printf(" fail %u flip %u signals %u", k & 15, k >> 4, more & 3);
		}
		if (action < ANY_COMMAND) {
			printf(" %s", commands[action].name);
			for (i = 0; i < commands[action].in; i++)
				printf(" %02x", (u8)take(1));
			if (flags & RAW_ADDRESS)
				printf(" at 0x%llx", take(2));
			printf("\n");
		} else if (action == ANY_COMMAND) {
			printf(" command 0x%llx", take(4));
			printf(" at 0x%llx\n", take(8));
		} else if (action == READ) {
			printf(" read %llu", take(1));
			printf(" at 0x%llx", take(2));
			printf(" flags %llu\n", take(1));
		} else {
			printf(" %s\n", action == POLL ? "poll" :
					action == CLOSE ? "close" : "go on");
		}
	}
}
