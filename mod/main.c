// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading: the parameters, and the parts in their order. */
#include "env.h"

#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/nodemask.h>

#include "compat.h"
#include "debugfs/debugfs.h"
#include "exports.h"
#include "device/ioctl.h"
#include "page/lend.h"
#include "device/quota.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "stress/stress.h"
#include "reserve.h"
#include "object/cache.h"
#include "uapi/myalloc.h"
#include "zone/zone.h"

/* Text, so that each wrong value gets a sentence of its own. */
static char *reserve_mb = "64";
module_param(reserve_mb, charp, 0444);
MODULE_PARM_DESC(reserve_mb, "MiB to take from the system (default 64)");

static char *node = "-1";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "NUMA node to take them from, -1 for any (default -1)");

static char *checks = "-";
module_param(checks, charp, 0444);
MODULE_PARM_DESC(checks, "checks of pages and every cache, letters as in slab_debug=: F sanity, Z red zones, P poison, U owners; - for none (default -)");

static char *chunk_order;
module_param(chunk_order, charp, 0444);
MODULE_PARM_DESC(chunk_order, "log2 of pages in one chunk of the reserve and in the largest block (default 10, or the largest that this kernel allows)");

static char *policy = "best";
module_param(policy, charp, 0444);
MODULE_PARM_DESC(policy, "where a new block is placed: best, the smallest sufficient free block, or first, the lowest address (default best)");

static char default_chunk_order[4];

static char *session_quota = "94";
module_param(session_quota, charp, 0444);
MODULE_PARM_DESC(session_quota, "percent of the reserve that one open file of the device may hold (default 94)");

struct config {
	s64 reserve_mb;
	s64 node;
	s64 chunk_order;
	s64 session_quota;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
};

static struct myalloc_reserve reserve;
static struct myalloc_zone *zone;
static int hotplug_state;

static int __init parse_number(const char *name, const char *text, s64 *value, s64 max,
			       const char *right)
{
	int err = kstrtos64(text, 10, value);

	if (err == -ERANGE || (!err && *value > max))
		pr_err("%s=%s is too %s; %s\n", name, text, *text == '-' ? "small" : "large",
		       right);
	else if (err)
		pr_err("%s=\"%s\" is not a number; %s\n", name, text, right);
	else
		return 0;
	return -EINVAL;
}

static int __init parse_reserve(struct config *config)
{
	static const char right[] __initconst = "give the size in MiB, such as reserve_mb=64";

	if (parse_number("reserve_mb", reserve_mb, &config->reserve_mb, S64_MAX, right))
		return -EINVAL;
	if (config->reserve_mb > 0)
		return 0;
	pr_err("reserve_mb=%s is %s; %s\n", reserve_mb,
	       config->reserve_mb ? "negative" : "nothing to allocate from", right);
	return -EINVAL;
}

static int __init parse_node(struct config *config)
{
	static const char right[] __initconst = "give the number of a NUMA node, or -1 for any";

	if (parse_number("node", node, &config->node, INT_MAX, right))
		return -EINVAL;
	if (config->node == NUMA_NO_NODE ||
	    (config->node >= 0 && config->node < MAX_NUMNODES && node_online(config->node)))
		return 0;
	pr_err("node=%s is not online; there are %*pbl, and -1 stands for any\n", node,
	       nodemask_pr_args(&node_states[N_ONLINE]));
	return -EINVAL;
}

static int __init parse_chunk_order(struct config *config)
{
	const int max = min(MYALLOC_TOP_ORDER, MYALLOC_KERNEL_MAX_ORDER);
	static const char right[] __initconst =
		"give log2 of the pages in a chunk, such as chunk_order=10";

	if (!chunk_order) {
		/* Where it can be read back. */
		scnprintf(default_chunk_order, sizeof(default_chunk_order), "%d", max);
		chunk_order = default_chunk_order;
	}
	if (parse_number("chunk_order", chunk_order, &config->chunk_order, INT_MAX, right))
		return -EINVAL;
	if (config->chunk_order >= 0 && config->chunk_order <= max)
		return 0;
	pr_err("chunk_order=%s is out of range; this kernel allows 0 to %d\n", chunk_order, max);
	return -EINVAL;
}

static int __init parse_quota(struct config *config)
{
	static const char right[] __initconst = "give 1 to 100 percent of the reserve";

	if (parse_number("session_quota", session_quota, &config->session_quota,
			 MYALLOC_QUOTA_ALL, right))
		return -EINVAL;
	if (config->session_quota > 0)
		return 0;
	pr_err("session_quota=%s leaves an open file nothing; %s\n", session_quota, right);
	return -EINVAL;
}

static int __init parse_checks(struct config *config)
{
	static const struct {
		char letter;
		myalloc_cache_flags_t flag;
	} letters[] = {
		{ 'F', MYALLOC_SANITY },
		{ 'Z', MYALLOC_REDZONE },
		{ 'P', MYALLOC_POISON },
		{ 'U', MYALLOC_OWNER },
	};
	const char *p;
	unsigned int i;

	config->checks = 0;
	if (!strcmp(checks, "-"))
		return 0;
	for (p = checks; *p; p++) {
		for (i = 0; i < ARRAY_SIZE(letters); i++)
			if (letters[i].letter == *p)
				break;
		if (i == ARRAY_SIZE(letters))
			break;
		config->checks |= letters[i].flag;
	}
	if (!*p && config->checks)
		return 0;
	pr_err("checks=\"%s\" is not a choice of the letters F, Z, P, U, or - for none\n", checks);
	return -EINVAL;
}

static int __init parse_policy(struct config *config)
{
	if (!strcmp(policy, "best"))
		config->policy = MYALLOC_BEST_FIT;
	else if (!strcmp(policy, "first"))
		config->policy = MYALLOC_FIRST_FIT;
	else
		goto unknown;
	return 0;

unknown:
	pr_err("policy=\"%s\" is unknown; there are best and first\n", policy);
	return -EINVAL;
}

static int __init parse(struct config *config)
{
	return parse_reserve(config) ?: parse_node(config) ?: parse_chunk_order(config) ?:
	       parse_quota(config) ?: parse_checks(config) ?: parse_policy(config);
}

static int __init make_zone(const struct config *config)
{
	const struct myalloc_zone_args args = {
		.name = "zone",
		.chunks = reserve.chunks,
		.nr_chunks = reserve.nr_chunks,
		.chunk_order = reserve.chunk_order,
		.nr_pages = reserve.nr_pages,
		.node = reserve.node,
		.checks = config->checks,
		.policy = config->policy,
		.ops = &myalloc_debugfs_zone_ops,
	};

	zone = myalloc_zone_create(&args);
	if (!IS_ERR(zone))
		return 0;
	pr_err("no memory for the books of %u pages\n", reserve.nr_pages);
	return PTR_ERR(zone);
}

/* It gets magazines before it runs anything. */
static int cpu_coming(unsigned int cpu)
{
	return myalloc_zone_cpu_coming(zone, cpu);
}

/* The CPU is gone and cannot come back meanwhile. */
static int cpu_dead(unsigned int cpu)
{
	myalloc_zone_drain_cpu(zone, cpu);
	return 0;
}

static int __init watch_cpus(void)
{
	int state = -ENOMEM;

	if (!myalloc_env_should_fail())
		state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "myalloc:cpu", cpu_coming,
						  cpu_dead);
	if (state < 0) {
		pr_err("cannot watch CPUs come and go: error %d\n", state);
		return state;
	}
	hotplug_state = state;
	return 0;
}

static int __init myalloc_init(void)
{
	struct config config;
	int err;

	err = parse(&config);
	if (err)
		return err;
	err = myalloc_reserve_take(&reserve, config.reserve_mb, config.chunk_order,
				   config.node);
	if (err)
		return err;
	if (config.checks & MYALLOC_OWNER && myalloc_env_stack_init())
		pr_warn("checks: this kernel keeps no call stacks; U records callers only\n");
	err = make_zone(&config);
	if (err)
		goto err_reserve;
	err = watch_cpus();
	if (err)
		goto err_zone;
	myalloc_debugfs_init(zone, &reserve);
	myalloc_session_quota = config.session_quota;
	/* The first kind of all, so it cannot fail. */
	myalloc_job_kind_register(&myalloc_stress_kind);
	err = myalloc_device_init(zone, &reserve);
	if (err)
		goto err_stress;
	myalloc_exports_init(zone);
	return 0;

err_stress:
	myalloc_job_kind_unregister(&myalloc_stress_kind);
err_debugfs:
	myalloc_debugfs_exit();
	cpuhp_remove_state_nocalls(hotplug_state);
err_zone:
	myalloc_zone_destroy(zone);
err_reserve:
	myalloc_reserve_release(&reserve);
	return err;
}

/* What is still lent goes back to the system by itself when we have dropped our references. */
static void __exit end_lending(void)
{
	u32 lent = myalloc_quarantine_abandon(zone);

	if (lent)
		pr_info("%u pages are still lent to the kernel; it has them back when it is done with them\n",
			lent);
}

static void __exit myalloc_exit(void)
{
	myalloc_exports_exit();
	myalloc_device_exit();
	myalloc_job_kind_unregister(&myalloc_stress_kind);
	myalloc_debugfs_exit();
	cpuhp_remove_state_nocalls(hotplug_state);
	end_lending();
	/* Leak the reserve rather than free pages that are still in use. */
	if (myalloc_zone_destroy(zone)) {
		myalloc_zone_abandon(zone);
		pr_err("%u pages stay reserved until the next boot: somebody has not given them back\n",
		       reserve.nr_pages);
		return;
	}
	myalloc_reserve_release(&reserve);
}

module_init(myalloc_init);
module_exit(myalloc_exit);

MODULE_DESCRIPTION("Buddy page allocator and slab caches over reserved pages");
MODULE_LICENSE("GPL");
MODULE_VERSION(MYALLOC_VERSION);
