// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a client: a loop of 60 frames a second, whose memory comes from two arenas
 *
 * What it does: each tick of a timer is a frame. A frame builds a scene: a list of sprites, each
 * with a label of its own length. It compares them with the sprites of the previous frame, which
 * are still valid, and sorts them by depth with a temporary table. At the end of a frame the two
 * arenas swap roles. No piece is freed by itself, and after the first frames the zone is no longer
 * asked for memory: zone_calls in /sys/kernel/debug/myalloc/arenas stays constant.
 *
 * What to copy from it: memory that must last until the end of the next frame comes from
 * myalloc_frames_alloc(); temporary memory is allocated between a mark and a rewind; a NULL is an
 * ordinary event that makes the frame smaller and is counted.
 *
 * With verbose=1 it prints a summary at the end; otherwise it prints nothing.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "myalloc_client.h"

static unsigned int hz = 60;
module_param(hz, uint, 0444);
MODULE_PARM_DESC(hz, "frames per second, 1 to 1000 (default 60)");

static unsigned int sprites = 500;
module_param(sprites, uint, 0444);
MODULE_PARM_DESC(sprites, "sprites in a frame, 1 to 10000 (default 500)");

static bool verbose;
module_param(verbose, bool, 0644);
MODULE_PARM_DESC(verbose, "say at the end what was done (default off)");

struct sprite {
	struct sprite *next;
	u32 number;
	u32 depth;
	char *label;
};

/* The scene of a frame; it lies in the frame's memory, like everything that it points to. */
struct scene {
	u64 frame;
	u32 nr;
	struct sprite *first;
};

static struct myalloc_zone *zone;
static struct myalloc_frames *frames;
static struct hrtimer timer;
static struct work_struct work;

/* Written by the work item only: */
static struct scene *last;	/* of the previous frame */
static u64 nr_frames;
static u64 cut;			/* frames without memory for all of their sprites */
static u64 unsorted;		/* frames without memory for the table */
static u64 wrong;		/* sprites of the previous frame that had changed */

static ktime_t period(void)
{
	return ns_to_ktime(NSEC_PER_SEC / hz);
}

static u32 depth_of(u64 frame, u32 number)
{
	return (frame * 31 + number) * 2654435761u;
}

static size_t label_length(u64 frame, u32 number)
{
	return 5 + (frame + number) % 27;
}

/* A sprite and its label; NULL if there is no memory. */
static struct sprite *make_sprite(u64 frame, u32 number)
{
	struct sprite *s = myalloc_frames_alloc(frames, sizeof(*s), __alignof__(*s));
	size_t length = label_length(frame, number);

	if (!s)
		return NULL;
	s->label = myalloc_frames_alloc(frames, length + 1, 1);
	if (!s->label)
		return NULL;	/* it ends with the frame */
	memset(s->label, 'a' + number % 26, length);
	s->label[length] = '\0';
	s->number = number;
	s->depth = depth_of(frame, number);
	return s;
}

static struct scene *make_scene(u64 frame)
{
	struct scene *scene = myalloc_frames_zalloc(frames, sizeof(*scene), 0);
	struct sprite *s;

	if (!scene)
		return NULL;
	scene->frame = frame;
	while (scene->nr < sprites) {
		s = make_sprite(frame, scene->nr);
		if (!s)
			break;
		s->next = scene->first;
		scene->first = s;
		scene->nr++;
	}
	return scene;
}

/* The scene of the previous frame must be unchanged. */
static void check_scene(const struct scene *scene)
{
	const struct sprite *s;
	u32 number = scene->nr;

	for (s = scene->first; s; s = s->next)
		if (s->number != --number || s->depth != depth_of(scene->frame, number) ||
		    strlen(s->label) != label_length(scene->frame, number))
			wrong++;
}

static int by_depth(const void *a, const void *b)
{
	const struct sprite *s = *(const struct sprite **)a, *t = *(const struct sprite **)b;

	return s->depth < t->depth ? -1 : s->depth > t->depth;
}

/* Link the sprites by depth; the table for that is freed at the end of the function. */
static void sort_scene(struct scene *scene)
{
	struct myalloc_arena *arena = myalloc_frames_now(frames);
	struct myalloc_arena_mark mark;
	struct sprite **table, *s;
	u32 nr = 0;

	if (myalloc_arena_mark(arena, &mark)) {
		unsorted++;
		return;
	}
	table = myalloc_arena_alloc(arena, scene->nr * sizeof(*table), __alignof__(*table));
	if (table) {
		for (s = scene->first; s; s = s->next)
			table[nr++] = s;
		sort(table, nr, sizeof(*table), by_depth, NULL);
	} else {
		unsorted++;
	}
	/* Here a game would draw them, table[0] first. */
	myalloc_arena_rewind(arena, &mark);
}

static void do_frame(struct work_struct *w)
{
	struct scene *scene = make_scene(nr_frames);

	if (!scene || scene->nr < sprites)
		cut++;
	if (last)
		check_scene(last);
	if (scene)
		sort_scene(scene);
	last = scene;
	nr_frames++;
	myalloc_frames_swap(frames);	/* discard the previous frame, keep this one */
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	schedule_work(&work);	/* a frame that takes too long skips the next one */
	hrtimer_forward_now(t, period());
	return HRTIMER_RESTART;
}

static int __init frame_loop_init(void)
{
	const struct myalloc_arena_args args = { .name = "frame", .limit = 4u << 20 };

	if (!hz || hz > 1000) {
		pr_err("myalloc_frame_loop: hz=%u is not from 1 to 1000\n", hz);
		return -EINVAL;
	}
	if (!sprites || sprites > 10000) {
		pr_err("myalloc_frame_loop: sprites=%u is not from 1 to 10000\n", sprites);
		return -EINVAL;
	}
	zone = myalloc_zone_get();
	if (!zone)
		return -ENODEV;
	frames = myalloc_frames_create(zone, &args);
	if (IS_ERR(frames)) {
		myalloc_zone_put(zone);
		return PTR_ERR(frames);
	}
	INIT_WORK(&work, do_frame);
	myalloc_compat_hrtimer_setup(&timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, period(), HRTIMER_MODE_REL_HARD);
	return 0;
}

static void __exit frame_loop_exit(void)
{
	hrtimer_cancel(&timer);
	cancel_work_sync(&work);
	myalloc_frames_destroy(frames);	/* with all memory allocated from them */
	myalloc_zone_put(zone);
	if (verbose)
		pr_info("myalloc_frame_loop: %llu frames, %llu cut, %llu unsorted, %llu sprites changed\n",
			nr_frames, cut, unsorted, wrong);
}

module_init(frame_loop_init);
module_exit(frame_loop_exit);
MODULE_DESCRIPTION("Example client of myalloc: a loop of frames in two arenas");
MODULE_LICENSE("GPL");
MYALLOC_IMPORT_NS(MYALLOC);
