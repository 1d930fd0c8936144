/* SPDX-License-Identifier: GPL-2.0 */
/* What may be asked of the zone of a contract. See limit.c. */
#ifndef MYALLOC_LIMIT_H
#define MYALLOC_LIMIT_H

#include "page/limit_types.h"

/**
 * struct myalloc_limit_request - a request for pages of the zone of a contract
 * @nr_pages: pages, any value
 * @align_order: log2 of the alignment in pages
 * @caller: code address of the user
 * @tag: tag of the first frame, for a block of the stack, which is as large as the request
 * @stamp: value that the first descriptor of an extent records beside its tag
 * @take: takes them with zone->lock held; returns the first frame or MYALLOC_NO_FRAME
 * @arg: argument of @take
 */
struct myalloc_limit_request {
	u32 nr_pages;
	unsigned int align_order;
	unsigned long caller;
	u32 tag;
	u32 stamp;
	u32 (*take)(struct myalloc_zone *zone, const void *arg);
	const void *arg;
};

int myalloc_limit_init(struct myalloc_limit *limit, struct myalloc_zone *zone,
		       struct myalloc_zone *parent, u32 each);
void myalloc_limit_fill(struct myalloc_limit *limit);
void myalloc_limit_sync(struct myalloc_limit *limit);
void myalloc_limit_empty(struct myalloc_limit *limit);
void myalloc_limit_fini(struct myalloc_limit *limit);
void myalloc_limit_note_unused(struct myalloc_limit *limit, u64 free_slots);
u32 myalloc_limit_live(const struct myalloc_limit *limit);

void *myalloc_limit_alloc(struct myalloc_zone *zone, const struct myalloc_limit_request *request,
			  myalloc_flags_t flags);
void *myalloc_limit_block(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags,
			  u32 tag, unsigned long caller);
bool myalloc_limit_free_beyond(struct myalloc_zone *zone, void *addr, u32 nr_pages,
			       unsigned long caller);
int myalloc_limit_refuse(struct myalloc_zone *zone, u32 nr_pages, const char *why,
			 unsigned long caller);

unsigned long myalloc_limit_pop(struct myalloc_limit *limit);
void myalloc_limit_beyond(struct myalloc_limit *limit, unsigned long caller);
void myalloc_limit_broken(struct myalloc_limit *limit, const char *what, unsigned long caller);

extern const struct myalloc_limit_ops myalloc_limit_page_ops;

#endif /* MYALLOC_LIMIT_H */
