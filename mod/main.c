// SPDX-License-Identifier: GPL-2.0
/* Module load and unload: initializes the parts in order. */
#include "env.h"

#include <linux/cpuhotplug.h>
#include <linux/module.h>

#include "compat.h"
#include "debugfs/debugfs.h"
#include "exports.h"
#include "gone.h"
#include "device/ioctl.h"
#include "device/quota.h"
#include "page/drain.h"
#include "leave.h"
#include "nodes.h"
#include "params.h"
#include "stress/stress.h"
#include "shrinker.h"
#include "uapi/myalloc.h"
#include "zone/nodes.h"

static struct myalloc_nodes *nodes;
static int hotplug_state;

/* The CPU is dead and cannot come back until this returns. */
static int cpu_dead(unsigned int cpu)
{
	u32 i;

	for (i = 0; i < nodes->nr_zones; i++)
		myalloc_zone_drain_cpu(nodes->zone[i].zone, cpu);
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
	if (params.checks & MYALLOC_OWNER && myalloc_env_stack_init())
		pr_warn("checks: this kernel has no stack depot; U records callers only\n");
	nodes = myalloc_nodes_begin(&params);
	if (IS_ERR(nodes))
		return PTR_ERR(nodes);
	/* Only a set of one zone may be elastic. */
	err = myalloc_shrinker_init(nodes->zone[0].zone);
	if (err)
		goto err_nodes;
	err = watch_cpus();
	if (err)
		goto err_shrinker;
	err = myalloc_gone_init();
	if (err)
		goto err_hotplug;
	myalloc_debugfs_init(nodes);
	myalloc_session_quota = params.session_quota;
	/* These are the first kinds to register, so it cannot fail. */
	myalloc_job_kind_register(&myalloc_stress_kind);
	myalloc_job_kind_register(&myalloc_contract_test_kind);
	err = myalloc_leave_init(nodes);
	if (err)
		goto err_stress;
	err = myalloc_device_init(nodes);
	if (err)
		goto err_leave;
	myalloc_exports_init(nodes);
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
err_nodes:
	myalloc_nodes_end();
	return err;
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
	myalloc_nodes_end();
	myalloc_gone_exit();
}

module_init(myalloc_init);
module_exit(myalloc_exit);

MODULE_DESCRIPTION("Buddy page allocator and slab caches over reserved pages");
MODULE_LICENSE("GPL");
MODULE_VERSION(MYALLOC_VERSION);
