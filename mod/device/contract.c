// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about contracts: plan, create, end, statistics, call sites beyond
 *
 * A contract of an open file holds its pages until it is ended or the file is closed. Invalid
 * requests are refused here, with a reason for the user, before the allocator would report them:
 * user space must not be able to fill the log. The test of a contract is a job, see
 * mod/stress/contract.c.
 */
#include "env.h"

#include <linux/uaccess.h>

#include "budget.h"
#include "client/contract.h"
#include "device/command.h"
#include "device/session.h"
#include "device/session_contract.h"
#include "object/cache.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_line) == 32 + MYALLOC_LINE_SIZES_MAX * 4);
static_assert(sizeof(struct myalloc_line_cost) == 48);
static_assert(sizeof(struct myalloc_contract_make) == 8 + MYALLOC_NAME_MAX + 56 + 160);
static_assert(sizeof(struct myalloc_contract_finish) == 16);
static_assert(sizeof(struct myalloc_contract_stat) == 8 + MYALLOC_NAME_MAX + 8 + 8 + 14 * 8);
static_assert(sizeof(struct myalloc_contract_sites) == 16 + MYALLOC_BEYOND_SITES_MAX * 96);
static_assert(MYALLOC_BEYOND_SITES_MAX == MYALLOC_CONTRACT_SITES);

/**
 * struct request - a command to plan or create
 * @arg: its argument
 * @zone: the zone
 * @from: the lines in the user's struct
 * @lines: the lines in the allocator's struct
 * @cost: cost of each line in the user's struct
 * @plan: cost of the contract in the allocator's struct
 */
struct request {
	struct myalloc_contract_make arg;
	struct myalloc_zone *zone;
	struct myalloc_line from[MYALLOC_LINES_MAX];
	struct myalloc_contract_line lines[MYALLOC_LINES_MAX];
	struct myalloc_line_cost cost[MYALLOC_LINES_MAX];
	struct myalloc_contract_plan plan;
};

__printf(3, 4)
static int refuse(struct request *r, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(r->arg.reason, sizeof(r->arg.reason), fmt, args);
	va_end(args);
	return err;
}

/* --- check ---------------------------------------------------------------------------- */

static int check_pages(struct request *r, u32 i)
{
	const struct myalloc_line *l = &r->from[i];
	u32 chunk = r->zone->chunk_order;

	if (!l->orders || l->orders >> (chunk + 1))
		return refuse(r, -EINVAL,
			      "line %u: orders 0x%x: must be some of 0 to %u, the order of a chunk",
			      i, l->orders, chunk);
	if (l->pages < BIT(fls(l->orders) - 1))
		return refuse(r, -EINVAL,
			      "line %u: %u pages: must be enough for one block of order %u",
			      i, l->pages, fls(l->orders) - 1);
	if (l->nmi && !is_power_of_2(l->orders))
		return refuse(r, -EINVAL,
			      "line %u: blocks for NMIs: only in a line of one order", i);
	if (l->nr_sizes || l->count || l->object_size || l->align)
		return refuse(r, -EINVAL,
			      "line %u: of pages: sizes, count, object_size and align must be 0",
			      i);
	return 0;
}

static int check_extents(struct request *r, u32 i)
{
	const struct myalloc_line *l = &r->from[i];
	u32 most = BIT(r->zone->chunk_order), k;

	if (!l->nr_sizes || l->nr_sizes > MYALLOC_LINE_SIZES_MAX)
		return refuse(r, -EINVAL, "line %u: %u sizes: must be 1 to %u", i, l->nr_sizes,
			      MYALLOC_LINE_SIZES_MAX);
	for (k = 0; k < l->nr_sizes; k++)
		if (!l->sizes[k] || l->sizes[k] > most || l->sizes[k] > l->pages)
			return refuse(r, -EINVAL,
				      "line %u: extents of %u pages: must be 1 to %u, and within the %u pages of the line",
				      i, l->sizes[k], most, l->pages);
	if (l->nmi)
		return refuse(r, -EINVAL, "line %u: extents cannot be set aside for NMIs", i);
	if (l->orders || l->count || l->object_size || l->align)
		return refuse(r, -EINVAL,
			      "line %u: of extents: orders, count, object_size and align must be 0",
			      i);
	return 0;
}

static int check_objects(struct request *r, u32 i)
{
	const struct myalloc_line *l = &r->from[i];

	if (!l->count || l->count > S32_MAX)
		return refuse(r, -EINVAL,
			      "line %u: %u objects: must be 1 to %d", i, l->count, S32_MAX);
	if (!l->object_size || l->object_size > MYALLOC_OBJECT_MAX)
		return refuse(r, -EINVAL, "line %u: objects of %u bytes: must be 1 to %u", i,
			      l->object_size, MYALLOC_OBJECT_MAX);
	if (l->align && (!is_power_of_2(l->align) || l->align > PAGE_SIZE))
		return refuse(r, -EINVAL,
			      "line %u: alignment %u: must be a power of two up to %lu", i,
			      l->align, PAGE_SIZE);
	if (l->orders || l->pages || l->nr_sizes)
		return refuse(r, -EINVAL,
			      "line %u: of objects: orders, pages and sizes must be 0", i);
	return 0;
}

static int check_line(struct request *r, u32 i)
{
	const struct myalloc_line *l = &r->from[i];
	u32 k;

	if (l->nmi > MYALLOC_CONTRACT_NMI_MAX)
		return refuse(r, -EINVAL, "line %u: %u for NMIs: must be at most %u", i, l->nmi,
			      MYALLOC_CONTRACT_NMI_MAX);
	for (k = min_t(u32, l->nr_sizes, MYALLOC_LINE_SIZES_MAX); k < MYALLOC_LINE_SIZES_MAX; k++)
		if (l->sizes[k])
			return refuse(r, -EINVAL, "line %u: size %u: there are %u sizes", i,
				      l->sizes[k], l->nr_sizes);
	switch (l->kind) {
	case MYALLOC_LINE_PAGES:
		return check_pages(r, i);
	case MYALLOC_LINE_EXTENTS:
		return check_extents(r, i);
	case MYALLOC_LINE_OBJECTS:
		return check_objects(r, i);
	default:
		return refuse(r, -EINVAL,
			      "line %u: kind %u: must be 0 (pages), 1 (extents) or 2 (objects)",
			      i, l->kind);
	}
}

static int check_name(struct request *r, bool may_be_empty)
{
	const char *name = r->arg.name;

	if (!memchr(name, 0, sizeof(r->arg.name)) || strlen(name) >= MYALLOC_CONTRACT_NAME ||
	    (!(may_be_empty && !*name) && !myalloc_cache_good_name(name)))
		return refuse(r, -EINVAL,
			      "a name consists of 1 to %d ASCII letters, digits, '-', '_', '.'",
			      MYALLOC_CONTRACT_NAME - 1);
	return 0;
}

static int read_lines(struct request *r)
{
	u32 i;
	int err;

	if (!r->arg.nr_lines || r->arg.nr_lines > MYALLOC_LINES_MAX)
		return refuse(r, -EINVAL, "%u lines: must be 1 to %u", r->arg.nr_lines,
			      MYALLOC_LINES_MAX);
	if (copy_from_user(r->from, u64_to_user_ptr(r->arg.lines),
			   r->arg.nr_lines * sizeof(*r->from)))
		return -EFAULT;
	for (i = 0; i < r->arg.nr_lines; i++) {
		const struct myalloc_line *l = &r->from[i];

		err = check_line(r, i);
		if (err)
			return err;
		r->lines[i] = (struct myalloc_contract_line) {
			.kind = l->kind, .pages = l->pages, .orders = l->orders,
			.sizes = l->nr_sizes ? l->sizes : NULL, .nr_sizes = l->nr_sizes,
			.count = l->count, .nmi = l->nmi,
			.cache = {
				.name = *r->arg.name ? r->arg.name : "plan",
				.object_size = l->object_size, .align = l->align,
			},
		};
	}
	return 0;
}

/* --- plan and create ------------------------------------------------------------------- */

static void put_plan(struct request *r)
{
	const struct myalloc_contract_plan *plan = &r->plan;
	u32 i;

	r->arg.pages = plan->pages;
	r->arg.largest_order = plan->largest_order;
	r->arg.pages_short = plan->pages_short;
	r->arg.blocks_short = plan->blocks_short;
	r->arg.short_order = plan->short_order;
	for (i = 0; i < r->arg.nr_lines; i++) {
		const struct myalloc_contract_line_plan *from = &plan->line[i];

		r->cost[i] = (struct myalloc_line_cost) {
			.needed = from->needed, .set_aside = from->set_aside,
			.order = from->order, .blocks = from->blocks, .held = from->held,
			.slabs = from->slabs, .objects = from->objects, .apart = from->apart,
			.ends = from->ends, .fewer = from->fewer,
			.fewer_orders = from->fewer_orders,
		};
	}
}

static int plan_request(struct request *r)
{
	int err = myalloc_contract_plan(r->zone, r->lines, r->arg.nr_lines, &r->plan);

	if (err)
		return refuse(r, -EINVAL, "a line is refused; the kernel's log says why");
	put_plan(r);
	return 0;
}

/* Can the system spare the metadata of a zone for each line? */
static int check_budget(struct request *r)
{
	u64 bytes = r->arg.nr_lines * (u64)sizeof(struct myalloc_zone) +
		    (u64)r->plan.pages * (MYALLOC_FRAME_BYTES + MYALLOC_FRAME_BYTES / 4);
	struct myalloc_budget budget;

	if (!myalloc_budget_check("contract", bytes, &budget))
		return 0;
	return refuse(r, -ENOMEM, "its metadata takes %llu KiB, the system can spare %llu KiB",
		      budget.need >> 10, budget.left >> 10);
}

static int create_request(struct request *r, struct myalloc_session *session)
{
	int err = plan_request(r);

	if (err)
		return err;
	err = check_budget(r);
	if (err)
		return err;
	err = myalloc_session_contract_create(session, &r->arg, r->lines, &r->plan);
	put_plan(r);
	if (err == -EEXIST)
		return refuse(r, err, "a contract '%s' exists already", r->arg.name);
	if (err == -EMFILE)
		return refuse(r, -ENOSPC, "too many contracts and heaps own extents of the zone");
	if (err == -ENOSPC && (r->plan.pages_short || r->plan.blocks_short))
		return refuse(r, err,
			      "it takes %u page%s: %u page%s and %u block%s of order %u are short",
			      r->plan.pages, myalloc_s(r->plan.pages), r->plan.pages_short,
			      myalloc_s(r->plan.pages_short), r->plan.blocks_short,
			      myalloc_s(r->plan.blocks_short), r->plan.short_order);
	return err;
}

static int do_request(struct request *r, struct myalloc_session *session, bool create)
{
	int err;

	r->arg.handle = 0;
	r->arg.id = 0;
	memset(r->arg.reason, 0, sizeof(r->arg.reason));
	if (r->arg.flags & ~MYALLOC_CONTRACT_IS_FLAGS)
		return refuse(r, -EINVAL, "flags 0x%x: must be some of 0x%x", r->arg.flags,
			      MYALLOC_CONTRACT_IS_FLAGS);
	err = check_name(r, !create);
	if (!err)
		err = read_lines(r);
	if (err)
		return err;
	return create ? create_request(r, session) : plan_request(r);
}

static int tell(struct request *r, void __user *user, bool costs)
{
	int err = myalloc_copy_out(user, &r->arg, sizeof(r->arg));

	if (!err && costs && r->arg.costs &&
	    copy_to_user(u64_to_user_ptr(r->arg.costs), r->cost,
			 r->arg.nr_lines * sizeof(*r->cost)))
		err = -EFAULT;
	return err;
}

static int make(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user,
		bool create)
{
	struct request *r = myalloc_env_zalloc_charged(sizeof(*r), NUMA_NO_NODE);
	int err, lost;

	if (!r)
		return -ENOMEM;
	r->zone = zone;
	err = myalloc_copy_in(&r->arg, sizeof(r->arg), user);
	if (err)
		goto out;
	err = do_request(r, session, create);
	lost = err == -EFAULT ? 0 : tell(r, user, !err);
	if (lost && !err && create)
		myalloc_session_contract_end(session, r->arg.handle);
	err = lost ?: err;
out:
	myalloc_env_free(r);
	return err;
}

static int do_plan(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	return make(session, zone, user, false);
}

static int do_create(struct myalloc_session *session, struct myalloc_zone *zone,
		     void __user *user)
{
	return make(session, zone, user, true);
}

/* --- end, look --------------------------------------------------------------------------- */

static int do_end(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_contract_finish arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.handle && arg.id)
		return -EINVAL;
	if (arg.handle)
		return myalloc_session_contract_end(session, arg.handle);
	return myalloc_sessions_contract_end(zone, arg.id);
}

static int do_stat(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_contract_stat stat;
	int err = myalloc_copy_in(&stat, sizeof(stat), user);

	if (err)
		return err;
	if (stat.how != MYALLOC_BY_ID && stat.how != MYALLOC_NEXT_ID)
		return -EINVAL;
	err = myalloc_contract_stat_find(&stat, zone, stat.id, stat.how == MYALLOC_NEXT_ID);
	return err ?: myalloc_copy_out(user, &stat, sizeof(stat));
}

/* A walk over the contracts that looks for the statistics of one line. */
struct search {
	u64 id;
	int err;
	struct myalloc_contract_stats stats;
};

static bool visit(struct myalloc_front *front, void *arg)
{
	struct search *s = arg;

	if (front->id != div_u64(s->id, MYALLOC_LINES_MAX))
		return true;
	if (!myalloc_contract_stats(myalloc_contract_of(front), s->id % MYALLOC_LINES_MAX,
				    &s->stats))
		s->err = 0;
	return false;
}

static void fill_sites(struct myalloc_contract_sites *to, const struct myalloc_contract_stats *from)
{
	u32 i;

	to->nr = 0;
	memset(to->site, 0, sizeof(to->site));
	for (i = 0; i < MYALLOC_CONTRACT_SITES; i++) {
		struct myalloc_beyond_site *site = &to->site[to->nr];

		if (!from->sites[i].count)
			continue;
		if (from->sites[i].caller)
			myalloc_env_symbol(site->caller, sizeof(site->caller),
					   from->sites[i].caller);
		site->count = from->sites[i].count;
		to->nr++;
	}
}

static int do_sites(struct myalloc_session *session, struct myalloc_zone *zone, void __user *user)
{
	struct myalloc_contract_sites arg;
	struct search s = { .err = -ENOENT };
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (err)
		return err;
	s.id = arg.id;
	myalloc_front_walk(zone, &myalloc_contract_kind, visit, &s);
	if (s.err)
		return s.err;
	fill_sites(&arg, &s.stats);
	return myalloc_copy_out(user, &arg, sizeof(arg));
}

const struct myalloc_command myalloc_contract_commands[] = {
	{ MYALLOC_IOC_CONTRACT_PLAN, true, do_plan },
	{ MYALLOC_IOC_CONTRACT_CREATE, true, do_create },
	{ MYALLOC_IOC_CONTRACT_END, false, do_end },
	{ MYALLOC_IOC_CONTRACT_STAT, true, do_stat },
	{ MYALLOC_IOC_CONTRACT_SITES, true, do_sites },
	{ }
};
