// SPDX-License-Identifier: GPL-2.0
/*
 * info: the loaded module, its parameters and its reserve
 */
#include <stdlib.h>

#include "cmd/parse.h"
#include "host/host.h"
#include "host/mem.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

#define PARAMETERS	"/sys/module/myalloc/parameters"

static void parameter(void *arg, const char *name)
{
	char *path = xasprintf(PARAMETERS "/%s", name);
	char *value = host_read_line(path);
	struct out *o = arg;

	if (value)
		out_str(o, name, name, OUT_PLAIN, value);
	else
		out_null(o, name, name);
	free(value);
	free(path);
}

static void describe_module(struct out *o)
{
	char *version = host_read_line("/sys/module/myalloc/version");

	out_group(o, "module", "Module");
	if (version)
		out_str(o, "version", "version", OUT_PLAIN, version);
	else
		out_null(o, "version", NULL);
	out_group(o, "parameters", "parameters");
	host_list(PARAMETERS, parameter, o);
	out_end(o);
	out_end(o);
	free(version);
}

static void describe_reserve(struct out *o, const struct myalloc_info *info)
{
	__u64 bytes = info->nr_pages * info->page_size;
	char letters[8];

	out_page_size(o, info->page_size);
	out_group(o, "reserve", "Reserve");
	out_u64(o, "nr_pages", "capacity", OUT_PAGES, info->nr_pages);
	out_u64(o, "page_size", "page size", OUT_BYTES, info->page_size);
	out_u64(o, "nr_chunks", "chunks", OUT_PLAIN, info->nr_chunks);
	out_u64(o, "chunk_order", "order of a chunk", OUT_PLAIN,
		info->chunk_order);
	out_u64(o, "max_order", "order of the largest block", OUT_PLAIN,
		info->max_order);
	if (info->node >= 0)
		out_s64(o, "node", "NUMA node", OUT_PLAIN, info->node);
	else
		out_null(o, "node", "NUMA node");
	out_str(o, "checks", "checks", OUT_PLAIN,
		checks_letters(info->checks, letters));
	out_u64(o, "nr_cpus", "possible CPUs", OUT_PLAIN, info->nr_cpus);
	out_u64(o, "meta_bytes", "metadata", OUT_BYTES, info->meta_bytes);
	out_u64(o, "last_phys", "last physical address", OUT_PLAIN, info->last_phys);
	/* Per cent with three decimals: the aim is at most 0.5. */
	out_ratio(o, "meta_percent", "metadata per cent",
		  (double)info->meta_bytes * 100, bytes);
	out_end(o);
}

static const char info_form[] =
	"module:{ version:text|null parameters:{ *:text|null } } "
	"reserve:{ nr_pages:uint page_size:uint nr_chunks:uint chunk_order:uint max_order:uint "
	"node:int|null checks:text nr_cpus:uint meta_bytes:uint last_phys:uint "
	"meta_percent:number|null }";

static int info_show(struct cmd *c)
{
	struct device d;
	struct out *o;
	int code;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	o = out_new("info");
	describe_module(o);
	describe_reserve(o, &d.info);
	out_show_system(o);
	device_close(&d);
	return out_finish(o, EXIT_OK);
}

static const struct verb info_verbs[] = {
	{ "", info_show, "", "show the module's parameters, capacity and metadata", NULL,
	  .form = info_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object info_object = {
	"info", "the module's parameters, capacity and metadata", info_verbs, NULL
};
