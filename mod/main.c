// SPDX-License-Identifier: GPL-2.0
/* Module load and unload: initializes the parts in order. */
#include "env.h"

#include <linux/cpuhotplug.h>
#include <linux/module.h>

#include "client/client.h"
#include "client/sites.h"
#include "compat.h"
#include "debugfs/debugfs.h"
#include "exports.h"
#include "gone.h"
#include "device/ioctl.h"
#include "page/lend.h"
#include "device/quota.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "leave.h"
#include "params.h"
#include "stress/stress.h"
#include "reserve.h"
#include "shrinker.h"
#include "object/cache.h"
#include "uapi/myalloc.h"
#include "zone/zone.h"

static struct myalloc_reserve reserve;
static struct myalloc_zone *zone;
static int hotplug_state;

static int __init make_zone(const struct myalloc_params *params)
{
	const struct myalloc_zone_args args = {
		.name = "zone",
		.chunks = reserve.chunks,
		.nr_chunks = reserve.nr_chunks,
		.chunk_order = reserve.chunk_order,
		.max_order = params->max_order,
		.nr_pages = reserve.nr_pages,
		.node = reserve.node,
		.checks = params->checks,
		.policy = params->policy,
		.ops = &myalloc_debugfs_zone_ops,
		.max_chunks = reserve.max_chunks,
		.chunk_ops = &myalloc_reserve_chunk_ops,
		/* All memory that alloc_pages() can return */
		.span = { PAGE_OFFSET, (unsigned long)high_memory },
	};

	zone = myalloc_zone_create(&args);
	if (!IS_ERR(zone)) {
		pr_info("%u chunks of %lu KiB, the largest block has %lu KiB\n", reserve.nr_chunks,
			(PAGE_SIZE << zone->chunk_order) / 1024,
			(PAGE_SIZE << zone->buddy.top_order) / 1024);
		if (zone->elastic)
			pr_info("it can grow from %u to %u chunks\n", zone->nr_fixed,
				zone->nr_chunks);
		return 0;
	}
	pr_err("out of memory for the metadata of %u pages\n",
	       reserve.max_chunks ? reserve.max_chunks << reserve.chunk_order : reserve.nr_pages);
	return PTR_ERR(zone);
}

/* The CPU is dead and cannot come back until this returns. */
static int cpu_dead(unsigned int cpu)
{
	myalloc_zone_drain_cpu(zone, cpu);
	return 0;
}

static int __init watch_cpus(void)
{
	int state = -ENOMEM;

	if (!myalloc_env_should_fail())
		state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "myalloc:cpu", NULL,
						  cpu_dead);
	if (state < 0) {
		pr_err("cannot register for CPU hotplug: error %d\n", state);
		return state;
	}
	hotplug_state = state;
	return 0;
}

static int __init myalloc_init(void)
{
	struct myalloc_params params;
	int err;

	err = myalloc_params_read(&params);
	if (err)
		return err;
	err = myalloc_reserve_take(&reserve, params.reserve_mb, params.max_mb,
				   params.chunk_order, params.max_order, params.node);
	if (err)
		return err;
	if (params.checks & MYALLOC_OWNER && myalloc_env_stack_init())
		pr_warn("checks: this kernel has no stack depot; U records callers only\n");
	err = make_zone(&params);
	if (err)
		goto err_reserve;
	err = myalloc_shrinker_init(zone);
	if (err)
		goto err_zone;
	err = watch_cpus();
	if (err)
		goto err_shrinker;
	err = myalloc_gone_init();
	if (err)
		goto err_hotplug;
	myalloc_debugfs_init(zone, &reserve);
	myalloc_session_quota = params.session_quota;
	/* These are the first kinds to register, so it cannot fail. */
	myalloc_job_kind_register(&myalloc_stress_kind);
	myalloc_job_kind_register(&myalloc_contract_test_kind);
	err = myalloc_leave_init(zone);
	if (err)
		goto err_stress;
	err = myalloc_device_init(zone, &reserve);
	if (err)
		goto err_leave;
	myalloc_exports_init(zone);
	return 0;

err_leave:
	myalloc_leave_exit();
err_stress:
	myalloc_job_kind_unregister(&myalloc_contract_test_kind);
	myalloc_job_kind_unregister(&myalloc_stress_kind);
	myalloc_debugfs_exit();
	myalloc_gone_exit();
err_hotplug:
	cpuhp_remove_state_nocalls(hotplug_state);
err_shrinker:
	myalloc_shrinker_exit();
err_zone:
	myalloc_zone_destroy(zone);
err_reserve:
	myalloc_reserve_release(&reserve);
	return err;
}

/* Pages still lent return to the system by themselves once our references are dropped. */
static void __exit end_lending(void)
{
	u32 lent = myalloc_quarantine_abandon(zone);

	if (lent)
		pr_info("%u pages are still lent to the kernel and return to it when it drops its references\n",
			lent);
}

/* What was not freed, by call site. */
static void __exit report_left(void)
{
	struct myalloc_sites sites;

	if (myalloc_sites_collect(&sites, zone, NULL, 0))
		return;
	myalloc_sites_print(&sites, "unload of", KBUILD_MODNAME, MYALLOC_CLIENT_SITES);
	myalloc_sites_free(&sites);
}

static void __exit myalloc_exit(void)
{
	myalloc_exports_exit();
	myalloc_device_exit();
	myalloc_leave_exit();
	myalloc_job_kind_unregister(&myalloc_contract_test_kind);
	myalloc_job_kind_unregister(&myalloc_stress_kind);
	myalloc_debugfs_exit();
	cpuhp_remove_state_nocalls(hotplug_state);
	myalloc_shrinker_exit();
	end_lending();
	/* Leak the chunks in which something is left rather than free pages that are in use. */
	if (myalloc_zone_destroy(zone)) {
		report_left();
		myalloc_zone_abandon(zone);
		myalloc_reserve_salvage(&reserve, zone);
		myalloc_gone_exit();
		return;
	}
	myalloc_reserve_release(&reserve);
	myalloc_gone_exit();
}

module_init(myalloc_init);
module_exit(myalloc_exit);

MODULE_DESCRIPTION("Buddy page allocator and slab caches over reserved pages");
MODULE_LICENSE("GPL");
MODULE_VERSION(MYALLOC_VERSION);
