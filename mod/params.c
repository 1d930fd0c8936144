// SPDX-License-Identifier: GPL-2.0
/* Module parameters. Each invalid value is refused with a message that names it. */
#include "env.h"

#include <linux/module.h>
#include <linux/nodemask.h>

#include "compat.h"
#include "device/quota.h"
#include "params.h"
#include "shrinker.h"

/*
 * log2 of bytes in the smallest chunk of a reserve that may grow. The map of such a reserve takes
 * up to 2 KiB for each chunk (lib/page/frame.c), which is 0.2 % of a chunk of this size, and 50 %
 * of a chunk of one page of 4 KiB.
 */
#define ELASTIC_CHUNK_SHIFT	20

/* log2 of bytes in the largest block by default. */
#define MYALLOC_LARGE_SHIFT	26

/* Strings, so that a value that is not a number can be reported. */
static char *reserve_mb;
module_param(reserve_mb, charp, 0444);
MODULE_PARM_DESC(reserve_mb, "MiB to take from the system (default 64, or the sum of a list in node)");

static char *max_mb;
module_param(max_mb, charp, 0444);
MODULE_PARM_DESC(max_mb, "MiB up to which the reserve may grow when it is short, in chunks of at least 1 MiB (default reserve_mb: it does not)");

static char *node = "-1";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "NUMA node to take them from, -1 for any (default -1); all: an equal part of each node with memory; or a list of nodes with MiB of each, such as 0:64,1:32. all and lists make a zone for each node");

static char *checks = "-";
module_param(checks, charp, 0444);
MODULE_PARM_DESC(checks, "checks of pages and every cache, letters as in slab_debug=: F sanity, Z red zones, P poison, U owners; - for none (default -)");

static char *chunk_order;
module_param(chunk_order, charp, 0444);
MODULE_PARM_DESC(chunk_order, "log2 of pages in one chunk of the reserve (default 10, or the largest that this kernel allows)");

static char *max_order;
module_param(max_order, charp, 0444);
MODULE_PARM_DESC(max_order, "log2 of pages in the largest block where chunks are adjacent (default 64 MiB; that of a chunk or less: no block is larger than a chunk)");

static char *policy = "best";
module_param(policy, charp, 0444);
MODULE_PARM_DESC(policy, "where a new block is placed: best, the smallest sufficient free block, or first, the lowest address (default best)");

static char default_chunk_order[4], default_max_order[4], default_reserve_mb[24];

static struct myalloc_share shares[MAX_NUMNODES] __initdata;
static u32 nr_shares __initdata;

/* Parameters of how fast a reserve gives back unused memory; may be changed at any time. */
static int get_decay(char *buffer, const struct kernel_param *kp)
{
	u32 value[2];

	myalloc_decay_get(&value[0], &value[1]);
	return scnprintf(buffer, PAGE_SIZE, "%u\n", value[(long)kp->arg]);
}

static int set_decay(const char *text, const struct kernel_param *kp)
{
	u32 value[2];

	myalloc_decay_get(&value[0], &value[1]);
	if (!kstrtou32(text, 10, &value[(long)kp->arg]) && !myalloc_decay_set(value[0], value[1]))
		return 0;
	pr_err("%s=%.*s is invalid; give %s\n", kp->name, (int)strcspn(text, "\n"), text,
	       kp->arg ? "at least 1 MiB, such as 64" :
			 "milliseconds, such as 10000, or 0 for never");
	return -EINVAL;
}

static const struct kernel_param_ops decay_ops = { .set = set_decay, .get = get_decay };

module_param_cb(decay_ms, &decay_ops, (void *)0, 0644);
MODULE_PARM_DESC(decay_ms, "milliseconds in which a reserve that has grown gives back half of its unused memory, 0 for never (default 10000)");
module_param_cb(decay_mb, &decay_ops, (void *)1, 0644);
MODULE_PARM_DESC(decay_mb, "MiB that it gives back at most in an eighth of that time (default 64)");

static char *session_quota = "94";
module_param(session_quota, charp, 0444);
MODULE_PARM_DESC(session_quota, "percent of the reserve that one open file of the device can hold (default 94)");

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

static int __init parse_reserve(struct myalloc_params *params)
{
	static const char right[] __initconst = "give the size in MiB, such as reserve_mb=64";

	if (!reserve_mb)
		reserve_mb = "64";	/* readable in sysfs */
	if (parse_number("reserve_mb", reserve_mb, &params->reserve_mb, S64_MAX, right))
		return -EINVAL;
	if (params->reserve_mb > 0)
		return 0;
	pr_err("reserve_mb=%s is %s; %s\n", reserve_mb,
	       params->reserve_mb ? "negative" : "too small", right);
	return -EINVAL;
}

static int __init parse_max(struct myalloc_params *params)
{
	static const char right[] __initconst =
		"give the size in MiB up to which the reserve may grow, such as max_mb=256";

	if (!max_mb)
		max_mb = reserve_mb;	/* readable in sysfs */
	if (parse_number("max_mb", max_mb, &params->max_mb, S64_MAX, right))
		return -EINVAL;
	if (params->max_mb < params->reserve_mb) {
		pr_err("max_mb=%s is below reserve_mb=%s; %s\n", max_mb, reserve_mb, right);
		return -EINVAL;
	}
	if (params->max_mb == params->reserve_mb || params->nr_nodes == 1)
		return 0;
	pr_err("max_mb=%s: zones of %u nodes cannot grow; leave max_mb out, or give one node\n",
	       max_mb, params->nr_nodes);
	return -EINVAL;
}

/* --- node ------------------------------------------------------------------------ */

static bool __init is_online(s64 number)
{
	return number >= 0 && number < MAX_NUMNODES && node_online(number);
}

static int __init one_node(struct myalloc_params *params)
{
	static const char right[] __initconst =
		"give the number of a NUMA node, -1 for any, all, or a list such as 0:64,1:32";
	s64 number;

	if (parse_number("node", node, &number, INT_MAX, right))
		return -EINVAL;
	if (number != NUMA_NO_NODE && !is_online(number)) {
		pr_err("node=%s is not online; the online nodes are %*pbl, and -1 stands for any\n",
		       node, nodemask_pr_args(&node_states[N_ONLINE]));
		return -EINVAL;
	}
	shares[nr_shares++].node = number;
	return parse_reserve(params);
}

/* The first nodes get the remainder. */
static int __init all_nodes(struct myalloc_params *params)
{
	s64 rest;
	int n;

	if (parse_reserve(params))
		return -EINVAL;
	for_each_online_node(n) {
		if (node_state(n, N_NORMAL_MEMORY))
			shares[nr_shares++].node = n;
		else
			pr_info("node=all: node %d has no memory and gets no zone\n", n);
	}
	if (params->reserve_mb < nr_shares) {
		pr_err("reserve_mb=%s is too small for node=all; %u nodes have memory, so give at least %u\n",
		       reserve_mb, nr_shares, nr_shares);
		return -EINVAL;
	}
	rest = params->reserve_mb;
	for (n = 0; n < nr_shares; n++) {
		shares[n].mb = DIV_ROUND_UP_ULL(rest, nr_shares - n);
		rest -= shares[n].mb;
	}
	return 0;
}

/* Parse "number:mb", which ends at @end. */
static int __init list_entry_of(const char *text, const char *end, struct myalloc_share *share)
{
	const char *colon = memchr(text, ':', end - text);
	int len = end - text;
	char buf[24];
	s64 number;

	if (!colon) {
		pr_err("node=%s: \"%.*s\" has no size; give MiB of each node, such as node=0:64,1:32\n",
		       node, len, text);
		return -EINVAL;
	}
	if (len < sizeof(buf)) {
		memcpy(buf, text, len);
		buf[colon - text] = 0;
		buf[len] = 0;
		if (!kstrtos64(buf, 10, &number) &&
		    !kstrtos64(buf + (colon - text) + 1, 10, &share->mb) &&
		    share->mb > 0 && share->mb <= INT_MAX)
			goto parsed;
	}
	pr_err("node=%s: \"%.*s\" is not a node with a size; give the number of a node and MiB, such as 0:64\n",
	       node, len, text);
	return -EINVAL;

parsed:
	if (!is_online(number)) {
		pr_err("node=%s: node %lld is not online; the online nodes are %*pbl\n", node,
		       number, nodemask_pr_args(&node_states[N_ONLINE]));
		return -EINVAL;
	}
	if (!node_state(number, N_NORMAL_MEMORY)) {
		pr_err("node=%s: node %lld has no memory; the nodes with memory are %*pbl\n", node,
		       number, nodemask_pr_args(&node_states[N_NORMAL_MEMORY]));
		return -EINVAL;
	}
	share->node = number;
	return 0;
}

/* Keeps the shares in the order of nodes. */
static int __init add_share(const struct myalloc_share *share)
{
	u32 at = nr_shares;

	while (at && shares[at - 1].node > share->node)
		at--;
	if (at && shares[at - 1].node == share->node) {
		pr_err("node=%s: node %d is there twice; give each node once\n", node, share->node);
		return -EINVAL;
	}
	memmove(&shares[at + 1], &shares[at], (nr_shares - at) * sizeof(*shares));
	shares[at] = *share;
	nr_shares++;
	return 0;
}

static int __init list_of_nodes(struct myalloc_params *params)
{
	const char *text = node, *end;
	struct myalloc_share share;
	s64 sum = 0;

	for (;; text = end + 1) {
		end = strchrnul(text, ',');
		if (list_entry_of(text, end, &share) || add_share(&share))
			return -EINVAL;
		sum += share.mb;
		if (!*end)
			break;
	}
	if (!reserve_mb) {
		scnprintf(default_reserve_mb, sizeof(default_reserve_mb), "%lld", sum);
		reserve_mb = default_reserve_mb;
	}
	if (parse_reserve(params))
		return -EINVAL;
	if (params->reserve_mb == sum)
		return 0;
	pr_err("reserve_mb=%s is not the sum of node=%s, which is %lld; leave it out\n", reserve_mb,
	       node, sum);
	return -EINVAL;
}

/* Also reserve_mb, whose default depends on it. */
static int __init parse_node(struct myalloc_params *params)
{
	int err;

	if (!strcmp(node, "all"))
		err = all_nodes(params);
	else if (strpbrk(node, ":,"))
		err = list_of_nodes(params);
	else
		err = one_node(params);
	if (err)
		return err;
	if (nr_shares == 1)
		shares[0].mb = params->reserve_mb;
	params->nodes = shares;
	params->nr_nodes = nr_shares;
	return 0;
}

static int __init parse_chunk_order(struct myalloc_params *params)
{
	const int max = min(MYALLOC_CHUNK_MAX, MYALLOC_KERNEL_MAX_ORDER);
	static const char right[] __initconst =
		"give log2 of the pages in a chunk, such as chunk_order=10";

	if (!chunk_order) {
		/* Makes the value readable in sysfs. */
		scnprintf(default_chunk_order, sizeof(default_chunk_order), "%d", max);
		chunk_order = default_chunk_order;
	}
	if (parse_number("chunk_order", chunk_order, &params->chunk_order, INT_MAX, right))
		return -EINVAL;
	if (params->chunk_order >= 0 && params->chunk_order <= max)
		return 0;
	pr_err("chunk_order=%s is out of range; this kernel allows 0 to %d\n", chunk_order, max);
	return -EINVAL;
}

static int __init check_elastic(const struct myalloc_params *params)
{
	const int least = max_t(int, ELASTIC_CHUNK_SHIFT - PAGE_SHIFT, 0);

	if (params->max_mb == params->reserve_mb || params->chunk_order >= least)
		return 0;
	pr_err("chunk_order=%s is too small for a reserve that may grow (max_mb=%s), whose chunks have at least 1 MiB; give at least %d, or leave max_mb out\n",
	       chunk_order, max_mb, least);
	return -EINVAL;
}

static int __init parse_max_order(struct myalloc_params *params)
{
	static const char right[] __initconst =
		"give log2 of the pages in the largest block, such as max_order=12";

	if (!max_order) {
		scnprintf(default_max_order, sizeof(default_max_order), "%d",
			  min(MYALLOC_TOP_ORDER, MYALLOC_LARGE_SHIFT - PAGE_SHIFT));
		max_order = default_max_order;
	}
	if (parse_number("max_order", max_order, &params->max_order, INT_MAX, right))
		return -EINVAL;
	if (params->max_order >= 0 && params->max_order <= MYALLOC_TOP_ORDER)
		return 0;
	pr_err("max_order=%s is out of range; 0 to %d are allowed\n", max_order, MYALLOC_TOP_ORDER);
	return -EINVAL;
}

static int __init parse_quota(struct myalloc_params *params)
{
	static const char right[] __initconst = "give 1 to 100 percent of the reserve";

	if (parse_number("session_quota", session_quota, &params->session_quota,
			 MYALLOC_QUOTA_ALL, right))
		return -EINVAL;
	if (params->session_quota > 0)
		return 0;
	pr_err("session_quota=%s is too small; %s\n", session_quota, right);
	return -EINVAL;
}

static int __init parse_checks(struct myalloc_params *params)
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

	params->checks = 0;
	if (!strcmp(checks, "-"))
		return 0;
	for (p = checks; *p; p++) {
		for (i = 0; i < ARRAY_SIZE(letters); i++)
			if (letters[i].letter == *p)
				break;
		if (i == ARRAY_SIZE(letters))
			break;
		params->checks |= letters[i].flag;
	}
	if (!*p && params->checks)
		return 0;
	pr_err("checks=\"%s\" is invalid; give letters of F, Z, P, U, or - for none\n", checks);
	return -EINVAL;
}

static int __init parse_policy(struct myalloc_params *params)
{
	if (!strcmp(policy, "best"))
		params->policy = MYALLOC_BEST_FIT;
	else if (!strcmp(policy, "first"))
		params->policy = MYALLOC_FIRST_FIT;
	else
		goto unknown;
	return 0;

unknown:
	pr_err("policy=\"%s\" is unknown; give best or first\n", policy);
	return -EINVAL;
}

/**
 * myalloc_params_read() - parse and check the module parameters
 * @params: out
 *
 * Context: task, while the module is loaded.
 * Return: 0; -EINVAL after a message was printed.
 */
int __init myalloc_params_read(struct myalloc_params *params)
{
	return parse_node(params) ?: parse_max(params) ?:
	       parse_chunk_order(params) ?: check_elastic(params) ?: parse_max_order(params) ?:
	       parse_quota(params) ?: parse_checks(params) ?: parse_policy(params);
}
